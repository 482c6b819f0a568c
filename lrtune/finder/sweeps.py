"""One optimizer's share of the learning-rate finder: a sweep, short runs where it leads, and training in full.

The sweep (`lrtune.training.range_test.ramp` or ``ladder``) says where the loss falls and where it breaks away, and
whether there is an answer at all. *Short runs*, trained from scratch with rates that fall to zero, then say which rate
is best: a rising rate or a constant one shows where training breaks rather than where it ends well. Around that rate
the planned training has the last word (`lrtune.finder.in_full`), unless the finder is to be quick.
"""

from __future__ import annotations

import math
from typing import NamedTuple, cast

import numpy as np

from lrtune.arrays import INTERVAL, Doubles, stream
from lrtune.finder.curves import RateCurve, ShortRuns
from lrtune.finder.in_full import planned_runs
from lrtune.finder.planned import PlannedRuns
from lrtune.finder.rules import (
    AT_START,
    FALLING,
    FLAT,
    OK,
    SURE,
    Marks,
    Suggestion,
    best_of_short_runs,
    bootstrap,
    carried_over,
    marks,
    middle,
    search_range,
    smoothed,
    status,
    until_divergence,
)
from lrtune.space.trial import Configuration
from lrtune.trainers.contract import Setting
from lrtune.training.batches import effective_batch_size, steps_per_epoch
from lrtune.training.range_test import SweepCurves, geometric, ladder, ramp, repeated, short_runs, thinned
from lrtune.training.registry import OPTIMIZERS, Complete
from lrtune.training.schedules import multipliers

RAMP, LADDER = "ramp", "ladder"
HIGH = 10.0


class Method(NamedTuple):
    """How a sweep is planned.

    Parameters
    ----------
    share, least, most
        Its updates: a share of the planned training, within limits.
    repetitions
        Runs for each fold.
    rows
        Of a fold's validation rows no more are looked at.
    low
        Where a range begins that the user leaves to us.

    """

    share: float
    least: int
    most: int
    repetitions: int
    rows: int
    low: float


METHODS = {RAMP: Method(0.1, 30, 1000, 1, 150, 1e-5), LADDER: Method(0.05, 20, 500, 1, 512, 1e-4)}
PER_DECADE = 3
"""Rates of a ladder."""

SHORT = Method(0.05, 10, 2000, 2, 1000, 0.0)
FIRST_LOOK = SHORT._replace(repetitions=1)
"""Short runs that trainings in full follow."""

SHORT_RATES, SHORT_PER_DECADE, FURTHER_RATES = 5, 2.7, 2
"""How many rates short runs have, how dense they are, and how many are added where their best one is at an end."""

BELOW_EDGE = 10.0
"""Short runs lie around a tenth of the rate at which a ramp breaks away; around the minimum of a ladder."""

FURTHER = {FALLING: (1.0, 100.0), AT_START: (1e-3, 1.0)}
"""By how much the ends of the range of a sweep move when the answer lies outside."""

ATTEMPTS = 3


class Sweep(NamedTuple):
    """How to sweep; None leaves a choice to us.

    ``short_updates`` are those of the short runs; ``is_quick`` leaves out the trainings in full.
    """

    method: str
    updates: int | None = None
    repetitions: int | None = None
    low: float | None = None
    high: float | None = None
    short_updates: int | None = None
    is_quick: bool = False

    def ends(self) -> tuple[float, float]:
        """Choose the ends of the range."""
        usual = METHODS[self.method].low
        low = self.low or (usual if self.high is None else min(usual, self.high * 1e-3))
        return low, self.high or max(HIGH, low * 1e3)


class _Seen(NamedTuple):
    """The curves of a sweep, with their repetitions apart: ``(R, K, n)``, ``(R, K)``, ``(K,)``."""

    rates: Doubles
    losses: Doubles
    start: Doubles
    constant: Doubles

    @property
    def status(self) -> str:
        return status(self.rates, self.losses, self.start)

    @property
    def marks(self) -> Marks:
        smooth = smoothed(self.rates, until_divergence(middle(self.losses)))
        return marks(self.rates, smooth, float(np.median(self.start)))


