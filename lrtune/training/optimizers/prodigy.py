"""Prodigy (Mishchenko & Defazio 2023, arXiv 2306.06101): Adam with an estimate of its own rate.

The rate is ``d * lr``, where ``d`` estimates the distance from the start ``x0`` to the solution and ``lr`` is the
schedule, with a peak of 1::

    n = b3 * n + (d / d0) * d * lr * <g, x0 - x>        m = beta1 * m + (1 - beta1) * d * g
    s = b3 * s + (d / d0) * d * lr * g                  v = beta2 * v + (1 - beta2) * d^2 * g^2
    d' = max(d, d_coef * n / |s|_1)                     x -= d * lr * m / (sqrt(v) + d' * epsilon)

with ``b3 = sqrt(beta2)`` and without a correction of the averages, as published. Each sum is kept divided by the weight
of its last term (``m = gain * M``, ``s = weight * S``, ``v = (1 - beta2) * last^2 * V``), so that its new
term is the plain gradient. A lane whose rate is 0 stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lrtune.arrays import Doubles, Floats
from lrtune.training.updates import add_square, cycled, descend, double, per_lane, subtract

if TYPE_CHECKING:
    from lrtune.training.updates import LaneFactors, Scratch, Shapes, State, StepValues


def prodigy_start(parameters: Floats, factors: LaneFactors, _shapes: Shapes = ()) -> State:
    """Make ``M``, ``V``, ``S``, ``x0`` and the per-lane numbers ``n``, ``d``, last ``d``, gain and weight."""
    zeros = np.zeros_like(parameters), np.zeros_like(parameters), np.zeros_like(parameters)
    distance = per_lane(parameters) + double(factors["d0"])
    numbers = per_lane(parameters), distance, distance.copy(), per_lane(parameters, 1.0), per_lane(parameters, 1.0)
    return (*zeros, parameters.copy(), *numbers)


def prodigy(
    parameters: Floats, gradient: Floats, state: State, values: StepValues, scratch: Scratch, _curvature: object
) -> None:
    """Advance the averages, estimate the distance, and step with the old rate."""
    mean, square, _, _, _, distance, last, gain, _ = state
    active = values.rate > 0.0
    if not active.all():
        gradient *= active
    rate = distance * values.rate
    estimate = _estimate(parameters, gradient, state, values, scratch)
    if values.weight_decay.any():
        np.multiply(parameters, (rate * values.weight_decay).astype(mean.dtype), out=scratch[0])
        subtract(parameters, scratch[0], values)
    beta1, beta2 = double(cycled(values, "beta1")), double(values.factors["beta2"])
    new_gain = np.where(active, (1.0 - beta1) * distance, gain)
    mean *= np.where(active, beta1 * gain / new_gain, 1.0).astype(mean.dtype)
    mean += gradient
    gain[...] = new_gain
    shrunk = last / distance
    add_square(square, gradient, np.where(active, beta2 * shrunk * shrunk, 1.0).astype(mean.dtype), gradient)
    last[...] = np.where(active, distance, last)
    root = last * np.sqrt(1.0 - beta2)
    epsilon = estimate * values.factors["epsilon"] / root
    descend(parameters, mean, square, scratch[0], values, rate=rate * gain / root, epsilon=epsilon)
    distance[...] = estimate


def _estimate(parameters: Floats, gradient: Floats, state: State, values: StepValues, scratch: Scratch) -> Doubles:
    """Advance ``n`` and ``s``; return ``d'``."""
    _, _, total, start, numerator, distance, _, _, weight = state
    spare, _ = scratch
    active = values.rate > 0.0
    beta3 = np.sqrt(double(values.factors["beta2"]))
    new_weight = np.where(active, distance / values.factors["d0"] * distance * values.rate, weight)
    np.subtract(start, parameters, out=spare)
    numerator *= np.where(active, beta3, 1.0)
    numerator += new_weight * np.vecdot(gradient, spare)[..., None]
    total *= np.where(active, beta3 * weight / new_weight, 1.0).astype(total.dtype)
    total += gradient
    weight[...] = new_weight
    np.abs(total, out=spare)
    length = weight * np.add.reduce(spare, axis=-1, keepdims=True)
    ratio = values.factors["d_coef"] * numerator / np.where(length > 0.0, length, np.inf)
    return np.maximum(distance, ratio)
