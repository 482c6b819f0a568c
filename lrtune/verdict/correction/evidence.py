"""What a correction starts from: scores and predictions of the configurations that could have been chosen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lrtune.arrays import Array, Doubles, Integers, Singles
from lrtune.run.observed import Observed
from lrtune.training.metrics.scoring import kept, scorer
from lrtune.training.metrics.weighted import total


class Evidence(NamedTuple):
    """Configurations, in the order in which they were proposed.

    Attributes
    ----------
    metric
        What they are judged by.
    numbers
        Numbers of their trials (C,), ascending.
    scores
        Oriented score of each fold (K, C); NaN on the folds that a trial was pruned before.
    order
        Place of each in the order of simplicity (C,).
    predictions
        What is stored of their out-of-fold predictions (C, R) or (C, R, classes); arbitrary where the score is NaN.
        None if there is nothing.
    observed
        Targets, folds and units of these rows.
    rows_ratio
        Validation rows over training rows of a fold.
    ties
        As in `Candidates`.

    """

    metric: str
    numbers: Integers
    scores: Doubles
    order: Integers
    predictions: Array | None
    observed: Observed | None
    rows_ratio: float
    ties: Integers | None = None

    @property
    def complete(self) -> Array:
        """Which of them have a score on every fold (C,)."""
        return np.asarray(np.isfinite(self.scores).all(axis=0))

    @property
    def first(self) -> int:
        """How many folds all of them have."""
        return int(np.isfinite(self.scores).all(axis=1).sum())

    @property
    def means(self) -> Doubles:
        """Mean score of each configuration (C,), as `standing` has it."""
        return np.asarray(standing(self.scores[None], np.ones((1, len(self.scores))), self.complete, self.first)[0])

    def place(self, number: int) -> int:
        """Find a trial."""
        return int(np.flatnonzero(self.numbers == number)[0])

    def is_complete(self, number: int) -> bool:
        """Tell whether a trial is here and has a score on every fold."""
        return bool(self.complete[self.numbers == number].any())


def standing(folds: Doubles, sizes: Doubles, complete: Array, first: int) -> Doubles:
    """Average the folds; what a pruned configuration has on the first folds is moved to where it can be compared.

    A score is taken to be ``configuration + fold``: what the complete ones gain or lose from the first folds to all of
    them, in the median, is given to the others as well.

    Parameters
    ----------
    folds
        Scores of the folds (B, K, C), NaN where there is none.
    sizes
        What each fold counts (B, K).
    complete
        Which configurations have all folds (C,).
    first
        How many folds the others have.

    Returns
    -------
    array
        ``(B, C)``, NaN where there is no score at all.

    """
    whole = average(folds, sizes)
    if complete.all() or not complete.any():
        return whole
    start = average(folds[:, :first], sizes[:, :first])
    return np.asarray(np.where(complete, whole, start + _medians((whole - start)[:, complete])))


def _medians(values: Doubles) -> Doubles:
    """Give the median of each line without its NaNs (B, 1); NaN for a line of nothing else."""
    medians = np.full((len(values), 1), np.nan)
    seen = np.isfinite(values).any(axis=1)
    medians[seen] = np.nanmedian(values[seen], axis=1, keepdims=True)
    return medians


def average(folds: Doubles, sizes: Doubles) -> Doubles:
    """Average scores of the folds (B, K, C), where there are some, by what each fold counts (B, K)."""
    seen = np.isfinite(folds)
    weights = np.where(seen, sizes[:, :, None], 0.0)
    whole = weights.sum(axis=1)
    above = (np.where(seen, folds, 0.0) * weights).sum(axis=1)
    return np.asarray(np.divide(above, whole, out=np.full(whole.shape, np.nan), where=whole > 0))


class FoldScores:
    """The scores of all configurations on all folds, as a function of the rows' weights."""

    def __init__(self, evidence: Evidence) -> None:
        assert evidence.predictions is not None
        assert evidence.observed is not None
        observed, trained = evidence.observed, np.isfinite(evidence.scores)
        self.shape = evidence.scores.shape
        folds = np.arange(len(evidence.scores))
        self.starts = np.searchsorted(observed.folds, folds)
        self.ends = np.searchsorted(observed.folds, folds, side="right")
        self.columns = [np.flatnonzero(each) for each in trained]
        self.scorers = [
            scorer(
                evidence.metric,
                kept(evidence.metric, evidence.predictions[columns, start:end]),
                observed.targets[start:end],
                observed.classes,
            )
            if start < end and len(columns)
            else None
            for columns, start, end in zip(self.columns, self.starts.tolist(), self.ends.tolist(), strict=True)
        ]

    def __call__(self, weights: Singles) -> tuple[Doubles, Doubles]:
        """Score all configurations with weighted rows.

        Parameters
        ----------
        weights
            ``(B, R)``.

        Returns
        -------
        folds, sizes
            Scores ``(B, K, C)``, and the share of each fold's rows that the weights make up ``(B, K)``.

        """
        folds = np.full((len(weights), *self.shape), np.nan)
        sizes = np.zeros((len(weights), self.shape[0]))
        for fold, score in enumerate(self.scorers):
            part = weights[:, self.starts[fold] : self.ends[fold]]
            if score is not None:
                folds[:, fold, self.columns[fold]] = score(part)
                sizes[:, fold] = total(part)[:, 0] / np.float64(part.shape[1])
        return folds, sizes
