"""The vocabulary in which decays, optimizers and keys are declared; no NumPy, so that ``--help`` stays fast.

A factor is declared once. The search space, the validation, the documentation and ``--help`` read that declaration.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

Value: TypeAlias = bool | int | float | str | tuple[float, ...] | None
Configuration: TypeAlias = Mapping[str, Value]


class Range(NamedTuple):
    """A continuous default search dimension; a grid takes ``points`` of it, spaced by the factor's scale."""

    low: float
    high: float
    points: int = 5


class Names(Collection[str]):
    """Names that are listed anew whenever they are asked for, because the table that they come from may grow."""

    def __init__(self, listed: Callable[[], Iterable[str]]) -> None:
        self._listed = listed

    def __contains__(self, name: object) -> bool:
        return name in tuple(self._listed())

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed())

    def __len__(self) -> int:
        return len(tuple(self._listed()))


class Factor(NamedTuple):
    """One number, name or list that can be set, and therefore searched.

    Parameters
    ----------
    name
        Key in the experiment file.
    default
        Value when nothing is said.
    meaning
        One sentence, with the unit.
    low, high, open_low, open_high
        What is legal; the ends belong to it unless they are open.
    scale
        How a range of it is searched: ``"linear"``, ``"log"``, or ``"reversed_log"`` (the logarithm of ``1 - x``).
    search
        Default search dimension: a tuple of choices, a `Range`, or None for "stays at its default".
    kind
        ``"float"``, ``"int"``, ``"bool"``, ``"choice"``, ``"widths"`` (whole numbers), ``"numbers"`` (increasing
        numbers), ``"decay"`` (the name of another decay, which brings its own factors) or ``"any"`` (a parameter of
        another trainer, of which nothing is known).
    choices
        Legal values of a ``"choice"`` or a ``"decay"``; names of a table as a view of it (``OPTIMIZERS.keys()``,
        `Names`), because entries may be added.
    optional
        Whether null is legal.
    replaces
        Name of the factor that this one determines. Such a factor has no effect unless it is given, and then the other
        one must not be.
    time
        How it grows with the horizon: ``"duration"`` (in epochs or seconds), ``"speed"`` (for each epoch), ``"base"``
        (multiplied once for each epoch), or not at all: it is a share, a number of times or no time.

    """

    name: str
    default: Value
    meaning: str
    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    scale: str = "linear"
    search: tuple[Value, ...] | Range | None = None
    kind: str = "float"
    choices: Collection[Value] = ()
    optional: bool = False
    replaces: str = ""
    time: str = ""


def number(value: Value) -> float:
    """Read a value that is known to be a number."""
    assert isinstance(value, int | float)
    return float(value)


LONGEST_LIST = 100
"""Layers of a network, or milestones of a schedule: more are a slip."""


def check_value(factor: Factor, value: object) -> str | None:
    """Say why a value is illegal, or None if it is legal.

    >>> check_value(Factor("dropout", 0.0, "", low=0.0, high=1.0, open_high=True), 1.5)
    'expected a number of at least 0 and below 1, got 1.5'
    """
    if (value is None and factor.optional) or _is_legal(factor, value):
        return None
    if factor.kind in ("widths", "numbers") and isinstance(value, tuple | list) and len(value) > LONGEST_LIST:
        return f"expected at most {LONGEST_LIST} numbers, got {len(value):,}"
    return f"expected {describe_range(factor)}, got {_shown(value)}"


def describe_range(factor: Factor) -> str:
    """Say what is legal, as the object of a sentence.

    >>> describe_range(Factor("epochs", 30, "", low=1, kind="int"))
    'a whole number of at least 1'
    """
    if factor.kind in ("choice", "decay"):
        names = [_shown(choice) for choice in factor.choices] + ["null"] * factor.optional
        return f"one of {', '.join(names)}" if len(names) > 2 else " or ".join(names)
    nouns = {
        "float": "a number",
        "int": "a whole number",
        "bool": "true or false",
        "widths": "a list of whole numbers",
        "numbers": "a list of increasing numbers",
        "any": "a number, a text, true, false, null or a list of numbers",
    }
    return nouns[factor.kind] + _bounds(factor) + (", or null" if factor.optional else "")


def _is_legal(factor: Factor, value: object) -> bool:
    if factor.kind in ("choice", "decay"):
        return any(type(value) is type(choice) and value == choice for choice in factor.choices)
    if factor.kind == "bool":
        return isinstance(value, bool)
    if factor.kind == "any":
        items = value if isinstance(value, tuple | list) and 0 < len(value) <= LONGEST_LIST else None
        return _is_plain(value) if items is None else all(_is_number(each, whole=False) for each in items)
    if factor.kind in ("widths", "numbers"):
        return _is_legal_list(factor, value)
    return _is_number(value, whole=factor.kind == "int") and _is_inside(factor, value)


def _is_legal_list(factor: Factor, value: object) -> bool:
    if not isinstance(value, tuple | list) or not 0 < len(value) <= LONGEST_LIST:
        return False
    whole = factor.kind == "widths"
    if not all(_is_number(each, whole=whole) and _is_inside(factor, each) for each in value):
        return False
    return whole or all(before <= after for before, after in itertools.pairwise(value))


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, bool | str) or _is_number(value, whole=False)


def _is_number(value: object, *, whole: bool) -> bool:
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        return False
    return math.isfinite(value)


def _is_inside(factor: Factor, value: object) -> bool:
    assert isinstance(value, int | float)
    above = value > factor.low if factor.open_low else value >= factor.low
    below = value < factor.high if factor.open_high else value <= factor.high
    return above and below


def _bounds(factor: Factor) -> str:
    parts = []
    if math.isfinite(factor.low):
        parts.append(("above " if factor.open_low else "of at least ") + f"{factor.low:g}")
    if math.isfinite(factor.high):
        parts.append(("below " if factor.open_high else "at most ") + f"{factor.high:g}")
    return " " + " and ".join(parts) if parts else ""


def _shown(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return repr(list(value))
    return repr(value)
