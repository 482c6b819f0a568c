"""Finds the run that a command means: a folder, a name under ``runs``, or ``latest``."""

from __future__ import annotations

import glob
from pathlib import Path

from lrtune.errors import StudyError, nearest

RUNS = Path("runs")
LATEST = "latest"
RESULT = "result.json"
"""Written last: a run that has it is finished."""


def find(run: str) -> Path:
    """Find the folder of a run.

    Parameters
    ----------
    run
        ``latest`` for the run in ``./runs`` that finished last; a folder; the name of a folder in ``./runs``, with or
        without its last eight digits. Where several runs share a name, the one that finished last is meant.

    Raises
    ------
    StudyError
        If there is no such run.

    """
    if run == LATEST:
        return _latest(list(RUNS.glob("*")), f"no finished run in {RUNS.absolute()}; `lrtune search` makes one")
    for folder in (Path(run), RUNS / run):
        if folder.is_dir():
            return folder
    names = [each.name for each in RUNS.glob("*") if each.is_dir()]
    hint = nearest(run, names) if names else f"{RUNS.absolute()} has no runs; `lrtune search` makes one"
    return _latest(list(RUNS.glob(f"{glob.escape(Path(run).name)}-????????")), f"no run '{run}'; {hint}")


def _latest(folders: list[Path], otherwise: str) -> Path:
    finished = [each for each in folders if (each / RESULT).is_file()]
    if not finished:
        raise StudyError(otherwise)
    return max(finished, key=lambda each: ((each / RESULT).stat().st_mtime_ns, each.name))


def names(incomplete: str) -> list[str]:
    """List what completes a run for the shell: ``latest`` and the folders in ``./runs``."""
    known = [LATEST, *sorted(each.name for each in RUNS.glob("*") if each.is_dir())]
    return [each for each in known if each.startswith(incomplete)]


def name_of(folder: Path) -> str:
    """Say how commands call a run: by its name where it is in ``./runs``, else by its path."""
    return folder.name if folder.parent == RUNS else str(folder)
