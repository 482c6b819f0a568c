"""The figure of how the best rate goes with a size: what was measured, the line, and the rules on offer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lrtune.reporting.html.figures import (
    BAND,
    DASHED,
    KINDS,
    LINE,
    LOG,
    PALE,
    POINTS,
    Figure,
    FigureAxis,
    Panel,
    Series,
)
from lrtune.reporting.in_words import decimal_rate
from lrtune.reporting.scaling import beside_rules, said
from lrtune.text import formats

if TYPE_CHECKING:
    from lrtune.reporting.scaling import OptimizerScaling, ScalingSummary

_PLACES = 40
"""Places of the line and its band."""


def scaling_figure(found: ScalingSummary) -> Figure:
    """Show the best rates of each optimizer."""
    sentences = [text for each in found.optimizers for text in (said(each, found.counted), beside_rules(each)) if text]
    rows = [row for each in found.optimizers for row in _rows(each)]
    return Figure(
        " ".join(map(formats.sentence, sentences)) + " The line is what was measured, the band its 90 % interval; the "
        "dashed lines are rules that go through the middle of it.",
        tuple(_panel(each, found) for each in found.optimizers),
        ("optimizer", found.counted, "best rate", "measured, or the 90 % interval"),
        tuple(rows),
    )


def _rows(one: OptimizerScaling) -> list[tuple[str, ...]]:
    measured = [(each.size, each.best, "measured") for each in one.sizes]
    asked = [(each.size, each.rate, " to ".join(map(decimal_rate, each.interval or ()))) for each in one.predicted]
    return [(one.optimizer, formats.count(size), decimal_rate(rate), how) for size, rate, how in (*measured, *asked)]


def _panel(one: OptimizerScaling, found: ScalingSummary) -> Panel:
    sizes = [float(each.size) for each in one.sizes]
    best = Series(POINTS, sizes, [each.best for each in one.sizes], "best rate of a size")
    axes = FigureAxis(found.counted, LOG), FigureAxis("learning rate", LOG)
    if one.exponent is None or one.interval is None or one.rate is None or one.centre is None:
        return Panel(*axes, (best,), one.optimizer)
    ends = [*sizes, *(float(each.size) for each in one.predicted)]
    places = _spread(min(ends), max(ends))
    line = [one.rate * (each / one.centre) ** one.exponent for each in places]
    rules = [
        Series(
            DASHED,
            [places[0], places[-1]],
            [one.rate * (each / one.centre) ** rule.exponent for each in (places[0], places[-1])],
            rule.name,
            KINDS[1 + number],
        )
        for number, rule in enumerate(one.rules)
    ]
    low, high = zip(*(one.between(each) for each in places), strict=True)
    ahead = Series(
        POINTS,
        [float(each.size) for each in one.predicted],
        [each.rate for each in one.predicted],
        "predicted",
        KINDS[-1],
    )
    band = Series(BAND, places, line, "90 % interval", PALE, low, high)
    return Panel(*axes, (band, *rules, Series(LINE, places, line, "measured trend"), best, ahead), one.optimizer, 360)


def _spread(low: float, high: float) -> list[float]:
    """Space places evenly on a logarithmic axis."""
    step = math.log(high / low) / (_PLACES - 1)
    return [low * math.exp(step * each) for each in range(_PLACES)]
