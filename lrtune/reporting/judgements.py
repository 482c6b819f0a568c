"""How good the choice is and why it was chosen: as keys of ``result.json``, and as rows of the page that shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lrtune.reporting import tables
from lrtune.reporting.branches import CONSTANT
from lrtune.space.trial import ranking
from lrtune.text import formats
from lrtune.training.registry import METRICS
from lrtune.verdict import comparison
from lrtune.verdict.comparison import Difference

if TYPE_CHECKING:
    from lrtune.space.trial import Configuration, Trial, Value
    from lrtune.verdict.choice import Choice
    from lrtune.verdict.correction import Correction
    from lrtune.verdict.judging import Judgement

SHOWN_RIVALS = 10

ADAPTIVE = ("bayesian", "tpe")
"""Strategies whose proposals follow the scores."""

_WITHOUT_SCORE = {"diverged": "diverged", "failed": "failed", "proposed": "has not been scored yet"}
"""What is said of a default configuration in this state."""

Show = Callable[[float | None], str]


def entries(
    judgement: Judgement,
    trials: Sequence[Trial],
    metric: str,
    complete: Callable[[Configuration], Mapping[str, Value]],
    *,
    rows_ratio: float | None = None,
) -> dict[str, Any]:
    """Write ``corrected``, ``selection`` and ``constant`` as `lrtune.reporting.result.result` describes them."""
    return {
        "corrected": _corrected(judgement.correction, judgement.choice.trial.number, metric),
        "selection": _selection(judgement.choice),
        "constant": _constant(judgement.choice.trial, trials, metric, complete, rows_ratio),
    }


def _corrected(found: Correction, chosen: int, metric: str) -> dict[str, Any]:
    ends = (tables.own_sign(metric, found.low), tables.own_sign(metric, found.high))
    low, high = ends if METRICS[metric].larger_is_better else ends[::-1]
    return {
        "method": found.method,
        "naive": tables.own_sign(metric, found.naive),
        "optimism": found.optimism,
        "score": tables.own_sign(metric, found.score),
        "low": low,
        "high": high,
        "resamples": found.resamples,
        "share": found.share(chosen),
        "gain": None if found.gain is None else found.gain._asdict(),
    }


def _selection(choice: Choice) -> dict[str, Any]:
    return {
        "rule": str(choice.rule),
        "best": choice.best.number,
        "rivals": {
            "count": len(choice.rivals),
            "numbers": [each.number for each in choice.rivals[:SHOWN_RIVALS]],
        },
    }


def _constant(
    chosen: Trial,
    trials: Sequence[Trial],
    metric: str,
    complete: Callable[[Configuration], Mapping[str, Value]],
    rows_ratio: float | None,
) -> dict[str, Any] | None:
    """Compare with the best trial whose rate is constant; None if that is the chosen one, or there is none."""
    if complete(chosen.configuration)["decay"] == CONSTANT:
        return None
    for each in ranking(trials):
        if complete(each.configuration)["decay"] == CONSTANT:
            gain = comparison.between(chosen, each, rows_ratio)
            mean = tables.own_sign(metric, each.mean)
            return {"number": each.number, "mean": mean, "gain": None if gain is None else gain._asdict()}
    return None


def headline(result: Mapping[str, Any], scores: Show) -> str:
    """Say how good the choice is, and whether the default configuration is as good.

    A corrected score is never set against a raw one: what is told then is the gain, without the luck of the choice.
    """
    best, default, corrected = result["best"], result["default"], result.get("corrected")
    found = f"{result['metric']} {_score(result, scores)}"
    if best["number"] == default["number"]:
        return f"{found}: the default configuration is the best that was tried"
    if default["mean"] is None:
        return f"{found}; the default configuration {_WITHOUT_SCORE[default['state']]}"
    gain = difference(result["gain"])
    if corrected is None or gain is None:
        return f"{found}; {_beside_default(gain, plus_minus(default, scores))}"
    without_luck = corrected["gain"]
    mean = without_luck["mean"] if without_luck else gain.mean
    return f"{found}; {_ahead_of_default(gain, mean, scores)}"


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


def _score(result: Mapping[str, Any], scores: Show) -> str:
    found = result.get("corrected")
    if not found:
        return plus_minus(result["best"], scores)
    return f"{scores(found['score'])} (corrected; 95 % interval {scores(found['low'])} to {scores(found['high'])})"


def plus_minus(entry: Mapping[str, Any], scores: Show) -> str:
    """Write a mean and the standard deviation over the folds."""
    if entry["mean"] is None:
        return "no score"
    return scores(entry["mean"]) + (f" ± {scores(entry['std'])}" if entry["std"] is not None else "")


def difference(entry: Mapping[str, Any] | None) -> Difference | None:
    """Read a difference from a result; one of an older version has no p-value."""
    return None if entry is None else Difference(**entry)


def corrected_rows(result: Mapping[str, Any], scores: Show) -> list[tuple[str, str]]:
    """Say what part of the score is luck, and how the choice was made if not by the best mean."""
    rows = []
    found, chosen = result.get("corrected"), result.get("selection")
    if found:
        good = "good" if found["optimism"] >= 0 else "bad"
        words = f"{scores(found['naive'])}, too {good} by {scores(abs(found['optimism']))}"
        if found["share"] is not None:
            words += f"; chosen in {formats.share(found['share'])} of {formats.count(found['resamples'])} resamples"
        rows.append(("mean of folds", words))
    if chosen and chosen["rule"] != "best":
        rows.append(("chosen by", _chosen_by(result, chosen)))
    return rows


def _chosen_by(result: Mapping[str, Any], chosen: Mapping[str, Any]) -> str:
    best, own = chosen["best"], result["best"]["number"]
    other = "it has the best mean as well" if best == own else f"trial {best} has the best mean"
    return f"{chosen['rule']}: trial {own}; {other}"


def worth_rows(result: Mapping[str, Any], scores: Show) -> list[tuple[str, str]]:
    """Say whether tuning was worth it: against the default configuration, and against the best constant rate."""
    rows = []
    if result["best"]["number"] != result["default"]["number"]:
        rows.append(("difference", gain_sentence(result, scores)))
    constant = result.get("constant")
    found = difference(constant["gain"]) if constant else None
    if constant and found is not None and found.error is not None:
        words = f"trial {constant['number']} has {scores(constant['mean'])}; {_decay_against(found, scores)}"
        rows.append(("constant rate", words))
    elif not constant and result.get("selection") and result["best"]["configuration"]["decay"] != CONSTANT:
        rows.append(("constant rate", "no trial with one is complete: add constant to space.decay to compare"))
    return rows


def _decay_against(found: Difference, scores: Show) -> str:
    if _is_nothing(found):
        return "equal on every fold"
    side = "worse" if found.mean < 0 else "better"
    words = f"decay is {side} by {scores(abs(found.mean))} ± {scores(found.error)}"
    return f"{words}, probability {formats.share(found.probability or 0)}"


def _is_nothing(found: Difference) -> bool:
    return not found.mean and not found.error


def gain_sentence(result: Mapping[str, Any], scores: Show) -> str:
    """Say in words whether tuning was worth it; above all where it was not."""
    found = difference(result["gain"])
    if found is None:
        return "unknown: the default configuration has no score on every fold"
    if found.error is None:
        return f"better by {scores(found.mean)} on the only fold, which cannot say how sure that is"
    words = _ahead(found, scores)
    gain = (result.get("corrected") or {}).get("gain")
    if gain:
        words += f"; without luck {_signed(gain['mean'], scores)}"
        words += f" ({_signed(gain['low'], scores)} to {_signed(gain['high'], scores)})"
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


def remarks(strategy: str, pruning: str, corrected: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Say how far a correction holds where the search followed the scores, or where there were no predictions."""
    if not corrected:
        return ()
    if corrected["method"] != "bootstrap":
        return ("the out-of-fold predictions are missing or damaged: the correction is made from fold scores alone",)
    if strategy in ADAPTIVE or pruning == "halving":
        what = "repeats the choice among the trials, not the search that followed their scores"
    elif pruning == "race":
        what = "repeats the races with the choice"
    else:
        return ()
    held = "in simulated searches its 95 % intervals held the truth in 92 % and more (docs/honesty.md)"
    return (f"the correction {what}; {held}",)
