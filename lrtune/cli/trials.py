"""``lrtune trials``."""

from __future__ import annotations

from typing import Annotated

import typer

from lrtune.cli.options import JsonOption, LookArgument
from lrtune.cli.outputs import put
from lrtune.cli.runs import LATEST, find, name_of

PAGE = 20
"""Trials on a page, unless a limit is given; files for programs have all of them."""


def _states(incomplete: str) -> list[str]:
    from lrtune.space.trial import TrialState

    return [str(each) for each in TrialState if each.startswith(incomplete)]


def _sort_keys(incomplete: str) -> list[str]:
    from lrtune.reporting.listing import NUMBER, SCORE, STATE, STD
    from lrtune.training.registry import KEYS

    known = [NUMBER, SCORE, STD, STATE, *KEYS]
    return [each for each in known if each.startswith(incomplete)]


def trials(
    run: LookArgument = LATEST,
    *,
    sort: Annotated[
        str,
        typer.Option(
            "--sort",
            metavar="KEY",
            help="number, score (the best first), std, state, fold_1 or a key such as learning_rate.",
            autocompletion=_sort_keys,
        ),
    ] = "score",
    reverse: Annotated[bool, typer.Option("--reverse", help="Turn the order round.")] = False,
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", min=0, help=f"How many; 0 is all. On a page {PAGE}, else all."),
    ] = None,
    states: Annotated[
        list[str] | None,
        typer.Option(
            "--state",
            metavar="NAME",
            help="Only these: complete, pruned, diverged, failed or proposed; repeatable.",
            autocompletion=_states,
        ),
    ] = None,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV with all that is known of each trial.")] = False,
) -> None:
    """List the trials of a run.

    Works as well while the run goes on. The columns of --csv are those of trials.csv.

    Example: lrtune trials latest --sort learning_rate --state complete
    """
    from lrtune.reporting import console, listed, listing
    from lrtune.run.folder import open_run
    from lrtune.text import written
    from lrtune.text.errors import LrtuneError
    from lrtune.text.written import to_json
    from lrtune.verdict.trials_table import trials_text

    if as_json and as_csv:
        raise LrtuneError("--json and --csv: choose one of the two")
    found = open_run(find(run, finished=False))
    usual = None if as_json or as_csv else PAGE
    matching = listing.chosen(found.trials, states=states or (), sort=sort, reverse=reverse)
    some = matching[: (usual if limit is None else limit) or None]
    if as_json:
        put(written.json_text(to_json(listed.listed_trials(found, some))))
    elif as_csv:
        put(trials_text(some, found.metric))
    else:
        page = listing.trials_page(found, some, called=name_of(found.folder), matching=len(matching))
        console.show(page)
