"""The figure of the learning rate of the best over its epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lrtune.reporting.html.curves import NO_TRIAL
from lrtune.reporting.html.figures import BAND, LINE, PALE, WHOLE, ZERO, Figure, FigureAxis, Panel, Series
from lrtune.reporting.in_words import decimal_rate
from lrtune.text import formats
from lrtune.training.declarations import number
from lrtune.training.feedback import is_watched
from lrtune.training.schedules import multipliers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lrtune.reporting.html.subject import Subject
    from lrtune.space.trial import Configuration, Trial

_STEPS, _MOST_STEPS = 24, 2000
"""Points of an epoch at which a schedule is drawn, and of the whole."""


def schedule(about: Subject) -> Figure | str:
    """Show the learning rate of the best over its training."""
    if not about.scored:
        return NO_TRIAL
    run = about.run
    best = run.study.trials[about.best]
    whole = run.configuration(best.configuration)
    if not {"decay", "learning_rate", "epochs"} <= whole.keys():
        return "what trained has no learning rate that lrtune plans by epochs."
    peak, decay = number(whole["learning_rate"]), str(whole["decay"])
    if is_watched(whole):
        return _watched(best, peak, decay)
    epochs = int(number(whole["epochs"]))
    steps = max(1, min(_STEPS, _MOST_STEPS // epochs))
    rates = multipliers(whole, steps, epochs) * peak
    times = np.arange(len(rates)) / steps
    most, last = float(rates.max()), float(rates[-1])
    ends = f"ends at {decimal_rate(last) if last > 0 else 0}"
    went = f"stays at {decimal_rate(most)}" if most == rates.min() else f"is {decimal_rate(most)} at most and {ends}"
    return Figure(
        f"{decay.capitalize()}, over {formats.plural(epochs, 'epoch')}: the rate {went}.{_warm(whole)}",
        (_panel((Series(LINE, times.tolist(), rates.tolist()),)),),
        ("epoch", "learning rate"),
        _rows(times, rates),
    )


def _warm(whole: Configuration) -> str:
    found = whole.get("warmup")
    return f" It rises over the first {formats.share(number(found))} of the training." if found else ""


def _panel(series: tuple[Series, ...]) -> Panel:
    return Panel(FigureAxis("epoch", WHOLE), FigureAxis("learning rate", ZERO), series, height=240)


def _rows(times: NDArray[np.float64], rates: NDArray[np.float64]) -> tuple[tuple[str, ...], ...]:
    every = max(1, -(-len(rates) // 40))
    return tuple(
        (formats.number(float(t)), decimal_rate(float(r)) if r > 0 else "0")
        for t, r in zip(times[::every], rates[::every], strict=True)
    )


def _watched(best: Trial, peak: float, decay: str) -> Figure | str:
    """Show the rates that followed a loss: other ones on every fold."""
    length = min(map(len, best.scales), default=0)
    if not length:
        return f"the rates of {decay} follow a loss, and what they were is not known yet."
    scales = peak * np.array([each[:length] for each in best.scales])
    times, middle = np.arange(length, dtype=np.float64), np.median(scales, axis=0)
    return Figure(
        f"{decay.capitalize()} lowers the rate when the loss falls no more, on each fold at another time. The line is "
        "the median of the folds, the band goes from the lowest to the highest.",
        (
            _panel(
                (
                    _band(times.tolist(), middle.tolist(), scales),
                    Series(LINE, times.tolist(), middle.tolist(), "median"),
                )
            ),
        ),
        ("epoch", "learning rate"),
        _rows(times, middle),
    )


def _band(times: Sequence[float], middle: Sequence[float], scales: NDArray[np.float64]) -> Series:
    low, high = scales.min(axis=0).tolist(), scales.max(axis=0).tolist()
    return Series(BAND, times, middle, "all folds", PALE, low, high)