def horizon(configuration: Configuration, setting: Setting) -> int:
    """Count the updates of a whole training run on the smallest fold."""
    return _steps(configuration, setting) * cast("int", configuration["epochs"])


def _steps(configuration: Configuration, setting: Setting) -> int:
    rows = min(len(fold.features) for fold in setting.folds)
    return steps_per_epoch(effective_batch_size(cast("int", configuration["batch_size"]), rows), rows)


def mean_multiplier(configuration: Configuration, setting: Setting) -> float:
    """Compute the mean of the rates of a whole training run, over their peak."""
    epochs = cast("int", configuration["epochs"])
    return float(multipliers(configuration, _steps(configuration, setting), epochs).mean())


def rate_curve(configuration: Complete, setting: Setting, sweep: Sweep) -> RateCurve:
    """Sweep one optimizer, again over a longer range as long as the answer lies outside, and try rates where it leads.

    First in short runs, then in full unless the sweep is a quick one. Where a sweep sees nothing that falls, the
    planned training at rates that are usual has the last word.
    """
    seen, updates = _swept(configuration, setting, sweep)
    short = _tried(configuration, setting, sweep, seen) if seen.status == OK else None
    planned: PlannedRuns | None = None
    if sweep.is_quick:
        is_gain = short is not None and short.is_gain(seen.constant)
        answer = _answer(configuration, setting, sweep.method, seen, short) if short and is_gain else None
    else:
        centre = _centre(configuration, setting, sweep, short)
        if centre is not None:
            whole = horizon(configuration, setting)
            planned = planned_runs(
                configuration,
                setting,
                centre,
                seen.constant,
                updates=whole,
                ends=(sweep.low or 0.0, sweep.high or math.inf),
                spent=_spent(sweep.method, seen, updates, short) / whole,
            )
        answer = _answer_in_full(sweep.method, seen, planned) if planned and planned.is_gain(SURE) else None
    if answer is None:
        answer = Suggestion(FLAT if seen.status == OK else seen.status)
    names = str(configuration["optimizer"]), str(configuration["decay"])
    return RateCurve(*names, *seen, updates, short, planned, answer)


def _spent(method: str, seen: _Seen, updates: int, short: ShortRuns | None) -> float:
    """Count the updates of a sweep and of short runs, for each fold."""
    repetitions, folds = seen.start.shape
    swept = float(updates * repetitions * (1 if method == RAMP else len(seen.rates)))
    return swept + (short.updates * int(short.losses.size) / int(folds) if short is not None else 0.0)


def _centre(configuration: Complete, setting: Setting, sweep: Sweep, short: ShortRuns | None) -> float | None:
    """Choose the rate around which the planned training is done; None where somebody's range leads nowhere."""
    if short is not None:
        share = short.updates / horizon(configuration, setting)
        factor = carried_over(share, mean_multiplier(configuration, setting))
        return factor * float(best_of_short_runs(short.rates, short.losses, short.start))
    if sweep.low or sweep.high:
        return None
    return float(str(OPTIMIZERS[str(configuration["optimizer"])].rate.default))


def _answer_in_full(method: str, seen: _Seen, planned: PlannedRuns) -> Suggestion:
    """Take what the planned training says; what a sweep has shown beside it is kept."""
    recommended, interval = planned.answer
    mark = seen.marks if seen.status == OK else Marks(math.nan, math.nan, None)
    edge = mark.edge if mark.edge is not None and mark.edge > recommended else None  # else training went well beyond it
    return Suggestion(
        OK,
        recommended,
        interval,
        _known(mark.minimum),
        _known(mark.valley) if method == RAMP else None,
        edge,
        search_range(recommended, edge),
        planned.rises_from,
    )


def _known(rate: float) -> float | None:
    return None if math.isnan(rate) else rate


def _swept(configuration: Configuration, setting: Setting, sweep: Sweep) -> tuple[_Seen, int]:
    """Sweep, and move the ends that are not given as long as the answer lies outside."""
    low, high = sweep.ends()
    updates = sweep.updates or _updates(METHODS[sweep.method], configuration, setting)
    per_decade = updates / math.log10(high / low) if sweep.method == RAMP else PER_DECADE
    for attempt in range(1, ATTEMPTS + 1):
        points = max(round(per_decade * math.log10(high / low)) + (sweep.method == LADDER), 2)
        seen = _sweep(configuration, setting, sweep, geometric(low, high, points), updates)
        down, up = FURTHER.get(seen.status, (1.0, 1.0))
        moved = (low if sweep.low else low * down, high if sweep.high else high * up)
        if moved == (low, high) or attempt == ATTEMPTS:
            break
        low, high = moved
    return seen, points if sweep.method == RAMP else updates


