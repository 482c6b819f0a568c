"""The text of the formulas, with all that they call."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from types import FunctionType

from lrtune.handover import formulas

_KNOWN = {name: each for name, each in vars(formulas).items() if isinstance(each, FunctionType)}


def needed(names: Iterable[str]) -> list[str]:
    """List formulas with all that they call, in the order in which they are defined."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            words = set(re.findall(r"\b\w+(?=\()", inspect.getsource(_KNOWN[name])))
            waiting.extend(words & _KNOWN.keys() - {name})
    return [each for each in _KNOWN if each in found]


def parameters(name: str) -> list[str]:
    """List which of ``t`` and ``T`` a formula takes."""
    return [each for each in inspect.signature(_KNOWN[name]).parameters if each in ("t", "T")]


def formula_texts(names: Iterable[str]) -> list[str]:
    """Give the definitions of formulas and of all that they call."""
    return [inspect.getsource(_KNOWN[each]).rstrip() for each in needed(names)]


def tolerance_text(texts: Iterable[str]) -> list[str]:
    """Define the tolerance of jumps if any of the texts needs it."""
    if not any("TOLERANCE" in each for each in texts):
        return []
    return [f"TOLERANCE = {formulas.TOLERANCE!r}  # in epochs or periods: rounding must not delay a jump"]
