"""The rows of a table told apart by what stands in one of its columns, whatever it is for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np

from lrtune.arrays import Doubles, Rows
from lrtune.data.cells import Dates, Numbers, Texts
from lrtune.data.tables import Table
from lrtune.text import formats
from lrtune.text.errors import ModelError, nearest

MOST = 12
"""Different values that are told apart; of texts the others are put together, numbers are put into ranges."""

RANGES = 4
"""Ranges of numbers and dates, with about as many rows each."""

_FIRST = date(1970, 1, 1)


def values_of(table: Table, column: str) -> list[tuple[str, Rows]]:
    """Name the values of a column, and list the numbers of the rows that have them.

    Raises
    ------
    ModelError
        If there is no such column.

    """
    if column not in table.columns:
        raise ModelError(f"{table.source} has no column '{column}'; {nearest(column, table.names)}")
    raw = table.columns[column]
    missing = np.flatnonzero(raw.missing)
    parts = list(_texts(raw) if isinstance(raw, Texts) else _numbers(raw))
    return [*parts, *([("missing", missing)] if len(missing) else [])]


def _texts(raw: Texts) -> Iterator[tuple[str, Rows]]:
    """Give the most frequent first, and all that are not among them together."""
    order = np.argsort(-raw.counts, kind="stable")
    shown = order if len(order) <= MOST else order[: MOST - 1]
    for code in shown.tolist():
        yield raw.levels[code], np.flatnonzero(raw.codes == code)
    others = order[len(shown) :]
    if len(others):
        yield f"{len(others)} other values", np.flatnonzero(np.isin(raw.codes, others))


def _numbers(raw: Numbers | Dates) -> Iterator[tuple[str, Rows]]:
    values: Doubles = np.asarray(raw.values if isinstance(raw, Numbers) else raw.days, dtype=np.float64)
    there = values[~raw.missing]
    distinct = np.unique(there)
    if len(distinct) <= MOST:
        for value in distinct.tolist():
            yield _shown(raw, value), np.flatnonzero(values == value)
        return
    edges = np.unique(np.quantile(there, np.linspace(0.0, 1.0, RANGES + 1), method="inverted_cdf"))
    for place, (low, high) in enumerate(itertools.pairwise(edges.tolist())):
        above = values >= low if place == 0 else values > low
        rows = np.flatnonzero(above & (values <= high) & ~raw.missing)
        name = f"{_shown(raw, low)} to {_shown(raw, high)}"
        yield (name if place == 0 else f"over {name}"), rows


def _shown(raw: Numbers | Dates, value: float) -> str:
    return formats.number(value) if isinstance(raw, Numbers) else (_FIRST + timedelta(days=int(value))).isoformat()
