"""The columns of a table that is too large for the memory: one is there as long as somebody looks at it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import numpy as np

from lrtune.arrays import Array
from lrtune.data.cells import Numbers, Raw, Texts, sliced, with_used_levels
from lrtune.data.scratch import Scratch, Span

Column = TypeVar("Column")


class _Stored(NamedTuple):
    """A column without its cells, and where these, and the levels of texts, lie."""

    raw: Raw
    cells: Span
    levels: Span


class _Named(Mapping[str, Column]):
    """Columns whose names, ``_columns``, are known without reading or making one."""

    _columns: Mapping[str, Any]

    def __contains__(self, name: object) -> bool:
        """Tell whether there is such a column."""
        return name in self._columns

    def __iter__(self) -> Iterator[str]:
        """Give the names."""
        return iter(self._columns)

    def __len__(self) -> int:
        """Count the columns."""
        return len(self._columns)


class StoredColumns(_Named[Raw], MutableMapping[str, Raw]):
    """Raw columns in a temporary file, which is gone with them."""

    def __init__(self) -> None:
        self._scratch = Scratch()
        self._columns: dict[str, _Stored] = {}

    def __setitem__(self, name: str, raw: Raw) -> None:
        """Store a column, in the place of the one of that name."""
        levels = self._scratch.put(json.dumps(raw.levels).encode() if isinstance(raw, Texts) else b"")
        self._columns[name] = _Stored(_with_cells(raw, np.empty(0), ()), self._scratch.put(_cells(raw)), levels)

    def __getitem__(self, name: str) -> Raw:
        """Read a column."""
        return self.part(name)

    def part(self, name: str, start: int = 0, stop: int | None = None) -> Raw:
        """Read some rows of a column, as `lrtune.data.cells.sliced` takes them."""
        stored = self._columns[name]
        raw, (first, size) = stored.raw, stored.cells
        dtype = np.dtype(np.int32 if isinstance(raw, Texts) else np.float64)
        end = size if stop is None else min(size, stop * dtype.itemsize)
        cells = self._scratch.array(Span(first + start * dtype.itemsize, end - start * dtype.itemsize), dtype)
        if not isinstance(raw, Texts):
            return _with_cells(raw, cells, ())
        levels = tuple(json.loads(self._scratch.get(stored.levels)))
        return Texts(cells, levels) if cells.nbytes == size else with_used_levels(cells, levels)

    def arrange(self, names: Iterable[str]) -> None:
        """Put the columns into the order of their names."""
        self._columns = {name: self._columns[name] for name in names}

    def __delitem__(self, name: str) -> None:
        """Forget a column."""
        del self._columns[name]


class LazyColumns(_Named[Column]):
    """Columns of which each is made when it is looked at, and at each time.

    Parameters
    ----------
    names
        Of the columns, in their order.
    read
        Makes one.

    """

    def __init__(self, names: Iterable[str], read: Callable[[str], Column]) -> None:
        self._columns, self._read = dict.fromkeys(names), read

    def __getitem__(self, name: str) -> Column:
        """Make a column."""
        if name not in self._columns:
            raise KeyError(name)
        return self._read(name)


def some_rows(columns: Mapping[str, Raw], start: int, stop: int) -> Mapping[str, Raw]:
    """Take some rows of all columns, of each when it is looked at."""
    return LazyColumns(columns, lambda name: part(columns, name, start, stop))


def part(columns: Mapping[str, Raw], name: str, start: int, stop: int) -> Raw:
    """Take some rows of one of many columns, without reading the others where they are stored."""
    if isinstance(columns, StoredColumns):
        return columns.part(name, start, stop)
    return sliced(columns[name], start, stop)


def room_for(*, large: bool) -> MutableMapping[str, Raw]:
    """Make a place for columns, to be set one by one: in memory, or in a file if they are large."""
    return StoredColumns() if large else {}


def arranged(columns: MutableMapping[str, Raw], names: Iterable[str]) -> Mapping[str, Raw]:
    """Put columns into the order of their names."""
    if not isinstance(columns, StoredColumns):
        return {name: columns[name] for name in names}
    columns.arrange(names)
    return columns


def _cells(raw: Raw) -> Array:
    if isinstance(raw, Texts):
        return raw.codes
    return raw.values if isinstance(raw, Numbers) else raw.days


def _with_cells(raw: Raw, cells: Array, levels: tuple[str, ...]) -> Raw:
    """Make a column like another one, of other cells; it holds nothing of the other's."""
    if isinstance(raw, Texts):
        return Texts(cells, levels)
    return replace(raw, values=cells) if isinstance(raw, Numbers) else replace(raw, days=cells)
