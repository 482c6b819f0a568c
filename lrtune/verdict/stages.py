"""Stages: which part of a round's training comes first, and which of its trials go on after it.

A decision follows from what was recorded before it alone: the scores of the whole round on the stage, those of earlier
rounds, and the out-of-fold results that the journal tells of. So it comes out the same in whatever order the trials
ended, and again when a study that was interrupted goes on.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lrtune.space.trial import Stage, Trial, TrialState
from lrtune.training.registry import METRICS
from lrtune.verdict.races import (
    ETA,
    RaceLimit,
    RaceLook,
    RowScores,
    Verdict,
    halved,
    race_by_folds,
    race_by_rows,
    rungs,
)

_TOGETHER = 32  # trials whose rows are in memory at a time


class StageEnd(NamedTuple):
    """A round at the end of a stage.

    Attributes
    ----------
    entrants
        Trials of the round, by number, whatever became of them later.
    earlier
        Those of earlier rounds.
    stage
        The stage that is over.
    folds
        Number of folds of the study.
    rows
        Reads what some trials scored on the rows of the first folds, of so many; None if the metric is no mean over
        rows.
    looks
        How often a round is looked at.

    """

    entrants: Sequence[Trial]
    earlier: Sequence[Trial]
    stage: Stage
    folds: int
    rows: Callable[[Sequence[int], int], RowScores] | None
    looks: int = 1


class Dropped(NamedTuple):
    """A trial that goes no further: why, and the numbers behind it."""

    number: int
    reason: str
    numbers: Mapping[str, float]


def whole(_metric: str, folds: int, _epochs: int) -> tuple[Stage, ...]:
    """Train everything at once."""
    return (Stage(0, folds),)


def first_folds(metric: str, folds: int, _epochs: int) -> tuple[Stage, ...]:
    """Train one fold, or two if the metric is no mean over rows, then the rest together."""
    first = 1 if METRICS[metric].is_by_rows else 2
    return (Stage(0, first), Stage(first, folds)) if first < folds else (Stage(0, folds),)


def fold_by_fold(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """Look again after every further fold, where folds are not trained together and nothing is lost by it.

    >>> fold_by_fold([Stage(0, 1), Stage(1, 3)])
    (Stage(first=0, end=1, shorter=1), Stage(first=1, end=2, shorter=1), Stage(first=2, end=3, shorter=1))
    """
    first, *others = stages
    return (first, *(Stage(fold, fold + 1) for each in others for fold in range(each.first, each.end)))


def short_horizons(_metric: str, folds: int, epochs: int) -> tuple[Stage, ...]:
    """Train a ninth of the epochs, a third, all; as far as that leaves enough."""
    return tuple(Stage(0, folds, each) for each in rungs(epochs))


def bracket(stages: int, number_of_round: int) -> int:
    """Say which stage a round begins with: each begins one later, as the brackets of Hyperband do.

    Li et al. 2018, "Hyperband: a novel bandit-based approach to hyperparameter optimization", JMLR 18.
    """
    return number_of_round % stages


def rest(stages: Sequence[Stage], number: int) -> float:
    """Estimate what the stages after one take beside it: after a race all may go on, of halving a third does.

    >>> rest([Stage(0, 1), Stage(1, 5)], 0), rest([Stage(0, 5, 9), Stage(0, 5, 3), Stage(0, 5)], 0)
    (4.0, 2.0)
    """
    going, total = 1.0, 0.0
    for before, after in itertools.pairwise(stages[number:]):
        going /= ETA if before.shorter > 1 else 1
        total += going * (after.end - after.first) / after.shorter
    return total * stages[number].shorter / (stages[number].end - stages[number].first)


def trainings(stages: Sequence[Stage], first: Callable[[int, int], int], trials: int, at_once: int) -> float:
    """Count how many trainings on all folds and the whole horizon so many trials take, ``at_once`` of them in a round.

    A race drops none here, and of halving the brackets begin with ``first``.

    >>> trainings([Stage(0, 5)], lambda _stages, _round: 0, 24, 8)
    24.0
    >>> round(trainings([Stage(0, 5, 9), Stage(0, 5, 3), Stage(0, 5)], bracket, 24, 8), 1)
    16.6
    """
    folds, total = stages[-1].end, 0.0
    for number, start in enumerate(range(0, trials, at_once)):
        going = min(at_once, trials - start)
        for stage in stages[first(len(stages), number) :]:
            total += going * (stage.end - stage.first) / folds / stage.shorter
            going = -(-going // ETA) if stage.shorter > 1 else going
    return total


def raced(limit: RaceLimit, end: StageEnd) -> list[Dropped]:
    """Race the trials of a round over the folds seen so far."""
    entrants, earlier, stage, folds, rows, looks = end
    running = [each for each in entrants if _means(each, stage.end) is not None]
    complete = [each for each in earlier if each.state is TrialState.COMPLETE]
    if not running:
        return []
    rivals = [*complete, *running]
    bound = limit(RaceLook(len(rivals), looks, stage.end / folds))
    best = max(rivals, key=lambda each: (_means(each, stage.end), -each.number))
    if rows is None:
        scores = np.array([each.fold_scores[: stage.end] for each in rivals], dtype=np.float64)
        races = [(rivals, race_by_folds(scores, bound))]
    else:
        others = [each for each in running if each is not best]
        races = [
            (some, race_by_rows(rows([e.number for e in some], stage.end), bound, best=0))
            for start in range(0, len(others), _TOGETHER)
            if (some := [best, *others[start : start + _TOGETHER]])
        ]
    return [
        _lost(some, place, verdict, stage.end, folds)
        for some, verdict in races
        for place in np.flatnonzero(verdict.dropped).tolist()
        if not some[place].is_spared and some[place] in running
    ]


def _means(trial: Trial, end: int) -> float | None:
    """Average the first folds' scores; None unless all of them are there."""
    seen = [each for each in trial.fold_scores[:end] if each is not None and math.isfinite(each)]
    return math.fsum(seen) / end if len(seen) == end else None


