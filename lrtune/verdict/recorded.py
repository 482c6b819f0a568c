"""The out-of-fold predictions of some trials, read from a run's folder and compared with what was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lrtune.arrays import Array, Integers
from lrtune.run import out_of_fold
from lrtune.run.bodies import RecordLayout
from lrtune.run.names import PREDICTIONS, PROBABILITIES
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
    return _records(folder / PREDICTIONS, study.header.predictions, study.predictions, trials, seen.folds)


def probabilities(study: StudyState, folder: Path, trials: Sequence[Trial], seen: Observed) -> Array:
    """Read the probabilities of all classes that stand beside the predictions (C, R, classes), of rows ``seen.whole``.

    Raises
    ------
    StudyError
        If they were not kept, or as `records`.

    """
    folds = seen.folds[seen.whole]
    return _records(folder / PROBABILITIES, study.header.probabilities, study.probabilities, trials, folds)


def _records(
    path: Path,
    layout: RecordLayout | None,
    written: Mapping[int, Sequence[tuple[int, str]]],
    trials: Sequence[Trial],
    folds: Integers,
) -> Array:
    if layout is None or len(folds) != layout.rows:
        raise StudyError(f"{path}: is not of the rows of this study")
    found = np.empty((len(trials), *layout.like[1]), layout.like[0])
    for trial, record in zip(trials, found, strict=True):
        record[...] = out_of_fold.read(path, trial.number, layout.like)
        _check(record, written.get(trial.number, ()), folds, trial, path)
    return found


def _check(record: Array, parts: Sequence[tuple[int, str]], rows: Integers, trial: Trial, path: Path) -> None:
    """Compare what was read with the hashes of the stages that wrote it."""
    first = 0
    for folds, digest in parts:
        start, end = np.searchsorted(rows, [first, first + folds])
        if out_of_fold.digest(np.ascontiguousarray(record[start:end])) != digest:
            raise StudyError(f"{path}: the record of trial {trial.number} is damaged; run the search again to mend it")
        first += folds
    if first < len(trial.fold_scores):
        raise StudyError(f"{path}: holds no whole record of trial {trial.number}")
