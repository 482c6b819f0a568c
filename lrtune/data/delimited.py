r"""From the bytes of a text file to a regular table of text: encoding, separator, header, lines.

Files of people come in four encodings and with four separators, have blank lines at the end, a lone inch mark in the
middle (``5" pipe``), names that occur twice, and lines with one field too many. What can be put right without
guessing is put right and noted; what cannot is refused with its line number. The fast reader behind
`lrtune.data.tables` then gets plain UTF-8 in which every line has the same number of fields.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lrtune.data.cells import Mask, Rows, number_or_none
from lrtune.errors import DataError

SEPARATORS = (",", ";", "\t", "|")
"""Tried in this order; the first of the equally good ones is taken."""

_SNIFFED_BYTES = 1 << 18
_SNIFFED_LINES = 200
_CHUNK = 1 << 23
_QUOTE, _NEWLINE = ord('"'), ord("\n")
_MAGIC = {
    b"PK\x03\x04": "is a zip archive (an Excel workbook?): save it as csv",
    b"\x1f\x8b": "is compressed with gzip: unpack it first",
    b"SQLite": "is an SQLite database: export the table as csv",
    b"%PDF": "is a PDF document, not a table",
    b"\x93NUMPY": "is one NumPy array without names: save it with np.savez(path, X=..., y=...)",
    b"\x80\x04\x95": "is a Python pickle, which can run code and is never loaded: save it as csv or parquet",
}


@dataclass(frozen=True, slots=True)
class DataOptions:
    """How to read a text file where looking at it is not enough.

    Parameters
    ----------
    separator
        One character, or `tab`; None finds it among comma, semicolon, tab and bar.
    decimal
        `"."` or `","`; None finds it.
    encoding
        Any encoding Python knows; None takes a byte order mark, else UTF-8, else Latin-1 (as Windows writes it).
    missing
        Further texts that mean "missing", such as `"unknown"` or `"-999"`.

    """

    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.separator is not None and len(_separator(self.separator)) != 1:
            raise DataError(f"the separator is one character or 'tab', not {self.separator!r}")
        if self.decimal not in (None, ".", ","):
            raise DataError(f"the decimal sign is '.' or ',', not {self.decimal!r}")


class Delimited(NamedTuple):
    """A regular table of text: `body` is UTF-8 without the header, all lines of `len(names)` fields."""

    body: bytes
    names: tuple[str, ...]
    separator: str
    quoted: bool
    notes: tuple[str, ...]


class _Records(NamedTuple):
    """Logical lines (a quoted field may span several): where they start and end, and how many fields they have."""

    starts: Rows
    ends: Rows
    fields: Rows


def parse(data: bytes, where: str, options: DataOptions) -> Delimited:
    """Make a text file regular; `where` is the file's name for messages.

    Raises
    ------
    DataError
        The file is empty, is no text, cannot be decoded, or a line (which is named) has too many or too few fields.

    """
    data, notes = _decoded(data, where, options.encoding)
    data = data.replace(b"\r\n", b"\n") if b"\n" in data else data.replace(b"\r", b"\n")
    body = data.rstrip(b"\n\x1a") + b"\n"
    if not body.strip():
        raise DataError(f"{where}: the file is empty")
    start = len(body) - len(body.lstrip(b"\n "))
    first_line, body = 1 + body.count(b"\n", 0, start), body[start:]
    separator = _separator(options.separator) if options.separator else _sniff(body)
    records = _records(body, separator)
    if records is None:
        body = _requoted(body, separator, where, first_line)
        records = _records(body, separator)
        assert records is not None
    blank = _checked(body, records, separator, where, first_line)
    header = body[: records.ends[0]].decode()
    body = _without(body, records, blank)[records.ends[0] + 1 :]
    try:
        written = next(_reader([header], separator))
    except csv.Error:  # a lone carriage return among line feeds, or a field beyond all bounds
        raise DataError(
            f"{where}:{first_line}: the header cannot be read; does the file mix kinds of line ends?"
        ) from None
    names, repaired = _names(written, where)
    return Delimited(body, names, separator, b'"' in body, (*notes, *repaired))


def repair_names(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give every column a name of its own: `column_3` for an empty third one, `age_2` for the second `age`; and notes.

    >>> repair_names(["age", "", "age"])[0]
    ('age', 'column_2', 'age_2')
    """
    given, taken, notes = set(names), set[str](), []
    repaired = []
    for position, name in enumerate(names, start=1):
        fresh = name
        if not name:
            fresh = _free(f"column_{position}", given | taken)
            notes.append(f"column {position} has no name and is called '{fresh}'")
        elif name in taken:
            fresh = _free(f"{name}_{1 + list(names[: position - 1]).count(name)}", given | taken)
            notes.append(f"'{name}' occurs twice: column {position} is called '{fresh}'")
        taken.add(fresh)
        repaired.append(fresh)
    return tuple(repaired), tuple(notes)


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _separator(name: str) -> str:
    return "\t" if name in {"tab", "\\t"} else name


