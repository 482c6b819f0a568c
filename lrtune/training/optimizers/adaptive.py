"""Updates with a rate of its own for every parameter, from past squared gradients: Adagrad, RMSprop, Adadelta."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lrtune.arrays import Floats
from lrtune.training.updates import add_square, descend, subtract

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


def rmsprop(
    parameters: Floats, gradient: Floats, state: State, values: StepValues, scratch: Scratch, _curvature: object
) -> None:
    """Apply ``v = rho * v + (1 - rho) * g^2``, then ``x -= lr * g / (sqrt(v) + epsilon)``."""
    (square,) = state
    rho = values.factors["rho"]
    add_square(square, gradient, rho, scratch[0])
    scale = 1.0 / np.sqrt(1.0 - rho)
    epsilon = values.factors["epsilon"] * scale
    descend(parameters, gradient, square, scratch[0], values, rate=values.rate * scale, epsilon=epsilon)


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
