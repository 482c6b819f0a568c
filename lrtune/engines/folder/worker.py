"""Who takes blocks from the folder: one process that answers for a block, and another one that runs it.

So a block that kills its process, or hangs, ends like one of a local worker; and the counter goes on meanwhile.
"""

from __future__ import annotations

import contextlib
import math
import os
import secrets
import socket
import time
import typing
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lrtune.engines import packing
from lrtune.engines.contract import Compare, Done, EngineError, Function, Limit, refusal
from lrtune.engines.folder import layout
from lrtune.engines.folder.layout import DONE, PARENT, READY, SHARED, TAKEN, WORKERS, Backoff, BlockName, Pulse
from lrtune.engines.local import Loky

Opened = tuple[Function, object]
"""A function, and what all its blocks share."""


class Joining(NamedTuple):
    """What a worker takes part in.

    Attributes
    ----------
    folder
        Where the blocks are.
    open
        Reads a file of what blocks share, and gives it with the function that runs them; importable by name.
    compare
        As in `Site`.
    patience
        Seconds that it waits for a parent that is not there, or does not go on.

    """

    folder: Path
    open: Callable[[Path], Opened]
    compare: Compare
    patience: float


class _Opening(NamedTuple):
    """What the process that runs blocks needs to know; it opens the rest by itself, so that there is one copy of it."""

    folder: Path
    open: Callable[[Path], Opened]


_HEAD = tuple[str, float, Any]
"""A block: the hash of what is shared, how long it may run (seconds), and what is to be done."""

_NETWORK = 60.0
"""Seconds after which a file must have arrived that another machine has written."""

_SHORT = 3.0
"""Seconds: of a shorter wait between two blocks nobody is told."""

_LINGER = 10.0
"""Seconds that a new worker waits where all was done before: whoever has more to do may be about to say so."""

_opened: dict[str, Opened] = {}  # in the process that runs blocks: what the present ones share, by its hash


def run_block(opening: _Opening, content: bytes) -> bytes | str:
    """Run a block as it stands in its file; gives the file of its value, or why this worker can run none."""
    name, _, _ = packing.read(_HEAD, content)
    if name not in _opened:
        _opened.clear()
        path = opening.folder / SHARED / f"{name}.npz"
        try:
            if not _is_whole(path, name):
                return f"{path}: is not what was written; is the folder the same on this machine?"
            _opened[name] = opening.open(path)
        except (OSError, EngineError) as error:
            return str(error)
    function, shared = _opened[name]
    _, form, _ = typing.get_type_hints(function).values()
    payload = packing.read(tuple.__class_getitem__((str, float, form)), content)[2]
    return packing.to_bytes(function(shared, payload))


def _is_whole(path: Path, name: str) -> bool:
    """Wait until a file is what its name says, as folders on networks may show it late."""
    end = time.monotonic() + _NETWORK
    while not path.exists() or layout.hash_of_file(path) != name:
        if time.monotonic() >= end:
            return False
        time.sleep(layout.LONGEST)
    return True


def said_by_parent(folder: Path) -> Mapping[str, Any]:
    """Read what workers must know; empty before anybody has given out blocks."""
    found: Mapping[str, Any] = (layout.get_json(folder / PARENT) or {}).get("about", {})
    return found


class _Lease(NamedTuple):
    """A block in the hands of this worker."""

    name: BlockName
    path: Path
    content: bytes

    @property
    def limit(self) -> Limit:
        """How long it may run."""
        return Limit(packing.read(_HEAD, self.content)[1])


