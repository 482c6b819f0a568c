"""The rate of every update of a fit: tabulated as for lrtune's own networks, whatever trains.

A decay that watches a loss is told it at the end of every epoch (``monitor`` in a report). One that follows the time
has the real clock, unless the configuration fixes the seconds of an update.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from lrtune.arrays import Array
from lrtune.training import feedback
from lrtune.training.declarations import Configuration, number
from lrtune.training.feedback import Scales
from lrtune.training.schedules import momentum_of, multipliers, tabulate_momentum
from lrtune.training.wall_clock import Stopwatch, follows_clock


class Rates:
    """The rates of one fit, by the number of updates that are over.

    Parameters
    ----------
    configuration
        A complete one, with a learning rate.
    epochs, steps
        The horizon; updates in an epoch.
    scales
        What the rates of each epoch are multiplied by, for a decay that watches a loss; empty: it watches one.
    clock
        Tells the seconds that a decay by training time follows.

    """

    def __init__(
        self,
        configuration: Configuration,
        epochs: int,
        steps: int,
        *,
        scales: Scales = (),
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.configuration, self.epochs, self.steps = configuration, epochs, steps
        self.total = epochs * steps
        self._table = multipliers(configuration, steps, epochs) * number(configuration["learning_rate"])
        self._momenta = tabulate_momentum([configuration], [steps], epochs)
        self._watched = feedback.is_watched(configuration)
        self._known = bool(scales)
        self._feedback = feedback.beginning((1, 1), epochs, scales)
        self._stopwatch = Stopwatch([configuration], [steps], epochs, clock if follows_clock(configuration) else None)
        self._asked: tuple[int, float] | None = None

    @property
    def watches(self) -> bool:
        """Whether a loss must be told at the end of every epoch."""
        return self._watched and not self._known

    @property
    def scales(self) -> Scales:
        """What the rates of each epoch were multiplied by; empty for a decay that watches nothing."""
        return tuple(self._feedback.scales[0, 0].tolist()) if self._watched else ()

    def at(self, update: int) -> float:
        """Give the rate of an update, counted from 0; after the last one it stays what it was."""
        place = min(update, self.total - 1)
        if self._asked is None or self._asked[0] != place:  # a real clock is asked once before every update
            epoch, step = divmod(place, self.steps)
            rate = np.full((1, 1, 1), self._table[place])
            self._stopwatch.set_rates(rate, epoch, step)
            self._asked = place, float(rate[0, 0, 0] * self._feedback.scales[0, 0, epoch])
        return self._asked[1]

    def momentum(self, update: int) -> float | None:
        """Give the momentum of an update, where the decay moves it; else None."""
        if self._momenta is None or momentum_of(self.configuration) is None:
            return None
        return float(self._momenta[min(update, self.total - 1), 0, 0])

    def watch(self, loss: float, epoch: int) -> None:
        """Learn from the loss of the rows that are watched, at the end of an epoch, counted from 0."""
        first = feedback.first_epochs([self.configuration], [self.steps], self.epochs)
        losses = np.array([[loss]])
        feedback.update(self._feedback, losses, epoch >= first, epoch, feedback.rules([self.configuration]))
        self._asked = None

    def all(self) -> Array:
        """List all rates, for a program that reads them from a file; a clock cannot be asked in advance."""
        rates: Array = self._table * np.repeat(self._feedback.scales[0, 0], self.steps)
        return rates
