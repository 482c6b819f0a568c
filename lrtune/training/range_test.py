"""The engine of the learning-rate finder: populations trained for a few updates, watched on validation rows.

Two tests, and one loop for both. The *ramp* trains each configuration once, with a rate that rises at every update. The
*ladder* trains it from scratch for each of many constant rates. The loss of a rate is the one on validation rows after
the update at that rate (at the end of a ladder's run), under the training loss and the class weights of the
configuration.

Letters as everywhere (``C`` configurations, ``K`` folds, ``M`` validation rows), and ``n`` rates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lrtune.training.batches import Batch, effective_batch_size, epoch_batches
from lrtune.training.costs import block_lanes
from lrtune.training.declarations import Configuration
from lrtune.training.evaluate import with_class_weights
from lrtune.training.losses import LOSSES
from lrtune.training.networks import Network, forward, split, with_ones, workspace
from lrtune.training.population import Plan, evaluated, plan, start
from lrtune.training.registry import complete
from lrtune.training.steps import Stepper
from lrtune.training.streams import VALIDATION, stream
from lrtune.training.tasks import Array, Doubles, Flags, Fold, Integers, Problem

MOST_VALIDATION_ROWS = 1000
"""Of a fold's validation rows no more are looked at; the same ones after every update."""

EXPLODED = 3.0
"""A lane has diverged when its loss is above its best by this many times what there was to gain."""

REPETITION = 2**20
"""Distance between the stream numbers of a fold's repetitions."""

_LOOKS = 10
"""How often the loss of a constant rate is looked at."""

_LAST = 3
"""How many of these looks, the last ones, are averaged: with a constant rate the loss jumps about."""


class Curves(NamedTuple):
    """Validation loss against rate.

    Parameters
    ----------
    rates
        ``(C, n)``, rising.
    losses
        ``(C, K, n)``; infinite where the lane has diverged, and in a ramp at all higher rates.
    start
        ``(C, K)``: loss before the first update.
    constant
        ``(K,)``: loss of the best prediction that does not look at the features: the shares of the classes, or the
        mean, of the training rows.

    """

    rates: Doubles
    losses: Doubles
    start: Doubles
    constant: Doubles


def geometric(low: float, high: float, points: int) -> Doubles:
    """Space ``points`` rates by a constant factor; the ends are exactly ``low`` and ``high``.

    >>> geometric(1e-3, 10.0, 5)
    array([1.e-03, 1.e-02, 1.e-01, 1.e+00, 1.e+01])
    """
    rates = np.exp(np.linspace(np.log(low), np.log(high), points))
    rates[0], rates[-1] = low, high
    return rates


def thinned(folds: Sequence[Fold], seed: int, most: int = MOST_VALIDATION_ROWS) -> list[Fold]:
    """Keep at most so many validation rows of each fold, drawn once."""
    return [_thinned(fold, seed, most) for fold in folds]


def _thinned(fold: Fold, seed: int, most: int) -> Fold:
    rows = len(fold.validation_targets)
    if rows <= most:
        return fold
    kept = np.sort(stream(seed, VALIDATION, fold.index).permutation(rows)[:most])
    return replace(
        fold,
        validation_features=fold.validation_features[kept],
        validation_targets=fold.validation_targets[kept],
    )


def repeated(folds: Sequence[Fold], times: int) -> list[Fold]:
    """Repeat folds with other initial parameters and mini-batches; the first repetition has the folds' own."""
    return [replace(fold, index=fold.index + number * REPETITION) for number in range(times) for fold in folds]


def ramp(
    configurations: Sequence[Configuration],
    folds: Sequence[Fold],
    problem: Problem,
    rates: Doubles,
    *,
    seed: int,
    dtype: str,
) -> Curves:
    """Train each configuration once, update ``i`` with ``rates[..., i]`` (L. N. Smith 2017, arXiv 1506.01186).

    Parameters
    ----------
    configurations
        ``C`` of one shape (`lrtune.training.evaluate.shape_key`); their own rates and decays are not used.
    folds, problem
        What to train on.
    rates
        ``(n,)``, or ``(C, n)``.
    seed
        Of initial parameters, order of rows, dropout.
    dtype
        ``"float32"`` or ``"float64"``.

    """
    table = np.broadcast_to(rates, (len(configurations), np.shape(rates)[-1]))
    looks = np.arange(table.shape[1])
    losses, begin, constant = _trace(configurations, folds, problem, table, looks, seed=seed, dtype=dtype)
    return Curves(table, losses, begin, constant)


