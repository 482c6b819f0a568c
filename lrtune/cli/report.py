"""``lrtune report``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrtune.cli.options import LookArgument
from lrtune.cli.outputs import refuse_overwriting
from lrtune.cli.runs import LATEST, find, name_of
from lrtune.run.names import REPORT

if TYPE_CHECKING:
    from lrtune.run.folder import Run
    from lrtune.verdict.explanation import Explanation

FEWEST, MOST = 10, 300
"""Of fewer trials nothing can be told about dimensions, and of more it takes its time."""


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
    from lrtune.run.folder import open_run
    from lrtune.verdict.stored import current

    found = open_run(find(run, finished=False))
    path = output or found.folder / REPORT
    refuse_overwriting({"--output": output}, {})
    text = written(found, current(found), name_of(found.folder), _explained(found))
    files.write(path, text)
    sys.stdout.write(f"{path}\n")
    if show:
        import webbrowser

        if not webbrowser.open(path.resolve().as_uri()):
            console.note("there is no browser to open it in")


def _explained(run: Run) -> Explanation | None:
    """Ask which dimensions mattered, where that can be told."""
    from lrtune.experiment.searched import searched
    from lrtune.text.errors import LrtuneError
    from lrtune.verdict.explanation import explain

    if not FEWEST <= len(run.ranked) <= MOST:
        return None
    try:
        experiment = searched(run)
        return explain(experiment.space, run.trials, experiment.search.seed)
    except LrtuneError:  # the report has its other figures
        return None
