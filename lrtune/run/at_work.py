"""How far the blocks are that train right now: what their small files say, also to another process."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from lrtune.run.files import read_json
from lrtune.run.names import AT_WORK, EXCHANGE


def in_hand(folder: Path) -> float:
    """Count the trials' worth of training that blocks have done and nothing has been recorded of yet."""
    return sum(map(_done, (folder / AT_WORK).glob("*")))


def _done(path: Path) -> float:
    try:
        return float(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # it ends while one looks
        return 0.0


def waits_for_workers(folder: Path) -> bool:
    """Tell whether blocks lie ready and no worker is there to take them (`lrtune worker`)."""
    try:
        return bool(read_json(folder / EXCHANGE / "parent.json")["waits"])
    except (OSError, ValueError, LookupError):  # nobody gives out blocks there
        return False


def forget(folder: Path) -> None:
    """Remove what blocks have left that were killed."""
    with contextlib.suppress(OSError):
        shutil.rmtree(folder / AT_WORK)