def _decoded(data: bytes, where: str, encoding: str | None) -> tuple[bytes, tuple[str, ...]]:
    """Decode to UTF-8 without a byte order mark."""
    for magic, what in _MAGIC.items():
        if data.startswith(magic):
            raise DataError(f"{where} {what}")
    if encoding is not None:
        return _decoded_as(data, where, encoding), ()
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decoded_as(data, where, "utf-16"), ()
    data = data.removeprefix(codecs.BOM_UTF8)
    if b"\0" in data[:_SNIFFED_BYTES]:
        raise DataError(f"{where} is not a table: it holds binary data; csv, tsv, parquet and npz can be read")
    try:
        data.decode()
    except UnicodeDecodeError:
        return _latin(data, where)
    return data, ()


def _decoded_as(data: bytes, where: str, encoding: str) -> bytes:
    try:
        return data.decode(encoding).removeprefix("\ufeff").encode()
    except LookupError:
        raise DataError(
            f"{where}: unknown encoding {encoding!r}; usual ones are 'utf-8', 'latin-1', 'utf-16'"
        ) from None
    except UnicodeError as error:
        raise DataError(f"{where} cannot be read as {encoding}: {error}") from None


def _latin(data: bytes, where: str) -> tuple[bytes, tuple[str, ...]]:
    """Read as Windows-1252, which is Latin-1 with printable characters where Latin-1 has control characters."""
    head = np.frombuffer(data[:_SNIFFED_BYTES], dtype=np.uint8)
    control = np.count_nonzero((head < 32) & ~np.isin(head, [9, 10, 13, 26]))
    if control > 0.01 * head.size:
        raise DataError(f"{where} is not a table: it holds binary data; csv, tsv, parquet and npz can be read")
    try:
        decoded = data.decode("cp1252")
    except UnicodeDecodeError:
        decoded = data.decode("latin-1")
    return decoded.encode(), (f"{where} is not UTF-8 and was read as Latin-1; set data.encoding if letters look wrong",)


def _reader(lines: Iterator[str] | Sequence[str] | io.StringIO, separator: str) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)


def _sniff(body: bytes) -> str:
    """Find the separator under which most lines have as many fields as the header; more fields win a tie."""
    head = body[:_SNIFFED_BYTES].decode(errors="ignore")
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


def _requoted(body: bytes, separator: str, where: str, first_line: int) -> bytes:
    """Write the table anew with regular quotes; the slow way, for files that need it."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\n")
    reader = csv.reader(io.StringIO(body.decode(), newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    fields = 0
    start = first_line
    try:
        for row in reader:
            if row and fields and len(row) != fields:
                raise DataError(_ragged(where, start, len(row), fields, separator))
            fields = fields or len(row)
            writer.writerow(row) if row else out.write("\n")
            start = first_line + reader.line_num
    except csv.Error as error:
        line = first_line + max(reader.line_num - 1, 0)
        raise DataError(
            f"{where}: a quote that opens on line {start} is not closed properly ({error}, line {line})"
        ) from None
    return out.getvalue().encode()


def _ragged(where: str, line: int, got: int, expected: int, separator: str) -> str:
    sign = "tab" if separator == "\t" else f"'{separator}'"
    return (
        f"{where}: line {line} has {got} field{'s' * (got != 1)} where the header has {expected} "
        f"(separator {sign}; a field that contains it must stand in double quotes)"
    )


def _checked(body: bytes, records: _Records, separator: str, where: str, first_line: int) -> Mask:
    """Refuse ragged lines; say which lines are blank, (records,)."""
    expected = int(records.fields[0])
    blank = np.zeros(records.fields.size, dtype=bool)
    for record in np.flatnonzero(records.fields != expected):
        start, end = int(records.starts[record]), int(records.ends[record])
        if body[start:end].strip():
            line = first_line + body.count(b"\n", 0, start)
            raise DataError(_ragged(where, line, int(records.fields[record]), expected, separator))
        blank[record] = True
    return blank


def _without(body: bytes, records: _Records, blank: Mask) -> bytes:
    if not blank.any():
        return body
    kept = np.ones(len(body), dtype=bool)
    for record in np.flatnonzero(blank):
        kept[records.starts[record] : records.ends[record] + 1] = False
    return np.frombuffer(body, dtype=np.uint8)[kept].tobytes()


def _names(header: Sequence[str], where: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    names = [name.strip() for name in header]
    if len(names) > 1 and all(number_or_none(name) is not None for name in names) and not _counted(names):
        raise DataError(
            f"{where}: the first line holds numbers ({', '.join(names[:3])}, ...) where column names are expected"
        )
    return repair_names(names)


def _counted(names: Sequence[str]) -> bool:
    """Whether the names are 0, 1, 2, ... as some programs number the columns of a table without names."""
    return all(name.isdecimal() for name in names) and len(set(names)) == len(names)
