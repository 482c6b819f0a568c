"""What surrounds a fit in its process: global generators, memory, and where its output goes."""

from __future__ import annotations

import contextlib
import os
import random
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import numpy as np

IS_INSIDE = False
"""Whether this process runs somebody else's code, so that no search may begin in it."""


class FitStoppedError(Exception):
    """The worker wants the fit to end."""


def seed(number: int) -> None:
    """Set the global generators, so that a fit does not depend on the one before it in this process."""
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002 - for code that uses it
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(number)


def peak_memory() -> int:
    """Measure how much memory this process ever had (bytes); 0 where that cannot be told.

    Linux counts for a process that was started by a large one what that had, so that its own peak is read elsewhere.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    except (OSError, ValueError, IndexError):
        pass
    try:
        import resource
    except ImportError:
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most) if sys.platform == "darwin" else int(most) * 1024


@contextlib.contextmanager
def logged(folder: Path | None) -> Iterator[None]:
    """Send what is printed to the log of a fit, or nowhere."""
    path = os.devnull if folder is None else folder / "log.txt"
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    kept, streams = [os.dup(1), os.dup(2)], (sys.stdout, sys.stderr)
    try:
        sys.stdout.flush()
        os.dup2(file, 1)
        os.dup2(file, 2)
        yield
    except Exception as error:
        if not isinstance(error, FitStoppedError):
            traceback.print_exc()
        raise
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        sys.stdout, sys.stderr = streams  # the code may have put others there
        for place, old in zip((1, 2), kept, strict=True):
            os.dup2(old, place)
            os.close(old)
        os.close(file)
