"""From a run's folder to the findings of its health report; no table and no training."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lrtune.run import observed
from lrtune.run.folder import Run
from lrtune.run.names import OBSERVED
from lrtune.space import SearchSpace
from lrtune.space.trial import Trial
from lrtune.training.registry import METRICS
from lrtune.verdict.comparison import corrected_error, t_quantile
from lrtune.verdict.findings import Finding, attempted
from lrtune.verdict.health import Case, Labels, findings, in_own_sign
from lrtune.verdict.judging import records
from lrtune.verdict.result import Corrected, Result
from lrtune.verdict.standing import own_ends


def examine(run: Run, result: Result, space: SearchSpace, classes: Sequence[str] = ()) -> list[Finding]:
    """List what is odd about a run, with scores in the metric's own sign.

    Parameters
    ----------
    run
        The folder, with at least one complete trial.
    result
        What was chosen, and its corrected score if there is one.
    space
        What was searched.
    classes
        Their names; without them they are told by number.

    Raises
    ------
    StudyError
        If a file of the folder is damaged.

    """
    best = run.trial(result.best.number)
    rows, refit = run.study.header.rows, run.study.refit
    assert rows is not None  # a study that trains says how many
    share = None if result.corrected is None else result.corrected.share
    found = findings(
        Case(
            trials=run.trials,
            best=best,
            space=space,
            rows_ratio=run.rows_ratio,
            rows=rows.train,
            test_rows=rows.test,
            test=refit.test.score if refit and refit.test and refit.trial == best.number else None,
            interval=_interval(run, best, result.corrected),
            share=None if result.confirmation else share,  # fresh scores chose it
            labels=_labels(run, best, classes),
            unscored=result.unscored,
        )
    )
    return [in_own_sign(each, run.metric) for each in found]


def examined(
    run: Run, result: Result, space: SearchSpace, classes: Sequence[str], defects: Sequence[Finding] = ()
) -> Result:
    """Add to a result what is odd about it, behind the defects that were found already."""
    odd, more = attempted("the health report", lambda: examine(run, result, space, classes))
    return result.but(health=(*defects, *more, *(odd or ())))


def _interval(run: Run, best: Trial, corrected: Corrected | None) -> tuple[float, float] | None:
    """Take the corrected interval, oriented; without one, that of Student's t around the mean."""
    if corrected is not None:
        return own_ends(run.metric, corrected.low, corrected.high)
    scores = [each for each in best.fold_scores if each is not None]
    if best.mean is None or len(scores) < 2:
        return None
    ratio = 1.0 / (len(scores) - 1) if run.rows_ratio is None else run.rows_ratio
    half = t_quantile(len(scores) - 1) * corrected_error(scores, ratio)
    return (best.mean - half, best.mean + half) if math.isfinite(half) else None


def _labels(run: Run, best: Trial, classes: Sequence[str]) -> Labels | None:
    """Count the classes among the kept rows, and among what the best predicts there."""
    path = run.folder / OBSERVED
    keeps = METRICS[run.metric].keeps
    if keeps not in ("label", "score") or not path.is_file():
        return None
    seen = observed.read(path)
    (kept,) = records(run.study, run.folder, [best], seen)
    labels = kept if keeps == "label" else kept.argmax(axis=1) if kept.ndim > 1 else kept > 0.5
    counts = [np.bincount(np.asarray(each, np.int64), minlength=seen.classes) for each in (seen.targets, labels)]
    names = classes or [str(each) for each in range(seen.classes)]
    return Labels(names, counts[0].tolist(), counts[1].tolist())
