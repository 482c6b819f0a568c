"""What callbacks have in common: they count the updates, and turn a training into a generator of reports.

A library that runs the loop itself calls back; a function that lrtune trains with yields. So the library runs in a
thread, and stands still while a report is looked at: what is decided by it holds from the next update on. Where lrtune
wants no more reports, the library is left by an exception at its next call.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, Protocol, TypeVar

Made = TypeVar("Made")


class RatedRun(Protocol):
    """What a callback needs of the run that a function is given."""

    @property
    def rate(self) -> float:
        """The rate of the update at work."""

    def updates(self, loader: range, /) -> Iterator[int]:
        """Count the updates of an epoch."""

    def set_rate(self, optimizer: Any, /) -> float:
        """Give an optimizer the rate."""


class LeftError(Exception):
    """Nobody wants more reports."""


class Following:
    """Follows one training of a library.

    Parameters
    ----------
    run
        What the function was given.

    """

    def __init__(self, run: RatedRun) -> None:
        self.run = run
        self._updates: Iterator[int] = iter(())
        self._report: Mapping[str, float] | None = None
        self._wanted, self._there = threading.Semaphore(0), threading.Semaphore(0)
        self._thread: threading.Thread | None = None
        self._is_stopped = False

    def begin_epoch(self, updates: int) -> None:
        """Begin an epoch of so many updates; the one before is over."""
        self.end_epoch()
        self._updates = iter(self.run.updates(range(updates)))

    def begin_update(self) -> float:
        """Begin an update, and give its rate."""
        if self._is_stopped:
            raise LeftError
        next(self._updates, None)
        return self.run.rate

    def end_epoch(self) -> None:
        """Count the last update of an epoch."""
        for _ in self._updates:
            pass

    def tell(self, report: Mapping[str, float]) -> None:
        """Report something, and wait until it has been looked at; without `reports` nobody looks."""
        if threading.current_thread() is not self._thread:
            return
        self._report = report
        self._there.release()
        self._wanted.acquire()
        if self._is_stopped:
            raise LeftError

    def reports(self, fit: Callable[[], Made]) -> Generator[Mapping[str, float], None, Made]:
        """RatedRun a training, and yield its reports; ``made = yield from callback.reports(lambda: model.fit(...))``.

        Parameters
        ----------
        fit
            Trains with this callback.

        Returns
        -------
        object
            What `fit` returns; what it raises is raised here.

        """
        made: list[Made] = []
        failures: list[BaseException] = []

        def work() -> None:
            try:
                made.append(fit())
            except BaseException as error:  # noqa: BLE001 - raised again where the reports are wanted
                failures.append(error)
            self._report = None
            self._there.release()

        self._thread = threading.Thread(target=work)
        self._thread.start()
        try:
            self._there.acquire()
            while self._report is not None:
                yield self._report
                self._wanted.release()
                self._there.acquire()
        finally:
            self._is_stopped = True
            self._wanted.release()
            self._thread.join()
        if failures:
            raise failures[0]
        return made[0]
