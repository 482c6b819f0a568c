"""Schedule-Free SGD and AdamW (Defazio et al. 2024, arXiv 2405.15682): averaging in place of a decaying rate.

There are three points: ``z`` takes the steps, ``x`` is a weighted average of all ``z`` and the one that is scored, and
gradients are taken between them at ``y``, which is what the population calls its parameters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lrtune.arrays import Floats
from lrtune.training.updates import add_square, cycled, descend, double, per_lane, subtract

if TYPE_CHECKING:
    from lrtune.training.updates import LaneFactors, Scratch, Shapes, State, StepValues


def schedule_free_start(parameters: Floats, _factors: LaneFactors, _shapes: Shapes = ()) -> State:
    """Make ``x`` and ``z``, the largest rate so far and the sum of all weights."""
    return parameters.copy(), parameters.copy(), per_lane(parameters), per_lane(parameters)


def averaged(_parameters: Floats, state: State) -> Floats:
    """Pick ``x``."""
    return state[0]


def schedule_free_sgd(
    parameters: Floats, gradient: Floats, state: State, values: StepValues, scratch: Scratch, _curvature: object
) -> None:
    """Apply ``z -= lr * (g + weight_decay * y)`` and average."""
    average, point, largest, total = state
    _decay_point(parameters, point, values, scratch[0])
    gradient *= values.rate
    subtract(point, gradient, values)
    share = _share(values.rate, largest, total)
    _interpolate(parameters, average, point, scratch, share=share, beta=cycled(values, "momentum"))


def schedule_free_adamw_start(parameters: Floats, factors: LaneFactors, _shapes: Shapes = ()) -> State:
    """Make the state of Schedule-Free SGD, the mean square and the power of beta2 so far."""
    return (*schedule_free_start(parameters, factors), np.zeros_like(parameters), per_lane(parameters, 1.0))


def schedule_free_adamw(
    parameters: Floats, gradient: Floats, state: State, values: StepValues, scratch: Scratch, _curvature: object
) -> None:
    """Apply ``z -= lr * (g / (sqrt(v^) + epsilon) + weight_decay * y)`` and average."""
    average, point, largest, total, square, power = state
    beta2 = double(values.factors["beta2"])
    _decay_point(parameters, point, values, scratch[0])
    add_square(square, gradient, values.factors["beta2"], scratch[0])
    power *= beta2
    scale = np.sqrt((1.0 - power) / (1.0 - beta2))
    epsilon = values.factors["epsilon"] * scale
    descend(point, gradient, square, scratch[0], values, rate=values.rate * scale, epsilon=epsilon)
    share = _share(values.rate, largest, total)
    _interpolate(parameters, average, point, scratch, share=share, beta=cycled(values, "beta1"))


def _decay_point(parameters: Floats, point: Floats, values: StepValues, scratch: Floats) -> None:
    """Apply ``z -= lr * weight_decay * y``; lanes without weight decay keep their bits."""
    if values.weight_decay.any():
        np.multiply(parameters, values.rate * values.weight_decay, out=scratch)
        subtract(point, scratch, values)


def _share(rate: Floats, largest: Floats, total: Floats) -> Floats:
    """Weigh this step by the square of the largest rate so far; return its share of all weights."""
    np.maximum(largest, rate, out=largest)
    total += largest * largest
    share = largest * largest / np.where(total > 0.0, total, 1.0)
    return share.astype(rate.dtype)


def _interpolate(
    parameters: Floats, average: Floats, point: Floats, scratch: Scratch, *, share: Floats, beta: Floats
) -> None:
    """Apply ``x += share * (z - x)``, then ``y = beta * x + (1 - beta) * z``."""
    gap, moved = scratch
    np.subtract(point, average, out=gap)
    np.multiply(gap, share, out=moved)
    average += moved
    gap *= (1.0 - beta) * (1.0 - share)
    np.add(average, gap, out=parameters)
