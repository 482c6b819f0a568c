"""Arrays in files, which several processes of a machine see at once, in a folder that ends with who made it.

The folder is one of the system's for temporary files, or of that in ``LRTUNE_CACHE``. What a process that was killed
has left there is removed by the next one.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import shutil
import tempfile
import weakref
from pathlib import Path

import numpy as np

from lrtune.arrays import Array, mapped
from lrtune.text.errors import DataError

CACHE = "LRTUNE_CACHE"
"""The variable of the environment that names a folder for temporary files, in place of the system's."""

_PREFIX = "lrtune-"
_folders: list[Path] = []
_numbers = itertools.count()


def allocated(shape: tuple[int, ...], dtype: str) -> Array:
    """Make an array in a new file, which goes when nobody in this process holds the array any more.

    Raises
    ------
    DataError
        There is no room for it.

    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if not size:
        return np.empty(shape, dtype)
    path = None
    try:
        path = folder() / f"{next(_numbers)}.bin"
        with path.open("wb") as file:
            # The whole room now: a disk that is full when a page is written ends the process without a word.
            os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        if path is not None:
            path.unlink(missing_ok=True)
        raise DataError(
            f"{tempfile.gettempdir() if path is None else path.parent}: a table takes {size / 1e6:.0f} MB there, which "
            f"cannot be written ({error.strerror}); {CACHE} may name another folder"
        ) from None
    found = mapped(str(path), dtype, shape, "r+")
    weakref.finalize(found, _remove, path)
    return found


def folder() -> Path:
    """Get the folder of this process for temporary files."""
    if not _folders or not _folders[-1].name.startswith(_own()):
        base = Path(os.environ.get(CACHE) or tempfile.gettempdir())
        _sweep(base)
        _folders.append(Path(tempfile.mkdtemp(prefix=_own(), dir=base)))
        atexit.register(shutil.rmtree, _folders[-1], ignore_errors=True)
    return _folders[-1]


def _own() -> str:
    return f"{_PREFIX}{os.getpid()}-"


def _sweep(base: Path) -> None:
    """Remove what processes that are gone have left."""
    for each in base.glob(f"{_PREFIX}[0-9]*-*"):
        pid = each.name.removeprefix(_PREFIX).partition("-")[0]
        with contextlib.suppress(OSError):
            if pid.isdigit() and each.stat().st_uid == os.getuid() and not Path("/proc", pid).exists():
                shutil.rmtree(each, ignore_errors=True)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
