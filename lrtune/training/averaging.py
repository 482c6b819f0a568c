"""The moving average of a lane's parameters: what is scored, watched and saved where a configuration asks for it.

Every update takes the average some way towards the point that it leads to::

    average += share * (x - average)        share = max(1 - 2 ^ (-1 / (ema * updates per epoch)), 10 / (t + 9))

``ema`` is the half-life in epochs, so that the same value suits any size of mini-batch, and ``t`` counts the updates
from 1. The second share is that of the polynomial-decay averaging of Shamir & Zhang (2013, arXiv 1212.1824, with an eta
of 9): the initial parameters, of which nothing has been learnt, have no weight, and until a training is some 14
half-lives long, its average looks back on about a tenth of it. TensorFlow's ``min(decay, (1 + t) / (10 + t))`` does
nearly the same. Without it, and the start corrected as in Adam, a half-life that is long for the horizon averages over
the whole descent: with linear decay, on four tables with two splits each, a half-life of 10 had 3 ± 2 % more loss on
the folds over 30 epochs and 9 ± 5 % over 8; with a constant rate there was no difference to be seen, nor with
half-lives that are short for the horizon.

What is averaged are the points that would be scored otherwise; for schedule-free optimizers these are averages already.
Training itself never looks at the average. It is kept as a sum and a weight (``lrtune.training.updates`` says why), in
arrays of the lanes that ask for it and of no others, and nothing mixes lanes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from lrtune.arrays import Array, Doubles
from lrtune.training.declarations import Configuration, number
from lrtune.training.registry import OPTIMIZERS, Optimizer
from lrtune.training.steps import groups
from lrtune.training.tasks import Flags
from lrtune.training.updates import State

_EARLY = 10.0
"""The share of the newest of ``t`` points is at least this over ``t - 1`` and this."""


class Average(NamedTuple):
    """Discounted sums of the ``E`` configurations that ask for them, in the order of the population.

    ``total (E, K, P)`` is the sum of points, ``weight (E, K, 1)`` that of ones, 1 over the share of the newest point.
    """

    total: Array
    weight: Doubles


class _Run(NamedTuple):
    """Neighbours of one optimizer that ask for an average: views of all that an update needs.

    ``largest (E, K, 1)`` is where the weight ends.
    """

    optimizer: Optimizer
    parameters: Array
    state: State
    total: Array
    weight: Doubles
    largest: Doubles


def asking(configurations: Sequence[Configuration]) -> Flags:
    """Tell which complete configurations ask for an average, ``(C,)``."""
    return np.array([is_averaged(each) for each in configurations], bool)


def is_averaged(configuration: Configuration) -> bool:
    """Tell whether a complete configuration asks for an average."""
    return number(configuration["ema"]) > 0.0


def largest_weight(half_life: float, steps: int) -> float:
    """Find the sum of the weights of very many points, the newest of which has 1; the half-life is in epochs.

    >>> largest_weight(0.5, 2)
    2.0
    """
    return 1.0 / -math.expm1(-math.log(2.0) / (half_life * steps))


def beginning(configurations: Sequence[Configuration], parameters: Array) -> Average | None:
    """Make the sums before the first update of ``parameters (C, K, P)``; None if nobody asks."""
    asks = asking(configurations)
    if not asks.any():
        return None
    lanes = (int(asks.sum()), *parameters.shape[1:])
    return Average(np.zeros(lanes, parameters.dtype), np.full((*lanes[:2], 1), 1.0 - 1.0 / _EARLY))


def taken(average: Average | None, asks: Flags, keep: Flags) -> Average | None:
    """Copy those of the configurations that ask ``(C,)`` for which ``keep (C,)`` is true."""
    if average is None or not (asks & keep).any():
        return None
    return Average._make(each[keep[asks]] for each in average)


def put(average: Average | None, asks: Flags, places: Flags, part: Average | None) -> None:
    """Write the sums of the configurations at ``places (C,)``, in place."""
    if average is not None and part is not None:
        for whole, piece in zip(average, part, strict=True):
            whole[places[asks]] = piece


def put_means(points: Array, average: Average | None, asks: Flags) -> None:
    """Write the averages into the points ``(C, K, P)`` of those that ask; before the first update there are none."""
    if average is None:
        return
    means = average.total / average.weight.astype(points.dtype)
    points[asks] = np.where(average.weight < 1.0, points[asks], means)


def freeze(average: Average | None, asks: Flags, dead: Flags) -> None:
    """Write off the lanes ``(C, K)`` that are dead."""
    if average is not None:
        average.total[dead[asks]] = np.nan


class Averager:
    """Advances the sums of a population in place.

    Parameters
    ----------
    average
        The sums; None if nobody asks.
    configurations, parameters, states
        As of `lrtune.training.steps.Stepper`, which changes them.
    steps
        Updates per epoch of each of the ``K`` folds.

    """

    def __init__(
        self,
        average: Average | None,
        configurations: Sequence[Configuration],
        parameters: Array,
        states: Sequence[State],
        steps: Sequence[int],
    ) -> None:
        self._runs = [] if average is None else list(_runs(average, configurations, parameters, states, steps))

    def advance(self, k: int) -> None:
        """Take the points after an update of the first ``k`` folds into account."""
        for run in self._runs:
            weight, total = run.weight[:, :k], run.total[:, :k]
            later = np.minimum(weight + 1.0 / _EARLY, run.largest[:, :k])
            keep = ((later - 1.0) / weight).astype(total.dtype)
            weight *= keep  # as it was rounded: both must forget alike
            weight += 1.0
            total *= keep
            total += run.optimizer.evaluated(run.parameters[:, :k], tuple(each[:, :k] for each in run.state))


def _runs(
    average: Average,
    configurations: Sequence[Configuration],
    parameters: Array,
    states: Sequence[State],
    steps: Sequence[int],
) -> Iterator[_Run]:
    asks, first = asking(configurations), 0
    for (name, lanes), state in zip(groups(configurations), states, strict=True):
        places = np.flatnonzero(asks[lanes])
        if not len(places):
            continue
        run = slice(places[0], places[-1] + 1)  # `company` brings those together that ask
        own = slice(first, first + len(places))
        half_lives = [number(each["ema"]) for each in configurations[lanes][run]]
        largest = np.array([[[largest_weight(each, count)] for count in steps] for each in half_lives])
        views = parameters[lanes][run], tuple(each[run] for each in state)
        yield _Run(OPTIMIZERS[name], *views, average.total[own], average.weight[own], largest)
        first = own.stop
