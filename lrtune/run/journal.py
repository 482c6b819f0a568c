"""The study's memory: an append-only table of events in SQLite.

An event is a kind and a JSON body; what a study *is* follows from replaying them (`lrtune.run.study`). A transaction is
on the disk before it counts (``synchronous=FULL``), so that a power cut can only lose what was never reported as done.
Every row carries a checksum of itself and of the rows before it: a disk that changes or loses one is found out.

The key ``clock`` of a body holds times. Two studies are the same when their `canonical` content is: the events without
clocks, in an order that does not depend on who finished first.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from lrtune.run.bodies import CLOCK, Body
from lrtune.run.database import (
    Rescued,
    connect,
    end_rescue,
    explaining,
    identity_of,
    insert,
    numbered,
    opened_for_writing,
    rescued,
    rows_behind,
)
from lrtune.run.lock import Lock
from lrtune.text.errors import DamagedError, StudyError

__all__ = ["Event", "Journal", "canonical"]


class Event(NamedTuple):
    """Something that happened to a study: a kind and a JSON-like body."""

    kind: str
    body: Body


def canonical(events: Iterable[Event]) -> tuple[str, ...]:
    """Tell what the events say, whenever and in whatever order they were written."""
    return tuple(sorted(_dump([each.kind, _without_clock(each.body)]) for each in events))


def _without_clock(body: Body) -> Body:
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
        Writers create the file, migrate it and hold the lock of its folder until they close. The lock belongs to the
        process: a process that dies cannot hold it. Readers need no lock and may look while a writer works.
    rescue
        Whether a writer puts a damaged file aside, as ``study.db.damaged-1``, and goes on with the events up to the
        damage; ``rescued`` tells of it. Since everything else follows from these, nothing is lost but time.
    lock
        Of the folder, where the writer holds it already, and longer than the journal is open.

    Raises
    ------
    DamagedError
        If the file is damaged, and not rescued.
    StudyError
        If another process is writing, the folder cannot be written, or a newer lrtune or another program made the file.

    """

    def __init__(self, path: Path, *, write: bool = False, rescue: bool = False, lock: Lock | None = None) -> None:
        self.path = path
        self.rescued: Rescued | None = None
        self._lock = Lock(path.parent) if write and lock is None else None
        try:
            self._open(write=write, rescue=rescue)
        except BaseException:
            self._release()
            raise

    def _open(self, *, write: bool, rescue: bool) -> None:
        if not write:
            self._connection = connect(self.path, write=False)
            return
        with explaining(self.path):
            end_rescue(self.path)
        try:
            self._connection, self._last = opened_for_writing(self.path)
        except DamagedError:
            if not rescue:
                raise
            with explaining(self.path):
                self.rescued = rescued(self.path)
            self._connection, self._last = opened_for_writing(self.path)
        self._file = identity_of(self.path)

    def append(self, events: Sequence[Event]) -> list[Event]:
        """Write the events in one transaction: after this returns they survive a power cut; before, none exists.

        Returns
        -------
        list
            The events as they will be read back, so that a study is the same live and replayed.

        """
        if identity_of(self.path) != self._file:
            raise StudyError(
                f"{self.path}: was moved or deleted while this process worked on it; what was recorded before is where "
                "it is now, and the same command goes on from there"
            )
        rows = list(numbered(self._last, ((each.kind, _dump(dict(each.body))) for each in events)))
        with explaining(self.path):
            insert(self._connection, rows)
        self._last = rows[-1] if rows else self._last
        return [Event(row.kind, json.loads(row.body)) for row in rows]

    def events(self, after: int = 0) -> list[Event]:
        """Read all events in the order of writing, or those behind the first ``after``."""
        with explaining(self.path):
            rows = list(rows_behind(self._connection, after))
            bodies = json.loads(f"[{','.join(row.body for row in rows)}]")  # in one go: half the time of one by one
        return [Event(row.kind, body) for row, body in zip(rows, bodies, strict=True)]

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
