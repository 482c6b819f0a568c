"""``lrtune status``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from lrtune.cli.options import JsonOption, LookArgument
from lrtune.cli.outputs import put
from lrtune.cli.runs import LATEST, find, name_of
from lrtune.cli.signals import INTERRUPTED

EVERY = 1.0
"""Seconds between two looks."""


def status(
    run: LookArgument = LATEST,
    *,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Look again every second until it ends; wait for one that begins.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say how far a run is, also from another terminal.

    Whether a process is at work on it, how many trials are done, running and pruned, the best so far and the time left.
    Disturbs nothing: no lock is taken.

    Example: lrtune status latest --watch
    """
    from lrtune.reporting import console, live
    from lrtune.reporting import status as reporting
    from lrtune.run.folder import follow, open_run
    from lrtune.text import written
    from lrtune.text.errors import LrtuneError
    from lrtune.text.written import to_json

    if watch and as_json:
        raise LrtuneError("--watch and --json: choose one of the two")
    if watch:
        try:
            folder = _begun(run)
            live.follow(reporting.page(each, called=name_of(folder)) for each in follow(folder, EVERY))
        except KeyboardInterrupt:  # how one ends looking; nothing was stopped
            raise typer.Exit(INTERRUPTED) from None
        return
    folder = find(run, finished=False)
    found = open_run(folder)
    if as_json:
        put(written.json_text(to_json(reporting.status(found))))
    else:
        console.show(reporting.page(found, called=name_of(folder)))


def _begun(run: str) -> Path:
    """Find a run; wait for its study where there is none yet."""
    from lrtune.reporting import console
    from lrtune.run.folder import open_run
    from lrtune.text.errors import NoStudyError

    is_told = False
    while True:
        try:
            folder = find(run, finished=False)
            open_run(folder)
        except NoStudyError as error:
            if not is_told:
                console.note(f"{error}; waiting until it begins, and Ctrl-C ends that")
            is_told = True
            time.sleep(EVERY)
        else:
            return folder
