"""What is predicted for rows that were not trained on: labels, probabilities or values, beside the truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lrtune.run import observed
from lrtune.run.names import OBSERVED
from lrtune.text.errors import StudyError
from lrtune.training.metrics.catalogue import METRICS
from lrtune.training.metrics.scoring import has_labels, prediction_of, to_average
from lrtune.verdict.recorded import probabilities, records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lrtune.run.folder import Run
    from lrtune.run.observed import Observed
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
        Of the true class, in any number of rows; None where that is not kept.
    of
        How many rows any fold validates, kept or not.

    """

    whose: str
    targets: NDArray[Any]
    names: tuple[str, ...] = ()
    values: NDArray[np.float64] | None = None
    labels: NDArray[np.int64] | None = None
    probabilities: NDArray[np.float64] | None = None
    truth: NDArray[np.float64] | None = None
    of: int = 0

    def source(self, rows: int | None = None) -> str:
        """Say of what the predictions are, or so many of them."""
        return f"Out-of-fold predictions of {self.whose}.{self.part(rows)}"

    def part(self, rows: int | None = None) -> str:
        """Say that these are not all rows, where they are not."""
        count = len(self.targets) if rows is None else rows
        said = f" They are of {count:,} of {self.of:,} rows, drawn by chance: more would take too much room."
        return said if count < self.of else ""


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
    found_by = OutOfFold(result.scored, seen.targets, names, of=int(seen.sizes.sum()))
    if has_labels(kept):
        return replace(found_by, labels=kept[0].astype(np.int64))
    mean = np.mean([to_average(run.metric, each) for each in kept], axis=0, keepdims=True)
    whole = prediction_of(run.metric, mean, seen.targets, seen.classes)
    if not seen.classes:
        assert whole is not None  # predicted values are all that there is
        return replace(found_by, values=whole[0, 0])
    if whole is None:
        return _beside(run, numbers, seen, replace(found_by, truth=mean[0]))
    shares = np.stack([1.0 - whole[0, 0], whole[0, 0]]) if whole.shape[1] == 1 else whole[0]
    if not np.mod(shares, 1.0).any():  # what trained has told labels: no probability is known
        return replace(found_by, labels=_labels(shares))
    truth = np.take_along_axis(shares, seen.targets.astype(np.int64)[None], axis=0)[0]
    return replace(found_by, labels=_labels(shares), probabilities=shares.T, truth=truth)


def _beside(run: Run, numbers: Sequence[int], seen: Observed, found: OutOfFold) -> OutOfFold:
    """Add the probabilities of all classes, where they are kept beside those of the true ones; of fewer rows maybe."""
    try:
        kept = probabilities(run.study, run.folder, [run.study.trials[each] for each in numbers], seen)
    except (StudyError, OSError):
        return found
    shares = kept.astype(np.float64).mean(axis=0)
    return replace(found, targets=seen.targets[seen.whole], labels=_labels(shares.T), probabilities=shares)


def _labels(shares: NDArray[np.float64]) -> NDArray[np.int64]:
    """Find the labels of probabilities (classes, R); of two equal ones the first."""
    return np.asarray(shares.argmax(axis=0), dtype=np.int64)
