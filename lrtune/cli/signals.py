"""Ctrl-C and SIGTERM: the first ends a command in good order within two seconds, the second at once.

In good order means that the exception runs through the command: what was being trained is dropped, what was being
written is written or was never there. A thread of its own makes the two seconds a promise, because Python's handlers
wait for the end of whatever runs in C, be it a library that reads a large table. Nothing is lost by ending hard: the
journal stands every death of its process (`lrtune.run.journal`), and workers end when their parent is gone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

PATIENCE = 1.7
"""Seconds after which a command that was asked to stop is ended, whatever it does; the promise is two."""

HEEDED = (signal.SIGINT, signal.SIGTERM)
INTERRUPTED, TERMINATED = 130, 143

_SHOW_CURSOR = "\x1b[?25h"  # a bar that is redrawn hides it


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived; it stops a command as Ctrl-C does."""


class _State:
    """What the handlers know: signals so far, how to go on, and whether that has been said."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.note = ""
        self.is_said = False
        self.ending = threading.Lock()


_state = _State()


def heed_signals() -> None:
    """Let signals stop this process as this module says; those that the caller ignores stay ignored."""
    heeded = [each for each in HEEDED if signal.getsignal(each) is not signal.SIG_IGN]
    for each in heeded:
        signal.signal(each, _raise_or_end)
    sender, receiver = socket.socketpair()
    sender.setblocking(False)
    signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(sender, receiver, heeded), daemon=True).start()


@contextlib.contextmanager
def leaving() -> Iterator[None]:
    """Let a stopped process tidy up in peace: without handlers any more, a second signal would change its exit code.

    A signal that arrives before there is a command to stop ends the process here, with the same code and sentence.
    """
    try:
        yield
    except KeyboardInterrupt:
        _end(_state.asked[-1] if _state.asked else signal.SIGINT)
    except SystemExit:
        for each in HEEDED if _state.asked else ():
            signal.signal(each, signal.SIG_IGN)
        raise


def asked() -> int:
    """Give the exit code of the signal that has asked this process to stop; 0 if none has."""
    return _code(_state.asked[0]) if _state.asked else 0


def said() -> None:
    """Note that the user has been told how the command ended."""
    _state.is_said = True


@contextlib.contextmanager
def resumable(folder: Path | None = None, *, fresh: bool = False) -> Iterator[None]:
    """Add to an interruption how to go on; inside of another one, this one's word counts.

    Parameters
    ----------
    folder
        Where something is kept; None as long as the command has no folder.
    fresh
        Whether the command began the run in it anew.

    """
    outer = _state.note
    kept = "" if folder is None else f"everything finished so far is kept in {folder}; "
    _state.note = f"{kept}to go on, run the same command again" + (" without --fresh" if fresh else "")
    try:
        yield
    except BaseException as error:
        is_stopped = isinstance(error, KeyboardInterrupt) or bool(asked())
        if is_stopped and not hasattr(error, "__notes__"):
            error.add_note(_state.note)
        raise
    finally:
        _state.note = outer


def _raise_or_end(number: int, frame: FrameType | None) -> None:
    del frame
    if _state.asked:
        _end(number)
    _state.asked.append(number)
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def _watch(sender: socket.socket, receiver: socket.socket, heeded: list[signal.Signals]) -> None:
    """End the process some time after the first signal, or at the second; ``sender`` is kept alive by standing here."""
    del sender
    first = _next(receiver, heeded)
    receiver.settimeout(PATIENCE)
    with contextlib.suppress(TimeoutError):
        _next(receiver, heeded)
    _end(first)


def _next(receiver: socket.socket, heeded: list[signal.Signals]) -> int:
    while (number := receiver.recv(1)[0]) not in heeded:
        pass
    return number


def _end(number: int) -> NoReturn:
    """Leave without cleaning up; written past all buffers and locks, which somebody else may hold."""
    if not _state.ending.acquire(blocking=False):  # handler and thread may both come here
        time.sleep(PATIENCE)
    if not _state.is_said:
        _state.is_said = True
        sentence = "; ".join(["lrtune: stopped at once", *([_state.note] if _state.note else [])])
        with contextlib.suppress(OSError):
            cursor = _SHOW_CURSOR if os.isatty(2) else ""
            os.write(2, f"{cursor}{sentence}\n".encode(errors="replace"))
    os._exit(_code(number))


def _code(number: int) -> int:
    return TERMINATED if number == signal.SIGTERM else INTERRUPTED
