"""Large tables as arrays, kept once: numbers in float32 where that loses nothing that matters, categories in a byte.

A column is kept in float32 where that moves no cell by more than a millionth of the column's interquartile range, and
in float64 otherwise: seconds since 1970 in float32 would move in steps of 128. The arrays lie in files that folds,
blocks, worker processes and the final training map.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from lrtune.arrays import Floats
from lrtune.data.cells import Codes
from lrtune.data.mapped import allocated, shared
from lrtune.training.encoded import MixedNumbers, Numeric

LARGE = 2**26
"""Bytes of a table's numbers and codes from which on it is kept compact; a smaller one is kept as it was read."""

TOLERANCE = 1e-6
"""Interquartile ranges by which a cell may move."""

_CODE = "int8"  # of at most `lrtune.data.schema.MAX_LEVELS` levels


class Maker(Protocol):
    """Takes the columns of a table one by one."""

    codes: Codes

    @property
    def numeric(self) -> Numeric:
        """All columns of numbers."""

    def put(self, place: int, values: Floats) -> None:
        """Take a column of numbers."""


class InMemory:
    """Keeps numbers as they are."""

    def __init__(self, rows: int, numbers: int, categories: int) -> None:
        self.numeric: Numeric = shared((rows, numbers), "float64")
        self.codes: Codes = shared((rows, categories), "int32")

    def put(self, place: int, values: Floats) -> None:
        """Take a column of numbers."""
        self.numeric[:, place] = values  # type: ignore[index]


class Compact:
    """Keeps numbers as narrow as each column may be; ``is_narrow`` says which are in float32."""

    def __init__(self, rows: int, is_narrow: Sequence[bool], categories: int) -> None:
        flags = np.array(is_narrow, dtype=bool)
        singles = int(flags.sum())
        places = np.where(flags, np.cumsum(flags) - 1, singles + np.cumsum(~flags) - 1).astype(np.int64)
        parts = (allocated((rows, singles), "float32"), allocated((rows, len(flags) - singles), "float64"))
        self.numeric = MixedNumbers(*parts, places)
        self.codes: Codes = allocated((rows, categories), _CODE)

    def put(self, place: int, values: Floats) -> None:
        """Take a column of numbers."""
        self.numeric.view(place)[:] = values


def is_large(rows: int, numbers: int, categories: int) -> bool:
    """Tell whether a table is to be kept compact."""
    return rows * (8 * numbers + 4 * categories) > LARGE


def narrow(columns: Iterable[Floats]) -> list[bool]:
    """Tell of each column (N,) whether float32 keeps it."""
    return [_is_narrow(each) for each in columns]


def _is_narrow(values: Floats) -> bool:
    present = values[~np.isnan(values)]
    if not present.size:
        return True
    with np.errstate(over="ignore"):
        moved = np.abs(present - present.astype(np.float32)).max()
    low, high = np.quantile(present, (0.25, 0.75))
    return bool(moved <= TOLERANCE * (high - low))


def stacked(first: Numeric, second: Numeric) -> Numeric:
    """Put the rows of a second table below those of a first, which are kept as they are."""
    if not isinstance(first, MixedNumbers):
        return np.concatenate([first, second[:]])
    rows = len(first) + len(second)
    singles, doubles = (allocated((rows, each.shape[1]), each.dtype.name) for each in (first.singles, first.doubles))
    singles[: len(first)], doubles[: len(first)] = first.singles, first.doubles
    found = MixedNumbers(singles, doubles, first.places)
    for place in range(first.shape[1]):
        found.view(place)[len(first) :] = column_of(second, place)
    return found


def column_of(numeric: Numeric, place: int) -> Floats:
    """Get a column of numbers (N,)."""
    if isinstance(numeric, MixedNumbers):
        return numeric.column(place)
    return numeric[:, place]
