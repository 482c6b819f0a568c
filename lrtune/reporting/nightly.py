"""The history of all nights as a page, a line of blocks and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lrtune.reporting.blocks import Block, Facts, Grid, Headline, Lines, Remarks
from lrtune.reporting.html.figures import (
    BAND,
    DASHED,
    LINE,
    MOST_ROWS,
    PALE,
    POINTS,
    RINGS,
    Figure,
    FigureAxis,
    Panel,
    Series,
)
from lrtune.reporting.in_words import metric_name
from lrtune.reporting.terminal_plots import sparkline
from lrtune.text import formats
from lrtune.text.formats import Show
from lrtune.verdict.standing import own_sign

if TYPE_CHECKING:
    from lrtune.nights.history import History, Night


HEADER = ("night", "champion", "drift", "level", "limit", "gain", "trials", "took", "")

PICTURE = 56
"""Nights of the line of blocks: it is not wrapped, and a terminal may have 60 columns."""

SHOWN = 30
"""Nights of a table; the others are in the file."""


def history_page(history: History, called: str) -> list[Block]:
    """Show the nights of a folder of champions: a line of blocks, and a table."""
    nights = history.nights
    if not nights:
        return [Headline(f"{called}: no night yet"), *_torn(history)]
    last = nights[-1]
    show = formats.score_format([each for night in nights for each in (night.champion, night.delivered)])
    return [
        Headline(f"{called}: {formats.plural(len(nights), 'night')}. {state_words(history)}"),
        Lines("", spark_lines(history)),
        Grid(
            f"{metric_name(last.metric)} of the champion; level: sum of the drifts; + is better",
            HEADER,
            _rows(nights, show)[-SHOWN:],
        ),
        *_torn(history),
    ]


def _torn(history: History) -> list[Block]:
    return [Remarks("notes", [history.torn])] if history.torn else []


def state_words(history: History) -> str:
    """Say how the champion stands after the last night."""
    last = history.last
    if last is None:
        return "There was no night yet."
    show = formats.score_format([last.delivered])
    out = " Its drift is out of control." if last.is_out else ""
    score = f"{metric_name(last.metric)} is {show(last.delivered)}"
    return f"The champion was elected in night {last.elected}; on the data of the last night its {score}.{out}"


def _rows(nights: Sequence[Night], show: Show) -> list[tuple[str, ...]]:
    return [_row(each, level, show) for each, level in zip(nights, levels(nights), strict=True)]


def _row(night: Night, level: float, show: Show) -> tuple[str, ...]:
    limit = night.limit
    return (
        str(night.night),
        show(night.champion),
        "-" if night.drift is None else formats.signed(night.drift, show),
        formats.signed(level, show),
        "-" if limit is None else formats.signed(limit, show),
        "-" if night.gain is None else formats.signed(night.gain, show),
        str(night.trained),
        formats.duration(night.seconds),
        night.outcome.replace("_", " ") + (", out of control" if night.is_out else ""),
    )


def levels(nights: Sequence[Night]) -> list[float]:
    """Give the level of each night; one without a chart has that of the night before, and a chain begins with 0."""
    found, level = [], 0.0
    for each in nights:
        level = each.level if each.level is not None else level if each.repeats else 0.0
        found.append(level)
    return found


def spark_lines(history: History) -> list[str]:
    """Draw the level of the champion as a line of blocks, the higher the better, with a mark below bad nights."""
    nights = history.nights[-PICTURE:]
    values = levels(history.nights)[-PICTURE:]
    low, high = min(values), max(values)
    shares = [max((each - low) / (high - low), 0.07) if high > low else 0.5 for each in values]
    marks = "".join("!" if each.is_out else "^" if each.promoted else " " for each in nights)
    legend = ["sum of all drifts, higher is better", "^ another champion, ! out of control"]
    return [sparkline(shares, 1.0), marks.rstrip(), *legend] if marks.strip() else [sparkline(shares, 1.0), legend[0]]


def history_figure(history: History) -> Figure:
    """Draw the nights: the champion's score with its interval, and the sum of its drifts with the control limit."""
    nights, metric = history.nights, history.nights[-1].metric
    show = formats.score_format([each.champion for each in nights])
    known = [each for each in nights if each.champion is not None]
    x = [float(each.night) for each in known]
    scores = [each.champion for each in known if each.champion is not None]
    low = [_first(each.champion_low, each.champion) for each in known]
    high = [_first(each.champion_high, each.champion) for each in known]
    titles = [f"night {each.night}: {show(each.champion)}" for each in known]
    new = [each for each in known if each.promoted]
    score = (
        Series(BAND, x, scores, "95 % interval", PALE, low=low, high=high),
        Series(LINE, x, scores, "", 0),
        Series(POINTS, x, scores, "the champion", 0, titles=titles),
        Series(
            RINGS, [float(n.night) for n in new], [n.champion or 0.0 for n in new], "another one takes its place", 2
        ),
    )
    places, found = [float(each.night) for each in nights], levels(nights)
    limited = [each for each in nights if each.limit is not None]
    bad = [(each.night, level) for each, level in zip(nights, found, strict=True) if each.is_out]
    drift = (
        Series(LINE, places, found, "sum of all drifts", 0),
        Series(POINTS, places, found, "", 0, titles=[f"night {n.night}" for n in nights]),
        Series(DASHED, [float(n.night) for n in limited], [n.limit or 0.0 for n in limited], "control limit", 1),
        Series(POINTS, [float(n) for n, _ in bad], [level for _, level in bad], "out of control", 3),
    )
    worse = " (lower is better)" if own_sign(metric, 1.0) < 0 else ""
    return Figure(
        state_words(history),
        (
            Panel(
                FigureAxis("night", "whole"), FigureAxis(f"{metric_name(metric)}{worse}"), score, "the champion's score"
            ),
            Panel(FigureAxis("night", "whole"), FigureAxis("level (higher is better)"), drift, "drift"),
        ),
        HEADER,
        tuple(_rows(nights, show)[-MOST_ROWS:]),
    )


def _first(*values: float | None) -> float:
    """Take the first number that there is."""
    return next((each for each in values if each is not None), 0.0)


def champions_page(rows: Sequence[tuple[str, str, str, str]], called: str, current: str) -> list[Block]:
    """List the numbered folders of a folder of champions."""
    return [Headline(f"{called}: {current}"), Grid("", ("night", "elected", "score", ""), rows)]


def champion_facts(rows: Sequence[tuple[str, str]], headline: str) -> list[Block]:
    """Show the current champion."""
    return [Headline(headline), Facts("", rows)]
