"""Figures of the folds: who is better on which, and what decay and warm-up are worth there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.reporting import judgements, warmups
from lrtune.reporting.html.figures import (
    KINDS,
    LINE,
    MOST_ROWS,
    NAMES,
    POINTS,
    SPANS,
    Figure,
    FigureAxis,
    Panel,
    Series,
)
from lrtune.reporting.html.overview import NO_RESULT
from lrtune.reporting.in_words import decimal_rate
from lrtune.text import formats
from lrtune.text.formats import Show
from lrtune.training.declarations import number
from lrtune.verdict.anchored import ANCHORS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lrtune.reporting.html.subject import Subject
    from lrtune.verdict.result import Control, Result, WarmupControl

_NOT_BY_FOLD = ("default", "majority", "mean")
"""Anchors that do not stand by fold: one is a trial, and the other would press all lines into one."""

_MOST_FOLDS = 30


def folds(about: Subject) -> Figure | str:
    """Show the score of the best, the default and the anchors on each fold."""
    result = about.result
    if result is None:
        return NO_RESULT
    count = len(result.best.fold_scores)
    if count < 2:
        return "there is only one fold."
    rows = _compared(result)
    names = tuple(str(each) for each in range(1, min(count, _MOST_FOLDS) + 1))
    series: list[Series] = []
    show = formats.score_format([each for scores in rows.values() for each in scores])
    for tone, (name, scores) in zip(KINDS, rows.items(), strict=False):
        pairs = [(float(fold), score) for fold, score in enumerate(scores[:_MOST_FOLDS]) if score is not None]
        x, y = [a for a, _ in pairs], [b for _, b in pairs]
        series.append(Series(LINE, x, y, name, tone))
        series.append(Series(POINTS, x, y, "", tone, titles=[f"{name}, fold {a + 1:.0f}: {show(b)}" for a, b in pairs]))
    return Figure(
        f"All of them on the same folds. {_worst(about, result)}",
        (Panel(FigureAxis("fold", NAMES, names), FigureAxis(about.axis), tuple(series)),),
        ("fold", *rows),
        tuple(
            (str(fold + 1), *(show(scores[fold]) if fold < len(scores) else "" for scores in rows.values()))
            for fold in range(min(count, MOST_ROWS))
        ),
    )


def _compared(result: Result) -> Mapping[str, Sequence[float | None]]:
    rows: dict[str, Sequence[float | None]] = {f"{result.called} (trial {result.best.number})": result.best.fold_scores}
    if result.is_mean and result.delivered is not None:
        rows = {result.scored: result.delivered.fold_scores, **rows}
    if result.default.number != result.best.number and any(each is not None for each in result.default.fold_scores):
        rows["the default (trial 0)"] = result.default.fold_scores
    return rows | {
        ANCHORS[each.name].called: each.fold_scores for each in result.anchors if each.name not in _NOT_BY_FOLD
    }


def _worst(about: Subject, result: Result) -> str:
    """Say which fold is the worst for the best, and how far from its best one."""
    scores = [(score, fold) for fold, score in enumerate(result.fold_scores, 1) if score is not None]
    if len(scores) < 2:
        return ""
    low, high = min(scores), max(scores)
    worst, best = (low, high) if about.larger_is_better else (high, low)
    return (
        f"On fold {worst[1]} {result.handed_over} is worst, with {about.show(worst[0])}; on fold {best[1]} best, with "
        f"{about.show(best[0])}."
    )


def decay(about: Subject) -> Figure | str:
    """Show what decay is worth: the winner and its counterpart on the same fresh folds."""
    if about.result is None:
        return NO_RESULT
    found = about.result.control
    if found is None:
        return "the winner was not trained again with another decay (search.control)."
    if None in (*found.fold_scores, *found.counterpart_scores):
        return "the winner or its counterpart with another decay diverged."
    labels = (found.decay, f"{found.counterpart}, rate {decimal_rate(found.learning_rate)}")
    if found.counterpart != "constant":
        labels = ("constant", f"{found.decay}, from {decimal_rate(found.learning_rate)}")
    return _of_pair(about, found, labels, "decay", lambda show: judgements.decay_sentence(found, show))


def warmup(about: Subject) -> Figure | str:
    """Show what warm-up is worth: the winner with and without it on the same fresh folds."""
    if about.result is None:
        return NO_RESULT
    found = about.result.warmup
    if found is None:
        return "the winner was not trained with and without warm-up (search.warmup_control)."
    if None in (*found.fold_scores, *found.counterpart_scores):
        return "the winner with or without warm-up diverged."
    shares = (found.warmup, found.counterpart)
    own, other = (f"warm-up {formats.share(each)}" if each else "no warm-up" for each in shares)
    labels = (own, f"{other}, rate {decimal_rate(found.learning_rate)}")
    return _of_pair(about, found, labels, "warm-up", lambda _show: f"Warm-up: {warmups.warmup(found)}")


def _of_pair(
    about: Subject,
    found: Control | WarmupControl,
    labels: tuple[str, str],
    called: str,
    said: Callable[[Show], str],
) -> Figure:
    """Show the scores of two on the same folds, and the interval of their difference."""
    names = tuple(map(str, range(1, len(found.fold_scores) + 1)))
    places = list(map(float, range(len(names))))
    own, other = ([number(each) for each in scores] for scores in (found.fold_scores, found.counterpart_scores))
    show = formats.score_format([*own, *other])
    pairs = [(labels[0], own, 0), (labels[1], other, 1)]
    series = [
        Series(kind, places, scores, label if kind == LINE else "", tone)
        for label, scores, tone in pairs
        for kind in (LINE, POINTS)
    ]
    axis = FigureAxis("fresh fold" if found.fresh else "one of the last folds", NAMES, names)
    panels = [Panel(axis, FigureAxis(about.axis), tuple(series), "the two on the same folds", 250)]
    if found.gain is not None and found.low is not None and found.high is not None:
        panels.append(_gain(found.gain, found.low, found.high, show, called))
    return Figure(
        formats.sentence(said(show)),
        tuple(panels),
        ("fold", *labels),
        tuple((str(n), show(a), show(b)) for n, (a, b) in enumerate(zip(own, other, strict=True), 1)),
    )


def _gain(gain: float, low: float, high: float, show: Show, called: str) -> Panel:
    zero = Series(LINE, [0.0, 0.0], [-0.5, 0.5], "", 4)
    span = Series(SPANS, [gain], [0.0], low=[low], high=[high], texts=[formats.signed(gain, show)])
    label = FigureAxis(f"score that {called} gains; left of 0 it loses")
    return Panel(label, FigureAxis("", NAMES, ("90 % interval",)), (zero, span), f"what {called} gains", 150)
