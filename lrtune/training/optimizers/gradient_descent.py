"""Updates along the gradient or its mean: SGD, momentum, Nesterov, Lion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lrtune.arrays import Floats
from lrtune.training.updates import cycled, subtract

if TYPE_CHECKING:
    from lrtune.training.updates import Scratch, State, StepValues


def sgd(
    parameters: Floats, gradient: Floats, _state: State, values: StepValues, _scratch: Scratch, _curvature: object
) -> None:
    """Apply ``x -= lr * g``."""
    gradient *= values.rate
    subtract(parameters, gradient, values)


def momentum(
    parameters: Floats, gradient: Floats, state: State, values: StepValues, scratch: Scratch, _curvature: object
) -> None:
    """Apply ``v = momentum * v + g``, then ``x -= lr * v``."""
    (velocity,) = state
    velocity *= cycled(values, "momentum")
    velocity += gradient
    np.multiply(velocity, values.rate, out=scratch[0])
    subtract(parameters, scratch[0], values)


def nesterov(
    parameters: Floats, gradient: Floats, state: State, values: StepValues, scratch: Scratch, _curvature: object
) -> None:
    """Apply ``v = momentum * v + g``, then ``x -= lr * (g + momentum * v)``."""
    (velocity,) = state
    ahead, _ = scratch
    share = cycled(values, "momentum")
    velocity *= share
    velocity += gradient
    np.multiply(velocity, share, out=ahead)
    ahead += gradient
    ahead *= values.rate
    subtract(parameters, ahead, values)


def lion(
    parameters: Floats, gradient: Floats, state: State, values: StepValues, scratch: Scratch, _curvature: object
) -> None:
    """Apply ``x -= lr * sign(beta1 * m + (1 - beta1) * g)``, then ``m = beta2 * m + (1 - beta2) * g``.

    With ``M = m / (1 - beta2)`` the sign is that of ``beta1 * (1 - beta2) / (1 - beta1) * M + g``.
    """
    (total,) = state
    direction, _ = scratch
    beta1, beta2 = cycled(values, "beta1"), values.factors["beta2"]
    np.multiply(total, beta1 * (1.0 - beta2) / (1.0 - beta1), out=direction)
    direction += gradient
    np.sign(direction, out=direction)
    direction *= values.rate
    subtract(parameters, direction, values)
    total *= beta2
    total += gradient
