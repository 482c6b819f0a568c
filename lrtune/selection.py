"""Which trial is the best: arithmetic on fold scores, nothing else. Scores are oriented: larger is better."""

from __future__ import annotations

from collections.abc import Iterable

from lrtune.errors import NoUsableResultError
from lrtune.trial import Trial, TrialState


def ranking(trials: Iterable[Trial]) -> list[Trial]:
    """Order the complete trials from the best mean fold score down; of equal means the earlier trial comes first."""
    complete = [each for each in trials if each.state is TrialState.COMPLETE]
    return sorted(complete, key=_rank)


def _rank(trial: Trial) -> tuple[float, int]:
    assert trial.mean is not None
    return -trial.mean, trial.number


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


def _why_nothing(trials: list[Trial]) -> str:
    diverged = sum(each.state is TrialState.DIVERGED for each in trials)
    reasons = sorted({each.reason for each in trials if each.state is TrialState.FAILED and each.reason})
    sentence = f"none of the {len(trials)} trials gave a usable score: {diverged} diverged"
    if reasons:
        sentence += "; failed: " + "; ".join(reasons[:3])
    return sentence + ("; try smaller learning rates" if diverged else "")
