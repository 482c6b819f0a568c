"""Finds the run that a command means: a folder, a name under ``runs``, or ``latest``."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from lrtune.run.names import DATABASE, RATES, RESULT, SCALING_NUMBERS
from lrtune.text.errors import NoStudyError, StudyError, nearest
from lrtune.text.paths import expanded

RUNS = Path("runs")
LATEST = "latest"
MAKES_ONE = "`lrtune search` makes one"


def find(run: str, *, finished: bool = True) -> Path:
    """Find the folder of a run.

    Parameters
    ----------
    run
        ``latest`` for the run in ``./runs`` that finished last; a folder; the name of a folder in ``./runs``, with or
        without its last eight characters. Where several runs share a name, the one that finished last is meant.
    finished
        Whether ``latest`` and names mean finished runs only. Otherwise the one in which something was written last is
        meant, running or stopped as it may be.

    Raises
    ------
    StudyError
        If there is no such run.

    """
    if run == LATEST:
        kind = "finished run" if finished else "run"
        found = _latest(RUNS.glob("*"), f"no {kind} in {RUNS.absolute()}; {MAKES_ONE}", finished=finished)
        if finished and not ((changed := _latest(RUNS.glob("*"), "", finished=False)) / RESULT).is_file():
            from lrtune.reporting import console

            console.note(f"{LATEST} is {found}, the run that finished last; {changed} has no result yet")
        return found
    for folder in (expanded(run), RUNS / run):
        if folder.is_dir():
            return _no_finder(folder)
    alike = list(RUNS.glob(f"{glob.escape(Path(run).name)}-????????"))
    begun = [each for each in alike if _changed_at(each)]
    hint = f"{begun[0]} has no result yet; lrtune status {begun[0].name}" if begun else f"no run '{run}'; {_hint(run)}"
    return _latest(alike, hint, finished=finished)


def _no_finder(folder: Path) -> Path:
    if _is_finders(folder):
        raise StudyError(f"{folder}: holds what `lrtune finder` found about learning rates, not a run; {MAKES_ONE}")
    return folder


def _is_finders(folder: Path) -> bool:
    left = any((folder / name).is_file() for name in (RATES, SCALING_NUMBERS))
    return left and not any((folder / name).exists() for name in (DATABASE, RESULT))


def _hint(run: str) -> str:
    known = folders()
    swept = RUNS / f"{Path(run).name}-finder"
    if _is_finders(swept):
        return f"{swept} holds what `lrtune finder` found about learning rates, not a run; {MAKES_ONE}"
    if not known:
        return f"{RUNS.absolute()} has no runs; {MAKES_ONE}"
    close = nearest(run, [each.name for each in known])
    return close if close.startswith("did you") else "`lrtune list` names those that there are"


def _latest(candidates: Iterable[Path], otherwise: str, *, finished: bool) -> Path:
    moment = _finished_at if finished else _changed_at
    there = [(moment(each), each.name, each) for each in candidates]
    there = [each for each in there if each[0]]
    if not there:
        raise NoStudyError(otherwise)
    return max(there)[-1]


def _finished_at(folder: Path) -> float:
    result = folder / RESULT
    return result.stat().st_mtime_ns if result.is_file() else 0


def _changed_at(folder: Path) -> float:
    from lrtune.run.folder import changed_at

    return changed_at(folder) or _finished_at(folder) / 1e9  # a study that was lost is still of a run


def folders(base: Path = RUNS) -> list[Path]:
    """List the folders of a folder that may be runs, by name: all but those that the finder made."""
    return sorted(each for each in base.glob("*") if each.is_dir() and not _is_finders(each))


def names(incomplete: str) -> list[str]:
    """List what completes a run for the shell: ``latest`` and the folders in ``./runs``."""
    known = [LATEST, *(each.name for each in folders())]
    return [each for each in known if each.startswith(incomplete)]


def name_of(folder: Path) -> str:
    """Say how commands call a run: by its name where it is in ``./runs``, else by its path."""
    return folder.name if folder.parent == RUNS else str(folder)
