"""One writer for each folder: whoever changes anything in a run holds its lock from the first file to the last.

The lock is an open exclusive transaction on a file of its own: the operating system ends it with the process,
everywhere.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Self

from lrtune.run.database import explained, explaining
from lrtune.run.files import make_folder, refuse_links
from lrtune.run.names import LOCK
from lrtune.text.errors import StudyError

_PATIENCE = 0.2
"""Seconds: whoever only looks (`is_held`) is gone in a moment, which is worth a short wait."""


class Lock:
    """The writers' lock of a folder, which is made if need be; holds until it is closed; use as a context manager.

    Parameters
    ----------
    folder
        Which one.
    option
        What names it on the command line.

    Raises
    ------
    StudyError
        If another process holds it, the folder cannot be written, or a file of it is a link that would be followed.

    """

    def __init__(self, folder: Path, option: str = "--output") -> None:
        self.folder = folder
        make_folder(folder)
        refuse_links(folder)
        path = folder / LOCK
        with explaining(path):
            self._connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            self._take(path)
        except (sqlite3.Error, OSError) as error:
            self._connection.close()
            if "locked" in str(error):
                raise StudyError(
                    f"{folder}: another lrtune process works in this folder; wait for it, or choose another {option}"
                ) from error
            raise explained(error, path) from error

    def _take(self, path: Path) -> None:
        try:
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if "not a database" not in str(error):
                raise
            os.truncate(path, 0)  # nobody holds it, or it would be called locked; and it needs no content
            self._connection.execute("BEGIN EXCLUSIVE")

    def close(self) -> None:
        """Let go."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def is_held(folder: Path) -> bool:
    """Tell whether a process holds the lock of this folder; looks at the lock without taking it."""
    path = folder / LOCK
    if not path.is_file():
        return False
    uri = f"{path.resolve().as_uri()}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=0)) as connection:
            connection.execute("SELECT name FROM sqlite_master").fetchall()
    except sqlite3.DatabaseError as error:  # or it is another user's and cannot be opened; nor can the study then
        return "locked" in str(error)
    return False
