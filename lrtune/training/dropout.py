"""Dropout, of those lanes that ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lrtune.arrays import DROPOUT, Array, stream
from lrtune.training.declarations import Configuration
from lrtune.training.networks import Network
from lrtune.training.runs import amount, runs, shaped


class Dropout:
    """Switches units off in training and scales the others up, so that nothing is to be done in prediction.

    The uniforms of a fold are shared by all configurations: comparisons are paired.
    """

    def __init__(
        self,
        configurations: Sequence[Configuration],
        dtype: np.dtype[Any],
        *,
        network: Network,
        batch_size: int,
        seed: int,
        folds: Sequence[int],
    ) -> None:
        hidden = network.widths[1:-1]
        self.runs = runs(configurations, lambda each: amount(each["dropout"]), dtype) if hidden else []
        self._address = seed, folds
        self._streams: list[np.random.Generator] = []
        lanes = max((run.stop - run.start for run, _ in self.runs), default=0)
        shape = (len(folds), max(hidden, default=0), batch_size)
        self._uniforms = np.empty(shape if self.runs else 0, np.float32)
        self._gates = np.empty(lanes * self._uniforms.size, dtype)
        self._shape: Array | None = None

    def start_epoch(self, epoch: int) -> None:
        """Open the streams of an epoch."""
        if self.runs:
            seed, folds = self._address
            self._streams = [stream(seed, DROPOUT, fold, epoch) for fold in folds]

    def start_step(self, shape: Array | None) -> None:
        """Take what multiplies the rates ``(C, k, 1)`` in this update."""
        self._shape = shape

    def __call__(self, _number: int, units: Array, slope: Array) -> None:
        """Drop units ``(C, k, H, B)`` of the next hidden layer; the slope likewise."""
        shape = units.shape[1:]
        uniforms = self._uniforms[: shape[0], : shape[1]]
        for each, generator in zip(uniforms, self._streams, strict=False):
            generator.random(out=each, dtype=np.float32)
        for run, rates in self.runs:
            lanes = shaped(rates, run, self._shape)[..., None]
            gates = self._gates[: len(rates) * uniforms.size].reshape(len(rates), *shape)
            np.greater_equal(uniforms, lanes, out=gates)
            gates *= 1.0 / (1.0 - lanes)
            units[run] *= gates
            slope[run] *= gates
