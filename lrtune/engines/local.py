"""Blocks run on this machine: in this process, or in worker processes.

joblib's loky is the pool: one executor of one worker per slot, so that a worker that dies or hangs can be replaced
without the others noticing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import NamedTuple, TypeAlias

from lrtune.arrays import one_blas_thread
from lrtune.engines.contract import UNLIMITED, Done, EnginePlace, Executor, Function, Limit, Site, guarded
from lrtune.engines.machine import available_cores, give_back
from lrtune.engines.processes import Worker, start_tracker

ATTEMPTS = 2  # a block whose worker died is tried once more in a fresh one

SECONDS_PER_WORKER = 4.0
"""A worker process takes about a second to start: each must have more than this to do, or it is not worth it."""

GRACE = 5.0
"""Seconds that a worker gets to notice that its block's time is up, its start included, before it is killed."""

Start: TypeAlias = Callable[[Function, object, int], Executor]
"""``start(function, shared, slots)`` gives an executor."""


class Serial:
    """Runs blocks in this process, when asked for the next result."""

    slots = room = 1

    def __init__(self, function: Function, shared: object) -> None:
        self._function = function
        self._shared = shared
        self._queue: list[tuple[int, object, Limit]] = []

    def submit(self, key: int, payload: object, limit: Limit = UNLIMITED) -> None:
        """Queue a block."""
        self._queue.append((key, payload, limit))

    def next_done(self, timeout: float | None = None) -> Done | None:
        """Run the oldest block; ``timeout`` cannot interrupt it and only matters when nothing is queued."""
        del timeout
        if not self._queue:
            return None
        key, payload, limit = self._queue.pop(0)
        with one_blas_thread():
            return guarded(self._function, self._shared, key, payload, limit.left())

    def close(self) -> None:
        """Forget the queue."""
        self._queue.clear()


class _Task(NamedTuple):
    key: int
    payload: object
    limit: Limit
    attempt: int = 1


class _Run(NamedTuple):
    """A task in the hands of a worker; ``kill_at`` is a time of `time.monotonic`."""

    worker: Worker
    task: _Task
    kill_at: float


class Loky:
    """Runs blocks in ``slots`` worker processes of joblib's loky, one executor each.

    Every worker gets ``shared`` once, and one BLAS thread as `lrtune.arrays` has it. One that dies, at work or idle, is
    replaced, and so is one that does not notice that its block's time is up and is killed; the others go on.
    """

    def __init__(self, function: Function, shared: object, slots: int) -> None:
        start_tracker()
        self.slots = self.room = slots
        self._new_worker = partial(Worker, function, shared)
        self._idle = [self._new_worker() for _ in range(slots)]
        self._queue: list[_Task] = []
        self._running: dict[Future[Done], _Run] = {}

    def submit(self, key: int, payload: object, limit: Limit = UNLIMITED) -> None:
        """Queue a block and start it if a worker is idle."""
        self._queue.append(_Task(key, payload, limit))
        self._fill()

    def _fill(self) -> None:
        while self._idle and self._queue:
            worker, task = self._idle.pop(), self._queue[0]
            seconds = task.limit.left()
            try:
                future = worker.submit(task.key, task.payload, seconds)
            except BrokenProcessPool:  # it died idle, which is nothing that the task has done
                self._replace(worker)
                continue
            del self._queue[0]
            self._running[future] = _Run(worker, task, time.monotonic() + seconds + GRACE)

    def next_done(self, timeout: float | None = None) -> Done | None:
        """Wait for the next finished block; a dead worker is replaced and its block tried once more."""
        give_up = math.inf if timeout is None else time.monotonic() + timeout
        while self._running:
            nearest = min(give_up, *(each.kill_at for each in self._running.values()))
            patience = None if nearest == math.inf else max(0.0, nearest - time.monotonic())
            finished, _ = wait(self._running, timeout=patience, return_when=FIRST_COMPLETED)
            done = self._settle(finished.pop()) if finished else self._kill_overdue()
            self._fill()
            if done is not None:
                return done
            if not finished and time.monotonic() >= give_up:
                return None
        return None

    def _settle(self, future: Future[Done]) -> Done | None:
        worker, task, _ = self._running.pop(future)
        try:
            done = future.result()
        except BrokenProcessPool:  # loky's TerminatedWorkerError among them
            self._replace(worker)
            if task.attempt < ATTEMPTS:
                self._queue.insert(0, task._replace(attempt=task.attempt + 1))
                return None
            return Done(task.key, failure=f"its worker process died {ATTEMPTS} times (out of memory, or killed)")
        self._idle.append(worker)
        return done

    def _kill_overdue(self) -> Done | None:
        now = time.monotonic()
        for future, run in self._running.items():
            if run.kill_at <= now:
                del self._running[future]
                self._replace(run.worker)
                return Done(run.task.key, overdue=True)
        return None

    def _replace(self, worker: Worker) -> None:
        worker.kill(wait=False)
        self._idle.append(self._new_worker())

    def close(self) -> None:
        """Kill the workers and see them dead: one that starts while its parent ends would complain."""
        for worker in [*self._idle, *(each.worker for each in self._running.values())]:
            worker.kill(wait=True)
        self._idle, self._running, self._queue = [], {}, []


def start(function: Function, shared: object, slots: int) -> Executor:
    """Run in this process when there is one slot, else in ``slots`` worker processes."""
    give_back()  # what was prepared has left room that others want while blocks run
    return Serial(function, shared) if slots <= 1 else Loky(function, shared, slots)


class Here:
    """A place on this machine, which is open as long as its process runs.

    Parameters
    ----------
    start
        ``start(function, shared, slots)`` gives an executor.

    """

    def __init__(self, start: Start) -> None:
        self.remarks: Mapping[str, str] = {}
        self.start = start

    @property
    def cores(self) -> int:
        """Those that this process may use."""
        return available_cores()

    def close(self, *, finished: bool) -> None:
        """Let go of nothing: executors are closed one by one."""


def here(start: Start) -> Callable[[Site], EnginePlace]:
    """Make a place of what starts executors on this machine."""
    return lambda _site: Here(start)


def workers_worth(seconds: float, cores: int | None = None) -> int:
    """Count the workers that this much work on one core is worth, as far as there are cores; default: those here."""
    return max(1, min(available_cores() if cores is None else cores, int(seconds / SECONDS_PER_WORKER)))
