"""The figure of learning curves: the winner and the default by epoch, bands over the folds, and what was not tuned."""

from __future__ import annotations

from itertools import zip_longest
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from lrtune.reporting.html.figures import (
    BAND,
    DASHED,
    KINDS,
    LINE,
    MOST_ROWS,
    THIN,
    WHOLE,
    Figure,
    FigureAxis,
    Panel,
    Series,
)
from lrtune.space.trial import DEFAULT, TIES
from lrtune.text import formats
from lrtune.training.curves import ROWS
from lrtune.training.registry import BUILT_IN
from lrtune.verdict.anchored import ANCHORS
from lrtune.verdict.standing import own_sign

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lrtune.reporting.html.subject import Subject
    from lrtune.space.trial import Curves, Trial

NO_TRIAL = "no trial is complete yet."


class _Shown(NamedTuple):
    """A trial with learning curves, what it is called, and its colour."""

    called: str
    curves: Curves
    tone: int


def curves(about: Subject) -> Figure | str:
    """Show the losses of the winner and of the default by epoch, with bands over the folds."""
    if not about.scored:
        return NO_TRIAL
    trials = about.run.study.trials
    called = {about.best: "the best", **({} if about.best == DEFAULT else {DEFAULT: "the default"})}
    found = ((f"{what} (trial {number})", trials[number].curves) for number, what in called.items())
    shown = [_Shown(name, each, tone) for tone, (name, each) in enumerate(found) if each and len(known(each)[0]) > 1]
    if not shown:
        return "what trained has told of no losses by epoch."
    anchors, untuned, beside = _anchors(about, shown)
    bands = [band for each in shown for band in _bands(each)]
    over = " A band goes from the lowest fold to the highest." if bands else ""
    return Figure(
        f"{_ending(trials[about.best])} Lines are means over the folds: solid on rows that the model was not trained "
        f"on, dashed on those that it was.{over}{beside}",
        (
            Panel(
                FigureAxis("epoch", WHOLE),
                FigureAxis("loss"),
                (*bands, *(line for each in shown for line in _lines(each)), *anchors),
            ),
        ),
        (
            "epoch",
            *(f"{each.called}, {what}" for each in shown for what in _COLUMNS),
            *(f"{each.called}, {what}" for each in untuned for what in _COLUMNS[: len(each.losses)]),
        ),
        _losses(shown, [formats.number(loss) for each in untuned for loss in each.losses]),
    )


_COLUMNS = ("validation", "lowest fold", "highest fold", "training")


def _bands(shown: _Shown) -> Iterator[Series]:
    """Draw what lies between the fold with the lowest loss and the one with the highest."""
    epochs, low = known(shown.curves, "low")
    _, high = known(shown.curves, "high")
    _, middle = known(shown.curves)
    if len(low) > 1 and low != high:
        yield Series(BAND, epochs, middle, "", shown.tone, low, high)


def _lines(shown: _Shown) -> Iterator[Series]:
    for kind, line, what in (("validation", LINE, "validation"), ("train", DASHED, "training")):
        epochs, losses = known(shown.curves, kind)
        if len(epochs) > 1:
            yield Series(line, epochs, losses, f"{shown.called}, {what}", shown.tone)


