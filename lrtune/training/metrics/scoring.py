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

import itertools
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from lrtune.arrays import Array, Doubles, Integers, Singles
from lrtune.training.metrics.catalogue import METRICS, POSITIVES, SPREAD, TWO_CLASSES, Kept, Needed
from lrtune.training.metrics.functions import variance
from lrtune.training.metrics.weighted import Scorer

MOST_CLASSES = 100
"""Of more classes nobody looks at all probabilities of a row, and they would take much room."""

MOST_PROBABILITIES = 2**25
"""Probabilities of a fold's validation rows that are stored of one configuration; of more, the labels are (64 MB)."""


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
    return keep_as(METRICS[metric].keeps, prediction, targets)


def keep_as(kind: Kept, prediction: Doubles, targets: Array) -> Array:
    """Keep of predictions what all metrics of a kind need; parameters as in `keep`."""
    return _KEEP[kind](prediction, targets)


def recorded(metric: str, prediction: Doubles, targets: Array, rows: int | None = None) -> Array:
    """Store of predictions what a metric needs, of one and of a mean of several, in the smallest type that serves.

    It is what `keep` gives, in float32; in place of labels the probabilities in float16, ``(C, M)`` of class 1 or
    ``(C, M, classes)``, rounded so that `kept` finds the same labels, as far as they have room. Parameters as in
    `keep`; the fold has so many validation ``rows``, of which these may be some; default: these are all.
    """
    if METRICS[metric].keeps != "label":
        return keep(metric, prediction, targets).astype(np.float32)
    classes = prediction.shape[-2]
    rows = prediction.shape[-1] if rows is None else rows
    return _rounded(prediction) if has_room(rows, classes) else _label(prediction, targets).astype(label_type(classes))


def whole(metric: str, prediction: Doubles, rows: int | None = None) -> Array | None:
    """Round probabilities to ``(C, M, classes)`` in float16 where what is `recorded` tells of the true class only.

    None where that tells all, or where they are too many to be shown. Parameters as in `recorded`.
    """
    rows = prediction.shape[-1] if rows is None else rows
    needed = METRICS[metric].keeps == "loss" and are_shown(rows, prediction.shape[-2])
    return _rounded(prediction) if needed else None


def has_room(rows: int, classes: int) -> bool:
    """Tell whether all probabilities of a fold's validation rows can be stored for every configuration."""
    return rows * classes <= MOST_PROBABILITIES or classes <= 2


def are_shown(rows: int, classes: int) -> bool:
    """Tell whether all probabilities of a fold's validation rows are kept for pictures alone."""
    return 2 < classes <= MOST_CLASSES and has_room(rows, classes)


def label_type(classes: int) -> str:
    """Name the dtype of labels that are stored."""
    return "uint8" if classes <= 256 else "uint16"


def kept(metric: str, record: Array) -> Array:
    """Turn what was stored ``(C, ...)`` into what a metric keeps; labels that were stored as such stay."""
    return record if has_labels(record) or METRICS[metric].keeps != "label" else _label_of(record)


def labels_of(record: Array, dtype: str) -> Array:
    """Turn stored probabilities ``(M,)`` or ``(M, classes)`` into labels of an integer type."""
    labels: Array = _label_of(record[None])[0].astype(dtype)
    return labels


def has_labels(record: Array) -> bool:
    """Tell whether labels are stored, of which no mean can be taken."""
    return bool(np.issubdtype(record.dtype, np.integer))


def to_average(metric: str, record: Array) -> Doubles:
    """Turn what was stored into what predictions are averaged by: probabilities, or values; of any shape."""
    return _AVERAGING[METRICS[metric].keeps].before(record.astype(np.float64))


def of_average(metric: str, means: Doubles) -> Array:
    """Turn means of what `to_average` gives ``(C, ...)`` into what a metric keeps."""
    return _AVERAGING[METRICS[metric].keeps].after(means)


def prediction_of(metric: str, means: Doubles, targets: Array, classes: int) -> Doubles | None:
    """Turn means of what `to_average` gives ``(C, ...)`` into predictions for `beside`; None where they do not tell.

    The loss of a row tells the probability of its true class, which of two classes is all, and of more is not.
    """
    return _AVERAGING[METRICS[metric].keeps].whole(means, targets, classes)


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
        What `keep` made of the predictions, or `kept` of what was stored of them.
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
    shown = shown_beside(classes, bare=bare)
    return {name: score(name, keep(name, prediction, targets), targets, classes) for name in shown}


