"""A second opinion before the choice: the first trials of the ranking are scored again on fresh splits and seeds.

The best mean of many is too good, because it was picked for being the best. A score from splits, initial parameters and
mini-batches that the search has not seen was not picked by anything, so the choice goes by the fresh scores alone; what
the search's own scores are above them is reported as optimism. Data in the order of time have but one past: they keep
their folds, and only the seeds are fresh.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lrtune.run.study import StudyState
from lrtune.space.trial import Trial, TrialState, ranking
from lrtune.verdict.result import Confirmation, Confirmed
from lrtune.verdict.standing import own_sign


def candidates(study: StudyState, count: int) -> list[Trial]:
    """List the first trials of the ranking, which are to be scored again."""
    return ranking(study.in_order())[:count]


def unconfirmed(study: StudyState, count: int) -> list[Trial]:
    """List those of them that have not been."""
    return [each for each in candidates(study, count) if each.number not in study.confirmed]


def contenders(study: StudyState, count: int) -> list[Trial]:
    """List the trials that the choice is made from, with the scores that it goes by.

    With ``count`` of 0 these are all trials as they are. Else they are the confirmed ones with their fresh scores; if
    none has a fresh score on every fold, it is as if nothing had been confirmed.
    """
    again = [_renewed(each, study.confirmed.get(each.number, ())) for each in candidates(study, count)]
    return [each for each in again if each.mean is not None] or study.in_order()


def _renewed(trial: Trial, scores: Sequence[float | None]) -> Trial:
    state = TrialState.COMPLETE if scores and None not in scores else TrialState.DIVERGED
    return replace(trial, fold_scores=tuple(scores), state=state)


def summary(study: StudyState, count: int) -> Confirmation | None:
    """Compare the scores of the search with the fresh ones, in the order of the search; None if none was confirmed."""
    rows = [(each, _renewed(each, scores)) for each in candidates(study, count) if (scores := _of(study, each))]
    if not rows:
        return None
    gaps = [old.mean - new.mean for old, new in rows if old.mean is not None and new.mean is not None]
    metric = study.header.metric
    confirmed = tuple(
        Confirmed(
            number=old.number,
            mean=own_sign(metric, old.mean),
            confirmed=own_sign(metric, new.mean),
            fold_scores=tuple(own_sign(metric, each) for each in new.fold_scores),
        )
        for old, new in rows
    )
    return Confirmation(confirmed, math.fsum(gaps) / len(gaps) if gaps else None)


def _of(study: StudyState, trial: Trial) -> Sequence[float | None] | None:
    scores: Mapping[int, Sequence[float | None]] = study.confirmed
    return scores.get(trial.number)
