"""Mini-batches of several folds in lockstep, gathered a chunk of steps at a time.

The order of the rows is drawn once per (seed, fold, epoch) and shared by all configurations, so that comparisons are
paired. Every row of an epoch is used: the last mini-batch is filled up with rows of zeros that have weight 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lrtune.arrays import ORDER, Array, Doubles, Rows, row_type, stream
from lrtune.training.encoded import EncodedRows, Features
from lrtune.training.networks import with_ones
from lrtune.training.tasks import Fold, Problem

_CHUNK_BYTES = 4 * 2**20
"""About how much a chunk of gathered mini-batches may take: it should stay in the cache while it is used."""

_GRANULE = 16
"""Mini-batches larger than a fold shrink to the next multiple of this."""


@dataclass(frozen=True, slots=True)
class BatchTable:
    """One fold, ready to be gathered from; a row ``N`` is all zeros, weight included.

    ``features (N + 1, D + 1)`` with a column of ones, or those of a fold that are encoded when they are gathered;
    ``targets (N,)`` and ``weights (N,)`` are those of the fold, as narrow as they are kept; ``outputs`` is ``O``.
    """

    index: int
    features: Features
    targets: Array
    weights: Array
    problem: Problem

    @property
    def outputs(self) -> int:
        """``O``."""
        return self.problem.outputs

    @property
    def width(self) -> int:
        """``D + 1``."""
        return int(self.features.shape[1]) + isinstance(self.features, EncodedRows)

    def weighing(self, numbers: Rows) -> Doubles:
        """Gather weights ``(...)`` of rows of some numbers ``(...)``."""
        found: Doubles = self.weights.take(numbers, mode="clip").astype(np.float64, copy=False)
        found[numbers == len(self.weights)] = 0.0
        return found

    def weighted_targets(self, numbers: Rows, weights: Array, out: Array) -> None:
        """Write the targets ``(..., O, B)`` of rows of some numbers ``(..., B)``, times ``weights (..., B)``."""
        found = self.targets.take(numbers, mode="clip")
        if self.problem.loss == "softmax":
            out[...] = 0.0
            np.put_along_axis(out, found[..., None, :].astype(np.intp), weights[..., None, :], axis=-2)
        else:
            np.multiply(found.astype(out.dtype, copy=False), weights, out=out[..., 0, :])

    def wanted(self, numbers: Rows) -> Array:
        """Gather the targets ``(O, M)`` of rows of some numbers ``(M,)`` as the loss wants them."""
        found = np.empty((self.outputs, len(numbers)), self.features.dtype)
        self.weighted_targets(numbers, (numbers < len(self.targets)).astype(found.dtype), found)
        return found

    def rows(self, numbers: Rows) -> Array:
        """Gather rows ``(M, D + 1)``."""
        found = np.empty((len(numbers), self.width), self.features.dtype)
        self.gather(numbers, found)
        return found

    def gather(self, numbers: Rows, out: Array) -> None:
        """Write rows ``(..., D + 1)`` of some numbers ``(...)``."""
        if not isinstance(self.features, EncodedRows):
            self.features.take(numbers, axis=0, out=out, mode="clip")
            return
        count = len(self.features)
        flat, numbers = out.reshape(-1, self.width, copy=False), numbers.ravel()
        self.features.write(np.minimum(numbers, count - 1), flat[:, :-1])
        flat[:, -1] = 1.0
        flat[numbers == count] = 0.0


class Batch(NamedTuple):
    """One mini-batch of each of ``k`` folds.

    ``columns (k, D + 1, B)`` and ``rows (k, B, D + 1)`` hold the same features; ``weights (k, 1, B)`` sum to one over
    the rows of a fold (or are all zero), ``targets (k, O, B)`` are multiplied by them.
    """

    columns: Array
    rows: Array
    targets: Array
    weights: Array


def effective_batch_size(batch_size: int, rows: int) -> int:
    """Shrink a mini-batch that is larger than the whole fold, so that no more than 15 empty rows are computed."""
    return min(batch_size, -(-rows // _GRANULE) * _GRANULE)


def steps_per_epoch(batch_size: int, rows: int) -> int:
    """Count the mini-batches that cover all rows."""
    return -(-rows // batch_size)


def table(fold: Fold, problem: Problem, dtype: np.dtype[Any]) -> BatchTable:
    """Bring a fold into the form that mini-batches are gathered from."""
    features = fold.features if isinstance(fold.features, EncodedRows) else _filled(fold.features, dtype)
    return BatchTable(fold.index, features, fold.targets, fold.weights, problem)


def _filled(features: Array, dtype: np.dtype[Any]) -> Array:
    """Copy ``(N, D)`` to ``(N + 1, D + 1)``: a column of ones, and a row of zeros."""
    filled = np.zeros((features.shape[0] + 1, features.shape[1] + 1), dtype)
    filled[:-1] = with_ones(features, dtype)
    return filled


def epoch_order(seed: int, fold: int, epoch: int, rows: int, batch_size: int) -> Rows:
    """Draw the order ``(S, B)`` of a fold's rows in one epoch; ``rows`` itself stands for the row of zeros."""
    order = np.full(steps_per_epoch(batch_size, rows) * batch_size, rows, row_type(rows))
    order[:rows] = stream(seed, ORDER, fold, epoch).permutation(rows)
    return order.reshape(-1, batch_size)


def epoch_batches(tables: Sequence[BatchTable], seed: int, epoch: int, batch_size: int) -> Iterator[Batch]:
    """Walk through the mini-batches of an epoch.

    ``tables`` come in order of decreasing steps; a mini-batch has as many folds as still have a step to do.
    """
    orders = [epoch_order(seed, each.index, epoch, len(each.weights), batch_size) for each in tables]
    first = tables[0]
    width = 2 * first.width + 2 * first.outputs + 1
    at_once = max(1, _CHUNK_BYTES // (len(tables) * batch_size * width * first.features.dtype.itemsize))
    start = 0
    while start < len(orders[0]):
        active = sum(len(order) > start for order in orders)
        stop = min(start + at_once, len(orders[active - 1]))
        chunk = _gather(tables[:active], [order[start:stop] for order in orders[:active]])
        yield from (Batch(*(part[:, step] for part in chunk)) for step in range(stop - start))
        start = stop


def _gather(tables: Sequence[BatchTable], orders: Sequence[Rows]) -> Batch:
    """Gather several steps of some folds: the arrays of a `Batch` with an axis of steps after that of the folds."""
    first, shape = tables[0], (len(tables), *orders[0].shape)
    dtype, outputs = first.features.dtype, first.outputs
    rows = np.empty((*shape, first.width), dtype)
    targets = np.empty((*shape[:2], outputs, shape[2]), dtype)
    weights = np.empty((*shape[:2], 1, shape[2]), dtype)
    for place, (each, order) in enumerate(zip(tables, orders, strict=True)):
        each.gather(order, rows[place])
        weights[place, :, 0] = _shares(each.weighing(order))
        each.weighted_targets(order, weights[place, :, 0], targets[place])
    return Batch(np.ascontiguousarray(rows.swapaxes(-1, -2)), rows, targets, weights)


def _shares(weights: Doubles) -> Doubles:
    """Divide the weights ``(S, B)`` of each mini-batch by their sum; where that is zero, they stay zero."""
    totals = weights.sum(axis=-1, keepdims=True)
    return weights / np.where(totals > 0.0, totals, 1.0)
