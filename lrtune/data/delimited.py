r"""From the bytes of a text file to a regular table of text: encoding, separator, header, lines.

Files of people come in four encodings and with four separators, have blank lines at the end, a lone inch mark in the
middle (``5" pipe``), names that occur twice, and lines with one field too many. What can be put right without
guessing is put right and noted; what cannot is refused with its line number. The fast reader behind
`lrtune.data.tables` then gets plain UTF-8 in which every line has the same number of fields.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lrtune.arrays import Rows
from lrtune.data.cells import Mask
from lrtune.data.decoding import SNIFFED_BYTES, decoded
from lrtune.data.numerals import number_or_none
from lrtune.data.options import SEPARATORS, DataOptions, sign
from lrtune.data.surroundings import TablePart, proposal, table_part
from lrtune.text.errors import DataError, counted

_SNIFFED_LINES = 200
_CHUNK = 1 << 23
_QUOTE, _NEWLINE = ord('"'), ord("\n")
_UNNAMED = "column_{}"
_SEVERAL = 10  # numbers that hardly stand in order by accident
_NOTES = 10  # on single names; wide tables have thousands of them


class Delimited(NamedTuple):
    """A regular table of text: `body` is UTF-8 without the header, all lines of `len(names)` fields."""

    body: bytes
    names: tuple[str, ...]
    separator: str
    quoted: bool
    notes: tuple[str, ...]


class _File(NamedTuple):
    """A text file: its name, its table, what separates the fields, whether that is known, and what is said of it."""

    where: str
    part: TablePart
    separator: str
    known: str | None
    options: DataOptions

    def ragged(self, index: int, got: int, expected: int) -> DataError:
        """Make the error about line `index` of the table, counted from 0."""
        separator = "tab" if self.separator == "\t" else f"'{self.separator}'"
        remedy = proposal(self.part, self.options, self.known)
        return DataError(
            f"{self.where}: line {self.part.line(index)} has {counted(got, 'field')} where the header has {expected} "
            f"(separator {separator}; a field that contains it must stand in double quotes)"
            + "; " * bool(remedy)
            + remedy
        )


class _Records(NamedTuple):
    """Logical lines (a quoted field may span several): where they start and end, and how many fields they have."""

    starts: Rows
    ends: Rows
    fields: Rows


def parse(data: bytes, where: str, options: DataOptions, layouts: Sequence[Sequence[str]] = ()) -> Delimited:
    """Make a text file regular.

    Parameters
    ----------
    data, where
        What the file holds, and its name for messages.
    options
        What is said about it; the rest is found.
    layouts
        Names of columns of which the first as many as there are fields are taken where the file has no header; without
        any, such columns are called `column_1`, `column_2`, ...

    Raises
    ------
    DataError
        The file is empty, is no text, cannot be decoded, or a line (which is named) has too many or too few fields.

    """
    data, notes = decoded(data, where, options.encoding)
    part = table_part(data, where, options)
    known = options.separator or part.separator
    known = known and sign(known)
    file = _File(where, part, known or _sniff(part.body), known, options)
    body = part.body
    records = _records(body, file.separator)
    if records is None:
        body = _requoted(body, file)
        records = _records(body, file.separator)
        assert records is not None
    blank = _checked(body, records, file)
    rows = _without(body, records, blank)
    if options.header is False:
        names = _positions(int(records.fields[0]), where, layouts)
        return Delimited(rows, names, file.separator, b'"' in rows, notes)
    names, repaired = _names(_header(body[: records.ends[0]].decode(), file), file)
    rows = rows[records.ends[0] + 1 :]
    return Delimited(rows, names, file.separator, b'"' in rows, (*notes, *repaired))


def repair_names(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give every column a name of its own: `column_3` for an empty third one, `age_2` for the second `age`; and notes.

    >>> repair_names(["age", "", "age"])[0]
    ('age', 'column_2', 'age_2')
    """
    reserved, seen, notes = set(names), Counter[str](), []
    repaired = []
    for position, name in enumerate(names, start=1):
        fresh = name
        if not name:
            fresh = _free(_UNNAMED.format(position), reserved)
            notes.append(f"column {position} has no name and is called '{fresh}'")
        elif seen[name]:
            fresh = _free(f"{name}_{1 + seen[name]}", reserved)
            notes.append(f"'{name}' occurs twice: column {position} is called '{fresh}'")
        seen[name] += 1
        reserved.add(fresh)
        repaired.append(fresh)
    more = [f"{counted(len(notes) - _NOTES, 'more column')} got a name likewise"] if len(notes) > _NOTES else []
    return tuple(repaired), (*notes[:_NOTES], *more)


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _sniff(body: bytes) -> str:
    """Find the separator under which most lines have as many fields as the header; more fields win a tie."""
    head = body[:SNIFFED_BYTES].decode(errors="ignore")
    lines = head.split("\n")[:_SNIFFED_LINES]

    def agreement(separator: str) -> tuple[float, int]:
        try:
            rows = [
                len(row)
                for row in csv.reader([line + "\n" for line in lines[:-1] or lines], delimiter=separator)
                if row
            ]
        except csv.Error:
            return 0.0, 0
        if rows[0] == 1:
            return 0.0, 0
        return sum(row == rows[0] for row in rows) / len(rows), rows[0]

    return max(SEPARATORS, key=agreement)


