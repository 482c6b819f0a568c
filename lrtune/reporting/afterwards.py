"""Where the files of a run are, and what can be done next: commands that can be typed as they stand here."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from lrtune.reporting import status, tables
from lrtune.reporting.blocks import Block, Words
from lrtune.run.names import BEST, MODEL, REPORT, RESULT, TRIALS

NEW_ROWS = "data.csv"
"""Rows to predict, where the table of the search is no file."""

AGAIN = "the same lrtune search trains the model again, nothing else"
"""What can be done where there is no model."""

_FILES = (REPORT, RESULT, TRIALS, BEST, MODEL)


def after(
    folder: Path,
    run: str,
    *,
    state: str,
    trained_by: str,
    table: str = NEW_ROWS,
    is_made: bool = True,
) -> list[Block]:
    """Say where the files are and what can be done now.

    Parameters
    ----------
    folder, run
        Where the files are, and how commands call the run.
    state
        Of the run (`lrtune.run.folder.Run.state`).
    trained_by
        What trained (`lrtune.run.folder.Run.trained_by`).
    table
        Some rows to predict.
    is_made
        Whether there is a model; else the training on all rows failed.

    """
    if state != "finished":
        return status.next_step(folder, run, state)
    there = [name for name in _FILES if (folder / name).exists()]
    report = [] if REPORT in there else [("pictures", f"lrtune report {shlex.quote(run)}")]
    files = f"{folder}: {', '.join(there)}" if there else str(folder)
    use = tables.model_use(run, folder / MODEL, trained_by, table) if is_made else AGAIN
    return [Words("", [("files", files), *report, ("next", use)])]


def rows_of(table: Path | None, *, is_loaded: bool = False) -> str:
    """Say by which path the table of a search is reached from here, if it is a file that is there.

    Empty where the rows are of no table: a function has loaded them.
    """
    if is_loaded:
        return ""
    if table is None or not table.is_file():
        return NEW_ROWS
    whole = table.absolute()
    near = os.path.relpath(whole)
    return str(whole) if near.startswith(os.pardir) and len(near) > len(str(whole)) else near
