"""Decay by training time: how seconds become the time of a decay.

A ``wall_clock`` decay runs its shape by seconds against a budget. The warm-up comes first, as with every decay: the
shape begins when the warm-up ends and has what is left of the budget; once that is spent, the rate stays where the
shape ended, and the remaining epochs are trained at it. If the warm-up takes the whole budget, nothing is left to decay
in, and the rate falls to the end of the shape at once.

There are two clocks. The *virtual* one counts ``step_seconds`` for each update, so the rates can be tabulated and are
the same bytes everywhere. The *real* one is a function that the caller hands over, asked before every update. With
neither, the budget is taken to last exactly as long as the horizon.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from lrtune.arrays import Array
from lrtune.training.declarations import Configuration, number
from lrtune.training.registry import DECAYS
from lrtune.training.schedules import decay_of, left_after, spent, warmup_steps

Clock: TypeAlias = Callable[[], float]
"""Tells seconds, from whatever beginning."""


def follows_clock(configuration: Configuration) -> bool:
    """Tell whether a complete configuration needs a clock: its decay follows the time, and no speed is fixed."""
    entry = DECAYS.get(str(configuration.get("decay")))  # what another trainer trains may have no rate
    return entry is not None and entry.follows == "clock" and configuration["decay.step_seconds"] is None


class _Lane(NamedTuple):
    """A lane that follows the real clock."""

    configuration: Configuration
    place: tuple[int, int]
    steps: int
    warm: int


class Stopwatch:
    """Replaces the tabulated rates of lanes that follow the real clock.

    Time runs from the first update that it sees; lanes with a speed of their own (``step_seconds``) are left alone.

    Parameters
    ----------
    configurations, steps, epochs
        ``C`` complete configurations, the steps per epoch of each of the ``K`` folds, the horizon.
    clock
        Asked once before every update; None: no lane follows it.

    """

    def __init__(
        self, configurations: Sequence[Configuration], steps: Sequence[int], epochs: int, clock: Clock | None
    ) -> None:
        self._clock, self._epochs = clock, epochs
        self._lanes = [] if clock is None else list(_followers(configurations, steps, epochs))
        self._start: float | None = None
        self._warmed: dict[tuple[int, int], float] = {}

    def set_rates(self, rates: Array, epoch: int, step: int) -> None:
        """Write the rates of update ``step`` of an epoch into ``(C, K, 1)``, as of now."""
        if not self._lanes:
            return
        assert self._clock is not None
        now = self._clock()
        self._start = now if self._start is None else self._start
        for lane in self._lanes:
            update = epoch * lane.steps + step
            if update >= lane.warm and step < lane.steps:
                rates[lane.place] = self._rate(lane, now - self._start)

    def _rate(self, lane: _Lane, elapsed: float) -> float:
        chosen = lane.configuration
        begun = self._warmed.setdefault(lane.place, elapsed)
        budget, peak = number(chosen["decay.budget"]), number(chosen["learning_rate"])
        horizon = left_after(lane.warm, lane.steps, self._epochs)
        time = horizon * spent(np.array(elapsed - begun), budget - begun)
        return peak * float(decay_of(chosen)(time, horizon))


def _followers(configurations: Sequence[Configuration], steps: Sequence[int], epochs: int) -> Iterator[_Lane]:
    for row, each in enumerate(configurations):
        if follows_clock(each):
            for column, count in enumerate(steps):
                warm = warmup_steps(number(each["warmup"]), count * epochs)
                yield _Lane(each, (row, column), count, warm)
