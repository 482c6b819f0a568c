"""Metrics that are means over rows, as one number for each row; in the metric's own sign.

What is kept are labels, losses or values ``(..., n)``, targets are labels or values ``(n,)``, of one fold.
"""

from __future__ import annotations

import numpy as np

from lrtune.arrays import Array, Doubles


def hits(kept: Array, targets: Array) -> Doubles:
    """Give 1 to a correct label and 0 to others."""
    right: Doubles = (kept == targets).astype(np.float64)
    return right


def balanced_hits(kept: Array, targets: Array) -> Doubles:
    """Give a correct label the more the rarer its class is."""
    _, inverse, counts = np.unique(targets, return_inverse=True, return_counts=True)
    return np.asarray(hits(kept, targets) * (targets.size / counts.size / counts[inverse]))


def losses(kept: Array, _targets: Array) -> Doubles:
    """Give the losses themselves."""
    return kept.astype(np.float64)


def surprising_loss(values: Doubles) -> Doubles:
    """Compute the loss of a row of another class than all predictions (C, n) have it: ``-log(1 - p)`` on average."""
    smallest = np.finfo(np.float64).eps
    return np.asarray(-np.log(np.maximum(-np.expm1(-values), smallest)).mean(axis=-1))


def _errors(kept: Array, targets: Array) -> Doubles:
    return np.asarray(kept.astype(np.float64) - targets)


def squares(kept: Array, targets: Array) -> Doubles:
    """Square the errors."""
    return np.square(_errors(kept, targets))


def negative_squares(kept: Array, targets: Array) -> Doubles:
    """Square the errors of a score that is larger where they are smaller."""
    return -squares(kept, targets)


def distances(kept: Array, targets: Array) -> Doubles:
    """Take the size of the errors."""
    return np.abs(_errors(kept, targets))
