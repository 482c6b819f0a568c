"""Runs of neighbouring configurations that ask for the same thing: the others are not touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, TypeAlias

import numpy as np

from lrtune.arrays import Array
from lrtune.training.declarations import Configuration, Value, number

Run: TypeAlias = tuple[slice, Array]
"""Neighbouring configurations, with one number for each of them."""


def amount(value: Value) -> float:
    """Read how much a configuration asks for; null and 0 are nothing."""
    return 0.0 if value is None else number(value)


def shaped(amounts: Array, lanes: slice, shape: Array | None) -> Array:
    """Multiply amounts ``(C, 1, 1)`` of neighbours by what a shape over time ``(all C, k, 1)`` has for them now."""
    return amounts if shape is None else amounts * shape[lanes]


def runs(
    configurations: Sequence[Configuration], asked: Callable[[Configuration], float], dtype: np.dtype[Any]
) -> list[Run]:
    """Find neighbouring configurations with a positive amount, with their amounts ``(C, 1, 1)``."""
    return [
        (lanes, column([asked(each) for each in configurations[lanes]], dtype))
        for lanes in _neighbours([asked(each) > 0.0 for each in configurations])
    ]


def _neighbours(wanted: Sequence[bool]) -> Iterator[slice]:
    start = 0
    for value, members in groupby(wanted):
        stop = start + sum(1 for _ in members)
        if value:
            yield slice(start, stop)
        start = stop


def column(values: Sequence[Any], dtype: np.dtype[Any]) -> Array:
    """Stack one number ``(C, 1, 1)`` for each configuration."""
    return np.array([amount(value) for value in values], dtype).reshape(-1, 1, 1)
