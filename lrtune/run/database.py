"""A study's events as rows of SQLite: opened, checked, migrated, rescued.

Every row carries a checksum of itself and of the rows before it: a disk that changes or loses one is found out.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from lrtune.run.disks import is_shared
from lrtune.text.errors import DamagedError, NoStudyError, StudyError


class Row(NamedTuple):
    """An event as it is stored; ``checksum`` covers this row and all before it."""

    seq: int
    kind: str
    body: str
    checksum: int


START = Row(0, "", "", 0)
"""What stands before the first row."""


def _create_events(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL)")


def _add_checksums(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE events ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0")
    old = connection.execute("SELECT kind, body FROM events ORDER BY seq").fetchall()
    connection.execute("DELETE FROM events")
    connection.executemany(_INSERT, numbered(START, old))


_INSERT = "INSERT INTO events (seq, kind, body, checksum) VALUES (?, ?, ?, ?)"

MIGRATIONS = (_create_events, _add_checksums)
"""Applied once each, in order, in one transaction; ``user_version`` counts them. Only ever append."""


_PATIENCE = 10.0
"""Seconds to wait for another program that holds the database."""

_NEWEST = 1000
"""A format beyond this is no format but damage."""

_WRITE_VERSIONS, _WRITE_VERSION_AT = (1, 2), 18
"""What SQLite has in this byte of a file; with another one it takes the file for one it may only read."""


def numbered(last: Row, events: Iterable[tuple[str, str]]) -> Iterator[Row]:
    """Make rows of kinds and bodies, to stand behind the row ``last``."""
    for kind, body in events:
        last = Row(last.seq + 1, kind, body, _checksum(last.checksum, last.seq + 1, kind, body))
        yield last


def _checksum(before: int, seq: int, kind: str, body: str) -> int:
    return zlib.crc32(f"{seq} {kind} {body}".encode(), before)


def insert(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Write rows in one transaction: on the disk when this returns, or not there at all."""
    with connection:
        connection.executemany(_INSERT, rows)


class Rescued(NamedTuple):
    """What became of a damaged study: the file it is kept as, and how many of its events could be read."""

    kept: Path
    events: int


def identity_of(path: Path) -> tuple[int, int] | None:
    """Tell a file from another one of the same name; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def rows_behind(connection: sqlite3.Connection, after: int = 0) -> Iterator[Row]:
    """Yield the rows behind the first ``after``; a `ValueError` ends what is intact."""
    columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(events)")]
    if not columns and connection.execute("PRAGMA user_version").fetchone() == (0,):
        return  # the process that was making it was stopped
    if "checksum" not in columns:  # the first format: a reader does not migrate
        old = connection.execute("SELECT kind, body FROM events WHERE seq > ? ORDER BY seq", (after,))
        yield from numbered(START._replace(seq=after), old)
        return
    (last,) = connection.execute("SELECT checksum FROM events WHERE seq = ?", (after,)).fetchone() or (0,)
    found = connection.execute("SELECT seq, kind, body, checksum FROM events WHERE seq > ? ORDER BY seq", (after,))
    for expected, row in enumerate(map(Row._make, found), after + 1):
        last = _checksum(last, expected, row.kind, row.body)
        if (expected, last) != (row.seq, row.checksum):
            raise ValueError(f"event {expected} is not what was written")
        yield row


def opened_for_writing(path: Path) -> tuple[sqlite3.Connection, Row]:
    """Open, and read everything once: who appends must know that what is there is intact, and how it ends."""
    connection = connect(path, write=True)
    try:
        last = START
        with explaining(path):
            for last in rows_behind(connection):
                json.loads(last.body)
    except BaseException:
        connection.close()
        raise
    return connection, last


def rescued(path: Path) -> Rescued:
    """Write the intact events into a file of their own, put the damaged one aside, and the new one in its place."""
    rows = list(_intact(path))
    new = _rescue_name(path)
    new.unlink(missing_ok=True)
    with contextlib.closing(connect(new, write=True)) as connection:
        insert(connection, rows)
        connection.execute("PRAGMA journal_mode=DELETE")  # one file, which can be moved
    number = 1
    while (kept := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for log in ("-wal", "-shm", ""):
        if (part := path.with_name(path.name + log)).exists():
            part.replace(kept.with_name(kept.name + log))
    new.replace(path)
    return Rescued(kept, len(rows))


def _rescue_name(path: Path) -> Path:
    return path.with_name(path.name + ".rescued")


def end_rescue(path: Path) -> None:
    """Finish a rescue that a crash interrupted: the new file is whole once the damaged one is out of the way."""
    if not path.exists() and _rescue_name(path).exists():
        _rescue_name(path).replace(path)


def _intact(path: Path) -> Iterator[Row]:
    """Read a damaged file up to the damage."""
    with contextlib.suppress(sqlite3.Error, ValueError, StudyError), contextlib.closing(_open_readable(path)) as found:
        for row in rows_behind(found):
            json.loads(row.body)
            yield row


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """Open a study's database, made and migrated if need be when it is for writing."""
    if not write and not path.is_file():
        raise NoStudyError(f"{path.parent}: no study here (it has no {path.name})")
    connection = _open_writable(path) if write else _open_readable(path)
    try:
        _refuse(connection, path)
        if write:
            connection.execute(f"PRAGMA journal_mode={'DELETE' if is_shared(path) else 'WAL'}")
            connection.execute("PRAGMA synchronous=FULL")
            _migrate(connection)
    except (sqlite3.Error, ValueError) as error:
        connection.close()
        raise explained(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _open_writable(path: Path) -> sqlite3.Connection:
    with explaining(path):
        return sqlite3.connect(path, timeout=_PATIENCE, check_same_thread=False)  # who shares it takes turns


def _open_readable(path: Path) -> sqlite3.Connection:
    # A log left by a writer that is alive or was killed needs the shared-memory file, which SQLite may have to create
    # and writes its marks into. Without such a log the file is declared immutable: looking leaves nothing behind.
    try:
        path.open("rb").close()
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror})") from error
    uri = path.resolve().as_uri()
    if not _has_log(path):
        return sqlite3.connect(f"{uri}?mode=ro&immutable=1", uri=True)
    connection = sqlite3.connect(f"{uri}?mode=ro", uri=True, timeout=_PATIENCE)
    try:
        connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        return sqlite3.connect(f"{uri}?mode=ro&immutable=1", uri=True)
    except sqlite3.Error as error:
        connection.close()
        raise explained(error, path) from error
    return connection


