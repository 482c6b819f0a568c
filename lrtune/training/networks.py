"""Networks over leading axes ``(C, K)``: initial parameters, forward and backward pass, predictions.

All parameters of a lane are one flat row of ``P`` numbers; per layer it is seen as ``weights (..., H, D + 1)`` whose
last column is the bias. Activations have the rows of the mini-batch last, ``(..., D + 1, B)``, with a row of ones at
the end: biases ride in the matrix products, forwards and backwards. With this layout the units of a layer are a
contiguous block, and the softmax is a handful of passes over long rows.

Nothing here mixes lanes. Two habits keep it so: matrix products are stacked, never merged, and reductions run over
axes whose length and strides do not depend on ``C`` or ``K``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from lrtune.arrays import Array, Doubles
from lrtune.training.activations import ACTIVATIONS, glorot
from lrtune.training.declarations import Configuration
from lrtune.training.tasks import Problem

Drop: TypeAlias = Callable[[int, Array, Array], None]

ROWS_AT_ONCE = 1024
"""Rows of one forward pass in predictions; fixed, because other sizes may round differently."""

_PREDICTION_NUMBERS = 2**19
"""About how many numbers of the widest layer a forward pass in predictions holds at once."""


class Network(NamedTuple):
    """The shape of one lane's model: ``widths`` are ``(D, H1, ..., O)``, just ``(D, O)`` for a linear one."""

    widths: tuple[int, ...]
    activation: str
    loss: str
    classes: int

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Rows and columns of the weights of each layer, bias column included."""
        return [(units, inputs + 1) for inputs, units in zip(self.widths, self.widths[1:], strict=False)]

    @property
    def size(self) -> int:
        """``P``, the number of parameters of one lane."""
        return sum(units * inputs for units, inputs in self.shapes)


class Workspace(NamedTuple):
    """The arrays that forward and backward pass write into; ``inputs[0]``, the features, is the mini-batch's.

    After a pass, ``inputs[l] (C, k, D + 1, B)`` are the inputs of layer ``l + 1`` and ``deltas[l] (C, k, H, B)`` the
    gradient of the mini-batch's loss with respect to the pre-activations of layer ``l``.
    """

    inputs: tuple[Array, ...]
    slopes: tuple[Array, ...]
    deltas: tuple[Array, ...]
    scratch: Array

    def folds(self, k: int) -> Workspace:
        """View the first ``k`` folds."""
        inputs, slopes, deltas = (tuple(each[:, :k] for each in part) for part in self[:3])
        return Workspace(inputs, slopes, deltas, self.scratch[:, :k])


def network(configuration: Configuration, problem: Problem, features: int) -> Network:
    """Find the shape of the model that a complete configuration asks for."""
    hidden: Sequence[int] = ()
    if configuration["model"] == "mlp":
        hidden = tuple(int(width) for width in configuration["hidden"])  # type: ignore[union-attr]
    widths = (features, *hidden, problem.outputs)
    return Network(widths, str(configuration["activation"]), problem.loss, problem.classes)


def initial_parameters(network: Network, generator: np.random.Generator) -> Doubles:
    """Draw the parameters ``(P,)`` of one fold, shared by all configurations of this shape.

    Weights of hidden layers are normal with the variance that suits the activation, those of the output layer with
    Glorot's; biases are zero. A model without hidden layers starts at zero: its loss is convex, there is no symmetry
    to break.
    """
    parameters = np.zeros(network.size)
    layers = split(network, parameters)
    if len(layers) > 1:
        gains = [ACTIVATIONS[network.activation].gain] * (len(layers) - 1) + [glorot]
        for weights, gain in zip(layers, gains, strict=True):
            units, inputs = weights.shape[0], weights.shape[1] - 1
            weights[:, :-1] = generator.standard_normal((units, inputs)) * np.sqrt(gain(inputs, units))
    return parameters


def split(network: Network, flat: Array) -> list[Array]:
    """View flat rows ``(..., P)`` as the weights ``(..., H, D + 1)`` of each layer; nothing is copied."""
    layers, start = [], 0
    for units, inputs in network.shapes:
        part = flat[..., start : start + units * inputs]
        layers.append(part.reshape(*flat.shape[:-1], units, inputs, copy=False))
        start += units * inputs
    return layers


def workspace(network: Network, lanes: tuple[int, int], batch_size: int, dtype: np.dtype[Any]) -> Workspace:
    """Allocate the arrays for passes of ``(C, K)`` lanes."""
    hidden = network.widths[1:-1]

    def arrays(widths: Sequence[int]) -> tuple[Array, ...]:
        return tuple(np.ones((*lanes, width, batch_size), dtype) for width in widths)

    spare = max(hidden, default=0) if network.activation == "gelu" else 0
    return Workspace(
        arrays([width + 1 for width in hidden]), arrays(hidden), arrays(network.widths[1:]), *arrays([spare])
    )


def forward(
    network: Network, layers: Sequence[Array], columns: Array, space: Workspace, drop: Drop | None = None
) -> Array:
    """Compute the outputs ``(C, k, O, B)``, in ``space.deltas[-1]``.

    ``drop(number, units, slope)`` may change the units ``(C, k, H, B)`` of each hidden layer and, likewise, the slope.
    """
    activate = ACTIVATIONS[network.activation].apply
    inputs = columns
    for number, (following, slope) in enumerate(zip(space.inputs, space.slopes, strict=True)):
        units = following[..., :-1, :]
        np.matmul(layers[number], inputs, out=units)
        activate(units, slope, space.scratch[..., : slope.shape[-2], :])
        if drop is not None:
            drop(number, units, slope)
        inputs = following
    return np.matmul(layers[-1], inputs, out=space.deltas[-1])


def backward(layers: Sequence[Array], gradients: Sequence[Array], rows: Array, space: Workspace) -> None:
    """Turn ``space.deltas[-1]``, by now the gradient of the outputs, into the ``gradients`` of all layers.

    ``rows (k, B, D + 1)`` are the features of the mini-batch.
    """
    for number in range(len(layers) - 1, 0, -1):
        delta, before = space.deltas[number], space.deltas[number - 1]
        np.matmul(delta, space.inputs[number - 1].swapaxes(-1, -2), out=gradients[number])
        np.matmul(layers[number][..., :-1].swapaxes(-1, -2), delta, out=before)
        before *= space.slopes[number - 1]
    np.matmul(space.deltas[0], rows, out=gradients[0])


def outputs(network: Network, layers: Sequence[Array], features: Array) -> Array:
    """Compute the outputs ``(C, O, M)`` of lanes of one fold on ``features (M, D)``, in the dtype of the lanes."""
    dtype, lanes = layers[0].dtype, len(layers[0])
    result = np.empty((lanes, network.widths[-1], len(features)), dtype)
    at_once = max(1, _PREDICTION_NUMBERS // (ROWS_AT_ONCE * max(network.widths)))
    for start in range(0, len(features), ROWS_AT_ONCE):
        columns = with_ones(features[start : start + ROWS_AT_ONCE], dtype).T.copy()
        for first in range(0, lanes, at_once):
            part = [weights[first : first + at_once, None] for weights in layers]
            space = workspace(network, (len(part[0]), 1), columns.shape[-1], dtype)
            result[first : first + at_once, :, start : start + ROWS_AT_ONCE] = forward(network, part, columns, space)[
                :, 0
            ]
    return result


def with_ones(features: Array, dtype: np.dtype[Any]) -> Array:
    """Copy ``(N, D)`` to ``(N, D + 1)`` with a last column of ones."""
    extended = np.ones((features.shape[0], features.shape[1] + 1), dtype)
    extended[:, :-1] = features
    return extended
