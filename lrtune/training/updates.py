"""What an update rule is, and the few operations that all of them share.

Parameters, gradients and buffers are ``(C, K, P)``, factors ``(C, 1, 1)``, rates and counters ``(C, K, 1)``. A lane
counts its own steps in its state, because folds may have different numbers of them. Nothing mixes lanes: a lane's bits
are the same alone and in any population. So powers of a factor are kept as running products: NumPy's ``x ** p`` takes
other roads for other shapes.

The rate multiplies outside of every moving average, as in PyTorch, so a lower rate acts at once. Moving averages are
kept as plain discounted sums, ``V = beta * V + g^2``; the factor ``1 - beta`` goes into the small per-lane
numbers, which saves a pass over the parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.floating[Any]]
Doubles: TypeAlias = NDArray[np.float64]
State: TypeAlias = tuple[Array, ...]
Factors: TypeAlias = Mapping[str, Array]
Scratch: TypeAlias = tuple[Array, Array]
Shapes: TypeAlias = Sequence[tuple[int, int]]
"""Rows and columns of the weights of each layer, bias column included."""


class StepValues(NamedTuple):
    """What one update needs besides gradient and state; everything in the dtype of the lanes.

    ``rate (C, K, 1)``, ``factors`` and ``weight_decay (C, 1, 1)``, and ``momentum (C, K, 1)`` where a schedule cycles
    it; it then takes the place of the factor ``momentum`` or ``beta1``.
    """

    rate: Array
    factors: Factors
    weight_decay: Array
    momentum: Array | None = None


def stateless(_parameters: Array, _factors: Factors, _shapes: Shapes = ()) -> State:
    """Start from nothing."""
    return ()


def one_buffer(parameters: Array, _factors: Factors, _shapes: Shapes = ()) -> State:
    """Start from one buffer of zeros."""
    return (np.zeros_like(parameters),)


def two_buffers(parameters: Array, _factors: Factors, _shapes: Shapes = ()) -> State:
    """Start from two buffers of zeros."""
    return np.zeros_like(parameters), np.zeros_like(parameters)


def per_lane(parameters: Array, value: float = 0.0) -> Doubles:
    """Make one float64 number ``(C, K, 1)`` per lane."""
    return np.full((*parameters.shape[:2], 1), value)


def cycled(values: StepValues, name: str) -> Array:
    """Look up a momentum: the schedule's, else the factor."""
    return values.factors[name] if values.momentum is None else values.momentum


def double(array: Array) -> Doubles:
    """Convert per-lane numbers to float64."""
    return array.astype(np.float64)


def add_square(total: Array, gradient: Array, keep: Array, scratch: Array) -> None:
    """Advance a discounted sum of squares: ``V = keep * V + g^2``; ``scratch`` may be the gradient itself."""
    np.multiply(gradient, gradient, out=scratch)
    total *= keep
    total += scratch


def descend(parameters: Array, direction: Array, square: Array, scratch: Array, *, rate: Array, epsilon: Array) -> None:
    """Apply ``x -= rate * direction / (sqrt(square) + epsilon)``."""
    np.sqrt(square, out=scratch)
    scratch += epsilon.astype(scratch.dtype, copy=False)
    np.divide(direction, scratch, out=scratch)
    scratch *= rate.astype(scratch.dtype, copy=False)
    parameters -= scratch
