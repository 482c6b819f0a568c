"""What a search holds in memory, estimated before anything is trained; ``benchmarks/scale.py --memory`` has the truth.

It is the most that one phase takes: reading the table, training, or comparing the winner with others.
"""

from __future__ import annotations

from collections.abc import Sequence

from lrtune.arrays import Mapped, row_type
from lrtune.data.schema import Schema
from lrtune.space.trial import Configuration
from lrtune.trainers.anchors import MOST_ROWS
from lrtune.trainers.catalogue import TRAINERS
from lrtune.trainers.preparation import Prepared
from lrtune.training.encoded import EncodedRows
from lrtune.training.tasks import Fold

_SEARCHING, _COMPARING, _JUDGING = 140e6, 230e6, 265e6
"""What a process has beside its data while it trains or waits; when it has fitted linear models; and when it writes the
result: Python, NumPy, polars, and then scikit-learn with what that loads."""

_WORKER, _TRACKERS = 50e6, 27e6
"""What each worker process has, which needs NumPy only, and what the processes have that clean up behind them."""

_READ = 2.0
"""How many times its numbers and codes a table that is not read in pieces takes while it is read."""

_SPARSE = 12 * 2.0
"""Bytes for each number that is not zero in the sparse matrix of a linear model, and in what it makes of it."""

_DENSE = 8 * 2.5
"""The same for each number of a matrix that is not sparse."""

_BATCHES = 12e6
"""What the mini-batches take that are gathered at a time."""


def search_bytes(prepared: Prepared, configurations: Sequence[Configuration], workers: int, *, compared: bool) -> int:
    """Estimate the most memory that all processes of a search hold together (bytes).

    Parameters
    ----------
    prepared
        The data.
    configurations
        Some that would be tried.
    workers
        How many processes train; 1: the one that searches.
    compared
        Whether some are trained again on fresh folds.

    """
    setting, columns = prepared.setting, prepared.dataset.columns
    folds = sum(each.nbytes for each in setting.folds)
    block = sum(map(_copied, setting.folds))
    block += max(TRAINERS[setting.trainer].memory(each, setting) for each in configurations) + _BATCHES
    own = sum(map(_unshared, setting.folds))
    training = folds + (block if workers == 1 else _TRACKERS + workers * (_WORKER + own + block))
    linear = folds + max(_linear(each, prepared.schema) for each in setting.folds)
    pair = training + folds if compared else 0.0  # on folds of its own
    phases = (_SEARCHING + _READ * _as_read(prepared), _SEARCHING + training, _COMPARING + pair, _JUDGING + linear)
    return int(columns.nbytes + max(phases))


def _as_read(prepared: Prepared) -> float:
    """Size of the numbers and codes of a table before anything is made of them; 0 for one that is read in pieces."""
    columns = prepared.dataset.columns
    return 0.0 if columns.is_compact else columns.nbytes


def _copied(fold: Fold) -> float:
    """Size of what training has beside a fold: features with a row and a column more, and the order of an epoch."""
    rows, width = fold.features.shape
    features = 0 if isinstance(fold.features, EncodedRows) else rows * (width + 1) * fold.features.dtype.itemsize
    return float(features + rows * row_type(rows).itemsize)


def _unshared(fold: Fold) -> float:
    """Size of what each worker has of its own."""
    if isinstance(fold.features, EncodedRows):
        return 0.0
    parts = (fold.features, fold.validation_features, fold.targets, fold.validation_targets, fold.weights)
    return float(sum(each.nbytes for each in parts if not isinstance(each, Mapped)))


def _linear(fold: Fold, schema: Schema) -> float:
    """Size of what a linear model takes."""
    rows, width = min(len(fold.features), MOST_ROWS), int(fold.features.shape[1])
    if not isinstance(fold.features, EncodedRows):
        return _DENSE * max(rows, len(fold.validation_targets)) * width
    return _SPARSE * rows * (len(schema.numeric) + len(schema.categorical))
