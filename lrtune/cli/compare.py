"""``lrtune compare``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from lrtune.cli.options import JsonOption
from lrtune.cli.outputs import put
from lrtune.cli.runs import find, name_of, names
from lrtune.text.paths import expanded

if TYPE_CHECKING:
    from lrtune.reporting.versus import Side

_HELP = "Folder of a run, its name under ./runs, or 'latest'; with :17 behind it, trial 17 of that run."


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help=_HELP, show_default=False, autocompletion=names)],
    second: Annotated[
        str, typer.Argument(metavar="B", help="The same for the other.", show_default=False, autocompletion=names)
    ],
    *,
    as_json: JsonOption = False,
) -> None:
    """Compare the best trials of two runs, or any two trials.

    Fold by fold with a test corrected for overlapping folds where the folds are the same, and all that differs in
    configuration and experiment. Where the folds are not the same, says why and shows the numbers alone. Of runs that
    deliver a mean of several trials, says how these compare as well.

    Example: lrtune compare wine-1a2b3c4d wine-5e6f7a8b
    """
    from lrtune.reporting import console, versus, versus_page
    from lrtune.run.pairing import why_not_paired
    from lrtune.text import written

    one, other = _side(first), _side(second)
    found = versus.compared(one, other, why_not_paired(one.run, other.run))
    if as_json:
        put(written.json_text(written.to_json(found)))
    else:
        console.show(versus_page.page(found))


def _side(text: str) -> Side:
    from lrtune.reporting.versus import Side
    from lrtune.run.folder import open_run
    from lrtune.verdict.choice import chosen
    from lrtune.verdict.stored import stored

    named = None if expanded(text).exists() else re.fullmatch(r"(.+):(\d+)", text)
    folder = find(named[1] if named else text, finished=False)
    run = open_run(folder)
    if named:
        return Side(run, name_of(folder), run.trial(int(named[2])))
    result = None if run.is_told else stored(run)
    return Side(run, name_of(folder), chosen(run.study), None if result is None else result.delivered)
