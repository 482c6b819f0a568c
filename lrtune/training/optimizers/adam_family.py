"""Adam and its relatives: AMSGrad, NAdam, RAdam.

With ``M`` and ``V`` the discounted sums of ``g`` and ``g^2``, the corrected averages are ``m^ = size * M`` and
``sqrt(v^) = sqrt(V) / scale``; both numbers are per lane, so correcting costs nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from lrtune.arrays import Doubles, Floats
from lrtune.training.updates import add_square, cycled, descend, double, per_lane, subtract

if TYPE_CHECKING:
    from lrtune.training.updates import LaneFactors, Scratch, Shapes, State, StepValues

_NADAM_BASE = 0.96
_RECTIFIED_ABOVE = 5.0


def adam_start(parameters: Floats, factors: LaneFactors, _shapes: Shapes = ()) -> State:
    """Make mean, mean square, the products of both betas so far, and the weight that the mean's last term had."""
    weight = 1.0 - double(factors["beta1"]) - per_lane(parameters)
    one = per_lane(parameters, 1.0)
    return np.zeros_like(parameters), np.zeros_like(parameters), one, one.copy(), weight


def adam(
    parameters: Floats, gradient: Floats, state: State, values: StepValues, scratch: Scratch, _curvature: object
) -> None:
    """Apply ``x -= lr * m^ / (sqrt(v^) + epsilon)``."""
    mean, square, *_ = state
    scale, size = _advance(gradient, state, values)
    epsilon = values.factors["epsilon"] * scale
    descend(parameters, mean, square, scratch[0], values, rate=values.rate * size * scale, epsilon=epsilon)


def amsgrad_start(parameters: Floats, factors: LaneFactors, _shapes: Shapes = ()) -> State:
    """Make the state of Adam, and the largest mean square so far."""
    return (*adam_start(parameters, factors), np.zeros_like(parameters))


def amsgrad(
    parameters: Floats, gradient: Floats, state: State, values: StepValues, scratch: Scratch, _curvature: object
) -> None:
    """Apply Adam's update with the largest mean square so far, which is corrected as the current one would be."""
    mean, square, *_, largest = state
    scale, size = _advance(gradient, state, values)
    np.maximum(largest, square, out=largest)
    epsilon = values.factors["epsilon"] * scale
    descend(parameters, mean, largest, scratch[0], values, rate=values.rate * size * scale, epsilon=epsilon)


def nadam_start(parameters: Floats, factors: LaneFactors, _shapes: Shapes = ()) -> State:
    """Make the state of Adam, the product of all momenta so far, and ``0.96 ^ (t * momentum_decay)``."""
    return (*adam_start(parameters, factors), per_lane(parameters, 1.0), per_lane(parameters, 1.0))


def nadam(
    parameters: Floats, gradient: Floats, state: State, values: StepValues, scratch: Scratch, _curvature: object
) -> None:
    """Apply Adam's update with Nesterov's look-ahead, whose momentum rises to beta1 with time.

    ``x -= lr * (mu' / (1 - p * mu') * m + (1 - mu) / (1 - p) * g) / (sqrt(v^) + epsilon)``; ``mu`` and ``mu'`` are
    the momenta of this step and the next, ``beta1 * (1 - 0.96 ^ (t * momentum_decay) / 2)``, and ``p`` is the
    product of all ``mu`` so far.
    """
    mean, square, *_, product, fading = state
    ahead, spare = scratch
    np.copyto(ahead, gradient)
    scale, _ = _advance(gradient, state, values)
    beta1 = double(cycled(values, "beta1"))
    fade = np.exp(math.log(_NADAM_BASE) * double(values.factors["momentum_decay"]))
    fading *= fade
    now, later = beta1 * (1.0 - 0.5 * fading), beta1 * (1.0 - 0.5 * fading * fade)
    product *= now
    fresh = (1.0 - now) / (1.0 - product)
    old = later * (1.0 - beta1) / (1.0 - product * later)
    np.multiply(mean, (old / fresh).astype(mean.dtype), out=spare)
    ahead += spare
    epsilon = values.factors["epsilon"] * scale
    descend(parameters, ahead, square, spare, values, rate=values.rate * fresh * scale, epsilon=epsilon)


def radam_start(parameters: Floats, factors: LaneFactors, _shapes: Shapes = ()) -> State:
    """Make the state of Adam, and a counter of steps."""
    return (*adam_start(parameters, factors), per_lane(parameters))


def radam(
    parameters: Floats, gradient: Floats, state: State, values: StepValues, scratch: Scratch, _curvature: object
) -> None:
    """Apply Adam's update, rectified for the variance of an average of few squares, and plain momentum before that.

    The length of the average is ``rho = r - 2 * t * beta2^t / (1 - beta2^t)`` with ``r = 2 / (1 - beta2) - 1``; above 5
    the update is Adam's, epsilon added to ``sqrt(v)``, times
    ``sqrt((rho - 4) (rho - 2) r / ((r - 4) (r - 2) rho))``.
    """
    mean, square, _, power2, _, count = state
    scale, size = _advance(gradient, state, values)
    count += 1.0
    root = np.sqrt(1.0 - double(values.factors["beta2"]))
    longest = 2.0 / root**2 - 1.0
    length = longest - 2.0 * count * power2 / (1.0 - power2)
    rectified = length > _RECTIFIED_ABOVE
    long = np.where(rectified, length, longest)
    variance = (
        (long - 4.0) * (long - 2.0) * longest / np.where(rectified, (longest - 4.0) * (longest - 2.0) * long, 1.0)
    )
    strength = np.where(rectified, np.sqrt(np.maximum(variance, 0.0)) * scale, 1.0)
    np.sqrt(square, out=scratch[0])
    scratch[0][...] += (values.factors["epsilon"] / root).astype(mean.dtype)
    if not rectified.all():
        np.copyto(scratch[0], 1.0, where=~rectified)
    np.divide(mean, scratch[0], out=scratch[0])
    np.multiply(scratch[0], (values.rate * size * strength).astype(mean.dtype), out=scratch[0])
    subtract(parameters, scratch[0], values)


def _advance(gradient: Floats, state: State, values: StepValues) -> tuple[Doubles, Doubles]:
    """Advance both sums, overwriting the gradient; return scale and size.

    Where a schedule cycles beta1, the sum is rescaled so that ``m = (1 - beta1) * M`` holds at every step, and the
    correction is by the product of all beta1 so far.
    """
    mean, square, power1, power2, weight, *_ = state
    beta1, beta2 = double(cycled(values, "beta1")), double(values.factors["beta2"])
    keep = beta1 * (weight / (1.0 - beta1))
    weight[...] = 1.0 - beta1
    mean *= keep.astype(mean.dtype)
    mean += gradient
    add_square(square, gradient, values.factors["beta2"], gradient)
    power1 *= beta1
    power2 *= beta2
    return np.sqrt((1.0 - power2) / (1.0 - beta2)), weight / (1.0 - power1)
