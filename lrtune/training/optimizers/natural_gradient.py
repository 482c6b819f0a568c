"""Natural gradient: the gradient times the inverse of the damped Fisher matrix.

Models without hidden layers and with few parameters get the exact matrix, ``(F + damping * I)^-1 g``; with a canonical
loss it is Newton's step. All others get K-FAC (Martens & Grosse 2015, arXiv 1503.05671): per layer, with ``V`` the
gradient of its weights::

    U = (G + sqrt(damping) / pi * I)^-1 V (A + pi * sqrt(damping) * I)^-1,    pi^2 = (tr A / dim A) / (tr G / dim G)

``A`` and ``G`` (or ``F``) are moving averages over mini-batches, corrected for their start, so the first step uses the
plain statistic of its mini-batch. The step is shortened to ``lr^2 <U, g> <= kl_clip``, which bounds how far the
predictions move (Ba et al. 2017). Velocity, curvature and inverses are updated when the lane's own counter says so.

A matrix that cannot be inverted leaves the lane with its last inverse, and no other lane notices.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from lrtune.arrays import Doubles, Floats
from lrtune.training.optimizers.curvature import Curvature, Lanes, exact_fisher, kronecker_factors, portions
from lrtune.training.updates import cycled, double, per_lane, shrink, subtract

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lrtune.training.updates import LaneFactors, Scratch, Shapes, State, StepValues

MOST_EXACT_PARAMETERS = 512
"""The exact matrix costs ``P^3``: above this many parameters, models without hidden layers get K-FAC, too."""


def natural_gradient_start(parameters: Floats, _factors: LaneFactors, shapes: Shapes = ()) -> State:
    """Make the velocity, the counter of steps, the weight of all averages, and the matrices.

    The matrices are ``F`` and its inverse, or ``A`` and ``G`` of each layer and their inverses, at first identities.
    """
    lanes = parameters.shape[:2]
    shapes = [each[-2:] for each in shapes for _ in range(math.prod(each[:-2]))]
    sizes = (
        [parameters.shape[-1]] if _is_exact(shapes) else [each for rows, columns in shapes for each in (columns, rows)]
    )
    averages, inverses = ([np.zeros((*lanes, size, size), parameters.dtype) for size in sizes] for _ in range(2))
    for each in inverses:
        np.einsum("...ii->...i", each)[...] = 1.0  # a view of the diagonals
    return (np.zeros_like(parameters), per_lane(parameters), per_lane(parameters), *averages, *inverses)


def natural_gradient(  # noqa: PLR0917 - one signature for all optimizers
    parameters: Floats, gradient: Floats, state: State, values: StepValues, scratch: Scratch, curvature: Curvature
) -> None:
    """Advance the curvature where it is due, then step along the natural gradient with momentum."""
    velocity, count, *_ = state
    _advance(state, values, curvature)
    count += 1.0
    direction = _natural(gradient, state, scratch, curvature)
    length = _length(direction, gradient, values, scratch[1])
    limit = double(values.factors["kl_clip"])
    with np.errstate(divide="ignore", invalid="ignore"):
        clip = np.where((limit > 0.0) & (length > limit), np.sqrt(limit / np.abs(length)), 1.0)
    direction *= clip.astype(direction.dtype)
    velocity *= cycled(values, "momentum")
    velocity += direction
    shrink(parameters, values)
    np.multiply(velocity, values.rate, out=direction)
    subtract(parameters, direction, values)


def _length(direction: Floats, gradient: Floats, values: StepValues, spare: Floats) -> Doubles:
    """Compute ``lr^2 <U, g>``, with the rate of each parameter."""
    if values.rate_factors is not None:
        np.multiply(direction, values.rate_factors, out=spare)
        spare *= values.rate_factors
        direction = spare
    length: Doubles = np.vecdot(direction, gradient)[..., None] * double(values.rate) ** 2
    return length


def _is_exact(shapes: Sequence[tuple[int, ...]]) -> bool:
    return len(shapes) == 1 and shapes[0][-2] * shapes[0][-1] <= MOST_EXACT_PARAMETERS


def _advance(state: State, values: StepValues, curvature: Curvature) -> None:
    """Update averages and inverses of the lanes whose counters are due."""
    _, count, weight, *matrices = state
    averages, inverses = matrices[: len(matrices) // 2], matrices[len(matrices) // 2 :]
    exact = _is_exact(curvature.shapes)
    due = _due(count, values.factors["curvature_every"])
    if len(due[0]):
        keep = np.broadcast_to(double(values.factors["curvature_decay"]), weight.shape)
        weight[due] = weight[due] * keep[due] + 1.0
        numbers = curvature.weights.shape[-1] * max(curvature.expected.shape[2] * each.shape[-2] for each in averages)
        for part in portions(due, numbers):
            fresh = _statistics(curvature, part, exact=exact)
            for average, statistic in zip(averages, fresh, strict=True):
                average[part] = average[part] * keep[part][..., None].astype(average.dtype) + statistic
    due = _due(count, values.factors["inverse_every"])
    for part in portions(due, sum(each.shape[-1] ** 2 for each in averages)):
        damping = np.broadcast_to(double(values.factors["damping"]), count.shape)[part][..., None]
        current = [average[part] / weight[part][..., None] for average in averages]
        amounts = [damping] if exact else _factored_damping(current, np.sqrt(damping))
        for inverse, matrix, amount in zip(inverses, current, amounts, strict=True):
            inverse[part] = _inverted(matrix + amount * np.eye(matrix.shape[-1]), inverse[part])


def _due(count: Floats, every: Floats) -> Lanes:
    configurations, folds, _ = np.nonzero(np.fmod(count, double(every)) == 0.0)
    return configurations, folds


def _statistics(curvature: Curvature, lanes: Lanes, *, exact: bool) -> list[Floats]:
    if exact:
        return [exact_fisher(curvature, lanes)]
    return [factor for layer in kronecker_factors(curvature, lanes) for factor in layer]


def _factored_damping(matrices: Sequence[Doubles], root: Doubles) -> list[Doubles]:
    """Split the damping between the two factors of each layer in proportion to their mean eigenvalues."""
    means = [np.trace(each, axis1=-2, axis2=-1)[:, None, None] / each.shape[-1] for each in matrices]
    amounts = []
    for inputs, outputs in zip(means[::2], means[1::2], strict=True):
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ratio = np.sqrt(inputs / outputs)
        ratio = np.where(np.isfinite(ratio) & (ratio > 0.0), ratio, 1.0)
        amounts += [ratio * root, root / ratio]
    return amounts


def _inverted(matrices: Doubles, last: Floats) -> Floats:
    """Invert ``(n, D, D)`` in float64, which LAPACK does faster than float32; singular ones get the last inverse."""
    try:
        inverses = np.linalg.inv(matrices)
    except np.linalg.LinAlgError:
        inverses = np.stack([_inverted_alone(*each) for each in zip(matrices, last, strict=True)])
    usable = np.isfinite(inverses).all(axis=(-2, -1), keepdims=True)
    return np.where(usable, inverses, last).astype(last.dtype)


def _inverted_alone(matrix: Doubles, last: Floats) -> Doubles:
    try:
        return double(np.linalg.inv(matrix))
    except np.linalg.LinAlgError:
        return double(last)


def _natural(gradient: Floats, state: State, scratch: Scratch, curvature: Curvature) -> Floats:
    """Multiply the gradient by the inverses; the result is in the first scratch array."""
    direction, spare = scratch
    shapes = curvature.shapes
    inverses = state[3 + (len(state) - 3) // 2 :]
    if _is_exact(shapes):
        np.matmul(inverses[0], gradient[..., None], out=direction[..., None])
        return direction
    start = 0
    for (rows, columns), inputs, outputs in zip(shapes, inverses[::2], inverses[1::2], strict=True):
        given, half, result = (
            each[..., start : start + rows * columns].reshape(*each.shape[:2], rows, columns, copy=False)
            for each in (gradient, spare, direction)
        )
        np.matmul(outputs, given, out=half)
        np.matmul(half, inputs, out=result)
        start += rows * columns
    return direction
