"""``lrtune list``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrtune.cli.options import JsonOption
from lrtune.cli.outputs import put
from lrtune.cli.runs import RUNS, folders
from lrtune.run.names import DATABASE, EXPERIMENT, RESULT, TRIALS

if TYPE_CHECKING:
    from lrtune.reporting.listed import ListedRun, UnreadableRun

TRACES = (DATABASE, EXPERIMENT, TRIALS, RESULT)
"""A folder with one of these is a run, or was one."""


def list_runs(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder with the runs.")] = RUNS,
    *,
    as_json: JsonOption = False,
) -> None:
    """List all runs with metric, best score, trials, state and age.

    The last written comes first. Those that cannot be read are listed as such, with the reason.

    Example: lrtune list runs
    """
    from lrtune.reporting import console, listed, listing
    from lrtune.text import written
    from lrtune.text.errors import LrtuneError
    from lrtune.text.written import to_json

    if not folder.is_dir() and folder != RUNS:
        raise LrtuneError(f"{folder}: {'is a file, not a folder' if folder.exists() else 'no such folder'}")
    there = [each for each in folders(folder) if any((each / name).exists() for name in TRACES)]
    found = listed.run_list(folder, map(_described, there))
    if as_json:
        put(written.json_text(to_json(found)))
    else:
        console.show(listing.runs_page(found))


def _described(folder: Path) -> ListedRun | UnreadableRun:
    from lrtune.reporting import listed
    from lrtune.run.folder import open_run
    from lrtune.text.errors import DamagedError, LrtuneError

    try:
        return listed.listed_run(open_run(folder))
    except LrtuneError as error:
        state = "damaged" if isinstance(error, DamagedError) else "unreadable"
        return listed.UnreadableRun(folder.name, str(folder), state, str(error).replace("\n", "; "))
