"""The figure of the best trials as lines through all dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lrtune.reporting import tables
from lrtune.reporting.html.figures import BARE, GREY, LINE, NAMES, PALE, TEXTS, THIN, Figure, FigureAxis, Panel, Series
from lrtune.reporting.in_words import decimal_rate, metric_name
from lrtune.space import Choice
from lrtune.space.dimensions import Integer, Ordinal, Real, warp
from lrtune.text import formats
from lrtune.training.declarations import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lrtune.reporting.html.subject import Subject
    from lrtune.space.dimensions import Dimension
    from lrtune.space.trial import Trial, Value

LINES = 60
"""Trials that are drawn."""

_RATE = "learning_rate"
_MOST_DIMENSIONS, _MOST_OPTIONS = 12, 8
_GROUPS = (("the best third", 0), ("the middle third", GREY), ("the rest", PALE))


def parallel(about: Subject) -> Figure | str:
    """Draw the best trials as lines through the dimensions that all of them have, and their score."""
    ranked = about.run.ranked[:LINES]
    if len(ranked) < 5:
        return "fewer than five trials are complete."
    dimensions = [*_rate(about, ranked), *(each for each in about.run.space.dimensions if each.size > 1)]
    dimensions = dimensions[:_MOST_DIMENSIONS]
    if len(dimensions) < 2:
        return "fewer than two dimensions were searched."
    heights, words = zip(*(_places(each, ranked) for each in dimensions), strict=True)
    scores = np.array([each.mean for each in ranked], dtype=np.float64)
    spread = float(np.ptp(scores)) or 1.0
    scaled = ((scores - scores.min()) / spread).tolist()
    names = [*(tables.key_name(each.name) for each in dimensions), metric_name(about.metric)]
    ends = [(0.0, about.show(about.own(ranked[-1]))), (1.0, about.show(about.own(ranked[0])))]
    columns = [*heights, scaled]
    third = max(-(-len(ranked) // 3), 1)
    lines: list[Series] = []
    across = list(map(float, range(len(names))))
    for group in (2, 1, 0):  # the best on top
        label, tone = _GROUPS[group]
        members = range(min(group * third, len(ranked)), min((group + 1) * third, len(ranked)))
        kind = THIN if group else LINE
        lines += [Series(kind, across, [each[place] for each in columns], label, tone) for place in members]
    ruled = [Series(THIN, [float(place)] * 2, [0.0, 1.0], tone=GREY) for place in range(len(names))]
    texts = [_words(place, each) for place, each in enumerate((*words, ends))]
    panel = Panel(FigureAxis("", NAMES, tuple(names)), FigureAxis("", BARE), (*lines, *ruled, *texts), height=340)
    drawn = "complete trial" if len(ranked) == len(about.run.ranked) else "best trial"
    return Figure(
        f"Each line is one of the {formats.plural(len(ranked), drawn)}, from dimension to dimension; its score "
        "is at the right, better higher up. Where the dark lines meet, good trials agree.",
        (panel,),
        ("trial", *names),
        tuple(
            (
                str(each.number),
                *(_value(one, each.configuration.get(one.name)) for one in dimensions),
                about.show(about.own(each)),
            )
            for each in ranked
        ),
    )


def _rate(about: Subject, ranked: Sequence[Trial]) -> list[Dimension]:
    """Give the learning rate an axis where each optimizer has a range of its own, as far as all trials have one."""
    if any(each.name == _RATE for each in about.run.space.dimensions):
        return []
    rates = [each.configuration.get(_RATE) for each in ranked]
    if any(each is None for each in rates) or len(set(rates)) < 2:
        return []
    tried = list(map(number, rates))
    return [Real(_RATE, min(tried), max(tried), tried[0], "log")]


def _words(place: int, marks: Sequence[tuple[float, str]]) -> Series:
    heights = [height for height, _ in marks]
    return Series(TEXTS, [float(place)] * len(marks), heights, texts=[text for _, text in marks])


def _value(dimension: Dimension, value: Value) -> str:
    if dimension.name == "learning_rate" and isinstance(value, float | int):
        return decimal_rate(value)
    return tables.value_text(dimension.name, value)


def _places(dimension: Dimension, trials: Sequence[Trial]) -> tuple[list[float], list[tuple[float, str]]]:
    """Give the height of each trial on the axis of a dimension, from 0 to 1, and what the axis names."""
    values = [each.configuration.get(dimension.name) for each in trials]
    if isinstance(dimension, Real | Integer):
        heights = [warp(number(each), dimension.scale) for each in values]
    else:
        order = {str(each): place for place, each in enumerate(_ordered(dimension, values))}
        heights = [float(order[str(each)]) for each in values]
    low, high = min(heights), max(heights)
    scaled = [(each - low) / (high - low) if high > low else 0.5 for each in heights]
    known = {height: _value(dimension, value) for height, value in zip(scaled, values, strict=True)}
    shown = sorted(known.items())
    if isinstance(dimension, Real | Integer) or len(shown) > _MOST_OPTIONS:
        shown = [shown[0], shown[-1]] if len(shown) > 1 else shown
    return scaled, shown


def _ordered(dimension: Dimension, values: Sequence[Value]) -> list[Value]:
    """List the values that occur, in the order of the space."""
    known = {str(each): each for each in values}
    declared: Sequence[Value] = ()
    if isinstance(dimension, Ordinal):
        declared = dimension.values
    elif isinstance(dimension, Choice):
        declared = [each.value for each in dimension.options]
    return [known[str(each)] for each in declared if str(each) in known]
