"""``lrtune list``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from lrtune.cli.options import JsonOption
from lrtune.cli.runs import RUNS, folders
from lrtune.run.names import DATABASE, EXPERIMENT, RESULT, TRIALS

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
    from lrtune.reporting import console, listing
    from lrtune.text import written
    from lrtune.text.errors import LrtuneError

    if not folder.is_dir() and folder != RUNS:
        raise LrtuneError(f"{folder}: {'is a file, not a folder' if folder.exists() else 'no such folder'}")
    there = [each for each in folders(folder) if any((each / name).exists() for name in TRACES)]
    found = sorted(map(_described, there), key=lambda each: -each.get("changed", 0.0))
    if as_json:
        sys.stdout.write(written.json_text({"schema": listing.SCHEMA, "folder": str(folder), "runs": found}))
    else:
        console.show(listing.runs_page(found, folder))


def _described(folder: Path) -> Mapping[str, Any]:
    from lrtune.reporting import listing
    from lrtune.run.folder import open_run
    from lrtune.text.errors import DamagedError, LrtuneError

    try:
        return listing.run_json(open_run(folder))
    except LrtuneError as error:
        state = "damaged" if isinstance(error, DamagedError) else "unreadable"
        return listing.unreadable_json(folder, state, str(error).replace("\n", "; "))
