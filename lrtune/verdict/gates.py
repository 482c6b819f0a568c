"""Whether a result is good enough: compared with a limit, and with a baseline. Arithmetic on results, no files.

A gate is a condition that a result must meet. It has one of three states, of which two are failures: a condition that
could not be checked has not been met.

All of them judge what is delivered, be that one trial or the mean of several.

A result is *worse than the baseline* if the paired differences of what both deliver, fold by fold, lie below
``-tolerance`` with ``p < 0.05`` in the one-sided corrected resampled t-test (`lrtune.verdict.comparison`). So noise
does not fail a night's run, and what it takes to fail it follows from how much the folds disagree: more folds or
repeats see smaller losses.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from lrtune.text import formats
from lrtune.training.metrics.catalogue import METRICS
from lrtune.verdict.anchored import ANCHORS, ASKED
from lrtune.verdict.comparison import Difference, difference
from lrtune.verdict.conditions import BASELINE, BEHIND, KEPT, OVER, UNDER, Gate, State
from lrtune.verdict.interval import Interval
from lrtune.verdict.result import Result
from lrtune.verdict.standing import oriented, own_sign

ALPHA = 0.05
"""A result fails as worse if chance alone would look like that this rarely."""

_ROUNDING = 1e-9  # of the scores: what sums of equal numbers in another order may differ by


def judged_score(result: Result) -> tuple[str, float]:
    """Choose the score that limits apply to: the corrected one where there is one, else the mean over the folds."""
    if result.corrected is not None:
        return "corrected", result.corrected.score
    return "mean", _known(result.mean)


def _known(mean: float | None) -> float:
    assert mean is not None  # what is delivered is complete
    return mean


def limit_gate(result: Result, limit: float) -> Gate:
    """Compare the score of a search with a limit, as `score_gate` does."""
    kind, score = judged_score(result)
    return score_gate(result.metric, score, limit, judged=kind, note=_unscored(result))


def score_gate(metric: str, score: float | None, limit: float, *, judged: str, note: str = "") -> Gate:
    """Compare a score with a limit: the least that is allowed, or for errors the most.

    Parameters
    ----------
    metric
        Of the score.
    score, limit
        In the metric's own sign; a score of just the limit passes, and none at all fails.
    judged
        What kind of score it is, in a word.
    note
        What has to be said of it, behind the sentence.

    """
    larger = METRICS[metric].larger_is_better
    if score is None:
        return _untold(UNDER if larger else OVER, f"{judged} {metric} has no score", {"judged": judged, "limit": limit})
    passed = score >= limit if larger else score <= limit
    shown, bound = _told_apart(score, limit)
    relation = {True: ("is under", "is not under"), False: ("is over", "is not over")}[larger][passed]
    return Gate(
        UNDER if larger else OVER,
        State.PASSED if passed else State.FAILED,
        f"{judged} {metric} {shown} {relation} {bound}{note}",
        {"judged": judged, "score": score, "limit": limit},
    )


def kept_gate(metric: str, rows: Interval | None, expected: Interval | None) -> Gate:
    """Ask whether a model keeps on new rows what its search expected; only what chance does not explain fails.

    It fails where the score is worse by more than both intervals allow together, each as if it were of a normal
    distribution: ``expected - score > sqrt(a^2 + b^2)``, with the halves of the intervals that lie towards each other.

    Parameters
    ----------
    metric
        Of both.
    rows, expected
        In the metric's own sign; None where the rows are too few for an interval, or nothing was expected: that fails.

    """
    if rows is None or expected is None:
        what = "the rows are too few to tell" if rows is None else "the search expected no score to compare with"
        return _untold(KEPT, what, {})
    ours, theirs = (_larger_is_better(metric, each) for each in (rows, expected))
    room = math.hypot(ours.high - ours.score, theirs.score - theirs.low)
    passed = theirs.score - ours.score <= room
    shown = formats.score_format([rows.score, expected.score])
    verdict = "not worse" if passed else "worse"
    return Gate(
        KEPT,
        State.PASSED if passed else State.FAILED,
        f"{metric} {shown(rows.score)} on these rows is {verdict} than the {shown(expected.score)} that the search "
        f"expected{'' if passed else ', by more than chance explains'}",
        {"score": rows.score, "expected": expected.score},
    )


def _untold(name: str, reason: str, numbers: Mapping[str, float | int | str | None]) -> Gate:
    """Fail because a condition cannot be checked."""
    return Gate(name, State.UNKNOWN, f"this counts as a failure: {reason}", {**numbers, "reason": reason})


def _larger_is_better(metric: str, found: Interval) -> Interval:
    one, other = oriented(metric, found.low), oriented(metric, found.high)
    return Interval(oriented(metric, found.score), min(one, other), max(one, other))


def behind_gate(result: Result, name: str) -> Gate:
    """Compare the score with that of an anchor on the same folds, or of the default configuration.

    The corrected score is set against the anchor's own: nobody picked the anchor, so that there is no luck in it. To be
    as good is not enough.

    Parameters
    ----------
    result
        A search's result.
    name
        One of `lrtune.verdict.anchored.ASKED`.

    """
    kind, score = judged_score(result)
    if name == "default" and not result.is_mean and result.best.number == result.default.number:
        return Gate(BEHIND, State.FAILED, _default_itself(result), {"anchor": name})
    found = next((each for each in result.anchors if ANCHORS[each.name].asked == name), None)
    if found is None or found.mean is None:
        what = ANCHORS[found.name].rival if found else ASKED[name]
        why = "only training tells this metric" if METRICS[result.metric].is_told else "there was no time for it"
        reason = f"there is no score of {what}" + ("" if found else f" here: {why}")
        return Gate(BEHIND, State.UNKNOWN, f"this counts as a failure: {reason}", {"anchor": name, "reason": reason})
    passed = oriented(result.metric, score) > oriented(result.metric, found.mean)
    shown, other = _told_apart(score, found.mean)
    beaten = f"{'is better' if passed else 'is no better'} than {ANCHORS[found.name].rival}"
    return Gate(
        BEHIND,
        State.PASSED if passed else State.FAILED,
        f"{kind} {result.metric} {shown} {beaten} on the same folds, {other}{_unscored(result)}",
        {"judged": kind, "anchor": name, "score": score, "limit": found.mean},
    )


def _default_itself(result: Result) -> str:
    """Say that there is nothing to set against the default configuration but itself."""
    first = result.ahead
    if first is None:
        return "the default configuration is the best itself"
    how = result.selection.how if result.selection else "a rule"
    return f"the default configuration itself was chosen by {how}; trial {first.number} has the best mean"


def _unscored(result: Result) -> str:
    """Say that the score is not of all folds."""
    found = result.unscored
    return f"; {formats.printable(formats.judged_on(found.of, found.folds))}" if found else ""


def _told_apart(one: float, other: float) -> tuple[str, str]:
    """Write two numbers with as few digits, but at least four, as show which is larger."""
    for digits in range(4, 17):
        texts = formats.significant(one, digits), formats.significant(other, digits)
        if texts[0] != texts[1] or one == other:
            break
    return texts


def why_not_comparable(result: Result, baseline: Result) -> str | None:
    """Say why a baseline's scores cannot be compared with a result's; None if they can.

    Whether they are of the same folds is another question, see `not_same_folds`.
    """
    if baseline.metric != result.metric:
        return f"its metric is {formats.printable(baseline.metric)}, not {result.metric}"
    scores = baseline.fold_scores
    return None if scores and None not in scores else "it has no score on every fold"


def not_same_folds(result: Result, baseline: Result) -> str | None:
    """Say why two results are not of the same folds; None if they are."""
    ours, theirs = result.data, baseline.data
    if not theirs.hash:
        return "it does not say what data and folds it is of"
    if theirs.hash != ours.hash:
        return "its data are not the same"
    return None if theirs.folds == ours.folds else "its folds are not the same"


def unknown_baseline(reason: str) -> Gate:
    """Fail because a comparison cannot be made."""
    sentence = f"without a comparison this counts as a failure: {reason}"
    return Gate(BASELINE, State.UNKNOWN, sentence, {"reason": reason})


def baseline_gate(
    result: Result,
    theirs: Sequence[float | None],
    *,
    tolerance: float = 0.0,
    rows_ratio: float | None = None,
    before: float | None = None,
    called: str | None = None,
) -> Gate:
    """Compare what is delivered with what the baseline delivers, fold by fold.

    Parameters
    ----------
    result
        A search's result.
    theirs
        The baseline's scores on the same folds, in the metric's own sign.
    tolerance
        A loss that does not matter, in the metric's unit; at least 0.
    rows_ratio
        Validation rows over training rows of a fold, as in `lrtune.verdict.comparison.difference`.
    before
        The baseline's mean on its own folds, if ``theirs`` come from training its configuration on these.
    called
        What the baseline's scores are of, in words; said where one of the two delivers a mean of several trials.

    """
    ours = [oriented(result.metric, each) for each in result.fold_scores]
    others = [oriented(result.metric, each) for each in theirs]
    found = difference(ours, others, rows_ratio)
    if found is None:
        return unknown_baseline(
            "its configuration diverges on these folds" if before is not None else "it has another number of folds"
        )
    mine, its = ([each for each in scores if each is not None] for scores in (ours, others))
    margin = tolerance + _ROUNDING * max(map(abs, (*mine, *its)))
    # The loss is larger than the margin where our scores, raised by it, are still behind.
    raised = difference([each + margin for each in mine], its, rows_ratio)
    p = raised.probability if raised else None
    failed = found.mean < -margin and (p is None or p < ALPHA)
    mean = own_sign(result.metric, (sum(mine) - found.mean * found.folds) / found.folds)
    texts = formats.score_format([result.mean, mean])
    whose = "of the baseline"
    if called is not None:
        whose += f" ({called})"
    elif before is not None:
        whose += "'s configuration"
    if before is not None:
        whose += f", trained on these folds (on its own: {texts(before)})"
    judged = texts(result.mean) if called is None else f"{texts(result.mean)} ({result.scored})"
    start = f"{result.metric} {judged} against {texts(mean)} {whose}: "
    return Gate(
        BASELINE,
        State.FAILED if failed else State.PASSED,
        start + _verdict(found, tolerance, margin, p, failed=failed) + _unscored(result),
        {
            "baseline": mean,
            "before": before,
            "difference": found.mean,
            "error": found.error,
            "folds": found.folds,
            "tolerance": tolerance,
            "p": p,
        },
    )


def _verdict(found: Difference, tolerance: float, margin: float, p: float | None, *, failed: bool) -> str:
    loss, allowed = formats.number(abs(found.mean)), formats.number(tolerance)
    where = f"on the same {found.folds} folds" if found.folds > 1 else "on the same fold"
    if abs(found.mean) <= margin - tolerance:
        return f"equal {where}"
    if found.mean > 0:
        return f"better by {loss} {where}"
    if -found.mean <= margin:
        return f"worse by {loss} {where}, within the tolerance of {allowed}"
    more = f", more than the tolerance of {allowed}" if tolerance else ""
    chance = "" if p is None else f" ({_p_text(p)})"
    return f"worse by {loss} {where}{more}{chance}" + ("" if failed else ": the folds cannot tell that from chance")


def _p_text(p: float) -> str:
    return "p < 0.001" if p < 1e-3 else f"p = {p:.2g}"
