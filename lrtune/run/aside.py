"""Puts an earlier study out of the way of a new one; nothing is ever deleted."""

from __future__ import annotations

from pathlib import Path

from lrtune.run.lock import Lock
from lrtune.run.names import DATABASE
from lrtune.text.errors import StudyError


def put_aside(folder: Path) -> Path | None:
    """Rename a run's folder to the first free one of ``<folder>-old-1``, ``<folder>-old-2`` and so on.

    Parameters
    ----------
    folder
        The run. Its lock is held meanwhile: a study that somebody works on is not moved.

    Returns
    -------
    Path or None
        Where it is now; None if the folder has no study.

    Raises
    ------
    StudyError
        If another process works on the study, or the folder cannot be renamed.

    """
    if not (folder / DATABASE).exists():
        return None
    here = folder.resolve()
    if here in (Path.cwd(), *Path.cwd().parents):
        raise StudyError(f"{folder}: is the working folder and cannot be put aside; choose another with --output")
    lock = Lock(folder)
    try:
        number = 1
        while (old := here.with_name(f"{here.name}-old-{number}")).exists():
            number += 1
        here.rename(old)
    except OSError as error:
        raise StudyError(f"{folder}: cannot be put aside ({error.strerror}); choose another with --output") from error
    finally:
        lock.close()
    return folder.with_name(old.name)
