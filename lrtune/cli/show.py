"""``lrtune show``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lrtune.cli.options import JsonOption, LookArgument
from lrtune.cli.runs import LATEST, find, name_of

if TYPE_CHECKING:
    from lrtune.reporting.blocks import Block
    from lrtune.run.folder import Run
    from lrtune.verdict.result import Result


def show(
    run: LookArgument = LATEST,
    *,
    top: Annotated[int, typer.Option("--top", metavar="N", min=1, help="How many of the best trials to show.")] = 5,
    notes: Annotated[bool, typer.Option("--notes", help="Show every note, however long the page gets.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what a run found, and the best trials.

    Of a run that goes on or was stopped, what it has found so far, and how to go on. Trains nothing and reads no data.

    Example: lrtune show latest --top 10
    """
    from lrtune.reporting import console, listed, listing, status
    from lrtune.run.folder import open_run
    from lrtune.text import written
    from lrtune.text.written import to_json
    from lrtune.verdict.stored import current

    found = open_run(find(run, finished=False))
    has_result = not found.is_told and (found.written is not None or bool(found.ranked))
    result = current(found) if has_result else None
    if as_json:
        best = [listed.listed_trial(each, found.metric) for each in found.ranked[:top]]
        known = result.to_json() if result else {}
        more = {"status": to_json(status.status(found)), "top": to_json(best)}
        sys.stdout.write(written.json_text({**known, **more}))
        return
    called = name_of(found.folder)
    if result is not None:
        console.show(_page(found, result, called, top, notes=notes))
        return
    first = found.ranked[:top]
    several = listing.trials_page(found, first, called="the best", matching=len(first)) if len(first) > 1 else []
    console.show([*status.page(found, called=called), *several])


def _page(run: Run, result: Result, called: str, top: int, *, notes: bool) -> list[Block]:
    from lrtune.reporting import pages, status
    from lrtune.reporting.blocks import Headline
    from lrtune.run.folder import fixed_by

    page = pages.search_page(
        result,
        run.ranked,
        run.trial(result.best.number).configuration,
        folder=run.folder,
        run=called,
        notes=result.notes,
        top=top,
        all_notes=notes,
        state=run.state,
        trained_by=run.trained_by,
        fixed=fixed_by(run.study),
    )
    if run.state == "finished":
        return page
    found = status.status(run)
    so_far = Headline(f"{called}: {status.sentence(found.state, found.trials)}; the best so far")
    return [so_far, *page]
