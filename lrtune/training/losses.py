"""Losses: their gradients in place for training, their values and predictions in float64 for scoring.

Outputs and targets have the rows last, ``(..., O, B)``, which makes the softmax a handful of passes over long rows.
The loss of a mini-batch is the weighted mean over its rows, ``sum(w * l) / sum(w)``; callers pass the weights
``w / sum(w)`` and the targets already multiplied by them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lrtune.arrays import Array, Doubles


class Loss(NamedTuple):
    """A loss and the predictions that go with it.

    Parameters
    ----------
    gradient
        ``(outputs, targets, weights)``: replaces the outputs ``(..., O, B)`` with the gradient of the mini-batch's
        loss; targets ``(..., O, B)`` are weighted, weights are ``(..., 1, B)``.
    rows
        ``(outputs, targets) -> (..., B)``: the loss of each row, targets not weighted.
    prediction
        ``outputs -> (..., O, B)``: probabilities of the classes (of class 1 where ``O = 1``), or values; float64.

    """

    gradient: Callable[[Array, Array, Array], None]
    rows: Callable[[Array, Array], Doubles]
    prediction: Callable[[Array], Doubles]


def _softmax_gradient(outputs: Array, targets: Array, weights: Array) -> None:
    """``w * (p - t)``."""
    reduced = np.maximum.reduce(outputs, axis=-2, keepdims=True)
    outputs -= reduced
    np.exp(outputs, out=outputs)
    np.add.reduce(outputs, axis=-2, keepdims=True, out=reduced)
    np.divide(weights, reduced, out=reduced)
    outputs *= reduced
    outputs -= targets


def _softmax_rows(outputs: Array, targets: Array) -> Doubles:
    """``-sum(t * log p)``; smoothed targets are welcome."""
    z = outputs.astype(np.float64)
    z -= np.max(z, axis=-2, keepdims=True)
    z -= np.log(np.sum(np.exp(z), axis=-2, keepdims=True))
    z *= targets
    losses: Doubles = -np.sum(z, axis=-2)
    return losses


def _softmax(outputs: Array) -> Doubles:
    z = outputs.astype(np.float64)
    z -= np.max(z, axis=-2, keepdims=True)
    np.exp(z, out=z)
    z /= np.sum(z, axis=-2, keepdims=True)
    return z


def _sigmoid(outputs: Array) -> Doubles:
    """``1 / (1 + e^-z)``; an overflow of the exponential gives the right limit 0."""
    z = np.negative(outputs, dtype=np.float64)
    with np.errstate(over="ignore"):
        np.exp(z, out=z)
    z += 1.0
    np.reciprocal(z, out=z)
    return z


def _logistic_gradient(outputs: Array, targets: Array, weights: Array) -> None:
    """``w * (p - t)``; an overflow of the exponential gives the right limit 0."""
    np.negative(outputs, out=outputs)
    np.exp(outputs, out=outputs)
    outputs += 1.0
    np.divide(weights, outputs, out=outputs)
    outputs -= targets


def _logistic_rows(outputs: Array, targets: Array) -> Doubles:
    """``log(1 + e^z) - t * z``."""
    z = outputs.astype(np.float64)
    losses: Doubles = (np.logaddexp(0.0, z) - targets * z)[..., 0, :]
    return losses


def _squared_gradient(outputs: Array, targets: Array, weights: Array) -> None:
    """``w * (z - t)``."""
    outputs *= weights
    outputs -= targets


def _squared_rows(outputs: Array, targets: Array) -> Doubles:
    """``sum((z - t)^2) / 2``: the halved square, whose Fisher matrix is that of a Gaussian of unit variance."""
    difference = outputs.astype(np.float64) - targets
    losses: Doubles = 0.5 * np.sum(difference * difference, axis=-2)
    return losses


def _double(outputs: Array) -> Doubles:
    return outputs.astype(np.float64)


LOSSES: dict[str, Loss] = {
    "softmax": Loss(_softmax_gradient, _softmax_rows, _softmax),
    "logistic": Loss(_logistic_gradient, _logistic_rows, _sigmoid),
    "squared": Loss(_squared_gradient, _squared_rows, _double),
}
