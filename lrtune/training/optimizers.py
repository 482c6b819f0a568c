"""Update rules as pairs of functions on whole populations, in place and without allocating.

Parameters, gradients and buffers are ``(C, K, P)``, factors ``(C, 1, 1)``, rates and counters ``(C, K, 1)``. A lane
counts its own steps in its state, because folds may have different numbers of them. Nothing here mixes lanes: a lane's
bits are the same alone and in any population. So powers of a factor are kept as running products: NumPy's ``x ** p``
takes other roads for other shapes.

The rate multiplies outside of every moving average, as in PyTorch, so a lower rate acts at once. Moving averages are
kept as plain discounted sums, ``V = beta * V + g^2``; the factor ``1 - beta`` goes into the small per-lane
numbers, which saves a pass over the parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.floating[Any]]
State: TypeAlias = tuple[Array, ...]
Factors: TypeAlias = Mapping[str, Array]
Scratch: TypeAlias = tuple[Array, Array]


class StepValues(NamedTuple):
    """What one update needs besides gradient and state; everything in the dtype of the lanes.

    ``rate (C, K, 1)``, ``factors`` and ``weight_decay (C, 1, 1)``, and ``momentum (C, K, 1)`` where a schedule cycles
    it; it then takes the place of the factor ``momentum`` or ``beta1``.
    """

    rate: Array
    factors: Factors
    weight_decay: Array
    momentum: Array | None = None


def _parameters(parameters: Array, _state: State) -> Array:
    return parameters


class Optimizer(NamedTuple):
    """An update rule.

    Parameters
    ----------
    init
        ``(parameters, factors) -> state``; every array of the state has leading axes ``(C, K)``.
    update
        ``(parameters, gradient, state, values, scratch, curvature)`` changes parameters and state in place; the
        gradient and the two scratch arrays, all ``(C, K, P)``, may be overwritten.
    evaluated
        ``(parameters, state) -> parameters``: the point that is scored.
    needs_curvature
        Whether ``curvature`` must be given.
    decays_itself
        Whether the update applies decoupled weight decay itself, so that its caller must not.

    """

    init: Callable[[Array, Factors], State]
    update: Callable[[Array, Array, State, StepValues, Scratch, Any], None]
    evaluated: Callable[[Array, State], Array] = _parameters
    needs_curvature: bool = False
    decays_itself: bool = False


def _stateless(_parameters: Array, _factors: Factors) -> State:
    return ()


def _one_buffer(parameters: Array, _factors: Factors) -> State:
    return (np.zeros_like(parameters),)


def _counter(parameters: Array, start: float = 1.0) -> Array:
    """Make one float64 number per lane."""
    return np.full((*parameters.shape[:2], 1), start)


def _cycled(values: StepValues, name: str) -> Array:
    return values.factors[name] if values.momentum is None else values.momentum


def _double(array: Array) -> NDArray[np.float64]:
    return array.astype(np.float64)


def _sgd(
    parameters: Array, gradient: Array, _state: State, values: StepValues, _scratch: Scratch, _curvature: object
) -> None:
    gradient *= values.rate
    parameters -= gradient


def _momentum(
    parameters: Array, gradient: Array, state: State, values: StepValues, scratch: Scratch, _curvature: object
) -> None:
    (velocity,) = state
    velocity *= _cycled(values, "momentum")
    velocity += gradient
    np.multiply(velocity, values.rate, out=scratch[0])
    parameters -= scratch[0]


def _nesterov(
    parameters: Array, gradient: Array, state: State, values: StepValues, scratch: Scratch, _curvature: object
) -> None:
    (velocity,) = state
    ahead, _ = scratch
    momentum = _cycled(values, "momentum")
    velocity *= momentum
    velocity += gradient
    np.multiply(velocity, momentum, out=ahead)
    ahead += gradient
    ahead *= values.rate
    parameters -= ahead


def _adagrad_init(parameters: Array, factors: Factors) -> State:
    return (np.zeros_like(parameters) + factors["accumulator"],)


def _adagrad(
    parameters: Array, gradient: Array, state: State, values: StepValues, scratch: Scratch, _curvature: object
) -> None:
    (total,) = state
    np.multiply(gradient, gradient, out=scratch[0])
    total += scratch[0]
    _descend(parameters, gradient, total, scratch[0], rate=values.rate, epsilon=values.factors["epsilon"])


def _rmsprop(
    parameters: Array, gradient: Array, state: State, values: StepValues, scratch: Scratch, _curvature: object
) -> None:
    (square,) = state
    rho = values.factors["rho"]
    np.multiply(gradient, gradient, out=scratch[0])
    square *= rho
    square += scratch[0]
    scale = 1.0 / np.sqrt(1.0 - rho)
    epsilon = values.factors["epsilon"] * scale
    _descend(parameters, gradient, square, scratch[0], rate=values.rate * scale, epsilon=epsilon)


def _adam_init(parameters: Array, factors: Factors) -> State:
    """Make mean, mean square, the running powers of both betas, and the weight that the mean's last term had."""
    weight = _counter(parameters) - _double(factors["beta1"])
    return np.zeros_like(parameters), np.zeros_like(parameters), _counter(parameters), _counter(parameters), weight


def _adam(
    parameters: Array, gradient: Array, state: State, values: StepValues, scratch: Scratch, _curvature: object
) -> None:
    mean, square, *_ = state
    scale, size = _adam_moments(gradient, state, values)
    dtype = parameters.dtype
    rate = (values.rate * size * scale).astype(dtype)
    epsilon = (values.factors["epsilon"] * scale).astype(dtype)
    _descend(parameters, mean, square, scratch[0], rate=rate, epsilon=epsilon)


def _adam_moments(gradient: Array, state: State, values: StepValues) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Advance both moving averages; return the numbers that turn their sums into corrected averages.

    With ``M`` and ``V`` the discounted sums, ``m^ = size * M`` and ``sqrt(v^) = sqrt(V) / scale``. Where beta1 is
    cycled, the sum is rescaled so that ``m = (1 - beta1) * M`` holds at every step, and the correction is the
    product of all beta1 so far.
    """
    mean, square, power1, power2, weight = state
    beta1, beta2 = _double(_cycled(values, "beta1")), _double(values.factors["beta2"])
    keep = beta1 * (weight / (1.0 - beta1))
    weight[...] = 1.0 - beta1
    mean *= keep.astype(mean.dtype)
    mean += gradient
    np.multiply(gradient, gradient, out=gradient)
    square *= values.factors["beta2"]
    square += gradient
    power1 *= beta1
    power2 *= beta2
    return np.sqrt((1.0 - power2) / (1.0 - beta2)), weight / (1.0 - power1)


def _descend(
    parameters: Array, direction: Array, square: Array, scratch: Array, *, rate: Array, epsilon: Array
) -> None:
    """Apply ``x -= rate * direction / (sqrt(square) + epsilon)``."""
    np.sqrt(square, out=scratch)
    scratch += epsilon
    np.divide(direction, scratch, out=scratch)
    scratch *= rate
    parameters -= scratch


OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": Optimizer(_stateless, _sgd),
    "momentum": Optimizer(_one_buffer, _momentum),
    "nesterov": Optimizer(_one_buffer, _nesterov),
    "adagrad": Optimizer(_adagrad_init, _adagrad),
    "rmsprop": Optimizer(_one_buffer, _rmsprop),
    "adam": Optimizer(_adam_init, _adam),
    "adamw": Optimizer(_adam_init, _adam),
}
