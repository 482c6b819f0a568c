"""What stands around a table in a text file: a line that names the separator, titles, comments, footers.

Only the first is taken for what it is without being told, because nothing else looks like it. For the others there are
settings, and a line that does not fit is refused together with the setting that would help.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from lrtune.data.options import SEPARATORS, DataOptions
from lrtune.text.errors import DataError

_SEPARATOR = re.compile(rb'(?i:[ ]*"?sep=([^\n"])"?) *(?:\n|\Z)')
_MARKS = ("#", "%", "//", "!", "*")
"""What people begin comments with."""

_LINES, _BYTES = 200, 1 << 16  # of a file's beginning and of its end, by which surroundings are told from rows


class TablePart(NamedTuple):
    """The lines that are the table.

    Parameters
    ----------
    body
        UTF-8; every line is ended by a line feed.
    first
        Number of its first line in the file, counted from 1, if no line is left out.
    dropped
        Numbers of the lines that are left out behind the first line of the file that is looked at, ascending.
    separator
        What the file itself says about it, or None.

    """

    body: bytes
    first: int
    dropped: tuple[int, ...]
    separator: str | None

    def line(self, index: int) -> int:
        """Find the number in the file of line `index` of the body, counted from 0."""
        number = self.first + index
        for each in self.dropped:
            number += each <= number
        return number


def table_part(data: bytes, where: str, options: DataOptions) -> TablePart:
    """Leave out what is no part of the table, and the blank lines around it.

    Raises
    ------
    DataError
        Nothing is left.

    """
    named = _SEPARATOR.match(data)
    above = max(options.skip.head, int(named is not None))
    body = _without_last(_without_first(data, above).rstrip(b"\n\x1a"), options.skip.tail)
    body, dropped = (body, ()) if options.comment is None else _without_comments(body, options.comment, above + 1)
    blank = len(body) - len(body.lstrip(b"\n "))
    if blank == len(body):
        rest = " but for what data.skip and data.comment leave out" if data.strip(b"\n \x1a") else ""
        raise DataError(f"{where}: the file is empty{rest}")
    first = above + 1 + body.count(b"\n", 0, blank)
    return TablePart(body[blank:] + b"\n", first, dropped, named and named[1].decode(errors="replace"))


def _without_first(data: bytes, lines: int) -> bytes:
    start = 0
    for _ in range(lines):
        start = data.find(b"\n", start) + 1
        if not start:
            return b""
    return data[start:]


def _without_last(body: bytes, lines: int) -> bytes:
    end = len(body)
    while lines and end:
        lines, end = lines - 1, max(body.rfind(b"\n", 0, end), 0)
    return body[:end]


def _without_comments(body: bytes, mark: str, first: int) -> tuple[bytes, tuple[int, ...]]:
    pattern = re.compile(rb"^" + re.escape(mark.encode()) + rb".*\n?", re.MULTILINE)
    dropped, place, number = [], 0, first
    for each in pattern.finditer(body):
        number += body.count(b"\n", place, each.start())
        place = each.start()
        dropped.append(number)
    return pattern.sub(b"", body), tuple(dropped)


def proposal(part: TablePart, options: DataOptions, separator: str | None) -> str:
    """Propose the setting by which the lines that do not fit would be left out; empty if there is none.

    The lines that fit are those that have as many fields as most others; a proposal is made only if all others stand
    above them, below them, or begin like comments. `separator` is the one that is known without looking, or None.
    """
    lines = part.body[:_BYTES].decode(errors="ignore").split("\n")[:_LINES]
    ends = part.body[-_BYTES:].rstrip(b"\n").decode(errors="ignore").split("\n")[-_LINES:]
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
