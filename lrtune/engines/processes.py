"""A worker process of joblib's loky: how it is started, given a block, and ended."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import NamedTuple, cast

from lrtune.arrays import Mapped, by_file
from lrtune.engines.contract import Done, Function, guarded
from lrtune.engines.machine import be_frugal

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
    be_frugal()


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


def start_tracker() -> None:
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


class Worker:
    """One process of joblib's loky, started by its first task, which brings along what all tasks share.

    loky watches over a process that has a task, but not over one that is being handed its first arguments: with a
    large table among them it would wait for ever for a process that is killed meanwhile.
    """

    def __init__(self, function: Function, shared: object) -> None:
        from joblib.externals.loky import ProcessPoolExecutor

        one_thread = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB_MAXIMUM")}
        self._executor = ProcessPoolExecutor(
            1,
            initializer=_start_worker,
            initargs=(os.getpid(),),
            env=one_thread,
            job_reducers={Mapped: by_file},
            result_reducers={},
        )
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
