"""Whether tuning was worth it, and whether decay is, in a line each; above all where they are not."""

from __future__ import annotations

from lrtune.reporting.in_words import decimal_rate
from lrtune.reporting.paired import pair_sentence
from lrtune.reporting.tables import key_name
from lrtune.text import formats
from lrtune.text.formats import Show
from lrtune.verdict.anchored import ANCHORS
from lrtune.verdict.comparison import LIKELY, Difference, Gain
from lrtune.verdict.controlled import CONSTANT
from lrtune.verdict.findings import HINT, WARNING, Finding
from lrtune.verdict.result import Control, Result

_WITHOUT_SCORE = {"diverged": "diverged", "failed": "failed", "pruned": "was pruned"}
"""What is said of a default configuration in this state."""


def tuning(result: Result, show: Show) -> str:
    """Say whether what is delivered is better than what was not tuned, and than the default configuration, trial 0."""
    default, gain, rival = result.default, result.gain, rival_wins(result)
    if rival is not None:
        return f"not worth it: {_rival(rival)}"
    if result.best.number == default.number and not result.is_mean:
        return _default_delivered(result)
    if default.mean is None or gain is None:
        state = _WITHOUT_SCORE.get(default.state, "has not been scored yet")
        return f"nothing to compare with: the default configuration {state}."
    if gain.error is None:
        return f"{_ahead(gain, show)} on the only fold; more search.folds say how sure that is."
    said = _judged(gain, result.corrected.gain if result.corrected else None, show)
    return f"{said} A linear model that was not tuned is as good." if _untuned_is_as_good(result) else said


def rival_wins(result: Result) -> Finding | None:
    """Find what says that something that was not tuned is as good, once the luck of the choice is taken off.

    Where both a constant and a linear model are, the better one.
    """
    found = [each for each in result.health if each.name == "anchors" and each.severity == WARNING]
    return min(found, key=lambda each: each.numbers["gain"], default=None)


def _untuned_is_as_good(result: Result) -> bool:
    """Tell whether a linear model is delivered that is no better than one that was not tuned."""
    found = (each.numbers for each in result.health if each.name == "anchors" and each.severity == HINT)
    return any(each.get("anchor") == "linear" and each["left"] <= 0.0 for each in found)


def _rival(found: Finding) -> str:
    """Say how good it is, and what to do."""
    gain, kind = found.numbers["gain"], ANCHORS[str(found.numbers["anchor"])]
    after = "once corrected, " if gain > 0.0 and not formats.is_nothing(gain) else ""
    if kind.asked == "constant":
        return f"{after}it is no better than {kind.rival}. {formats.sentence(kind.advice or '')}"
    better = gain < 0.0 and not formats.is_nothing(gain)
    return f"{after}{kind.rival} is {'better' if better else 'as good'}. Take that: it is simpler."


def _default_delivered(result: Result) -> str:
    if result.counts.total == 1:
        return "only the default configuration was tried."
    if result.ahead is None:
        return "not worth it: no other trial is better than the default, which is delivered."
    return "the default configuration was chosen, so nothing was gained."


def _judged(gain: Difference, left: Gain | None, show: Show) -> str:
    """Judge by the folds and by the resamples: both have to agree before tuning is called worth it."""
    said, mean = _ahead(gain, show), gain.mean if left is None else left.mean
    if gain.mean < 0.0 or formats.is_nothing(gain.mean):
        return f"not worth it: {said}. Prefer the default, trial 0."
    if mean < 0.0 or formats.is_nothing(mean):
        return f"not worth it: {said}, but nothing of that is left once corrected."
    on = f"on {gain.wins} of {gain.folds} folds"
    if gain.is_clear and (left is None or left.low > 0.0):
        return f"worth it: {said}{_rest(gain, left, show)}, {on}."
    if gain.is_likely and (left is None or left.probability >= LIKELY):
        return f"likely worth it: {said}{_rest(gain, left, show)}, {on}."
    return f"not certain: {said}, {on}, which may be chance."


def _ahead(gain: Difference, show: Show) -> str:
    if formats.is_nothing(gain.mean):
        return "no different from the default"
    return f"{formats.gap(gain.mean, show)} {'worse' if gain.mean < 0.0 else 'better'} than the default"


def _rest(gain: Difference, left: Gain | None, show: Show) -> str:
    """Say what is left of the gain once it is corrected for having been picked, where that is another number."""
    if left is None or show(left.mean) == show(gain.mean):
        return ""
    return f" ({formats.gap(left.mean, show)} corrected)"


def decay(result: Result, show: Show) -> str:
    """Say whether decay helps; nothing where there is none."""
    if result.control is not None:
        return _pair(result.control)
    if result.constant is None:
        return ""
    return (
        f"not measured: the best constant rate, trial {result.constant.number}, has {show(result.constant.mean)}, but"
        " differs in more."
    )


def _pair(found: Control) -> str:
    """Say whether decay helps, all else equal, and how large an effect could have been seen."""
    if found.counterpart == CONSTANT:
        return pair_sentence(found, "", f"a constant rate of {decimal_rate(found.learning_rate)}", "a constant rate")
    one = f"{key_name(found.decay)} decay from {decimal_rate(found.learning_rate)} is "
    return pair_sentence(found, one, "the constant rate", "the constant rate")
