"""Losses on the validation rows of all lanes at once, under the training loss and the class weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lrtune.arrays import Array, Doubles
from lrtune.training.curves import validation_targets, validation_weights
from lrtune.training.losses import LOSSES
from lrtune.training.networks import Network, forward, split, with_ones, workspace
from lrtune.training.tasks import Fold


class Watch:
    """The validation rows of all folds, stacked; folds with fewer rows are filled up with rows of weight 0.

    One configuration is looked at after another: the arrays for all of them at once would leave the cache.
    """

    def __init__(self, network: Network, folds: Sequence[Fold], dtype: str) -> None:
        rows = max(len(fold.validation_targets) for fold in folds)
        self._network, self._loss = network, LOSSES[network.loss]
        self._columns = np.zeros((len(folds), network.widths[0] + 1, rows), dtype)
        self._targets = np.zeros((len(folds), network.widths[-1], rows))
        self._weights = np.zeros((len(folds), rows))
        for place, fold in enumerate(folds):
            count = len(fold.validation_targets)
            self._columns[place, :, :count] = with_ones(fold.validation_features[:], np.dtype(dtype)).T
            self._targets[place, :, :count] = validation_targets(fold, network)
            self._weights[place, :count] = validation_weights(fold, network)
        self._space = workspace(network, (1, len(folds)), rows, np.dtype(dtype))
        guesses = np.array([_constant(fold, network) for fold in folds])[..., None]
        everywhere = np.broadcast_to(guesses, self._targets.shape)
        self.constant: Doubles = self._mean(self._loss.rows(everywhere, self._targets))

    def losses(self, parameters: Array) -> Doubles:
        """Compute the losses ``(C, K)`` of parameters ``(C, K, P)``."""
        return np.concatenate([self._losses(parameters[place : place + 1]) for place in range(len(parameters))])

    def _losses(self, parameters: Array) -> Doubles:
        outputs = forward(self._network, split(self._network, parameters), self._columns, self._space)
        return self._mean(self._loss.rows(outputs, self._targets))

    def _mean(self, rows: Doubles) -> Doubles:
        mean: Doubles = (np.where(self._weights > 0.0, rows, 0.0) * self._weights).sum(axis=-1)
        return mean


def _constant(fold: Fold, network: Network) -> Doubles:
    """Find the best outputs ``(O,)`` that do not look at the features."""
    if network.loss == "squared":
        return np.zeros(1)
    totals = np.bincount(fold.targets, weights=fold.weights, minlength=network.classes)
    shares = totals + 0.5  # half a row more of each class, so that none is impossible
    logs = np.log(shares / shares.sum())
    outputs: Doubles = logs[1:] - logs[:1] if network.loss == "logistic" else logs
    return outputs
