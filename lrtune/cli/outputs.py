"""Keeps the files that a command is asked to write from replacing those that it reads, and one another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lrtune.run.files import run_of
from lrtune.text.errors import LrtuneError
from lrtune.text.paths import is_same

STDOUT = Path("-")
"""Stands for standard output, and in place of a table for standard input."""


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
