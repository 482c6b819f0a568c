"""Graphics cards, each to one process: whoever holds the lock of a card has it, and death gives it back."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import IO

from lrtune.text.errors import counted
from lrtune.trainers.foreign.run import TrainingError

VISIBLE = "CUDA_VISIBLE_DEVICES"

_held: list[IO[bytes]] = []  # open for as long as this process lives


def take(count: int) -> str:
    """Take so many cards for this process, which sees no others; returns how PyTorch calls the first.

    Raises
    ------
    TrainingError
        If there are not so many, or not so many are free.

    """
    if not count:
        return "cpu"
    names = _visible()
    if len(names) < count:
        raise TrainingError(f"each fit asks for {counted(count, 'graphics card')}, and this machine has {len(names)}")
    taken: list[str] = []
    for name in names:
        if len(taken) < count and _locked(name):
            taken.append(name)
    if len(taken) < count:
        raise TrainingError(f"no {counted(count, 'graphics card')} free of {len(names)}; set search.workers to fewer")
    os.environ[VISIBLE] = ",".join(taken)
    return "cuda:0"


def _visible() -> list[str]:
    given = os.environ.get(VISIBLE)
    if given is not None:
        return [each for each in given.split(",") if each.strip()]
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20, check=True).stdout  # noqa: S607
    except (OSError, subprocess.SubprocessError):
        return []
    return [str(place) for place, line in enumerate(listed.splitlines()) if line.startswith("GPU ")]


def _locked(name: str) -> bool:
    import fcntl

    folder = Path(tempfile.gettempdir()) / f"lrtune-gpus-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    file = (folder / f"{name.strip()}.lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return False
    _held.append(file)
    return True
