"""Columns of a table that go along with its predictions as they are: text as a file spells it, else values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeAlias

from lrtune.data.cells import Numbers, Raw, Texts
from lrtune.text.errors import DataError, nearest

Value: TypeAlias = str | int | float | None
"""A cell; None is a missing one."""


class KeptColumn(NamedTuple):
    """A column that goes along: how many rows it has, and ``read(start, stop)``, which gives the cells of some."""

    rows: int
    read: Callable[[int, int], Sequence[Value]]


Kept: TypeAlias = Mapping[str, KeptColumn]
"""Columns by name."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def kept_names(asked: Sequence[str], names: Sequence[str], where: str) -> list[str]:
    """Find the columns that are asked for: by their names, or several names with commas between.

    Raises
    ------
    DataError
        If there is no such column.

    >>> kept_names(["id,name", "a,b", "id"], ["id", "name", "a,b"], "t.csv")
    ['id', 'name', 'a,b']
    """
    wanted = [name for each in asked for name in ([each] if each in names else each.split(","))]
    found = list(dict.fromkeys(name if name in names else name.strip() for name in wanted))
    for name in found:
        if name not in names:
            raise DataError(f"{where} has no column '{name}' to keep; {nearest(name, names, 'it has')}")
    return found


def values_of(raw: Raw) -> list[Value]:
    """Give the cells of a column that has a type: whole numbers, floats, texts, and dates as ISO 8601 writes them."""
    missing = raw.missing.tolist()
    if isinstance(raw, Texts):
        return [None if gone else raw.levels[code] for code, gone in zip(raw.codes.tolist(), missing, strict=True)]
    if isinstance(raw, Numbers):
        cast = int if raw.whole else float
        return [None if gone else cast(value) for value, gone in zip(raw.values.tolist(), missing, strict=True)]
    return [None if gone else _iso(day, clock=raw.clock) for day, gone in zip(raw.days.tolist(), missing, strict=True)]


def _iso(day: float, *, clock: bool) -> str:
    moment = (_EPOCH + timedelta(days=day)).replace(tzinfo=None)
    return moment.isoformat(timespec="seconds") if clock else moment.date().isoformat()