def shown_beside(classes: int, *, bare: bool = False) -> list[str]:
    """Name every metric that stands beside the one that is tuned; parameters as in `beside`."""
    task = {0: "regression", 2: "binary"}.get(classes, "multiclass")
    shown = [each.name for each in METRICS.values() if each.is_beside and task in each.tasks]
    return [name for name in shown if not bare or METRICS[name].keeps == "label"]


def predicted(prediction: Doubles, targets: Array, classes: int) -> Integers:
    """Count how often each class is predicted ``(C, classes)``; parameters as in `beside`."""
    return counted(_label(prediction, targets), classes)


def counted(labels: Integers, classes: int) -> Integers:
    """Count how often each class stands among labels ``(C, M)``, ``(C, classes)``."""
    cells = np.arange(len(labels))[:, None] * classes + labels
    return np.bincount(cells.ravel(), minlength=len(labels) * classes).reshape(len(labels), classes)


def score_of_mean(metric: str, records: Iterable[Array], targets: Array, classes: int) -> float:
    """Score the mean of several predictions for the same rows, from what was `recorded` of each; see `score`."""
    mean = np.mean([to_average(metric, each) for each in records], axis=0, keepdims=True)
    return float(score(metric, of_average(metric, mean), targets, classes)[0])


def scorer(metric: str, kept: Array, targets: Array, classes: int) -> Scorer:
    """Make a function of the rows' weights ``(B, M)`` that scores what was kept ``(B, C)``; larger is better.

    Parameters are those of `score`. A score is NaN where the targets of the drawn rows have none.
    """
    own = METRICS[metric].scorer(kept, targets, classes)

    def oriented(weights: Singles) -> Doubles:
        # Kernels for small matrices may compute with what lies behind them in memory, and throw it away: no warning.
        with np.errstate(invalid="ignore"):
            return _oriented(metric, own(weights))

    return oriented


def row_values(metric: str, kept: Array, targets: Array, folds: Integers | None = None) -> Doubles:
    """Write a score as one number for each row, so that on the rows of a fold the larger mean is the better score.

    Parameters
    ----------
    metric
        One that `is_by_rows`.
    kept
        What is kept of the predictions: labels, losses or values ``(..., n)``.
    targets
        Labels or values ``(n,)``.
    folds
        Which fold each row is of ``(n,)``, ascending; None: all are of one.

    """
    values = METRICS[metric].row_values
    assert values is not None, f"{metric} is no mean over rows"
    ends = [] if folds is None else (np.flatnonzero(np.diff(folds)) + 1).tolist()
    parts = [
        values(kept[..., start:end], targets[start:end]) for start, end in itertools.pairwise([0, *ends, len(targets)])
    ]
    return _oriented(metric, parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1))


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


def _label(prediction: Doubles, _targets: Array) -> Array:
    return _label_of(_score(prediction, _targets))


def _label_of(probabilities: Array) -> Array:
    """Find the labels (C, M) of probabilities of class 1 (C, M), or of all classes (C, M, classes)."""
    if probabilities.ndim == 2:
        return (probabilities > 0.5).astype(np.int8)
    return np.asarray(probabilities.argmax(axis=-1).astype(np.int32))


def _rounded(prediction: Doubles) -> Array:
    """Round probabilities to half precision; what belongs to a label that a tie would change is the next one above."""
    probabilities = _score(prediction, np.empty(0))
    found, labels = probabilities.astype(np.float16), _label_of(probabilities)
    changed = np.nonzero(_label_of(found) != labels)
    places = changed if found.ndim == 2 else (*changed, labels[changed])
    found[places] = np.nextafter(found[places], np.float16(2.0))
    return found


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
    after: Callable[[Doubles], Array]
    whole: Callable[[Doubles, Array, int], Doubles | None]


def _same(values: Doubles) -> Doubles:
    return values


def _loss_of(truth: Doubles) -> Doubles:
    return np.asarray(-np.log(truth))


def _of_truth(truth: Doubles, targets: Array, classes: int) -> Doubles | None:
    return np.where(targets == 1, truth, 1.0 - truth)[:, None] if classes == 2 else None


def _of_scores(scores: Doubles, _targets: Array, classes: int) -> Doubles:
    return scores[:, None] if classes == 2 else np.ascontiguousarray(scores.swapaxes(-1, -2))


_AVERAGING: dict[Kept, _Averaging] = {
    "label": _Averaging(_same, _label_of, _of_scores),
    "loss": _Averaging(lambda losses: np.exp(-losses), _loss_of, _of_truth),
    "score": _Averaging(_same, _same, _of_scores),
    "value": _Averaging(_same, _same, lambda values, _targets, _classes: values[:, None]),
}
