"""What training costs, estimated without measuring: the numbers below were found once, with ``benchmarks/trainer.py``.

They only steer how work is cut and what ``lrtune check`` announces; no result depends on them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np

from lrtune.training.averaging import is_averaged
from lrtune.training.batches import effective_batch_size, steps_per_epoch
from lrtune.training.declarations import Configuration
from lrtune.training.embeddings import FREQUENCIES
from lrtune.training.networks import Network, network
from lrtune.training.registry import OPTIMIZERS, complete
from lrtune.training.steps import factors
from lrtune.training.tasks import Fold, Problem

_FLOPS = 8.5e10
"""Multiplications and additions per second of stacked float32 matrix products on one core."""

_NUMBERS = 6.5e9
"""Numbers per second of an elementwise pass over float32 arrays."""

_GATHERED = 4e8
"""Numbers per second of mini-batches gathered from a fold; all configurations of a block share them."""

_PRODUCT_SECONDS = 0.25e-6
"""What one more lane adds to a stacked matrix product, however small."""

_STEP_SECONDS = 80e-6
"""What the calls of one update of a whole block take, however small its arrays."""

_UNIT_PASSES = {"relu": 5, "tanh": 8, "gelu": 25}
"""Elementwise passes over the hidden units forwards and backwards, as long as a sum."""

_WAVE_PASSES = 20
"""The same for the waves of embedded numbers."""

_DROPOUT_PASSES = 20
"""The same for dropout."""

_OUTPUT_PASSES = 12
"""The same for the outputs."""

_CURVATURE = 5.0
"""How many times the rest the update of an optimizer that inverts curvature takes."""

_LANE_BYTES = 12 * 2**20
"""About how many bytes the arrays of a block may take: they should stay in the second- and third-level cache."""

_MOST_LANES = 320
"""More lanes than this are not faster, however small."""


def cost_seconds(
    configuration: Configuration, folds: Sequence[Fold], problem: Problem, dtype: str, *, lanes: int | None = None
) -> float:
    """Estimate the time of training one complete configuration on all folds on one core (seconds).

    In the company of as many ``lanes`` as train fast together, if nothing else is said.
    """
    lanes = lanes or block_lanes(configuration, folds, problem, dtype)
    shape = network(configuration, problem, features_seen(configuration, folds))
    sizes = [len(fold.features) for fold in folds]
    return math.fsum(lane_seconds(configuration, shape, each, dtype, (lanes, len(folds))) for each in sizes)


def lane_seconds(
    configuration: Configuration, shape: Network, rows: int, dtype: str, company: tuple[int, int]
) -> float:
    """Estimate the time of training one complete configuration on one fold of so many rows (seconds).

    ``company``: how many lanes train together, itself included, and on how many folds.
    """
    lanes, folds = company
    batch = effective_batch_size(_whole(configuration, "batch_size"), rows)
    steps = steps_per_epoch(batch, rows) * _whole(configuration, "epochs")
    gathered = batch * (shape.widths[0] + shape.widths[-1]) / _GATHERED * folds / lanes
    calls = 3 * len(shape.shapes) * _PRODUCT_SECONDS + _STEP_SECONDS / lanes
    double = np.dtype(dtype).itemsize / 4.0
    return steps * (calls + double * (gathered + _array_seconds(configuration, shape, batch)))


def lane_bytes(configuration: Configuration, problem: Problem, features: int, dtype: str) -> int:
    """Estimate the memory that one lane takes while it trains (bytes)."""
    shape = network(configuration, problem, features)
    state = _kept_numbers(configuration, shape)
    waves = len(shape.embedded) * 3 * FREQUENCIES + (shape.widths[0] + 2 * shape.joined if shape.embedded else 0)
    units = (3 * sum(shape.widths[1:]) + waves) * _whole(configuration, "batch_size")
    return (4 * shape.size + state + units) * np.dtype(dtype).itemsize


def block_lanes(configuration: Configuration, folds: Sequence[Fold], problem: Problem, dtype: str) -> int:
    """Find how many lanes of this shape train fast together; never less than one configuration on all folds."""
    each = lane_bytes(configuration, problem, features_seen(configuration, folds), dtype)
    return max(len(folds), min(_MOST_LANES, _LANE_BYTES // each))


def features_seen(configuration: Configuration, folds: Sequence[Fold]) -> int:
    """Count the features ``D`` of folds as a complete configuration sees them."""
    return int(folds[0].encoded_as(str(configuration["numbers"])).features.shape[1])


def _array_seconds(configuration: Configuration, shape: Network, batch_size: int) -> float:
    """Estimate what the arrays of one update of one lane take in float32 (seconds)."""
    optimizer = str(configuration["optimizer"])
    products = 3 * shape.size - math.prod(shape.blocks[0])
    update = 3.0 + 3.5 * _kept_numbers(configuration, shape) / shape.size
    hidden = _UNIT_PASSES[shape.activation] + (_DROPOUT_PASSES if configuration["dropout"] else 0)
    units = hidden * sum(shape.widths[1:-1]) + _OUTPUT_PASSES * shape.widths[-1]
    units += _WAVE_PASSES * FREQUENCIES * len(shape.embedded)
    own = OPTIMIZERS[optimizer].products(shape.blocks)
    seconds = 2.0 * (products * batch_size + own) / _FLOPS + (update * shape.size + units * batch_size) / _NUMBERS
    return seconds * (_CURVATURE if OPTIMIZERS[optimizer].needs_curvature else 1.0)


def _kept_numbers(configuration: Configuration, shape: Network) -> int:
    """Count what a lane keeps from one update to the next beside its parameters."""
    average = shape.size if is_averaged(configuration) else 0
    return _state_numbers(str(configuration["optimizer"]), tuple(shape.blocks)) + average


@cache
def _state_numbers(optimizer: str, shapes: tuple[tuple[int, ...], ...]) -> int:
    """Count the numbers in the state of an optimizer for one lane, from that of no lane, which takes no memory."""
    probe = np.zeros((1, 0, sum(map(math.prod, shapes))), np.float32)
    given = factors([complete({"optimizer": optimizer})], probe.dtype)
    return sum(
        math.prod((*each.shape[:1], *each.shape[2:])) for each in OPTIMIZERS[optimizer].start(probe, given, shapes)
    )


def _whole(configuration: Configuration, key: str) -> int:
    value = configuration[key]
    assert isinstance(value, int)
    return value
