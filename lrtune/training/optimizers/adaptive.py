"""Updates with a rate of its own for every parameter, from past squared gradients: Adagrad, RMSprop, Adadelta."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lrtune.arrays import Floats
from lrtune.training.updates import add_square, cycled, descend, subtract

if TYPE_CHECKING:
    from lrtune.training.updates import LaneFactors, Scratch, Shapes, State, StepValues


def adagrad_start(parameters: Floats, factors: LaneFactors, _shapes: Shapes = ()) -> State:
    """Start the sum of squares from the factor ``accumulator``."""
    return (np.zeros_like(parameters) + factors["accumulator"],)


def adagrad(
    parameters: Floats, gradient: Floats, state: State, values: StepValues, scratch: Scratch, _curvature: object
) -> None:
    """Apply ``s += g^2``, then ``x -= lr * g / (sqrt(s) + epsilon)``."""
    (total,) = state
    np.multiply(gradient, gradient, out=scratch[0])
    total += scratch[0]
    descend(parameters, gradient, total, scratch[0], values, rate=values.rate, epsilon=values.factors["epsilon"])


def rmsprop_start(parameters: Floats, _factors: LaneFactors, _shapes: Shapes = ()) -> State:
    """Make the mean square, the mean and the velocity."""
    return np.zeros_like(parameters), np.zeros_like(parameters), np.zeros_like(parameters)


def rmsprop(
    parameters: Floats, gradient: Floats, state: State, values: StepValues, scratch: Scratch, _curvature: object
) -> None:
    """Apply ``v = rho * v + (1 - rho) * g^2``, then ``x -= lr * g / (sqrt(v) + epsilon)``.

    Where that is asked for, ``v`` is centred on the mean gradient, and the steps have momentum.
    """
    square, mean, velocity = state
    rho = values.factors["rho"]
    add_square(square, gradient, rho, scratch[0])
    spread = square
    if values.factors["centred"].any():
        mean *= rho
        mean += gradient
        spread = scratch[1]
        np.multiply(mean, mean, out=spread)
        spread *= (rho - 1.0) * values.factors["centred"]
        spread += square
        np.maximum(spread, 0.0, out=spread)  # rounded, it may lie just below
    scale = 1.0 / np.sqrt(1.0 - rho)
    epsilon, rate = values.factors["epsilon"] * scale, values.rate * scale
    fixed = values.factors["momentum"]
    if not fixed.any():
        descend(parameters, gradient, spread, scratch[0], values, rate=rate, epsilon=epsilon)
        return
    np.sqrt(spread, out=scratch[0])
    scratch[0][...] += epsilon
    np.divide(gradient, scratch[0], out=gradient)
    velocity *= np.where(fixed > 0.0, cycled(values, "momentum"), fixed)
    velocity += gradient
    np.multiply(velocity, rate, out=gradient)
    subtract(parameters, gradient, values)


def adadelta(
    parameters: Floats, gradient: Floats, state: State, values: StepValues, scratch: Scratch, _curvature: object
) -> None:
    """Apply ``d = g * sqrt(u + epsilon) / sqrt(v + epsilon)``, then ``x -= lr * d``.

    ``v`` and ``u`` are moving averages of ``g^2`` and of ``d^2``; ``d`` uses the ``u`` before it.
    """
    square, moved = state
    step, spare = scratch
    rho = values.factors["rho"]
    epsilon = values.factors["epsilon"] / (1.0 - rho)
    add_square(square, gradient, rho, spare)
    np.add(square, epsilon, out=spare)
    np.add(moved, epsilon, out=step)
    step /= spare
    np.sqrt(step, out=step)
    step *= gradient
    add_square(moved, step, rho, spare)
    step *= values.rate
    subtract(parameters, step, values)
