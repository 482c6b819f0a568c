"""Scores of one fold on many resamples at once: every row has a weight, and a score is a function of weighted sums.

A scorer takes weights ``(B, n)``, one line for each resample and one column for each row of the fold, and gives scores
``(B, C)`` as ``functions`` defines them, in the metric's own sign, NaN where the targets of the drawn rows have no
score. What it costs are products of the weights with a matrix ``(n, C)``: one for a mean over rows, one for each class
that is counted. Weights are small whole numbers in single precision, so that counts are exact.

Each function here makes the scorer of a fold from what is kept of the predictions of its rows (labels, losses, scores
or values ``(C, n)``, or scores ``(C, n, classes)``), the targets ``(n,)`` and the number of classes (0 for regression).

**The area under the ROC curve** is a mean over pairs of rows. Its scorer adds up placement values (DeLong et al. 1988,
"Comparing the areas under two or more correlated receiver operating characteristic curves", Biometrics 44): for a
member of the class, the share of the others that have a lower score, and the other way round. That is the first order
of what a resample changes, and the order that DeLong's variance has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from lrtune.arrays import Array, Doubles, Singles

Scorer: TypeAlias = Callable[[Singles], Doubles]

FAR = 1e6
"""Errors beyond so many times the typical one count as that many: they have lost, by however much."""


def _columns(values: Array) -> Singles:
    """Turn (C, n) into (n, C), one block of memory, single precision."""
    return np.ascontiguousarray(values.T, dtype=np.float32)


def _ratio(above: Array, below: Array) -> Doubles:
    """Divide, and give NaN where there is nothing to divide by."""
    above, below = np.broadcast_arrays(above.astype(np.float64), below.astype(np.float64))
    return np.asarray(np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0))


def _mean(values: Singles) -> Scorer:
    return lambda weights: _ratio(weights @ values, total(weights))


def total(weights: Singles) -> Array:
    """Add up each line (B, 1)."""
    return weights @ np.ones((weights.shape[1], 1), weights.dtype)  # exact, and faster than adding along lines


def accuracy(kept: Array, targets: Array, _classes: int) -> Scorer:
    """Average the correct labels."""
    return _mean(_columns(kept == targets))


def log_loss(kept: Array, _targets: Array, _classes: int) -> Scorer:
    """Average the losses."""
    return _mean(_columns(kept))


def balanced_accuracy(kept: Array, targets: Array, _classes: int) -> Scorer:
    """Average the recalls of the classes that were drawn."""
    hits = _columns(kept == targets)
    members = [np.flatnonzero(targets == label) for label in np.unique(targets)]
    parts = [(rows, hits[rows]) for rows in members]

    def score(weights: Singles) -> Doubles:
        recalls = [_ratio(weights[:, rows] @ part, total(weights[:, rows])) for rows, part in parts]
        return _mean_of_defined(recalls)

    return score


def _mean_of_defined(parts: list[Doubles]) -> Doubles:
    total, count = np.zeros_like(parts[0]), np.zeros_like(parts[0])
    for each in parts:
        defined = np.isfinite(each)
        total += np.where(defined, each, 0.0)
        count += defined
    return _ratio(total, count)


def _class_f1(kept: Array, targets: Array, label: int) -> Scorer:
    """F1 of one class; NaN where it neither occurs nor is predicted."""
    members = np.flatnonzero(targets == label)
    predicted = _columns(kept == label)
    hit = predicted[members]

    def score(weights: Singles) -> Doubles:
        inside = weights[:, members]
        return _ratio(2.0 * (inside @ hit), weights @ predicted + total(inside))

    return score


def f1(kept: Array, targets: Array, _classes: int) -> Scorer:
    """Compute the F1 score of the positive class, number 1."""
    positive, members = _class_f1(kept, targets, 1), np.flatnonzero(targets == 1)
    return lambda weights: _where(total(weights[:, members]) > 0, positive(weights))


def _where(defined: Array, scores: Doubles) -> Doubles:
    """Keep the scores of the resamples (B, 1) that have one."""
    return np.asarray(np.where(defined, scores, np.nan))


def f1_macro(kept: Array, targets: Array, _classes: int) -> Scorer:
    """Average the F1 scores of the classes that were drawn, or are predicted for what was drawn."""
    present = np.union1d(np.unique(kept), np.unique(targets)).tolist()
    parts = [_class_f1(kept, targets, label) for label in present]
    return lambda weights: _mean_of_defined([each(weights) for each in parts])


def roc_auc(kept: Array, targets: Array, _classes: int) -> Scorer:
    """Add to each area the weighted mean of what its rows pull it up or down by.

    A class of which nothing was drawn still counts with its area on all rows: that, too, is first order.
    """
    scores = kept[..., None] if kept.ndim == 2 else kept
    members = {label: targets == label for label in np.unique(targets).tolist()}
    if len(members) < 2:
        return lambda weights: np.full((len(weights), len(kept)), np.nan)
    labels = [1] if kept.ndim == 2 else list(members)
    areas, pulls = np.zeros(len(kept)), np.zeros((len(targets), len(kept)), np.float32)
    for label in labels:
        share = members[label].mean()
        for place, each in enumerate(scores[..., label if kept.ndim > 2 else 0]):
            area, placed = placements(each, members[label])
            areas[place] += area / len(labels)
            pulls[:, place] += (placed - area) / np.where(members[label], share, 1.0 - share) / len(labels)
    mean = _mean(pulls)
    indicators = np.stack(list(members.values()), axis=1).astype(np.float32)

    def score(weights: Singles) -> Doubles:
        classes_drawn = np.count_nonzero(weights @ indicators, axis=1, keepdims=True)
        return _where(classes_drawn > 1, areas + mean(weights))

    return score


def placements(scores: Array, members: Array) -> tuple[float, Doubles]:
    """Compute the area under the ROC curve and each row's placement value (n,); ties count half.

    Parameters
    ----------
    scores
        Larger for members, if all is well (n,).
    members
        Who belongs to the class (n,); there are some, and others.

    """
    order = np.argsort(scores, kind="stable")
    ordered, inside = scores[order], members[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))  # of runs of equal scores
    runs = np.diff(np.append(starts, len(ordered)))
    values = np.empty(len(scores))
    values[order] = np.where(inside, _midshare(~inside, starts, runs), 1.0 - _midshare(inside, starts, runs))
    return float(values[members].mean()), values


def _midshare(marked: Array, starts: Array, runs: Array) -> Doubles:
    """Give the share of the marked rows that stand before each run of equal rows, and half of those within (n,)."""
    counts = np.add.reduceat(marked, starts, dtype=np.int64)
    middle = np.cumsum(counts) - counts / 2.0
    return np.repeat(middle / marked.sum(), runs)


def _losses(errors: Doubles) -> tuple[Singles, float]:
    """Write losses (C, n) as columns in units of the typical one, which single precision holds, and give that unit."""
    means = errors.mean(axis=1)
    unit = float(np.median(means)) or 1.0
    return _columns(np.minimum(errors / unit, FAR**2)), unit


def _errors(losses: Doubles, turn: Callable[[Doubles], Doubles] = lambda means: means) -> Scorer:
    columns, unit = _losses(losses)
    mean = _mean(columns)
    return lambda weights: turn(mean(weights) * unit)


def _squares(kept: Array, targets: Array) -> Doubles:
    return np.asarray(np.square(kept.astype(np.float64) - targets))


def mse(kept: Array, targets: Array, _classes: int) -> Scorer:
    """Average the squares of the errors."""
    return _errors(_squares(kept, targets))


def rmse(kept: Array, targets: Array, _classes: int) -> Scorer:
    """Take the root of the mean squared error."""
    return _errors(_squares(kept, targets), np.sqrt)


def mae(kept: Array, targets: Array, _classes: int) -> Scorer:
    """Average the sizes of the errors."""
    return _errors(np.abs(kept.astype(np.float64) - targets))


LEAST_SPREAD = 0.1
"""Of the variance of all rows, what those that were drawn must have at least: a few that are nearly equal have no R2.

Of a fold of twenty rows seven are left out, and it happens that they are; an error that is nothing on the scale of the
targets is then a score of minus ten thousand, which no mean over resamples gets over.
"""


def r2(kept: Array, targets: Array, _classes: int) -> Scorer:
    """Compute the share of the variance that is explained."""
    errors = mse(kept, targets, 0)
    spread = targets - targets.mean()
    scale = float(np.abs(spread).max()) or 1.0
    moments = np.stack([spread / scale, np.square(spread / scale)], axis=1).astype(np.float32)
    least = max(LEAST_SPREAD * float(np.square(spread).mean()), 1e-6 * scale**2 / len(targets))

    def score(weights: Singles) -> Doubles:
        first, second = _ratio(weights @ moments, total(weights)).T
        variance = np.maximum(second - np.square(first), 0.0)[:, None] * scale**2
        return 1.0 - _ratio(errors(weights), np.where(variance > least, variance, 0.0))

    return score


def untold(kept: Array, _targets: Array, _classes: int) -> Scorer:
    """Give no score: only what trains can tell it."""
    return lambda weights: np.full((len(weights), len(kept)), np.nan)
