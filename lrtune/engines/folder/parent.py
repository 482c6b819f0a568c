"""Who gives out the blocks: puts them into the folder, watches who has them, and takes the results."""

from __future__ import annotations

import contextlib
import math
import secrets
import shutil
import threading
import time
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrtune.engines import packing
from lrtune.engines.contract import UNLIMITED, Done, EngineError, Function, Limit, Site
from lrtune.engines.folder import layout
from lrtune.engines.folder.layout import DONE, PARENT, READY, SHARED, TAKEN, WORKERS, Backoff, BlockName, Pulse

LONGEST_WAIT = 0.05
"""Seconds between two looks for a result: at the end of a round, all workers wait for the one who looks."""

ATTEMPTS = 2
"""A block that was lost with its worker is given out once more."""

LOST = f"its worker was lost {ATTEMPTS} times (killed, out of memory, or cut off from the folder)"


class FolderPlace:
    """The folder, open for workers.

    Parameters
    ----------
    site
        Says where it is, and what workers must know.

    Raises
    ------
    EngineError
        If it cannot be written.

    """

    def __init__(self, site: Site) -> None:
        assert site.folder is not None
        self.folder: Path = site.folder
        self.token = secrets.token_hex(4)
        self.remarks: dict[str, str] = {}
        self.rhythm = layout.rhythm()
        self.results: dict[tuple[int, int], tuple[str, str]] = {}
        self.pulse = Pulse()
        self._said = {"about": dict(site.about), "mixed": site.mixed}
        self._stages = 0
        self._count = 0
        self._waits = False
        self._looked_at = -math.inf
        self._writing = threading.Lock()
        self._over = threading.Event()
        try:
            for each in (READY, TAKEN, DONE, WORKERS):
                shutil.rmtree(self.folder / each, ignore_errors=True)
            for each in (READY, TAKEN, DONE, WORKERS, SHARED):
                (self.folder / each).mkdir(parents=True, exist_ok=True)
            self._say(layout.OPEN)
        except OSError as error:
            raise EngineError(f"{self.folder}: cannot be written ({error.strerror or error})") from error
        threading.Thread(target=self._beat, daemon=True).start()

    def _beat(self) -> None:
        while not self._over.wait(self.rhythm.beat):
            with contextlib.suppress(OSError):  # a folder that is away for a moment; workers wait
                self._say(layout.OPEN)

    def _say(self, state: str) -> None:
        with self._writing:
            self._count += 1
            said = {"count": self._count, "token": self.token, "state": state, **self._said}
            said |= {**self.rhythm._asdict(), "workers": len(self.pulse), "waits": self._waits}
            layout.put_json(self.folder / PARENT, said)

    @property
    def cores(self) -> int:
        """The workers that are there now."""
        self.look()
        return max(1, len(self.pulse))

    def look(self, *, outstanding: bool = False) -> None:
        """See which workers live, and say so where blocks are outstanding and there is none."""
        every = min(1.0, self.rhythm.beat / 4)
        if time.monotonic() - self._looked_at < every:
            return
        self._looked_at = time.monotonic()
        there = set()
        for name in layout.names(self.folder / WORKERS):
            said = layout.get_json(self.folder / WORKERS / name)
            if said is not None:
                self.pulse.see(name, said.get("count"))
            if self.pulse.silence(name) <= self.rhythm.stale:
                there.add(name)
            elif said is not None:
                layout.forget(self.folder / WORKERS / name)
        self.pulse.keep(there)
        waits = outstanding and not there
        if waits is not self._waits:
            self._waits = waits
            self._say(layout.OPEN)

    def share(self, shared: object) -> str:
        """Put what all blocks of an executor share into the folder, once; gives the hash of its content."""
        temporary = self.folder / SHARED / f".{self.token}.tmp"
        with _said_of(self.folder):
            with temporary.open("wb") as file:
                packing.write(file, shared)
            name = layout.hash_of_file(temporary)
            temporary.replace(self.folder / SHARED / f"{name}.npz")
        return name

    def start(self, function: Function, shared: object, slots: int) -> FolderExecutor:
        """Give what runs a function on blocks; the types of its parameters and its value say how they are written."""
        self._stages += 1
        return FolderExecutor(self, self._stages, typing.get_type_hints(function)["return"], self.share(shared), slots)

    def close(self, *, finished: bool) -> None:
        """Tell the workers, and clean up: they go on if this was not the end."""
        self._over.set()
        with contextlib.suppress(OSError):
            self._say(layout.FINISHED if finished else layout.STOPPED)
        for each in (READY, TAKEN, DONE, *((SHARED,) if finished else ())):
            shutil.rmtree(self.folder / each, ignore_errors=True)


@dataclass
class _Block:
    """A block that is outstanding: what stands in its file, and the last sign that it is not lost."""

    key: int
    content: bytes
    sign: float
    attempt: int = 1
    lease: str = ""


