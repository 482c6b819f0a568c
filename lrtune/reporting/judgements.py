"""How good the choice is and why it was chosen, as sentences and rows of the page that shows it."""

from __future__ import annotations

from collections.abc import Callable

from lrtune.text import formats
from lrtune.verdict.comparison import Difference
from lrtune.verdict.controlled import CONSTANT
from lrtune.verdict.result import Control, Result, Selection
from lrtune.verdict.standing import Standing

_WITHOUT_SCORE = {"diverged": "diverged", "failed": "failed", "proposed": "has not been scored yet"}
"""What is said of a default configuration in this state."""

Show = Callable[[float | None], str]


def headline(result: Result, scores: Show) -> str:
    """Say how good the choice is, and whether the default configuration is as good.

    A corrected score is never set against a raw one: what is told then is the gain, without the luck of the choice.
    """
    default, gain = result.default, result.gain
    found = f"{result.metric} {_score(result, scores)}"
    if result.best.number == default.number and not is_mean(result):
        return f"{found}: the default configuration is the best that was tried"
    if default.mean is None:
        return f"{found}; the default configuration {_WITHOUT_SCORE[default.state]}"
    if result.corrected is None or gain is None:
        return f"{found}; {_beside_default(gain, plus_minus(default, scores))}"
    without_luck = result.corrected.gain
    return f"{found}; {_ahead_of_default(gain, without_luck.mean if without_luck else gain.mean, scores)}"


def is_mean(result: Result) -> bool:
    """Tell whether the mean of several trials is delivered."""
    return result.delivered is not None and len(result.delivered.trials) > 1


def _beside_default(gain: Difference | None, other: str) -> str:
    if gain is None or gain.error is None or gain.is_clear:
        return f"the default configuration has {other}"
    if gain.is_likely:
        return f"likely better than the default configuration: {other}"
    return f"the default configuration is as good with {other}"


def _ahead_of_default(gain: Difference, mean: float, scores: Show) -> str:
    """Say by how much the choice is better, as far as the folds can tell; of its gain nothing may be left."""
    if mean > 0.0 and (gain.error is None or gain.is_clear):
        return f"better than the default by {scores(mean)}"
    if mean > 0.0 and gain.is_likely:
        return f"likely better than the default by {scores(mean)}"
    if mean > 0.0:
        return f"not clearly better than the default (by {scores(mean)})"
    return "no better than the default" + (f" (behind by {scores(-mean)})" if mean else "")


def _score(result: Result, scores: Show) -> str:
    found = result.corrected
    if found is None:
        return plus_minus(result.best, scores)
    return f"{scores(found.score)} (corrected; 95 % interval {scores(found.low)} to {scores(found.high)})"


def plus_minus(shown: Standing, scores: Show) -> str:
    """Write a mean and the standard deviation over the folds."""
    if shown.mean is None:
        return "no score"
    return scores(shown.mean) + (f" ± {scores(shown.std)}" if shown.std is not None else "")


def corrected_rows(result: Result, scores: Show) -> list[tuple[str, str]]:
    """Say what part of the score is luck, and how the choice was made if not by the best mean."""
    rows = []
    found, chosen = result.corrected, result.selection
    if found:
        good = "good" if found.optimism >= 0 else "bad"
        words = f"{scores(found.naive)}{_sizes(result)}, too {good} by {scores(abs(found.optimism))}"
        if found.share is not None:
            words += f"; chosen in {formats.share(found.share)} of {formats.count(found.resamples)} resamples"
        rows.append(("mean of folds", words))
    if chosen and chosen.rule != "best":
        rows.append(("chosen by", _chosen_by(result.best.number, chosen)))
    return rows


def _chosen_by(own: int, chosen: Selection) -> str:
    other = "it has the best mean as well" if chosen.best == own else f"trial {chosen.best} has the best mean"
    return f"{chosen.rule}: trial {own}; {other}"


def worth_rows(result: Result, scores: Show) -> list[tuple[str, str]]:
    """Say whether tuning was worth it: against the default configuration, and whether decay was."""
    rows = []
    if result.best.number != result.default.number:
        rows.append(("difference", gain_sentence(result, scores)))
    if result.control:
        rows.append(("decay", decay_sentence(result.control, scores)))
    elif result.constant:
        words = f"trial {result.constant.number} has {scores(result.constant.mean)}, the best with a constant rate; "
        rows.append(("decay", words + "rate and optimizer may differ, too"))
    return rows


def decay_sentence(found: Control, scores: Show) -> str:
    """Say what decay is worth, and if nothing can be seen, what could have been."""
    rate, count = formats.rate(found.learning_rate), len(found.fold_scores)
    folds = formats.plural(count, "fresh fold") if found.fresh else f"the last {formats.plural(count, 'fold')}"
    if found.counterpart == CONSTANT:
        pair, rival = found.decay, f"a constant rate of {rate}"
    else:
        pair, rival = f"{found.decay} decay from {rate}", "the constant rate of the best"
    if found.gain is None:
        return f"{pair} cannot be compared with {rival}: one of the two diverged on {folds}"
    verb, beside = ("gains", "over") if found.gain >= 0 else ("loses", "to")
    words = f"all else equal, {pair} {verb} {scores(abs(found.gain))} {beside} {rival} on {folds}"
    if found.low is None or found.high is None:
        return f"{words}, which cannot say how sure that is"
    words += f" (90 % interval {_signed(found.low, scores)} to {_signed(found.high, scores)})"
    if found.low > 0 or found.high < 0 or found.low == found.high:
        return words
    return f"{words}; an effect below {scores((found.high - found.low) / 2)} could not be seen"


def _sizes(result: Result) -> str:
    """Say of how large a training the number is."""
    found = result.training
    return f" by models of {formats.count(found.fold_rows)} rows (of {formats.count(found.rows)})" if found else ""


def _is_nothing(found: Difference) -> bool:
    return not found.mean and not found.error


def gain_sentence(result: Result, scores: Show) -> str:
    """Say in words whether tuning was worth it; above all where it was not."""
    found = result.gain
    if found is None:
        return "unknown: the default configuration has no score on every fold"
    if found.error is None:
        return f"better by {scores(found.mean)} on the only fold, which cannot say how sure that is"
    words = _ahead(found, scores)
    gain = result.corrected and result.corrected.gain
    if gain:
        words += f"; without luck {_signed(gain.mean, scores)}"
        words += f" ({_signed(gain.low, scores)} to {_signed(gain.high, scores)})"
    return words


def _ahead(found: Difference, scores: Show) -> str:
    if _is_nothing(found):
        return "none: the scores are equal on every fold"
    side = "worse" if found.mean < 0 else "better"
    words = f"{side} by {scores(abs(found.mean))} ± {scores(found.error)} (standard error)"
    words += f", on {found.wins} of {found.folds} folds"
    if found.probability is not None:
        words += f"; probability {formats.share(found.probability)}"
    if found.is_clear:
        return words
    return f"{words}: {'likely, not certain' if found.is_likely else 'the folds cannot tell them apart'}"


def _signed(value: float, scores: Show) -> str:
    return f"-{scores(-value)}" if value < 0 else f"+{scores(value)}"
