"""Removes what nobody needs any more, such as old runs in the cache of a nightly job; a kill leaves whole ones."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from lrtune.run.folder import changed_at
from lrtune.run.lock import is_held
from lrtune.run.names import RESULT
from lrtune.text.errors import StudyError, reason

_GOING = ".removed"
"""What the name of a folder ends with, behind a dot before it, from its removal on."""


class Old(NamedTuple):
    """Of some folders, those that may go, and those that stay although their time is over, each with the reason."""

    going: tuple[Path, ...]
    spared: tuple[tuple[Path, str], ...] = ()


def written_at(run: Path) -> float:
    """Tell when something was last written into a run (seconds since 1970); 0 if it has neither study nor result."""
    result = run / RESULT
    return max(changed_at(run), result.stat().st_mtime if result.is_file() else 0.0)


def old_runs(runs: Sequence[Path], keep: int, needed: Sequence[Path] = ()) -> Old:
    """Choose the runs that may go: all but the last ones, those that are at work, and those that somebody needs.

    Parameters
    ----------
    runs
        Folders of runs.
    keep
        How many of them stay, those that were written last.
    needed
        Runs that stay in any case.

    """
    ordered = sorted(runs, key=lambda run: (written_at(run), run.name), reverse=True)
    reasons = {run: why for run in ordered[keep:] if (why := _why_not(run, needed)) is not None}
    return Old(tuple(run for run in ordered[keep:] if run not in reasons), tuple(reasons.items()))


def _why_not(run: Path, needed: Sequence[Path]) -> str | None:
    here = run.resolve()
    if run.is_symlink():
        return "is a link"
    if here in (Path.cwd(), *Path.cwd().parents):
        return "is the working folder"
    if here in [each.resolve() for each in needed]:
        return "a night that has begun goes on with it"
    return "is in use" if is_held(run) else None


def size_of(folder: Path) -> int:
    """Add up the files of a folder (bytes)."""
    return sum(each.lstat().st_size for each in folder.rglob("*") if each.is_file())


def remove_all(within: Path, going: Iterable[Path]) -> None:
    """Remove some folders within another one, and what is left of earlier removals there; raises as `remove`."""
    for each in within.glob(f".*{_GOING}"):
        with contextlib.suppress(OSError):
            shutil.rmtree(each)
    for each in going:
        remove(each)


def remove(folder: Path) -> None:
    """Remove a folder; what a process left of it that was killed meanwhile goes with the next one.

    Raises
    ------
    StudyError
        If it cannot be removed.

    """
    going = folder.with_name(f".{folder.name}{_GOING}")
    try:
        if going.exists():
            shutil.rmtree(going)
        folder.rename(going)
        shutil.rmtree(going)
    except OSError as error:
        raise StudyError(f"{folder}: cannot be removed ({reason(error)})") from error