def _records(body: bytes, separator: str) -> _Records | None:
    """Find the logical lines and count their fields; None if quotes stand where the fast reader would stumble.

    A quote is regular if an opening one follows a separator or a line's start (or a closing one: a doubled quote),
    and a closing one is followed by a separator, a line's end, or a quote.
    """
    buffer = np.frombuffer(body, dtype=np.uint8)
    quotes = np.flatnonzero(buffer == _QUOTE)
    sign = ord(separator)
    if quotes.size and (quotes.size % 2 or not _regular(buffer, quotes, sign)):
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
    starts = np.concatenate([[0], ends[:-1] + 1])
    return _Records(starts, ends, np.diff(separators_until, prepend=0) + 1)


def _regular(buffer: np.ndarray[tuple[int], np.dtype[np.uint8]], quotes: Rows, separator: int) -> bool:
    opening, closing = quotes[::2], quotes[1::2]
    before = np.where(opening > 0, buffer[opening - 1], _NEWLINE)
    after = buffer[closing + 1]  # there is one: the body ends with a newline
    neighbours = [separator, _NEWLINE, _QUOTE]
    return bool(np.isin(before, neighbours).all() and np.isin(after, neighbours).all())


def _requoted(body: bytes, file: _File) -> bytes:
    """Write the table anew with regular quotes; the slow way, for files that need it."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=file.separator, lineterminator="\n")
    lines = io.StringIO(body.decode(), newline="")
    reader = csv.reader(lines, delimiter=file.separator, skipinitialspace=True, strict=True)
    fields = start = 0
    try:
        for row in reader:
            if row and fields and len(row) != fields:
                raise file.ragged(start, len(row), fields)
            fields = fields or len(row)
            writer.writerow(row) if row else out.write("\n")
            start = reader.line_num
    except csv.Error as error:
        first, last = file.part.line(start), file.part.line(max(reader.line_num - 1, 0))
        raise DataError(
            f"{file.where}: a quote that opens on line {first} is not closed properly ({error}, line {last})"
        ) from None
    return out.getvalue().encode()


def _checked(body: bytes, records: _Records, file: _File) -> Mask:
    """Refuse ragged lines; say which lines are blank, (records,)."""
    expected = int(records.fields[0])
    blank = np.zeros(records.fields.size, dtype=bool)
    for record in np.flatnonzero(records.fields != expected):
        start, end = int(records.starts[record]), int(records.ends[record])
        if body[start:end].strip():
            raise file.ragged(body.count(b"\n", 0, start), int(records.fields[record]), expected)
        blank[record] = True
    if expected == 1 and file.known is None and (remedy := proposal(file.part, file.options, None)):
        raise DataError(f"{file.where}: line {file.part.line(0)} has 1 field where most lines have more; {remedy}")
    return blank


def _without(body: bytes, records: _Records, blank: Mask) -> bytes:
    if not blank.any():
        return body
    kept = np.ones(len(body), dtype=bool)
    for record in np.flatnonzero(blank):
        kept[records.starts[record] : records.ends[record] + 1] = False
    return np.frombuffer(body, dtype=np.uint8)[kept].tobytes()


def _header(line: str, file: _File) -> list[str]:
    try:
        return [
            name.strip()
            for name in next(csv.reader([line], delimiter=file.separator, skipinitialspace=True, strict=True))
        ]
    except csv.Error:  # a lone carriage return among line feeds, or a field beyond all bounds
        place = f"{file.where}:{file.part.line(0)}"
        raise DataError(f"{place}: the header cannot be read; does the file mix kinds of line ends?") from None


def _names(names: Sequence[str], file: _File) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if file.options.header is None and _is_row(names):
        numbers = [name for name in names if number_or_none(name) is not None]
        raise DataError(
            f"{file.where}: the first line holds numbers ({', '.join(numbers[:3])}, ...) where column names are "
            "expected; if it is a row, set data.header: false (the columns are then called "
            f"{_UNNAMED.format(1)}, {_UNNAMED.format(2)}, ...), if they are names, data.header: true"
        )
    return repair_names(names)


def _is_row(names: Sequence[str]) -> bool:
    """Whether a header looks like a row of the table: it has several numbers, and they are in no order.

    Positions, years and wavelengths are in order, also if they were sorted as texts; falling numbers with fractions are
    an accident if they are few.
    """
    numbers = [(number, name) for name in names if (number := number_or_none(name)) is not None]
    values, texts = [number for number, _ in numbers], [name for _, name in numbers]
    whole = all(name.isdecimal() for name in texts)
    in_order = values == sorted(values) or texts == sorted(texts)
    falling = values == sorted(values, reverse=True) and (whole or len(values) > _SEVERAL)
    repeated = len(set(values)) < len(values)
    unnamed = len(values) == len(names) and not whole
    return len(values) > 1 and (repeated or unnamed or not (in_order or falling))


def _positions(fields: int, where: str, layouts: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Name the columns of a file without a header."""
    for names in layouts:
        if len(names) == fields:
            return tuple(names)
    if layouts:
        wanted = " or ".join(str(len(names)) for names in layouts)
        raise DataError(
            f"{where} has {counted(fields, 'field')} in a line where {wanted} are expected, without a header"
        )
    return tuple(_UNNAMED.format(position) for position in range(1, fields + 1))
