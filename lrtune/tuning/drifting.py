"""How far the champion's score has moved since the night before: rows and folds of both nights, read and compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lrtune.nights.drift import NOTHING_COMMON, Common, NightEstimate, change, common, estimate
from lrtune.nights.luck import Luck, pooled
from lrtune.run import observed, row_scores
from lrtune.run.names import OBSERVED, ROW_SCORES
from lrtune.run.row_scores import MarkedRows
from lrtune.text.errors import StudyError
from lrtune.training.metrics.catalogue import METRICS
from lrtune.training.metrics.scoring import row_values
from lrtune.tuning.records import Records
from lrtune.verdict.comparison import t_quantile
from lrtune.verdict.correction.fixed import together
from lrtune.verdict.correction.intervals import RETRAINING
from lrtune.verdict.nightly import Drift
from lrtune.verdict.recorded import records
from lrtune.verdict.standing import oriented

if TYPE_CHECKING:
    from lrtune.run.study import StudyState
    from lrtune.run.taken import Champion, Reference
    from lrtune.trainers.preparation import Prepared
    from lrtune.verdict.contest import Contest


def drift_of(
    contest: Contest | None,
    study: StudyState,
    champion: Champion,
    rows: Callable[[Sequence[int]], MarkedRows | None],
    lucks: Sequence[Luck],
) -> tuple[Drift | None, str | None]:
    """Compare the champion's score with that of the night before, or say why that cannot be done."""
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
    shared = _common(reference, rows(contest.champion))
    return _with_luck(now, before, shared, lucks), None


def _with_luck(now: NightEstimate, before: NightEstimate, shared: Common | None, lucks: Sequence[Luck]) -> Drift:
    """Compare two nights by the rows that they share, and by what the folds of all nights tell beside them.

    Where no row pairs the scores, the errors count in full, and what they hold for the luck of training is enough.
    """
    if shared is None or not shared.rows:
        return Drift(*change(now, before), rows=None if shared is None else 0, correlation=0.0, widened=1.0)
    tonight = shared.luck
    if tonight is not None:  # the errors of the scores hold a share for it already
        tonight = tonight._replace(ratio=tonight.ratio / (1.0 + RETRAINING))
    luck = pooled(lucks if tonight is None else [*lucks, tonight])
    return Drift(
        *change(now, before, shared.correlation, ratio=luck.ratio, width=t_quantile(luck.freedom)),
        rows=shared.rows,
        correlation=shared.correlation,
        widened=math.sqrt(luck.ratio),
        luck=None if tonight is None else tonight.ratio,
        freedom=None if tonight is None else tonight.freedom,
    )


def _common(reference: Reference, rows: MarkedRows | None) -> Common | None:
    """Find what the rows of two nights have in common; None where one of them has kept none."""
    if reference.rows is None or rows is None:
        return None
    try:
        return common(rows, row_scores.from_text(reference.rows))
    except StudyError:
        return NOTHING_COMMON


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
    present, places, counts = np.unique(rows, return_inverse=True, return_counts=True)
    means = np.bincount(places, values) / counts  # a row of several repeats counts once
    order = np.argsort(places, kind="stable")
    repeat = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    folds = np.full((len(present), int(counts.max())), -1, dtype=np.int64)
    folds[places[order], repeat] = seen.folds[order]
    return MarkedRows(prepared.marks[present], means, folds)


def keep_rows(study: StudyState, prepared: Prepared, folder: Path, numbers: Sequence[int]) -> None:
    """Leave in a run's folder what the next night needs to compare itself with what is delivered."""
    found = rows_of(study, prepared, folder, numbers)
    if found is not None:
        row_scores.write(folder / ROW_SCORES, found)