def _losses(shown: Sequence[_Shown], beside: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Write the losses of all epochs that any of the trials has one for, in the order of `_COLUMNS`."""
    rows: dict[int, dict[int, list[str]]] = {}
    for place, each in enumerate(shown):
        columns = (each.curves.validation, each.curves.low, each.curves.high, each.curves.train)
        for epoch, *losses in zip_longest(each.curves.epochs, *columns):
            rows.setdefault(epoch, {})[place] = ["" if loss is None else formats.number(loss) for loss in losses]
    empty = [""] * len(_COLUMNS)
    return tuple(
        (str(epoch), *(text for place in range(len(shown)) for text in rows[epoch].get(place, empty)), *beside)
        for epoch in sorted(rows)
    )[:MOST_ROWS]


_ALIKE = 0.02
"""A loss that other code tells of is the log loss if it ends so near to that on the folds, as a part of it."""


def _is_log_loss(about: Subject) -> bool:
    """Tell whether the losses by epoch are the log loss, with which an anchor can be compared."""
    run, result = about.run, about.result
    if result is None or not result.classes:
        return False
    best = run.study.trials[about.best]
    if run.trained_by == BUILT_IN:
        return run.configuration(best.configuration)["class_weight"] is None
    own = result.best.mean if about.metric == TIES else result.best.beside.get(TIES)
    _, losses = known(best.curves)
    return own is not None and bool(losses) and abs(losses[-1] - own) <= _ALIKE * own


class _Untuned(NamedTuple):
    """What was not tuned: what it is called, its mean log loss over the folds, and that of the lowest and highest."""

    called: str
    losses: tuple[float, float, float]


def _anchors(about: Subject, shown: Sequence[_Shown]) -> tuple[list[Series], list[_Untuned], str]:
    """Set the log loss of what was not tuned beside the curves where that is what they are of; or say it in words."""
    lines: list[Series] = []
    untuned: list[_Untuned] = []
    beyond: list[str] = []
    ends = [known(shown[0].curves)[0][place] for place in (0, -1)]
    top = max(loss for each in shown for kind in ("validation", "high") for loss in known(each.curves, kind)[1])
    for name, tone in (("linear", KINDS[2]), ("majority", KINDS[3])):
        losses = _of_folds(about, name)
        if not losses:
            continue
        called, (mean, low, high) = ANCHORS[name].called, (fmean(losses), min(losses), max(losses))
        untuned.append(_Untuned(called, (mean, low, high)))
        if mean > top:  # its line would press the curves together
            beyond.append(f"{called}, {formats.number(mean)}")
            continue
        lines.append(Series(BAND, ends, [mean] * 2, "", tone, [low] * 2, [high] * 2))
        lines.append(Series(THIN, ends, [mean] * 2, f"{called}, validation", tone))
    is_sample = untuned and about.run.trained_by == BUILT_IN
    sample = f" Curves are measured on up to {ROWS} rows of each fold, level lines on all." if is_sample else ""
    return lines, untuned, sample + (f" Higher than the axis goes: {'; '.join(beyond)}." if beyond else "")


def _of_folds(about: Subject, name: str) -> list[float]:
    """List the log loss of an anchor on every fold."""
    anchor = about.run.study.anchors.get(name)
    if anchor is None or not _is_log_loss(about):
        return []
    scores = anchor.scores if about.metric == TIES else anchor.beside.get(TIES, ())
    return [own_sign(TIES, each) for each in scores if each is not None]


def known(found: Curves | None, kind: str = "validation") -> tuple[list[float], list[float]]:
    """List the epochs for which a curve has a loss, and the losses."""
    if found is None:
        return [], []
    pairs = [
        (float(epoch), loss)
        for epoch, loss in zip(found.epochs, getattr(found, kind), strict=False)
        if loss is not None
    ]
    return [epoch for epoch, _ in pairs], [loss for _, loss in pairs]


_NEARLY = 0.01
"""A loss that differs from another one by less than this part of it is the same."""

_LAST = 0.8
"""From this part of the epochs on it is said whether a loss still falls."""

_LEVEL = 0.75
"""A loss that is level for less than the rest has hardly stopped falling: the health report calls it still learning."""


def _ending(best: Trial) -> str:
    """Say how the validation loss of the best ends."""
    epochs, losses = known(best.curves)
    if len(epochs) < 3:
        return "Loss by epoch."
    place = losses.index(min(losses))
    rise, least = losses[-1] - losses[place], abs(losses[place])
    before = [loss for epoch, loss in zip(epochs, losses, strict=True) if epoch <= _LAST * epochs[-1]] or losses
    if place == len(losses) - 1 and before[-1] - losses[-1] > _NEARLY * least:
        return f"The loss of the best still falls at its last epoch, {epochs[-1]:.0f}: more epochs may help."
    if rise <= _NEARLY * least:
        level = next(
            epoch for epoch, loss in zip(epochs, losses, strict=True) if loss - losses[place] <= _NEARLY * least
        )
        if level > _LEVEL * epochs[-1]:
            return f"The loss of the best falls until about epoch {level:.0f} of {epochs[-1]:.0f}: more may help."
        return f"The loss of the best is level from about epoch {level:.0f} on."
    return (
        f"The loss of the best is least at epoch {epochs[place]:.0f} and rises after it, by "
        f"{formats.share(rise / abs(losses[place])) if losses[place] else formats.number(rise)}: fewer epochs or more "
        "regularisation may help."
    )
