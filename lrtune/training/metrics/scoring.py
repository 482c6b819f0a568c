"""Scores of ``C`` configurations on the validation rows of one fold, by the name of the metric.

Larger is better: here the sign of errors is turned. A score is computed from what the metric keeps of a prediction:
``label (C, M)``, ``loss (C, M)`` per row, ``score (C, M)`` (probability of class 1) or ``(C, M, classes)``, or
``value (C, M)``.

**Whether there is a score** is a matter of the metric and the targets alone (`is_defined`), so that it is the same for
all configurations. Where there is none, `score` gives NaN and nobody makes up a number: there is none without rows;
``roc_auc`` needs two classes, ``f1`` a row of the positive class, ``r2`` two different values. scikit-learn warns there
and gives NaN or 0 (its R2 of a constant target is 1 or 0, its F1 without a positive 0).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lrtune.arrays import Array, Doubles, Integers
from lrtune.training.metrics.catalogue import METRICS, POSITIVES, SPREAD, TWO_CLASSES, Kept, Needed
from lrtune.training.metrics.functions import variance
from lrtune.training.metrics.weighted import Scorer


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


def can_average(metric: str) -> bool:
    """Tell whether what a metric keeps of several predictions tells what it would keep of their mean."""
    return METRICS[metric].keeps in _AVERAGING


def to_average(metric: str, kept: Array) -> Doubles:
    """Turn what was kept into what predictions are averaged by: probabilities, or values; of any shape."""
    return _AVERAGING[METRICS[metric].keeps].before(kept.astype(np.float64))


def of_average(metric: str, means: Doubles) -> Doubles:
    """Turn means of what `to_average` gives into what a metric keeps."""
    return _AVERAGING[METRICS[metric].keeps].after(means)


def prediction_of(metric: str, kept: Array, targets: Array, classes: int) -> Doubles | None:
    """Turn what was kept (C, M) back into predictions, as `beside` takes them; None where it does not tell them.

    The loss of a row tells the probability of its true class, which of two classes is all, and of more is not.
    """
    return _AVERAGING[METRICS[metric].keeps].whole(kept.astype(np.float64), targets, classes)


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
    return _oriented(metric, METRICS[metric].score(kept, targets, classes))


def beside(prediction: Doubles, targets: Array, classes: int, *, bare: bool = False) -> dict[str, Doubles]:
    """Score predictions by every metric that stands beside the one that is tuned, as `score` does.

    Parameters
    ----------
    prediction
        ``(C, O, M)``, as `keep` takes it.
    targets, classes
        As in `score`.
    bare
        Whether they are labels in place of probabilities, so that only metrics that count labels say something.

    """
    task = {0: "regression", 2: "binary"}.get(classes, "multiclass")
    shown = [each.name for each in METRICS.values() if each.is_beside and task in each.tasks]
    shown = [name for name in shown if not bare or METRICS[name].keeps == "label"]
    return {name: score(name, keep(name, prediction, targets), targets, classes) for name in shown}


def predicted(prediction: Doubles, targets: Array, classes: int) -> Integers:
    """Count how often each class is predicted ``(C, classes)``; parameters as in `beside`."""
    labels = _label(prediction, targets)
    cells = np.arange(len(labels))[:, None] * classes + labels
    return np.bincount(cells.ravel(), minlength=len(labels) * classes).reshape(len(labels), classes)


def scorer(metric: str, kept: Array, targets: Array, classes: int) -> Scorer:
    """Make a function of the rows' weights ``(B, M)`` that scores what was kept ``(B, C)``; larger is better.

    Parameters are those of `score`. A score is NaN where the targets of the drawn rows have none.
    """
    own = METRICS[metric].scorer(kept, targets, classes)
    return lambda weights: _oriented(metric, own(weights))


def row_values(metric: str, kept: Array, targets: Array) -> Doubles:
    """Write a score as one number for each row, so that on these rows the larger mean is the better score.

    Parameters
    ----------
    metric
        One that `is_by_rows`.
    kept
        What is kept of the predictions: labels, losses or values ``(..., n)``.
    targets
        Labels or values ``(n,)``, of one fold.

    """
    values = METRICS[metric].row_values
    assert values is not None, f"{metric} is no mean over rows"
    return _oriented(metric, values(kept, targets))


def surprise(metric: str, values: Doubles) -> Doubles | None:
    """Write down the score of a row that is not what the others are; None where that is no larger than any error.

    With the log loss it is of another class: ``log(1 - p)`` on the average, where the other rows have ``log(p)``.

    Parameters
    ----------
    metric, values
        As in `row_values`, and what it gave (C, n).

    """
    found = METRICS[metric].surprise
    return None if found is None else _oriented(metric, found(_oriented(metric, values)))


def _oriented(metric: str, values: Doubles) -> Doubles:
    """Turn numbers in the metric's own sign so that larger is better, or back."""
    return values if METRICS[metric].larger_is_better else -values


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


_HAS: dict[Needed, Callable[[Array], bool]] = {
    "": lambda _targets: True,
    TWO_CLASSES: _differ,
    POSITIVES: lambda targets: bool((targets == 1).any()),
    SPREAD: lambda targets: _differ(targets) and variance(targets) > 0.0,
}

_KEEP: dict[Kept, Callable[[Doubles, Array], Array]] = {
    "label": _label,
    "loss": _loss,
    "score": _score,
    "value": _value,
}


class _Averaging(NamedTuple):
    """From what is kept to what can be averaged, and back; and to the whole predictions."""

    before: Callable[[Doubles], Doubles]
    after: Callable[[Doubles], Doubles]
    whole: Callable[[Doubles, Array, int], Doubles | None]


def _same(values: Doubles) -> Doubles:
    return values


def _loss_of(truth: Doubles) -> Doubles:
    return np.asarray(-np.log(truth))


def _of_losses(losses: Doubles, targets: Array, classes: int) -> Doubles | None:
    truth = np.exp(-losses)
    return np.where(targets == 1, truth, 1.0 - truth)[:, None] if classes == 2 else None


def _of_scores(scores: Doubles, _targets: Array, classes: int) -> Doubles:
    return scores[:, None] if classes == 2 else np.ascontiguousarray(scores.swapaxes(-1, -2))


_AVERAGING: dict[Kept, _Averaging] = {
    "loss": _Averaging(lambda losses: np.exp(-losses), _loss_of, _of_losses),
    "score": _Averaging(_same, _same, _of_scores),
    "value": _Averaging(_same, _same, lambda values, _targets, _classes: values[:, None]),
}
"""A mean of labels is none."""
