"""Figures of the space: which dimensions mattered, and what to expect of their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.reporting import tables
from lrtune.reporting.html.figures import (
    BAND,
    BARS,
    DASHED,
    GREY,
    LINE,
    LINEAR,
    LOG,
    MOST_ROWS,
    NAMES,
    PALE,
    RINGS,
    SPANS,
    Figure,
    FigureAxis,
    Panel,
    Series,
)
from lrtune.reporting.in_words import decimal_rate, metric_name
from lrtune.text import formats
from lrtune.verdict.standing import own_ends, own_sign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lrtune.reporting.html.subject import Subject
    from lrtune.space.trial import Value
    from lrtune.verdict.explanation.slices import Slice, SliceRow

_MOST_BARS, _MOST_SLICES = 12, 8
_FAR = 30.0
"""Values whose ends are in a larger ratio than this stand on a log scale."""


def importance(about: Subject) -> Figure | str:
    """Show which dimensions the predicted scores vary with."""
    found = about.explanation
    if isinstance(found, str):
        return found
    shares = found.parts.shares[:_MOST_BARS][::-1]
    first = found.parts.shares[0]
    bars = Series(
        BARS,
        [100 * each.share for each in shares],
        list(map(float, range(len(shares)))),
        titles=[f"{each.key}: {formats.share(each.share)}" for each in shares],
        texts=[formats.share(each.share) for each in shares],
    )
    names = tuple(tables.key_name(each.key) for each in shares)
    return Figure(
        f"Of what a model of the trials predicts over the whole space, {tables.key_name(first.key)} alone accounts for "
        f"{formats.share(first.share)} of the variation. What is missing to 100 % is what dimensions do only together.",
        (
            Panel(
                FigureAxis("share of the variation (%)"),
                FigureAxis("", NAMES, names),
                (bars,),
                height=52 + 28 * len(shares),
            ),
        ),
        ("dimension", "share", "standard deviation"),
        tuple((each.key, formats.share(each.share), formats.share(each.error)) for each in shares[::-1]),
    )


def slices(about: Subject) -> Figure | str:
    """Show the predicted score for the values of each dimension."""
    found = about.explanation
    if isinstance(found, str):
        return found
    shown = found.slices[:_MOST_SLICES]
    rows = [
        (_called(each), _text(each.key, row.value), *map(about.show, _numbers(about, row)))
        for each in shown
        for row in each.rows
    ]
    return Figure(
        "What to expect when one dimension changes and the others stay as in the best trial that has it: a prediction "
        "of the model of the trials, with its 90 % band. Dashed: the mean over the whole space. Where a line is flat, "
        "the value matters little.",
        tuple(_panel(about, each) for each in shown),
        ("dimension", "value", about.metric, "from", "to", "mean over the space"),
        tuple(rows[:MOST_ROWS]),
    )


def _called(found: Slice) -> str:
    where = ", ".join(tables.branch_text(option) for _, option in found.where)
    return tables.key_name(found.key) + (f" ({where})" if where else "")


def _numbers(about: Subject, row: SliceRow) -> tuple[float, float, float, float]:
    return (
        own_sign(about.metric, row.score),
        *own_ends(about.metric, row.low, row.high),
        own_sign(about.metric, row.average),
    )


def _text(key: str, value: Value) -> str:
    return decimal_rate(value) if key == "learning_rate" and isinstance(value, float) else tables.value_text(key, value)


def _panel(about: Subject, found: Slice) -> Panel:
    numbers = [_numbers(about, each) for each in found.rows]
    values = [each.value for each in found.rows]
    if all(isinstance(each, int | float) and not isinstance(each, bool) for each in values):
        return _curve(about, found, [float(each) for each in values], numbers)  # type: ignore[arg-type]
    rows = list(map(float, range(len(values))))[::-1]
    span = Series(
        SPANS,
        [each[0] for each in numbers],
        rows,
        low=[each[1] for each in numbers],
        high=[each[2] for each in numbers],
        texts=[about.show(each[0]) for each in numbers],
    )
    names = tuple(_text(found.key, each) for each in values)[::-1]
    return Panel(
        FigureAxis(metric_name(about.metric)),
        FigureAxis("", NAMES, names),
        (span,),
        _called(found),
        60 + 40 * len(values),
    )


def _curve(
    about: Subject, found: Slice, values: Sequence[float], numbers: Sequence[tuple[float, float, float, float]]
) -> Panel:
    scores, low, high, average = zip(*numbers, strict=True)
    scale = LOG if values and min(values) > 0 and max(values) / min(values) > _FAR else LINEAR
    series = [
        Series(BAND, values, scores, "90 % band", PALE, low, high),
        Series(DASHED, values, average, "mean over the space", GREY),
        Series(LINE, values, scores, "from the best trial"),
    ]
    start = found.start.get(found.key)
    if isinstance(start, int | float) and values[0] <= start <= values[-1]:
        nearest = min(range(len(values)), key=lambda place: abs(values[place] - start))
        series.append(Series(RINGS, [values[nearest]], [scores[nearest]], titles=[f"near {_text(found.key, start)}"]))
    return Panel(FigureAxis("", scale), FigureAxis(metric_name(about.metric)), tuple(series), _called(found), 220)
