"""Predictions for rows a trial was not trained on, one record of fixed size for each trial, in one file.

Kept because corrected scores, intervals and error analysis come from them without training anything again. A record's
place follows from the trial's number, so that the file is the same whatever the order in which trials finish, and a
record that was half written before a crash is written again. The hash in the trial's ``result`` event says which
records count. The rows stand in the order of the folds, so a stage of an evaluation writes its part of the record; a
trial that was pruned has zeros where it was not trained.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lrtune.arrays import KEPT_ROWS, Array, Rows, row_type, stream
from lrtune.text.errors import StudyError

TOTAL_BYTES = 256 * 2**20
"""What the records of the planned trials may take; beyond it a fixed random subset of the rows is kept."""


SHOWN_BYTES = 64 * 2**20
"""What may be taken by probabilities of all classes where they are kept for pictures alone."""


def digest(record: Array) -> str:
    """Hash a record's bytes."""
    return hashlib.sha256(np.ascontiguousarray(record).data).hexdigest()[:16]


def room(rows: int, row_bytes: int, trials: int, most: int | None = None) -> int:
    """Count how many of ``rows`` validation rows fit, at ``row_bytes`` for each row of each of the planned trials.

    Together they take at most so many bytes; by default `TOTAL_BYTES`.
    """
    return max(1, min(rows, (TOTAL_BYTES if most is None else most) // max(1, row_bytes * trials)))


def kept_rows(rows: int, count: int, *, seed: int) -> Rows:
    """Choose which ``count`` of the ``rows`` validation rows are kept, drawn once for the study.

    Returns
    -------
    array
        Sorted positions in the concatenation of the folds' validation rows.

    """
    kind = row_type(rows)
    if count >= rows:
        return np.arange(rows, dtype=kind)
    drawn = stream(seed, KEPT_ROWS).permutation(rows)[:count] if count else np.zeros(0)
    return np.sort(drawn.astype(kind))


def record(predictions: Sequence[Array], kept: Rows) -> Array:
    """Join the folds' predictions into one contiguous record of the kept rows."""
    joined = np.concatenate(predictions)
    return joined if len(kept) == len(joined) else joined[kept]


def part(kept: Rows, start: int, end: int) -> slice:
    """Find where in a record the kept ones of the validation rows from ``start`` on, before ``end``, stand."""
    first, last = np.searchsorted(kept, [start, end])
    return slice(int(first), int(last))


def write(path: Path, records: Iterable[tuple[int, Array]], *, first: int = 0, rows: int | None = None) -> None:
    """Put the records of some trials, or parts of them, in their places and wait until the disk has them.

    Parameters
    ----------
    path
        The file.
    records
        Numbers of trials, and what belongs to them.
    first, rows
        Row of the record that each part begins with, and rows of the whole record; default: it is the whole one.

    Raises
    ------
    StudyError
        If the file cannot be written.

    """
    try:
        with path.open("r+b" if path.exists() else "w+b") as file:
            for number, each in records:
                row_bytes = each.nbytes // len(each)
                record_bytes = row_bytes * (len(each) if rows is None else rows)
                file.seek(number * record_bytes + first * row_bytes)
                file.write(np.ascontiguousarray(each).data)
                if file.seek(0, os.SEEK_END) < (number + 1) * record_bytes:
                    file.truncate((number + 1) * record_bytes)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StudyError(
            f"{path}: cannot be written ({error.strerror}); what was recorded before is safe, "
            "mend this and run the command again"
        ) from error


def read(path: Path, number: int, like: tuple[npt.DTypeLike, tuple[int, ...]]) -> Array:
    """Read one trial's record of the dtype and shape ``like``.

    Raises
    ------
    StudyError
        If the file is too short.

    """
    dtype, shape = np.dtype(like[0]), like[1]
    count = int(np.prod(shape))
    values = np.fromfile(path, dtype, count, offset=number * count * dtype.itemsize)
    if values.size != count:
        raise StudyError(f"{path}: holds no record for trial {number}")
    return values.reshape(shape)
