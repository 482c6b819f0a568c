"""What a figure of the report is, as plain values: series on two axes, a sentence, and the same as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

LINEAR, WHOLE, LOG, NAMES = "linear", "whole", "log", "names"
"""Scales of an axis; only whole numbers are named on a whole one."""

POINTS, LINE, DASHED, BAND, BARS, SPANS, CELLS = "points", "line", "dashed", "band", "bars", "spans", "cells"
"""Kinds of series: marks, lines, what lies between two lines, bars from zero, spans with a mark, cells of a matrix."""

MOST_ROWS = 100
"""Rows of a table below a figure; the rest stands in ``trials.csv``."""


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

    """

    kind: str
    x: Sequence[float]
    y: Sequence[float]
    label: str = ""
    tone: int = 0
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    titles: Sequence[str] = ()


class Figure(NamedTuple):
    """A figure.

    Attributes
    ----------
    name
        In one word, for links.
    title, sentence
        What it is, and what it shows.
    x, y, series
        What is drawn.
    header, rows
        The numbers as a table, at most `MOST_ROWS` rows.
    height
        Of the drawing, where its width is 640.

    """

    name: str
    title: str
    sentence: str
    x: FigureAxis
    y: FigureAxis
    series: tuple[Series, ...]
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    height: int = 300
