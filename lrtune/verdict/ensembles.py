"""What is delivered: one trial, or the mean of the best ones.

The mean of the first trials of the ranking is a candidate beside the chosen one, in the sizes of `ENSEMBLES`. What it
scores on the folds comes from the kept out-of-fold predictions, which are averaged: nothing is trained for it. It is
taken where its mean score is the larger one; a rule that looks for something simple, or a confirmed trial, stays alone.
How much of its score is luck, the correction tells as it does of a single trial (`lrtune.verdict.correction.averages`).

Averages of the models of one search: Caruana et al. 2004, "Ensemble selection from libraries of models", ICML.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lrtune.run import observed
from lrtune.run.names import OBSERVED
from lrtune.space.trial import ranking
from lrtune.text.errors import StudyError
from lrtune.training.metrics.scoring import (
    beside,
    has_labels,
    predicted,
    prediction_of,
    score_of_mean,
    to_average,
)
from lrtune.verdict.choice import ChosenTrial
from lrtune.verdict.choice.rules import BEST
from lrtune.verdict.recorded import probabilities, records
from lrtune.verdict.terms import ENSEMBLES, Terms

if TYPE_CHECKING:
    from lrtune.arrays import Array, Doubles
    from lrtune.run.observed import Observed
    from lrtune.run.study import StudyState
    from lrtune.space.trial import Trial


class Delivery(NamedTuple):
    """What is handed over.

    Attributes
    ----------
    numbers
        Of the trials whose mean it is, the best first; of the chosen one alone.
    scores
        On each fold; oriented.
    sizes
        Of the means that were candidates.
    why_single
        Why there was no mean to choose, where one was asked for.
    beside
        Of a mean: oriented scores on each fold by other metrics, as far as what is kept of its members tells them.
    predicted
        Of a mean: how often it predicts each class, on all folds together; empty where that is not known.

    """

    numbers: tuple[int, ...]
    scores: tuple[float, ...]
    sizes: tuple[int, ...] = ()
    why_single: str | None = None
    beside: Mapping[str, tuple[float | None, ...]] = MappingProxyType({})
    predicted: tuple[int, ...] = ()

    @property
    def mean(self) -> float:
        """Mean score over the folds."""
        return math.fsum(self.scores) / len(self.scores)

    @property
    def is_mean(self) -> bool:
        """Whether it is the mean of several trials."""
        return len(self.numbers) > 1


def delivery(terms: Terms, study: StudyState, folder: Path, made: ChosenTrial) -> Delivery:
    """Say what is to be delivered: the chosen trial, or a mean that is better on the folds."""
    alone = Delivery((made.trial.number,), _scores(made.trial))
    if terms.averaged == 1:
        return alone
    if made.rule.name != BEST:
        return alone._replace(why_single=f"search.select: {made.rule} chooses a single trial")
    if terms.confirm:
        return alone._replace(why_single="search.confirm scores single trials again")
    ranked = ranking(study.in_order())
    sizes = candidate_sizes(terms.averaged, len(ranked))
    if not sizes:
        return alone._replace(why_single="there are too few complete trials")
    metric = study.header.metric
    members = ranked[: sizes[-1]]
    try:
        seen = observed.read(folder / OBSERVED)
        kept = records(study, folder, members, seen)
    except (StudyError, OSError):
        return alone._replace(why_single="out-of-fold predictions are missing")
    if seen.share < 1.0 or has_labels(kept):
        return alone._replace(why_single="the table is too large to keep all out-of-fold predictions")
    means = {size: _fold_scores(metric, kept[:size], seen) for size in sizes}
    found = [Delivery(tuple(each.number for each in members[:size]), means[size], sizes) for size in sizes]
    rivals = found if terms.averaged is not None else [alone._replace(sizes=sizes), *found]
    taken = max(rivals, key=lambda each: (float(f"{each.mean:.12g}"), -len(each.numbers)))  # equal ones stay equal
    if not taken.is_mean:
        return taken
    count = len(taken.numbers)
    return _with_more(taken, metric, kept[:count], seen, _mean_of_classes(study, folder, members[:count], seen))


def score_inside(study: StudyState, folder: Path, numbers: Sequence[int]) -> float | None:
    """Give the mean over the folds of what some trials have together; oriented.

    Raises
    ------
    StudyError
        If their out-of-fold predictions are missing.

    """
    if len(numbers) == 1:
        return study.trials[numbers[0]].mean
    return float(np.mean(scores_inside(study, folder, numbers)))


def scores_inside(study: StudyState, folder: Path, numbers: Sequence[int]) -> tuple[float, ...]:
    """Give what some complete trials score together on each fold; oriented.

    Raises
    ------
    StudyError
        If their out-of-fold predictions are missing, or too few of them are kept for a mean.

    """
    members = [study.trials[each] for each in numbers]
    if len(members) == 1:
        return _scores(members[0])
    seen = observed.read(folder / OBSERVED)
    kept = records(study, folder, members, seen)
    if seen.share < 1.0 or has_labels(kept):
        raise StudyError(f"{folder}: the table is too large to keep all out-of-fold predictions")
    return _fold_scores(study.header.metric, kept, seen)


def candidate_sizes(averaged: int | None, complete: int) -> tuple[int, ...]:
    """List of how many trials there may be a mean, where so many are complete; none: of one alone."""
    if averaged is None:
        return tuple(size for size in ENSEMBLES if size <= complete)
    return (min(averaged, complete),) if min(averaged, complete) > 1 else ()


def _scores(trial: Trial) -> tuple[float, ...]:
    return tuple(float(each) for each in trial.fold_scores if each is not None)


def _fold_scores(metric: str, kept: Array, seen: Observed) -> tuple[float, ...]:
    """Score the mean of some records (n, R) or (n, R, classes) on each fold."""
    return tuple(score_of_mean(metric, kept[:, part], seen.targets[part], seen.classes) for part in _parts(seen))


def _parts(seen: Observed) -> list[slice]:
    """Say where the rows of each fold are."""
    ends = np.flatnonzero(np.append(seen.folds[1:] != seen.folds[:-1], True)) + 1
    starts = np.concatenate([[0], ends[:-1]])
    return [slice(start, end) for start, end in zip(starts, ends, strict=True)]


def _mean_of_classes(study: StudyState, folder: Path, trials: Sequence[Trial], seen: Observed) -> Doubles | None:
    """Average the probabilities of all classes (1, classes, R), where they stand beside what is kept of all rows."""
    if len(seen.whole) < len(seen.targets):
        return None
    try:
        kept = probabilities(study, folder, trials, seen)
    except (StudyError, OSError):
        return None
    return np.asarray(kept.mean(axis=0, dtype=np.float64).T[None])


def _with_more(
    taken: Delivery, metric: str, kept: Array, seen: Observed, of_classes: Doubles | None = None
) -> Delivery:
    """Add what else can be told of a mean, from what the metric keeps or else from the probabilities of all classes."""
    classes, parts = seen.classes, _parts(seen)
    means = [to_average(metric, kept[:, part]).mean(axis=0)[None] for part in parts]
    folds = [
        (prediction_of(metric, each, seen.targets[part], classes), part)
        for each, part in zip(means, parts, strict=True)
    ]
    if of_classes is not None:
        folds = [(of_classes[:, :, part] if each is None else each, part) for each, part in folds]
    known = [(each, seen.targets[part]) for each, part in folds if each is not None]
    if len(known) < len(folds):
        return taken
    scores = [beside(prediction, targets, classes) for prediction, targets in known]
    others = {
        name: tuple(float(each[name][0]) if np.isfinite(each[name][0]) else None for each in scores)
        for name in scores[0]
    }
    counts = [predicted(prediction, targets, classes)[0] for prediction, targets in known] if classes else []
    return taken._replace(beside=others, predicted=tuple(np.sum(counts, axis=0).tolist()) if classes else ())
