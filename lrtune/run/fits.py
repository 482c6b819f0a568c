"""Fits of somebody else's code that are at work: what their folders tell, also to another process."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lrtune.run.names import FITS

_FOLD = re.compile(r"fold-(\d+)(?:-epochs-(\d+))?")

STALE = 3600.0
"""Seconds after which a fit that has told nothing is not counted among those that run."""


@dataclass(frozen=True, slots=True)
class RunningFit:
    """A fit that has begun and has not ended: its trial and fold, the last epoch that it told of, and its horizon."""

    trial: int
    fold: int
    epoch: int | None
    epochs: int | None


def running_fits(folder: Path) -> list[RunningFit]:
    """List the fits of a run that are at work, by trial and fold; those of lrtune's own networks have no folders."""
    return sorted(_found(folder / FITS), key=lambda each: (each.trial, each.fold))


def _found(folder: Path) -> Iterator[RunningFit]:
    for place in folder.glob("[0-9]*/fold-*"):
        named = _FOLD.fullmatch(place.name)
        try:
            ended = (place / "ending").exists() or time.time() - place.stat().st_mtime > STALE
        except OSError:  # it ends while one looks
            continue
        if named and not ended and place.parent.name.isdigit():
            epochs = int(named[2]) if named[2] else None
            yield RunningFit(int(place.parent.name), int(named[1]), _epoch(place / "reports.jsonl"), epochs)


def _epoch(path: Path) -> int | None:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        found = json.loads(lines[-1])["epoch"] if lines else None
    except (OSError, ValueError, LookupError):
        return None
    return found if isinstance(found, int) else None
