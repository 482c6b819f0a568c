"""The metrics themselves, for ``C`` configurations on the validation rows of one fold; the numbers are scikit-learn's.

``(kept, targets, classes) -> (C,)``, in the metric's own sign: ``mse`` is positive. Names are those of the catalogue;
shapes of what is kept, and when there is no score, stand in ``scoring``.

**Over which classes a mean goes**, on rows that lack some of them:

* ``balanced_accuracy``: those that occur among the targets, as in scikit-learn.
* ``f1_macro``: those that occur among targets or predictions, as in scikit-learn; the F1 of a class never hit is 0.
* ``roc_auc``: those that occur among the targets, each against all others. scikit-learn refuses to compute that unless
  all classes occur.
"""

from __future__ import annotations

import numpy as np

from lrtune.arrays import Array, Doubles


def variance(targets: Array) -> float:
    """Compute the variance of values (M,)."""
    return float(np.square(targets - targets.mean()).mean())


def _confusion(labels: Array, targets: Array, classes: int) -> Doubles:
    """Count ``(C, true class, predicted class)``."""
    lanes = np.arange(len(labels))[:, None] * classes * classes
    cells = lanes + targets.astype(np.int64) * classes + labels
    counts = np.bincount(cells.ravel(), minlength=len(labels) * classes * classes)
    return counts.reshape(-1, classes, classes).astype(np.float64)


def _mean_where(values: Doubles, chosen: Array) -> Doubles:
    """Average over the last axis where chosen."""
    mean: Doubles = np.where(chosen, values, 0.0).sum(axis=-1) / chosen.sum(axis=-1)
    return mean


def accuracy(labels: Array, targets: Array, _classes: int) -> Doubles:
    """Compute the share of correct labels."""
    mean: Doubles = (labels == targets).mean(axis=-1)
    return mean


def balanced_accuracy(labels: Array, targets: Array, classes: int) -> Doubles:
    """Average the recalls of the classes that occur."""
    counts = _confusion(labels, targets, classes)
    members = counts.sum(axis=2)
    return _mean_where(np.diagonal(counts, axis1=1, axis2=2) / np.maximum(members, 1.0), members > 0.0)


def _f1_by_class(labels: Array, targets: Array, classes: int) -> tuple[Doubles, Doubles]:
    """F1 ``(C, classes)``, and how often each class occurs among targets and predictions together."""
    counts = _confusion(labels, targets, classes)
    occurrences = counts.sum(axis=1) + counts.sum(axis=2)
    return 2.0 * np.diagonal(counts, axis1=1, axis2=2) / np.maximum(occurrences, 1.0), occurrences


def f1_macro(labels: Array, targets: Array, classes: int) -> Doubles:
    """Average the F1 scores of the classes that occur or are predicted."""
    values, occurrences = _f1_by_class(labels, targets, classes)
    return _mean_where(values, occurrences > 0.0)


def f1(labels: Array, targets: Array, classes: int) -> Doubles:
    """Compute the F1 score of the positive class, number 1."""
    return _f1_by_class(labels, targets, classes)[0][:, 1]


def log_loss(losses: Array, _targets: Array, _classes: int) -> Doubles:
    """Average the losses."""
    mean: Doubles = losses.mean(axis=-1, dtype=np.float64)
    return mean


def roc_auc(scores: Array, targets: Array, _classes: int) -> Doubles:
    """Compute the area under the ROC curve; of several classes, average those of each against all others."""
    if scores.ndim == 2:
        return np.array([_area(each, targets == 1) for each in scores])
    present = np.unique(targets).tolist()
    areas = [[_area(each[:, label], targets == label) for label in present] for each in scores]
    mean: Doubles = np.array(areas).mean(axis=1)
    return mean


def _area(scores: Array, members: Array) -> float:
    """Share of the pairs (member, other) in which the member has the higher score; ties count half."""
    inside, outside = scores[members], np.sort(scores[~members])
    below = np.searchsorted(outside, inside, side="left").sum() + np.searchsorted(outside, inside, side="right").sum()
    return float(below) / (2.0 * len(inside) * len(outside))


def mse(values: Array, targets: Array, _classes: int) -> Doubles:
    """Average the squares of the errors."""
    mean: Doubles = np.square(values - targets).mean(axis=-1, dtype=np.float64)
    return mean


def rmse(values: Array, targets: Array, classes: int) -> Doubles:
    """Take the root of the mean squared error."""
    return np.sqrt(mse(values, targets, classes))


def mae(values: Array, targets: Array, _classes: int) -> Doubles:
    """Average the sizes of the errors."""
    mean: Doubles = np.abs(values - targets).mean(axis=-1, dtype=np.float64)
    return mean


def r2(values: Array, targets: Array, _classes: int) -> Doubles:
    """Compute the share of the variance that is explained."""
    return 1.0 - mse(values, targets, 0) / variance(targets)


def untold(kept: Array, _targets: Array, _classes: int) -> Doubles:
    """Give no score: only what trains can tell it."""
    return np.full(len(kept), np.nan)
