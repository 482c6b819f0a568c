"""``lrtune history``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lrtune.cli.options import JsonOption
from lrtune.cli.outputs import put, refuse_overwriting
from lrtune.cli.reports import SummaryOption, write_summary
from lrtune.text.errors import LrtuneError

ChampionsArgument = Annotated[
    Path, typer.Argument(metavar="DIR", help="A folder of champions, as --champions names it.", show_default=False)
]


def history(
    folder: ChampionsArgument,
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Draw it into a file as well: .svg, .png or .html."),
    ] = None,
    summary: SummaryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the nights of a folder of champions.

    The champion's score and its drift beside a control limit, gains, promotions, trials and times: as a table with a
    line of blocks, as a picture, as Markdown for the summaries of CI, or as JSON.

    Example: lrtune history champions -o history.svg
    """
    from lrtune.nights import history as histories
    from lrtune.reporting import console
    from lrtune.reporting.figures import check_path
    from lrtune.reporting.html.pictures import Picture
    from lrtune.reporting.nightly import history_figure, history_page
    from lrtune.reporting.summary import markdown
    from lrtune.text.written import json_text, to_json

    refuse_missing(folder)
    found = histories.read(folder)
    if output is not None:
        check_path(output, "picture")
        refuse_overwriting({"--output": output}, {"the history": folder / histories.HISTORY})
        if not found.nights:
            raise LrtuneError(f"{folder}: has no night yet, and nothing to draw")
    page = history_page(found, str(folder))
    if as_json:
        put(json_text({"nights": to_json(found.nights), "torn": found.torn or None}))
    else:
        console.show(page)
    if output is not None:
        Picture("history", "The nights of a champion", history_figure(found)).save(output)
    if summary is not None:
        write_summary(summary, markdown(str(folder.name), page))


def refuse_missing(folder: Path) -> None:
    """Refuse what is no folder of champions.

    Raises
    ------
    LrtuneError
        If there is no such folder, or it has neither a night nor a champion.

    """
    from lrtune.nights import folder as champions
    from lrtune.nights.history import HISTORY

    if not folder.is_dir():
        raise LrtuneError(f"{folder}: there is no such folder; `lrtune search --champions {folder}` makes it")
    if not any((folder / each).exists() for each in (HISTORY, champions.CURRENT, champions.TONIGHT)):
        raise LrtuneError(f"{folder}: is no folder of champions; `lrtune search --champions` makes one")
