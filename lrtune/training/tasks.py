"""What the engine is given and what it gives back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lrtune.arrays import Array, Doubles, Integers
from lrtune.training.encoded import Features, part_of
from lrtune.training.numbers.catalogue import USUAL

Flags: TypeAlias = NDArray[np.bool_]


UNLIMITED = (-math.inf, math.inf)
"""Every number lies within these limits."""


class Encoded(NamedTuple):
    """Features of the rows to train on ``(N, D)`` and of those to be scored on ``(M, D)``."""

    features: Features
    validation_features: Features


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
    shift, scale, limits
        A value in original units is ``output * scale + shift``, and lies within the limits.
    numbers
        How numbers are encoded in these features (`lrtune.training.numbers`).
    others
        The features with numbers encoded in other ways, by name.

    """

    index: int
    features: Features
    targets: Array
    weights: Array
    validation_features: Features
    validation_targets: Array
    shift: float = 0.0
    scale: float = 1.0
    limits: tuple[float, float] = UNLIMITED
    numbers: str = USUAL
    others: Mapping[str, Encoded] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Size of all arrays, of features as far as they are encoded (bytes)."""
        every = [Encoded(self.features, self.validation_features), *self.others.values()]
        targets = self.targets.nbytes + self.weights.nbytes + self.validation_targets.nbytes
        return targets + sum(each.nbytes for pair in every for each in pair)

    def in_units(self, outputs: Doubles) -> Doubles:
        """Turn outputs for a standardised target into values in its units."""
        return np.clip(outputs * self.scale + self.shift, *self.limits)

    def encoded_as(self, numbers: str) -> Fold:
        """Take the features in which numbers are encoded in a way."""
        if numbers == self.numbers:
            return self
        return replace(self, **self.others[numbers]._asdict(), numbers=numbers, others={})

    def scored_on(self, rows: Integers) -> Fold:
        """Keep some of the rows to be scored on."""
        others = {
            name: each._replace(validation_features=part_of(each.validation_features, rows))
            for name, each in self.others.items()
        }
        return replace(
            self,
            validation_features=part_of(self.validation_features, rows),
            validation_targets=self.validation_targets[rows],
            others=others,
        )


class Problem(NamedTuple):
    """The question: ``loss`` is ``"softmax"``, ``"logistic"`` or ``"squared"``.

    ``outputs`` is 1 for the logistic and the squared loss; ``classes`` is 2 for the logistic one and 0 for regression.
    ``numbers`` are the places of the features that are numbers, neither booleans nor categories nor marks.
    """

    loss: str
    outputs: int
    classes: int
    numbers: tuple[int, ...] = ()


class LaneCurves(NamedTuple):
    """Learning curves of one configuration: losses after some ``epochs``, counted from 1.

    Attributes
    ----------
    epochs
        After which a loss is known.
    train, validation
        Means over folds; None from where a lane diverged.
    low, high
        The validation losses of the folds where they are lowest and highest.

    """

    epochs: tuple[int, ...]
    train: tuple[float | None, ...]
    validation: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]


class Outcome(NamedTuple):
    """What became of one configuration, per fold and in the order of the folds.

    Parameters
    ----------
    scores
        Larger is better; None where the lane diverged.
    diverged
        The epoch, counted from 1, at whose end the lane was found to be non-finite; else None.
    predictions
        What the metric needs of the validation rows (`Metric.keeps`): ``"label"`` probabilities in float16, ``(M,)``
        for two classes and ``(M, classes)`` for more; ``"loss"`` float32 ``(M,)``, ``"score"`` float32 probabilities,
        ``"value"`` float32 ``(M,)`` in original units. None where the lane diverged.
    scales
        What the rates of each epoch were multiplied by, for a decay that watches a loss; else empty on every fold.
    curves
        Training and validation loss over these folds.
    beside
        Oriented scores by other metrics (`Metric.is_beside`); None where there is none.
    predicted
        How often each class is predicted, on all folds together; empty for regression, or where a lane diverged.
    probabilities
        Of all classes in float16 ``(M, classes)``, where the predictions above do not tell them; else None.

    """

    scores: tuple[float | None, ...]
    diverged: tuple[int | None, ...]
    predictions: tuple[Array | None, ...]
    scales: tuple[tuple[float, ...], ...] = ()
    curves: LaneCurves | None = None
    beside: Mapping[str, tuple[float | None, ...]] = MappingProxyType({})
    predicted: tuple[int, ...] = ()
    probabilities: tuple[Array | None, ...] = ()
