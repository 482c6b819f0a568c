"""What the learning-rate finder looks at first with one optimizer: a sweep, and short runs where it leads.

The sweep (`lrtune.training.range_test.ramp` or ``ladder``) says where the loss falls and where it breaks away, and
whether there is an answer at all. *Short runs*, trained from scratch with rates that fall to zero, then say which rate
is best: a rising rate or a constant one shows where training breaks rather than where it ends well. What comes of them
stands in `lrtune.finder.answers`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lrtune.arrays import Doubles
from lrtune.finder.curves import ShortRuns
from lrtune.finder.effort import LaneEffort, afforded, horizon
from lrtune.finder.rules import AT_START, FALLING, Marks, marks, middle, smoothed, status, until_divergence
from lrtune.space.trial import Configuration
from lrtune.trainers.contract import Setting
from lrtune.training.range_test import SweepCurves, geometric, ladder, ramp, repeated, short_runs, thinned

RAMP, LADDER = "ramp", "ladder"
HIGH = 10.0


class Method(NamedTuple):
    """How runs are planned.

    Parameters
    ----------
    share, least, most
        Their updates: a share of the planned training, within limits.
    repetitions
        Runs for each fold.
    rows
        Of a fold's validation rows no more are looked at.
    low
        Where a range begins that the user leaves to us.
    of_purse
        Share of what a quick finder may spend that each sweep has.
    rates, further
        With how many short runs begin, and how many are added as long as the best one is at an end.

    """

    share: float
    least: int
    most: int
    repetitions: int
    rows: int
    low: float = 0.0
    of_purse: float = 1.0
    rates: int = 0
    further: int = 0


METHODS = {RAMP: Method(0.1, 30, 1000, 1, 150, 1e-5, 1 / 7), LADDER: Method(0.05, 20, 500, 1, 512, 1e-4, 1 / 4)}
PER_DECADE = 3
"""Rates of a ladder."""

FEWEST = 2
"""Rates of a sweep, and updates of each run of it."""

SHORT = Method(0.1, 10, 2000, 1, 1000, rates=3, further=1)
FIRST_LOOK = SHORT._replace(share=0.05, rates=5, further=2)
"""Short runs that trainings in full follow."""

SHORT_PER_DECADE, MOST_RATES = 2.7, 9
"""How dense the rates of short runs are, and up to how many are tried."""

BELOW_EDGE = 10.0
"""Short runs lie around a tenth of the rate at which a ramp breaks away; around the minimum of a ladder."""

FURTHER = {FALLING: (1.0, 100.0), AT_START: (1e-3, 1.0)}
"""By how much the ends of the range of a sweep move when the answer lies outside."""

ATTEMPTS = 3


class Sweep(NamedTuple):
    """How to sweep; None leaves a choice to us. ``is_quick`` leaves out the trainings in full."""

    method: str
    updates: int | None = None
    repetitions: int | None = None
    low: float | None = None
    high: float | None = None
    is_quick: bool = False

    def ends(self) -> tuple[float, float]:
        """Choose the ends of the range."""
        usual = METHODS[self.method].low
        low = self.low or (usual if self.high is None else min(usual, self.high * 1e-3))
        return low, self.high or max(HIGH, low * 1e3)

    @property
    def is_of_given_length(self) -> bool:
        """Whether somebody else chose what it costs."""
        return self.updates is not None or self.repetitions is not None


class SeenCurves(NamedTuple):
    """The curves of a sweep, with their repetitions apart: ``(R, K, n)``, ``(R, K)``, ``(K,)``."""

    rates: Doubles
    losses: Doubles
    start: Doubles
    constant: Doubles

    @property
    def status(self) -> str:
        """What can be said of them."""
        return status(self.rates, self.losses, self.start)

    @property
    def marks(self) -> Marks:
        """The rates that are read off."""
        smooth = smoothed(self.rates, until_divergence(middle(self.losses)))
        return marks(self.rates, smooth, float(np.median(self.start)))

    def centre(self, method: str) -> float:
        """Read off where short runs should lie."""
        mark = self.marks
        return mark.minimum if method == LADDER or mark.edge is None else mark.edge / BELOW_EDGE


class Swept(NamedTuple):
    """A sweep that was done: what was seen, updates of a run, and what all attempts have cost, in updates of lanes."""

    seen: SeenCurves
    updates: int
    spent: int


def swept(configuration: Configuration, setting: Setting, sweep: Sweep, purse: float) -> Swept:
    """Sweep, and move the ends that are not given as long as the answer lies outside.

    Each attempt has its share of the purse, unless its length is given.
    """
    low, high = sweep.ends()
    method, is_ramp, spent = METHODS[sweep.method], sweep.method == RAMP, 0
    purse = math.inf if sweep.is_of_given_length else method.of_purse * purse
    updates = sweep.updates or _updates(method, configuration, setting)
    repetitions = sweep.repetitions or method.repetitions
    per_decade = updates / math.log10(high / low) if is_ramp else PER_DECADE
    for attempt in range(1, ATTEMPTS + 1):
        points = max(round(per_decade * math.log10(high / low)) + (not is_ramp), FEWEST)
        if not is_ramp:  # fewer rates where not even two updates of each are paid
            points = int(max(min(points, purse / (FEWEST * repetitions)), FEWEST))
        runs = repetitions if is_ramp else repetitions * points
        effort = afforded(purse, LaneEffort(len(setting.folds), points if is_ramp else updates), runs, FEWEST)
        rates = geometric(low, high, effort.updates if is_ramp else points)
        seen = _sweep(configuration, setting, sweep, rates, effort)
        spent += effort.folds * effort.updates * runs
        down, up = FURTHER.get(seen.status, (1.0, 1.0))
        moved = (low if sweep.low else low * down, high if sweep.high else high * up)
        if moved == (low, high) or attempt == ATTEMPTS:
            break
        low, high = moved
    return Swept(seen, effort.updates, spent)


def _updates(method: Method, configuration: Configuration, setting: Setting) -> int:
    return min(max(method.least, round(method.share * horizon(configuration, setting))), method.most)


def _sweep(
    configuration: Configuration, setting: Setting, sweep: Sweep, rates: Doubles, effort: LaneEffort
) -> SeenCurves:
    method = METHODS[sweep.method]
    some = thinned(setting.folds[: effort.folds], setting.seed, method.rows)
    folds = repeated(some, sweep.repetitions or method.repetitions)
    population, seed, dtype = ([configuration], folds, setting.problem, rates), setting.seed, setting.dtype
    if sweep.method == RAMP:
        return _apart(ramp(*population, seed=seed, dtype=dtype), effort.folds)
    return _apart(ladder(*population, updates=effort.updates, seed=seed, dtype=dtype), effort.folds)


def _apart(curves: SweepCurves, folds: int) -> SeenCurves:
    losses = curves.losses[0].reshape(-1, folds, curves.losses.shape[-1])
    return SeenCurves(curves.rates[0], losses, curves.start[0].reshape(-1, folds), curves.constant[:folds])


def tried(
    configuration: Configuration, setting: Setting, centre: float, purse: float, *, is_quick: bool
) -> ShortRuns | None:
    """Try short runs around a rate; more of them as long as the best one is at an end.

    None where the purse does not pay for an update of each.
    """
    method = SHORT if is_quick else FIRST_LOOK
    wish = LaneEffort(len(setting.folds), _updates(method, configuration, setting))
    effort = afforded(purse, wish, method.rates * method.repetitions, 0)
    if not effort.updates:
        return None
    folds = repeated(thinned(setting.folds[: effort.folds], setting.seed, method.rows), method.repetitions)

    def run(rates: Doubles) -> SeenCurves:
        return _apart(
            short_runs(
                [configuration],
                folds,
                setting.problem,
                rates,
                updates=effort.updates,
                seed=setting.seed,
                dtype=setting.dtype,
            ),
            effort.folds,
        )

    steps = np.arange(method.rates) - method.rates // 2
    found = run(centre * 10.0 ** (steps / SHORT_PER_DECADE))
    short = ShortRuns(*found, effort.updates)
    while not short.is_inside:
        paid = (purse - short.spent) / (len(folds) * effort.updates)
        further = int(min(method.further, MOST_RATES - len(short.rates), paid))
        if not further:
            break
        beyond = 10.0 ** (np.arange(1, further + 1) / SHORT_PER_DECADE)
        found = (
            _joined(run(found.rates[0] / beyond[::-1]), found)
            if short.lowest == 0
            else _joined(found, run(found.rates[-1] * beyond))
        )
        short = ShortRuns(*found, effort.updates)
    return short


def _joined(lower: SeenCurves, higher: SeenCurves) -> SeenCurves:
    return lower._replace(
        rates=np.concatenate([lower.rates, higher.rates]), losses=np.concatenate([lower.losses, higher.losses], axis=-1)
    )
