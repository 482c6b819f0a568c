"""What was observed in the rows whose out-of-fold predictions are kept: targets, folds, and what belongs together.

One file beside the predictions, written when the study begins, so that whatever is computed from them afterwards needs
neither the table nor the experiment.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lrtune.arrays import Array, Integers, Rows, row_type
from lrtune.run import files
from lrtune.text.errors import StudyError


@dataclass(frozen=True, eq=False)
class Observed:
    """The kept validation rows of all folds, fold after fold, as in the records of `lrtune.run.out_of_fold`.

    Attributes
    ----------
    targets
        Labels ``0 .. classes - 1``, or values in their own units (R,).
    folds
        Which fold each row validates (R,), from 0 and ascending; a row of the table stands once for each repeat.
    units
        What is resampled together (R,): rows of equal number are the same row of the table in other repeats, or of one
        group, or neighbours in time.
    sizes
        How many validation rows each fold has, kept or not (K,).
    classes
        Number of classes; 0 for regression.
    validated
        How many rows of each class any fold validates (classes,), kept or not; a row of the table counts once.
    whole
        Places of the rows of which the probabilities of all classes are kept beside the predictions; ascending.

    """

    targets: Array
    folds: Rows
    units: Rows
    sizes: Integers
    classes: int
    validated: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    whole: Rows = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def share(self) -> float:
        """Share of the validation rows that is kept."""
        return len(self.targets) / int(self.sizes.sum())


def observe(
    targets: Sequence[Array],
    units: Sequence[Rows],
    *,
    rows: Sequence[Rows],
    kept: Rows,
    classes: int,
    whole: Rows | None = None,
) -> Observed:
    """Put together what is known of the folds' validation rows.

    Parameters
    ----------
    targets, units
        Of each fold's validation rows; units of equal number are resampled together, in whatever folds they stand.
    rows
        Their numbers in the table.
    kept
        Which rows of the concatenation are kept (`out_of_fold.kept_rows`).
    classes
        Number of classes; 0 for regression.
    whole
        Of which of the kept rows all probabilities are kept as well, counted as these are; None: of none.

    """
    sizes = np.array([len(each) for each in targets], dtype=np.int64)
    folds = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)[kept]
    codes, every = _ranks(np.concatenate(units)[kept]), np.concatenate(targets)[kept]
    shown = np.searchsorted(kept, kept[:0] if whole is None else whole)
    return Observed(every, folds, codes, sizes, classes, _validated(targets, rows, classes), shown)


def _validated(targets: Sequence[Array], rows: Sequence[Rows], classes: int) -> Integers:
    """Count the rows of each class, each row of the table once."""
    if not classes:
        return np.zeros(0, dtype=np.int64)
    labels = np.full(1 + max(int(each.max()) for each in rows), classes, dtype=np.int32)  # a class of rows that are not
    for own, each in zip(targets, rows, strict=True):
        labels[each] = own
    return np.bincount(labels, minlength=classes)[:classes]


def _ranks(numbers: Rows) -> Rows:
    """Rank whole numbers from 0 on by their size, equal ones alike, without a sorted copy of all."""
    there = np.zeros(1 + int(numbers.max(initial=0)), dtype=bool)
    there[numbers] = True
    ranks = np.cumsum(there, dtype=row_type(len(there)))
    ranks -= 1
    return ranks[numbers]


def write(path: Path, observed: Observed) -> None:
    """Write the file whole or not at all, unless it is there and intact: the same content gives the same bytes.

    Raises
    ------
    StudyError
        If the folder cannot be written or the disk is full.

    """
    content = io.BytesIO()
    np.savez(
        content,
        targets=observed.targets,
        folds=observed.folds.astype(np.uint32),
        units=observed.units.astype(np.uint32),
        sizes=observed.sizes,
        classes=np.int64(observed.classes),
        validated=observed.validated,
        whole=observed.whole.astype(np.uint32),
    )
    files.write(path, content.getvalue())


_DAMAGE = (OSError, EOFError, ValueError, LookupError, zipfile.BadZipFile, zlib.error, RuntimeError)
"""What a changed archive makes `zipfile` and NumPy raise; one that seems to be encrypted is a `RuntimeError`."""


def read(path: Path) -> Observed:
    """Read the file; nothing in it is executed.

    Raises
    ------
    StudyError
        If there is none, or it is damaged.

    """
    try:
        content = io.BytesIO(path.read_bytes())
        with zipfile.ZipFile(content) as archive:
            if archive.testzip() is not None:  # NumPy does not look at the checksum of what it reads in part
                raise ValueError
        content.seek(0)
        with np.load(content, allow_pickle=False) as file:
            found = Observed(
                targets=file["targets"],
                folds=file["folds"].astype(np.int32),
                units=file["units"].astype(np.int32),
                sizes=file["sizes"],
                classes=int(file["classes"]),
                validated=file["validated"],
                whole=file.get("whole", np.zeros(0)).astype(np.int32),  # an earlier version had none
            )
    except FileNotFoundError as error:
        raise StudyError(f"{path}: is not there; run the search again to have it written") from error
    except _DAMAGE as error:
        raise StudyError(f"{path}: damaged; run the search again to have it written anew") from error
    if not len(found.targets) == len(found.folds) == len(found.units):
        raise StudyError(
            f"{path}: damaged (its columns differ in length); run the search again to have it written anew"
        )
    return found
