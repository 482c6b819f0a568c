"""What a page is made of, as plain values; how they look is the business of `lrtune.reporting.console`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


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
