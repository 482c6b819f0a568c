"""What training costs, estimated without measuring: the numbers below were found once, with ``benchmarks/trainer.py``.

They only steer how work is cut and what ``lrtune check`` announces; no result depends on them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lrtune.training.batches import effective_batch_size, steps_per_epoch
from lrtune.training.declarations import Configuration
from lrtune.training.networks import Network, network
from lrtune.training.optimizers import OPTIMIZERS
from lrtune.training.registry import complete
from lrtune.training.steps import factors
from lrtune.training.tasks import Fold, Problem

_FLOPS = 8.5e10
"""Multiplications and additions per second of stacked float32 matrix products on one core."""

_NUMBERS = 8e9
"""Numbers per second of an elementwise pass over float32 arrays."""

_CALLS = 0.25e-6
"""Seconds per matrix product that one lane adds to a stacked one."""

_LANE_BYTES = 2**23
"""About how many bytes the arrays of a block may take: they should stay in the second- and third-level cache."""

_MOST_LANES = 320
"""More lanes than this are not faster, however small."""

_UPDATE_PASSES = 10
"""Elementwise passes over the parameters in an update, about."""

_UNIT_PASSES = 6
"""Elementwise passes over the hidden units, about."""


def cost_seconds(configuration: Configuration, folds: Sequence[Fold], problem: Problem, dtype: str) -> float:
    """Estimate the time of training one complete configuration on all folds, in company, on one core (seconds)."""
    shape = network(configuration, problem, folds[0].features.shape[1])
    seconds = 0.0
    for fold in folds:
        batch = effective_batch_size(_whole(configuration, "batch_size"), len(fold.features))
        steps = steps_per_epoch(batch, len(fold.features)) * _whole(configuration, "epochs")
        seconds += steps * step_seconds(shape, batch, dtype)
    return seconds


def step_seconds(shape: Network, batch_size: int, dtype: str) -> float:
    """Estimate one update of one lane (seconds)."""
    units = sum(shape.widths[1:])
    products = 3 * shape.size - shape.shapes[0][0] * shape.shapes[0][1]
    passes = _UPDATE_PASSES * shape.size + _UNIT_PASSES * units * batch_size
    seconds = 2.0 * products * batch_size / _FLOPS + passes / _NUMBERS
    return seconds * np.dtype(dtype).itemsize / 4.0 + 3 * len(shape.shapes) * _CALLS


def lane_bytes(configuration: Configuration, problem: Problem, features: int, dtype: str) -> int:
    """Estimate the memory that one lane takes while it trains (bytes)."""
    shape = network(configuration, problem, features)
    buffers = 4 + _state_buffers(str(configuration["optimizer"]))
    units = 3 * sum(shape.widths[1:]) * _whole(configuration, "batch_size")
    return (buffers * shape.size + units) * np.dtype(dtype).itemsize


def block_lanes(configuration: Configuration, folds: Sequence[Fold], problem: Problem, dtype: str) -> int:
    """Find how many lanes of this shape train fast together; never less than one configuration on all folds."""
    each = lane_bytes(configuration, problem, folds[0].features.shape[1], dtype)
    return max(len(folds), min(_MOST_LANES, _LANE_BYTES // each))


def _state_buffers(optimizer: str) -> int:
    """Count the arrays ``(C, K, P)`` in the state of an optimizer."""
    probe = np.zeros((1, 1, 2))
    state = OPTIMIZERS[optimizer].init(probe, factors([complete({"optimizer": optimizer})], probe.dtype))
    return sum(each.shape == probe.shape for each in state)


def _whole(configuration: Configuration, key: str) -> int:
    value = configuration[key]
    assert isinstance(value, int)
    return value
