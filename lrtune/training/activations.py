"""Activations: in place, with the slope that the backward pass needs.

Activations take pre-activations ``z (..., H, B)`` and replace them with ``f(z)``. They write ``f'(z)`` into
``slope``, of the same shape; ``scratch``, of the same shape again, may be overwritten.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lrtune.arrays import Array

_GELU_LINEAR = math.sqrt(2.0 / math.pi)
_GELU_CUBIC = 0.044715 * _GELU_LINEAR


class Activation(NamedTuple):
    """A function with its slope, and the variance gain that its initial weights should have.

    The initial weights of a layer with ``n`` inputs and ``m`` units are normal with variance ``gain(n, m)``.
    """

    apply: Callable[[Array, Array, Array], None]
    gain: Callable[[int, int], float]


def he(inputs: int, _units: int) -> float:
    """Variance that keeps the size of activations where half of them are cut off (He et al. 2015, eq. 10)."""
    return 2.0 / inputs


def glorot(inputs: int, units: int) -> float:
    """Variance that balances activations and gradients of symmetric activations (Glorot & Bengio 2010, eq. 12)."""
    return 2.0 / (inputs + units)


def relu(z: Array, slope: Array, _scratch: Array) -> None:
    """``max(z, 0)``: a product with the slope is faster than a maximum, and the slope is needed anyway."""
    np.greater(z, 0.0, out=slope)
    z *= slope


def tanh(z: Array, slope: Array, _scratch: Array) -> None:
    """Hyperbolic tangent, slope ``1 - f^2``."""
    np.tanh(z, out=z)
    np.multiply(z, z, out=slope)
    np.subtract(1.0, slope, out=slope)


def gelu(z: Array, slope: Array, scratch: Array) -> None:
    """``z * s`` with ``s = (1 + tanh(u)) / 2`` and ``u = sqrt(2/pi) * (z + 0.044715 z^3)``.

    This is the approximation of Hendrycks & Gimpel (2016): NumPy has no error function, and the two differ by less
    than 0.0005. Its slope is ``s + 2 u' f (1 - s)``, written as ``(2 u' f - 1) (1 - s) + 1`` to need one array less.
    """
    np.multiply(z, z, out=slope)
    slope *= _GELU_CUBIC
    slope += _GELU_LINEAR
    np.multiply(z, slope, out=scratch)
    np.tanh(scratch, out=scratch)
    scratch *= 0.5
    scratch += 0.5
    z *= scratch
    slope *= 6.0
    slope -= 4.0 * _GELU_LINEAR
    slope *= z
    slope -= 1.0
    np.subtract(1.0, scratch, out=scratch)
    slope *= scratch
    slope += 1.0


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(relu, he),
    "tanh": Activation(tanh, glorot),
    "gelu": Activation(gelu, he),
}
