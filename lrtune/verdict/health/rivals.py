"""Rules about what has to be beaten: the default configuration, what was not tuned, and by a mean the best alone."""

from __future__ import annotations

import math
from collections.abc import Iterator

from lrtune.space.trial import Trial
from lrtune.text import formats
from lrtune.verdict.anchored import ANCHORS
from lrtune.verdict.comparison import LIKELY, Difference, between, difference
from lrtune.verdict.findings import HINT, WARNING, Finding
from lrtune.verdict.health.core import Case
from lrtune.verdict.result import Anchor


def default_wins(case: Case) -> Iterator[Finding]:
    """Notice that the default configuration is the best, or for all that folds tell as good as what is delivered."""
    default = case.trials[0]
    others = len(case.complete) - 1
    if default.mean is None or not others:
        return
    if case.best.number != default.number or case.averaged > 1:
        found = difference(case.handed_over_scores, default.fold_scores, case.rows_ratio)
        if found is not None and found.error is not None:
            yield from _no_clear_gain(case, found)
    elif case.first.number == default.number:
        second = max(each.mean for each in case.complete if each.mean is not None and each.number != default.number)
        beaten = "the other one" if others == 1 else f"all {others} others"
        worse = "the other one is no" if others == 1 else f"none of {others} others is"
        told = (
            f"the default configuration beat {beaten}" if second < default.mean else f"{worse} better than the default"
        )
        yield Finding(
            "default",
            WARNING,
            f"{told}: this search found nothing better",
            "keep the default, or search other dimensions; the ranges may miss what matters",
            {"others": others},
        )
    else:
        yield _preferred(case, default)


def _preferred(case: Case, default: Trial) -> Finding:
    """Say that a rule chose the default, and which trial it passed over."""
    first, found = case.first, between(case.first, default, case.rows_ratio)
    show = formats.score_format([first.mean, default.mean])
    ahead = "" if found is None else f", ahead by {formats.gap(found.mean, show)}"
    sure = "" if found is None or found.probability is None else f" (probability {found.probability:.2f})"
    return Finding(
        "default",
        HINT,
        f"the default configuration was chosen by {case.how}; trial {first.number} has the best mean{ahead}{sure}",
        "keep the default, or look at that trial: search.select: best without search.confirm goes by the mean alone",
        {"first": first.number} | ({} if found is None else {"gain": found.mean, "probability": found.probability}),
    )


def _no_clear_gain(case: Case, found: Difference) -> Iterator[Finding]:
    """Say that the default is as good, or that some doubt is left."""
    numbers = {"gain": found.mean, "error": found.error, "probability": found.probability}
    if not found.is_likely:
        yield Finding(
            "default",
            WARNING,
            f"as far as {found.folds} folds can tell, the default is as good"
            f" ({case.handed_over} is better with probability {found.probability:.2f})",
            "prefer the default unless more folds or search.repeats say otherwise",
            numbers,
        )
    elif not found.is_clear:
        yield Finding(
            "default",
            HINT,
            f"{case.handed_over} is likely better than the default (probability {found.probability:.2f}), but"
            f" {found.folds} folds leave doubt",
            "more folds or search.repeats would make sure",
            numbers,
        )
    elif case.gain is not None and case.gain.low <= 0.0:
        yield Finding(
            "default",
            HINT if case.gain.probability >= LIKELY else WARNING,
            f"without the luck of having been picked, {case.handed_over} cannot be told from the default"
            f" (better with probability {case.gain.probability:.2f})",
            "more folds or search.repeats would make sure",
            {"gain": case.gain.mean, "probability": case.gain.probability},
        )


def mean_loses(case: Case) -> Iterator[Finding]:
    """Notice a mean that was asked for by number, and that the best alone beats."""
    best, scores = case.best.mean, [each for each in case.handed_over_scores if each is not None]
    if case.averaged == 1 or best is None or case.reigns:
        return
    mean = math.fsum(scores) / len(scores)
    if mean >= best or formats.is_nothing(best - mean):
        return
    show = formats.score_format([mean, best])
    found = difference(case.best.fold_scores, case.handed_over_scores, case.rows_ratio)
    sure = "" if found is None or found.probability is None else f" (probability {found.probability:.2f} that it is)"
    yield Finding(
        "ensemble",
        WARNING,
        f"{case.handed_over} is worse than the best alone, by {formats.gap(best - mean, show)} on the folds{sure}",
        "set retrain.ensemble: auto, which takes a mean only where it is better",
        {"mean": mean, "best": best},
    )


def anchors_win(case: Case) -> Iterator[Finding]:
    """Notice that what was not tuned is as good, once the luck of the choice is taken off.

    Of two that are, a linear model is only told of where it is better than a constant prediction. It is no simpler than
    what is delivered where that is linear itself.
    """
    luck, beaten_by = max(case.optimism, 0.0), math.inf
    is_searched = any(each.name == "model" for each in case.space.dimensions)
    for each in case.anchors:
        kind, gain = ANCHORS[each.name], each.gain
        if kind.advice is None or gain is None or gain.error is None or gain.mean >= beaten_by:
            continue
        left = gain.mean - luck
        numbers = {"anchor": each.name, "gain": gain.mean, "left": left, "probability": gain.probability}
        is_linear = case.is_linear and kind.asked == "linear"
        advice = kind.advice + (kind.of_networks if case.is_own and not is_searched else "")
        if left <= 0.0:
            beaten_by = gain.mean
            how = _behind(case, each, gain.mean)
            if is_linear:
                sentence = f"{case.handed_over} is linear, and no better than a linear model that was not tuned: {how}"
                yield Finding("anchors", HINT, sentence, "tune it no further: there is nothing more in it", numbers)
            else:
                yield Finding(
                    "anchors", WARNING, f"{case.handed_over} does not beat {kind.rival}: {how}", advice, numbers
                )
        elif not gain.is_likely and not is_linear:
            sentence = f"{case.handed_over} may not beat {kind.rival} (probability {gain.probability:.2f} that it does)"
            yield Finding("anchors", HINT, sentence, advice, numbers)


def _behind(case: Case, anchor: Anchor, gain: float) -> str:
    """Say how the best stands to an anchor that it does not beat."""
    show = formats.score_format([case.best.mean, anchor.mean])
    if formats.is_nothing(gain):
        return "there is no difference on the same folds"
    if gain < 0.0:
        return f"behind by {formats.gap(gain, show)} on the same folds"
    by, picked = formats.gap(gain, show), formats.gap(case.optimism, show)
    return f"its lead on the same folds, {by}, is less than the luck of having been picked, {picked}"
