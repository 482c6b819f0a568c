"""Fisher matrices of mini-batches: exact ones, and Kronecker factors layer by layer.

The expectation over the targets is taken under the model's own predictions and exactly, not by sampling and not at the
true targets. It needs square roots of the Fisher matrix of the outputs, columns ``r`` with ``sum_y r r' = w * F(row)``:
``sqrt(p_y) * (e_y - p)`` for the softmax, ``sqrt(p * (1 - p))`` for the logistic loss, 1 for the squared one.

``n`` counts lanes, ``Y`` the columns of a square root; ``w`` are the weights of the rows, which sum to one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lrtune.arrays import Floats

Lanes: TypeAlias = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Indices of some lanes: of their configurations and of their folds."""


class Embedded(NamedTuple):
    """What a pass left behind of embedded numbers (`lrtune.training.embeddings`); nothing is copied.

    ``mixing (C, k, n, 3, 17)`` are weights, ``points (k, n, 2, B)`` and ``units (C, k, n, 17, B)`` inputs of the two
    small layers, and ``slopes (C, k, n, 16, B)`` the derivatives between them.
    """

    mixing: Floats
    points: Floats
    units: Floats
    slopes: Floats

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Rows and columns of every small layer: the first one of each number, then the second one of each."""
        numbers, outputs, waves = self.mixing.shape[-3:]
        return [*[(waves - 1, self.points.shape[-2])] * numbers, *[(outputs, waves)] * numbers]


class Curvature(NamedTuple):
    """What a forward and backward pass left behind, for lanes ``(C, k)`` on ``B`` rows; nothing is copied.

    Parameters
    ----------
    loss
        ``"softmax"``, ``"logistic"`` or ``"squared"``.
    layers
        Weights ``(C, k, H, D + 1)`` of each layer.
    inputs
        Inputs ``(C, k, D + 1, B)`` of each layer with a row of ones.
    slopes
        Derivatives ``(C, k, H, B)`` of the activations of each hidden layer.
    expected
        Predictions times weights ``(C, k, O, B)``; not used for the squared loss.
    weights
        ``(k, 1, B)``.
    embedding
        Of the numbers, if they are embedded: what it adds to the features comes first among the inputs.

    """

    loss: str
    layers: Sequence[Floats]
    inputs: Sequence[Floats]
    slopes: Sequence[Floats]
    expected: Floats
    weights: Floats
    embedding: Embedded | None = None

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Rows and columns of every matrix of weights, in the order of the flat rows of parameters."""
        stacked = self.embedding.shapes if self.embedding else []
        return [*stacked, *((each.shape[-2], each.shape[-1]) for each in self.layers)]


def exact_fisher(curvature: Curvature, lanes: Lanes) -> Floats:
    """Compute the Fisher matrices ``(n, P, P)`` of some lanes without hidden layers: ``sum_b w F_b (x) x x'``."""
    root = _roots(curvature, lanes)
    inputs = curvature.inputs[0][lanes][:, None, None]
    blocks = np.add.reduce(root[:, :, None] * root[:, None], axis=-2)
    fisher = np.matmul(inputs * blocks[..., None, :], inputs.swapaxes(-1, -2))
    outputs, features = root.shape[1], inputs.shape[-2]
    result: Floats = fisher.swapaxes(2, 3).reshape(-1, outputs * features, outputs * features)
    return result


def kronecker_factors(curvature: Curvature, lanes: Lanes) -> list[tuple[Floats, Floats]]:
    """Compute ``E[a a'] (n, D + 1, D + 1)`` of the inputs and ``E[d d'] (n, H, H)`` of the pre-activations, per layer.

    The factors of one layer approximate its block of the Fisher matrix by their Kronecker product (Martens & Grosse
    2015, section 3).
    """
    delta = _roots(curvature, lanes)
    weights = np.sqrt(curvature.weights[lanes[1]])
    factors: list[tuple[Floats, Floats]] = []
    for number in range(len(curvature.layers) - 1, -1, -1):
        inputs = curvature.inputs[number]
        scaled = inputs[lanes] * weights
        flat = delta.reshape(*delta.shape[:2], -1)
        factors.append((scaled @ scaled.swapaxes(-1, -2), flat @ flat.swapaxes(-1, -2)))
        upstream = curvature.layers[number][lanes][..., :-1].swapaxes(-1, -2)
        if number:
            slope = curvature.slopes[number - 1][lanes]
            delta = (upstream @ flat).reshape(*slope.shape[:2], -1, slope.shape[-1]) * slope[:, :, None]
    stacked = [] if curvature.embedding is None else _stacked(curvature.embedding, upstream @ flat, weights, lanes)
    return [*stacked, *factors[::-1]]


def _stacked(embedding: Embedded, deltas: Floats, weights: Floats, lanes: Lanes) -> list[tuple[Floats, Floats]]:
    """Compute the factors of every small layer, from gradients ``(n, inputs, Y B)`` of what the first layer sees."""
    slopes = embedding.slopes[lanes]
    lane, numbers, waves, rows = slopes.shape
    outputs = embedding.mixing.shape[-2]
    second = deltas[:, : numbers * outputs].reshape(lane, numbers, outputs, -1)
    first = embedding.mixing[lanes][..., :-1].swapaxes(-1, -2) @ second
    first = (first.reshape(lane, numbers, waves, -1, rows) * slopes[..., None, :]).reshape(lane, numbers, waves, -1)
    found: list[tuple[Floats, Floats]] = []
    for inputs, delta in ((embedding.points[lanes[1]], first), (embedding.units[lanes], second)):
        scaled = inputs * weights[:, None]
        pair = scaled @ scaled.swapaxes(-1, -2), delta @ delta.swapaxes(-1, -2)
        found += [(pair[0][:, number], pair[1][:, number]) for number in range(numbers)]
    return found


def portions(lanes: Lanes, numbers_per_lane: int, at_once: int = 2**17) -> Iterator[Lanes]:
    """Cut lanes into portions whose arrays stay in the cache; which ones are together changes no bits."""
    count = max(1, at_once // numbers_per_lane)
    for start in range(0, len(lanes[0]), count):
        yield lanes[0][start : start + count], lanes[1][start : start + count]


def _roots(curvature: Curvature, lanes: Lanes) -> Floats:
    """Compute the square roots ``(n, O, Y, B)`` of the weighted Fisher matrices of the outputs."""
    weights = curvature.weights[lanes[1]]
    if curvature.loss == "squared":
        return np.sqrt(weights)[:, :, None]
    expected = np.maximum(curvature.expected[lanes], 0.0)
    predictions = np.divide(expected, weights, out=np.zeros_like(expected), where=weights > 0.0)
    if curvature.loss == "logistic":
        spread: Floats = np.sqrt(expected * np.maximum(1.0 - predictions, 0.0))
        return spread[:, :, None]
    root = np.sqrt(expected)
    roots: Floats = -predictions[:, :, None] * root[:, None]
    diagonal = np.arange(expected.shape[1])
    roots[:, diagonal, diagonal] += root
    return roots
