"""What an engine is: it takes blocks, runs one function on them somewhere, and gives back what came of each.

The interface is small on purpose (submit, next finished, close), so that clusters fit behind it as this machine does.
An engine does not know which function it runs; a block that raises, has no more time or loses its process is a value.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple, Protocol

Function = Callable[[Any, Any], Any]
"""``function(shared, payload) -> value``; importable by name, because workers import it."""


Compare = Callable[[Mapping[str, Any]], tuple[str, str]]
"""``compare(about) -> (lacks, differs)``; see `Site`."""


class Limit(NamedTuple):
    """How long blocks may run: each for so many ``seconds``, and all ``until`` a time of `time.monotonic`."""

    seconds: float = math.inf
    until: float = math.inf

    def left(self) -> float:
        """Count the seconds that a block which starts now may run."""
        return min(self.seconds, self.until - time.monotonic())


UNLIMITED = Limit()


class EngineError(Exception):
    """Raised where an engine cannot be used, or has nobody left who runs blocks; its text is a whole sentence."""


class OverdueError(Exception):
    """Raised by a block's function that gives up because `time_is_up`."""


class FailedError(Exception):
    """Raised by a block's function that has a sentence for what went wrong, which needs no name of an error."""


class Done(NamedTuple):
    """The end of one block: its key with a value, or with the reason why there is none, or its time was up.

    ``seconds`` is how long its function ran.
    """

    key: int
    value: Any = None
    failure: str | None = None
    overdue: bool = False
    seconds: float = 0.0


class Executor(Protocol):
    """Where blocks run: one function on what all of them share.

    Attributes
    ----------
    slots
        How many blocks run at a time; it may grow and shrink.
    room
        How many it takes at a time: where a worker would have to wait for the next one, more than it has slots.

    """

    @property
    def slots(self) -> int:
        """Blocks that run at a time."""

    @property
    def room(self) -> int:
        """Blocks that it takes at a time."""

    def submit(self, key: int, payload: object, limit: Limit = UNLIMITED) -> None:
        """Take a block; returns at once or after running it."""

    def next_done(self, timeout: float | None = None) -> Done | None:
        """Wait for the next finished block; None after ``timeout`` seconds without one."""

    def close(self) -> None:
        """Stop, dropping what still runs."""


class Site(NamedTuple):
    """For whom an engine is opened, and where.

    Attributes
    ----------
    address
        Of a cluster; empty: this machine.
    folder
        What all workers of a shared folder see; engines that need none leave it alone.
    about
        What workers must be like.
    compare
        Where a worker runs, tells from this what it lacks to take part, and in what it computes differently; empty
        texts where that is nothing; importable by name.
    mixed
        Whether those may take part that compute differently.

    """

    address: str = ""
    folder: Path | None = None
    about: Mapping[str, Any] = {}
    compare: Compare = lambda _about: ("", "")
    mixed: bool = False


def refusal(lacks: str, differs: str, *, mixed: bool) -> str:
    """Say why a worker may not take part, behind its name; empty if it may."""
    if lacks:
        return lacks
    if differs and not mixed:
        return f"would compute other last digits ({differs}); with --mixed the search takes its results, and says so"
    return ""


class EnginePlace(Protocol):
    """An engine that is open; what blocks share may change meanwhile, and each time it gives another executor."""

    @property
    def remarks(self) -> Mapping[str, str]:
        """What was remarked on workers that have given results, by their names."""

    @property
    def cores(self) -> int:
        """How many blocks may run there at a time."""

    def start(self, function: Function, shared: object, slots: int) -> Executor:
        """Give what runs ``function(shared, payload)`` on so many blocks at a time."""

    def close(self, *, finished: bool) -> None:
        """Let everybody go; ``finished``: nothing is left to do, so that nobody need wait for more."""


_end: ContextVar[float] = ContextVar("_end", default=math.inf)


def time_is_up() -> bool:
    """Tell a block's function, which should ask now and then, whether to give up with an `OverdueError`."""
    return time.monotonic() >= _end.get()


def guarded(function: Function, shared: object, key: int, payload: object, seconds: float) -> Done:
    """Run a function on one block; this is what engines call where the block is to run."""
    start = time.monotonic()
    before = _end.set(start + seconds)
    try:
        value = function(shared, payload)
        return Done(key, value, seconds=time.monotonic() - start)
    except OverdueError:
        return Done(key, overdue=True)
    except FailedError as error:
        return Done(key, failure=str(error))
    except MemoryError:
        return Done(key, failure="out of memory")
    except Exception as error:  # noqa: BLE001 - whatever a block raises is the reason of its failure, not ours
        return Done(key, failure=f"{type(error).__name__}: {error}")
    finally:
        _end.reset(before)


def completed(executor: Executor, payloads: Iterable[object], limit: Limit = UNLIMITED) -> Iterator[Done]:
    """Run payloads, keyed by their position, and yield each as it finishes.

    The next payload is asked for when there is room for it, and after every result even if there was none before:
    a block may have come back in pieces. At the end of the ``limit`` what still runs is left to `Executor.close`.
    """
    coming, running = enumerate(payloads), 0
    while True:
        while running < executor.room and (task := next(coming, None)) is not None:
            executor.submit(*task, limit)
            running += 1
        if not running:
            return
        done = executor.next_done(None if limit.until == math.inf else max(0.0, limit.until - time.monotonic()))
        if done is None:
            return
        running -= 1
        yield done
