"""A page of the terminal as Markdown, which the summaries of CI servers show."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from lrtune.reporting.blocks import Block, Facts, Grid, Headline, Lines, Remarks, word_lines
from lrtune.text import formats

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&]|:(?=//)|(?<=www)\.)", re.IGNORECASE)
"""What Markdown reads as its own, and what makes a link of an address."""


def markdown(name: str, page: Sequence[Block]) -> str:
    """Write a page as Markdown.

    Parameters
    ----------
    name
        Of the experiment; it becomes the title.
    page
        What the terminal shows, too.

    """
    sections = [[f"## lrtune: {escaped(name)}"], *(list(_section(each)) for each in page)]
    return "\n\n".join("\n".join(each) for each in sections) + "\n"


def escaped(text: object) -> str:
    r"""Show a text as it is, in one line and within a cell of a table, whatever it contains.

    >>> escaped("a|b_c\n<br>")
    'a\\|b\\_c \\<br\\>'
    """
    return _SPECIAL.sub(r"\\\1", formats.printable(" ".join(str(text).split())))


def _section(block: Block) -> Iterator[str]:
    if isinstance(block, Headline):
        yield f"**{escaped(block.text)}**"
        return
    if block.title:
        yield from (f"### {escaped(block.title)}", "")
    if isinstance(block, Facts):
        yield from _table(("", ""), "ll", block.rows)
    elif isinstance(block, Grid):
        last = len(block.header) - 1
        sides = ("l" if place in (*block.left, last) else "r" for place in range(last + 1))
        yield from _table(block.header, "".join(sides), block.rows)
    elif isinstance(block, Remarks):
        yield from (f"- {escaped(each)}" for each in block.sentences)
    else:
        lines = block.lines if isinstance(block, Lines) else word_lines(block)
        shown = [formats.printable(each) for each in lines]
        longest = max((len(each) for line in shown for each in re.findall("`+", line)), default=0)
        fence = "`" * max(3, longest + 1)  # which no line can close
        yield from (fence, *shown, fence)


def _table(header: Sequence[str], alignment: str, rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _line(header)
    yield f"|{'|'.join({'l': '---', 'r': '---:'}[each] for each in alignment)}|"
    yield from (_line(each) for each in rows)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(escaped(each) for each in cells)} |"
