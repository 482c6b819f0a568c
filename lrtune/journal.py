"""The study's memory: an append-only table of events in SQLite.

An event is a kind and a JSON body; what a study *is* follows from replaying them (`lrtune.study`). A transaction is on
the disk before it counts (``synchronous=FULL``), so that a power cut can only lose what was never reported as done.

The key ``clock`` of a body holds times. Two studies are the same when their `canonical` content is: the events without
clocks, in an order that does not depend on who finished first.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from lrtune.errors import StudyError

CLOCK = "clock"


class Event(NamedTuple):
    """Something that happened to a study: a kind and a JSON-like body."""

    kind: str
    body: Mapping[str, Any]


def _create_events(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL)")


MIGRATIONS = (_create_events,)
"""Applied once each, in order, in one transaction; ``user_version`` counts them. Only ever append."""


def canonical(events: Iterable[Event]) -> tuple[str, ...]:
    """Tell what the events say, whenever and in whatever order they were written."""
    return tuple(sorted(_dump([each.kind, _without_clock(each.body)]) for each in events))


def _without_clock(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != CLOCK}


def _dump(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


class Journal:
    """An open ``study.db``; use as a context manager.

    Parameters
    ----------
    path
        The database file. Its folder must exist.
    write
        Writers create the file, migrate it and hold a lock beside it until they close. The lock belongs to the
        process: a process that dies cannot hold it. Readers need no lock and may look while a writer works.

    Raises
    ------
    StudyError
        If another process is writing, the folder cannot be written, the file is damaged or was made by a newer lrtune.

    """

    def __init__(self, path: Path, *, write: bool = False) -> None:
        self.path = path
        self._lock = _take_lock(path) if write else None
        try:
            self._connection = _connect(path, write=write)
        except BaseException:
            self._release()
            raise

    def append(self, events: Sequence[Event]) -> list[Event]:
        """Write the events in one transaction: after this returns they survive a power cut; before, none exists.

        Returns
        -------
        list
            The events as they will be read back, so that a study is the same live and replayed.

        """
        rows = [(each.kind, _dump(dict(each.body))) for each in events]
        try:
            with self._connection:
                self._connection.executemany("INSERT INTO events (kind, body) VALUES (?, ?)", rows)
        except sqlite3.Error as error:
            raise _explained(error, self.path) from error
        return [Event(kind, json.loads(body)) for kind, body in rows]

    def events(self, after: int = 0) -> list[Event]:
        """Read all events in the order of writing, or those behind the first ``after``."""
        query = "SELECT kind, body FROM events WHERE seq > ? ORDER BY seq"
        try:
            rows = self._connection.execute(query, (after,)).fetchall()
            bodies = json.loads(f"[{','.join(body for _, body in rows)}]")  # in one go: half the time of one by one
            return [Event(kind, body) for (kind, _), body in zip(rows, bodies, strict=True)]
        except (sqlite3.Error, ValueError) as error:
            raise _explained(error, self.path) from error

    def close(self) -> None:
        """Close the file and let go of the lock."""
        self._connection.close()
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _take_lock(path: Path) -> sqlite3.Connection:
    # An open exclusive transaction on a file of its own: the operating system ends it with the process, everywhere.
    lock = path.with_suffix(".lock")
    # Whoever only looks (`is_held`) is gone in a moment: worth a short wait.
    connection = sqlite3.connect(lock, timeout=0.2, isolation_level=None)
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        connection.close()
        if "locked" in str(error):
            raise StudyError(
                f"{path.parent}: another lrtune process works in this folder; wait for it, or choose another --output"
            ) from error
        raise _explained(error, path) from error
    return connection


def is_held(path: Path) -> bool:
    """Tell whether a process holds the writers' lock of this study; looks at the lock without taking it."""
    lock = path.with_suffix(".lock")
    if not lock.is_file():
        return False
    connection = sqlite3.connect(f"{lock.resolve().as_uri()}?mode=ro", uri=True, timeout=0)
    try:
        connection.execute("SELECT name FROM sqlite_master").fetchall()
    except sqlite3.OperationalError as error:
        return "locked" in str(error)
    finally:
        connection.close()
    return False


def _connect(path: Path, *, write: bool) -> sqlite3.Connection:
    if not write and not path.is_file():
        raise StudyError(f"{path.parent}: no study here (it has no {path.name})")
    connection = _open_writable(path) if write else _open_readable(path)
    try:
        if write:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
        _migrate(connection, path, write=write)
    except sqlite3.Error as error:
        connection.close()
        raise _explained(error, path) from error
    except StudyError:
        connection.close()
        raise
    return connection


def _open_writable(path: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(path, timeout=10)
    except sqlite3.Error as error:
        raise _explained(error, path) from error


def _open_readable(path: Path) -> sqlite3.Connection:
    # A log left by a writer that is alive or was killed needs the shared-memory file, which SQLite may have to create;
    # in a folder that cannot be written, a file without such a log is still readable when declared immutable.
    uri = path.resolve().as_uri()
    connection = sqlite3.connect(f"{uri}?mode=ro", uri=True, timeout=10)
    try:
        connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        return sqlite3.connect(f"{uri}?mode=ro&immutable=1", uri=True)
    except sqlite3.Error as error:
        connection.close()
        raise _explained(error, path) from error
    return connection


def _migrate(connection: sqlite3.Connection, path: Path, *, write: bool) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise StudyError(
            f"{path}: made by a newer lrtune (format {version}; this one knows up to {len(MIGRATIONS)}); upgrade lrtune"
        )
    if not write:
        return
    for number, migrate in enumerate(MIGRATIONS[version:], version + 1):
        with connection:
            connection.execute("BEGIN")
            migrate(connection)
            connection.execute(f"PRAGMA user_version={number}")
    # A write that changes nothing: what cannot be written is refused now rather than at the first event.
    connection.execute("BEGIN")
    connection.execute(f"PRAGMA user_version={len(MIGRATIONS)}")
    connection.rollback()


def _explained(error: Exception, path: Path) -> StudyError:
    text = str(error)
    if "full" in text:
        return StudyError(
            f"{path}: the disk is full; everything recorded before is safe, free some space and run the command again"
        )
    if "disk I/O error" in text:
        return StudyError(
            f"{path}: the disk refuses ({text}: it may be full, gone, or limited); everything recorded before is safe, "
            "mend this and run the command again"
        )
    if "readonly" in text or "unable to open" in text:
        return StudyError(f"{path.parent}: cannot write here ({text}); choose another folder with --output")
    if "locked" in text:
        return StudyError(f"{path}: another program holds the database; close it and run the command again")
    return StudyError(f"{path}: not a readable study ({text}); move it away, or start afresh in another folder")
