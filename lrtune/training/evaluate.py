"""Configurations in, fold scores and predictions out: what worker processes run."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from lrtune.arrays import Array, Doubles, Integers
from lrtune.training import feedback
from lrtune.training.batches import effective_batch_size
from lrtune.training.costs import block_lanes, cost_seconds, lane_bytes
from lrtune.training.curves import over_folds, recorded_epochs
from lrtune.training.declarations import Configuration
from lrtune.training.embeddings import stacks
from lrtune.training.encoded import Features, part_of
from lrtune.training.feedback import Scales
from lrtune.training.losses import LOSSES
from lrtune.training.networks import ROWS_AT_ONCE, Network, outputs, split
from lrtune.training.outcomes import Cell, cells_of, outcome_of
from lrtune.training.population import evaluated, plan, start, train
from lrtune.training.registry import complete
from lrtune.training.tasks import Fold, LaneCurves, Outcome, Problem
from lrtune.training.wall_clock import Clock

__all__ = [
    "Fold",
    "Outcome",
    "Problem",
    "StoppedError",
    "block_lanes",
    "cost_seconds",
    "evaluate",
    "fit",
    "lane_bytes",
    "predict_outputs",
    "shape_key",
]

LaneOutcome: TypeAlias = tuple[Cell, Scales]
"""A lane with what its rates were multiplied by."""

_SCORED_TOGETHER, _SCORED_NUMBERS = 2**20, 2**18
"""About how many outputs of lanes are scored together, and how many are computed at once."""

_LAYER_KEYS = ("hidden", "activation", "embedding")
"""Those of `_SHAPE_KEYS` that mean nothing to a linear model."""

_SHAPE_KEYS = ("model", *_LAYER_KEYS, "epochs", "batch_size", "class_weight", "numbers")


class StoppedError(Exception):
    """The caller's ``should_stop`` said yes before the end."""


def shape_key(configuration: Configuration) -> Hashable:
    """Get what configurations must have in common to be one population; those with equal keys can be."""
    filled = complete(configuration)
    keys = [key for key in _SHAPE_KEYS if filled["model"] == "mlp" or key not in _LAYER_KEYS]
    return (feedback.is_watched(filled), *((key, _hashable(filled[key])) for key in keys))


def evaluate(
    configurations: Sequence[Configuration],
    folds: Sequence[Fold],
    problem: Problem,
    metric: str,
    *,
    seed: int,
    dtype: str,
    should_stop: Callable[[], bool] | None = None,
) -> list[Outcome]:
    """Train configurations of one shape (`shape_key`) on all folds and score them on the validation rows.

    What a configuration gets depends on nothing but itself, the fold, the problem, the metric, the seed and the dtype.

    Parameters
    ----------
    configurations
        ``C`` of them; missing keys have their defaults.
    folds
        ``K`` of them.
    problem
        Loss, outputs and classes.
    metric
        A name in ``registry.METRICS``.
    seed
        Of initial parameters, order of rows, dropout.
    dtype
        ``"float32"`` or ``"float64"``.
    should_stop
        Asked at the end of every epoch.

    Raises
    ------
    StoppedError
        After a yes of ``should_stop``.

    """
    filled = [complete(each) for each in configurations]
    seen = [seen_by(filled[0], fold, problem) for fold in folds]
    lanes: list[dict[int, LaneOutcome]] = [{} for _ in filled]
    epochs = recorded_epochs(int(filled[0]["epochs"]))  # type: ignore[arg-type]
    losses = np.empty((len(filled), len(folds), 2, len(epochs)))
    for batch_size, places in _by_batch_size(filled[0], folds):
        part = [seen[place] for place in places]
        shared = plan(filled[0], part, problem, batch_size=batch_size, seed=seed, dtype=dtype, with_curves=True)
        population = train(start(filled, shared), shared, should_stop=should_stop)
        if population.epoch < shared.epochs:
            raise StoppedError
        assert population.losses is not None
        parameters = evaluated(population)
        for lane, place in enumerate(shared.places):
            column = _score_lanes(
                shared.network,
                parameters[:, lane],
                population.diverged[:, lane],
                part[place],
                metric=metric,
                epochs=shared.epochs,
            )
            losses[list(population.places), places[place]] = population.losses[:, lane]
            trajectories = feedback.trajectories(population.feedback, lane, len(filled))
            for number, cell, scales in zip(population.places, column, trajectories, strict=True):
                lanes[number][places[place]] = cell, scales
    return [_outcome(row, over_folds(epochs, each)) for row, each in zip(lanes, losses, strict=True)]


def _outcome(lanes: Mapping[int, LaneOutcome], curves: LaneCurves) -> Outcome:
    """Put together what became of one configuration on each fold, in the order of the folds."""
    folds, scales = zip(*(lanes[place] for place in sorted(lanes)), strict=True)
    return outcome_of(folds, scales, curves)


