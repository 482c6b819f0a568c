"""The out-of-fold predictions of some trials, read from a run's folder and compared with what was written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lrtune.arrays import Array
from lrtune.run import out_of_fold
from lrtune.run.names import PREDICTIONS
from lrtune.run.observed import Observed
from lrtune.space.trial import Trial
from lrtune.text.errors import StudyError

if TYPE_CHECKING:
    from lrtune.run.study import StudyState


def records(study: StudyState, folder: Path, trials: Sequence[Trial], seen: Observed) -> Array:
    """Read the out-of-fold predictions of some trials (C, R) or (C, R, classes).

    Raises
    ------
    StudyError
        If one is missing, or not what was written.

    """
    path, layout = folder / PREDICTIONS, study.header.predictions
    if layout is None or len(seen.targets) != layout.rows:
        raise StudyError(f"{path}: is not of the rows of this study")
    found = [out_of_fold.read(path, each.number, layout.like) for each in trials]
    for trial, record in zip(trials, found, strict=True):
        _check(record, study.predictions.get(trial.number, ()), seen, trial, path)
    return np.stack(found)


def _check(record: Array, parts: Sequence[tuple[int, str]], seen: Observed, trial: Trial, path: Path) -> None:
    """Compare what was read with the hashes of the stages that wrote it."""
    first = 0
    for folds, digest in parts:
        start, end = np.searchsorted(seen.folds, [first, first + folds])
        if out_of_fold.digest(np.ascontiguousarray(record[start:end])) != digest:
            raise StudyError(f"{path}: the record of trial {trial.number} is damaged; run the search again to mend it")
        first += folds
    if first < len(trial.fold_scores):
        raise StudyError(f"{path}: holds no whole record of trial {trial.number}")
