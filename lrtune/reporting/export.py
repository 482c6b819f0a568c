"""Files that were asked for by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.run import files
from lrtune.text.errors import StudyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def write(path: Path, content: bytes | str | Iterator[bytes]) -> None:
    """Write a file that was asked for by name, whole or not at all; a link stays a link, a pipe gets the content.

    What comes in pieces is written as it comes, beside the place of the file until it is whole.

    Files of a run's own folder are written by `lrtune.run.files`, which follows no links.

    Raises
    ------
    StudyError
        If the folder cannot be written, the disk is full, or the file is a part of a run; the old file is then still
        there.

    """
    run = files.run_of(path)
    if run is not None:
        raise StudyError(f"{path}: is a file of the run {run} and would be overwritten; choose another file")
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            with target.open("wb") as file:
                file.writelines(files.pieces(content))
            return
    except OSError as error:
        raise StudyError(f"{path}: cannot be written ({error.strerror or error})") from error
    files.write(target, content)
