"""A night beside the one before it: drift, gain, and what is written down of it."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrtune.nights import folder as champions
from lrtune.nights import history as histories
from lrtune.nights.control import ControlVerdict
from lrtune.nights.folder import Current
from lrtune.nights.history import UNTRIED, Night
from lrtune.tuning.drifting import drift_of, rows_of
from lrtune.verdict.comparison import Gain
from lrtune.verdict.contest import PROMOTED, SAME, WITHOUT_SCORE, Contest
from lrtune.verdict.nightly import Drift, Nightly, NightScore
from lrtune.verdict.standing import own_ends, own_sign

if TYPE_CHECKING:
    from lrtune.run.study import StudyState
    from lrtune.run.taken import Champion, Reference, TakenOver
    from lrtune.trainers.preparation import Prepared
    from lrtune.tuning.evening import Evening
    from lrtune.verdict.result import Result

FIRST, REFUSED, UNCHANGED = "first", "refused", "unchanged"

_NONE_BEFORE = "there was no champion before"


def nightly(
    contest: Contest | None,
    study: StudyState,
    prepared: Prepared,
    folder: Path,
    *,
    taken: TakenOver,
    trained: int,
    promote_if: float,
    evening: Evening | None = None,
) -> Nightly | None:
    """Compare a night with the one before it; None for a search that is no night: without a champion, or a folder.

    Parameters
    ----------
    contest
        Between the champion and tonight's best; None without a champion among the trials.
    study, prepared, folder
        The run.
    taken
        What it took over.
    trained
        How many trials the session trained.
    promote_if
        What the gain had to be above.
    evening
        How the night began in its folder of champions.

    """
    champion = next(iter(taken.champions), None)
    if champion is None and evening is None:
        return None
    rows, lucks = partial(rows_of, study, prepared, folder), evening.history.lucks if evening else ()
    drift, no_drift = drift_of(contest, study, champion, rows, lucks) if champion else (None, _NONE_BEFORE)
    gain, no_gain = _gain(contest, champion)
    outcome = contest.outcome if contest else FIRST if champion is None else REFUSED
    if outcome == UNTRIED:
        no_drift = no_gain = "the time was over before the champion was trained"
    if evening is not None and evening.repeats:
        drift, no_drift = None, f"the table is that of night {evening.night - 1}"
        outcome = outcome if trained else UNCHANGED
    promoted = outcome in (FIRST, PROMOTED, WITHOUT_SCORE, REFUSED)
    return Nightly(
        champion=None if champion is None else champion.called,
        trials=contest.champion if contest else (),
        outcome=outcome,
        promoted=promoted,
        standing=_standing(contest, study.header.metric),
        before=_before(champion.reference if champion else None),
        drift=drift,
        no_drift=no_drift,
        gain=gain,
        no_gain=no_gain,
        challenger=contest.challenger if contest else (),
        promote_if=promote_if,
        trained=trained,
        night=evening.night if evening else None,
        since=evening.since if evening and evening.since not in (None, evening.night - 1) else None,
        chart=_chart(evening, drift, outcome, promoted=promoted),
        repeats=_repeats(evening, champion, study.header.data),
    )


def _repeats(evening: Evening | None, champion: Champion | None, data: str | None) -> bool:
    """Tell whether the table is that of the night before."""
    if evening is not None:
        return evening.repeats
    return champion is not None and champion.reference is not None and champion.reference.data == data


def _standing(contest: Contest | None, metric: str) -> NightScore | None:
    if contest is None or contest.standing is None:
        return None
    found = contest.standing
    return NightScore(own_sign(metric, found.score), *own_ends(metric, found.low, found.high))


def _before(reference: Reference | None) -> NightScore | None:
    if reference is None:
        return None
    return NightScore(reference.score, reference.low, reference.high, reference.elected)


def _gain(contest: Contest | None, champion: Champion | None) -> tuple[Gain | None, str | None]:
    if champion is None:
        return None, _NONE_BEFORE
    if contest is None:
        return None, champion.refused or "the champion was not tried"
    if contest.outcome == SAME:
        return Gain(0.0, 0.0, 0.0, 0.5), None
    if contest.gain is None:
        return (
            None,
            "the champion has no score on every fold tonight" if contest.outcome == WITHOUT_SCORE else "one fold",
        )
    return contest.gain, None


def _chart(evening: Evening | None, drift: Drift | None, outcome: str, *, promoted: bool) -> ControlVerdict | None:
    if evening is None:
        return None
    known = (drift.mean, drift.high, drift.error) if drift else (None, None, None)
    says_nothing = evening.repeats or outcome == UNTRIED
    return evening.history.judged(*known, since=evening.since, repeats=says_nothing, promoted=promoted)


def told(evening: Evening, result: Result, run: Path, rows: int) -> Night:
    """Say what a night came to, and leave the history up to it beside its result."""
    found = result.nightly
    assert found is not None
    elected = evening.night if _is_new(evening, result) or evening.current is None else evening.current.elected
    night = _line(evening, result, run, rows, elected)
    histories.append(run, evening.history, night)
    return night


def _is_new(evening: Evening, result: Result) -> bool:
    return evening.current is None or (result.nightly is not None and result.nightly.promoted)


def close(evening: Evening, result: Result, run: Path, night: Night) -> None:
    """End a night: the numbered folder, the line of the history, and who is the champion now, in this order.

    Raises
    ------
    StudyError
        If the folder cannot be written or the disk is full.

    """
    found = result.nightly
    assert found is not None
    if found.outcome not in (UNCHANGED, UNTRIED) and result.no_model is None:
        champions.publish(evening.folder, run, evening.night)
    histories.append(evening.folder, evening.history, night)
    if champions.path_of(evening.folder, evening.night).is_dir():
        champions.name(evening.folder, Current(evening.night, night.elected))
    champions.end(evening.folder)


def _told(value: Any, name: str) -> Any:
    """Read an attribute of what may not be there."""
    return None if value is None else getattr(value, name)


def _line(evening: Evening, result: Result, run: Path, rows: int, elected: int) -> Night:
    found = result.nightly
    assert found is not None
    standing, drift, gain, chart, expected = found.standing, found.drift, found.gain, found.chart, result.expected
    return Night(
        night=evening.night,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        run=str(run),
        fingerprint=result.fingerprint,
        name=result.name,
        metric=result.metric,
        larger_is_better=result.larger_is_better,
        seed=evening.seed,
        data=evening.data,
        asked=evening.asked,
        rows=rows,
        repeats=evening.repeats,
        since=evening.since,
        outcome=found.outcome,
        promoted=found.promoted,
        elected=elected,
        champion=_told(standing, "score"),
        champion_low=_told(standing, "low"),
        champion_high=_told(standing, "high"),
        delivered=expected.score,
        delivered_low=expected.low,
        delivered_high=expected.high,
        drift=_told(drift, "mean"),
        drift_low=_told(drift, "low"),
        drift_high=_told(drift, "high"),
        drift_error=_told(drift, "error"),
        drift_luck=_told(drift, "luck"),
        drift_freedom=_told(drift, "freedom"),
        gain=_told(gain, "mean"),
        gain_low=_told(gain, "low"),
        gain_high=_told(gain, "high"),
        level=_told(chart, "level"),
        limit=_told(chart, "limit"),
        statistic=_told(chart, "statistic"),
        is_out=_told(chart, "is_out"),
        trained=found.trained,
        seconds=0.0 if found.outcome == "unchanged" else result.seconds.total,
    )