def _updates(method: Method, configuration: Configuration, setting: Setting) -> int:
    return min(max(method.least, round(method.share * horizon(configuration, setting))), method.most)


def _sweep(configuration: Configuration, setting: Setting, sweep: Sweep, rates: Doubles, updates: int) -> _Seen:
    method = METHODS[sweep.method]
    folds = repeated(thinned(setting.folds, setting.seed, method.rows), sweep.repetitions or method.repetitions)
    population, seed, dtype = ([configuration], folds, setting.problem, rates), setting.seed, setting.dtype
    if sweep.method == RAMP:
        return _apart(ramp(*population, seed=seed, dtype=dtype), setting)
    return _apart(ladder(*population, updates=updates, seed=seed, dtype=dtype), setting)


def _apart(curves: SweepCurves, setting: Setting) -> _Seen:
    folds = len(setting.folds)
    losses = curves.losses[0].reshape(-1, folds, curves.losses.shape[-1])
    return _Seen(curves.rates[0], losses, curves.start[0].reshape(-1, folds), curves.constant[:folds])


def _tried(configuration: Configuration, setting: Setting, sweep: Sweep, seen: _Seen) -> ShortRuns:
    """Try short runs where the sweep leads; more of them as long as the best one is at an end."""
    method = SHORT if sweep.is_quick else FIRST_LOOK
    updates = sweep.short_updates or _updates(method, configuration, setting)
    folds = repeated(thinned(setting.folds, setting.seed, method.rows), method.repetitions)

    def run(rates: Doubles) -> _Seen:
        curves = short_runs(
            [configuration], folds, setting.problem, rates, updates=updates, seed=setting.seed, dtype=setting.dtype
        )
        return _apart(curves, setting)

    steps = np.arange(SHORT_RATES) - SHORT_RATES // 2
    found = run(_around(seen, sweep.method) * 10.0 ** (steps / SHORT_PER_DECADE))
    for _ in range(ATTEMPTS - 1):
        short = ShortRuns(found.rates, found.losses, found.start, updates)
        lowest, last = int(np.argmin(short.mean)), len(short.rates) - 1
        if 0 < lowest < last:
            break
        beyond = 10.0 ** (np.arange(1, FURTHER_RATES + 1) / SHORT_PER_DECADE)
        found = (
            _joined(run(found.rates[0] / beyond[::-1]), found)
            if lowest == 0
            else _joined(found, run(found.rates[-1] * beyond))
        )
    return ShortRuns(found.rates, found.losses, found.start, updates)


def _around(seen: _Seen, method: str) -> float:
    """Read off a sweep where short runs should lie."""
    mark = seen.marks
    return mark.minimum if method == LADDER or mark.edge is None else mark.edge / BELOW_EDGE


def _joined(lower: _Seen, higher: _Seen) -> _Seen:
    return lower._replace(
        rates=np.concatenate([lower.rates, higher.rates]), losses=np.concatenate([lower.losses, higher.losses], axis=-1)
    )


def _answer(configuration: Configuration, setting: Setting, method: str, seen: _Seen, short: ShortRuns) -> Suggestion:
    """Carry the best rate of the short runs over to the planned training."""
    share = short.updates / horizon(configuration, setting)
    factor = carried_over(share, mean_multiplier(configuration, setting))
    given = short.rates, short.losses, short.start
    rng = stream(setting.seed, INTERVAL)
    recommended = factor * float(best_of_short_runs(*given))
    low, high = (factor * end for end in bootstrap(*given, rng))
    mark = seen.marks
    return Suggestion(
        OK,
        recommended,
        (min(low, recommended), max(high, recommended)),
        mark.minimum,
        mark.valley if method == RAMP else None,
        mark.edge,
        search_range(recommended, mark.edge),
    )
