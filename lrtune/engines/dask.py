"""Blocks on a Dask cluster, or on one that is started on this machine.

Dask gives a task up when its worker died and blames every task that waited there; and a cluster of this machine that
has lost its workers several times may stay empty, with all tasks pending for ever. So nothing is left to it: a block
is tried once more here and then alone, so that no other one can be blamed; what blocks share comes by a plug-in, which
new workers get as well; and a cluster without workers is noticed, and if it is our own replaced by a new one.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import time
from concurrent.futures import TimeoutError as TimeIsUpError
from functools import partial
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

OWN_PATIENCE = 10.0
"""Seconds after which a cluster of this machine that has no workers is replaced."""

_QUIET = {
    "distributed.scheduler.allowed-failures": 0,
    "distributed.admin.log-format": "",
    "distributed.logging.distributed": "critical",
}
"""Settings of Dask, as long as a cluster is used."""

_IDLE = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.system-monitor.disk": False,
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.diagnostics.nvml": False,
}
"""What a cluster of this machine would do beside running blocks, up to a hundred times a second, for nobody."""

_CONNECTING = 10.0
_STARTS = 3
_numbers = itertools.count(1)


class DaskPlace:
    """A connection to a cluster.

    Raises
    ------
    EngineError
        If Dask is not installed, or the cluster cannot be reached, or has another version.

    """

    def __init__(self, site: Site) -> None:
        try:
            import dask
            import distributed
        except ImportError as error:
            raise missing("dask") from error
        self.distributed: Any = distributed
        self.site = site
        self.remarks: dict[str, str] = {}
        self.where = f"the Dask cluster at {site.address}" if site.address else "Dask on this machine"
        self.executors: list[DaskExecutor] = []
        self._settings = dask.config.set(_QUIET if site.address else {**_QUIET, **_IDLE})
        self._settings.__enter__()
        self.connect()

    def connect(self) -> None:
        """Connect to the cluster, or start one here."""
        self.cluster: Any = None
        try:
            if not self.site.address:
                self.cluster = self._own_cluster()
            self.client: Any = self.distributed.Client(self.cluster or self.site.address, timeout=_CONNECTING)
        except (OSError, TimeoutError, ValueError, RuntimeError) as error:
            raise EngineError(f"{self.where} cannot be reached ({error})") from error
        try:
            self.client.get_versions(check=True)
        except ValueError as error:
            raise of_another_version(self.where, "dask", " ".join(str(error).split())) from error

    def _own_cluster(self) -> Any:
        """Start workers on this machine; a cluster of which one dies meanwhile does not begin, so another one does."""
        settings = {"n_workers": available_cores(), "threads_per_worker": 1, "memory_limit": None}
        start = partial(self.distributed.LocalCluster, **settings, dashboard_address=None, silence_logs="CRITICAL")
        for _ in range(_STARTS - 1):
            with contextlib.suppress(RuntimeError):
                return start()
        return start()

    def workers(self) -> int:
        """Count the workers that the scheduler knows."""
        return len(self.client.scheduler_info(n_workers=-1)["workers"])

    @property
    def is_deserted(self) -> bool:
        """Whether a cluster of this machine has nobody left who would start workers: those have given up."""
        return self.cluster is not None and not self.cluster.workers

    @property
    def cores(self) -> int:
        """One for each worker."""
        return max(1, self.workers())

    def start(self, function: Function, shared: object, slots: int) -> DaskExecutor:
        """Give every worker what is shared, and give what runs blocks."""
        return DaskExecutor(self, function, shared, slots)

    def renew(self) -> None:
        """Start a new cluster in place of one of this machine that is empty."""
        self._end()
        self.connect()

    def _end(self) -> None:
        for each in (self.client, self.cluster):
            if each is not None:
                with contextlib.suppress(Exception):
                    each.close(timeout=5)

    def close(self, *, finished: bool) -> None:
        """End the connection, and a cluster of this machine."""
        del finished
        self._end()
        self._settings.__exit__(None, None, None)


_shared: dict[str, object] = {}  # in a worker: what blocks share, by the name of their executor


def _put(name: str, shared: object) -> None:
    _shared[name] = shared


def _drop(name: str) -> None:
    _shared.pop(name, None)


def _run(name: str, call: Call, key: int, payload: object, seconds: float) -> ClusterAnswer:
    return answered(call, _shared[name], key, payload, seconds)


class DaskExecutor:
    """Runs blocks on a cluster, so many at a time."""

    def __init__(self, place: DaskPlace, function: Function, shared: object, slots: int) -> None:
        self._place = place
        self._call = Call(function, place.site.compare, dict(place.site.about))
        self.slots = self.room = slots
        self._shared = shared
        self._queue: list[ClusterTask] = []
        self._running: dict[Any, ClusterTask] = {}
        self._empty = Emptiness()
        self._share()

    def _share(self) -> None:
        """Give what is shared to the workers, those that come later among them."""
        self._name = f"lrtune-{next(_numbers)}"
        plugin = _plugin(self._place.distributed)(self._name, self._shared)
        with self._explained():
            self._place.client.register_plugin(plugin, name=self._name)

    @contextlib.contextmanager
    def _explained(self) -> Any:
        """Turn the end of a cluster into a sentence."""
        try:
            yield
        except (OSError, TimeoutError, TimeIsUpError, self._place.distributed.CommClosedError) as error:
            raise EngineError(f"{self._place.where} is gone ({error})") from error

    def submit(self, key: int, payload: object, limit: Limit = UNLIMITED) -> None:
        """Start a block, or keep it until one that is tried again has been alone."""
        self._queue.append(ClusterTask(key, payload, limit))
        self._fill()

    def _fill(self) -> None:
        while self._queue:
            suspects = [each for each in self._running.values() if each.attempt > 1]
            task = self._queue[0]
            if suspects or (task.attempt > 1 and self._running):
                return
            del self._queue[0]
            seconds = task.limit.left()
            with self._explained():
                future = self._place.client.submit(
                    _run, self._name, self._call, task.key, task.payload, seconds, pure=False, retries=0
                )
            self._running[future] = task.begun(seconds)

    def next_done(self, timeout: float | None = None) -> Done | None:
        """Wait for the next finished block.

        Raises
        ------
        EngineError
            If the cluster is gone, has been without a worker for too long, or a worker must not take part.

        """
        give_up = math.inf if timeout is None else time.monotonic() + timeout
        while self._running or self._queue:
            self._fill()
            future = self._first(min(give_up, time.monotonic() + 1.0))
            done = self._kill_overdue() if future is None else self._settle(future)
            if done is not None:
                return done
            if future is None:
                self._watch()
            if time.monotonic() >= give_up:
                return None
        return None

    def _first(self, until: float) -> Any:
        """Wait for a future that is over."""
        seconds = max(0.001, until - time.monotonic())
        with contextlib.suppress(TimeoutError, TimeIsUpError):
            self._place.distributed.wait(list(self._running), timeout=seconds, return_when="FIRST_COMPLETED")
        return next((each for each in self._running if each.done()), None)

    def _settle(self, future: Any) -> Done | None:
        task = self._running.pop(future)
        try:
            answer: ClusterAnswer = future.result(PATIENCE if self._place.site.address else OWN_PATIENCE)
        except (TimeoutError, TimeIsUpError):  # it was lost with the worker that had it, and nobody computes it again
            self._running[future] = task
            self._watch()
            return self._kill_overdue()
        except Exception as error:
            if task.again is not None:
                self._queue.insert(0, task.again)
                return None
            if isinstance(error, self._place.distributed.scheduler.KilledWorker):
                return Done(task.key, failure=DIED)
            raise EngineError(f"{self._place.where}: {type(error).__name__}: {error}") from error
        return answer.taken(self._place.remarks, mixed=self._place.site.mixed)

    def _kill_overdue(self) -> Done | None:
        found = pop_overdue(self._running)
        if found is None:
            return None
        self._kill(found[0])
        return Done(found[1].key, overdue=True)

    def _kill(self, future: Any) -> None:
        """End the process that does not notice that its block's time is up."""
        client = self._place.client
        with contextlib.suppress(Exception):
            busy = [worker for worker, keys in client.processing().items() if future.key in keys]
            future.cancel()
            if busy:
                client.restart_workers(busy, timeout=OWN_PATIENCE, raise_for_error=False)

    def _watch(self) -> None:
        """Notice a cluster without workers; a new one of our own begins what was running again."""
        with self._explained():
            there = self._place.workers()
        silent = self._empty.seconds(there)
        if self._place.is_deserted or (not self._place.site.address and silent > OWN_PATIENCE):
            self._queue[:0] = list(self._running.values())
            self._running = {}
            self._place.renew()
            self._share()
            self._empty = Emptiness()
        elif silent > PATIENCE:
            raise EngineError(
                f"{self._place.where} has had no worker for {PATIENCE:g} s; start one, and run the same command again"
            )

    def close(self) -> None:
        """Forget what still runs, and what was shared; of our own workers, end those that are at work."""
        for future in list(self._running):
            if self._place.site.address:
                with contextlib.suppress(Exception):
                    future.cancel()
            else:
                self._kill(future)
        self._running, self._queue = {}, []
        with contextlib.suppress(Exception):
            self._place.client.unregister_worker_plugin(self._name)


def _plugin(distributed: Any) -> Any:
    """Make the plug-in's class, which needs that of the library."""

    class Shares(distributed.WorkerPlugin):  # type: ignore[misc]
        def __init__(self, name: str, shared: object) -> None:
            self.shares = (name, shared)

        def setup(self, worker: object) -> None:
            del worker
            _put(*self.shares)

        def teardown(self, worker: object) -> None:
            del worker
            _drop(self.shares[0])

    return Shares
