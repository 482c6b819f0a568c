"""What single rows added to a score, and marks that tell equal rows of two nights: for a night to compare itself with.

As a file, and as a text for a copy within another file (`lrtune.run.taken`); neither is ever executed.
"""

from __future__ import annotations

import base64
import binascii
import io
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lrtune.arrays import Doubles, Integers
from lrtune.run import files
from lrtune.text.errors import StudyError

MOST = 200_000
"""More rows are not kept; those with the smallest marks are, so that two nights keep the same ones."""


class MarkedRows(NamedTuple):
    """Rows of a table, as they were validated.

    Attributes
    ----------
    marks
        Equal for equal rows (n,).
    values
        Their mean is larger if better (n,); a row of several repeats has one value.
    folds
        In which fold of each repeat a row was validated (n, repeats); -1: in none.

    """

    marks: npt.NDArray[np.uint64]
    values: Doubles
    folds: Integers


def content(rows: MarkedRows) -> bytes:
    """Write them in the bytes of a file; the same rows give the same bytes."""
    order = np.lexsort((*rows.folds.T, rows.values, rows.marks))[:MOST]
    written = io.BytesIO()
    np.savez(written, **{name: each[order] for name, each in rows._asdict().items()})
    return written.getvalue()


def write(path: Path, rows: MarkedRows) -> None:
    """Write the file whole or not at all.

    Raises
    ------
    StudyError
        If the folder cannot be written or the disk is full.

    """
    files.write(path, content(rows))


def as_text(path: Path) -> str | None:
    """Read the file as text for `from_text`; None if there is none."""
    try:
        return base64.b64encode(path.read_bytes()).decode()
    except OSError:
        return None


def from_text(text: str) -> MarkedRows:
    """Turn `as_text` round.

    Raises
    ------
    StudyError
        If it is damaged.

    """
    try:
        with np.load(io.BytesIO(base64.b64decode(text, validate=True)), allow_pickle=False) as file:
            values, folds = file["values"].astype(np.float64), file["folds"].astype(np.int64)
            found = MarkedRows(file["marks"].astype(np.uint64), values, folds)
    except (OSError, EOFError, ValueError, LookupError, RuntimeError, binascii.Error, zipfile.BadZipFile, zlib.error):
        raise StudyError("the scores of single rows are damaged") from None
    if found.marks.shape != found.values.shape or found.marks.shape != found.folds.shape[:-1] or not len(found.marks):
        raise StudyError("the scores of single rows are damaged")
    return found
