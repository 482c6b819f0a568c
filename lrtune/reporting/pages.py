"""The page of a search: about ten lines in plain words. Everything else stands in `lrtune.reporting.details`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lrtune.reporting.afterwards import NEW_ROWS, after
from lrtune.reporting.answer import answer
from lrtune.reporting.blocks import Block, Facts, Grid, Headline, Remarks
from lrtune.training.registry import BUILT_IN

if TYPE_CHECKING:
    from lrtune.reporting.answer import Answer, Beside
    from lrtune.space.trial import Configuration
    from lrtune.verdict.result import Result


def search_page(
    result: Result,
    point: Configuration,
    *,
    folder: Path,
    run: str,
    state: str = "finished",
    trained_by: str = BUILT_IN,
    table: str = NEW_ROWS,
    remarks: Sequence[str] = (),
    idle: str = "",
) -> list[Block]:
    """Say what a search found; of one that is not finished, what it has found so far, and how it goes on.

    Parameters
    ----------
    result
        What it came to.
    point
        The best configuration's point of the space.
    folder, run
        Where the files are, and how commands call the run.
    state
        Of the run (`lrtune.run.folder.Run.state`).
    trained_by
        What trained (`lrtune.run.folder.Run.trained_by`).
    table
        Some rows to predict.
    remarks
        What happened on the way and is no part of the result.
    idle
        Why the session has trained nothing; it comes first.

    """
    found = answer(result, point)
    return [
        Headline(f"{idle} {found.headline}".strip()),
        *([_table(found.beside)] if found.beside else ()),
        Facts("", found.facts),
        *([Remarks("notes", remarks)] if remarks else ()),
        *after(
            folder,
            run,
            state=state,
            trained_by=trained_by,
            table=table,
            others=_more(found, shlex.quote(run)),
            is_made=result.no_model is None,
        ),
    ]


def _table(found: Beside) -> Grid:
    return Grid(found.title, (found.metric, ""), [(score, name) for name, score in found.rows])


def _more(found: Answer, run: str) -> list[tuple[str, str]]:
    """Say where the other findings and everything else stand."""
    health = [("health", f"lrtune health {run}")] if found.findings else []
    return [*health, ("details", f"lrtune show {run} --details")]
