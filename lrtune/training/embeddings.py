"""Periodic embeddings of numbers (PBLD, Holzmüller et al. 2024, arXiv 2407.04491; frequencies as in 2203.05556).

A number ``x`` is joined by ``W cos(2 pi w x + b) + c``, with frequencies ``w`` and phases ``b`` (`FREQUENCIES` each),
and `OUTPUTS` numbers come of it; everything is trained. The first layer sees these, then all features as they are.

The parameters of ``n`` numbers are two stacks of small layers, bias column last as in all layers: ``(n, 16, 2)`` with
``w`` and ``b``, and ``(n, 3, 17)`` with ``W`` and ``c``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lrtune.arrays import Array

FREQUENCIES, OUTPUTS = 16, 3

SPREAD = 0.3
"""Standard deviation of the initial frequencies, in turns for each unit of a feature."""


def stacks(numbers: int) -> list[tuple[int, int, int]]:
    """Give the shapes of the parameters of so many numbers; nothing for none."""
    return [(numbers, FREQUENCIES, 2), (numbers, OUTPUTS, FREQUENCIES + 1)] if numbers else []


def draw(stack: Sequence[Array], generator: np.random.Generator) -> None:
    """Draw initial parameters: normal frequencies, phases of a whole turn, and what mixes them as in a linear layer."""
    first, second = stack
    first[..., 0] = SPREAD * generator.standard_normal(first.shape[:-1])
    first[..., 1] = generator.uniform(-math.pi, math.pi, first.shape[:-1])
    bound = 1.0 / math.sqrt(FREQUENCIES)
    second[...] = generator.uniform(-bound, bound, second.shape)


class EmbeddingSpace(NamedTuple):
    """The arrays that a pass writes into, for ``n`` embedded numbers of ``D`` features.

    ``points (1, k, n, 2, B)`` are ``2 pi x`` and 1; ``units (C, k, n, 17, B)`` the cosines and 1; ``slopes
    (C, k, n, 16, B)`` the angles, and after a backward pass their sines, which are the slopes but for the sign;
    ``inputs (C, k, 3 n + D + 1, B)`` what the first layer sees. ``spare`` is as large as ``slopes``, ``delta
    (C, k, 3 n, B)`` the gradient of what is joined.
    """

    points: Array
    units: Array
    slopes: Array
    inputs: Array
    spare: Array
    delta: Array

    def folds(self, k: int) -> EmbeddingSpace:
        """View the first ``k`` folds."""
        return EmbeddingSpace(*(each[:, :k] for each in self))


def embedding_space(
    numbers: int, features: int, lanes: tuple[int, int], batch_size: int, dtype: np.dtype[Any]
) -> EmbeddingSpace:
    """Allocate the arrays for passes of ``(C, K)`` lanes."""
    angles = (*lanes, numbers, FREQUENCIES, batch_size)
    return EmbeddingSpace(
        np.ones((1, lanes[1], numbers, 2, batch_size), dtype),
        np.ones((*lanes, numbers, FREQUENCIES + 1, batch_size), dtype),
        np.empty(angles, dtype),
        np.empty((*lanes, OUTPUTS * numbers + features + 1, batch_size), dtype),
        np.empty(angles, dtype),
        np.empty((*lanes, OUTPUTS * numbers, batch_size), dtype),
    )


def embed(stack: Sequence[Array], columns: Array, places: Sequence[int], space: EmbeddingSpace) -> Array:
    """Compute what the first layer sees of features ``(k, D + 1, B)``: ``space.inputs``."""
    first, second = stack
    np.multiply(columns.take(places, axis=-2), 2.0 * math.pi, out=space.points[0, ..., 0, :])
    np.matmul(first, space.points, out=space.slopes)
    np.cos(space.slopes, out=space.units[..., :-1, :])
    joined = OUTPUTS * len(places)
    np.matmul(second, space.units, out=_by_number(space.inputs[..., :joined, :], len(places)))
    space.inputs[..., joined:, :] = columns
    return space.inputs


def embedded_gradients(stack: Sequence[Array], gradients: Sequence[Array], space: EmbeddingSpace) -> None:
    """Turn ``space.delta`` into the ``gradients`` of the parameters."""
    delta = _by_number(space.delta, space.units.shape[-3])
    np.matmul(delta, space.units.swapaxes(-1, -2), out=gradients[1])
    np.matmul(stack[1][..., :-1].swapaxes(-1, -2), delta, out=space.spare)
    np.sin(space.slopes, out=space.slopes)
    np.multiply(space.spare, space.slopes, out=space.spare)
    np.matmul(space.spare, space.points.swapaxes(-1, -2), out=gradients[0])
    np.negative(gradients[0], out=gradients[0])


def _by_number(rows: Array, numbers: int) -> Array:
    """View ``(..., 3 n, B)`` as ``(..., n, 3, B)``."""
    return rows.reshape(*rows.shape[:-2], numbers, -1, rows.shape[-1], copy=False)
