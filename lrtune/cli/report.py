"""``lrtune report``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrtune.cli.outputs import put, put_path, refuse_overwriting
from lrtune.cli.runs import LATEST, find, name_of, names
from lrtune.run.names import REPORT
from lrtune.text.errors import LrtuneError
from lrtune.text.paths import is_same

if TYPE_CHECKING:
    from lrtune.run.folder import Run

STDOUT = Path("-")

COMPARISON = "comparison.html"
"""What compares several runs, in the working folder."""


def report(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN]...",
            help="Folders of runs, their names under ./runs, or 'latest' (usual); two or more are compared.",
            show_default=False,
            autocompletion=names,
        ),
    ] = None,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help=f"File to write; by default {REPORT} in the run's folder, or {COMPARISON} here; - is standard output.",
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Write what a run found as one page of HTML, or compare runs.

    The answer in words; scores by trial and by learning rate, what mattered, learning curves, the schedule of the best,
    folds, what is right and wrong in its predictions; each picture with its numbers. Of several runs: scores side by
    side, differences on the same folds, and what differs in the experiments. The file needs nothing beside it and runs
    no script. Trains nothing and reads no data.

    Example: lrtune report latest -o report.html
    """
    from lrtune.reporting import console, export
    from lrtune.run import files

    folders = [find(each, finished=False) for each in runs or [LATEST]]
    own = folders[0] / REPORT
    path = output or (own if len(folders) == 1 else Path(COMPARISON))
    is_own = is_same(path, own) and len(folders) == 1
    if not is_own:
        refuse_overwriting({"--output": path}, {})
        _refuse_other_kinds(path)
    with console.working("drawing"):
        text = _text(folders)
    if path == STDOUT:
        put(text)
        return
    if is_own:
        files.write(path, text)
    else:
        export.write(path, text)
    put_path(path)
    if show:
        import webbrowser

        if not webbrowser.open(path.resolve().as_uri()):
            console.note("there is no browser to open it in")


def _refuse_other_kinds(path: Path) -> None:
    """Refuse a name that is not one of a page, which may be that of a table; a device or a pipe gets any content."""
    is_special = path.exists() and not path.is_file()
    if path != STDOUT and not is_special and path.suffix.lower() not in (".html", ".htm"):
        raise LrtuneError(f"--output {path}: a report is a page; expected a name that ends in .html")


def _text(folders: Sequence[Path]) -> str:
    """Write the page of a run, or of several beside each other."""
    from lrtune.reporting.html.comparison import comparison
    from lrtune.reporting.html.page import report as written

    if len(folders) == 1:
        return written(folders[0], explained=True, run=_with_score(folders[0]))
    if len(set(map(name_of, folders))) < len(folders):
        raise LrtuneError("a run is named twice: name two different ones to compare them")
    is_told_by_name = len({each.name for each in folders}) == len(folders)
    return comparison({each.name if is_told_by_name else name_of(each): each for each in folders})


def _with_score(folder: Path) -> Run:
    """Read a run, and refuse one that has ended without a score; of one that goes on there is a report before."""
    from lrtune.run.folder import open_run
    from lrtune.verdict.stored import current

    run = open_run(folder)
    if not (run.running or run.is_told):
        current(run)
    return run
