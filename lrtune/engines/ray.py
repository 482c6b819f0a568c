"""Blocks on a Ray cluster, or on one that is started on this machine.

What all blocks share is put into Ray's store once. Ray itself tries nothing twice: a block whose process died is tried
once more here, as with the other engines, and so only what did it is to blame.
"""

from __future__ import annotations

import contextlib
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from lrtune.engines.clusters import (
    DIED,
    PATIENCE,
    Call,
    ClusterAnswer,
    ClusterTask,
    Emptiness,
    answered,
    missing,
    of_another_version,
    pop_overdue,
)
from lrtune.engines.contract import UNLIMITED, Done, EngineError, Function, Limit, Site
from lrtune.engines.machine import available_cores

_NOBODY_FIRST = {"prestart_worker_first_driver": False}
"""Ray starts workers with the first blocks: `ray.init` waits for those of before, for ever if one dies meanwhile."""


class RayPlace:
    """A connection to a cluster.

    Raises
    ------
    EngineError
        If Ray is not installed, or the cluster cannot be reached, or has another version.

    """

    def __init__(self, site: Site) -> None:
        try:
            import ray
        except ImportError as error:
            raise missing("ray") from error
        self.ray: Any = ray
        self.site = site
        self.remarks: dict[str, str] = {}
        self.where = f"the Ray cluster at {site.address}" if site.address else "Ray on this machine"
        local = {"num_cpus": available_cores(), "include_dashboard": False, "_system_config": _NOBODY_FIRST}
        try:
            with _own_signals():
                ray.init(
                    **({"address": site.address} if site.address else local),
                    ignore_reinit_error=True,
                    log_to_driver=False,
                    logging_level="ERROR",
                    configure_logging=False,
                )
        except Exception as error:
            raise _unreachable(self.where, error) from error

    @property
    def cores(self) -> int:
        """Those of the cluster."""
        return max(1, int(self.ray.cluster_resources().get("CPU", 0)))

    def start(self, function: Function, shared: object, slots: int) -> RayExecutor:
        """Put what is shared into the store, and give what runs blocks."""
        return RayExecutor(self, function, shared, slots)

    def close(self, *, finished: bool) -> None:
        """End the connection, and a cluster of this machine."""
        del finished
        self.ray.shutdown()


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Keep what SIGTERM means to this process: `ray.init` makes it an exit with code 15, for good."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def _run(shared: object, call: Call, key: int, payload: object, seconds: float) -> ClusterAnswer:
    return answered(call, shared, key, payload, seconds)


class RayExecutor:
    """Runs blocks on a cluster, so many at a time."""

    def __init__(self, place: RayPlace, function: Function, shared: object, slots: int) -> None:
        self._place = place
        self._ray = place.ray
        self.slots = self.room = slots
        self._call = Call(function, place.site.compare, dict(place.site.about))
        remote: Callable[..., Any] = self._ray.remote(max_retries=0, num_cpus=1)(_run)
        self._remote: Any = remote
        with self._explained():
            self._shared = self._ray.put(shared)
        self._running: dict[Any, ClusterTask] = {}
        self._empty = Emptiness()

    @contextlib.contextmanager
    def _explained(self) -> Any:
        """Turn the end of a cluster into a sentence."""
        try:
            yield
        except (self._ray.exceptions.RaySystemError, ConnectionError) as error:
            raise EngineError(f"{self._place.where} is gone ({_first_line(error)})") from error

    def submit(self, key: int, payload: object, limit: Limit = UNLIMITED) -> None:
        """Start a block."""
        self._begin(ClusterTask(key, payload, limit))

    def _begin(self, task: ClusterTask) -> None:
        seconds = task.limit.left()
        with self._explained():
            future = self._remote.remote(self._shared, self._call, task.key, task.payload, seconds)
        self._running[future] = task.begun(seconds)

    def next_done(self, timeout: float | None = None) -> Done | None:
        """Wait for the next finished block.

        Raises
        ------
        EngineError
            If the cluster is gone, has been without a processor for too long, or a worker must not take part.

        """
        give_up = math.inf if timeout is None else time.monotonic() + timeout
        while self._running:
            nearest = min(give_up, time.monotonic() + 1.0)
            with self._explained():
                ready, _ = self._ray.wait(
                    list(self._running), num_returns=1, timeout=max(0.0, nearest - time.monotonic())
                )
            done = self._settle(ready[0]) if ready else self._kill_overdue()
            if done is not None:
                return done
            if not ready:
                self._refuse_an_empty_cluster()
                if time.monotonic() >= give_up:
                    return None
        return None

    def _settle(self, future: Any) -> Done | None:
        task = self._running.pop(future)
        errors = self._ray.exceptions
        try:
            with self._explained():
                answer: ClusterAnswer = self._ray.get(future)
        except (errors.WorkerCrashedError, errors.NodeDiedError, errors.OutOfMemoryError, errors.ObjectLostError):
            if task.again is not None:
                self._begin(task.again)
                return None
            return Done(task.key, failure=DIED)
        except errors.RayError as error:
            raise EngineError(f"{self._place.where}: {_first_line(error)}") from error
        return answer.taken(self._place.remarks, mixed=self._place.site.mixed)

    def _kill_overdue(self) -> Done | None:
        found = pop_overdue(self._running)
        if found is None:
            return None
        self._ray.cancel(found[0], force=True)
        return Done(found[1].key, overdue=True)

    def _refuse_an_empty_cluster(self) -> None:
        with self._explained():
            there = self._ray.cluster_resources().get("CPU", 0)
        if self._empty.seconds(there) > PATIENCE:
            raise EngineError(
                f"{self._place.where} has had no processor for {PATIENCE:g} s; give it a node, and run the same "
                "command again"
            )

    def close(self) -> None:
        """Kill what still runs."""
        for future in self._running:
            with contextlib.suppress(Exception):
                self._ray.cancel(future, force=True)
        self._running = {}


def _first_line(error: Exception) -> str:
    lines = [each.strip() for each in str(error).splitlines() if each.strip()]
    return lines[0] if lines else type(error).__name__


def _unreachable(where: str, error: Exception) -> EngineError:
    if "ersion mismatch" in str(error):
        return of_another_version(where, "ray", " ".join(str(error).split()))
    return EngineError(f"{where} cannot be reached ({_first_line(error)})")
