"""Files of a run's folder: written whole or not at all, and never through a link to somewhere else."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import stat
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lrtune.run.names import DATABASE, FOLLOWED, OWN
from lrtune.text.errors import StudyError
from lrtune.text.paths import is_same


def run_of(path: Path) -> Path | None:
    """Find the run that a file is a part of, or would be, in one of its folders; None if it belongs to none."""
    file = path.resolve()
    for each in file.parents:
        inside = file.relative_to(each).parts
        if inside[0] in OWN and (each / DATABASE).is_file() and (len(inside) > 1 or file.is_file()):
            return each
    return None


def refuse_inputs(folder: Path, inputs: Mapping[str, Path], names: Iterable[str] = OWN) -> None:
    """Refuse a folder in which a file that was read would be replaced by one of a run.

    Parameters
    ----------
    folder
        What is to be written into.
    inputs
        Files that were read by what they are, as in ``the training table``.
    names
        Names of the files that are to be written.

    Raises
    ------
    StudyError
        If so.

    """
    for name, (what, path) in itertools.product(names, inputs.items()):
        if is_same(folder / name, path):
            raise StudyError(f"{folder / name}: is {what} and would be overwritten; choose another --output")


def make_folder(folder: Path) -> None:
    """Make a folder and those above it.

    Raises
    ------
    StudyError
        If it cannot be made.

    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError(f"{folder}: cannot be created ({error.strerror}); choose another with --output") from error


def replace_folder(source: Path, folder: Path) -> None:
    """Copy a folder over another one, which is gone then, or at the end of a copy that failed.

    Raises
    ------
    StudyError
        If it cannot be written.

    """
    new = folder.with_name(f"{folder.name}.new")
    try:
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(source, new)
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)
    except OSError as error:
        raise StudyError(f"{folder}: cannot be written ({error.strerror or error})") from error


def refuse_links(folder: Path) -> None:
    """Refuse a folder in which writing would end up in another place, or never end.

    Raises
    ------
    StudyError
        If what is to be written in place is a link, a pipe or a device.

    """
    for path in (*(folder / name for name in FOLLOWED), *(folder / "nested").glob("*")):
        if path.is_symlink():
            raise StudyError(
                f"{path}: is a link, and nothing is written through one; remove it, or choose another --output"
            )
        if path.exists() and not path.is_file() and not path.is_dir():
            raise StudyError(f"{path}: is neither a file nor a folder; remove it, or choose another --output")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    OSError, ValueError
        If it cannot be read, or is no JSON, or nested beyond all bounds.

    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError("nested too deep") from None
    except UnicodeDecodeError:
        raise ValueError("not a text in UTF-8") from None


def write(path: Path, content: bytes | str | Iterator[bytes]) -> None:
    """Put a file in its place so that a reader, and a power cut, see the old one or the new one and nothing between.

    A file that already holds the content is left alone, unless that comes in pieces; a link, a pipe or a device is
    replaced.

    Raises
    ------
    StudyError
        If the folder cannot be written or the disk is full; the old file is then still there.

    """
    try:
        is_plain = stat.S_ISREG(path.lstat().st_mode) if os.path.lexists(path) else False
        parts = pieces(content)
        if not is_plain or not isinstance(parts, list) or path.read_bytes() != parts[0]:
            _replace(path, parts, mode=stat.S_IMODE(path.lstat().st_mode) if is_plain else None)
    except OSError as error:
        raise StudyError(f"{path}: cannot be written ({error.strerror or error})") from error


def pieces(content: bytes | str | Iterator[bytes]) -> list[bytes] | Iterator[bytes]:
    """Give content as bytes in pieces: a list of one, unless it comes in pieces."""
    if isinstance(content, str):
        content = content.encode()
    return [content] if isinstance(content, bytes) else content


def _replace(path: Path, content: Iterable[bytes], *, mode: int | None) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        with temporary.open("xb") as file:  # never an existing file, nor what a link names
            file.writelines(content)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            temporary.chmod(mode)  # who may read it stays as it was
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
