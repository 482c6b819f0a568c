"""The moving average of a lane's parameters: what is scored, watched and saved where a configuration asks for it.

After update ``t`` the average is the mean of the points after updates ``1 .. t``, in which a point weighs half as much
for every half-life that it is old::

    S = a * S + x        W = a * W + 1        average = S / W        a = 2 ^ (-1 / (ema * updates per epoch))

``ema`` is the half-life in epochs, so the same value suits any size of mini-batch. Dividing by ``W`` is the correction
for the start of Adam's averages (Kingma & Ba 2015, arXiv 1412.6980, section 3): the initial parameters, which nothing
has been learnt of, have no weight, and until about a half-life has passed the average is nearly the plain mean of
Polyak & Juditsky (1992). An average that starts from the initial parameters needs a warm-up of its decay, such as
``min(a, (1 + t) / (10 + t))``; for a half-life of an epoch or more that scores no better (``docs/optimizers.md``).

What is averaged are the points that would be scored otherwise; for schedule-free optimizers these are averages already.
Training itself never looks at the average. The sums are arrays of the lanes that ask for them and of no others, and
nothing mixes lanes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from lrtune.arrays import Array, Doubles
from lrtune.training.declarations import Configuration, number
from lrtune.training.registry import OPTIMIZERS, Optimizer
from lrtune.training.steps import groups
from lrtune.training.tasks import Flags
from lrtune.training.updates import State


class Average(NamedTuple):
    """Discounted sums of the ``E`` configurations that ask for them, in the order of the population.

    ``total (E, K, P)`` is the sum of points, ``weight (E, K, 1)`` that of ones.
    """

    total: Array
    weight: Doubles


class _Run(NamedTuple):
    """Neighbours of one optimizer that ask for an average: views of all that an update needs.

    ``keep (E, K, 1)`` is the share of the sums that an update keeps, rounded as the lanes are: both sums must forget
    alike.
    """

    optimizer: Optimizer
    parameters: Array
    state: State
    total: Array
    weight: Doubles
    keep: Array


def asking(configurations: Sequence[Configuration]) -> Flags:
    """Tell which complete configurations ask for an average, ``(C,)``."""
    return np.array([is_averaged(each) for each in configurations], bool)


def is_averaged(configuration: Configuration) -> bool:
    """Tell whether a complete configuration asks for an average."""
    return number(configuration["ema"]) > 0.0


def kept(half_life: float, steps: int) -> float:
    """Find the share of a sum that is kept at an update, from the half-life in epochs.

    >>> kept(2.0, 5) ** 10
    0.5
    """
    return float(2.0 ** (-1.0 / (half_life * steps)))


def beginning(configurations: Sequence[Configuration], parameters: Array) -> Average | None:
    """Make the sums before the first update of ``parameters (C, K, P)``; None if nobody asks."""
    asks = asking(configurations)
    if not asks.any():
        return None
    lanes = (int(asks.sum()), *parameters.shape[1:])
    return Average(np.zeros(lanes, parameters.dtype), np.zeros((*lanes[:2], 1)))


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
    weight = average.weight.astype(points.dtype)
    means = average.total / np.where(weight > 0.0, weight, 1.0)
    points[asks] = np.where(weight > 0.0, means, points[asks])


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
            share = run.keep[:, :k]
            weight, total = run.weight[:, :k], run.total[:, :k]
            weight *= share
            weight += 1.0
            total *= share
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
        keep = np.array([[[kept(each, count)] for count in steps] for each in half_lives], parameters.dtype)
        views = parameters[lanes][run], tuple(each[run] for each in state)
        yield _Run(OPTIMIZERS[name], *views, average.total[own], average.weight[own], keep)
        first = own.stop
