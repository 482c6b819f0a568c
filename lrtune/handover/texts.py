"""The text of formulas, with all that they call."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType

from lrtune.training.decays.plain import TOLERANCE

Formula = Callable[..., float]


def needed(formulas: Iterable[Formula]) -> list[Formula]:
    """List formulas with all functions that they call, in the order in which they are defined."""
    found: set[Formula] = set()
    waiting = list(formulas)
    while waiting:
        formula = waiting.pop()
        if formula not in found:
            found.add(formula)
            waiting.extend(_called(formula))
    return sorted(found, key=_place)


def _called(formula: Formula) -> Iterator[Formula]:
    """Look up the functions of a formula's own module that its text calls."""
    module = getattr(formula, "__globals__", {})
    for word in set(re.findall(r"\b\w+(?=\()", inspect.getsource(formula))):
        if isinstance(module.get(word), FunctionType):
            yield module[word]


def _place(formula: Formula) -> tuple[str, int]:
    return inspect.getfile(formula), inspect.getsourcelines(formula)[1]


def parameters(formula: Formula) -> list[str]:
    """List which of ``t`` and ``T`` a formula takes."""
    return [each for each in inspect.signature(formula).parameters if each in ("t", "T")]


def formula_texts(formulas: Iterable[Formula]) -> list[str]:
    """Give the definitions of formulas and of all that they call."""
    return [inspect.getsource(each).rstrip() for each in needed(formulas)]


def tolerance_text(texts: Iterable[str]) -> list[str]:
    """Define the tolerance of jumps if any of the texts needs it."""
    if not any("TOLERANCE" in each for each in texts):
        return []
    return [f"TOLERANCE = {TOLERANCE!r}  # in epochs or periods: rounding must not delay a jump"]
