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
from lrtune.run.bodies import ControlledPair
from lrtune.run.journal import Event
from lrtune.run.study import CONTROLLED
from lrtune.space.trial import Configuration, Trial, mean_of
from lrtune.text.errors import DataError
from lrtune.trainers.catalogue import expected_seconds
from lrtune.trainers.contract import Setting
from lrtune.training.declarations import number
from lrtune.training.registry import Complete, complete_schedule
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
    kept = {key: value for key, value in winner.items() if key.partition(".")[0] != "decay"}
    decay = LINEAR if is_constant else CONSTANT
    rates = [rate / share if is_constant else rate * share for share in SHARES]
    return [complete_schedule({**kept, "decay": decay, "learning_rate": each}) for each in rates]


def controlled_seconds(winner: Configuration, setting: Setting) -> float:
    """Estimate what the controlled pair takes on one core (seconds)."""
    folds = len(setting.folds)
    if "decay" not in winner:
        return 0.0
    share = len(SHARES) + 2 * min(FRESH_FOLDS, folds) / folds
    return share * expected_seconds(winner, setting, lanes=len(SHARES) * folds)


def controlled(session: Session, winner: Trial, workers: int | None) -> Iterator[Event]:
    """Train the controlled pair of a winner that has a rate, if there is time, and record it."""
    chosen = session.complete(winner)
    if "decay" not in chosen:
        return
    if not session.pace.allows(controlled_seconds(chosen, session.setting)):
        return
    pair = paired(session, chosen, counterparts(chosen), workers, called="control")
    if pair is not None:
        yield from session.record([Event(CONTROLLED, pair.body(winner.number))])


def paired(
    session: Session, chosen: Complete, others: Sequence[Complete], workers: int | None, *, called: str
) -> ControlledPair | None:
    """Train what was chosen beside the best of its counterparts; None without time or folds, or if one failed."""
    try:
        fresh = fresh_setting(session.experiment, session.prepared, CONTROL, folds=FRESH_FOLDS)
    except DataError:  # by chance, the metric has a score on fewer than two of its folds
        return None
    tried = scores_of(session, session.setting, others, workers, called=called)
    if tried is None:
        return None
    means = [mean_of(each) for each in tried]  # where every rate diverged, that is what there is to tell of the first
    best = max(range(len(others)), key=lambda place: (means[place] is not None, means[place] or 0.0, -place))
    both = scores_of(session, fresh, [chosen, others[best]], workers, called=f"{called}-fresh")
    if both is None:
        return None
    return ControlledPair(
        decay=str(others[best]["decay"]),
        rates=tuple(number(each["learning_rate"]) for each in others),
        scores=tried,
        chosen=best,
        winner=both[0],
        other=both[1],
        fresh=not session.prepared.is_in_order,
    )


def scores_of(
    session: Session, setting: Setting, configurations: Sequence[Complete], workers: int | None, *, called: str
) -> tuple[tuple[float | None, ...], ...] | None:
    """Score some configurations on all folds of a setting; None if one failed, or for want of time."""
    numbered = list(enumerate(configurations))
    found = {
        each.number: each.outcome
        for block in session.trained(setting, numbered, workers, called=called)
        for each in block
    }
    outcomes = [outcome for place, _ in numbered if (outcome := found.get(place)) is not None]
    return tuple(each.scores for each in outcomes) if len(outcomes) == len(numbered) else None
