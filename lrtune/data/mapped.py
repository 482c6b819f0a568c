"""Arrays in temporary files, which worker processes of this machine map as well, in place of a copy for each.

The files have no name, so that nothing is left of them in the end, as those of `lrtune.data.scratch`.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import weakref

import numpy as np

from lrtune.arrays import Array, Mapped, Rows, row_type
from lrtune.data.scratch import room
from lrtune.text.errors import DataError

SHARED_FROM = 2**20
"""Bytes from which on an array is better in a file than copied into every worker process (1 MB)."""


def allocated(shape: tuple[int, ...], dtype: str) -> Array:
    """Make an array in a new temporary file.

    Raises
    ------
    DataError
        There is no room for it.

    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if not size:
        return np.empty(shape, dtype)
    with room():
        file = tempfile.TemporaryFile()  # noqa: SIM115 - it is open as long as the array lives
        try:
            # The whole room now: a disk that is full when a page is written ends the process without a word.
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
        except OSError:
            file.close()
            raise
    found = np.memmap(file, dtype, "r+", shape=shape).view(Mapped)
    if sys.platform == "linux":
        found.file = (f"/proc/{os.getpid()}/fd/{file.fileno()}", dtype, shape)
    weakref.finalize(found, file.close)
    return found


def shared(shape: tuple[int, ...], dtype: str) -> Array:
    """Make an array: of a large one in a temporary file, if there is room."""
    if np.prod(shape, dtype=float) * np.dtype(dtype).itemsize > SHARED_FROM:
        with contextlib.suppress(DataError):
            return allocated(shape, dtype)
    return np.empty(shape, dtype)


def kept_numbers(rows: Rows) -> Rows:
    """Move many row numbers into a temporary file, as narrow as they may be; few stay as they are."""
    is_done = isinstance(rows, Mapped) or rows.nbytes <= SHARED_FROM
    return rows if is_done else kept(rows.astype(row_type(int(rows.max()))))


def kept(array: Array) -> Array:
    """Move a large array into a temporary file, if there is room and it is in none."""
    if isinstance(array, Mapped) or array.nbytes <= SHARED_FROM:
        return array
    found = shared(array.shape, array.dtype.name)
    found[...] = array
    return found