def _lost(compared: Sequence[Trial], place: int, verdict: Verdict, seen: int, folds: int) -> Dropped:
    against, worse = compared[verdict.best].number, float(verdict.worse[place])
    shown = f"{worse:.4f}" if worse < 0.9999 else "above 0.9999"
    reason = f"after {seen} of {folds} folds worse than trial {against} with probability {shown}"
    return Dropped(compared[place].number, reason, {"against": against, "probability": worse, "limit": verdict.limit})


def lagging(entrants: Sequence[Trial], stage: Stage) -> list[Dropped]:
    """Halve the trials of a round by their scores on a short horizon."""
    scored = [(each, _short_mean(each, stage.shorter)) for each in entrants if _short(each, stage.shorter)]
    places = {each.number: place for place, (each, _) in enumerate(sorted(scored, key=_by_score), 1)}
    kept = -(-len(scored) // ETA)
    return [
        Dropped(
            each.number,
            f"on 1/{stage.shorter} of the epochs number {places[each.number]} of {len(scored)}, {kept} went on",
            {"place": places[each.number], "of": len(scored), "shorter": stage.shorter},
        )
        for (each, mean), dropped in zip(scored, halved([mean for _, mean in scored]), strict=True)
        if dropped and mean is not None and not each.is_spared
    ]


def _by_score(entry: tuple[Trial, float | None]) -> tuple[float, int]:
    trial, mean = entry
    return (math.inf if mean is None else -mean), trial.number


def _short(trial: Trial, shorter: int) -> tuple[float | None, ...]:
    return dict(trial.horizon_scores).get(shorter, ())


def _short_mean(trial: Trial, shorter: int) -> float | None:
    scores = _short(trial, shorter)
    finite = [each for each in scores if each is not None and math.isfinite(each)]
    return math.fsum(finite) / len(finite) if len(finite) == len(scores) else None
