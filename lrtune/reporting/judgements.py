"""How good the choice is and why it was chosen, as sentences and rows of the page that shows it."""

from __future__ import annotations

from lrtune.reporting.paired import unlike
from lrtune.reporting.warmups import warmup
from lrtune.text import formats
from lrtune.text.formats import Show
from lrtune.verdict.comparison import Difference
from lrtune.verdict.controlled import CONSTANT
from lrtune.verdict.result import Ahead, Control, Corrected, Result
from lrtune.verdict.standing import Standing


def _how(result: Result) -> str:
    return result.selection.how if result.selection else "a rule"


def _best_mean(first: Ahead, scores: Show) -> str:
    by = "" if first.gain is None else f", ahead by {formats.gap(first.gain.mean, scores)}"
    return f"trial {first.number} has the best mean{by}"


def _default_chosen(result: Result, scores: Show) -> str:
    if result.ahead is None:
        if result.counts.total == 1:
            return "the default configuration, the only one that was tried"
        return "the default configuration is the best that was tried"
    return f"the default configuration, chosen by {_how(result)}; {_best_mean(result.ahead, scores)}"


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
        words = f"{scores(found.naive)}{_sizes(result)}, {_luck(found.optimism, scores)}"
        if found.share is not None and result.counts.total > 1:
            words += f"; {_again(found, is_fresh=chosen is not None and chosen.fresh)}"
        rows.append(("mean of folds", words))
    if result.ahead or (chosen and chosen.rule != "best"):
        rows.append(("chosen by", _chosen_by(result, scores)))
    return rows


def _again(found: Corrected, *, is_fresh: bool) -> str:
    """Say in which part of the resamples the same is chosen."""
    said = f"{formats.share(found.share or 0.0)} of {formats.count(found.resamples)} resamples"
    if found.drawn > found.resamples:
        said += f" ({formats.count(found.drawn)} were drawn; the others leave out nothing that has a score)"
    if is_fresh:
        said += ", which repeat the choice without the fresh scores,"
    return f"{said} choose the same"


def _luck(optimism: float, scores: Show) -> str:
    if formats.is_nothing(optimism):
        return "no different from the corrected score"
    by = formats.rough_gap(optimism, scores)
    return f"which looks better by {by}, because it was picked" if optimism > 0 else f"which looks worse by {by}"


def _chosen_by(result: Result, scores: Show) -> str:
    other = "it has the best mean as well" if result.ahead is None else _best_mean(result.ahead, scores)
    return f"{_how(result)}: trial {result.best.number}; {other}"


def worth_rows(result: Result, scores: Show) -> list[tuple[str, str]]:
    """Say whether tuning was worth it: against the default configuration, and whether decay was."""
    rows = []
    if result.is_mean:
        rows.append(("difference", f"of {result.scored}: {gain_sentence(result, scores)}"))
    elif result.best.number != result.default.number:
        rows.append(("difference", gain_sentence(result, scores)))
    elif result.ahead and result.ahead.gain:
        rows.append(("difference", f"trial {result.ahead.number} is {_apart(result.ahead.gain, scores)}"))
    else:
        rows.append(("difference", f"none: {_default_chosen(result, scores)}"))
    if result.control:
        of = f"of {result.called}: " if result.is_mean else ""
        rows.append(("decay", of + decay_sentence(result.control, scores)))
    elif result.constant:
        words = f"trial {result.constant.number} has {scores(result.constant.mean)}, the best with a constant rate; "
        rows.append(("decay", words + "rate and optimizer may differ, too"))
    if said := warmup(result.warmup):
        rows.append(("warm-up", said.rstrip(".")))
    return rows


def decay_sentence(found: Control, scores: Show) -> str:
    """Say what decay is worth, and if nothing can be seen, what could have been."""
    rate, count = formats.rate(found.learning_rate), len(found.fold_scores)
    folds = formats.plural(count, "fresh fold") if found.fresh else f"the last {formats.plural(count, 'fold')}"
    if found.counterpart == CONSTANT:
        pair, rival = found.decay, f"a constant rate of {rate}"
    else:
        pair, rival = f"{found.decay} decay from {rate}", f"the constant rate of trial {found.number}"
    if found.gain is None:
        return f"{pair} cannot be compared with {rival}: one of the two diverged on {folds}"
    by, least = formats.gap(found.gain, scores), ""
    if found.low is not None and found.high is not None and found.low <= 0 <= found.high:
        half = (found.high - found.low) / 2
        least = formats.gap(half, scores)
        if by == least:
            by, least = unlike(found.gain, half)
    words = f"all else equal, {_worth(found.gain, by, pair, rival)} on {folds}"
    if found.low is None or found.high is None:
        return f"{words}, {_unsure(found)}"
    words += f" (90 % interval {formats.signed(found.low, scores)} to {formats.signed(found.high, scores)})"
    return f"{words}; an effect below {least} could not be seen" if least else words


def _worth(gain: float, by: str, pair: str, rival: str) -> str:
    if formats.is_nothing(gain):
        return f"there is no difference between {pair} and {rival}"
    verb, beside = ("gains", "over") if gain > 0 else ("loses", "to")
    return f"{pair} {verb} {by} {beside} {rival}"


def _unsure(found: Control) -> str:
    """Say why there is no interval."""
    if len(found.fold_scores) < 2:
        return "which cannot say how sure that is"
    if found.fold_scores == found.counterpart_scores:
        return "as if both predict the same: what decay is worth cannot be told"
    return "the same on each, which cannot say how sure that is"


def _sizes(result: Result) -> str:
    """Say of how large a training the number is."""
    found = result.training
    return f" by models of {formats.count(found.fold_rows)} rows (of {formats.count(found.rows)})" if found else ""


def gain_sentence(result: Result, scores: Show) -> str:
    """Say in words whether tuning was worth it; above all where it was not."""
    found = result.gain
    if found is None:
        return "unknown: the default configuration has no score on every fold"
    words = _apart(found, scores)
    gain = result.corrected and result.corrected.gain
    if gain and found.error is not None and not all(map(formats.is_nothing, (gain.mean, gain.low, gain.high))):
        words += f"; corrected for having been picked {formats.signed(gain.mean, scores)}"
        words += f" ({formats.signed(gain.low, scores)} to {formats.signed(gain.high, scores)})"
    return words


def _apart(found: Difference, scores: Show) -> str:
    """Say by how much a trial is better than another, and how sure that is."""
    by = _better_by(found, scores)
    if found.error is None:
        return f"{by} on the only fold, which cannot say how sure that is"
    if formats.is_nothing(found.mean) and formats.is_nothing(found.error):
        return "none: the scores are equal on every fold"
    words = f"{by} ± {formats.gap(found.error, scores)} (standard error), on {found.wins} of {found.folds} folds"
    if found.probability is not None:
        words += f"; probability {formats.share(found.probability)}"
    if found.is_clear:
        return words
    return f"{words}: {'likely, not certain' if found.is_likely else 'the folds cannot tell them apart'}"


def _better_by(found: Difference, scores: Show) -> str:
    if formats.is_nothing(found.mean):
        return "no better on average, by 0"
    return f"{'worse' if found.mean < 0 else 'better'} by {formats.gap(found.mean, scores)}"