def fit(
    configuration: Configuration,
    fold: Fold,
    problem: Problem,
    *,
    seed: int,
    dtype: str,
    scales: Scales = (),
    clock: Clock | None = None,
) -> list[tuple[Array, Array]]:
    """Train one configuration on one fold's rows: the weights ``(D, H)`` and biases ``(H,)`` of each layer.

    Where numbers are embedded, two stacks come first: ``(n, 1, 16)`` and ``(n, 16)``, ``(n, 16, 3)`` and ``(n, 3)``.
    They are those of this fold's lane in `evaluate`, bit for bit; all NaN if the lane diverges.

    Parameters
    ----------
    configuration, fold, problem, seed, dtype
        As in `evaluate`.
    scales
        For a decay that watches a loss: what the rates of each epoch are multiplied by, one number for each. All rows
        are trained on then. Empty: it watches a tenth of the rows, as in `evaluate`.
    clock
        For a decay that follows the time and has no ``step_seconds``: tells seconds; asked before every update. None:
        the budget lasts as long as the horizon.

    """
    filled = complete(configuration)
    ((batch_size, _),) = _by_batch_size(filled, [fold])
    seen = seen_by(filled, fold, problem)
    shared = plan(filled, [seen], problem, batch_size=batch_size, seed=seed, dtype=dtype, scales=scales)
    blocks = split(shared.network, evaluated(train(start([filled], shared), shared, clock=clock))[0, 0])
    return [(each[..., :-1].swapaxes(-1, -2).copy(), each[..., -1].copy()) for each in blocks]


def predict_outputs(
    parameters: Sequence[tuple[Array, Array]],
    features: Features,
    *,
    activation: str,
    loss: str,
    embedded: tuple[int, ...] = (),
) -> Doubles:
    """Predict ``(N, classes)`` probabilities, or ``(N, 1)`` standardised values, from what `fit` returned.

    ``embedded`` are the places of the features that are embedded.
    """
    layers = parameters[len(stacks(len(embedded))) :]
    widths = (features.shape[1], *(len(biases) for _, biases in layers))
    blocks = [np.concatenate([w.swapaxes(-1, -2), b[..., None]], axis=-1)[None] for w, b in parameters]
    shape = Network(widths, activation, loss, 0, embedded)
    with np.errstate(all="ignore"):
        prediction = LOSSES[loss].prediction(outputs(shape, blocks, features))[0].T
    return np.hstack([1.0 - prediction, prediction]) if loss == "logistic" else prediction


def _score_lanes(
    network: Network, parameters: Array, diverged: Integers, fold: Fold, *, metric: str, epochs: int
) -> list[Cell]:
    """Score the parameters ``(C, P)`` of one fold; outputs beyond all numbers count as divergence at the end."""
    result = [Cell(diverged=int(each)) for each in diverged]
    living = np.flatnonzero(diverged == 0)
    each = max(1, len(fold.validation_targets) * network.widths[-1])
    at_once = max(1, _SCORED_TOGETHER // each)
    for first in range(0, len(living), at_once):
        places = living[first : first + at_once]
        pieces = _Pieces(network, parameters[places], fold)
        finished = cells_of(metric, pieces, fold, network.classes)
        for place, cell, is_finite in zip(places, finished, pieces.are_finite, strict=True):
            result[place] = cell if is_finite else Cell(diverged=epochs)
    return result


class _Pieces:
    """Predictions ``(C, O, m)`` for the validation rows of a fold, some at a time; whether a lane's are finite."""

    def __init__(self, network: Network, parameters: Array, fold: Fold) -> None:
        self._network, self._fold = network, fold
        self._blocks = split(network, parameters)
        self.are_finite = np.ones(len(parameters), dtype=bool)

    def __iter__(self) -> Iterator[Doubles]:
        features, network = self._fold.validation_features, self._network
        each = max(1, len(self.are_finite) * network.widths[-1] * ROWS_AT_ONCE)
        at_once = ROWS_AT_ONCE * max(1, _SCORED_NUMBERS // each)
        for first in range(0, len(features), at_once):
            with np.errstate(all="ignore"):
                found = outputs(network, self._blocks, part_of(features, slice(first, first + at_once)))
            is_finite = np.isfinite(found).all(axis=(1, 2))
            self.are_finite &= is_finite
            found[~is_finite] = 0.0  # nobody will hear of it
            prediction = LOSSES[network.loss].prediction(found)
            yield self._fold.in_units(prediction) if network.loss == "squared" else prediction


def _by_batch_size(configuration: Configuration, folds: Sequence[Fold]) -> Iterator[tuple[int, list[int]]]:
    """Group folds by effective batch size; only with mini-batches as large as a fold can there be more than one."""
    places: dict[int, list[int]] = {}
    for place, fold in enumerate(folds):
        size = effective_batch_size(int(configuration["batch_size"]), len(fold.features))  # type: ignore[arg-type]
        places.setdefault(size, []).append(place)
    yield from places.items()


def seen_by(configuration: Configuration, fold: Fold, problem: Problem) -> Fold:
    """Take a fold as a complete configuration sees it: with its encoding of numbers, and its weights of classes."""
    return _with_class_weights(fold.encoded_as(str(configuration["numbers"])), configuration, problem)


def _with_class_weights(fold: Fold, configuration: Configuration, problem: Problem) -> Fold:
    """Multiply the weights of the rows by ``N / (classes * rows of the class)`` where the configuration asks for it."""
    if configuration["class_weight"] != "balanced" or not problem.classes:
        return fold
    labels = fold.targets.astype(np.int64)
    rows = np.bincount(labels, weights=np.asarray(fold.weights, np.float64), minlength=problem.classes)
    present = np.maximum(rows, np.finfo(np.float64).tiny)
    return replace(fold, weights=fold.weights * (rows.sum() / (np.count_nonzero(rows) * present))[labels])


def _hashable(value: object) -> Hashable:
    return tuple(value) if isinstance(value, list | tuple) else value
