"""What the engine is given and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lrtune.arrays import Array

Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Fold:
    """The arrays of one fold: ``N`` rows to train on, ``M`` rows to be scored on.

    Parameters
    ----------
    index
        Number of the random streams that this fold uses (initial parameters, order of rows, dropout), at least 0.
    features
        ``(N, D)``.
    targets
        ``(N,)``: labels ``0 .. classes - 1``, or standardised values.
    weights
        ``(N,)``, at least 0. A row of weight 0 takes its place in the mini-batches but trains nothing.
    validation_features
        ``(M, D)``.
    validation_targets
        ``(M,)``: labels, or values in original units.
    shift, scale
        A value in original units is ``output * scale + shift``.

    """

    index: int
    features: Array
    targets: Array
    weights: Array
    validation_features: Array
    validation_targets: Array
    shift: float = 0.0
    scale: float = 1.0


class Problem(NamedTuple):
    """The question: ``loss`` is ``"softmax"``, ``"logistic"`` or ``"squared"``.

    ``outputs`` is 1 for the logistic and the squared loss; ``classes`` is 2 for the logistic one and 0 for regression.
    """

    loss: str
    outputs: int
    classes: int


class LaneCurves(NamedTuple):
    """Learning curves of one configuration, mean over folds: losses after some ``epochs``, counted from 1.

    None from where a lane diverged.
    """

    epochs: tuple[int, ...]
    train: tuple[float | None, ...]
    validation: tuple[float | None, ...]


class Outcome(NamedTuple):
    """What became of one configuration, per fold and in the order of the folds.

    Parameters
    ----------
    scores
        Larger is better; None where the lane diverged.
    diverged
        The epoch, counted from 1, at whose end the lane was found to be non-finite; else None.
    predictions
        What the metric needs of the validation rows (`Metric.keeps`): ``"label"`` uint8 or uint16 ``(M,)``, ``"loss"``
        float32 ``(M,)``, ``"score"`` float32 ``(M,)`` for two classes and ``(M, classes)`` for more, ``"value"``
        float32 ``(M,)`` in original units. None where the lane diverged.
    scales
        What the rates of each epoch were multiplied by, for a decay that watches a loss; else empty on every fold.
    curves
        Training and validation loss, mean over these folds.
    beside
        Oriented scores by other metrics (`Metric.is_beside`); None where there is none.
    predicted
        How often each class is predicted, on all folds together; empty for regression, or where a lane diverged.

    """

    scores: tuple[float | None, ...]
    diverged: tuple[int | None, ...]
    predictions: tuple[Array | None, ...]
    scales: tuple[tuple[float, ...], ...] = ()
    curves: LaneCurves | None = None
    beside: Mapping[str, tuple[float | None, ...]] = MappingProxyType({})
    predicted: tuple[int, ...] = ()
