"""One optimizer's share of the learning-rate finder: from a sweep and short runs to an answer.

Around the rate that short runs suggest the planned training has the last word (`lrtune.finder.in_full`), unless the
finder is to be quick: then their best rate is carried over to the planned training, and all of it together costs no
more than `lrtune.finder.effort` allows.
"""

from __future__ import annotations

import math

from lrtune.arrays import INTERVAL, stream
from lrtune.finder.curves import RateCurve, ShortRuns
from lrtune.finder.effort import horizon, mean_multiplier, purse
from lrtune.finder.in_full import planned_runs
from lrtune.finder.planned import PlannedRuns
from lrtune.finder.rules import (
    FLAT,
    OK,
    SURE,
    UNCLEAR,
    Marks,
    Suggestion,
    best_of_short_runs,
    bootstrap,
    carried_interval,
    carried_over,
    search_range,
)
from lrtune.finder.sweeps import RAMP, SeenCurves, Sweep, swept, tried
from lrtune.space.trial import Configuration
from lrtune.trainers.contract import Setting
from lrtune.training.registry import OPTIMIZERS, Complete


def rate_curve(configuration: Complete, setting: Setting, sweep: Sweep) -> RateCurve:
    """Sweep one optimizer, again over a longer range as long as the answer lies outside, and try rates where it leads.

    First in short runs, then in full unless the sweep is a quick one. Where a sweep sees nothing that falls, rates that
    are usual are tried: in full, or by a quick one in short runs.
    """
    allowed = purse(configuration, setting, is_quick=sweep.is_quick)
    seen, updates, spent = swept(configuration, setting, sweep, allowed)
    left = allowed if sweep.is_of_given_length else allowed - spent
    leads = seen.centre(sweep.method) if seen.status == OK else _usual(configuration, sweep)
    short: ShortRuns | None = None
    planned: PlannedRuns | None = None
    answer: Suggestion | None = None
    if leads is not None and (sweep.is_quick or seen.status == OK):
        short = tried(configuration, setting, leads, left, is_quick=sweep.is_quick)
        spent += short.spent if short is not None else 0
    if sweep.is_quick:
        if short is not None and short.is_gain:
            answer = _answer(configuration, setting, sweep.method, seen, short)
    elif leads is not None:
        whole = horizon(configuration, setting)
        planned = planned_runs(
            configuration,
            setting,
            leads if short is None else _carried(configuration, setting, short),
            seen.constant,
            updates=whole,
            ends=(sweep.low or 0.0, sweep.high or math.inf),
            spent=spent / (whole * len(setting.folds)),
        )
        answer = _answer_in_full(sweep.method, seen, planned) if planned.is_gain(SURE) else None
    if answer is None:
        nothing = UNCLEAR if sweep.is_quick else FLAT
        answer = Suggestion(nothing if seen.status == OK else seen.status)
    names = str(configuration["optimizer"]), str(configuration["decay"])
    return RateCurve(*names, *seen, updates, short, planned, answer, spent)


def _usual(configuration: Complete, sweep: Sweep) -> float | None:
    """Give the optimizer's default rate; None where somebody's range leads nowhere."""
    if sweep.low or sweep.high:
        return None
    return float(str(OPTIMIZERS[str(configuration["optimizer"])].rate.default))


def _factor(configuration: Configuration, setting: Setting, short: ShortRuns) -> float:
    share = short.updates / horizon(configuration, setting)
    return carried_over(share, mean_multiplier(configuration, setting))


def _carried(configuration: Configuration, setting: Setting, short: ShortRuns) -> float:
    """Carry the best rate of short runs over to the planned training."""
    best = float(best_of_short_runs(short.rates, short.losses, short.start))
    return _factor(configuration, setting, short) * best


def _answer_in_full(method: str, seen: SeenCurves, planned: PlannedRuns) -> Suggestion:
    """Take what the planned training says; what a sweep has shown beside it is kept."""
    recommended, interval = planned.answer
    return _with_marks(method, seen, recommended, interval, planned.rises_from)


def _answer(
    configuration: Configuration, setting: Setting, method: str, seen: SeenCurves, short: ShortRuns
) -> Suggestion:
    """Take what short runs say, carried over."""
    recommended, factor = _carried(configuration, setting, short), _factor(configuration, setting, short)
    rng = stream(setting.seed, INTERVAL)
    low, high = (factor * end for end in bootstrap(short.rates, short.losses, short.start, rng))
    return _with_marks(method, seen, recommended, carried_interval(recommended, (low, high)))


def _with_marks(
    method: str, seen: SeenCurves, recommended: float, interval: tuple[float, float], rises_from: int | None = None
) -> Suggestion:
    """Put beside an answer what the sweep has shown."""
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
        rises_from,
    )


def _known(rate: float) -> float | None:
    return None if math.isnan(rate) else rate
