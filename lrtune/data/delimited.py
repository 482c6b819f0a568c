r"""From the bytes of a text file to a regular table of text: encoding, separator, header, lines.

Files of people come in four encodings and with four separators, have blank lines at the end, a lone inch mark in the
middle (``5" pipe``), names that occur twice, and lines with one field too many. What can be put right without
guessing is put right and noted; what cannot is refused with its line number. The fast reader behind
`lrtune.data.tables` then gets plain UTF-8 in which every line has the same number of fields.
"""

from __future__ import annotations

import contextlib
import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, NamedTuple

from lrtune.data.decoding import decoded
from lrtune.data.numerals import number_or_none
from lrtune.data.options import SEPARATORS, DataOptions, sign
from lrtune.data.records import Survey, rows, survey, whole_lines
from lrtune.data.scratch import Spooled
from lrtune.data.surroundings import TablePart, proposal, table_part
from lrtune.text.errors import DataError, counted

_SNIFFED_LINES = 200
_WRITTEN = 1 << 20  # characters that are written at a time
_UNNAMED = "column_{}"
_SEVERAL = 10  # numbers that hardly stand in order by accident
_NOTES = 10  # on single names; wide tables have thousands of them


class Delimited(NamedTuple):
    """A regular table of text.

    Attributes
    ----------
    body
        UTF-8 without the header, all lines of `len(names)` fields, in pieces of whole lines; to be read once.
    rows
        How many lines it has.
    names, separator, notes
        Of the columns, of the fields, and what had to be decided.

    """

    body: Iterator[bytes]
    rows: int
    names: tuple[str, ...]
    separator: str
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


def parse(
    source: IO[bytes], where: str, options: DataOptions, layouts: Sequence[Sequence[str]] = (), piece: int = -1
) -> Delimited:
    """Make a text file regular.

    Parameters
    ----------
    source, where
        What holds the file, and its name for messages.
    options
        What is said about it; the rest is found.
    layouts
        Names of columns of which the first as many as there are fields are taken where the file has no header; without
        any, such columns are called `column_1`, `column_2`, ...
    piece
        So many bytes are read at a time; -1: all at once. The result does not depend on it.

    Raises
    ------
    DataError
        The file is empty, is no text, cannot be decoded, or a line (which is named) has too many or too few fields.

    """
    text = decoded(source, where, options.encoding, piece)
    part = table_part(text, where, options)
    known = options.separator or part.separator
    known = known and sign(known)
    file = _File(where, part, known or _sniff(part.head), known, options)
    body: Iterable[bytes] = part
    found = survey(body, file.separator)
    if found is None:
        body = Spooled(_requoted(file), piece)
        found = survey(body, file.separator)
        assert found is not None
    _check(found, file)
    if options.header is False:
        names = _positions(found.fields, where, layouts)
        return Delimited(rows(body, found, header=False), found.rows, names, file.separator, text.notes)
    names, repaired = _names(_header(found, file), file)
    notes = (*text.notes, *repaired)
    return Delimited(rows(body, found, header=True), found.rows - 1, names, file.separator, notes)


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


def _sniff(start: bytes) -> str:
    """Find the separator under which most lines have as many fields as the header; more fields win a tie."""
    lines = start.decode(errors="ignore").split("\n")[:_SNIFFED_LINES]

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


def _requoted(file: _File) -> Iterator[bytes]:
    """Write the table anew with regular quotes; the slow way, for files that need it."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=file.separator, lineterminator="\n")
    reader = csv.reader(_lines(file.part), delimiter=file.separator, skipinitialspace=True, strict=True)
    fields = start = 0
    try:
        for row in reader:
            if row and fields and len(row) != fields:
                raise file.ragged(start, len(row), fields)
            fields = fields or len(row)
            writer.writerow(row) if row else out.write("\n")
            start = reader.line_num
            if out.tell() > _WRITTEN:
                yield out.getvalue().encode()
                out.seek(0)
                out.truncate()
    except csv.Error as error:
        first, last = file.part.line(start), file.part.line(max(reader.line_num - 1, 0))
        raise DataError(
            f"{file.where}: a quote that opens on line {first} is not closed properly ({error}, line {last})"
        ) from None
    yield out.getvalue().encode()


def _lines(text: Iterable[bytes]) -> Iterator[str]:
    """Decode the lines of a text."""
    for each in whole_lines(text):
        yield from io.StringIO(each.decode(), newline="")


def _check(found: Survey, file: _File) -> None:
    """Refuse ragged lines."""
    if found.ragged is not None:
        raise file.ragged(found.ragged.line, found.ragged.fields, found.fields)
    if found.fields == 1 and file.known is None and (remedy := proposal(file.part, file.options, None)):
        raise DataError(f"{file.where}: line {file.part.line(0)} has 1 field where most lines have more; {remedy}")


def _header(found: Survey, file: _File) -> list[str]:
    line, names = found.first.decode(), list[str]()
    with contextlib.suppress(csv.Error):  # a lone carriage return among line feeds, or a field beyond all bounds
        names = next(csv.reader([line], delimiter=file.separator, skipinitialspace=True, strict=True))
    if len(names) != found.fields:
        place = f"{file.where}:{file.part.line(0)}"
        raise DataError(f"{place}: the header cannot be read; does the file mix kinds of line ends?")
    return [name.strip() for name in names]


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
