"""``lrtune worker``."""

from __future__ import annotations

from typing import Annotated

import typer

from lrtune.cli.options import RunArgument
from lrtune.cli.runs import find, name_of

PATIENCE = "10m"


def worker(
    run: RunArgument,
    *,
    patience: Annotated[
        str,
        typer.Option("--patience", metavar="TIME", help="How long to wait for a search that is not there, or stopped."),
    ] = PATIENCE,
) -> None:
    """Train for a search that runs elsewhere.

    For a search with --engine folder, from any machine that sees the folder of the run, and as often as you like. A
    worker takes one block at a time and ends with the search. Ctrl-C gives its block back to the others. Where the
    experiment names code of yours, this runs it.

    Example: lrtune worker latest
    """
    from lrtune.reporting import console
    from lrtune.text.durations import seconds
    from lrtune.text.errors import LrtuneError
    from lrtune.tuning.places import runs_code, take_part

    try:
        limit = seconds(patience)
    except ValueError as error:
        raise LrtuneError(f"--patience: {error}") from error
    folder = find(run, finished=False)
    called, warned = name_of(folder), False
    try:
        for sentence in take_part(folder, patience=limit):
            code = "" if warned else runs_code(folder)
            if code:
                warned = True
                console.warn(f"{called} trains with {code}: this worker runs that code")
            console.note(f"{called}: {sentence}")
    except KeyboardInterrupt as error:
        error.add_note(f"what this worker had of {called} goes back to the others")
        raise
