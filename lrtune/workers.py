"""Runs one function over blocks, here or in worker processes; it does not know which function.

The interface is small on purpose (submit, next finished, close), so that an engine of its own (Dask, Ray) fits behind
it. joblib's loky is the local pool: one executor of one worker per slot, so that a worker that dies or hangs can be
replaced without the others noticing.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, cast

Function = Callable[[Any, Any], Any]
"""``function(shared, payload) -> value``; importable by name, because workers import it."""

ATTEMPTS = 2  # a block whose worker died is tried once more in a fresh one

SECONDS_PER_WORKER = 4.0
"""A worker process takes about a second to start: each must have more than this to do, or it is not worth it."""


class Done(NamedTuple):
    """The end of one block: its key with a value, or with the reason why there is none."""

    key: int
    value: Any = None
    failure: str | None = None


class Executor(Protocol):
    """Where blocks run."""

    slots: int

    def submit(self, key: int, payload: object) -> None:
        """Take a block; returns at once or after running it."""

    def next_done(self, timeout: float | None = None) -> Done | None:
        """Wait for the next finished block; None after ``timeout`` seconds without one."""

    def close(self) -> None:
        """Stop, dropping what still runs."""


class Serial:
    """Runs blocks in this process, when asked for the next result."""

    slots = 1

    def __init__(self, function: Function, shared: object) -> None:
        self._function = function
        self._shared = shared
        self._queue: list[tuple[int, object]] = []

    def submit(self, key: int, payload: object) -> None:
        """Queue a block."""
        self._queue.append((key, payload))

    def next_done(self, timeout: float | None = None) -> Done | None:
        """Run the oldest block; ``timeout`` cannot interrupt it and only matters when nothing is queued."""
        del timeout
        if not self._queue:
            return None
        key, payload = self._queue.pop(0)
        with one_blas_thread():
            return _guarded(self._function, self._shared, key, payload)

    def close(self) -> None:
        """Forget the queue."""
        self._queue.clear()


def one_blas_thread() -> AbstractContextManager[object]:
    """Hold BLAS to one thread: the same product rounds differently on one and two."""
    from threadpoolctl import threadpool_limits

    return cast("AbstractContextManager[object]", threadpool_limits(1, user_api="blas"))


def _guarded(function: Function, shared: object, key: int, payload: object) -> Done:
    try:
        return Done(key, function(shared, payload))
    except MemoryError:
        return Done(key, failure="out of memory")
    except Exception as error:  # noqa: BLE001 - whatever a block raises is the reason of its failure, not ours
        return Done(key, failure=f"{type(error).__name__}: {error}")


_in_worker: dict[str, Any] = {}  # what the initializer of a worker process leaves for its blocks


def _follow(parent: int) -> None:
    """End this worker when its parent is gone: a killed parent cannot tell its workers to stop."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _start_worker(function: Function, shared: object) -> None:
    # Ctrl-C reaches the whole process group; the parent decides what becomes of the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    _in_worker.update(function=function, shared=shared)


def _run_in_worker(key: int, payload: object) -> Done:
    return _guarded(_in_worker["function"], _in_worker["shared"], key, payload)


class Loky:
    """Runs blocks in ``slots`` worker processes of joblib's loky, one executor each.

    Every worker gets ``shared`` once, and one BLAS thread as `one_blas_thread` does.
    """

    def __init__(self, function: Function, shared: object, slots: int) -> None:
        self.slots = slots
        self._start = (function, shared)
        self._idle = [self._new_executor() for _ in range(slots)]
        self._queue: list[tuple[int, object, int]] = []
        self._running: dict[Future[Done], tuple[Any, int, object, int]] = {}

    def _new_executor(self) -> Any:
        from joblib.externals.loky import ProcessPoolExecutor

        one_thread = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB_MAXIMUM")}
        return ProcessPoolExecutor(max_workers=1, initializer=_start_worker, initargs=self._start, env=one_thread)

    def submit(self, key: int, payload: object) -> None:
        """Queue a block and start it if a worker is idle."""
        self._queue.append((key, payload, 1))
        self._fill()

    def _fill(self) -> None:
        while self._idle and self._queue:
            executor, (key, payload, attempt) = self._idle.pop(), self._queue.pop(0)
            future = executor.submit(_run_in_worker, key, payload)
            self._running[future] = (executor, key, payload, attempt)

    def next_done(self, timeout: float | None = None) -> Done | None:
        """Wait for the next finished block; a dead worker is replaced and its block tried once more."""
        while self._running:
            finished, _ = wait(self._running, timeout=timeout, return_when=FIRST_COMPLETED)
            if not finished:
                return None
            done = self._settle(finished.pop())
            self._fill()
            if done is not None:
                return done
        return None

    def _settle(self, future: Future[Done]) -> Done | None:
        executor, key, payload, attempt = self._running.pop(future)
        try:
            done = future.result()
        except BrokenProcessPool:  # loky's TerminatedWorkerError among them
            executor.shutdown(wait=False, kill_workers=True)
            self._idle.append(self._new_executor())
            if attempt < ATTEMPTS:
                self._queue.insert(0, (key, payload, attempt + 1))
                return None
            return Done(key, failure=f"its worker process died {ATTEMPTS} times (out of memory, or killed)")
        self._idle.append(executor)
        return done

    def close(self) -> None:
        """Kill the workers."""
        for executor in [*self._idle, *(entry[0] for entry in self._running.values())]:
            executor.shutdown(wait=False, kill_workers=True)
        self._idle, self._running, self._queue = [], {}, []


def executor_for(function: Function, shared: object, slots: int) -> Executor:
    """Run in this process when there is one slot, else in ``slots`` worker processes."""
    return Serial(function, shared) if slots <= 1 else Loky(function, shared, slots)


def completed(executor: Executor, payloads: Iterable[object]) -> Iterator[Done]:
    """Submit all payloads, keyed by their position, and yield each as it finishes."""
    pending = 0
    for key, payload in enumerate(payloads):
        executor.submit(key, payload)
        pending += 1
    while pending:
        done = executor.next_done()
        if done is None:
            return
        pending -= 1
        yield done


def available_cores() -> int:
    """Count the cores this process may use (containers and affinity respected)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def workers_worth(seconds: float) -> int:
    """Count the workers that this much work on one core is worth, as far as there are cores."""
    return max(1, min(available_cores(), int(seconds / SECONDS_PER_WORKER)))
