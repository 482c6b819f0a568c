"""The figure of the finder: loss against learning rate, and what was read off."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lrtune.reporting.html.figures import (
    BAND,
    DASHED,
    LINE,
    LOG,
    MOST_ROWS,
    PALE,
    POINTS,
    TEXTS,
    Figure,
    FigureAxis,
    Panel,
    Series,
)
from lrtune.reporting.in_words import decimal_rate
from lrtune.reporting.rates import read
from lrtune.run.names import RATES
from lrtune.text import formats
from lrtune.text.errors import StudyError

if TYPE_CHECKING:
    from lrtune.reporting.html.subject import Subject
    from lrtune.reporting.rates import OptimizerRates, RateSummary

_ROOM = 1.25
"""How far above the first loss a curve is drawn."""

_LINE_OF_TEXT = 0.08
"""Of the height of a panel."""


def finder(about: Subject) -> Figure | str:
    """Show the curves of the finder, where the search took its ranges from them."""
    path = about.run.folder / RATES
    if not path.is_file():
        return "no range of learning rates was found by the finder (learning_rate: auto)."
    try:
        return finder_figure(read(path))
    except StudyError as error:
        return f"{error}."


def finder_figure(found: RateSummary) -> Figure:
    """Show the curve of each optimizer."""
    rows = [
        (
            each.optimizer,
            decimal_rate(point.rate),
            *("" if loss is None else formats.number(loss) for loss in (point.median, point.low, point.high)),
            formats.share(point.diverged),
        )
        for each in found.optimizers
        for point in each.curve.points
    ]
    every = max(1, -(-len(rows) // MOST_ROWS))
    return Figure(
        f"{' '.join(map(_answer, found.optimizers))} The line is the median of the runs, the band has 80 % of them. "
        "What is recommended is no place on this curve: it is the best rate of the short runs, carried over to the "
        "planned training. Nor is the minimum: a rate that rises has done much of its work while it was lower.",
        tuple(map(_panel, found.optimizers)),
        ("optimizer", "rate", "median loss", "10 %", "90 %", "diverged"),
        tuple(rows[::every]),
    )


def _answer(found: OptimizerRates) -> str:
    if found.recommended is None:
        return f"For {found.optimizer} no rate can be recommended: {found.reason}."
    span = found.search_range
    ends = "" if span is None else f", searched from {decimal_rate(span[0])} to {decimal_rate(span[1])}"
    return f"For {found.optimizer} the finder recommends a rate of {decimal_rate(found.recommended)}{ends}."


def _panel(found: OptimizerRates) -> Panel:
    points = [each for each in found.curve.points if each.median is not None and each.low is not None]
    firsts = [each.high for each in points if each.high is not None]
    ceiling = _ROOM * (firsts[0] if firsts else 1.0)
    rates = [each.rate for each in points]
    median = [min(each.median or 0.0, ceiling) for each in points]
    low = [min(each.low or 0.0, ceiling) for each in points]
    high = [ceiling if each.high is None else min(each.high, ceiling) for each in points]
    series = [Series(BAND, rates, median, "80 % of the runs", PALE, low, high), Series(LINE, rates, median, "median")]
    if found.short_runs is not None:
        tried = [(r, m) for r, m in zip(found.short_runs.rates, found.short_runs.mean, strict=True) if math.isfinite(m)]
        series.append(Series(POINTS, [r for r, _ in tried], [min(m, ceiling) for _, m in tried], "a short run", 2))
    floor = min(low, default=0.0)
    middle = math.sqrt(min(rates) * max(rates)) if rates else 0.0
    marks = {"recommended": (found.recommended, 1), "minimum": (found.minimum, 3), "breaks away": (found.edge, 4)}
    for place, (name, (rate, tone)) in enumerate(marks.items()):
        if rate is not None:
            series.append(Series(DASHED, [rate, rate], [floor, ceiling], name, tone))
            # each a line lower than the one before: the rates may lie close together
            height = ceiling - (place + 0.5) * _LINE_OF_TEXT * (ceiling - floor)
            side = "start" if rate < middle else "end"
            series.append(Series(TEXTS, [rate], [height], tone=tone, texts=[f" {decimal_rate(rate)} "], anchor=side))
    return Panel(FigureAxis("learning rate", LOG), FigureAxis("validation loss"), tuple(series), found.optimizer, 300)
