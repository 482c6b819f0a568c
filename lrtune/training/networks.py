"""Networks over leading axes ``(C, K)``: initial parameters, forward and backward pass, predictions.

All parameters of a lane are one flat row of ``P`` numbers; per layer it is seen as ``weights (..., H, D + 1)`` whose
last column is the bias. Where numbers are embedded, the stacks of `lrtune.training.embeddings` come first. Activations
have the rows of the mini-batch last, ``(..., D + 1, B)``, with a row of ones at the end: biases ride in the matrix
products, forwards and backwards. With this layout the units of a layer are a contiguous block, and the softmax is a
handful of passes over long rows.

Nothing here mixes lanes. Two habits keep it so: matrix products are stacked, never merged, and reductions run over
axes whose length and strides do not depend on ``C`` or ``K``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from lrtune.arrays import Array, Doubles
from lrtune.training.activations import ACTIVATIONS, glorot
from lrtune.training.declarations import Configuration
from lrtune.training.embeddings import (
    FREQUENCIES,
    OUTPUTS,
    EmbeddingSpace,
    draw,
    embed,
    embedded_gradients,
    embedding_space,
    stacks,
)
from lrtune.training.encoded import Features
from lrtune.training.tasks import Problem

Drop: TypeAlias = Callable[[int, Array, Array], None]

ROWS_AT_ONCE = 1024
"""Rows of one forward pass in predictions; fixed, because other sizes may round differently."""

_PREDICTION_NUMBERS = 2**19
"""About how many numbers of the widest layer a forward pass in predictions holds at once."""


class Network(NamedTuple):
    """The shape of one lane's model: ``widths`` are ``(D, H1, ..., O)``, just ``(D, O)`` for a linear one.

    ``embedded`` are the places of the features that are embedded.
    """

    widths: tuple[int, ...]
    activation: str
    loss: str
    classes: int
    embedded: tuple[int, ...] = ()

    @property
    def joined(self) -> int:
        """How many numbers the embedded features are joined by."""
        return OUTPUTS * len(self.embedded)

    @property
    def layers(self) -> list[tuple[int, int]]:
        """Rows and columns of the weights of each layer, bias column included."""
        inputs = (self.joined + self.widths[0], *self.widths[1:])
        return [(units, before + 1) for before, units in zip(inputs, self.widths[1:], strict=False)]

    @property
    def blocks(self) -> list[tuple[int, ...]]:
        """Shapes of all parameters in their order: the stacks of the embedding, if there is one, then the layers."""
        return [*stacks(len(self.embedded)), *self.layers]

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Rows and columns of every matrix of weights, bias column included."""
        return [(each[-2], each[-1]) for each in self.blocks for _ in range(math.prod(each[:-2]))]

    @property
    def size(self) -> int:
        """``P``, the number of parameters of one lane."""
        return sum(math.prod(each) for each in self.blocks)

    @property
    def widest(self) -> int:
        """The most numbers that a row is anywhere."""
        embedded = len(self.embedded)
        return max(*self.widths, self.joined + self.widths[0], embedded * FREQUENCIES)


class Workspace(NamedTuple):
    """The arrays that forward and backward pass write into; ``inputs[0]``, the features, is the mini-batch's.

    After a pass, ``inputs[l] (C, k, D + 1, B)`` are the inputs of layer ``l + 1`` and ``deltas[l] (C, k, H, B)`` the
    gradient of the mini-batch's loss with respect to the pre-activations of layer ``l``.
    """

    inputs: tuple[Array, ...]
    slopes: tuple[Array, ...]
    deltas: tuple[Array, ...]
    scratch: Array
    embedding: EmbeddingSpace | None

    def folds(self, k: int) -> Workspace:
        """View the first ``k`` folds."""
        inputs, slopes, deltas = (tuple(each[:, :k] for each in part) for part in self[:3])
        return Workspace(inputs, slopes, deltas, self.scratch[:, :k], self.embedding and self.embedding.folds(k))


def network(configuration: Configuration, problem: Problem, features: int) -> Network:
    """Find the shape of the model that a complete configuration asks for."""
    hidden: Sequence[int] = ()
    if configuration["model"] == "mlp":
        hidden = tuple(int(width) for width in configuration["hidden"])  # type: ignore[union-attr]
    widths = (features, *hidden, problem.outputs)
    embedded = embedded_features(configuration, problem)
    return Network(widths, str(configuration["activation"]), problem.loss, problem.classes, embedded)


def embedded_features(configuration: Configuration, problem: Problem) -> tuple[int, ...]:
    """Find the features that a complete configuration embeds."""
    is_asked = configuration["model"] == "mlp" and configuration["embedding"] == "periodic"
    return problem.numbers if is_asked else ()


