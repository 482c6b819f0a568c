"""What workers of a folder run in the tests: imported by name in processes of their own."""

import os
import signal
import time
from pathlib import Path

from patience import PATIENCE

from lrtune.engines import packing
from lrtune.engines.contract import EngineError


def add(shared: int, payload: int) -> int:
    """Answer a block."""
    return shared + payload


def linger(shared: str, payload: int) -> int:
    """Wait until the test says so, in whose folder a file tells who waits."""
    (Path(shared) / f"begun-{payload}-{os.getppid()}-{os.getpid()}").touch()
    end = time.monotonic() + PATIENCE
    while not (Path(shared) / "go").exists() and time.monotonic() < end:
        time.sleep(0.01)
    return payload


def differ(shared: str, payload: int) -> int:
    """Give another value each time."""
    linger(shared, payload)
    return time.monotonic_ns()


def die(shared: int, payload: int) -> int:
    """Kill the worker's process on payload 1."""
    if payload == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return shared + payload


def fail(shared: int, payload: int) -> int:
    """Fail on payload 1."""
    if payload == 1:
        raise ValueError("one")
    return shared + payload


FUNCTIONS = {each.__name__: each for each in (add, linger, differ, die, fail)}


class Opens:
    """Opens what is shared for one of the functions."""

    def __init__(self, name):
        self.name = name

    def __call__(self, path):
        form = {"linger": str, "differ": str}.get(self.name, int)
        return FUNCTIONS[self.name], packing.read(form, path)


def alike(_about):
    return "", ""


def other(_about):
    return "", "blas haswell where the search has skylake"


def newer(_about):
    return "has lrtune 9 where the search has 1", ""


def refuse(_path):
    raise EngineError("this worker has no key")
