"""One configuration on given rows: everything is fitted on these rows alone, and a `Model` comes of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lrtune.arrays import Rows, one_blas_thread
from lrtune.data.columns import Columns
from lrtune.data.encoding import Encoder, fit_encoder, problem_of
from lrtune.data.mapped import kept
from lrtune.data.schema import Schema
from lrtune.model import Model, TrainedNetwork
from lrtune.space.trial import Configuration
from lrtune.text.errors import NoUsableResultError
from lrtune.training.encoded import EncodedRows, Features
from lrtune.training.evaluate import fit
from lrtune.training.feedback import Scales
from lrtune.training.numbers.catalogue import USUAL
from lrtune.training.tasks import UNLIMITED, Encoded, Fold
from lrtune.training.wall_clock import Clock

FINAL = 2**31
"""Number of the random streams of a model on all training rows; folds count from 0, so that theirs are others."""


IN_ADVANCE = 2**25
"""Bytes of features of a fold's training rows, or validation rows, that are encoded in advance: that is faster than to
do so whenever they are looked at. What comes out is the same."""

BEYOND = 0.5
"""Ranges of the training targets by which a prediction may lie beyond them. One row with a far cell would else be
predicted thousands of ranges away, and be the whole of a fold's mean squared error."""


def encoded(
    columns: Columns,
    schema: Schema,
    train: Rows,
    validation: Rows,
    *,
    index: int,
    dtype: str,
    numbers: str = USUAL,
) -> tuple[Encoder, Fold]:
    """Fit on the training rows and encode both.

    A regression target is standardised by its training rows, and predictions of it end half a range beyond them.

    Parameters
    ----------
    columns, schema
        The table.
    train, validation
        Row numbers.
    index
        Number of the random streams.
    dtype
        Of the features.
    numbers
        How numbers are encoded.

    """
    assert columns.target is not None
    encoder = fit_encoder(columns, train, schema, numbers)
    features = _features(encoder, columns, train, dtype)
    targets = columns.target[train]
    shift, scale = _mean_and_deviation(targets) if schema.task == "regression" else (0.0, 1.0)
    limits = _limits(targets) if schema.task == "regression" else UNLIMITED
    fold = Fold(
        index=index,
        features=features,
        targets=(targets - shift) / scale if schema.task == "regression" else targets,
        weights=np.ones(len(train)),
        validation_features=_features(encoder, columns, validation, dtype),
        validation_targets=columns.target[validation],
        shift=shift,
        scale=scale,
        limits=limits,
        numbers=numbers,
    )
    return encoder, _shared(fold, len(schema.classes)) if isinstance(features, EncodedRows) else fold


def _shared(fold: Fold, classes: int) -> Fold:
    """Move what every worker process would else have a copy of into files, as narrow as it may be."""
    label = np.min_scalar_type(-max(classes, 1)).name if classes else "float64"
    return replace(
        fold,
        targets=kept(fold.targets.astype(label)),
        weights=kept(fold.weights.astype(np.uint8)),  # they are ones
        validation_targets=kept(fold.validation_targets.astype(label)),
    )


def _features(encoder: Encoder, columns: Columns, rows: Rows, dtype: str) -> Features:
    """Encode rows in advance if they are few; else when they are looked at."""
    features = encoder.features(columns, rows, dtype)
    if features.size * features.dtype.itemsize <= IN_ADVANCE:
        return kept(features[:])
    return replace(features, rows=kept(features.rows))


def encoded_fold(
    columns: Columns,
    schema: Schema,
    train: Rows,
    validation: Rows,
    *,
    index: int,
    dtype: str,
    numbers: Sequence[str],
) -> Fold:
    """Encode in several ways, as configurations ask for them; what has no choice sees the first."""
    first, *others = (
        encoded(columns, schema, train, validation, index=index, dtype=dtype, numbers=each)[1] for each in numbers
    )
    return replace(first, others={each.numbers: Encoded(each.features, each.validation_features) for each in others})


def _mean_and_deviation(targets: npt.NDArray[Any]) -> tuple[float, float]:
    return float(targets.mean()), float(targets.std()) or 1.0


def _limits(targets: npt.NDArray[Any]) -> tuple[float, float]:
    """Say where predictions end: far enough from the training targets for a trend, and no farther than one can see."""
    low, high = float(targets.min()), float(targets.max())
    room = BEYOND * (high - low)
    return low - room, high + room


def fit_model(
    columns: Columns,
    schema: Schema,
    rows: Rows,
    configuration: Configuration,
    *,
    seed: int,
    dtype: str,
    class_weights: Sequence[float] | None = None,
    scales: Scales = (),
    clock: Clock = time.perf_counter,
    copy: int = 0,
) -> Model:
    """Train a complete configuration on rows.

    Parameters
    ----------
    columns, schema
        The table.
    rows
        Row numbers.
    configuration
        What to train, and how.
    seed
        Of initial parameters, order of rows, dropout.
    dtype
        ``"float32"`` or ``"float64"``.
    class_weights
        Factor of the weights of each class, at least 0; it counts in the loss alone, as ``class_weight`` does.
    scales
        What the rates of each epoch are multiplied by, for a decay that watches a loss; empty: it watches a tenth of
        the rows.
    clock
        Tells the seconds that a decay by training time follows, unless the configuration fixes its speed.
    copy
        Number of the random streams: each gives another model of the same configuration.

    Raises
    ------
    NoUsableResultError
        If the training diverges.

    """
    none = np.empty(0, dtype=np.int64)
    numbers = str(configuration["numbers"])
    encoder, fold = encoded(columns, schema, rows, none, index=FINAL + copy, dtype=dtype, numbers=numbers)
    if class_weights is not None:
        fold = replace(fold, weights=fold.weights * np.array(class_weights)[fold.targets])
    with one_blas_thread():
        layers = fit(configuration, fold, problem_of(schema), seed=seed, dtype=dtype, scales=scales, clock=clock)
    if not all(np.isfinite(each).all() for layer in layers for each in layer):
        raise NoUsableResultError(
            f"the configuration diverged when it was trained on all {len(rows)} training rows "
            f"(learning_rate: {configuration['learning_rate']}); try smaller learning rates"
        )
    member = TrainedNetwork(encoder, configuration, tuple(layers), fold.shift, fold.scale, fold.limits, seed)
    weights = None if class_weights is None else tuple(class_weights)
    return Model(schema, problem_of(schema), (member,), weights)
