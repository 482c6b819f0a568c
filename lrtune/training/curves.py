"""Learning curves: what every lane's loss on training and validation rows was after some of its epochs.

They are part of the population, like the scales of `lrtune.training.feedback`: training in pieces, compaction and
company change nothing. The loss is the training loss without smoothing and dropout, at the parameters that would be
scored; rows are weighted as in training, those of validation like training rows of their class. So the two curves of a
lane can be compared with each other, which a metric that is not a mean over rows would not allow.

To stay cheap, only every third epoch is looked at, and of each fold no more than `ROWS` validation rows and as many
training rows, always the same ones. The losses of the mini-batches are of no use here: training needs their gradients
only, and they belong to parameters that change from one to the next.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from lrtune.arrays import CURVES, Array, Doubles, Integers, stream
from lrtune.training.batches import BatchTable
from lrtune.training.networks import Network, forward, split, with_ones, workspace
from lrtune.training.tasks import Fold, LaneCurves

POINTS = 12
"""No curve has more points."""

SPARING = 3
"""Of so many epochs one is looked at, however few there are."""

ROWS = 64
"""Of a fold's validation rows no more are looked at, and as many of its training rows."""

_GRANULE = 16
"""The room for the rows of a fold is a multiple of this, so that folds of about the same size go together."""

DIGITS = 4
"""Significant ones of a recorded loss."""

TRAIN, VALIDATION = 0, 1
"""Places on the axis of the two curves."""


class FoldGroup(NamedTuple):
    """Neighbouring folds, from ``start`` to ``stop``, with equally many rows of either kind.

    ``columns (k, D + 1, R)`` are the features with a last row of ones, training rows first, zeros at the end;
    ``targets (k, O, R)`` are as the loss wants them; ``train (k, M)`` and ``validation (k, V)`` are the weights of
    either kind of rows, each divided by their sum.
    """

    start: int
    stop: int
    columns: Array
    targets: Array
    train: Array
    validation: Array


class Watched(NamedTuple):
    """What is looked at: after which ``epochs``, counted from 1, and which rows of all folds."""

    epochs: tuple[int, ...]
    groups: tuple[FoldGroup, ...]


class FoldRows(NamedTuple):
    """What is looked at of one fold, as in `FoldGroup`: ``(D + 1, R)``, ``(O, R)``, ``(M,)``, ``(V,)``."""

    columns: Array
    targets: Array
    train: Array
    validation: Array


