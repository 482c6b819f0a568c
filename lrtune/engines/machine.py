"""What this machine has: cores and memory, as far as this process may use them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from pathlib import Path

_CGROUP = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where a container's limit stands, in both versions of control groups."""

GIVEN_BACK_FROM = 2**22
"""Bytes of an array whose memory is given back as soon as it is freed, in a process that is frugal (4 MB)."""

_KEPT = 2**24  # bytes of smaller ones that are kept for the next
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # as malloc.h numbers them


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


def be_frugal() -> None:
    """Let this process give back the memory of every large array that is freed, for as long as it runs.

    The allocator of glibc raises the size from which on it does so to that of whatever has been freed, up to 32 MB, and
    arrays of a table's rows then lie between others that stay. Smaller ones, as mini-batches consist of, are kept for
    the next. Other allocators are left alone.
    """
    _called("mallopt", _MMAP_THRESHOLD, GIVEN_BACK_FROM)
    _called("mallopt", _TRIM_THRESHOLD, _KEPT)


def give_back() -> None:
    """Give memory that is free back to the system.

    The allocator of glibc keeps it between the phases of a search, in pieces that the next phase cannot use; others
    are left alone.
    """
    _called("malloc_trim", 0)


def _called(name: str, *numbers: int) -> None:
    """Call a function of glibc, where it is there."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            getattr(ctypes.CDLL(None), name)(*numbers)
