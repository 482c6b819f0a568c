"""Figures of the training: learning curves, and the learning rate of the best over its epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lrtune.reporting.html.figures import (
    BAND,
    DASHED,
    KINDS,
    LINE,
    MOST_ROWS,
    PALE,
    THIN,
    WHOLE,
    ZERO,
    Figure,
    FigureAxis,
    Panel,
    Series,
)
from lrtune.reporting.in_words import decimal_rate
from lrtune.text import formats
from lrtune.training.declarations import number
from lrtune.training.feedback import is_watched
from lrtune.training.schedules import multipliers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lrtune.reporting.html.subject import Subject
    from lrtune.space.trial import Configuration, Curves, Trial

_LOG_LOSS = "log_loss"
_STEPS, _MOST_STEPS = 24, 2000
"""Points of an epoch at which a schedule is drawn, and of the whole."""

NO_TRIAL = "no trial is complete yet."


def curves(about: Subject) -> Figure | str:
    """Show the losses of the winner and of the default by epoch."""
    if not about.scored:
        return NO_TRIAL
    shown = {about.best: "the best"}
    shown.setdefault(0, "the default")
    series: list[Series] = []
    rows: dict[int, dict[str, str]] = {}
    for tone, (place, called) in enumerate(shown.items()):
        trial = about.run.study.trials[place]
        for kind, line, what in (("validation", LINE, "validation"), ("train", DASHED, "training")):
            epochs, losses = known(trial.curves, kind)
            if len(epochs) > 1:
                label = f"{called} (trial {trial.number}), {what}"
                series.append(Series(line, epochs, losses, label, tone))
                for epoch, loss in zip(epochs, losses, strict=True):
                    rows.setdefault(int(epoch), {})[label] = formats.number(loss)
    if not series:
        return "what trained has told of no losses by epoch."
    labels = [each.label for each in series]
    beside = _linear(about, series[0].x)
    return Figure(
        f"{_ending(about.run.study.trials[about.best])} Means over the folds: solid on rows of the fold that the model "
        "was not trained on, dashed on those that it was.",
        (Panel(FigureAxis("epoch", WHOLE), FigureAxis("loss"), (*series, *beside)),),
        ("epoch", *labels),
        tuple((str(epoch), *(rows[epoch].get(each, "") for each in labels)) for epoch in sorted(rows))[:MOST_ROWS],
    )


_ALIKE = 0.02
"""A loss by epoch that ends so near to the log loss on the folds, as a part of it, is the log loss."""


def _linear(about: Subject, epochs: Sequence[float]) -> list[Series]:
    """Set the log loss of the linear model beside the curves, where that is what they are of."""
    result = about.result
    _, losses = known(about.run.study.trials[about.best].curves, "validation")
    anchor = None if result is None else next((each for each in result.anchors if each.name == "linear"), None)
    if result is None or anchor is None or not losses:
        return []
    own, other = (
        each.mean if about.metric == _LOG_LOSS else each.beside.get(_LOG_LOSS) for each in (result.best, anchor)
    )
    if own is None or other is None or abs(losses[-1] - own) > _ALIKE * own:
        return []
    return [Series(THIN, [epochs[0], epochs[-1]], [other, other], "a linear model, validation", KINDS[2])]


def known(found: Curves | None, kind: str) -> tuple[list[float], list[float]]:
    """List the epochs for which a curve has a loss, and the losses."""
    if found is None:
        return [], []
    pairs = [
        (float(epoch), loss) for epoch, loss in zip(found.epochs, getattr(found, kind), strict=True) if loss is not None
    ]
    return [epoch for epoch, _ in pairs], [loss for _, loss in pairs]


_NEARLY = 0.01
"""A loss that differs from another one by less than this part of it is the same."""

_LAST = 0.8
"""From this part of the epochs on it is said whether a loss still falls."""


def _ending(best: Trial) -> str:
    """Say how the validation loss of the best ends."""
    epochs, losses = known(best.curves, "validation")
    if len(epochs) < 3:
        return "Loss by epoch."
    place = losses.index(min(losses))
    rise, least = losses[-1] - losses[place], abs(losses[place])
    before = next(loss for epoch, loss in zip(epochs, losses, strict=True) if epoch >= _LAST * epochs[-1])
    if place == len(losses) - 1 and before - losses[-1] > _NEARLY * least:
        return f"The loss of the best still falls at its last epoch, {epochs[-1]:.0f}: more epochs may help."
    if rise <= _NEARLY * least:
        level = next(
            epoch for epoch, loss in zip(epochs, losses, strict=True) if loss - losses[place] <= _NEARLY * least
        )
        return f"The loss of the best is level from about epoch {level:.0f} on."
    return (
        f"The loss of the best is least at epoch {epochs[place]:.0f} and rises after it, by "
        f"{formats.share(rise / abs(losses[place])) if losses[place] else formats.number(rise)}: fewer epochs or more "
        "regularisation may help."
    )


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
