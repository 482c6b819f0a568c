"""Is warm-up needed? The winner beside itself with warm-up or without it, and how steep a rate each of them bears.

Warm-up is said to allow higher rates. So there are two comparisons, both on request (``search.warmup_control``). The
*pair*, as for decay (`lrtune.tuning.controlled`): the winner, and all of it but its warm-up, at its own rate or another
one, whichever is best on the folds of the search; then both on folds of a fresh split, with equal seeds. And *steeper
rates*: both are trained on the folds of the search at the winner's rate, twice, four times it and so on, until it is
known where training breaks.

Of a winner without warm-up the counterpart has one of a tenth of the horizon. None of this is a trial.
"""

from __future__ import annotations

from collections.abc import Iterator

from lrtune.run.bodies import WarmupPair
from lrtune.run.journal import Event
from lrtune.run.study import WARMED
from lrtune.space.trial import Configuration, Trial
from lrtune.trainers.catalogue import expected_seconds
from lrtune.trainers.contract import Setting
from lrtune.training.declarations import number
from lrtune.training.registry import Complete, complete_schedule
from lrtune.tuning.controlled import FRESH_FOLDS, SHARES, paired, scores_of
from lrtune.tuning.session import Session

USUAL = 0.1
"""Share of the horizon that the counterpart of a winner without warm-up warms up for."""

STEEPER = tuple(2.0**each for each in range(7))
"""Rates at which both are trained, over that of the winner."""


def without_or_with(winner: Complete) -> list[Complete]:
    """List the winner without its warm-up, or if it has none, with one; one for each rate.

    Without it the best rate may be lower, with it higher.
    """
    rate, has_it = number(winner["learning_rate"]), number(winner["warmup"]) > 0.0
    rates = [rate * share if has_it else rate / share for share in SHARES]
    return [complete_schedule({**winner, "warmup": 0.0 if has_it else USUAL, "learning_rate": each}) for each in rates]


def warmup_seconds(winner: Configuration, setting: Setting) -> float:
    """Estimate what both comparisons take on one core (seconds)."""
    folds = len(setting.folds)
    if "decay" not in winner:
        return 0.0
    share = len(SHARES) + 2 * min(FRESH_FOLDS, folds) / folds + 2 * len(STEEPER)
    return share * expected_seconds(winner, setting, lanes=len(STEEPER) * folds)


def warmed(session: Session, winner: Trial, workers: int | None) -> Iterator[Event]:
    """Train a winner that has a rate with and without warm-up, if there is time, and record it."""
    chosen = session.complete(winner)
    if "decay" not in chosen or not session.pace.allows(warmup_seconds(chosen, session.setting)):
        return
    others = without_or_with(chosen)
    pair = paired(session, chosen, others, workers, called="warmup")
    if pair is None:
        return
    rates = tuple(number(chosen["learning_rate"]) * each for each in STEEPER)
    both = [complete_schedule({**one, "learning_rate": each}) for one in (chosen, others[0]) for each in rates]
    found = scores_of(session, session.setting, both, workers, called="warmup-steeper") or ()
    halves = (found[: len(rates)], found[len(rates) :]) if found else ()
    told = WarmupPair(number(others[0]["warmup"]), pair, rates if found else (), halves)
    yield from session.record([Event(WARMED, told.body(winner.number))])