def recorded_epochs(horizon: int) -> tuple[int, ...]:
    """Choose the epochs, counted from 1, after which losses are recorded: evenly spaced, the last one among them.

    >>> recorded_epochs(6), recorded_epochs(7)
    ((3, 6), (3, 5, 7))
    >>> recorded_epochs(1), recorded_epochs(1200)[:3]
    ((1,), (100, 200, 300))
    """
    points = max(1, min(POINTS, -(-horizon // SPARING)))
    return tuple(-(-horizon * (place + 1) // points) for place in range(points))


def watched(tables: Sequence[BatchTable], folds: Sequence[Fold], network: Network, epochs: int, seed: int) -> Watched:
    """Choose what to look at; tables and folds come in the same order.

    Training rows of weight 0, such as those that a decay watches, are left out.
    """
    each = [_fold_rows(one, fold, network, seed) for one, fold in zip(tables, folds, strict=True)]
    groups, start = [], 0
    for _, members in groupby(each, lambda rows: (len(rows.train), len(rows.validation))):
        parts = [np.stack(part) for part in zip(*members, strict=True)]
        stop = start + len(parts[0])
        groups.append(FoldGroup(start, stop, *parts))
        start = stop
    return Watched(recorded_epochs(epochs), tuple(groups))


def _fold_rows(table: BatchTable, fold: Fold, network: Network, seed: int) -> FoldRows:
    count = min(ROWS, len(fold.validation_targets))
    own = _drawn(np.flatnonzero(table.weights > 0.0), count, seed, table.index, TRAIN)
    others = _drawn(np.arange(len(fold.validation_targets)), count, seed, table.index, VALIDATION)
    dtype, cut, stop = table.features.dtype, len(own), len(own) + len(others)
    # The room follows from the fold's own rows alone: products of another size may round differently.
    room = -(-stop // _GRANULE) * _GRANULE
    columns = np.zeros((table.width, room), dtype)
    columns[:, :cut] = table.rows(own).T
    columns[:, cut:stop] = with_ones(fold.validation_features[others], dtype).T
    targets = np.zeros((table.outputs, room), dtype)
    targets[:, :cut] = table.wanted(own)
    targets[:, cut:stop] = validation_targets(fold, network)[:, others]
    weights = table.weighing(own), validation_weights(fold, network)[others]
    return FoldRows(columns, targets, _shares(weights[0], dtype), _shares(weights[1], dtype))


def _drawn(rows: Integers, count: int, seed: int, fold: int, kind: int) -> Integers:
    return np.sort(stream(seed, CURVES, fold, kind).permutation(rows)[:count])


def _shares(weights: Doubles, dtype: np.dtype[Any]) -> Array:
    total = weights.sum()
    return (weights / total if total > 0.0 else weights).astype(dtype)


def beginning(lanes: tuple[int, int], epochs: Sequence[int]) -> Doubles:
    """Make the losses ``(C, K, 2, points)`` before the first epoch: nothing is known."""
    return np.full((*lanes, 2, len(epochs)), np.nan)


class Recorder:
    """Writes down the losses of a population, with arrays that it allocates once.

    Parameters
    ----------
    watched
        What to look at; None: nothing.
    network
        The shape of the model.
    configurations
        ``C``, their number.

    """

    def __init__(self, watched: Watched | None, network: Network, configurations: int) -> None:
        self._network, self._watched = network, watched
        self._places = {} if watched is None else {epoch: place for place, epoch in enumerate(watched.epochs)}
        self._spaces = [
            workspace(network, (configurations, len(each.columns)), each.columns.shape[-1], each.columns.dtype)
            for each in (watched.groups if watched else ())
        ]

    def wants(self, epoch: int) -> bool:
        """Tell whether the losses after an epoch, counted from 1, are to be recorded."""
        return epoch in self._places

    def record(self, losses: Doubles, parameters: Array, epoch: int) -> None:
        """Write the losses of ``parameters (C, K, P)`` after an epoch into ``losses (C, K, 2, points)``."""
        assert self._watched is not None
        point, rows = self._places[epoch], _ROWS[self._network.loss]
        for group, space in zip(self._watched.groups, self._spaces, strict=True):
            layers = split(self._network, parameters[:, group.start : group.stop])
            found = rows(forward(self._network, layers, group.columns, space), group.targets)
            lanes, cut = slice(group.start, group.stop), group.train.shape[-1]
            stop = cut + group.validation.shape[-1]
            losses[:, lanes, TRAIN, point] = np.add.reduce(found[..., :cut] * group.train, axis=-1)
            losses[:, lanes, VALIDATION, point] = np.add.reduce(found[..., cut:stop] * group.validation, axis=-1)


def _softmax_rows(outputs: Array, targets: Array) -> Array:
    """``log(sum(exp(z))) - z`` of the true class ``(C, k, R)``; the outputs are used up."""
    outputs -= np.maximum.reduce(outputs, axis=-2, keepdims=True)
    true = np.add.reduce(outputs * targets, axis=-2)
    np.exp(outputs, out=outputs)
    losses: Array = np.log(np.add.reduce(outputs, axis=-2))
    losses -= true
    return losses


def _logistic_rows(outputs: Array, targets: Array) -> Array:
    """``log(1 + exp(-|z|)) + max(z, 0) - t * z``."""
    z = outputs[..., 0, :]
    losses: Array = np.abs(z)
    np.negative(losses, out=losses)
    np.exp(losses, out=losses)
    losses += 1.0
    np.log(losses, out=losses)
    losses += np.maximum(z, 0.0)
    losses -= targets[..., 0, :] * z
    return losses


def _squared_rows(outputs: Array, targets: Array) -> Array:
    """``(z - t)^2 / 2``."""
    losses: Array = (outputs - targets)[..., 0, :]
    losses *= losses
    losses *= 0.5
    return losses


_ROWS = {"softmax": _softmax_rows, "logistic": _logistic_rows, "squared": _squared_rows}
"""The losses of `lrtune.training.losses` in the precision of the lanes: to four digits the same, and faster."""


def over_folds(epochs: Sequence[int], losses: Doubles) -> LaneCurves:
    """Sum up losses ``(K, 2, points)`` of the folds, in four significant digits; None where one is not finite.

    >>> over_folds([3, 6], np.array([[[2.0, 1.0], [3.0, 4.0]], [[1.0, 0.00012345], [np.inf, 5.0]]]))
    LaneCurves(epochs=(3, 6), train=(1.5, 0.5001), validation=(None, 4.5), low=(None, 4.0), high=(None, 5.0))
    """
    validation = losses[:, VALIDATION]
    is_whole = np.isfinite(validation).all(axis=0)
    # A loss that is not finite leaves no fold that is the lowest.
    low, high = (np.where(is_whole, of(validation, axis=0), np.nan) for of in (np.min, np.max))
    return LaneCurves(tuple(epochs), *map(_short, (*losses.mean(axis=0), low, high)))


def _short(losses: Doubles) -> tuple[float | None, ...]:
    return tuple(float(f"{each:.{DIGITS}g}") if math.isfinite(each) else None for each in losses.tolist())


def validation_targets(fold: Fold, network: Network) -> Doubles:
    """Write validation targets ``(O, M)`` as the loss wants them."""
    if network.loss == "softmax":
        return np.eye(network.classes)[fold.validation_targets].T
    if network.loss == "logistic":
        return np.asarray(fold.validation_targets, np.float64)[None]
    values: Doubles = (np.asarray(fold.validation_targets, np.float64) - fold.shift) / fold.scale
    return values[None]


def validation_weights(fold: Fold, network: Network) -> Doubles:
    """Weigh validation rows ``(M,)`` like training rows of their class; the sum is one."""
    weights = np.ones(len(fold.validation_targets))
    if network.classes:
        weights = _class_means(fold, network.classes)[fold.validation_targets]
    total = weights.sum()
    return weights / total if total > 0.0 else np.full(len(weights), 1.0 / max(1, len(weights)))


def _class_means(fold: Fold, classes: int) -> Doubles:
    rows = np.bincount(fold.targets, minlength=classes)
    totals = np.bincount(fold.targets, weights=fold.weights, minlength=classes)
    # A class without training rows weighs like the average row.
    return np.where(rows > 0, totals / np.maximum(rows, 1), np.mean(fold.weights))
