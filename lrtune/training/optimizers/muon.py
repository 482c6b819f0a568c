"""Muon (Jordan et al. 2024): momentum whose matrices are made orthogonal, and Adam for everything else.

With ``V`` the momentum of a matrix of weights, biases left out, and ``s`` its scale::

    V = momentum * V + G        W -= lr * s * orthogonal(G + momentum * V)

``orthogonal`` sets all singular values to about 1 by five steps of a quintic Newton-Schulz iteration. So are trained
the weights of every layer but the last, the first one included, unless they have a single row or column: as on the
tables where Muon did best (arXiv 2604.15297). The last layer, the biases and the embedding of numbers go to Adam, with
``adam_factor`` times the rate. A linear model has nothing but a last layer.

``s`` is ``0.2 sqrt(max(rows, columns))``, with which steps are as large as Adam's and its rates serve (Liu et al. 2025,
arXiv 2502.16982), or as at first published ``sqrt(max(1, rows / columns))``.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lrtune.arrays import Doubles, Floats
from lrtune.training.optimizers.adam_family import adam, adam_start
from lrtune.training.updates import cycled, double, shrink, subtract

if TYPE_CHECKING:
    from lrtune.training.updates import LaneFactors, Scratch, Shapes, State, StepValues

COEFFICIENTS = 3.4445, -4.7750, 2.0315
"""Of ``a x + b x^3 + c x^5``, which lifts small singular values fast and leaves them between about 0.7 and 1.2."""

ITERATIONS = 5

_SMALLEST = 1e-7
"""Added to the norm before dividing by it."""

LAYER, LEAST_COLUMNS = 2, 2
"""Axes of the shape of a layer; a layer of more columns, bias included, has a matrix."""

_ADAM_STATE = 5

_AT_ONCE = 2**16
"""About how many numbers of matrices are orthogonalised at once, so that they stay in the cache."""


class Matrix(NamedTuple):
    """Weights that are made orthogonal: where their layer starts in a flat row, its rows, its columns with the bias."""

    start: int
    rows: int
    columns: int

    def of(self, flat: Floats) -> Floats:
        """View the weights ``(..., rows, columns - 1)`` in flat rows ``(..., P)``."""
        layer = flat[..., self.start : self.start + self.rows * self.columns]
        return layer.reshape(*flat.shape[:-1], self.rows, self.columns, copy=False)[..., :-1]


class Parts(NamedTuple):
    """The matrices that are made orthogonal, and slices of a flat row with all other parameters."""

    matrices: tuple[Matrix, ...]
    rest: tuple[slice, ...]

    def copy_rest(self, flat: Floats, into: Floats) -> Floats:
        """Copy what is in no matrix ``(..., R)`` to the beginning of flat rows; give a view of it."""
        stop = 0
        for piece in self.rest:
            part = flat[..., piece]
            start, stop = stop, stop + part.shape[-1]
            into[..., start:stop] = part
        return into[..., :stop]

    def put_rest(self, flat: Floats, rest: Floats) -> None:
        """Turn `copy_rest` round."""
        stop = 0
        for piece in self.rest:
            part = flat[..., piece]
            start, stop = stop, stop + part.shape[-1]
            part[...] = rest[..., start:stop]


@lru_cache(maxsize=64)
def parts(shapes: Shapes, size: int) -> Parts:
    """Part ``size`` parameters in blocks of some shapes."""
    layers = [each for each in shapes if len(each) == LAYER]
    start = sum(map(math.prod, shapes)) - sum(map(math.prod, layers))
    matrices, rest, free = [], [], 0
    for rows, columns in layers[:-1]:
        stop = start + rows * columns
        if rows > 1 and columns > LEAST_COLUMNS:
            matrices.append(Matrix(start, rows, columns))
            rest += [slice(free, start), slice(start + columns - 1, stop, columns)]
            free = stop
        start = stop
    return Parts(tuple(matrices), tuple(each for each in (*rest, slice(free, size)) if each.start < each.stop))


def products(shapes: Shapes) -> int:
    """Count the multiplications of numbers in the matrix products of one update of a lane."""
    found = parts(tuple(shapes), sum(map(math.prod, shapes)))
    sides = [sorted((each.rows, each.columns - 1)) for each in found.matrices]
    return ITERATIONS * sum(2 * short * short * long + short**3 for short, long in sides)


def muon_start(parameters: Floats, factors: LaneFactors, shapes: Shapes = ()) -> State:
    """Make the state of Adam for what it trains, and the momentum of each matrix."""
    found = parts(tuple(shapes), parameters.shape[-1])
    rest = found.copy_rest(parameters, np.empty_like(parameters))
    momenta = (np.zeros(each.of(parameters).shape, parameters.dtype) for each in found.matrices)
    return (*adam_start(rest, factors), *momenta)


def muon(
    parameters: Floats, gradient: Floats, state: State, values: StepValues, scratch: Scratch, _curvature: object
) -> None:
    """Step along orthogonal matrices, some lanes at a time, then let Adam train its parameters."""
    found = parts(tuple(values.shapes), parameters.shape[-1])
    momentum = cycled(values, "momentum")[..., None]
    for matrix, velocity in zip(found.matrices, state[_ADAM_STATE:], strict=True):
        weights, given = matrix.of(parameters), matrix.of(gradient)
        np.multiply(velocity, momentum, out=velocity)
        np.add(velocity, given, out=velocity)
        scale = _scale(matrix, values.factors["match_rms"])
        at_once = max(1, _AT_ONCE // math.prod(velocity.shape[1:]))
        for first in range(0, len(velocity), at_once):
            lanes = slice(first, first + at_once)
            seen = _seen(values, matrix, lanes)
            shrink(weights[lanes], seen)
            ahead = velocity[lanes] * momentum[lanes]
            ahead += given[lanes]
            size = seen.rate * scale[lanes]
            step = orthogonal(ahead, weight=1.0 - double(momentum[lanes]), size=size)
            subtract(weights[lanes], step, seen)
    _train_rest(found, parameters, gradient, state[:_ADAM_STATE], values, scratch=scratch)


def orthogonal(matrices: Floats, *, weight: Doubles | float = 1.0, size: Floats | float = 1.0) -> Floats:
    """Bring the singular values of matrices ``(..., rows, columns)`` near ``size``; they are overwritten.

    ``weight`` is what they would have to be multiplied by before their norm is compared with the smallest one. Inside,
    they are ``c^(1/4)`` times as large, so that of ``a + b x^2 + c x^4`` the last coefficient is 1.
    """
    first, second, third = COEFFICIENTS
    lanes, (rows, columns) = matrices.shape[:-2], matrices.shape[-2:]
    flat = matrices.reshape(*lanes, rows * columns, copy=False)
    norm = np.sqrt(double(np.vecdot(flat, flat)))[..., None, None]
    matrices *= (weight * third**0.25 / (weight * norm + _SMALLEST)).astype(matrices.dtype)
    other = np.empty_like(matrices)
    side = min(rows, columns)
    square, factor = np.empty((2, *lanes, side, side), matrices.dtype)
    diagonal = factor.reshape(*lanes, side * side, copy=False)[..., :: side + 1]
    for _ in range(ITERATIONS):
        turned = matrices.swapaxes(-1, -2)
        left, right = (turned, matrices) if rows > columns else (matrices, turned)
        np.matmul(left, right, out=square)
        np.matmul(square, square, out=factor)
        square *= second / math.sqrt(third)
        factor += square
        diagonal += first
        left, right = (matrices, factor) if rows > columns else (factor, matrices)
        matrices, other = np.matmul(left, right, out=other), matrices
    matrices *= size / third**0.25
    return matrices


def _train_rest(
    found: Parts, parameters: Floats, gradient: Floats, state: State, values: StepValues, *, scratch: Scratch
) -> None:
    """Apply AdamW to the parameters that are in no matrix; a schedule's momentum is that of the matrices."""
    point, slope = found.copy_rest(parameters, scratch[0]), found.copy_rest(gradient, scratch[1])
    factors = values.rate_factors
    own = None if factors is None else found.copy_rest(factors, np.empty_like(factors))
    seen = values._replace(rate=values.rate * values.factors["adam_factor"], momentum=None, rate_factors=own)
    shrink(point, seen)
    free = gradient[..., : point.shape[-1]]
    adam(point, slope, state, seen, (free, free), None)
    found.put_rest(parameters, point)


def _seen(values: StepValues, matrix: Matrix, lanes: slice) -> StepValues:
    """Give rate, weight decay and factors of the rate of some lanes the axes of a matrix."""
    factors = values.rate_factors
    return values._replace(
        rate=values.rate[lanes, ..., None],
        weight_decay=values.weight_decay[lanes, ..., None],
        rate_factors=None if factors is None else matrix.of(factors[lanes]),
    )


def _scale(matrix: Matrix, match_rms: Floats) -> Floats:
    """Compute the scale ``(C, 1, 1, 1)`` of the steps of a matrix."""
    rows, columns = matrix.rows, matrix.columns - 1
    scales = 0.2 * math.sqrt(max(rows, columns)), math.sqrt(max(1.0, rows / columns))
    return np.where(match_rms[..., None] > 0.0, *scales).astype(match_rms.dtype)
