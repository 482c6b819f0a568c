"""What engines on clusters of other libraries have in common: limits, sentences, and what a worker answers."""

from __future__ import annotations

import functools
import json
import math
import os
import socket
import time
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from lrtune.arrays import one_blas_thread
from lrtune.engines.contract import Compare, Done, EngineError, Function, Limit, guarded, refusal

ATTEMPTS = 2
"""A block whose worker died is tried once more."""

GRACE = 5.0
"""Seconds that a worker gets to notice that its block's time is up before it is killed."""

PATIENCE = 60.0
"""Seconds after which a cluster without any worker is given up."""


DIED = f"its worker process died {ATTEMPTS} times (out of memory, or killed)"


class ClusterTask(NamedTuple):
    """A block, and what is done for it: how often it was begun, and when its worker is killed (`time.monotonic`)."""

    key: int
    payload: object
    limit: Limit
    attempt: int = 1
    kill_at: float = math.inf

    def begun(self, seconds: float) -> ClusterTask:
        """Give it as it is from now on, with so many seconds left."""
        return self._replace(kill_at=time.monotonic() + seconds + GRACE)

    @property
    def again(self) -> ClusterTask | None:
        """The same block for another try after its worker died; None if there is none left."""
        return self._replace(attempt=self.attempt + 1) if self.attempt < ATTEMPTS else None


Future = TypeVar("Future")


def pop_overdue(running: dict[Future, ClusterTask]) -> tuple[Future, ClusterTask] | None:
    """Take out a block whose worker has not noticed that its time is up; None if there is none."""
    now = time.monotonic()
    future = next((each for each, task in running.items() if task.kill_at <= now), None)
    return None if future is None else (future, running.pop(future))


class Emptiness:
    """For how long a cluster has had nobody who works."""

    def __init__(self) -> None:
        self._since = math.inf

    def seconds(self, workers: float) -> float:
        """Note how many work now; say for how long nobody has, below zero if somebody does."""
        self._since = math.inf if workers else min(self._since, time.monotonic())
        return time.monotonic() - self._since


class ClusterAnswer(NamedTuple):
    """What comes from a worker: the end of a block, who it is, what it lacks and in what it computes differently."""

    done: Done
    worker: str
    lacks: str = ""
    differs: str = ""

    def taken(self, remarks: dict[str, str], *, mixed: bool) -> Done:
        """Give the end of the block, and note a worker that differs.

        Raises
        ------
        EngineError
            If the worker must not take part.

        """
        refused = refusal(self.lacks, self.differs, mixed=mixed)
        if refused:
            raise EngineError(f"the worker {self.worker} {refused}")
        if self.differs:
            remarks[self.worker] = self.differs
        return self.done


class Call(NamedTuple):
    """What workers do with every block: compare themselves with a description, and run the function."""

    function: Function
    compare: Compare
    about: Mapping[str, Any]


def answered(call: Call, shared: object, key: int, payload: object, seconds: float) -> ClusterAnswer:
    """Run a block where a worker of a cluster is, unless that lacks something; with one BLAS thread."""
    lacks, differs = _compared(call.compare, json.dumps(call.about, sort_keys=True))
    name = f"{socket.gethostname()}-{os.getpid()}"
    if lacks:
        return ClusterAnswer(Done(key), name, lacks)
    with one_blas_thread():
        return ClusterAnswer(guarded(call.function, shared, key, payload, seconds), name, "", differs)


@functools.lru_cache(maxsize=4)
def _compared(compare: Compare, about: str) -> tuple[str, str]:
    return compare(json.loads(about))


def missing(library: str) -> EngineError:
    """Say how an engine's library is installed."""
    return EngineError(f"search.engine: {library} is not installed; type: pip install 'lrtune[{library}]'")


def of_another_version(where: str, library: str, found: str) -> EngineError:
    """Say that a cluster and this machine have different versions."""
    return EngineError(f"{where} has another version than this machine ({found}); install the same {library} on both")
