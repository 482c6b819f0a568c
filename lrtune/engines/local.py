"""Blocks run on this machine: in this process, or in worker processes.

joblib's loky is the pool: one executor of one worker per slot, so that a worker that dies or hangs can be replaced
without the others noticing.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import NamedTuple, cast

from lrtune.arrays import one_blas_thread
from lrtune.engines.contract import UNLIMITED, Done, Executor, Function, Limit, guarded

ATTEMPTS = 2  # a block whose worker died is tried once more in a fresh one

SECONDS_PER_WORKER = 4.0
"""A worker process takes about a second to start: each must have more than this to do, or it is not worth it."""

GRACE = 5.0
"""Seconds that a worker gets to notice that its block's time is up, its start included, before it is killed."""


class Serial:
    """Runs blocks in this process, when asked for the next result."""

    slots = 1

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


_STOPPING = (signal.SIGINT, signal.SIGTERM)


class _Work(NamedTuple):
    """What a worker process runs on every block."""

    function: Function
    shared: object


_in_worker: list[_Work] = []  # in a worker process what its first block has left for the others


def _follow(parent: int) -> None:
    """End this worker when its parent is gone: a killed parent cannot tell its workers to stop."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _start_worker(parent: int) -> None:
    # Ctrl-C reaches the whole process group; the parent decides what becomes of the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _run_in_worker(key: int, payload: object, seconds: float) -> Done:
    return guarded(*_in_worker[0], key, payload, seconds)


def _begin_in_worker(function: Function, shared: object, key: int, payload: object, seconds: float) -> Done:
    _in_worker[:] = [_Work(function, shared)]
    return _run_in_worker(key, payload, seconds)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back while a process is started: nobody would know of one that is half started.

    The new process inherits the block, until its `_start_worker` has decided what signals mean to it.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "pthread_sigmask"):
        yield
        return
    held: list[int] = []
    before = {each: signal.getsignal(each) for each in _STOPPING}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
    for each in _STOPPING:
        signal.signal(each, lambda number, _: held.append(number))
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number in held:
            signal.raise_signal(number)


def _start_tracker() -> None:
    """Start the process with which loky removes what a process that ended hard has left, told to do so silently.

    Otherwise a second Ctrl-C, whose last word is how to go on, is followed by a page about semaphores.
    """
    from joblib.externals.loky.backend import resource_tracker

    before = sys.warnoptions[:]
    sys.warnoptions.append("ignore:resource_tracker:UserWarning")
    try:
        resource_tracker.ensure_running()
    finally:
        sys.warnoptions[:] = before


class _Worker:
    """One process of joblib's loky, started by its first task, which brings along what all tasks share.

    loky watches over a process that has a task, but not over one that is being handed its first arguments: with a
    large table among them it would wait for ever for a process that is killed meanwhile.
    """

    def __init__(self, function: Function, shared: object) -> None:
        from joblib.externals.loky import ProcessPoolExecutor

        one_thread = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB_MAXIMUM")}
        self._executor = ProcessPoolExecutor(1, initializer=_start_worker, initargs=(os.getpid(),), env=one_thread)
        self._call: Callable[..., Done] = partial(_begin_in_worker, function, shared)

    def submit(self, key: int, payload: object, seconds: float) -> Future[Done]:
        """Start a task; raises ``BrokenProcessPool`` if the process has died since the last one ended."""
        with _undisturbed():
            future = self._executor.submit(self._call, key, payload, seconds)
        self._call = _run_in_worker
        return cast("Future[Done]", future)

    def kill(self, *, wait: bool) -> None:
        """End the process, and perhaps see it dead."""
        self._executor.shutdown(wait=wait, kill_workers=True)


class _Task(NamedTuple):
    key: int
    payload: object
    limit: Limit
    attempt: int = 1


class _Run(NamedTuple):
    """A task in the hands of a worker; ``kill_at`` is a time of `time.monotonic`."""

    worker: _Worker
    task: _Task
    kill_at: float


class Loky:
    """Runs blocks in ``slots`` worker processes of joblib's loky, one executor each.

    Every worker gets ``shared`` once, and one BLAS thread as `lrtune.arrays` has it. One that dies, at work or idle, is
    replaced, and so is one that does not notice that its block's time is up and is killed; the others go on.
    """

    def __init__(self, function: Function, shared: object, slots: int) -> None:
        _start_tracker()
        self.slots = slots
        self._new_worker = partial(_Worker, function, shared)
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

    def _replace(self, worker: _Worker) -> None:
        worker.kill(wait=False)
        self._idle.append(self._new_worker())

    def close(self) -> None:
        """Kill the workers and see them dead: one that starts while its parent ends would complain."""
        for worker in [*self._idle, *(each.worker for each in self._running.values())]:
            worker.kill(wait=True)
        self._idle, self._running, self._queue = [], {}, []


def start(function: Function, shared: object, slots: int) -> Executor:
    """Run in this process when there is one slot, else in ``slots`` worker processes."""
    return Serial(function, shared) if slots <= 1 else Loky(function, shared, slots)


def available_cores() -> int:
    """Count the cores this process may use (containers and affinity respected)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def workers_worth(seconds: float) -> int:
    """Count the workers that this much work on one core is worth, as far as there are cores."""
    return max(1, min(available_cores(), int(seconds / SECONDS_PER_WORKER)))
