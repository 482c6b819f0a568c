"""The engine of the learning-rate finder: populations trained for a few updates, watched on validation rows.

Three tests, and one loop for all. The *ramp* trains each configuration once, with a rate that rises at every update.
The *ladder* trains it from scratch for each of many constant rates; *short runs* likewise, with rates that fall to
zero. The loss of a rate is the one on validation rows after the update at that rate, or at the end of the run, under
the training loss and the class weights of the configuration.

Letters as everywhere (``C`` configurations, ``K`` folds, ``M`` validation rows), and ``n`` rates.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lrtune.arrays import VALIDATION, Doubles, Integers, stream
from lrtune.training.batches import Batch, effective_batch_size, epoch_batches
from lrtune.training.costs import block_lanes
from lrtune.training.declarations import Configuration
from lrtune.training.evaluate import seen_by
from lrtune.training.population import Plan, evaluated, plan, start
from lrtune.training.registry import complete
from lrtune.training.steps import Stepper
from lrtune.training.tasks import Flags, Fold, Problem
from lrtune.training.watch import Watch

MOST_VALIDATION_ROWS = 1000
"""Of a fold's validation rows no more are looked at; the same ones after every update."""

EXPLODED = 3.0
"""A lane has diverged when its loss is above its best by this many times what there was to gain."""

REPETITION = 2**20
"""Distance between the stream numbers of a fold's repetitions."""

MOST_LOOKS = 30
"""How often the loss of a ramp is looked at: after every update, or every second, third ... one of a longer ramp."""

_LAST_LOOKS = (0.8, 1.0)
"""When the loss of a constant rate is looked at, as shares of its run; the mean counts, because the loss jumps."""


class SweepCurves(NamedTuple):
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
    return fold.scored_on(kept)


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
) -> SweepCurves:
    """Train each configuration once, update ``i`` with ``rates[..., i]`` (L. N. Smith 2017, arXiv 1506.01186).

    What is returned are the rates after whose updates the loss was looked at: about `MOST_LOOKS`, both ends always.

    Parameters
    ----------
    configurations
        ``C`` of one shape (`lrtune.training.evaluate.shape_key`); their own rates, decays and averages are not
        used.
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
    updates = table.shape[1]
    looks = np.union1d([0], np.arange(updates - 1, -1, -math.ceil(updates / MOST_LOOKS)))
    losses, begin, constant = _trace(configurations, folds, problem, table, looks, seed=seed, dtype=dtype)
    return SweepCurves(table[:, looks], losses, begin, constant)


def ladder(
    configurations: Sequence[Configuration],
    folds: Sequence[Fold],
    problem: Problem,
    rates: Doubles,
    *,
    updates: int,
    seed: int,
    dtype: str,
) -> SweepCurves:
    """Train each configuration from scratch for each rate, which stays constant for all ``updates``.

    The other parameters are those of `ramp`. All lanes of a fold see the same mini-batches and start alike.
    """
    looks = np.unique([max(round(share * updates), 1) - 1 for share in _LAST_LOOKS])
    shape = np.ones(updates)
    return _from_scratch(configurations, folds, problem, rates, shape=shape, looks=looks, seed=seed, dtype=dtype)


def short_runs(
    configurations: Sequence[Configuration],
    folds: Sequence[Fold],
    problem: Problem,
    rates: Doubles,
    *,
    updates: int,
    seed: int,
    dtype: str,
) -> SweepCurves:
    """Train each configuration from scratch for each rate, which falls to zero along a line within ``updates``.

    The parameters are those of `ladder`. The last update has ``1 / updates`` of the rate.
    """
    looks, shape = np.array([updates - 1]), 1.0 - np.arange(updates) / updates
    return _from_scratch(configurations, folds, problem, rates, shape=shape, looks=looks, seed=seed, dtype=dtype)


def _from_scratch(
    configurations: Sequence[Configuration],
    folds: Sequence[Fold],
    problem: Problem,
    rates: Doubles,
    *,
    shape: Doubles,
    looks: Integers,
    seed: int,
    dtype: str,
) -> SweepCurves:
    """Train a lane for each rate, multiplied by ``shape (T,)``; losses are means over the looks."""
    table = np.broadcast_to(rates, (len(configurations), np.shape(rates)[-1]))
    lanes = [(complete(each), rate) for each, row in zip(configurations, table, strict=True) for rate in row]
    at_once = max(1, block_lanes(lanes[0][0], folds, problem, dtype) // len(folds))
    found = [
        _trace(
            [each for each, _ in block],
            folds,
            problem,
            np.array([[rate] for _, rate in block]) * shape,
            looks,
            seed=seed,
            dtype=dtype,
        )
        for block in (lanes[first : first + at_once] for first in range(0, len(lanes), at_once))
    ]
    losses = np.concatenate([each[0] for each in found]).mean(axis=-1)
    by_rate = losses.reshape(*table.shape, len(folds)).swapaxes(1, 2)
    begin = np.concatenate([each[1] for each in found])[:: table.shape[1]]
    return SweepCurves(table, by_rate, begin, found[0][2])


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
    filled = [{**complete(each), "decay": "constant", "ema": 0.0} for each in configurations]
    seen = [seen_by(filled[0], fold, problem) for fold in folds]
    size = max(effective_batch_size(int(filled[0]["batch_size"]), len(fold.features)) for fold in seen)  # type: ignore[arg-type]
    shared = plan(filled[0], seen, problem, batch_size=size, seed=seed, dtype=dtype)
    population = start(filled, shared)
    watch = Watch(shared.network, [seen[place] for place in shared.places], dtype)
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
        first = watch.losses(evaluated(population)[:1])  # all lanes of a fold start alike
        begin = np.repeat(first, len(filled), axis=0)
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
