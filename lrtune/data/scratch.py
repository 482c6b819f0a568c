"""Temporary files for what is too large for the memory: without a name, so that nothing is left of them in the end.

They lie in the folder that the system has for such files (``TMPDIR``), and are gone with whoever holds them, also after
an error and where the process is killed.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import weakref
from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple

import numpy as np
import numpy.typing as npt

from lrtune.arrays import Array
from lrtune.text.errors import DataError

PIECES_FROM = 1 << 26
"""Bytes from which on a table is not held in memory, but read in pieces (64 MB)."""

PIECE = 1 << 24
"""So many bytes of a text are in memory at a time (16 MB)."""


class Span(NamedTuple):
    """Where something lies in a file: its first byte, and how many there are."""

    start: int
    size: int


class Scratch:
    """A temporary file that grows; what was put into it is read by its place, from any thread."""

    def __init__(self) -> None:
        with room():
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it is open as long as this lives
        self._lock = threading.Lock()
        self._end = 0
        weakref.finalize(self, self._file.close)

    def put(self, content: bytes | Array) -> Span:
        """Append bytes, or those of an array.

        Raises
        ------
        DataError
            There is no room.

        """
        view = np.frombuffer(content, np.uint8) if isinstance(content, bytes) else np.ascontiguousarray(content)
        with self._lock, room():
            self._file.seek(self._end)
            self._file.write(view.data)
            self._file.flush()
            place = Span(self._end, view.nbytes)
            self._end += place.size
        return place

    def get(self, place: Span) -> bytes:
        """Read bytes."""
        return self.array(place, np.uint8).tobytes()

    def array(self, place: Span, dtype: npt.DTypeLike) -> Array:
        """Read an array (n,)."""
        found: Array = np.empty(place.size // np.dtype(dtype).itemsize, dtype)
        with self._lock, room():
            self._file.seek(place.start)
            self._file.readinto(found.data)
        return found


class Spooled:
    """A text that can be read again and again, though it comes once; a large one lies in a temporary file."""

    def __init__(self, text: Iterable[bytes], piece: int) -> None:
        self._file, self._piece = spooled(text), piece
        weakref.finalize(self, self._file.close)

    def __iter__(self) -> Iterator[bytes]:
        """Read it, so many bytes at a time."""
        self._file.seek(0)
        while each := self._file.read(self._piece):
            yield each


def spooled(content: Iterable[bytes]) -> IO[bytes]:
    """Write what comes in pieces to a file, in memory as long as it is small; whoever asked closes it.

    Raises
    ------
    DataError
        There is no room.

    """
    file = tempfile.SpooledTemporaryFile(max_size=PIECES_FROM)  # noqa: SIM115 - the caller closes it
    try:
        for each in content:
            with room():
                file.write(each)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def size_of(file: IO[bytes]) -> int:
    """Tell how many bytes a file has, and leave it where it is."""
    place = file.tell()
    size = file.seek(0, 2)
    file.seek(place)
    return size


@contextlib.contextmanager
def room() -> Iterator[None]:
    """Say what a full disk means.

    Raises
    ------
    DataError
        There is no room for a temporary file.

    """
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{_folder()}: the folder for temporary files cannot be used ({error.strerror or error}), and what is read "
            "is too large for the memory: make room there, or name another folder in TMPDIR"
        ) from None


def _folder() -> str:
    """Name the folder for temporary files; where TMPDIR is none, or not to be written to, it is the system's."""
    with contextlib.suppress(OSError):
        return tempfile.gettempdir()
    return os.environ.get("TMPDIR", "TMPDIR")
