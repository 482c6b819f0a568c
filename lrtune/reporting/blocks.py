"""What a page is made of, as plain values; how they look is the business of `lrtune.reporting.console`."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

WIDTH = 100
"""Columns of a page; a narrower terminal wraps more."""

_INDENT, _GAP = 2, 2


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


class Lines(NamedTuple):
    """Lines that are not wrapped, so that paths and commands can be copied."""

    title: str
    lines: Sequence[str]


class Remarks(NamedTuple):
    """Sentences, wrapped to the page."""

    title: str
    sentences: Sequence[str]


Block = Headline | Facts | Grid | Lines | Remarks
"""A page is a list of these; there is an empty line between two."""


def height(page: Sequence[Block], width: int = WIDTH) -> int:
    """Count the lines of a page on a terminal of so many columns."""
    return sum(_height(each, width) for each in page) + max(0, len(page) - 1)


def _height(block: Block, width: int) -> int:
    inside = width - _INDENT
    if isinstance(block, Headline):
        return _wrapped(block.text, width)
    title = bool(block.title)
    if isinstance(block, Lines):
        return title + len(block.lines)
    if isinstance(block, Remarks):
        return title + sum(_wrapped(each, inside - 1 - _GAP) for each in block.sentences)
    if isinstance(block, Facts):
        label = max((len(name) for name, _ in block.rows), default=0)
        return title + sum(_wrapped(value, inside - label - _GAP) for _, value in block.rows)
    left = sum(max(map(len, column)) + _GAP for column in zip(block.header, *block.rows, strict=True)) - _GAP
    last = max(len(row[-1]) for row in (block.header, *block.rows))
    return title + 1 + sum(_wrapped(row[-1], inside - (left - last)) for row in block.rows)


def _wrapped(text: str, width: int) -> int:
    return len(textwrap.wrap(text, max(8, width))) or 1
