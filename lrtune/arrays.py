"""What all that computes shares: types of arrays, the addresses of all random streams, one BLAS thread.

A stream is ``default_rng([seed, PURPOSE, ...])``: every draw has an address, so that no draw depends on which others
were made. Purposes are unique, and stand here and nowhere else.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Floats: TypeAlias = NDArray[np.floating[Any]]
Doubles: TypeAlias = NDArray[np.float64]
Singles: TypeAlias = NDArray[np.float32]
Integers: TypeAlias = NDArray[np.int64]
Rows: TypeAlias = NDArray[np.signedinteger[Any]]
"""Numbers of rows of a table; of many rows as narrow as they may be (`row_type`)."""

INITIAL = 1
"""Initial parameters: ``[seed, INITIAL, fold]``."""

ORDER = 2
"""Order of the rows, which makes the mini-batches: ``[seed, ORDER, fold, epoch]``."""

DROPOUT = 3
"""Uniforms that switch units off: ``[seed, DROPOUT, fold, epoch]``, step after step."""

VALIDATION = 4
"""Which validation rows the range test looks at, where a fold has many: ``[seed, VALIDATION, fold]``."""

WATCHED = 5
"""Training rows that a plateau decay watches: ``[seed, WATCHED, fold]``."""

CURVES = 6
"""Rows that learning curves look at, of training (0) and validation (1): ``[seed, CURVES, fold, kind]``."""

SAMPLING = 11
"""What to try next: ``[seed, SAMPLING, trial, ...]``."""

IMPORTANCE = 13
"""Which dimensions mattered: ``[seed, IMPORTANCE, trials]``."""

FOLDS = 21
"""Seeds of the folds: ``[seed, FOLDS]``."""

HOLDOUT = 22
"""Seed of the test rows: ``[seed, HOLDOUT]``."""

INTERVAL = 31
"""Resamples behind the finder's interval: ``[seed, INTERVAL]``."""

FEWER_ROWS = 33
"""Training rows of a fold in their order, of which the first ones are kept: ``[seed, FEWER_ROWS, fold]``."""

KEPT_ROWS = 32
"""Rows whose out-of-fold predictions are kept, where there are many: ``[seed, KEPT_ROWS]``."""

CORRECTION = 41
"""Resamples behind a corrected score: ``[seed, CORRECTION]``."""

THINNING = 42
"""Rows that a correction looks at, where there are more than it can: ``[seed, THINNING]``."""

CONFIRMATION = 51
"""Seed of the fresh splits: ``[seed, CONFIRMATION]``."""

CONTROL = 53
"""Seed of the fresh split of the controlled pairs: ``[seed, CONTROL]``."""

ANCHORS = 54
"""Training rows that a linear anchor sees, where a fold has many: ``[seed, ANCHORS, fold]``."""

FITS = 61
"""Seeds of the fits of other trainers than lrtune's own: ``[seed, FITS, fold]``."""

EVALUATION = 71
"""Resamples of the rows that a model is evaluated on: ``[0, EVALUATION, rows]``."""

NESTED = 52
"""Seed of the outer folds: ``[seed, NESTED]``."""


_FEW_ROWS = 2**16


class Mapped(np.ndarray[Any, Any]):
    """An array that is the content of a file; what is taken from it is a plain array.

    Processes of this machine may be sent the ``file`` in place of the content (`by_file`).
    """

    file: tuple[str, str, tuple[int, ...]] | None = None

    def __getitem__(self, key: Any) -> Any:
        """Take a part."""
        return np.asarray(self)[key]

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Send the content."""
        return np.asarray(self).__reduce_ex__(protocol)


def opened(path: str, dtype: str, shape: tuple[int, ...]) -> Mapped:
    """Map a file as an array that is only read."""
    found = np.memmap(path, dtype, "r", shape=shape).view(Mapped)
    found.file = (path, dtype, shape)
    return found


def by_file(array: Mapped) -> Any:
    """Reduce a mapped array to its file, for `pickle`; to its content where that has no name."""
    return array.__reduce_ex__(2) if array.file is None else (opened, array.file)


def row_type(rows: int) -> np.dtype[np.signedinteger[Any]]:
    """Tell in which type row numbers up to ``rows`` itself are kept: of few as NumPy makes them, of many narrow."""
    return np.dtype(np.int32 if _FEW_ROWS <= rows < 2**31 else np.int64)


def stream(seed: int, purpose: int, *address: int) -> np.random.Generator:
    """Open the stream at an address; all numbers must be non-negative."""
    return np.random.default_rng([seed, purpose, *address])


def one_blas_thread() -> AbstractContextManager[object]:
    """Hold BLAS to one thread: the same product rounds differently on one and two."""
    from threadpoolctl import threadpool_limits

    return cast("AbstractContextManager[object]", threadpool_limits(1, user_api="blas"))
