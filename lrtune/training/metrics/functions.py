"""Scores of ``C`` configurations on the validation rows of one fold; larger is better, so errors are negative.

A score is computed from what the metric *keeps* of a prediction, so that it can be computed again later from what was
stored: ``label (C, M)``, ``loss (C, M)`` per row, ``score (C, M)`` (probability of class 1) or ``(C, M, classes)``, or
``value (C, M)``. The numbers are scikit-learn's.

**Whether there is a score** is a matter of the metric and the targets alone (`is_defined`), so that it is the same for
all configurations. Where there is none, `score` gives NaN and nobody makes up a number: there is none without rows;
``roc_auc`` needs two classes, ``f1`` a row of the positive class, ``r2`` two different values. scikit-learn warns there
and gives NaN or 0 (its R2 of a constant target is 1 or 0, its F1 without a positive 0).

**Over which classes a mean goes**, on rows that lack some of them:

* ``balanced_accuracy``: those that occur among the targets, as in scikit-learn.
* ``f1_macro``: those that occur among targets or predictions, as in scikit-learn; the F1 of a class never hit is 0.
* ``roc_auc``: those that occur among the targets, each against all others. scikit-learn refuses to compute that unless
  all classes occur.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lrtune.training.declarations import POSITIVES, SPREAD, TWO_CLASSES
from lrtune.training.registry import METRICS
from lrtune.training.tasks import Array, Doubles, Integers


def keep(metric: str, prediction: Doubles, targets: Array) -> Array:
    """Keep of predictions what a metric needs.

    Parameters
    ----------
    metric
        Its name.
    prediction
        ``(C, O, M)``: probabilities of the classes (of class 1 where ``O = 1``), or values.
    targets
        ``(M,)``: labels, or values.

    """
    return _KEEP[METRICS[metric].keeps](prediction, targets)


def is_defined(metric: str, targets: Array) -> bool:
    """Tell whether predictions for rows with these targets (M,) have a score."""
    return len(targets) > 0 and _HAS[METRICS[metric].needs](targets)


def score(metric: str, kept: Array, targets: Array, classes: int) -> Doubles:
    """Score what was kept; ``(C,)``, larger is better, NaN where there is no score (`is_defined`).

    Parameters
    ----------
    metric
        Its name.
    kept
        What `keep` made of the predictions; `compact` form will do, with less precision.
    targets
        ``(M,)``: labels, or values.
    classes
        Number of classes; 0 for regression.

    """
    if not is_defined(metric, targets):
        return np.full(len(kept), np.nan)
    sign = 1.0 if METRICS[metric].larger_is_better else -1.0
    return sign * _SCORES[metric](kept, targets, classes)


def compact(metric: str, kept: Array, classes: int) -> Array:
    """Store in the smallest type that serves: uint8 or uint16 for labels, float32 for the rest."""
    if METRICS[metric].keeps == "label":
        return kept.astype(np.uint8 if classes <= np.iinfo(np.uint8).max + 1 else np.uint16)
    return kept.astype(np.float32)


def _label(prediction: Doubles, _targets: Array) -> Integers:
    if prediction.shape[-2] == 1:
        return (prediction[..., 0, :] > 0.5).astype(np.int64)
    labels: Integers = prediction.argmax(axis=-2)
    return labels


def _loss(prediction: Doubles, targets: Array) -> Doubles:
    """Negative log-probability of the true class, kept away from infinity as scikit-learn does."""
    if prediction.shape[-2] == 1:
        positive = prediction[..., 0, :]
        truth = np.where(targets == 1, positive, 1.0 - positive)
    else:
        truth = np.take_along_axis(prediction, targets[None, None].astype(np.intp), axis=-2)[..., 0, :]
    smallest = np.finfo(np.float64).eps
    losses: Doubles = -np.log(np.clip(truth, smallest, 1.0 - smallest))
    return losses


def _score(prediction: Doubles, _targets: Array) -> Doubles:
    outputs = prediction.shape[-2]
    return prediction[..., outputs - 1, :] if outputs <= 2 else np.ascontiguousarray(prediction.swapaxes(-1, -2))


def _value(prediction: Doubles, _targets: Array) -> Doubles:
    return prediction[..., 0, :]


def _differ(targets: Array) -> bool:
    return bool((targets != targets[0]).any())


def _variance(targets: Array) -> float:
    return float(np.square(targets - targets.mean()).mean())


_HAS: dict[str, Callable[[Array], bool]] = {
    "": lambda _targets: True,
    TWO_CLASSES: _differ,
    POSITIVES: lambda targets: bool((targets == 1).any()),
    SPREAD: lambda targets: _differ(targets) and _variance(targets) > 0.0,
}

_KEEP: dict[str, Callable[[Doubles, Array], Array]] = {
    "label": _label,
    "loss": _loss,
    "score": _score,
    "value": _value,
}


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


def _accuracy(labels: Array, targets: Array, _classes: int) -> Doubles:
    mean: Doubles = (labels == targets).mean(axis=-1)
    return mean


def _balanced_accuracy(labels: Array, targets: Array, classes: int) -> Doubles:
    counts = _confusion(labels, targets, classes)
    members = counts.sum(axis=2)
    return _mean_where(np.diagonal(counts, axis1=1, axis2=2) / np.maximum(members, 1.0), members > 0.0)


def _f1_by_class(labels: Array, targets: Array, classes: int) -> tuple[Doubles, Doubles]:
    """F1 ``(C, classes)``, and how often each class occurs among targets and predictions together."""
    counts = _confusion(labels, targets, classes)
    occurrences = counts.sum(axis=1) + counts.sum(axis=2)
    return 2.0 * np.diagonal(counts, axis1=1, axis2=2) / np.maximum(occurrences, 1.0), occurrences


def _f1_macro(labels: Array, targets: Array, classes: int) -> Doubles:
    values, occurrences = _f1_by_class(labels, targets, classes)
    return _mean_where(values, occurrences > 0.0)


def _f1(labels: Array, targets: Array, classes: int) -> Doubles:
    return _f1_by_class(labels, targets, classes)[0][:, 1]


def _log_loss(losses: Array, _targets: Array, _classes: int) -> Doubles:
    mean: Doubles = losses.mean(axis=-1, dtype=np.float64)
    return mean


def _roc_auc(scores: Array, targets: Array, _classes: int) -> Doubles:
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


def _mse(values: Array, targets: Array, _classes: int) -> Doubles:
    mean: Doubles = np.square(values - targets).mean(axis=-1, dtype=np.float64)
    return mean


def _rmse(values: Array, targets: Array, classes: int) -> Doubles:
    return np.sqrt(_mse(values, targets, classes))


def _mae(values: Array, targets: Array, _classes: int) -> Doubles:
    mean: Doubles = np.abs(values - targets).mean(axis=-1, dtype=np.float64)
    return mean


def _r2(values: Array, targets: Array, _classes: int) -> Doubles:
    return 1.0 - _mse(values, targets, 0) / _variance(targets)


_SCORES: dict[str, Callable[[Array, Array, int], Doubles]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1_macro": _f1_macro,
    "f1": _f1,
    "log_loss": _log_loss,
    "roc_auc": _roc_auc,
    "mse": _mse,
    "rmse": _rmse,
    "mae": _mae,
    "r2": _r2,
}
