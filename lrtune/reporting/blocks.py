"""What a page is made of, as plain values; how they look is the business of `lrtune.reporting.console`."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import NamedTuple

WIDTH = 100
"""Columns of a page; a narrower terminal wraps more."""

_GAP = 2

_READABLE = 24
"""In a narrower last column of a table the words stand below each other."""


class Headline(NamedTuple):
    """The one sentence to remember."""

    text: str


class Facts(NamedTuple):
    """Names and what belongs to them, under a title (which may be empty)."""

    title: str
    rows: Sequence[tuple[str, str]]


class Grid(NamedTuple):
    """A table; the last column is text and wrapped, the others are numbers but for those whose places `left` lists."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: Sequence[int] = ()


class Words(NamedTuple):
    """Paths and commands, to be copied: broken between words only, a command so that a shell goes on with it.

    Rows are labels, which may be empty, and what belongs to them.
    """

    title: str
    rows: Sequence[tuple[str, str]]


class Lines(NamedTuple):
    """Lines that are not wrapped: pictures, and code."""

    title: str
    lines: Sequence[str]


class Remarks(NamedTuple):
    """Sentences, wrapped to the page."""

    title: str
    sentences: Sequence[str]


Block = Headline | Facts | Grid | Lines | Remarks | Words
"""A page is a list of these; there is an empty line between two."""


def fitting(block: Grid, width: int) -> Grid:
    """Leave out columns where the text of the last one would have no room beside them.

    Numbers go first, the last one before the others, but for one of them; then texts, the widest before the others, but
    for the first column, which says what a row is about.

    >>> fitting(Grid("", ("rmse", "mae", ""), [("0.25", "0.15", "linear model")]), 14)
    Grid(title='', header=('rmse', ''), rows=[('0.25', 'linear model')], left=())
    """
    lines = (block.header, *block.rows)
    numbers = [place for place in range(len(block.header) - 1) if place not in block.left]
    texts = sorted((place for place in block.left if place), key=lambda place: max(len(row[place]) for row in lines))
    kept = list(range(len(block.header)))
    leaving = [*texts, *numbers[1:]]
    while leaving and _least_width(block, kept) > width:
        kept.remove(leaving.pop())
    left = tuple(place for place, each in enumerate(kept) if each in block.left)
    header, *rows = ([row[each] for each in kept] for row in lines)
    return block._replace(header=tuple(header), rows=[tuple(row) for row in rows], left=left)


def _least_width(block: Grid, kept: Sequence[int]) -> int:
    """Say what some columns take if no word of the last one is broken, and what stands there can be read."""
    lines = (block.header, *block.rows)
    *others, last = kept
    words = max((len(word) for row in lines for word in row[last].split()), default=0)
    text = max(words, min(_READABLE, max(len(row[last]) for row in lines)))
    return sum(max(len(row[each]) for row in lines) + _GAP for each in others) + text


_GLUE = (
    "\ue000"  # of private use: no text from outside that was made printable holds it, and nothing breaks a line there
)
_TOGETHER = re.compile(r"(?<=\d) (?=%)|(?<=±) (?=\S)")


def glued(text: str) -> str:
    """Keep numbers together with what belongs to them, as in ``90 %`` and ``± 0.02``, when lines are broken."""
    return _TOGETHER.sub(_GLUE, text)


def loosened(text: str) -> str:
    """Undo `glued`, of lines that are broken.

    >>> loosened(glued("0.5 ± 0.1 in 90 % and more"))
    '0.5 ± 0.1 in 90 % and more'
    """
    return text.replace(_GLUE, " ")


PROGRAM = "lrtune"
"""How a command begins, as pages have it; the console writes it as it must be typed."""

_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")


def word_lines(block: Words, width: int | None = None, program: str = PROGRAM) -> list[str]:
    r"""Write the rows, broken where they are longer than so many columns; by default nowhere.

    Parameters
    ----------
    block
        The rows.
    width
        Columns.
    program
        How `PROGRAM` must be typed.

    >>> word_lines(Words("", [("next", "lrtune show run --notes")]), 24)
    ['next  lrtune show run \\', '        --notes']
    """
    label = max((len(name) for name, _ in block.rows), default=0)
    return [
        line
        for name, text in block.rows
        for line in _word_lines(name.ljust(label + _GAP) if label else "", text, width, program)
    ]


def _word_lines(label: str, text: str, width: int | None, program: str) -> list[str]:
    is_command = text.startswith(f"{PROGRAM} ")
    if is_command:
        text = program + text.removeprefix(PROGRAM)
    if width is None:
        return [label + text]
    mark = " \\" if is_command else ""
    whole = _QUOTED.sub(lambda found: found[0].replace(" ", _GLUE), text) if is_command else text
    lines = textwrap.wrap(
        whole,
        max(8, width - len(label) - len(mark)),
        break_long_words=False,
        break_on_hyphens=False,
        subsequent_indent="  ",
    )
    marked = [*(line + mark for line in lines[:-1]), *lines[-1:]]
    return [(label if place == 0 else " " * len(label)) + loosened(line) for place, line in enumerate(marked)]
