"""How the rules pick one of several configurations: many times at once where there are leading axes.

Each function gives the places of the chosen configurations (...); of equal ones, the first by `Candidates.ties`.
"""

from __future__ import annotations

import numpy as np

from lrtune.arrays import Doubles, Integers
from lrtune.verdict.choice.candidates import Candidates


def best(candidates: Candidates, _share: float) -> Integers:
    """Take the largest mean."""
    return _first_of_largest(candidates.means, candidates.ties)


def one_se(candidates: Candidates, _share: float) -> Integers:
    """Take the simplest of those that are within one standard error of the best."""
    return _simplest_near(candidates, _paired_errors(candidates.folds, best(candidates, 0.0)))


def within(candidates: Candidates, share: float) -> Integers:
    """Take the simplest of those that are worse than the best by at most so much of its value."""
    top = candidates.means.max(axis=-1, keepdims=True)
    return _simplest_near(candidates, share * np.abs(top))


def posterior_mean(candidates: Candidates, _share: float) -> Integers:
    """Take the largest value of the regression; without one, the largest mean."""
    means, smoothing = candidates.means, candidates.smoothing
    if smoothing is None:
        return best(candidates, 0.0)
    finite = np.isfinite(means)
    values = smoothing(np.where(finite, means, smoothing.means))
    return _first_of_largest(np.where(finite, values, -np.inf), candidates.ties)


def _first_of_largest(values: Doubles, ties: Integers | None) -> Integers:
    """Find the largest value of each line; of equal ones, the one that comes first."""
    if ties is None:
        return np.asarray(values.argmax(axis=-1))
    largest = values == values.max(axis=-1, keepdims=True)
    return np.asarray(np.where(largest, ties, len(ties)).argmin(axis=-1))


def _simplest_near(candidates: Candidates, allowed: Doubles) -> Integers:
    """Take the simplest of those whose means are below the largest by no more than allowed (..., 1) or (..., C)."""
    means, order = candidates.means, candidates.order
    eligible = (means >= means.max(axis=-1, keepdims=True) - allowed) & np.isfinite(means)
    return np.asarray(np.where(eligible, order, len(order)).argmin(axis=-1))


def _paired_errors(folds: Doubles, best: Integers) -> Doubles:
    """Give the standard errors of the differences to the best (..., C); 0 on fewer than two common folds."""
    gaps = np.take_along_axis(folds, best[..., None, None], axis=-1) - folds
    seen = np.isfinite(gaps)
    count = seen.sum(axis=-2)
    mean = np.where(seen, gaps, 0.0).sum(axis=-2) / np.maximum(count, 1)
    squares = np.where(seen, np.square(gaps - mean[..., None, :]), 0.0).sum(axis=-2)
    return np.asarray(np.sqrt(squares / np.maximum(count - 1, 1) / np.maximum(count, 1)))
