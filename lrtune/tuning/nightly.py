"""A night beside the one before it: drift, gain, and what is written down of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lrtune.nights import folder as champions
from lrtune.nights import history as histories
from lrtune.nights.control import ControlVerdict
from lrtune.nights.drift import NOTHING_COMMON, Common, change, common, estimate
from lrtune.nights.folder import Current
from lrtune.nights.history import Night
from lrtune.run import observed, row_scores
from lrtune.run.names import OBSERVED, ROW_SCORES
from lrtune.run.row_scores import MarkedRows
from lrtune.text.errors import StudyError
from lrtune.training.metrics.catalogue import METRICS
from lrtune.training.metrics.scoring import row_values
from lrtune.tuning.records import Records
from lrtune.verdict.comparison import Gain
from lrtune.verdict.contest import PROMOTED, SAME, WITHOUT_SCORE, Contest
from lrtune.verdict.correction.fixed import together
from lrtune.verdict.nightly import Drift, Nightly, NightScore
from lrtune.verdict.recorded import records
from lrtune.verdict.standing import oriented, own_ends, own_sign

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
    drift, no_drift = _drift(contest, study, prepared, folder, champion)
    gain, no_gain = _gain(contest, champion)
    outcome = contest.outcome if contest else FIRST if champion is None else REFUSED
    if evening is not None and evening.repeats:
        drift, no_drift = None, f"the table is that of night {evening.night - 1}"
        outcome = outcome if trained else UNCHANGED
    return Nightly(
        champion=None if champion is None else champion.called,
        trials=contest.champion if contest else (),
        outcome=outcome,
        promoted=outcome in (FIRST, PROMOTED, WITHOUT_SCORE, REFUSED),
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
        chart=_chart(evening, drift),
    )


def _standing(contest: Contest | None, metric: str) -> NightScore | None:
    if contest is None or contest.standing is None:
        return None
    found = contest.standing
    return NightScore(own_sign(metric, found.score), *own_ends(metric, found.low, found.high))


def _before(reference: Reference | None) -> NightScore | None:
    if reference is None:
        return None
    return NightScore(reference.score, reference.low, reference.high, reference.elected)


def _drift(
    contest: Contest | None, study: StudyState, prepared: Prepared, folder: Path, champion: Champion | None
) -> tuple[Drift | None, str | None]:
    """Compare the champion's score with that of the night before, or say why that cannot be done."""
    if champion is None:
        return None, _NONE_BEFORE
    if champion.refused:
        return None, champion.refused
    if contest is None or contest.standing is None:
        return None, "the champion has no score on every fold tonight"
    reference, metric = champion.reference, study.header.metric
    if reference is None:
        return None, champion.unknown
    if reference.data == study.header.data:
        return None, "the table is that of the night before"
    if reference.low is None or reference.high is None:
        return None, "nobody knows how sure the champion's score of the night before is"
    low, high = sorted((oriented(metric, reference.low), oriented(metric, reference.high)))
    before = estimate(oriented(metric, reference.score), low, high)
    now = estimate(*contest.standing[3:6])
    shared = _common(reference, rows_of(study, prepared, folder, contest.champion))
    found = change(now, before, shared.correlation if shared else 0.0)
    return Drift(*found, rows=shared.rows if shared else None, correlation=shared.correlation if shared else 0.0), None


def _common(reference: Reference, rows: MarkedRows | None) -> Common | None:
    """Find what the rows of two nights have in common; None where one of them has kept none."""
    if reference.rows is None or rows is None:
        return None
    try:
        return common(rows, row_scores.from_text(reference.rows))
    except StudyError:
        return NOTHING_COMMON


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


def _chart(evening: Evening | None, drift: Drift | None) -> ControlVerdict | None:
    if evening is None:
        return None
    known = (drift.mean, drift.error) if drift else (None, None)
    return evening.history.judged(*known, since=evening.since, repeats=evening.repeats)


def rows_of(study: StudyState, prepared: Prepared, folder: Path, numbers: Sequence[int]) -> MarkedRows | None:
    """Give what single rows add to the score of some trials together, and marks that tell these rows again.

    None where the metric is no mean over rows, or the predictions are not kept.
    """
    metric = study.header.metric
    if not METRICS[metric].is_by_rows:
        return None
    kept = Records(folder, prepared).predictions
    kept.take(study.header.predictions)
    try:
        seen = observed.read(folder / OBSERVED)
        predicted = together(metric, records(study, folder, [study.trials[each] for each in numbers], seen))
    except (StudyError, OSError):
        return None
    values = np.empty(len(seen.targets))
    for fold in np.unique(seen.folds):
        part = seen.folds == fold
        values[part] = row_values(metric, predicted[:, part], seen.targets[part])[0]
    rows = np.concatenate([validation for _, validation in prepared.splits])[kept.kept]
    present, places = np.unique(rows, return_inverse=True)
    means = np.bincount(places, values) / np.bincount(places)  # a row of several repeats counts once
    return MarkedRows(prepared.marks[present], means)


def keep_rows(study: StudyState, prepared: Prepared, folder: Path, numbers: Sequence[int]) -> None:
    """Leave in a run's folder what the next night needs to compare itself with what is delivered."""
    found = rows_of(study, prepared, folder, numbers)
    if found is not None:
        row_scores.write(folder / ROW_SCORES, found)


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
    if found.outcome != UNCHANGED and result.no_model is None:
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