def initial_parameters(network: Network, generator: np.random.Generator) -> Doubles:
    """Draw the parameters ``(P,)`` of one fold, shared by all configurations of this shape.

    Weights of hidden layers are normal with the variance that suits the activation, those of the output layer with
    Glorot's; biases are zero. A model without hidden layers starts at zero: its loss is convex, there is no symmetry
    to break.
    """
    parameters = np.zeros(network.size)
    blocks = split(network, parameters)
    stack, layers = parted(network, blocks)
    if stack:
        draw(stack, generator)
    if len(layers) > 1:
        gains = [ACTIVATIONS[network.activation].gain] * (len(layers) - 1) + [glorot]
        for weights, gain in zip(layers, gains, strict=True):
            units, inputs = weights.shape[0], weights.shape[1] - 1
            weights[:, :-1] = generator.standard_normal((units, inputs)) * np.sqrt(gain(inputs, units))
    return parameters


def split(network: Network, flat: Array) -> list[Array]:
    """View flat rows ``(..., P)`` as the blocks of the network, mostly ``(..., H, D + 1)``; nothing is copied."""
    blocks, start = [], 0
    for shape in network.blocks:
        stop = start + math.prod(shape)
        blocks.append(flat[..., start:stop].reshape(*flat.shape[:-1], *shape, copy=False))
        start = stop
    return blocks


def parted(network: Network, blocks: Sequence[Array]) -> tuple[Sequence[Array], Sequence[Array]]:
    """Part blocks into the stack of the embedding, which may be empty, and the layers."""
    first = len(blocks) - len(network.widths) + 1
    return blocks[:first], blocks[first:]


def workspace(network: Network, lanes: tuple[int, int], batch_size: int, dtype: np.dtype[Any]) -> Workspace:
    """Allocate the arrays for passes of ``(C, K)`` lanes."""
    hidden = network.widths[1:-1]

    def arrays(widths: Sequence[int]) -> tuple[Array, ...]:
        return tuple(np.ones((*lanes, width, batch_size), dtype) for width in widths)

    spare = max(hidden, default=0) if network.activation == "gelu" else 0
    embedded = len(network.embedded)
    return Workspace(
        arrays([width + 1 for width in hidden]),
        arrays(hidden),
        arrays(network.widths[1:]),
        arrays([spare])[0],
        embedding_space(embedded, network.widths[0], lanes, batch_size, dtype) if embedded else None,
    )


def forward(
    network: Network, blocks: Sequence[Array], columns: Array, space: Workspace, drop: Drop | None = None
) -> Array:
    """Compute the outputs ``(C, k, O, B)``, in ``space.deltas[-1]``.

    ``drop(number, units, slope)`` may change the units ``(C, k, H, B)`` of each hidden layer and, likewise, the slope.
    """
    activate = ACTIVATIONS[network.activation].apply
    stack, layers = parted(network, blocks)
    inputs = columns if space.embedding is None else embed(stack, columns, network.embedded, space.embedding)
    for number, (following, slope) in enumerate(zip(space.inputs, space.slopes, strict=True)):
        units = following[..., :-1, :]
        np.matmul(layers[number], inputs, out=units)
        activate(units, slope, space.scratch[..., : slope.shape[-2], :])
        if drop is not None:
            drop(number, units, slope)
        inputs = following
    return np.matmul(layers[-1], inputs, out=space.deltas[-1])


def backward(
    network: Network, blocks: Sequence[Array], gradients: Sequence[Array], rows: Array, space: Workspace
) -> None:
    """Turn ``space.deltas[-1]``, by now the gradient of the outputs, into the ``gradients`` of all blocks.

    ``rows (k, B, D + 1)`` are the features of the mini-batch.
    """
    (stack, layers), (embedded, gradients) = parted(network, blocks), parted(network, gradients)
    for number in range(len(layers) - 1, 0, -1):
        delta, before = space.deltas[number], space.deltas[number - 1]
        np.matmul(delta, space.inputs[number - 1].swapaxes(-1, -2), out=gradients[number])
        np.matmul(layers[number][..., :-1].swapaxes(-1, -2), delta, out=before)
        before *= space.slopes[number - 1]
    if space.embedding is None:
        np.matmul(space.deltas[0], rows, out=gradients[0])
        return
    np.matmul(space.deltas[0], space.embedding.inputs.swapaxes(-1, -2), out=gradients[0])
    np.matmul(layers[0][..., : network.joined].swapaxes(-1, -2), space.deltas[0], out=space.embedding.delta)
    embedded_gradients(stack, embedded, space.embedding)


def outputs(network: Network, blocks: Sequence[Array], features: Features) -> Array:
    """Compute the outputs ``(C, O, M)`` of lanes of one fold on ``features (M, D)``, in the dtype of the lanes."""
    dtype, lanes = blocks[0].dtype, len(blocks[0])
    result = np.empty((lanes, network.widths[-1], len(features)), dtype)
    at_once = max(1, _PREDICTION_NUMBERS // (ROWS_AT_ONCE * network.widest))
    for start in range(0, len(features), ROWS_AT_ONCE):
        columns = with_ones(features[start : start + ROWS_AT_ONCE], dtype).T.copy()
        for first in range(0, lanes, at_once):
            part = [each[first : first + at_once, None] for each in blocks]
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