def _has_log(path: Path) -> bool:
    """Tell whether a writer that is alive, or was killed, has left something that is not in the database yet."""
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size > 0
    except OSError:
        return False


def _refuse(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse what is not ours to read; what is ours and cannot be right is a `ValueError`."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master")]
    with path.open("rb") as file:
        head = file.read(_WRITE_VERSION_AT + 1)
    if len(head) > _WRITE_VERSION_AT and head[_WRITE_VERSION_AT] not in _WRITE_VERSIONS:
        raise ValueError("its header is damaged")
    if version == 0 and tables and "events" not in tables:
        raise StudyError(f"{path}: a database of another program; choose another folder with --output")
    if (version == 0 and tables) or not 0 <= version < _NEWEST:
        raise ValueError("its version is damaged")
    if version > len(MIGRATIONS):
        raise StudyError(
            f"{path}: made by a newer lrtune (format {version}; this one knows up to {len(MIGRATIONS)}); upgrade lrtune"
        )


def _migrate(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number, migrate in enumerate(MIGRATIONS[version:], version + 1):
        with connection:
            connection.execute("BEGIN")
            migrate(connection)
            connection.execute(f"PRAGMA user_version={number}")
    # A write that changes nothing: what cannot be written is refused now rather than at the first event.
    connection.execute("BEGIN")
    connection.execute(f"PRAGMA user_version={len(MIGRATIONS)}")
    connection.rollback()


@contextlib.contextmanager
def explaining(path: Path) -> Iterator[None]:
    """Turn what SQLite and the disk say into a sentence that tells what to do."""
    try:
        yield
    except (sqlite3.Error, ValueError, OSError) as error:
        raise explained(error, path) from error


def explained(error: Exception, path: Path) -> StudyError:
    """Make a sentence of an error of SQLite or of the disk."""
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
    if "readonly" in text or "unable to open" in text or isinstance(error, OSError):
        return StudyError(f"{path.parent}: cannot write here ({text}); choose another folder with --output")
    if "locked" in text:
        return StudyError(f"{path}: another program holds the database; close it and run the command again")
    return DamagedError(
        f"{path}: not a readable study ({text}); the `lrtune search` that made it keeps it as {path.name}.damaged-1 "
        "and goes on with what can be read"
    )
