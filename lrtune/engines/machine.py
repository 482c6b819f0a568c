"""What this machine has: cores and memory, as far as this process may use them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from pathlib import Path

_CGROUP = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where a container's limit stands, in both versions of control groups."""


def available_cores() -> int:
    """Count the cores this process may use (containers and affinity respected)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bytes() -> int | None:
    """Tell the memory that all processes together may have (bytes): the machine's, or the limit of the container.

    None where it cannot be told. It says nothing of what others take of it.
    """
    try:
        found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (AttributeError, ValueError, OSError):
        return None
    for path in _CGROUP:
        with contextlib.suppress(OSError, ValueError):  # no such file, or "max"
            found.append(int(path.read_text(encoding="ascii")))
    return min(found)


def give_back() -> None:
    """Give memory that is free back to the system.

    The allocator of glibc keeps it between the phases of a search, in pieces that the next phase cannot use; others
    are left alone.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
