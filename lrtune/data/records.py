"""The lines of a table of text, where a quoted field may span several of them: found piece by piece.

A piece is cut behind the last line that ends outside of quotes, so that no field is ever torn apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lrtune.arrays import Rows

_CHUNK = 1 << 23
_QUOTE, _NEWLINE = ord('"'), ord("\n")


class Piece(NamedTuple):
    """What of a piece of text are rows: so many bytes, but for lines that are left out, from each start to its end."""

    length: int
    starts: Rows
    ends: Rows


class Ragged(NamedTuple):
    """A line, counted from 0, that has another number of fields than the first."""

    line: int
    fields: int


class Survey(NamedTuple):
    """What there is in a table of text.

    Attributes
    ----------
    first
        The first line, which may be the header.
    fields
        How many it has.
    rows
        How many lines there are that are not blank, the first one included.
    pieces
        One for each piece of the text.
    ragged
        The first line that has another number of fields and is not blank, or None.

    """

    first: bytes
    fields: int
    rows: int
    pieces: tuple[Piece, ...]
    ragged: Ragged | None


class _Records(NamedTuple):
    """Logical lines (a quoted field may span several): where they start and end, and how many fields they have."""

    starts: Rows
    ends: Rows
    fields: Rows


def whole_lines(text: Iterable[bytes]) -> Iterator[bytes]:
    """Cut a text behind ends of lines; only the last line may have none."""
    held = b""
    for each in text:
        whole = held + each
        end = whole.rfind(b"\n") + 1
        held = whole[end:]
        yield whole[:end]
    yield held


def survey(text: Iterable[bytes], separator: str) -> Survey | None:
    """Look at all lines of a text that ends with a line feed; None if its quotes stand where the fast reader stumbles.

    A quote is regular if an opening one follows a separator or a line's start (or a closing one: a doubled quote),
    and a closing one is followed by a separator, a line's end, or a quote.
    """
    pieces: list[Piece] = []
    first, fields, rows, lines, ragged = b"", 0, 0, 0, None
    for whole, found in _complete(text, separator):
        if found is None:
            return None
        if found.ends.size and not fields:
            first, fields = whole[: found.ends[0]], int(found.fields[0])
        blank = []
        for each in np.flatnonzero(found.fields != fields).tolist() if ragged is None else ():
            if whole[found.starts[each] : found.ends[each]].strip():
                ragged = Ragged(lines + whole.count(b"\n", 0, int(found.starts[each])), int(found.fields[each]))
                break
            blank.append(each)
        length = int(found.ends[-1]) + 1 if found.ends.size else 0
        pieces.append(Piece(length, found.starts[blank], found.ends[blank] + 1))
        rows += found.ends.size - len(blank)
        lines += whole.count(b"\n", 0, length)
    return Survey(first, fields, rows, tuple(pieces), ragged)


def rows(text: Iterable[bytes], found: Survey, *, header: bool) -> Iterator[bytes]:
    """Give the rows of a text that was surveyed, in pieces of whole lines, without blank ones and without a header."""
    held, above = b"", len(found.first) + 1 if header else 0
    for each, piece in zip(text, found.pieces, strict=True):
        whole = held + each
        held = whole[piece.length :]
        starts, ends = piece.starts, piece.ends
        if above and piece.length:
            starts, ends, above = np.concatenate([[0], starts]), np.concatenate([[above], ends]), 0
        if kept := _without(whole[: piece.length], starts, ends):
            yield kept


def _without(piece: bytes, starts: Rows, ends: Rows) -> bytes:
    if len(starts) == 0:
        return piece
    if len(starts) == 1 and starts[0] == 0:
        return piece[ends[0] :]
    kept = np.ones(len(piece), dtype=bool)
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        kept[start:end] = False
    return np.frombuffer(piece, dtype=np.uint8)[kept].tobytes()


def _complete(text: Iterable[bytes], separator: str) -> Iterator[tuple[bytes, _Records | None]]:
    """Give each piece behind what was left of the one before, and its complete records; None at a quote in a field."""
    held = b""
    for each in text:
        whole = held + each
        found = _records(whole, ord(separator))
        yield whole, found
        if found is None:
            return
        held = whole[found.ends[-1] + 1 if found.ends.size else 0 :]
    if held:  # a quote is open
        yield held, None


def _records(body: bytes, sign: int) -> _Records | None:
    """Find the lines that end in a text that begins with a line; None if a quote is not regular."""
    buffer = np.frombuffer(body, dtype=np.uint8)
    quotes = np.flatnonzero(buffer == _QUOTE)
    if quotes.size and not _regular(buffer, quotes, sign):
        return None
    newlines = np.flatnonzero(buffer == _NEWLINE)
    ends = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
    separators_until = np.empty(ends.size, dtype=np.int64)
    done = 0
    for start in range(0, buffer.size, _CHUNK):
        found = start + np.flatnonzero(buffer[start : start + _CHUNK] == sign)
        found = found[np.searchsorted(quotes, found) % 2 == 0]
        here = slice(np.searchsorted(ends, start), np.searchsorted(ends, start + _CHUNK))
        separators_until[here] = done + np.searchsorted(found, ends[here])
        done += found.size
    starts = np.concatenate([[0], ends + 1])[: ends.size]
    return _Records(starts, ends, np.diff(separators_until, prepend=0) + 1)


def _regular(buffer: npt.NDArray[np.uint8], quotes: Rows, separator: int) -> bool:
    """Tell whether quotes are regular; one that closes at the end of the text is looked at with what follows."""
    opening, closing = quotes[::2], quotes[1::2]
    before = np.where(opening > 0, buffer[opening - 1], _NEWLINE)
    after = buffer[closing[closing + 1 < buffer.size] + 1]
    neighbours = [separator, _NEWLINE, _QUOTE]
    return bool(np.isin(before, neighbours).all() and np.isin(after, neighbours).all())
