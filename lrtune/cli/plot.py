"""``lrtune plot``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrtune.cli.names import completed, figures
from lrtune.cli.options import LookArgument
from lrtune.cli.outputs import put_path, refuse_overwriting
from lrtune.cli.runs import LATEST, find, name_of

if TYPE_CHECKING:
    from lrtune.reporting.blocks import Block


def plot(
    run: LookArgument = LATEST,
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="KIND",
            help="What of it: <figures>. Without it, says which of them the run has.",
            show_default=False,
            autocompletion=completed(figures),
        ),
    ] = None,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="File to write, as .svg, .png or .html; by default KIND.svg."
        ),
    ] = None,
) -> None:
    """Draw one of the pictures of a run.

    The file's ending says in which format. Trains nothing and reads no data.

    Example: lrtune plot latest history -o history.png
    """
    from lrtune.reporting import console
    from lrtune.reporting.figures import check_path
    from lrtune.reporting.html.catalogue import kind_of
    from lrtune.reporting.html.pictures import of_run

    folder = find(run, finished=False)
    if kind is None:
        console.show(_listed(folder))
        return
    kind_of(kind)
    path = output or Path(f"{kind}.svg")
    check_path(path, "picture")
    refuse_overwriting({"--output": path}, {})
    with console.working("drawing"):
        picture = of_run(folder, kind)
    picture.save(path)
    put_path(path)


def _listed(folder: Path) -> list[Block]:
    """Say which pictures a run has, and why it has not the others."""
    from lrtune.reporting.blocks import Facts, Headline
    from lrtune.reporting.html.catalogue import FIGURES
    from lrtune.reporting.html.subject import subject

    about = subject(folder, explained=True)
    made = {name: entry.make(about) for name, entry in FIGURES.items()}
    there = [(name, entry.summary) for name, entry in FIGURES.items() if not isinstance(made[name], str)]
    missing = [(name, why) for name, why in made.items() if isinstance(why, str)]
    called = name_of(folder)
    page: list[Block] = [Headline(f"pictures of {called}, drawn by: lrtune plot {called} KIND"), Facts("", there)]
    return [*page, *([Facts("this run has none of", missing)] if missing else [])]
