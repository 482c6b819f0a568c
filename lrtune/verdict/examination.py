"""From a run's folder to the findings of its health report; no table and no training."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lrtune.run import observed
from lrtune.run.folder import Run
from lrtune.run.names import OBSERVED
from lrtune.space import SearchSpace
from lrtune.space.trial import Trial
from lrtune.training.registry import BUILT_IN
from lrtune.verdict.comparison import corrected_error, t_quantile
from lrtune.verdict.findings import Finding, attempted
from lrtune.verdict.health import Case, findings, in_own_sign
from lrtune.verdict.result import CHAMPION, ClassCounts, Corrected, Result
from lrtune.verdict.standing import oriented, own_ends


def examine(run: Run, result: Result, space: SearchSpace) -> list[Finding]:
    """List what is odd about a run, with scores in the metric's own sign.

    Parameters
    ----------
    run
        The folder, with at least one complete trial.
    result
        What was chosen, and its corrected score if there is one.
    space
        What was searched.

    Raises
    ------
    StudyError
        If a file of the folder is damaged.

    """
    best = run.trial(result.best.number)
    rows, refit = run.study.header.rows, run.study.refit
    assert rows is not None  # a study that trains says how many
    share = None if result.corrected is None else result.corrected.share
    averaged = len(result.delivered.trials) if result.delivered else 1
    delivered = tuple(oriented(run.metric, each) for each in result.fold_scores)
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
            share=None if result.confirmation or averaged > 1 else share,  # fresh scores, or a mean
            classes=result.classes,
            classes_of_mean=result.classes_of_mean,
            unscored=result.unscored,
            anchors=result.anchors,
            optimism=result.corrected.optimism if result.corrected else 0.0,
            gain=result.corrected.gain if result.corrected else None,
            how=result.selection.how if result.selection else "a rule",
            averaged=averaged,
            reigns=result.selection is not None and result.selection.rule == CHAMPION,
            units=result.corrected.units if result.corrected else None,
            delivered=delivered,
            no_model=result.no_model,
            trained_by=run.trained_by,
            scheduled=run.is_scheduled,
            settled=frozenset(f"data.{key}" for key in ("order", "group") if run.study.header.asked["data"].get(key)),
            metric=run.metric,
            is_linear=_is_linear(run, result),
        )
    )
    return [in_own_sign(each, run.metric) for each in found]


def _is_linear(run: Run, result: Result) -> bool:
    """Tell whether all that is delivered are linear models of lrtune's own."""
    numbers = result.delivered.trials if result.delivered else (result.best.number,)
    models = {run.configuration(run.trial(each).configuration).get("model") for each in numbers}
    return run.trained_by == BUILT_IN and models == {"linear"}


def examined(
    run: Run, result: Result, space: SearchSpace, classes: Sequence[str], defects: Sequence[Finding] = ()
) -> Result:
    """Add to a result what is predicted and what is odd about it, behind the defects that were found already.

    Parameters
    ----------
    run
        The folder.
    result
        What was chosen.
    space
        What was searched.
    classes
        Names of the classes; without them they are told by number.
    defects
        Found before.

    """
    whole, trouble = attempted("the counts of the classes", lambda: with_classes(run, result, classes))
    result = whole or result
    odd, more = attempted("the health report", lambda: examine(run, result, space))
    return result.but(health=(*defects, *trouble, *more, *(odd or ())))


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


def with_classes(run: Run, result: Result, classes: Sequence[str]) -> Result:
    """Add how often each class occurs among the rows that the folds validate, and how often it is predicted.

    By the mean of trials that is delivered where that is known, else by the best.

    ``classes`` are their names; without them they are told by number.
    """
    path, own = run.folder / OBSERVED, result.delivered.predicted if result.delivered else ()
    counted = own or run.trial(result.best.number).predicted
    if not counted or not path.is_file():
        return result
    seen = observed.read(path)
    names = classes or [str(each) for each in range(seen.classes)]
    once = int(seen.validated.sum()) / int(seen.sizes.sum())  # one, divided by the repeats of the folds
    predicted = [once * each for each in counted]
    counts = zip(names, seen.validated.tolist(), predicted, strict=True)
    return result.but(classes=tuple(ClassCounts(*each) for each in counts), classes_of_mean=bool(own))
