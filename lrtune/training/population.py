"""All lanes trained together: a population is a value, training turns one into another.

Configurations that share everything that shapes arrays or mini-batches (`shape_key`) can be one population; all else
rides along as arrays over ``C``. Inside, configurations are sorted so that the lanes of each optimizer are one slice of
every array, and folds by decreasing steps per epoch, so that the folds that still have a step to do are one too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from lrtune.arrays import INITIAL, Array, Doubles, Integers, stream
from lrtune.training import averaging, curves, feedback
from lrtune.training.averaging import Average, Averager
from lrtune.training.batches import BatchTable, epoch_batches, steps_per_epoch, table
from lrtune.training.declarations import Configuration
from lrtune.training.feedback import Feedback, Holdout, Scales, Watcher
from lrtune.training.networks import Network, initial_parameters, network
from lrtune.training.registry import OPTIMIZERS, complete
from lrtune.training.schedules import tabulate, tabulate_momentum, tabulate_shapes
from lrtune.training.steps import Stepper, company, factors, groups
from lrtune.training.tasks import Flags, Fold, Problem
from lrtune.training.updates import State
from lrtune.training.wall_clock import Clock, Stopwatch

_TABULATED = 2**20
"""About how many rates are tabulated at once."""


class Plan(NamedTuple):
    """What all lanes share.

    ``tables`` and ``steps`` (per epoch) come in order of decreasing steps; ``places`` are their positions in the list
    of folds that the plan was made from. ``holdouts`` are rows that decays with feedback watch, of each fold or none;
    ``scales`` are what multiplies the rates of each epoch, where that is known in advance. ``watched`` is what learning
    curves look at, if there are to be any.
    """

    network: Network
    tables: tuple[BatchTable, ...]
    steps: tuple[int, ...]
    places: tuple[int, ...]
    batch_size: int
    epochs: int
    seed: int
    holdouts: tuple[Holdout, ...] = ()
    scales: Scales = ()
    watched: curves.Watched | None = None


class Population(NamedTuple):
    """Lanes at the end of an epoch.

    Parameters
    ----------
    configurations
        ``C`` complete configurations; ``places`` are their positions in the list that the population was made from.
    parameters
        ``(C, K, P)``, the folds in the order of the plan.
    states
        State of each optimizer's slice of configurations.
    diverged
        ``(C, K)``: epoch, counted from 1, at whose end a lane was non-finite; 0 where it never was. The parameters of
        such a lane are NaN.
    epoch
        Number of epochs done.
    feedback
        What scales the rates, for a decay that watches a loss; else None.
    average
        The sums of moving averages; None if no configuration asks for one.
    losses
        ``(C, K, 2, points)``: training and validation losses after the watched epochs, NaN where there are none (yet);
        None if nothing is watched.

    """

    configurations: tuple[Configuration, ...]
    places: tuple[int, ...]
    parameters: Array
    states: tuple[State, ...]
    diverged: Integers
    epoch: int
    feedback: Feedback | None = None
    average: Average | None = None
    losses: Doubles | None = None


def plan(
    configuration: Configuration,
    folds: Sequence[Fold],
    problem: Problem,
    *,
    batch_size: int,
    seed: int,
    dtype: str,
    scales: Scales = (),
    with_curves: bool = False,
) -> Plan:
    """Prepare what lanes of this shape share.

    ``batch_size`` is the effective one. A decay with feedback watches a holdout, unless its ``scales`` are given.
    ``with_curves`` records the losses of learning curves.
    """
    steps = [steps_per_epoch(batch_size, len(fold.features)) for fold in folds]
    places = sorted(range(len(folds)), key=lambda place: -steps[place])
    tables = [table(folds[place], problem, np.dtype(dtype)) for place in places]
    holdouts: list[Holdout] = []
    if feedback.is_watched(configuration) and not scales:
        pairs = [feedback.hold_out(each, seed) for each in tables]
        tables, holdouts = [first for first, _ in pairs], [second for _, second in pairs]
    shape = network(configuration, problem, folds[0].features.shape[1])
    epochs = int(configuration["epochs"])  # type: ignore[arg-type]
    seen = [folds[place] for place in places]
    return Plan(
        shape,
        tuple(tables),
        tuple(steps[place] for place in places),
        tuple(places),
        batch_size,
        epochs,
        seed,
        tuple(holdouts),
        scales,
        curves.watched(tables, seen, shape, epochs, seed) if with_curves else None,
    )


def start(configurations: Sequence[Configuration], plan: Plan) -> Population:
    """Make the population before its first step; configurations may leave out keys that have defaults."""
    filled = [complete(each) for each in configurations]
    places = sorted(range(len(filled)), key=lambda place: company(filled[place]))
    members = tuple(filled[place] for place in places)
    initial = [initial_parameters(plan.network, stream(plan.seed, INITIAL, each.index)) for each in plan.tables]
    dtype = plan.tables[0].features.dtype
    parameters = np.repeat(np.array(initial, dtype)[None], len(members), axis=0)
    states = tuple(
        OPTIMIZERS[name].start(parameters[lanes], factors(members[lanes], dtype), plan.network.blocks)
        for name, lanes in groups(members)
    )
    lanes = parameters.shape[:2]
    scaled = feedback.beginning(lanes, plan.epochs, plan.scales) if plan.holdouts or plan.scales else None
    average = averaging.beginning(members, parameters)
    losses = None if plan.watched is None else curves.beginning(lanes, plan.watched.epochs)
    return Population(members, tuple(places), parameters, states, np.zeros(lanes, np.int64), 0, scaled, average, losses)


def take(population: Population, keep: Flags) -> Population:
    """Copy the configurations for which ``keep (C,)`` is true."""
    states = [
        tuple(each[keep[lanes]] for each in state)
        for (_, lanes), state in zip(groups(population.configurations), population.states, strict=True)
        if keep[lanes].any()
    ]
    chosen = np.flatnonzero(keep)
    return population._replace(
        configurations=tuple(population.configurations[place] for place in chosen),
        places=tuple(population.places[place] for place in chosen),
        parameters=population.parameters[keep],
        states=tuple(states),
        diverged=population.diverged[keep],
        feedback=feedback.taken(population.feedback, keep),
        average=averaging.taken(population.average, averaging.asking(population.configurations), keep),
        losses=None if population.losses is None else population.losses[keep],
    )


def train(
    population: Population,
    plan: Plan,
    until: int | None = None,
    should_stop: Callable[[], bool] | None = None,
    clock: Clock | None = None,
) -> Population:
    """Train to the end of epoch ``until`` (default: the horizon); what is given stays as it is.

    Configurations all of whose lanes have diverged cost nothing any more. ``should_stop`` is asked at the end of every
    epoch; after a yes, the result's ``epoch`` is less than ``until``, and training it further gives the same bits as if
    there had been no stop. ``clock`` is for one configuration trained in one go: where its decay follows the time in
    seconds, it is asked before every update.
    """
    until = plan.epochs if until is None else until
    stopped = False
    while population.epoch < until and not stopped:
        living = _living(population)
        if not living.any():
            return population._replace(epoch=until)
        for trained in _epochs(take(population, living), plan, until, clock):
            stopped = should_stop is not None and should_stop()
            if stopped or not _living(trained).all():
                break
        population = _merge(population, living, trained)
    return population


def evaluated(population: Population) -> Array:
    """Get the parameters ``(C, K, P)`` that are scored.

    Some optimizers keep them apart from those they train; of what a configuration has averaged it is the average.
    """
    members = zip(groups(population.configurations), population.states, strict=True)
    points = np.concatenate(
        [OPTIMIZERS[name].evaluated(population.parameters[lanes], state) for (name, lanes), state in members]
    )
    averaging.put_means(points, population.average, averaging.asking(population.configurations))
    return points


def _living(population: Population) -> Flags:
    living: Flags = (population.diverged == 0).any(axis=1)
    return living


def _epochs(population: Population, plan: Plan, until: int, clock: Clock | None) -> Iterator[Population]:
    """Train in place, epoch by epoch."""
    configurations, parameters = population.configurations, population.parameters
    folds = [each.index for each in plan.tables]
    stepper = Stepper(
        configurations,
        parameters,
        population.states,
        network=plan.network,
        batch_size=plan.batch_size,
        seed=plan.seed,
        folds=folds,
    )
    averager = Averager(population.average, configurations, parameters, population.states, plan.steps)
    watcher = Watcher(configurations, plan.network, plan.steps, plan.epochs, plan.holdouts)
    recorder = curves.Recorder(plan.watched, plan.network, len(configurations))
    stopwatch = Stopwatch(configurations, plan.steps, plan.epochs, clock)
    per_epoch = plan.steps[0] * parameters.shape[0] * parameters.shape[1]
    at_once = max(1, _TABULATED // per_epoch)
    for epoch in range(population.epoch, until):
        first = (epoch - population.epoch) % at_once
        if first == 0:
            stop = min(epoch + at_once, until)
            table = tabulate(configurations, plan.steps, plan.epochs, start=epoch, stop=stop)
            rates = table.astype(parameters.dtype, order="C")[..., None]
            cycled = tabulate_momentum(configurations, plan.steps, plan.epochs, start=epoch, stop=stop)
            other = tabulate_shapes(configurations, plan.steps, plan.epochs, start=epoch, stop=stop)
            shapes = {key: each.astype(parameters.dtype, order="C")[..., None] for key, each in other.items()}
            momenta = None if cycled is None else cycled.astype(parameters.dtype, order="C")[..., None]
        scale = feedback.scale(population.feedback, epoch, parameters.dtype)
        with np.errstate(all="ignore"):
            stepper.start_epoch(epoch)
            batches = epoch_batches(plan.tables, plan.seed, epoch, plan.batch_size)
            for step, batch in enumerate(batches):
                row = first * plan.steps[0] + step
                stopwatch.set_rates(rates[row], epoch, step)
                scaled = rates[row] if scale is None else rates[row] * scale
                now = {key: each[row] for key, each in shapes.items()}
                stepper.step(batch, scaled, None if momenta is None else momenta[row], now)
                averager.advance(len(batch.rows))
        _mark_diverged(population, epoch + 1)
        if population.feedback is not None and plan.holdouts:
            watcher.judge(population.feedback, evaluated(population), population.diverged == 0, epoch)
        if population.losses is not None and recorder.wants(epoch + 1):
            with np.errstate(all="ignore"):
                recorder.record(population.losses, evaluated(population), epoch + 1)
        yield population._replace(epoch=epoch + 1)


def _mark_diverged(population: Population, epoch: int) -> None:
    dead: Flags = np.logical_not(np.isfinite(population.parameters).all(axis=-1))
    population.diverged[dead & (population.diverged == 0)] = epoch
    population.parameters[dead] = np.nan
    averaging.freeze(population.average, averaging.asking(population.configurations), dead)


def _merge(population: Population, places: Flags, part: Population) -> Population:
    """Put back the configurations that were taken out."""
    merged = take(population, np.ones(len(places), bool))
    merged.parameters[places] = part.parameters
    merged.diverged[places] = part.diverged
    parts = iter(part.states)
    for (_, lanes), state in zip(groups(population.configurations), merged.states, strict=True):
        if places[lanes].any():
            for whole, piece in zip(state, next(parts), strict=True):
                whole[places[lanes]] = piece
    if merged.feedback is not None and part.feedback is not None:
        feedback.put(merged.feedback, places, part.feedback)
    averaging.put(merged.average, averaging.asking(population.configurations), places, part.average)
    if merged.losses is not None and part.losses is not None:
        merged.losses[places] = part.losses
    return merged._replace(epoch=part.epoch)
