"""What is predicted for rows that were not trained on: labels, probabilities or values, beside the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lrtune.run import observed
from lrtune.run.names import OBSERVED
from lrtune.text.errors import StudyError
from lrtune.training.metrics.catalogue import METRICS
from lrtune.training.metrics.scoring import has_labels, prediction_of, to_average
from lrtune.verdict.recorded import records

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lrtune.run.folder import Run
    from lrtune.verdict.result import Result

NONE_KEPT = "no out-of-fold predictions are kept: what trained tells scores only, or the metric is its own."


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Out-of-fold predictions, of rows in any order.

    Attributes
    ----------
    whose
        Of what they are, in words.
    targets
        Labels or values (R,).
    names
        Of the classes; empty for regression.
    values
        Predicted values (R,); None for classes.
    labels
        Predicted labels (R,); None for values, or where they are not kept.
    probabilities
        Of the classes (R, classes); None where they are not kept.
    truth
        Of the true class (R,); None where that is not kept.

    """

    whose: str
    targets: NDArray[Any]
    names: tuple[str, ...] = ()
    values: NDArray[np.float64] | None = None
    labels: NDArray[np.int64] | None = None
    probabilities: NDArray[np.float64] | None = None
    truth: NDArray[np.float64] | None = None


def predicted(run: Run, result: Result | None) -> OutOfFold | str:
    """Read what the best, or the mean of trials that is delivered, predicts; or say why that is not known."""
    if result is None:
        return "no trial is complete yet, or the trials are trained elsewhere."
    if run.metric not in METRICS:
        return NONE_KEPT
    found = result.delivered
    numbers = found.trials if found is not None and found.is_mean else (result.best.number,)
    try:
        seen = observed.read(run.folder / OBSERVED)
        kept = records(run.study, run.folder, [run.study.trials[each] for each in numbers], seen)
    except (StudyError, OSError):
        return NONE_KEPT
    names = tuple(each.name for each in result.classes) or tuple(map(str, range(seen.classes)))
    whose = result.scored
    if has_labels(kept):
        return OutOfFold(whose, seen.targets, names, labels=kept[0].astype(np.int64))
    mean = np.mean([to_average(run.metric, each) for each in kept], axis=0, keepdims=True)
    whole = prediction_of(run.metric, mean, seen.targets, seen.classes)
    if whole is None:
        return OutOfFold(whose, seen.targets, names, truth=mean[0])
    if not seen.classes:
        return OutOfFold(whose, seen.targets, values=whole[0, 0])
    shares = np.stack([1.0 - whole[0, 0], whole[0, 0]]) if whole.shape[1] == 1 else whole[0]
    truth = np.take_along_axis(shares, seen.targets.astype(np.int64)[None], axis=0)[0]
    return OutOfFold(whose, seen.targets, names, labels=_labels(shares), probabilities=shares.T, truth=truth)


def _labels(shares: NDArray[np.float64]) -> NDArray[np.int64]:
    """Find the labels of probabilities (classes, R); of two equal ones the first."""
    return np.asarray(shares.argmax(axis=0), dtype=np.int64)
