"""How a command ends: every exit code, and the sentence that goes with it.

====  ====================================================================================================
code  meaning
====  ====================================================================================================
0     fine
1     a defect of lrtune
2     wrong use, a wrong experiment or table, a file that cannot be read or written
3     a gate failed: the score is under ``--fail-under``, over ``--fail-over`` or not ahead of ``--fail-behind``, a
      ``--fail-if`` holds, or no comparison could be made
4     worse than the baseline, whatever other gate failed
5     no usable result: every trial failed or diverged, or the time was over before one was complete; or no model: the
      training on all rows failed, and the result of the search stands without one
130   stopped by Ctrl-C; the same command goes on
141   the reader of the output went away (``| head``)
143   stopped by SIGTERM; the same command goes on
====  ====================================================================================================
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import typer

from lrtune.cli.signals import INTERRUPTED, TERMINATED, Terminated, asked, said
from lrtune.text import formats
from lrtune.text.errors import ExperimentError, LrtuneError, NoUsableResultError

DEFECT, WRONG, GATE, WORSE, UNUSABLE = 1, 2, 3, 4, 5
NO_READER = 141

DEBUG = "LRTUNE_DEBUG"

_LIMITS = {
    errno.EMFILE: "; raise the limit of open files (ulimit -n)",
    errno.ENFILE: "; this machine has no more of them to give",
    errno.EAGAIN: "; raise the limit of processes (ulimit -u), or use --workers 1",
}
"""What to do about a limit of the system, by the number of the error."""

MOST_MISTAKES = 100
"""Mistakes of a file that are listed."""

FOR_TYPER: tuple[type[BaseException], ...] = (typer.Exit, typer.Abort, typer.BadParameter.__mro__[2])
"""What typer handles itself; the last is its base of usage errors, whose module moved between versions."""


def open_streams() -> None:
    """Give a process that was started without standard streams empty ones.

    Otherwise the next file opened gets the number of one of them, and whatever a library prints goes into that file.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    sys.stdin = sys.stdin or Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - open as long as the process
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115


@contextlib.contextmanager
def handled() -> Iterator[None]:
    """Turn whatever a command raises into a sentence on standard error and an exit code; never a traceback.

    ``LRTUNE_DEBUG=1`` lets defects through, with their traceback.
    """
    try:
        yield
        sys.stdout.flush()
    except FOR_TYPER:
        raise
    except ExperimentError as error:
        _fail(formats.plural(len(error.problems), "mistake"), before=_listed(error.problems))
    except NoUsableResultError as error:
        _fail(str(error), code=UNUSABLE)
    except LrtuneError as error:
        _fail(str(error))
    except KeyboardInterrupt as error:
        _stopped(error, TERMINATED if isinstance(error, Terminated) else INTERRUPTED)
    except BrokenPipeError:
        _silence_output()
        raise typer.Exit(NO_READER) from None
    except MemoryError:
        _fail("out of memory")
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _fail(f"{place}{error.strerror or error}{_LIMITS.get(error.errno or 0, '')}")
    except Exception as error:
        if code := asked():  # a library that was being loaded has made another error of it
            _stopped(error, code)
        if os.environ.get(DEBUG):
            raise
        if "can't start new thread" in str(error):
            _fail(f"no thread could be started{_LIMITS[errno.EAGAIN]}")
        sentence = f"this is a defect of lrtune, please report it: {type(error).__name__}: {error}"
        _fail(f"{sentence} ({DEBUG}=1 in front of the command shows where it happened)", code=DEFECT)


def _stopped(error: BaseException, code: int) -> NoReturn:
    said()
    _fail("; ".join(["stopped", *getattr(error, "__notes__", ())]), code=code)


def _listed(problems: Sequence[str]) -> Sequence[str]:
    """Name the first of very many mistakes."""
    left = len(problems) - MOST_MISTAKES
    return problems if left <= 0 else [*problems[:MOST_MISTAKES], f"and {formats.count(left)} more"]


def _fail(sentence: str, *, before: Sequence[str] = (), code: int = WRONG) -> NoReturn:
    from lrtune.reporting import console

    try:
        console.fail(sentence, before)
    except OSError:  # nobody is there to read it; the code still tells
        _silence_output()
    raise typer.Exit(code) from None


def _silence_output() -> None:
    # What is still in the buffers would fail again when the interpreter flushes them on its way out.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
