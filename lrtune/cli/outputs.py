"""What a command writes: files never replace those that it reads, and data on a stream are no commands to a server."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from lrtune.run.files import run_of
from lrtune.text import formats
from lrtune.text.errors import LrtuneError
from lrtune.text.paths import is_same

STDOUT = Path("-")
"""Stands for standard output, and in place of a table for standard input."""


CI = ("CI", "GITHUB_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION")
"""Variables of servers that take some lines of a log for commands."""


def put(text: str) -> None:
    """Write data on standard output, as they are.

    Raises
    ------
    LrtuneError
        If a CI server reads it and would take a line of the data for a command: data cannot be defused as pages are.

    """
    if _is_on_ci() and formats.is_command(text):
        line = next(place for place, each in enumerate(text.splitlines(), 1) if formats.is_command(each))
        raise LrtuneError(
            f"standard output: line {line} of the data would be a command to the CI server that reads it; "
            "write them into a file with --output"
        )
    sys.stdout.write(text)


def put_file(content: IO[bytes]) -> None:
    """Write the data of a file on standard output, as `put` does, and some at a time unless all is looked at.

    Raises
    ------
    LrtuneError
        As `put`.

    """
    text = io.TextIOWrapper(content, encoding="utf-8", newline="\n")
    size = -1 if _is_on_ci() else 1 << 20
    while each := text.read(size):
        put(each)
    text.detach()


def _is_on_ci() -> bool:
    return any(os.environ.get(each) for each in CI)


def put_path(path: Path) -> None:
    """Say on standard output where something was written."""
    sys.stdout.write(formats.defused(f"{formats.printable(path)}\n"))


class OverwritingError(LrtuneError):
    """A command was asked to write into a file that is there for something else: no report may go there either."""


def refuse_overwriting(outputs: Mapping[str, Path | None], inputs: Mapping[str, Path]) -> None:
    """Refuse files to write that would replace what is there for another purpose, before anything is written.

    Parameters
    ----------
    outputs
        Files to write by the options that name them; None where one is not given.
    inputs
        Files that the command reads by what they are, as in ``the training table``.

    Raises
    ------
    OverwritingError
        If a file to write is read as well, by whatever path, is a part of a run, or is asked for twice.

    """
    written: dict[Path, str] = {}
    for option, path in outputs.items():
        if path is None:
            continue
        what = next((what for what, each in inputs.items() if is_same(path, each)), None)
        run = run_of(path)
        if what is None and run is not None:
            what = f"a file of the run {run}"
        if what is not None:
            raise OverwritingError(f"{option} {path}: is {what} and would be overwritten; choose another file")
        first = written.setdefault(path.resolve(), option)
        if first != option:
            raise OverwritingError(f"{option} {path}: is the file of {first} as well; choose another one")
