"""``lrtune show``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lrtune.cli.options import DetailsOption, JsonOption, LookArgument
from lrtune.cli.outputs import put
from lrtune.cli.runs import LATEST, find, name_of

if TYPE_CHECKING:
    from lrtune.reporting.blocks import Block
    from lrtune.run.folder import Run
    from lrtune.verdict.result import Result


def show(
    run: LookArgument = LATEST,
    *,
    top: Annotated[
        int | None,
        typer.Option(
            "--top", metavar="N", min=1, help="Show everything, with so many of the best trials (default: 5)."
        ),
    ] = None,
    details: DetailsOption = False,
    notes: Annotated[bool, typer.Option("--notes", help="Show everything, with every note.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what a run found.

    In about ten lines, or everything: the best trials, every score, kinds of decay and optimizer beside each other. Of
    a run that goes on or was stopped, what it has found so far, and how to go on. Trains nothing and reads no data.

    Example: lrtune show latest --details
    """
    from lrtune.reporting import console, listed, listing, status
    from lrtune.reporting.details import TOP
    from lrtune.run.folder import open_run
    from lrtune.text import written
    from lrtune.text.written import to_json
    from lrtune.verdict.stored import current

    found = open_run(find(run, finished=False))
    has_result = not found.is_told and (found.written is not None or bool(found.ranked))
    result = current(found) if has_result else None
    if as_json:
        best = [listed.listed_trial(each, found.metric) for each in found.ranked[: top or TOP]]
        known = result.to_json() if result else {}
        more = {"status": to_json(status.status(found)), "top": to_json(best)}
        put(written.json_text({**known, **more}))
        return
    called = name_of(found.folder)
    if result is not None:
        is_whole = details or notes or top is not None
        console.show(
            _details(found, result, called, top or TOP, notes=notes) if is_whole else _page(found, result, called)
        )
        return
    first = found.ranked[: top or TOP]
    several = listing.trials_page(found, first, called="the best", matching=len(first)) if len(first) > 1 else []
    console.show([*status.page(found, called=called), *several])


def _page(run: Run, result: Result, called: str) -> list[Block]:
    from lrtune.reporting.pages import search_page

    point = run.trial(result.best.number).configuration
    page = search_page(
        result,
        point,
        folder=run.folder,
        run=called,
        state=run.state,
        trained_by=run.trained_by,
        table=_rows(run),
    )
    return [*_so_far(run, called), *page]


def _details(run: Run, result: Result, called: str, top: int, *, notes: bool) -> list[Block]:
    from lrtune.reporting.details import details_page
    from lrtune.run.folder import fixed_by

    page = details_page(
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
        table=_rows(run),
        fixed=fixed_by(run.study),
    )
    return [*_so_far(run, called), *page]


def _so_far(run: Run, called: str) -> list[Block]:
    """Say that a run is not finished, if so."""
    from lrtune.reporting import status
    from lrtune.reporting.blocks import Headline

    if run.state == "finished":
        return []
    found = status.status(run)
    return [Headline(f"{called}: {status.sentence(found.state, found.trials)}; the best so far")]


def _rows(run: Run) -> str:
    """Name the table of the search, where the experiment in the folder still tells it."""
    from lrtune.experiment.searched import searched
    from lrtune.reporting.afterwards import NEW_ROWS, rows_of
    from lrtune.text.errors import LrtuneError

    try:
        experiment = searched(run)
        return rows_of(experiment.inputs.get("the training table"), is_loaded=experiment.loader is not None)
    except LrtuneError:
        return NEW_ROWS
