"""The controlled pair: what decay is worth, with everything else equal.

The best trial of each decay type has a rate and an optimizer of its own, so that a difference between two of them is
not that of the decays. Here the winner is trained beside itself: once with its decay, once with a constant rate, which
may be its own, a half or a third of it, whichever is best on the folds of the search, because a decay's mean rate is
below its first one. Then both are trained on folds of a fresh split, with equal seeds, and that difference is reported
(`lrtune.verdict.controlled`). Of a winner with a constant rate the counterpart is a linear decay to zero, from its own
rate, twice or three times that.

Of rows in time there is one past only: both are trained on the last folds of the search then, and the seed is new.

None of this is a trial: nothing here can be chosen, and no score is corrected for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lrtune.arrays import CONTROL
from lrtune.engines.local import workers_worth
from lrtune.run.bodies import Body
from lrtune.run.journal import Event
from lrtune.run.study import CONTROLLED
from lrtune.space.trial import Configuration, Trial
from lrtune.text.errors import DataError
from lrtune.trainers.calibration import with_speed
from lrtune.trainers.catalogue import expected_seconds
from lrtune.trainers.population import Numbered, Setting
from lrtune.training.declarations import number
from lrtune.training.registry import Complete, complete
from lrtune.training.tasks import Outcome
from lrtune.tuning.blocks import scored
from lrtune.tuning.confirming import fresh_setting
from lrtune.tuning.session import Session
from lrtune.verdict.controlled import CONSTANT, LINEAR

SHARES = (1.0, 1 / 2, 1 / 3)
"""What a constant rate may be, of the winner's; for linear decay in place of a constant rate, the inverse."""

FRESH_FOLDS = 3
"""Folds of the fresh split that both are trained on."""


def counterparts(winner: Complete) -> list[Complete]:
    """List the winner with a constant rate, or if that is what it has, with linear decay to zero; one for each rate."""
    rate, is_constant = number(winner["learning_rate"]), winner["decay"] == CONSTANT
    kept = {key: value for key, value in winner.items() if not key.startswith("decay")}
    decay = LINEAR if is_constant else CONSTANT
    rates = [rate / share if is_constant else rate * share for share in SHARES]
    return [complete({**kept, "decay": decay, "learning_rate": each}) for each in rates]


def controlled_seconds(winner: Configuration, setting: Setting) -> float:
    """Estimate what the controlled pair takes on one core (seconds)."""
    folds = len(setting.folds)
    share = len(SHARES) + 2 * min(FRESH_FOLDS, folds) / folds
    return share * expected_seconds(winner, setting, lanes=len(SHARES) * folds)


def controlled(session: Session, winner: Trial, workers: int | None) -> Iterator[Event]:
    """Train the controlled pair of a winner, if there is time, and record it."""
    chosen = session.complete(winner)
    if not session.pace.allows(controlled_seconds(chosen, session.setting)):
        return
    try:
        fresh = fresh_setting(session.experiment, session.prepared, CONTROL, folds=FRESH_FOLDS)
    except DataError:  # by chance, the metric has a score on fewer than two of its folds
        return
    others = counterparts(chosen)
    tried = _outcomes(session, session.setting, others, workers)
    if None in tried:
        return
    scores = [_mean(each) for each in tried]  # where every rate diverged, that is what there is to tell of the first
    best = max(range(len(others)), key=lambda place: (scores[place] is not None, scores[place] or 0.0, -place))
    pair = _outcomes(session, fresh, [chosen, others[best]], workers)
    if None not in pair:
        yield from session.record(
            [Event(CONTROLLED, _body(winner.number, others, best, tried, pair, fresh=not session.prepared.is_in_order))]
        )


def _outcomes(
    session: Session, setting: Setting, configurations: Sequence[Complete], workers: int | None
) -> list[Outcome | None]:
    """Train some configurations on all folds of a setting; None for those that failed, or for want of time."""
    speeds = session.study.speeds
    numbered: list[Numbered] = [(place, with_speed(each, speeds)) for place, each in enumerate(configurations)]
    seconds = sum(expected_seconds(each, setting) for _, each in numbered)
    executor = session.engine(setting, workers or workers_worth(seconds))
    found: dict[int, Outcome | None] = {}
    try:
        for block in scored(numbered, setting, executor, None, session.pace):
            found.update({each.number: each.outcome for each in block})
    finally:
        executor.close()
    return [found.get(place) for place in range(len(configurations))]


def _mean(outcome: Outcome | None) -> float | None:
    known = [each for each in outcome.scores if each is not None] if outcome else []
    return sum(known) / len(known) if outcome and len(known) == len(outcome.scores) else None


def _body(
    winner: int,
    others: Sequence[Complete],
    best: int,
    tried: Sequence[Outcome | None],
    pair: Sequence[Outcome | None],
    *,
    fresh: bool,
) -> Body:
    return {
        "fresh": fresh,
        "trial": winner,
        "decay": others[best]["decay"],
        "rates": [each["learning_rate"] for each in others],
        "scores": [list(each.scores) for each in tried if each],
        "chosen": best,
        "pair": [list(each.scores) for each in pair if each],
    }
