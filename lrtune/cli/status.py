"""``lrtune status``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lrtune.cli.options import JsonOption, LookArgument
from lrtune.cli.runs import LATEST, find, name_of
from lrtune.cli.signals import INTERRUPTED

EVERY = 1.0
"""Seconds between two looks."""


def status(
    run: LookArgument = LATEST,
    *,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Look again every second until it ends.")] = False,
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
    folder = find(run, finished=False)
    called = name_of(folder)
    if watch:
        try:
            live.follow(reporting.page(each, called=called) for each in follow(folder, EVERY))
        except KeyboardInterrupt:  # how one ends looking; nothing was stopped
            raise typer.Exit(INTERRUPTED) from None
        return
    found = open_run(folder)
    if as_json:
        sys.stdout.write(written.json_text(to_json(reporting.status(found))))
    else:
        console.show(reporting.page(found, called=called))