def ladder(
    configurations: Sequence[Configuration],
    folds: Sequence[Fold],
    problem: Problem,
    rates: Doubles,
    *,
    updates: int,
    seed: int,
    dtype: str,
) -> Curves:
    """Train each configuration from scratch for each rate, which stays constant for all ``updates``.

    The other parameters are those of `ramp`. All lanes of a fold see the same mini-batches and start alike.
    """
    table = np.broadcast_to(rates, (len(configurations), np.shape(rates)[-1]))
    lanes = [(complete(each), rate) for each, row in zip(configurations, table, strict=True) for rate in row]
    looks = np.unique(np.arange(1, _LOOKS + 1) * updates // _LOOKS - 1)
    looks = looks[looks >= 0]
    at_once = max(1, block_lanes(lanes[0][0], folds, problem, dtype) // len(folds))
    found = [
        _trace(
            [each for each, _ in block],
            folds,
            problem,
            np.repeat([[rate] for _, rate in block], updates, axis=1),
            looks,
            seed=seed,
            dtype=dtype,
        )
        for block in (lanes[first : first + at_once] for first in range(0, len(lanes), at_once))
    ]
    losses = np.concatenate([each[0] for each in found])[..., -_LAST:].mean(axis=-1)
    by_rate = losses.reshape(*table.shape, len(folds)).swapaxes(1, 2)
    begin = np.concatenate([each[1] for each in found])[:: table.shape[1]]
    return Curves(table, by_rate, begin, found[0][2])


def _trace(
    configurations: Sequence[Configuration],
    folds: Sequence[Fold],
    problem: Problem,
    rates: Doubles,
    looks: Integers,
    *,
    seed: int,
    dtype: str,
) -> tuple[Doubles, Doubles, Doubles]:
    """Train with ``rates (C, T)`` and look at the losses after some updates: ``(C, K, looks)``, ``(C, K)``, ``(K,)``.

    From where a lane has diverged, its losses are infinite.
    """
    filled = [{**complete(each), "decay": "constant"} for each in configurations]
    weighted = [with_class_weights(fold, filled[0], problem) for fold in folds]
    size = max(effective_batch_size(int(filled[0]["batch_size"]), len(fold.features)) for fold in folds)  # type: ignore[arg-type]
    shared = plan(filled[0], weighted, problem, batch_size=size, seed=seed, dtype=dtype)
    population = start(filled, shared)
    watch = _Watch(shared.network, [weighted[place] for place in shared.places], len(filled), dtype)
    stepper = Stepper(
        population.configurations,
        population.parameters,
        population.states,
        network=shared.network,
        batch_size=size,
        seed=seed,
        folds=[each.index for each in shared.tables],
    )
    steps = rates[list(population.places)].T[..., None, None].astype(population.parameters.dtype)
    wanted = dict(zip(looks.tolist(), range(len(looks)), strict=True))
    losses = np.full((*population.parameters.shape[:2], len(looks)), np.inf)
    with np.errstate(all="ignore"):
        begin = watch.losses(evaluated(population))
        lives = _Lives(begin, watch.constant)
        for step, batch in enumerate(_batches(shared, stepper, len(steps))):
            stepper.step(batch, np.broadcast_to(steps[step], (*begin.shape, 1)))
            if step in wanted:
                losses[..., wanted[step]] = lives.judge(watch.losses(evaluated(population)))
                if not lives.alive.any():
                    break
    lanes = np.ix_(np.argsort(population.places), np.argsort(shared.places))
    return losses[lanes], begin[lanes], watch.constant[lanes[1][0]]


class _Lives:
    """Keeps account of which lanes have diverged.

    A loss is too high when it is above the lane's best by `EXPLODED` times what there was to gain: the larger of what
    the lane has gained so far and the loss of the best constant prediction. Nothing here minds the sign of a loss.
    """

    def __init__(self, begin: Doubles, constant: Doubles) -> None:
        self.alive: Flags = np.isfinite(begin)
        self._begin, self._best = begin, begin.copy()
        self._unit = np.abs(constant)

    def judge(self, losses: Doubles) -> Doubles:
        """Take new losses ``(C, K)`` into account; those of diverged lanes become infinite."""
        limit = self._best + EXPLODED * np.maximum(self._begin - self._best, self._unit)
        self.alive &= losses <= limit  # not a number is not
        self._best = np.where(self.alive, np.minimum(self._best, losses), self._best)
        return np.where(self.alive, losses, np.inf)


def _batches(plan: Plan, stepper: Stepper, updates: int) -> Iterator[Batch]:
    """Walk through so many mini-batches that all folds have; an epoch ends with the fold that has the fewest."""
    done, epoch = 0, 0
    while done < updates:
        stepper.start_epoch(epoch)
        for batch in epoch_batches(plan.tables, plan.seed, epoch, plan.batch_size):
            if len(batch.rows) < len(plan.tables) or done == updates:
                break
            yield batch
            done += 1
        epoch += 1


class _Watch:
    """The validation rows of all folds, stacked; folds with fewer rows are filled up with rows of weight 0."""

    def __init__(self, network: Network, folds: Sequence[Fold], lanes: int, dtype: str) -> None:
        rows = max(len(fold.validation_targets) for fold in folds)
        self._network, self._loss = network, LOSSES[network.loss]
        self._columns = np.zeros((len(folds), network.widths[0] + 1, rows), dtype)
        self._targets = np.zeros((len(folds), network.widths[-1], rows))
        self._weights = np.zeros((len(folds), rows))
        for place, fold in enumerate(folds):
            count = len(fold.validation_targets)
            self._columns[place, :, :count] = with_ones(fold.validation_features, np.dtype(dtype)).T
            self._targets[place, :, :count] = _targets(fold, network)
            self._weights[place, :count] = _weights(fold, network)
        self._space = workspace(network, (lanes, len(folds)), rows, np.dtype(dtype))
        guesses = np.array([_constant(fold, network) for fold in folds])[..., None]
        everywhere = np.broadcast_to(guesses, self._targets.shape)
        self.constant: Doubles = self._mean(self._loss.rows(everywhere, self._targets))

    def losses(self, parameters: Array) -> Doubles:
        """Compute the losses ``(C, K)`` of parameters ``(C, K, P)``."""
        outputs = forward(self._network, split(self._network, parameters), self._columns, self._space)
        return self._mean(self._loss.rows(outputs, self._targets))

    def _mean(self, rows: Doubles) -> Doubles:
        mean: Doubles = (np.where(self._weights > 0.0, rows, 0.0) * self._weights).sum(axis=-1)
        return mean


def _targets(fold: Fold, network: Network) -> Doubles:
    """Write validation targets ``(O, M)`` as the loss wants them."""
    if network.loss == "softmax":
        return np.eye(network.classes)[fold.validation_targets].T
    if network.loss == "logistic":
        return np.asarray(fold.validation_targets, np.float64)[None]
    values: Doubles = (np.asarray(fold.validation_targets, np.float64) - fold.shift) / fold.scale
    return values[None]


def _weights(fold: Fold, network: Network) -> Doubles:
    """Weigh validation rows like training rows of their class; the sum is one."""
    weights = np.ones(len(fold.validation_targets))
    if network.classes:
        weights = _class_means(fold, network.classes)[fold.validation_targets]
    total = weights.sum()
    return weights / total if total > 0.0 else np.full(len(weights), 1.0 / len(weights))


def _class_means(fold: Fold, classes: int) -> Doubles:
    rows = np.bincount(fold.targets, minlength=classes)
    totals = np.bincount(fold.targets, weights=fold.weights, minlength=classes)
    # A class without training rows weighs like the average row.
    return np.where(rows > 0, totals / np.maximum(rows, 1), np.mean(fold.weights))


def _constant(fold: Fold, network: Network) -> Doubles:
    """Find the best outputs ``(O,)`` that do not look at the features."""
    if network.loss == "squared":
        return np.zeros(1)
    totals = np.bincount(fold.targets, weights=fold.weights, minlength=network.classes)
    shares = totals + 0.5  # half a row more of each class, so that none is impossible
    logs = np.log(shares / shares.sum())
    outputs: Doubles = logs[1:] - logs[:1] if network.loss == "logistic" else logs
    return outputs
