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
from typing import NamedTuple, TypeAlias

import numpy as np

from lrtune.arrays import Doubles, Floats

State: TypeAlias = tuple[Floats, ...]
LaneFactors: TypeAlias = Mapping[str, Floats]
Scratch: TypeAlias = tuple[Floats, Floats]
Shapes: TypeAlias = Sequence[tuple[int, ...]]
"""Of all parameters in their order: the stacks of the embedding ``(n, rows, columns)``, if there is one, then rows and
columns of the weights of each layer, bias column included."""


class StepValues(NamedTuple):
    """What one update needs besides gradient and state; everything in the dtype of the lanes.

    ``rate (C, K, 1)``, ``factors`` and ``weight_decay (C, 1, 1)``, and ``momentum (C, K, 1)`` where a schedule cycles
    it; it then takes the place of the factor ``momentum`` or ``beta1``. ``rate_factors (C, 1, P)`` are what multiplies
    the rate of each parameter, where any lane asks for that; the others have ones, which change no bit.
    ``shapes`` are those of the blocks of parameters.
    """

    rate: Floats
    factors: LaneFactors
    weight_decay: Floats
    momentum: Floats | None = None
    rate_factors: Floats | None = None
    shapes: Shapes = ()


def stateless(_parameters: Floats, _factors: LaneFactors, _shapes: Shapes = ()) -> State:
    """Start from nothing."""
    return ()


def one_buffer(parameters: Floats, _factors: LaneFactors, _shapes: Shapes = ()) -> State:
    """Start from one buffer of zeros."""
    return (np.zeros_like(parameters),)


def two_buffers(parameters: Floats, _factors: LaneFactors, _shapes: Shapes = ()) -> State:
    """Start from two buffers of zeros."""
    return np.zeros_like(parameters), np.zeros_like(parameters)


def per_lane(parameters: Floats, value: float = 0.0) -> Doubles:
    """Make one float64 number ``(C, K, 1)`` per lane."""
    return np.full((*parameters.shape[:2], 1), value)


def cycled(values: StepValues, name: str) -> Floats:
    """Look up a momentum: the schedule's, else the factor."""
    return values.factors[name] if values.momentum is None else values.momentum


def double(array: Floats) -> Doubles:
    """Convert per-lane numbers to float64."""
    return array.astype(np.float64)


def add_square(total: Floats, gradient: Floats, keep: Floats, scratch: Floats) -> None:
    """Advance a discounted sum of squares: ``V = keep * V + g^2``; ``scratch`` may be the gradient itself."""
    np.multiply(gradient, gradient, out=scratch)
    total *= keep
    total += scratch


def subtract(parameters: Floats, step: Floats, values: StepValues) -> None:
    """Apply ``x -= step``, the step as the rate made it: here each parameter gets its own factor of the rate.

    Every change that is proportional to the rate goes through here; the step may be overwritten.
    """
    if values.rate_factors is not None:
        step *= values.rate_factors
    parameters -= step


def shrink(parameters: Floats, values: StepValues) -> None:
    """Apply decoupled weight decay, ``x *= 1 - rate * weight_decay``; lanes without it keep their bits."""
    if values.weight_decay.any():
        rate = values.rate if values.rate_factors is None else values.rate * values.rate_factors
        parameters *= 1.0 - rate * values.weight_decay


def descend(
    parameters: Floats,
    direction: Floats,
    square: Floats,
    scratch: Floats,
    values: StepValues,
    *,
    rate: Floats,
    epsilon: Floats,
) -> None:
    """Apply ``x -= rate * direction / (sqrt(square) + epsilon)``."""
    np.sqrt(square, out=scratch)
    scratch += epsilon.astype(scratch.dtype, copy=False)
    np.divide(direction, scratch, out=scratch)
    scratch *= rate.astype(scratch.dtype, copy=False)
    subtract(parameters, scratch, values)
