"""Which trial is chosen: arithmetic on fold scores, nothing else. Scores are oriented: larger is better."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lrtune.space.trial import LOGGED, Trial, TrialState, ranking
from lrtune.text.errors import NoUsableResultError
from lrtune.verdict.choice.candidates import Candidates, Smoothing
from lrtune.verdict.choice.rules import Rule, simplicity
from lrtune.verdict.comparison import between

if TYPE_CHECKING:
    from lrtune.run.study import StudyState

MOST_RIVALS = 1000
"""How many of the best trials the chosen one is compared with."""


def best(trials: Iterable[Trial]) -> Trial:
    """Choose the complete trial with the largest mean fold score.

    Raises
    ------
    NoUsableResultError
        If no trial is complete.

    """
    everything = list(trials)
    ranked = ranking(everything)
    if not ranked:
        raise NoUsableResultError(_why_nothing(everything))
    return ranked[0]


def chosen(study: StudyState) -> Trial:
    """Find the trial that a finished study has chosen and retrained; of another, the best so far.

    Raises
    ------
    NoUsableResultError
        If no trial is complete.

    """
    if study.finished is not None and study.refit is not None:
        return study.trials[study.refit.trial]
    return best(study.in_order())


class ChosenTrial(NamedTuple):
    """A trial, and why this one.

    Attributes
    ----------
    rule
        By which rule it was chosen.
    trial
        The chosen one.
    best
        The one with the largest mean score.
    rivals
        Those that the folds cannot tell from the chosen one, ranked: the 95 % interval of the difference (corrected
        resampled t-test) holds zero.

    """

    rule: Rule
    trial: Trial
    best: Trial
    rivals: tuple[Trial, ...]


def choose(
    trials: Iterable[Trial],
    rule: Rule | None = None,
    *,
    smoothing: Smoothing | None = None,
    rows_ratio: float | None = None,
) -> ChosenTrial:
    """Choose a complete trial by a rule.

    Parameters
    ----------
    trials
        Those that were tried.
    rule
        See `lrtune.verdict.choice.rules`; default: the largest mean.
    smoothing
        For rules that ask for it: about the `complete` trials, in their order.
    rows_ratio
        Validation rows over training rows of a fold; by default as in k-fold cross-validation.

    Raises
    ------
    NoUsableResultError
        If no trial is complete.

    """
    everything, rule = list(trials), rule or Rule()
    top = best(everything)
    chosen = _picked(complete(everything), rule, smoothing)
    ranked = ranking(everything)[:MOST_RIVALS]
    return ChosenTrial(rule, chosen, top, tuple(each for each in ranked if _is_rival(chosen, each, rows_ratio)))


def complete(trials: Iterable[Trial]) -> list[Trial]:
    """List the complete trials in order of their numbers."""
    return sorted((each for each in trials if each.mean is not None), key=lambda each: each.number)


def in_order_of_simplicity(trials: Sequence[Trial]) -> list[int]:
    """Give each trial's place in the order of `rules.simplicity`, 0 for the simplest; ties go as in `ranking`."""
    ties = in_order_of_ties(trials)
    return _places(sorted(range(len(trials)), key=lambda place: (simplicity(trials[place].configuration), ties[place])))


def in_order_of_ties(trials: Sequence[Trial]) -> list[int]:
    """Give each trial's place among trials of equal means, 0 for the one that is chosen: as in `ranking`."""
    return _places(sorted(range(len(trials)), key=lambda place: (-trials[place].tie_breaker, place)))


def _places(order: Sequence[int]) -> list[int]:
    """Turn the order of some numbers into the place of each."""
    places = [0] * len(order)
    for place, each in enumerate(order):
        places[each] = place
    return places


def _picked(candidates: Sequence[Trial], rule: Rule, smoothing: Smoothing | None) -> Trial:
    import numpy as np  # this module is loaded by commands that need no arrays

    means = np.array([each.mean for each in candidates], dtype=np.float64)
    folds = np.array([each.fold_scores for each in candidates], dtype=np.float64).T
    order, ties = (np.array(each(candidates)) for each in (in_order_of_simplicity, in_order_of_ties))
    return candidates[int(rule.entry.pick(Candidates(means, folds, order, smoothing, ties), rule.share))]


def _is_rival(chosen: Trial, other: Trial, rows_ratio: float | None) -> bool:
    found = None if other is chosen else between(chosen, other, rows_ratio)
    return found is not None and found.interval is not None and found.interval[0] <= 0.0 <= found.interval[1]


def _distinct(reasons: Iterable[str]) -> list[str]:
    """Leave out reasons that differ in the log they name alone."""
    found: dict[str, str] = {}
    for each in reasons:
        found.setdefault(each.partition(LOGGED)[0], each)
    return list(found.values())


def _why_nothing(trials: list[Trial]) -> str:
    if not any(each.is_over for each in trials):
        return f"no trial is over yet{f', {len(trials)} are begun' if trials else ''}: there is no score to choose by"
    diverged = sum(each.state is TrialState.DIVERGED for each in trials)
    reasons = sorted(_distinct(each.reason for each in trials if each.state is TrialState.FAILED and each.reason))
    none = "the only trial gave no" if len(trials) == 1 else f"none of the {len(trials)} trials gave a"
    said = [f"{diverged} diverged"] if diverged or not reasons else []
    if reasons:
        said.append("failed: " + "; ".join(reasons[:3]))
    return f"{none} usable score: {'; '.join(said)}" + ("; try smaller learning rates" if diverged else "")
