"""The cells of a text file, by column, as they stand there: in memory, or in a temporary file if they are many."""

from __future__ import annotations

import functools
import io
import itertools
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from lrtune.data.delimited import Delimited
from lrtune.data.kept import KeptColumn, Value
from lrtune.data.scratch import Scratch, Span

if TYPE_CHECKING:
    import polars as pl

_GROUPS = 64  # parts of the columns that lie side by side: one column each, unless there are more


class TextCells:
    """Columns of texts, of which some at a time are in memory.

    Parameters
    ----------
    text
        A regular table of text; it is read to its end.
    large
        Whether it is too large to be in memory at once.

    """

    def __init__(self, text: Delimited, *, large: bool) -> None:
        self.names = text.names
        self._rows = text.rows
        if large:
            self._groups: list[_Group] = _spooled(text)
        else:
            self._groups = [_InMemory(_read(b"".join(text.body), text))]

    def frames(self, names: Collection[str] | None = None) -> Iterator[pl.DataFrame]:
        """Give all columns, or those of some names, in their order, in one frame or in several."""
        import polars as pl

        asked = set(self.names if names is None else names)
        for group in self._groups:
            wanted = [name for name in group.names if name in asked]
            if wanted:
                frame = group.frame()
                yield frame if len(wanted) == len(group.names) else pl.DataFrame([frame[name] for name in wanted])

    def kept(self, name: str) -> KeptColumn:
        """Give a column as it stands."""
        (group,) = (each for each in self._groups if name in each.names)
        return KeptColumn(self._rows, functools.partial(group.cells, name))


class _InMemory:
    """A frame."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame
        self.names = frame.columns

    def frame(self) -> pl.DataFrame:
        return self._frame

    def cells(self, name: str, start: int, stop: int) -> list[Value]:
        return self._frame[name][start:stop].to_list()


class _InFile:
    """Columns in a temporary file, as pieces of a frame."""

    def __init__(self, names: Sequence[str], scratch: Scratch) -> None:
        self.names = list(names)
        self._scratch = scratch
        self._places: list[Span] = []
        self._starts = [0]

    def add(self, frame: pl.DataFrame) -> None:
        content = io.BytesIO()
        frame.write_parquet(content, compression="lz4", statistics=False)
        self._places.append(self._scratch.put(content.getvalue()))
        self._starts.append(self._starts[-1] + frame.height)

    def frame(self) -> pl.DataFrame:
        import polars as pl

        return pl.concat([self._piece(place) for place in self._places])

    def cells(self, name: str, start: int, stop: int) -> list[Value]:
        found: list[Value] = []
        for place, (first, end) in zip(self._places, itertools.pairwise(self._starts), strict=True):
            if first < stop and start < end:
                found += self._piece(place)[name][max(start - first, 0) : stop - first].to_list()
        return found

    def _piece(self, place: Span) -> pl.DataFrame:
        import polars as pl

        return pl.read_parquet(io.BytesIO(self._scratch.get(place)))


_Group = _InMemory | _InFile


def _spooled(text: Delimited) -> list[_Group]:
    """Read a table piece by piece into a temporary file."""
    import polars as pl

    scratch = Scratch()
    width = -(-len(text.names) // _GROUPS)
    groups = [_InFile(text.names[start : start + width], scratch) for start in range(0, len(text.names), width)]
    for piece in text.body:
        frame = _read(piece, text)
        for group in groups:
            group.add(pl.DataFrame([frame[name] for name in group.names]))
    return [*groups]


def _read(piece: bytes, text: Delimited) -> pl.DataFrame:
    """Read whole lines."""
    import polars as pl

    return pl.read_csv(
        piece,
        has_header=False,
        new_columns=list(text.names),
        separator=text.separator,
        quote_char='"' if b'"' in piece else None,
        infer_schema=False,
    )