class FolderExecutor:
    """Runs blocks at whatever workers come."""

    def __init__(self, place: FolderPlace, stage: int, form: Any, shared: str, slots: int) -> None:
        self._place = place
        self._stage = stage
        self._form = form
        self._shared = shared
        self._asked = slots
        self._blocks: dict[int, _Block] = {}  # by their numbers: keys may be given once more
        self._given = 0
        self._failed: list[Done] = []
        self._pace = Backoff()

    @property
    def slots(self) -> int:
        """As many as asked for, or as there are workers."""
        return max(self._asked, len(self._place.pulse))

    @property
    def room(self) -> int:
        """Twice as many, so that no worker waits for its next block, nor one that comes for its first."""
        return 2 * self.slots

    def _name(self, number: int) -> BlockName:
        return BlockName(self._place.token, self._stage, number, self._blocks[number].attempt)

    def submit(self, key: int, payload: object, limit: Limit = UNLIMITED) -> None:
        """Put a block into the folder."""
        content = packing.to_bytes((self._shared, limit.left(), payload))
        self._given += 1
        self._blocks[self._given] = _Block(key, content, time.monotonic())
        self._put(self._given)
        self._pace.again()

    def _put(self, number: int) -> None:
        with _said_of(self._place.folder):
            layout.put(self._place.folder / READY / str(self._name(number)), self._blocks[number].content)

    def next_done(self, timeout: float | None = None) -> Done | None:
        """Wait for the next result; a block whose worker is gone is given out once more.

        Raises
        ------
        EngineError
            If two workers have different results of a block.

        """
        give_up = math.inf if timeout is None else time.monotonic() + timeout
        while self._blocks or self._failed:
            done = self._result()
            if done is not None:
                self._pace.again()
                return done
            self._watch()
            if self._failed:
                return self._failed.pop(0)
            if time.monotonic() >= give_up:
                return None
            self._pace.wait(min(LONGEST_WAIT, give_up - time.monotonic()))
        return None

    def _result(self) -> Done | None:
        """Take a result, if there is one; also compare what comes late with what was taken."""
        folder = self._place.folder / DONE
        for each in layout.names(folder):
            found = named(each)
            if found is None:
                continue
            said = layout.get_json(folder / each)
            if found.token != self._place.token:  # of a parent that was killed
                _forget(folder / each)
            elif said is not None:
                done = self._taken(found, said, folder / each)
                if done is not None:
                    return done
        return None

    def _taken(self, name: BlockName, said: Mapping[str, Any], path: Path) -> Done | None:
        place, of = self._place, (name.stage, name.number)
        by, found = str(said["by"]), str(said["sha256"])
        if of in place.results:
            known, first = place.results[of]
            if known and found and known != found:
                raise EngineError(
                    f"block {name.number} has two different results, of the workers {first} and {by}: their machines "
                    "do not compute alike, and nobody can tell which of them is right; end the workers of one of them, "
                    "and run the same command again"
                )
            _forget(path)
            return None
        if name.stage != self._stage or name.number not in self._blocks:
            _forget(path)
            return None
        value = None
        if found:
            try:
                content = path.with_suffix(".npz").read_bytes()
            except OSError:
                content = b""
            if layout.hash_of(content) != found:  # not whole yet, as folders on networks may show it
                return None
            try:
                value = packing.read(self._form, content)
            except ValueError as error:
                raise EngineError(f"the worker {by} gave a result that cannot be read ({error})") from error
        block = self._blocks.pop(name.number)
        place.results[of] = (found, by)
        if said["remark"]:
            place.remarks[by] = str(said["remark"])
        layout.forget(place.folder / READY / str(name._replace(attempt=block.attempt)))
        _forget(path)
        return Done(block.key, value, said["failure"], bool(said["overdue"]), float(said["seconds"]))

    def _watch(self) -> None:
        """See what is in whose hands; give out again what is lost."""
        place, now = self._place, time.monotonic()
        place.look(outstanding=bool(self._blocks))
        ready = set(layout.names(place.folder / READY))
        leases = {
            str(found[0]): found[1] for each in layout.names(place.folder / TAKEN) if (found := layout.named(each))
        }
        for number, block in list(self._blocks.items()):
            name = str(self._name(number))
            lease = leases.get(name, "")
            if name in ready or lease != block.lease:
                block.sign = now
            block.lease = lease
            sign = max(block.sign, place.pulse.changed_at(lease)) if lease else block.sign
            if now - sign > place.rhythm.stale:
                self._lose(number)

    def _lose(self, number: int) -> None:
        block = self._blocks[number]
        name = self._name(number)
        layout.forget(self._place.folder / TAKEN / name.taken_by(block.lease))
        if block.attempt == ATTEMPTS:
            del self._blocks[number]
            self._failed.append(Done(block.key, failure=LOST))
            return
        self._blocks[number] = _Block(block.key, block.content, time.monotonic(), block.attempt + 1)
        self._put(number)

    def close(self) -> None:
        """Call off what is outstanding: a worker that finds its lease gone drops its block."""
        ours = {str(self._name(number)) for number in self._blocks}
        for folder in (self._place.folder / READY, self._place.folder / TAKEN):
            for each in layout.names(folder):
                if each.partition("@")[0] in ours:
                    layout.forget(folder / each)
        self._blocks = {}


def named(text: str) -> BlockName | None:
    """Read the name of a result's JSON file; None for any other file."""
    found = layout.named(text.removesuffix(".json")) if text.endswith(".json") else None
    return None if found is None else found[0]


def _forget(path: Path) -> None:
    """Remove a result."""
    layout.forget(path)
    layout.forget(path.with_suffix(".npz"))


@contextlib.contextmanager
def _said_of(folder: Path) -> typing.Iterator[None]:
    """Turn what the disk says into a sentence."""
    try:
        yield
    except OSError as error:
        raise EngineError(f"{folder}: cannot be written ({error.strerror or error})") from error
