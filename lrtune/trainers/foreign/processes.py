"""The process in which somebody else's code runs, seen from the worker: started, asked, ended."""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lrtune.arrays import Array
from lrtune.engines.contract import FailedError, OverdueError, time_is_up
from lrtune.trainers.contract import Foreign
from lrtune.trainers.foreign import messages, surroundings
from lrtune.trainers.foreign.messages import Message
from lrtune.training.registry import COMMAND

ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB_MAXIMUM", "NUMEXPR")}

GRACE = 5.0
"""Seconds between asking a fit to end and killing it; a program has its own grace beside that."""

MOST_LOG = 10 * 2**20
"""Bytes of a log, of which the first ones go when there are more."""

MORE_MEMORY = 2**30
"""A process that has come to need so many bytes more than after its first fit is replaced after a fit."""

PROGRAM_GRACE = 10.0
"""Seconds that a program has between SIGTERM and SIGKILL, unless the experiment says otherwise."""

OPENING, LOADING = 180.0, 3600.0
"""Seconds that an import may take, and one with which rows are loaded."""

_EVERY = 0.2


class DiedError(Exception):
    """The process is gone in the middle of a fit; says how."""


class CodeProcess:
    """A process that runs the code of one trainer.

    Parameters
    ----------
    kind, foreign, metric
        What is trained, and what it is judged by.

    """

    def __init__(self, kind: str, foreign: Foreign, metric: str) -> None:
        if surroundings.IS_INSIDE:
            raise FailedError(
                "a search was started where the code of a search is imported or runs; "
                "put what starts it under: if __name__ == '__main__':"
            )
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        self.answers: queue.Queue[Message | None] = queue.Queue()
        self.program: int | None = None
        self.folds: list[int] = []
        self.first_memory = 0
        self.fits = 0
        self.grace = GRACE + float(foreign.said.get("grace", PROGRAM_GRACE if kind == COMMAND else 0.0))
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "lrtune.trainers.foreign.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": _with_lrtune(), "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        atexit.register(self.kill)
        threading.Thread(target=self._listen, daemon=True).start()
        folder = str((Path(foreign.base) / str(foreign.said.get("folder", "."))).resolve())
        about: dict[str, Any] = {
            "kind": kind,
            "said": dict(foreign.said),
            "folder": folder,
            "data": foreign.table,
            "metric": metric,
        }
        about |= {"loader": foreign.loader, "frame": None if foreign.shape is None else foreign.shape.to_dict()}
        self.ask({"do": "open", **about, "task": foreign.task, "classes": list(foreign.classes)})
        try:
            self.wait(LOADING if foreign.loader else OPENING, limit=f"the limit of an import, of {foreign.called}")
        except (FailedError, DiedError):
            self.kill()
            raise

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            while (message := messages.read(self.process.stdout)) is not None:
                self.answers.put(message)
        self.answers.put(None)

    def ask(self, said: Mapping[str, Any], arrays: Mapping[str, Array] | None = None) -> None:
        """Say something, without waiting for an answer."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # whoever waits for the answer will see it
            messages.write(self.process.stdin, said, arrays)

    def wait(self, seconds: float = float("inf"), log: Path | None = None, limit: str = "trainer.timeout") -> Message:
        """Wait for the answer to the last question.

        Parameters
        ----------
        seconds
            How long it may take.
        log
            What the code prints, which is kept short.
        limit
            What these seconds are called.

        Raises
        ------
        FailedError
            With the reason, if the answer is one; also after so many seconds.
        DiedError
            If the process is gone.
        OverdueError
            If the block's time is up.

        """
        end = time.monotonic() + seconds
        while True:
            try:
                message = self.answers.get(timeout=_EVERY)
            except queue.Empty:
                _shortened(log)
                if time_is_up():
                    self.stop()
                    raise OverdueError from None
                if time.monotonic() >= end:
                    self.stop()
                    raise FailedError(f"took longer than {limit} ({seconds:g} s)") from None
                if self.process.poll() is None:
                    continue
                message = self.last_words()
            if message is None:
                raise DiedError(self._death())
            if message.said["is"] == "began":
                self.program = message.said["group"]
                continue
            self.program = None
            if message.said["is"] in ("failed", "stopped"):
                raise FailedError(message.said.get("reason", "was stopped"))
            return message

    def last_words(self) -> Message | None:
        """Read what a process said before it ended; one that it has forked may hold its answers open for ever."""
        try:
            return self.answers.get(timeout=GRACE)
        except queue.Empty:
            return None

    def stop(self) -> None:
        """Ask a fit to end, and kill the process if it does not within its grace."""
        self.ask({"do": "stop"})
        end = time.monotonic() + self.grace
        with contextlib.suppress(queue.Empty):
            while (left := end - time.monotonic()) > 0:
                message = self.answers.get(timeout=left)
                if message is None or message.said["is"] in ("stopped", "failed", "done"):
                    break
        self.kill()

    def _death(self) -> str:
        code = self.process.wait()
        self.log.seek(0)
        lines = [line for line in self.log.read().decode(errors="replace").splitlines() if line.strip()]
        self.kill()
        if code < 0:
            name = signal.Signals(-code).name if -code in {each.value for each in signal.Signals} else -code
            return f"the training process was killed by {name}" + (" (out of memory?)" if code == -9 else "")
        said = f": {lines[-1]}" if lines else ""
        return f"the training process ended with exit code {code}{said}"

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self.process.poll() is None

    def grew(self, memory: int) -> bool:
        """Tell whether the process needs much more memory than after its first fit."""
        self.first_memory = self.first_memory or memory
        return memory > self.first_memory + MORE_MEMORY

    def kill(self) -> None:
        """End it, and what it has started."""
        atexit.unregister(self.kill)
        for group in (self.process.pid, self.program):
            if group is not None and hasattr(os, "killpg"):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(group, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self.log.close()


def _with_lrtune() -> str:
    """Let the process find this lrtune, wherever it was imported from."""
    here = str(Path(__file__).resolve().parents[3])
    return os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])


def _shortened(log: Path | None) -> None:
    """Begin a log anew that is too long: it is written at its end, wherever that is."""
    with contextlib.suppress(OSError):
        if log is not None and log.stat().st_size > MOST_LOG:
            os.truncate(log, 0)
