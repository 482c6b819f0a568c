"""What stands where in the folder, how a file is put there, and how a counter is watched."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lrtune.engines.contract import EngineError

READY, TAKEN, DONE, SHARED, WORKERS = "ready", "taken", "done", "shared", "workers"
PARENT = "parent.json"
"""The counter of who gives out the blocks, and what workers must know."""

OPEN, STOPPED, FINISHED = "open", "stopped", "finished"
"""States of the parent: there may be blocks, it was stopped and may come back, there will be none any more."""

BEAT, STALE = 10.0, 120.0
"""Seconds between two values of a counter, and after which a process is taken for dead whose counter stands still."""

BEAT_VARIABLE, STALE_VARIABLE = "LRTUNE_BEAT_SECONDS", "LRTUNE_STALE_SECONDS"
"""Variables of the parent's environment that set others, for its workers as well."""

SHORTEST, LONGEST = 0.01, 0.25
"""Seconds between two looks: the longer nothing happens, the longer."""

_OWNER = "@"


class Rhythm(NamedTuple):
    """How often counters change, and when one is stale (seconds)."""

    beat: float = BEAT
    stale: float = STALE


def rhythm() -> Rhythm:
    """Take the usual times, or those that the environment sets."""
    return Rhythm(_seconds(BEAT_VARIABLE, BEAT), _seconds(STALE_VARIABLE, STALE))


def _seconds(variable: str, usual: float) -> float:
    said = os.environ.get(variable, "")
    try:
        found = float(said) if said else usual
    except ValueError:
        found = -1.0
    if not 0.0 < found < math.inf:
        raise EngineError(f"{variable}: expected a number of seconds above 0, got '{said}'")
    return found


class BlockName(NamedTuple):
    """Name of a block: of which parent and executor it is, its number there, and which attempt it is."""

    token: str
    stage: int
    number: int
    attempt: int

    def __str__(self) -> str:
        """Write it so that names are in the order in which blocks are to begin."""
        return f"{self.token}-{self.stage:04d}-{self.number:06d}-{self.attempt}"

    def taken_by(self, worker: str) -> str:
        """Name the lease of a worker."""
        return f"{self}{_OWNER}{worker}"


def named(text: str) -> tuple[BlockName, str] | None:
    """Read the name of a block or of a lease, with its worker; None for a file that is neither."""
    name, _, worker = text.partition(_OWNER)
    parts = name.split("-")
    if len(parts) != 4 or not all(each.isdigit() for each in parts[1:]):
        return None
    return BlockName(parts[0], *map(int, parts[1:])), worker


def put(path: Path, content: bytes) -> None:
    """Put a file there whole: who looks sees all of it or none."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def put_json(path: Path, said: Mapping[str, Any]) -> None:
    """Put a JSON file there whole."""
    put(path, json.dumps(said).encode())


def get_json(path: Path) -> dict[str, Any] | None:
    """Read a JSON file; None if it is not there, or is being replaced."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def names(folder: Path) -> list[str]:
    """List the files of a folder by name, without those that are being written; none where there is no folder."""
    try:
        return sorted(each for each in os.listdir(folder) if not each.startswith("."))  # noqa: PTH208 - names alone
    except OSError:
        return []


def forget(path: Path) -> None:
    """Remove a file that may be gone already."""
    with contextlib.suppress(OSError):
        path.unlink()


def hash_of(content: bytes) -> str:
    """Hash a content (SHA-256)."""
    return hashlib.sha256(content).hexdigest()


def hash_of_file(path: Path) -> str:
    """Hash the content of a file (SHA-256), which may be larger than memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Pulse:
    """Counters of others, watched by the clock of this process."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[Any, float]] = {}

    def see(self, name: str, count: object) -> None:
        """Take a look at a counter into account; the first one counts as a change."""
        if name not in self._seen or self._seen[name][0] != count:
            self._seen[name] = (count, time.monotonic())

    def silence(self, name: str) -> float:
        """Count the seconds for which a counter has stood still; infinite for one that was never seen."""
        return time.monotonic() - self._seen[name][1] if name in self._seen else float("inf")

    def changed_at(self, name: str) -> float:
        """Say when it changed, in `time.monotonic`; minus infinity for one that was never seen."""
        return self._seen[name][1] if name in self._seen else -float("inf")

    def keep(self, known: set[str]) -> None:
        """Forget all others."""
        self._seen = {name: each for name, each in self._seen.items() if name in known}

    def __len__(self) -> int:
        """Count the counters that are known."""
        return len(self._seen)


class Backoff:
    """Waits longer and longer, as long as nothing happens."""

    def __init__(self) -> None:
        self._seconds = SHORTEST

    def again(self) -> None:
        """Something happened: look again soon."""
        self._seconds = SHORTEST

    def wait(self, most: float = LONGEST) -> None:
        """Wait for the next look."""
        time.sleep(max(0.0, min(self._seconds, most)))
        self._seconds = min(LONGEST, 1.2 * self._seconds)
