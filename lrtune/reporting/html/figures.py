"""What a figure is, as plain values: panels of series on two axes, a sentence, and the same as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

LINEAR, WHOLE, ZERO, LOG, NAMES, BARE = "linear", "whole", "from zero", "log", "names", "bare"
"""Scales of an axis; only whole numbers are named on a whole one, and nothing on a bare one."""

POINTS, HOLLOW, RINGS, LINE, DASHED, THIN, BAND, BARS, SPANS, CELLS, TEXTS = (
    "points",
    "hollow",
    "rings",
    "line",
    "dashed",
    "thin",
    "band",
    "bars",
    "spans",
    "cells",
    "texts",
)
"""Kinds of series: marks, hollow marks, rings around marks, three sorts of lines, what lies between two lines, bars,
spans with a mark, cells of a matrix, and words at places."""

MOST_ROWS = 100
"""Rows of a table below a figure; the rest stands in ``trials.csv``."""

TONES = 8
"""How many colours there are."""

GREY, PALE = 4, 5
"""Colours of what is not the matter itself."""

KINDS = (0, 1, 2, 3, 6, 7)
"""Colours of things of several kinds."""


class FigureAxis(NamedTuple):
    """An axis: what it is called, how it is measured, and the names on it if it has names."""

    label: str
    scale: str = LINEAR
    names: tuple[str, ...] = ()


class Series(NamedTuple):
    """Some values of one kind.

    Attributes
    ----------
    kind
        How they are drawn.
    x, y
        Places; on an axis of names these are counted from 0.
    label
        In the legend; empty: not there.
    tone
        Number of its colour.
    low, high
        Ends of a band or of spans; of cells, ``low`` is how dark they are, from 0 to 1.
    titles
        What is shown where one points at a mark.
    texts
        What is written: the words of `TEXTS`, the numbers in cells, and what stands behind a bar or a span.
    anchor
        Which part of words stands at their place: ``start``, ``middle`` or ``end``.

    """

    kind: str
    x: Sequence[float]
    y: Sequence[float]
    label: str = ""
    tone: int = 0
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    titles: Sequence[str] = ()
    texts: Sequence[str] = ()
    anchor: str = "middle"


class Panel(NamedTuple):
    """One drawing: its axes and series, the height that it has at full width, and a title where there are several."""

    x: FigureAxis
    y: FigureAxis
    series: tuple[Series, ...]
    title: str = ""
    height: int = 300


class Figure(NamedTuple):
    """A figure.

    Attributes
    ----------
    sentence
        What it shows.
    panels
        What is drawn.
    header, rows
        The numbers as a table, at most `MOST_ROWS` rows.

    """

    sentence: str
    panels: tuple[Panel, ...]
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def legend(self) -> list[Series]:
        """The first series of each name, in the order of the panels."""
        known: dict[str, Series] = {}
        for each in (series for panel in self.panels for series in panel.series if series.label):
            known.setdefault(each.label, each)
        return list(known.values())