class FolderWorker:
    """One worker, which has one block at a time."""

    def __init__(self, work: Joining) -> None:
        self.work = work
        host = "".join(each if each.isalnum() else "-" for each in socket.gethostname())[:40]
        self.name = f"{host}-{os.getpid()}-{secrets.token_hex(2)}"
        self.blocks = 0
        self._pulse = Pulse()
        self._pace = Backoff()
        self._token = ""
        self._remark = ""
        self._rhythm = layout.rhythm()
        self._count = 0
        self._beaten_at = -float("inf")
        self._loky: Loky | None = None

    def run(self) -> Iterator[str]:
        """Take blocks until there are no more; yields sentences on what it does.

        Raises
        ------
        EngineError
            If it must not take part, or nobody gives out blocks for longer than its patience.

        """
        begun = since = time.monotonic()
        told, idle = "", -math.inf
        linger = min(_LINGER, self.work.patience)
        try:
            while True:
                parent = layout.get_json(self.work.folder / PARENT)
                state = self._state(parent)
                if state == layout.FINISHED and (self._token or time.monotonic() - begun > linger):
                    yield "there is nothing left to do"
                    return
                if state == layout.OPEN and parent is not None:
                    since = time.monotonic()
                    self._meet(parent)
                    self._beat()
                    lease = self._take()
                    if lease is not None:
                        yield from self._serve(lease)
                        told, idle = "", time.monotonic()
                        self._pace.again()
                        continue
                    sentence = "waits for a block"
                else:
                    self._beat()
                    left = self.work.patience - (time.monotonic() - since)
                    if left < 0:
                        raise EngineError(
                            f"{self.work.folder.parent}: nobody has given out blocks for {self.work.patience:g} s; "
                            "this worker leaves"
                        )
                    sentence = f"nobody gives out blocks at present; waits for {self.work.patience:g} s"
                if sentence != told and time.monotonic() - idle > _SHORT:
                    yield sentence
                    told = sentence
                self._pace.wait()
        finally:
            self._leave()

    def _state(self, parent: Mapping[str, Any] | None) -> str:
        """Tell how it is with the parent, by the clock of this process."""
        if parent is None:
            return layout.STOPPED
        self._pulse.see(PARENT, (parent["token"], parent["count"]))
        if parent["state"] == layout.OPEN and self._pulse.silence(PARENT) > parent["stale"]:
            return layout.STOPPED
        return str(parent["state"])

    def _meet(self, parent: Mapping[str, Any]) -> None:
        """Look at a parent that is new."""
        if parent["token"] != self._token:
            lacks, self._remark = self.work.compare(parent["about"])
            if refused := refusal(lacks, self._remark, mixed=parent["mixed"]):
                raise EngineError(f"{self.name} {refused}")
            self._token = parent["token"]
            self._rhythm = layout.Rhythm(parent["beat"], parent["stale"])
            self._beaten_at = -float("inf")

    def _beat(self) -> None:
        """Rewrite the counter, if it is time."""
        if time.monotonic() - self._beaten_at < self._rhythm.beat:
            return
        self._beaten_at = time.monotonic()
        self._count += 1
        with contextlib.suppress(OSError):  # the folder is away for a moment, or nobody has opened it yet
            layout.put_json(self.work.folder / WORKERS / self.name, {"count": self._count, "remark": self._remark})

    def _take(self) -> _Lease | None:
        """Take the first block that nobody takes before."""
        for each in layout.names(self.work.folder / READY):
            found = layout.named(each)
            if found is None or found[0].token != self._token:
                continue
            path = self.work.folder / TAKEN / found[0].taken_by(self.name)
            with contextlib.suppress(OSError):  # another worker was faster, or it was called off
                (self.work.folder / READY / each).rename(path)
            with contextlib.suppress(OSError):  # over a network a renaming may succeed and say that it did not
                return _Lease(found[0], path, path.read_bytes())
        return None

    def _serve(self, lease: _Lease) -> Iterator[str]:
        """Run a block and put its result there."""
        self.blocks += 1
        number = f"block {lease.name.number}" + (" (once more)" if lease.name.attempt > 1 else "")
        yield f"{number} begins"
        done = self._run(lease)
        if done is None:
            yield f"{number} was called off"
            return
        if isinstance(done.value, str):
            raise EngineError(done.value)
        self._put(lease, done)
        ending = "took longer than it may" if done.overdue else f"failed: {done.failure}"
        yield f"{number} took {done.seconds:.1f} s" if done.value is not None else f"{number} {ending}"

    def _run(self, lease: _Lease) -> Done | None:
        """Run a block in a process of its own; None if it was called off."""
        if self._loky is None:
            self._loky = Loky(run_block, _Opening(self.work.folder, self.work.open), 1)
        self._loky.submit(lease.name.number, lease.content, lease.limit)
        while True:
            done = self._loky.next_done(timeout=min(1.0, self._rhythm.beat / 4))
            if done is not None:
                return done
            self._beat()
            if not lease.path.exists():
                self._loky.close()
                self._loky = None
                return None

    def _put(self, lease: _Lease, done: Done) -> None:
        """Write a result, its value first; then the lease ends."""
        said = {"by": self.name, "sha256": "", "remark": self._remark, "seconds": done.seconds}
        said |= {"failure": done.failure, "overdue": done.overdue}
        path = self.work.folder / DONE / f"{lease.name}.json"
        with contextlib.suppress(FileNotFoundError):  # the parent has left, and taken the folder with it
            if done.value is not None:
                layout.put(path.with_suffix(".npz"), done.value)
                said["sha256"] = layout.hash_of(done.value)
            layout.put_json(path, said)
        layout.forget(lease.path)

    def _leave(self) -> None:
        """Give back what this worker has, and be gone."""
        for each in layout.names(self.work.folder / TAKEN):
            found = layout.named(each)
            if found is not None and found[1] == self.name:
                with contextlib.suppress(OSError):
                    (self.work.folder / TAKEN / each).rename(self.work.folder / READY / str(found[0]))
        if self._loky is not None:
            self._loky.close()
        layout.forget(self.work.folder / WORKERS / self.name)
