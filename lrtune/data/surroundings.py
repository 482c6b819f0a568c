"""What stands around a table in a text file: a line that names the separator, titles, comments, footers.

Only the first is taken for what it is without being told, because nothing else looks like it. For the others there are
settings, and a line that does not fit is refused together with the setting that would help.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from lrtune.data.decoding import SNIFFED_BYTES
from lrtune.data.options import SEPARATORS, DataOptions
from lrtune.data.records import whole_lines
from lrtune.text.errors import DataError

_SEPARATOR = re.compile(rb'(?i:[ ]*"?sep=([^\n"])"?) *(?:\n|\Z)')
_MARKS = ("#", "%", "//", "!", "*")
"""What people begin comments with."""

_LINES, _BYTES = 200, 1 << 16  # of a file's beginning and of its end, by which surroundings are told from rows
_BLANK, _END, _NOTHING = b"\n ", b"\n\x1a", b"\n \x1a"


@dataclass(frozen=True, slots=True, eq=False)
class TablePart:
    """The lines that are the table: UTF-8, every line ended by a line feed.

    To iterate is to read them from the first one, in pieces of any length.

    Parameters
    ----------
    text
        What they are taken from: bytes in pieces, and again at each time.
    options
        What is said about it.
    above
        Lines of the text that are left out before anything is looked at.
    head
        The first `SNIFFED_BYTES` of the lines.
    first
        Number of the first one in the file, counted from 1, if no line is left out.
    dropped
        Numbers of the lines that are left out behind the first line of the file that is looked at, ascending.
    separator
        What the file itself says about it, or None.

    """

    text: Iterable[bytes]
    options: DataOptions
    above: int
    head: bytes = b""
    first: int = 1
    dropped: tuple[int, ...] = ()
    separator: str | None = None

    def __iter__(self) -> Iterator[bytes]:
        """Read the lines, piece by piece."""
        begun = False
        for each, _ in self.uncommented():
            piece = each if begun else each.lstrip(_BLANK)
            begun = begun or bool(piece)
            yield piece
        yield b"\n"

    def uncommented(self) -> Iterator[tuple[bytes, list[int]]]:
        """Give the lines and those blank ones above them, and the numbers of comments left out in between."""
        body = _without_last(_without_first(self.text, self.above), self.options.skip.tail)
        mark = self.options.comment
        return ((each, []) for each in body) if mark is None else _without_comments(body, mark, self.above + 1)

    def line(self, index: int) -> int:
        """Find the number in the file of line `index` of the table, counted from 0."""
        number = self.first + index
        for each in self.dropped:
            number += each <= number
        return number

    def end(self) -> bytes:
        """Read the last bytes of the lines."""
        last = b""
        for each in self:
            last = (last + each)[-_BYTES:]
        return last


def table_part(text: Iterable[bytes], where: str, options: DataOptions) -> TablePart:
    """Leave out what is no part of the table, and the blank lines around it.

    Raises
    ------
    DataError
        Nothing is left.

    """
    named = _SEPARATOR.match(_first(text, _BYTES))
    part = TablePart(text, options, max(options.skip.head, int(named is not None)))
    blank, dropped, begun = 0, list[int](), False
    for each, comments in part.uncommented():
        blank += 0 if begun else each.count(b"\n", 0, len(each) - len(each.lstrip(_BLANK)))
        begun = begun or bool(each.strip(_BLANK))
        dropped += comments
        if begun and options.comment is None:
            break
    if not begun:
        has_lines = any(each.strip(_NOTHING) for each in text)
        rest = " but for what data.skip and data.comment leave out" if has_lines else ""
        raise DataError(f"{where}: the file is empty{rest}")
    return replace(
        part,
        head=_first(part, SNIFFED_BYTES),
        first=part.above + 1 + blank,
        dropped=tuple(dropped),
        separator=named and named[1].decode(errors="replace"),
    )


def _first(text: Iterable[bytes], size: int) -> bytes:
    """Read the first bytes of a text."""
    first = b""
    for each in text:
        first += each[: size - len(first)]
        if len(first) == size:
            break
    return first


def _without_first(text: Iterable[bytes], lines: int) -> Iterator[bytes]:
    for each in text:
        start = 0
        while lines and start < len(each):
            end = each.find(b"\n", start) + 1
            start, lines = end or len(each), lines - bool(end)
        yield each[start:]


def _without_last(text: Iterable[bytes], lines: int) -> Iterator[bytes]:
    """Leave out the last lines: what would not be left if the text ended here is held back until more is known."""
    held = b""
    for each in text:
        held += each
        end, left = len(held.rstrip(_END)), lines
        while left and end:
            left, end = left - 1, max(held.rfind(b"\n", 0, end), 0)
        yield held[:end]
        held = held[end:]


def _without_comments(text: Iterable[bytes], mark: str, first: int) -> Iterator[tuple[bytes, list[int]]]:
    """Leave out lines that begin with a mark; and give their numbers, by that of the first line."""
    pattern = re.compile(rb"^" + re.escape(mark.encode()) + rb".*\n?", re.MULTILINE)
    number = first
    for each in whole_lines(text):
        dropped, place = [], 0
        for found in pattern.finditer(each):
            number += each.count(b"\n", place, found.start())
            place = found.start()
            dropped.append(number)
        number += each.count(b"\n", place)
        yield pattern.sub(b"", each), dropped


def proposal(part: TablePart, options: DataOptions, separator: str | None) -> str:
    """Propose the setting by which the lines that do not fit would be left out; empty if there is none.

    The lines that fit are those that have as many fields as most others; a proposal is made only if all others stand
    above them, below them, or begin like comments. `separator` is the one that is known without looking, or None.
    """
    lines = part.head[:_BYTES].decode(errors="ignore").split("\n")[:_LINES]
    ends = part.end().rstrip(b"\n").decode(errors="ignore").split("\n")[-_LINES:]
    separator, usual = _usual(lines, (separator,) if separator else SEPARATORS)
    odd = [[line for line in each if line.strip() and _fields(line, separator) != usual] for each in (lines, ends)]
    every = odd[0] + odd[1]
    if usual < 2 or not every:
        return ""
    mark = next((mark for mark in _MARKS if all(line.startswith(mark) for line in every)), None)
    if mark is not None:
        return f"if lines that begin with '{mark}' are comments, set data.comment: {json.dumps(mark)}"
    above, below = _leading(lines, separator, usual), _leading(ends[::-1], separator, usual)
    around = {*lines[:above], *ends[len(ends) - below :]}
    return _skipping(above and part.line(above) - 1, below + options.skip.tail) if around.issuperset(every) else ""


def _usual(lines: Sequence[str], separators: Sequence[str]) -> tuple[str, int]:
    """Find the separator under which most lines have the same number of fields, and that number; 0 if few have."""
    found = []
    for separator in separators:
        counts = Counter(number for line in lines if (number := _fields(line, separator)) > 1)
        number, times = max(counts.items(), key=lambda each: each[::-1], default=(0, 0))
        found.append((times, number, separator))
    times, number, separator = max(found, key=lambda each: each[0])
    return separator, number if times > 1 and 3 * times >= sum(map(bool, lines)) else 0


def _fields(line: str, separator: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=separator, skipinitialspace=True), []))
    except csv.Error:
        return 0


def _leading(lines: Sequence[str], separator: str, usual: int) -> int:
    """Count the lines before the first one that fits."""
    return next((index for index, line in enumerate(lines) if _fields(line, separator) == usual), len(lines))


def _skipping(head: int, tail: int) -> str:
    """Propose to skip lines.

    >>> _skipping(3, 0)
    'if the first 3 lines are no part of the table, set data.skip: 3'
    """
    first = f"the first {_some_lines(head)}" if head else ""
    last = f"the last {_some_lines(tail)}" if tail else ""
    setting = f"{{head: {head}, tail: {tail}}}" if head and tail else f"{{tail: {tail}}}" if tail else f"{head}"
    verb = "is" if head + tail == 1 else "are"
    return f"if {' and '.join(filter(None, (first, last)))} {verb} no part of the table, set data.skip: {setting}"


def _some_lines(number: int) -> str:
    return "line" if number == 1 else f"{number} lines"
