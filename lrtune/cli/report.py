"""``lrtune report``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from lrtune.cli.options import LookArgument
from lrtune.cli.outputs import refuse_overwriting
from lrtune.cli.runs import LATEST, find
from lrtune.run.names import REPORT
from lrtune.text.paths import is_same


def report(
    run: LookArgument = LATEST,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="File to write; by default report.html in the run's folder."
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Write what a run found as one page of HTML with pictures.

    Scores by trial and by learning rate, learning curves, the schedule of the best, folds, what is right and wrong in
    its predictions; each picture with its numbers. The file needs nothing beside it and runs no script. Trains nothing
    and reads no data.

    Example: lrtune report latest -o report.html
    """
    from lrtune.reporting import console
    from lrtune.reporting.html.page import report as written
    from lrtune.run import files

    folder = find(run, finished=False)
    path = output or folder / REPORT
    refuse_overwriting({"--output": None if is_same(path, folder / REPORT) else output}, {})
    _refuse_without_score(folder)
    with console.working("drawing"):
        text = written(folder, explained=True)
    files.write(path, text)
    sys.stdout.write(f"{path}\n")
    if show:
        import webbrowser

        if not webbrowser.open(path.resolve().as_uri()):
            console.note("there is no browser to open it in")


def _refuse_without_score(folder: Path) -> None:
    """Refuse a run that has ended without a score; of one that goes on there is a report before the first one."""
    from lrtune.run.folder import open_run
    from lrtune.verdict.stored import current

    run = open_run(folder)
    if not (run.running or run.is_told):
        current(run)
