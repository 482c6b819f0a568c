"""A folder of champions: a numbered one for each night that delivered a model, and who is the champion.

A night is put together beside the others and gets its number by a rename; nothing that has a number is written again.
Then the history gets its line, and ``champion.json`` is replaced as a whole. Whenever a process dies, the folder is as
it was before one of these steps; the same night, run again, does those that are left. Whoever writes holds the folder's
lock for the whole night, so that two nights at once are one night and one sentence.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, get_type_hints

from lrtune.run import files, removal
from lrtune.run.lock import Lock
from lrtune.run.names import BEST, EXPERIMENT, MODEL, REPORT, RESULT, ROW_SCORES
from lrtune.text.errors import StudyError, counted
from lrtune.text.written import json_text, to_json

CURRENT, TONIGHT = "champion.json", "tonight.json"

COPIED = (MODEL, BEST, EXPERIMENT, RESULT, REPORT, ROW_SCORES)
"""What of a run a numbered folder holds, as far as it is there."""

_NUMBERED = re.compile(r"\d{4,}")


@dataclass(frozen=True, slots=True)
class Current:
    """Which night's folder has the champion, and in which night its configuration was elected."""

    night: int
    elected: int


@dataclass(frozen=True, slots=True)
class Tonight:
    """A night that has begun and is not in the history yet.

    Attributes
    ----------
    night
        Its number.
    run
        Folder of its run.
    seed
        From which its folds follow.
    data, asked
        As in `lrtune.nights.history.Night`: a night of other data, or of another experiment, is another one.

    """

    night: int
    run: str
    seed: int
    data: str | None
    asked: str


_Kind = TypeVar("_Kind", Current, Tonight)


def path_of(folder: Path, night: int) -> Path:
    """Name the folder of a night.

    >>> path_of(Path("champions"), 7).as_posix()
    'champions/0007'
    """
    return folder / f"{night:04d}"


def nights(folder: Path) -> list[int]:
    """List the nights that have a folder."""
    named = [each.name for each in folder.glob("*") if _NUMBERED.fullmatch(each.name) and each.is_dir()]
    return sorted(map(int, named))


def current(folder: Path) -> Current | None:
    """Say who the champion is; None before there is one.

    Raises
    ------
    StudyError
        If the file is damaged, or the folder that it names is gone.

    """
    found = _read(folder / CURRENT, Current)
    if found is None:
        there = nights(folder)
        if there and begun(folder) is None:
            raise StudyError(
                f"{folder / CURRENT}: is lost, though there {'is' if len(there) == 1 else 'are'} "
                f"{counted(len(there), 'night')}; `lrtune champion rollback {folder} {there[-1]}` names one again"
            )
        return None  # before the first night, or when that died before it named its folder
    if not path_of(folder, found.night).is_dir():
        raise StudyError(f"{folder / CURRENT}: names night {found.night}, whose folder is gone")
    return found


def name(folder: Path, champion: Current) -> None:
    """Make a night's folder the current one."""
    files.write(folder / CURRENT, json_text(to_json(champion)))


def publish(folder: Path, run: Path, night: int) -> Path:
    """Copy what a night delivered into a folder of its number, unless that is there.

    Raises
    ------
    StudyError
        If the folder cannot be written or the disk is full.

    """
    place = path_of(folder, night)
    if place.is_dir():
        return place
    new = folder / f".{place.name}.new"
    try:
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        for each in _there(run, COPIED):
            copy = shutil.copytree if each.is_dir() else shutil.copy2
            copy(each, new / each.name)
        new.rename(place)
    except OSError as error:
        with contextlib.suppress(OSError):
            shutil.rmtree(new)
        raise StudyError(f"{place}: cannot be written ({error.strerror or error})") from error
    return place


def _there(run: Path, names: Iterable[str]) -> list[Path]:
    return [run / each for each in names if (run / each).exists()]


def old_nights(folder: Path, keep: int) -> tuple[Path, ...]:
    """Choose the folders of nights that may go: all but the last ones, the champion's, and those that elected it."""
    there, champion = nights(folder), current(folder)
    needed = set(there[len(there) - keep :] if keep else ()) | (
        set() if champion is None else {champion.night, champion.elected}
    )
    return tuple(path_of(folder, each) for each in there if each not in needed)


def remove_old(folder: Path, keep: int) -> None:
    """Remove the folders of old nights; a night that goes on holds the lock, and then nothing is removed.

    Raises
    ------
    StudyError
        If a night goes on, or a folder cannot be removed.

    """
    with Lock(folder, "--champions"):
        removal.remove_all(folder, old_nights(folder, keep))


def begin(folder: Path, tonight: Tonight) -> None:
    """Write down that a night has begun, so that the same command goes on with it."""
    files.write(folder / TONIGHT, json_text(to_json(tonight)))


def begun(folder: Path) -> Tonight | None:
    """Say which night has begun and not ended; None: none, or nobody can tell."""
    try:
        return _read(folder / TONIGHT, Tonight)
    except StudyError:
        return None


def end(folder: Path) -> None:
    """Forget that a night has begun: it is in the history."""
    (folder / TONIGHT).unlink(missing_ok=True)


def _read(path: Path, kind: type[_Kind]) -> _Kind | None:
    try:
        found = kind(**files.read_json(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise StudyError(f"{path}: damaged; it does not say what it should") from error
    if not all(isinstance(getattr(found, key), hint) for key, hint in get_type_hints(kind).items()):
        raise StudyError(f"{path}: damaged; it does not say what it should")
    return found
