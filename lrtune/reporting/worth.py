"""Whether tuning was worth it, and whether decay is, in a sentence or two each; above all where they are not."""

from __future__ import annotations

from lrtune.reporting.in_words import decimal_rate
from lrtune.reporting.paired import pair_sentence
from lrtune.reporting.tables import key_name
from lrtune.text import formats
from lrtune.text.formats import Show
from lrtune.verdict.comparison import LIKELY, Difference, Gain
from lrtune.verdict.controlled import CONSTANT
from lrtune.verdict.result import Control, Result

_WITHOUT_SCORE = {"diverged": "diverged", "failed": "failed", "pruned": "was pruned"}
"""What is said of a default configuration in this state."""


def tuning(result: Result, show: Show) -> str:
    """Say whether what is delivered is better than the default configuration, which is trial 0."""
    default, gain = result.default, result.gain
    if result.best.number == default.number and not result.is_mean:
        return _default_delivered(result)
    if default.mean is None or gain is None:
        state = _WITHOUT_SCORE.get(default.state, "has not been scored yet")
        return f"there is nothing to compare with: the default configuration {state}."
    if gain.error is None:
        return f"{_ahead(gain, show)} on the only fold, which cannot say how sure that is; ask for more search.folds."
    return _judged(gain, result.corrected.gain if result.corrected else None, show)


def _default_delivered(result: Result) -> str:
    if result.counts.total == 1:
        return "only the default configuration was tried."
    if result.ahead is None:
        return "not worth it here: no other trial is better than the default configuration, which is delivered."
    return "the default configuration was chosen, so that nothing was gained."


def _judged(gain: Difference, left: Gain | None, show: Show) -> str:
    """Judge by the folds and by the resamples: both have to agree before tuning is called worth it."""
    said, mean = _ahead(gain, show), gain.mean if left is None else left.mean
    if gain.mean < 0.0 or formats.is_nothing(gain.mean):
        return f"not worth it here: {said}. Prefer the default configuration, trial 0."
    if mean < 0.0 or formats.is_nothing(mean):
        return (
            f"not worth it here: {said} on the folds, but nothing of that is left once corrected for having been"
            " picked. The default configuration, trial 0, is as good."
        )
    said += f" on average and on {gain.wins} of {gain.folds} folds{_rest(gain, left, show)}"
    if gain.is_clear and (left is None or left.low > 0.0):
        return f"worth it: {said}."
    if gain.is_likely and (left is None or left.probability >= LIKELY):
        return f"likely worth it: {said}. More folds or search.repeats would make sure."
    return (
        f"not certain: {said}, which may be chance. Until more folds or search.repeats tell, the default"
        " configuration, trial 0, is as good."
    )


def _ahead(gain: Difference, show: Show) -> str:
    if formats.is_nothing(gain.mean):
        return "there is no difference to the default"
    return f"{'worse' if gain.mean < 0.0 else 'better'} than the default by {formats.gap(gain.mean, show)}"


def _rest(gain: Difference, left: Gain | None, show: Show) -> str:
    """Say what is left of the gain once it is corrected for having been picked, where that is another number."""
    if left is None or show(left.mean) == show(gain.mean):
        return ""
    return f" (by {formats.gap(left.mean, show)} once corrected for having been picked)"


def decay(result: Result, show: Show) -> str:
    """Say whether decay helps; nothing where there is none."""
    if result.control is not None:
        return _pair(result.control, show)
    if result.constant is None:
        return ""
    return (
        f"not measured on its own. The best trial with a constant rate, trial {result.constant.number}, has"
        f" {show(result.constant.mean)} on the folds, but it differs in more than its decay."
    )


def _pair(found: Control, show: Show) -> str:
    """Say whether decay helps, all else equal, and how large an effect could have been seen."""
    rate, one = decimal_rate(found.learning_rate), f"{key_name(found.decay)} decay"
    constant = f"a constant rate of {rate}"
    if found.counterpart != CONSTANT:
        one, constant = f"{one} from {rate}", f"the constant rate of trial {found.number}"
    return pair_sentence(found, one, constant, "makes no clear difference", show)
