"""What a run has to show, as figures: each from its study and its result, without training and without a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lrtune.reporting import tables
from lrtune.reporting.html.figures import (
    BAND,
    BARS,
    DASHED,
    LINE,
    LOG,
    MOST_ROWS,
    NAMES,
    POINTS,
    SPANS,
    WHOLE,
    Figure,
    FigureAxis,
    Series,
)
from lrtune.reporting.html.predictions import predictions
from lrtune.space.dimensions import Integer, Ordinal, Real, warp
from lrtune.space.trial import Curves, Trial, TrialState
from lrtune.text import formats
from lrtune.training.declarations import number
from lrtune.training.feedback import is_watched
from lrtune.training.schedules import multipliers
from lrtune.verdict.anchored import ANCHORS
from lrtune.verdict.standing import own_sign

if TYPE_CHECKING:
    from lrtune.run.folder import Run
    from lrtune.verdict.explanation import Explanation
    from lrtune.verdict.result import Result

_STEPS = 24
"""Points of an epoch at which a schedule is drawn."""

_LINES = 60
"""Trials that parallel coordinates draw."""

_NOT_BY_FOLD = ("default", "majority", "mean")
"""Anchors that do not stand by fold: one is a trial, and the other would press all lines into one."""


def figures(run: Run, result: Result, explanation: Explanation | None = None) -> list[Figure]:
    """Make every figure that the run has numbers for, in the order of the page."""
    made = (
        number_figure(result),
        history(run, result),
        rates(run, result),
        parallel(run, result),
        curves(run, result),
        schedule(run, result),
        folds(result),
        pair(result),
        importance(explanation),
        predictions(run, result),
    )
    return [each for each in made if each is not None]


def number_figure(result: Result) -> Figure:
    """Set what the search found beside what it is compared with."""
    rows: list[tuple[str, float, float, float]] = []
    found = result.corrected
    if found is not None:
        rows.append((f"{result.handed_over}, corrected", found.score, found.low, found.high))
    mean = result.mean
    if mean is not None:
        rows.append((f"{result.handed_over}, mean of folds", mean, mean, mean))
    if result.test is not None and result.test.score is not None:
        score = result.test.score
        rows.append((f"test, {formats.plural(result.test.rows, 'row')}", score, score, score))
    anchors = [(ANCHORS[each.name].called, each.mean) for each in result.anchors if each.mean is not None]
    rows += [(name, value, value, value) for name, value in anchors]
    show = formats.score_format([each[1] for each in rows])
    order = list(range(len(rows)))[::-1]
    names = tuple(rows[place][0] for place in order)
    values = [rows[place] for place in order]
    what = "A span is the 95 % interval of the corrected score: what to expect on new rows."
    return Figure(
        "number",
        "What to expect",
        f"{what} The other marks are means over the same folds, and the score on rows that the search never saw.",
        FigureAxis(_named(result)),
        FigureAxis("", NAMES, names),
        (
            Series(
                SPANS,
                [each[1] for each in values],
                order[::-1],
                low=[each[2] for each in values],
                high=[each[3] for each in values],
                titles=[f"{each[0]}: {show(each[1])}" for each in values],
            ),
        ),
        ("what", result.metric, "from", "to"),
        tuple((each[0], *map(show, each[1:])) for each in rows),
        height=70 + 30 * len(rows),
    )


def history(run: Run, result: Result) -> Figure | None:
    """Show the score of every trial, and the best so far."""
    scored = [each for each in run.trials if each.mean is not None]
    if len(scored) < 2:
        return None
    values = [_own(result, each) for each in scored]
    show, better = formats.score_format(values), max if result.larger_is_better else min
    best, line = values[0], []
    for value in values:
        best = better(best, value)
        line.append(best)
    steps_x = [*[float(each.number) for each in scored for _ in (0, 1)][1:], float(run.trials[-1].number)]
    steps_y = [value for value in line for _ in (0, 1)]
    lost = sum(each.state in (TrialState.DIVERGED, TrialState.FAILED) for each in run.trials)
    said = f" {formats.plural(lost, 'trial')} without a score {'is' if lost == 1 else 'are'} not shown." if lost else ""
    end = _end(values, larger_is_better=result.larger_is_better)
    shown = scored[:MOST_ROWS]
    return Figure(
        "history",
        "Score by trial",
        f"The line is the best score so far; the last time it moved was at trial {_last_move(scored, line)}."
        f"{said}{_beyond(values, end, result)}",
        FigureAxis("trial", WHOLE),
        FigureAxis(_named(result)),
        (
            Series(
                POINTS,
                [float(each.number) for each in scored],
                _until(values, end, result),
                titles=[f"trial {each.number}: {show(value)}" for each, value in zip(scored, values, strict=True)],
            ),
            Series(LINE, steps_x, _until(steps_y, end, result), tone=1),
        ),
        ("trial", result.metric, "std", "configuration"),
        tuple(
            (str(each.number), show(_own(result, each)), show(each.std), tables.configuration_line(each.configuration))
            for each in shown
        ),
    )


def _last_move(scored: Sequence[Trial], line: Sequence[float]) -> int:
    return scored[next(place for place, value in enumerate(line) if value == line[-1])].number


def _end(values: Sequence[float], *, larger_is_better: bool) -> float:
    """Give the worst score that an axis shows: a few bad trials do not press all others into one line.

    >>> _end([0.0, 0.5, 0.75, 0.875, 1.0], larger_is_better=True)
    0.25
    """
    inner = np.quantile(values, 0.25 if larger_is_better else 0.75)
    best = max(values) if larger_is_better else min(values)
    end = float(inner + 0.5 * (inner - best))
    return max(end, min(values)) if larger_is_better else min(end, max(values))


def _until(values: Sequence[float], end: float, result: Result) -> list[float]:
    return [max(each, end) if result.larger_is_better else min(each, end) for each in values]


def _beyond(values: Sequence[float], end: float, result: Result) -> str:
    count = sum(each < end if result.larger_is_better else each > end for each in values)
    return f" Of {formats.plural(count, 'worse trial')} the mark is at the edge." if count else ""


def rates(run: Run, result: Result) -> Figure | None:
    """Show the score against the learning rate, by optimizer or by decay."""
    scored = [each for each in run.trials if each.mean is not None and "learning_rate" in each.configuration]
    values = [number(each.configuration["learning_rate"]) for each in scored]
    if len(scored) < 3 or len(set(values)) < 3:
        return None
    key = next((each for each in ("optimizer", "decay") if len(_kinds(scored, each)) > 1), None)
    groups = {"": scored} if key is None else {kind: _of_kind(scored, key, kind) for kind in _kinds(scored, key)}
    scores = [_own(result, each) for each in scored]
    show, end = formats.score_format(scores), _end(scores, larger_is_better=result.larger_is_better)
    best, error = result.best, (result.best.std or 0.0) / math.sqrt(max(len(result.best.fold_scores), 1))
    band: tuple[Series, ...] = ()
    if best.mean is not None:
        ends, around = (
            [min(values), max(values)],
            sorted((best.mean, best.mean + (-error if result.larger_is_better else error))),
        )
        band = (Series(BAND, ends, ends, "within one standard error of the best", 5, [around[0]] * 2, [around[1]] * 2),)
        band = (band[0]._replace(y=[best.mean, best.mean]),)
    points = tuple(
        Series(
            POINTS,
            [number(each.configuration["learning_rate"]) for each in part],
            _until([_own(result, each) for each in part], end, result),
            kind,
            tone,
            titles=[f"trial {each.number}: {show(_own(result, each))}" for each in part],
        )
        for tone, (kind, part) in enumerate(groups.items())
    )
    ordered = sorted(scored, key=lambda each: number(each.configuration["learning_rate"]))[:MOST_ROWS]
    return Figure(
        "rates",
        "Score by learning rate",
        "Each mark is a trial; those in the band cannot be told from the best by one standard error of its folds."
        f"{_beyond(scores, end, result)}",
        FigureAxis("learning rate", LOG),
        FigureAxis(_named(result)),
        (*band, *points),
        ("learning rate", result.metric, "trial", *([key] if key else [])),
        tuple(
            (
                formats.rate(number(each.configuration["learning_rate"])),
                show(_own(result, each)),
                str(each.number),
                *([str(each.configuration.get(key))] if key else []),
            )
            for each in ordered
        ),
    )


def _kinds(trials: Sequence[Trial], key: str) -> list[str]:
    return sorted({str(each.configuration[key]) for each in trials if key in each.configuration})


def _of_kind(trials: Sequence[Trial], key: str, kind: str) -> list[Trial]:
    return [each for each in trials if str(each.configuration.get(key)) == kind]


def parallel(run: Run, result: Result) -> Figure | None:
    """Draw the best trials as lines through all dimensions that they share, and their score."""
    ranked = run.ranked[:_LINES]
    dimensions = [each for each in run.space.dimensions if each.size > 1]
    if len(ranked) < 5 or not 2 <= len(dimensions) <= 12:
        return None
    places = {each.name: _places(each, ranked) for each in dimensions}
    scores = np.array([each.mean for each in ranked], dtype=np.float64)
    spread = float(np.ptp(scores)) or 1.0
    names = [*places, result.metric]
    lines = []
    third = max(len(ranked) // 3, 1)
    for group in (2, 1, 0):  # the best on top
        for place in range(group * third, len(ranked) if group == 2 else (group + 1) * third):
            heights = [*(each[place] for each in places.values()), float((scores[place] - scores.min()) / spread)]
            label = ("the best third", "the middle third", "the rest")[group] if place == group * third else ""
            lines.append(Series(LINE, list(map(float, range(len(names)))), heights, label, (0, 4, 5)[group]))
    return Figure(
        "parallel",
        "The best trials in all dimensions",
        f"Each line is one of the {formats.plural(len(ranked), 'best trial')}; numbers rise from the lowest value that "
        "was tried to the highest, options stand in their order, and the score is better higher up.",
        FigureAxis("", NAMES, tuple(map(tables.key_name, names))),
        FigureAxis("lowest to highest"),
        tuple(lines),
        ("trial", *names),
        tuple(
            (
                str(each.number),
                *(tables.value_text(name, each.configuration.get(name)) for name in places),
                formats.number(own_sign(result.metric, each.mean) or 0.0),
            )
            for each in ranked
        ),
    )


def _places(dimension: object, trials: Sequence[Trial]) -> list[float]:
    """Give the height of each trial on the axis of a dimension, from 0 to 1."""
    name = str(getattr(dimension, "name", ""))
    values = [each.configuration.get(name) for each in trials]
    if isinstance(dimension, Real | Integer | Ordinal):
        scale = dimension.scale if isinstance(dimension, Real | Integer) else "linear"
        heights = [warp(number(each), scale) for each in values]
    else:
        order = {str(each): place for place, each in enumerate(dict.fromkeys(map(str, values)))}
        heights = [float(order[str(each)]) for each in values]
    low, high = min(heights), max(heights)
    return [(each - low) / (high - low) if high > low else 0.5 for each in heights]


def curves(run: Run, result: Result) -> Figure | None:
    """Show the losses of the winner and of the default by epoch."""
    shown = {result.default.number: "default"} | {result.best.number: "best"}
    series: list[Series] = []
    rows: dict[int, dict[str, str]] = {}
    for tone, (place, called) in enumerate(reversed(shown.items())):
        trial = run.study.trials[place]
        for kind, line, what in (("validation", LINE, "validation"), ("train", DASHED, "training")):
            epochs, losses = _known(trial.curves, kind)
            if len(epochs) > 1:
                label = f"{called} (trial {trial.number}), {what}"
                series.append(Series(line, epochs, losses, label, tone))
                for epoch, loss in zip(epochs, losses, strict=True):
                    rows.setdefault(int(epoch), {})[label] = formats.number(loss)
    if not series:
        return None
    labels = [each.label for each in series]
    return Figure(
        "curves",
        "Learning curves",
        "Loss by epoch, mean over the folds. Where the solid line rises again, fewer epochs or more regularisation "
        "would help; where it still falls at the end, more epochs.",
        FigureAxis("epoch", WHOLE),
        FigureAxis("loss"),
        tuple(series),
        ("epoch", *labels),
        tuple((str(epoch), *(rows[epoch].get(each, "") for each in labels)) for epoch in sorted(rows)),
    )


def _known(found: Curves | None, kind: str) -> tuple[list[float], list[float]]:
    if found is None:
        return [], []
    pairs = [
        (float(epoch), loss) for epoch, loss in zip(found.epochs, getattr(found, kind), strict=True) if loss is not None
    ]
    return [epoch for epoch, _ in pairs], [loss for _, loss in pairs]


def schedule(run: Run, result: Result) -> Figure | None:
    """Show the learning rate of the best over its training."""
    whole = run.configuration(run.study.trials[result.best.number].configuration)
    if "decay" not in whole or "learning_rate" not in whole or is_watched(whole):
        return None
    epochs = int(number(whole["epochs"]))
    steps = max(1, min(_STEPS, 2000 // epochs))
    rates = multipliers(whole, steps, epochs) * number(whole["learning_rate"])
    times = (np.arange(len(rates)) / steps).tolist()
    every = max(1, len(rates) // 40)
    return Figure(
        "schedule",
        "The learning rate of the best",
        f"{str(whole['decay']).capitalize()} from {formats.rate(number(whole['learning_rate']))} over "
        f"{formats.plural(epochs, 'epoch')}.",
        FigureAxis("epoch", WHOLE),
        FigureAxis("learning rate"),
        (Series(LINE, times, rates.tolist()),),
        ("epoch", "learning rate"),
        tuple(
            (formats.number(t), formats.rate(r) if r > 0 else "0")
            for t, r in list(zip(times, rates.tolist(), strict=True))[::every]
        ),
        height=220,
    )


def folds(result: Result) -> Figure | None:
    """Show the score of the best, the default and the anchors on each fold."""
    count = len(result.best.fold_scores)
    if count < 2:
        return None
    rows: dict[str, Sequence[float | None]] = {f"best (trial {result.best.number})": result.best.fold_scores}
    if result.is_mean and result.delivered is not None:
        rows = {result.scored: result.delivered.fold_scores, **rows}
    if result.default.number != result.best.number:
        rows["default (trial 0)"] = result.default.fold_scores
    rows |= {ANCHORS[each.name].called: each.fold_scores for each in result.anchors if each.name not in _NOT_BY_FOLD}
    series = []
    for tone, (name, scores) in enumerate(rows.items()):
        pairs = [(float(fold), score) for fold, score in enumerate(scores, 1) if score is not None]
        series.append(Series(LINE, [a for a, _ in pairs], [b for _, b in pairs], name, tone))
    show = formats.score_format([each for scores in rows.values() for each in scores])
    return Figure(
        "folds",
        "Fold by fold",
        "All of them on the same folds: lines that cross are not told apart.",
        FigureAxis("fold", WHOLE),
        FigureAxis(_named(result)),
        tuple(series),
        ("fold", *rows),
        tuple(
            (str(fold + 1), *(show(scores[fold]) if fold < len(scores) else "" for scores in rows.values()))
            for fold in range(min(count, MOST_ROWS))
        ),
    )


def pair(result: Result) -> Figure | None:
    """Show what decay is worth: the winner and its counterpart on the same fresh folds."""
    found = result.control
    if found is None or None in (*found.fold_scores, *found.counterpart_scores):
        return None
    places = list(map(float, range(1, len(found.fold_scores) + 1)))
    own, other = ([number(each) for each in scores] for scores in (found.fold_scores, found.counterpart_scores))
    show = formats.score_format([*own, *other])
    labels = (found.decay, f"{found.counterpart}, rate {formats.rate(found.learning_rate)}")
    return Figure(
        "pair",
        "Is decay worth it?",
        "The winner, and the same training with the other decay and the best rate for that, with equal seeds on fresh "
        "folds. Only what separates the two everywhere is sure.",
        FigureAxis("fresh fold", WHOLE),
        FigureAxis(_named(result)),
        (Series(LINE, places, own, labels[0], 1), Series(LINE, places, other, labels[1], 0)),
        ("fold", *labels),
        tuple((str(n), show(a), show(b)) for n, (a, b) in enumerate(zip(own, other, strict=True), 1)),
        height=220,
    )


def importance(explanation: Explanation | None) -> Figure | None:
    """Show which dimensions the predicted scores vary with."""
    if explanation is None or not explanation.parts.shares:
        return None
    shares = explanation.parts.shares[:12][::-1]
    names = tuple(each.key for each in shares)
    return Figure(
        "importance",
        "Which dimensions mattered",
        "Parts of the variation of the scores that a model of the trials predicts over the whole space, one dimension "
        "at a time; what is missing to 100 % is what dimensions do only together.",
        FigureAxis("share of the variation (%)"),
        FigureAxis("", NAMES, names),
        (
            Series(
                BARS,
                [100 * each.share for each in shares],
                list(map(float, range(len(shares)))),
                titles=[f"{each.key}: {formats.share(each.share)}" for each in shares],
            ),
        ),
        ("dimension", "share", "standard deviation"),
        tuple((each.key, formats.share(each.share), formats.share(each.error)) for each in shares[::-1]),
        height=70 + 26 * len(shares),
    )


def _own(result: Result, trial: Trial) -> float:
    value = own_sign(result.metric, trial.mean)
    assert value is not None
    return value


def _named(result: Result) -> str:
    better = "more" if result.larger_is_better else "less"
    return f"{result.metric} ({better} is better)"
