"""Figures of the answer: what to expect, beside what was not tuned; and how much of the score is luck."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from lrtune.reporting.html.figures import NAMES, SPANS, Figure, FigureAxis, Panel, Series
from lrtune.text import formats
from lrtune.text.formats import Show
from lrtune.verdict.anchored import ANCHORS
from lrtune.verdict.comparison import Difference, corrected_error, t_quantile
from lrtune.verdict.standing import oriented

if TYPE_CHECKING:
    from lrtune.reporting.html.subject import Subject
    from lrtune.verdict.result import Result

NO_RESULT = "no trial is complete yet, or the trials are trained elsewhere."


class _Row(NamedTuple):
    """A score with its interval: a row of a figure."""

    name: str
    score: float
    low: float
    high: float
    tone: int = 0


def anchors(about: Subject) -> Figure | str:
    """Set the best beside what was not tuned, on the same folds."""
    result = about.result
    if result is None or result.mean is None:
        return NO_RESULT
    ratio = about.run.rows_ratio
    shown: list[tuple[str, Sequence[float | None], Difference | None, int]] = [
        (_name(result), result.fold_scores, None, 0)
    ]
    for each in result.anchors:
        name = ANCHORS[each.name].called + (f", {each.numbers} numbers" if each.numbers else "")
        shown.append((name, each.fold_scores, each.gain, 4))
    if not result.anchors and result.default.number != result.best.number:
        shown.append((ANCHORS["default"].called, result.default.fold_scores, result.gain, 4))
    rows = [row for name, scores, _, tone in shown if (row := _of_folds(about, name, scores, ratio, tone))]
    gaps = {name: gain for name, _, gain, _ in shown}
    show = formats.score_format([each.score for each in rows])
    folds = formats.plural(len(result.fold_scores), "fold")
    return Figure(
        f"Everything is scored on the same {folds}, the best included, and none is corrected. The mark is the "
        "mean, the span the 95 % interval that the folds leave.",
        (_spans(about, rows, show),),
        ("what", about.axis, "from", "to", "the best is better by", "probability"),
        tuple(
            (
                each.name,
                *map(show, (each.score, each.low, each.high)),
                *_gap(gaps[each.name], show),
            )
            for each in rows
        ),
    )


def _name(result: Result) -> str:
    return result.handed_over if result.is_mean else f"{result.called} (trial {result.best.number})"


def _gap(gain: Difference | None, show: Show) -> tuple[str, str]:
    if gain is None:
        return "", ""
    return formats.signed(gain.mean, show), "" if gain.probability is None else formats.share(gain.probability)


def _of_folds(about: Subject, name: str, scores: Sequence[float | None], ratio: float | None, tone: int) -> _Row | None:
    known = [each for each in scores if each is not None]
    if not known or len(known) < len(scores):
        return None
    mean = math.fsum(known) / len(known)
    if len(known) < 2:
        return _Row(name, mean, mean, mean, tone)
    error = corrected_error(known, 1 / (len(known) - 1) if ratio is None else ratio)
    half = t_quantile(len(known) - 1) * error
    low, high = _bounded(about, mean - half, mean + half)
    return _Row(name, mean, low, high, tone)


def _bounded(about: Subject, low: float, high: float) -> tuple[float, float]:
    """Keep an interval where scores can be."""
    from lrtune.training.metrics.catalogue import METRICS

    if about.metric not in METRICS:
        return low, high
    ends = sorted(oriented(about.metric, each) for each in METRICS[about.metric].bounds)
    return max(low, ends[0]), min(high, ends[1])


def _spans(about: Subject, rows: Sequence[_Row], show: Show) -> Panel:
    ordered = list(rows)[::-1]
    series = tuple(
        Series(
            SPANS,
            [each.score],
            [float(place)],
            tone=each.tone,
            low=[each.low],
            high=[each.high],
            titles=[f"{each.name}: {show(each.score)}"],
            texts=[show(each.score)],
        )
        for place, each in enumerate(ordered)
    )
    names = tuple(each.name for each in ordered)
    return Panel(FigureAxis(about.axis), FigureAxis("", NAMES, names), series, height=52 + 32 * len(rows))


def optimism(about: Subject) -> Figure | str:
    """Show the score as it is, without luck, and on rows that the search never saw."""
    result = about.result
    if result is None or result.mean is None:
        return NO_RESULT
    found, test = result.corrected, result.test
    if found is None and (test is None or test.score is None):
        return "there is neither a corrected score nor a score on test rows."
    rows = [_Row(f"{result.handed_over}, mean of its folds", result.mean, result.mean, result.mean, 4)]
    if found is not None:
        rows.append(_Row("corrected for having been picked", found.score, found.low, found.high, 0))
    if test is not None and test.score is not None:
        name = f"on {formats.plural(test.rows, 'test row')}"
        rows.append(_Row(name, test.score, test.score, test.score, 1))
    show = formats.score_format([each.score for each in rows])
    return Figure(
        _luck(about, show),
        (_spans(about, rows, show),),
        ("what", about.axis, "from", "to"),
        tuple((each.name, *map(show, (each.score, each.low, each.high))) for each in rows),
    )


def _luck(about: Subject, show: Show) -> str:
    result = about.result
    assert result is not None
    found, tried = result.corrected, formats.plural(result.counts.total, "trial")
    parts = []
    if found is not None:
        luck = f"has not made it look better than it is, as far as {formats.plural(found.resamples, 'resample')} tell"
        if found.optimism > 0 and not formats.is_nothing(found.optimism):
            luck = f"makes it look {formats.rough_gap(found.optimism, show)} better than it is"
        parts.append(f"Picking the best of {tried} {luck}. The span is the 95 % interval of what to expect.")
    if result.test is not None and result.test.score is not None:
        parts.append("No trial has seen the test rows; a score on few rows is rough.")
    return " ".join(parts)
