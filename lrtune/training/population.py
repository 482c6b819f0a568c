"""All lanes trained together: a population is a value, training turns one into another.

Configurations that share everything that shapes arrays or mini-batches (`shape_key`) can be one population; all else
rides along as arrays over ``C``. Inside, configurations are sorted so that the lanes of each optimizer are one slice of
every array, and folds by decreasing steps per epoch, so that the folds that still have a step to do are one too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from lrtune.training.batches import Table, epoch_batches, steps_per_epoch, table
from lrtune.training.declarations import Configuration
from lrtune.training.networks import Network, initial_parameters, network
from lrtune.training.optimizers import OPTIMIZERS, State
from lrtune.training.registry import complete
from lrtune.training.schedules import tabulate, tabulate_momentum
from lrtune.training.steps import Stepper, company, factors, groups
from lrtune.training.streams import INITIAL, stream
from lrtune.training.tasks import Array, Flags, Fold, Integers, Problem

_TABULATED = 2**20
"""About how many rates are tabulated at once."""


class Plan(NamedTuple):
    """What all lanes share.

    ``tables`` and ``steps`` (per epoch) come in order of decreasing steps; ``places`` are their positions in the list
    of folds that the plan was made from.
    """

    network: Network
    tables: tuple[Table, ...]
    steps: tuple[int, ...]
    places: tuple[int, ...]
    batch_size: int
    epochs: int
    seed: int


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

    """

    configurations: tuple[Configuration, ...]
    places: tuple[int, ...]
    parameters: Array
    states: tuple[State, ...]
    diverged: Integers
    epoch: int


def plan(
    configuration: Configuration, folds: Sequence[Fold], problem: Problem, *, batch_size: int, seed: int, dtype: str
) -> Plan:
    """Prepare what lanes of this shape share; ``batch_size`` is the effective one."""
    steps = [steps_per_epoch(batch_size, len(fold.features)) for fold in folds]
    places = sorted(range(len(folds)), key=lambda place: -steps[place])
    kind = np.dtype(dtype)
    return Plan(
        network(configuration, problem, folds[0].features.shape[1]),
        tuple(table(folds[place], problem, kind) for place in places),
        tuple(steps[place] for place in places),
        tuple(places),
        batch_size,
        int(configuration["epochs"]),  # type: ignore[arg-type]
        seed,
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
        OPTIMIZERS[name].init(parameters[lanes], factors(members[lanes], dtype), plan.network.shapes)
        for name, lanes in groups(members)
    )
    diverged = np.zeros(parameters.shape[:2], np.int64)
    return Population(members, tuple(places), parameters, states, diverged, 0)


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
    )


def train(
    population: Population, plan: Plan, until: int | None = None, should_stop: Callable[[], bool] | None = None
) -> Population:
    """Train to the end of epoch ``until`` (default: the horizon); what is given stays as it is.

    Configurations all of whose lanes have diverged cost nothing any more. ``should_stop`` is asked at the end of every
    epoch; after a yes, the result's ``epoch`` is less than ``until``, and training it further gives the same bits as if
    there had been no stop.
    """
    until = plan.epochs if until is None else until
    stopped = False
    while population.epoch < until and not stopped:
        living = _living(population)
        if not living.any():
            return population._replace(epoch=until)
        for trained in _epochs(take(population, living), plan, until):
            stopped = should_stop is not None and should_stop()
            if stopped or not _living(trained).all():
                break
        population = _merge(population, living, trained)
    return population


def evaluated(population: Population) -> Array:
    """Get the parameters ``(C, K, P)`` that are scored, which some optimizers keep apart from those they train."""
    members = zip(groups(population.configurations), population.states, strict=True)
    return np.concatenate(
        [OPTIMIZERS[name].evaluated(population.parameters[lanes], state) for (name, lanes), state in members]
    )


def _living(population: Population) -> Flags:
    living: Flags = (population.diverged == 0).any(axis=1)
    return living


def _epochs(population: Population, plan: Plan, until: int) -> Iterator[Population]:
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
    per_epoch = plan.steps[0] * parameters.shape[0] * parameters.shape[1]
    at_once = max(1, _TABULATED // per_epoch)
    for epoch in range(population.epoch, until):
        first = (epoch - population.epoch) % at_once
        if first == 0:
            stop = min(epoch + at_once, until)
            table = tabulate(configurations, plan.steps, plan.epochs, start=epoch, stop=stop)
            rates = table.astype(parameters.dtype, order="C")[..., None]
            cycled = tabulate_momentum(configurations, plan.steps, plan.epochs, start=epoch, stop=stop)
            momenta = None if cycled is None else cycled.astype(parameters.dtype, order="C")[..., None]
        with np.errstate(all="ignore"):
            stepper.start_epoch(epoch)
            batches = epoch_batches(plan.tables, plan.seed, epoch, plan.batch_size)
            for row, batch in enumerate(batches, first * plan.steps[0]):
                stepper.step(batch, rates[row], None if momenta is None else momenta[row])
        _mark_diverged(population, epoch + 1)
        yield population._replace(epoch=epoch + 1)


def _mark_diverged(population: Population, epoch: int) -> None:
    dead = ~np.isfinite(population.parameters).all(axis=-1)
    population.diverged[dead & (population.diverged == 0)] = epoch
    population.parameters[dead] = np.nan


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
    return merged._replace(epoch=part.epoch)
