"""The page of a search: ten to thirteen lines in plain words. All else stands in `lrtune.reporting.details`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lrtune.reporting.afterwards import NEW_ROWS, after
from lrtune.reporting.answer import HEALTH, LACKS_MODEL, answer
from lrtune.reporting.blocks import Block, Facts, Headline, Remarks
from lrtune.training.registry import BUILT_IN

if TYPE_CHECKING:
    from lrtune.reporting.answer import Answer
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
        Facts("", _rows(found)),
        *([Remarks("notes", remarks)] if remarks else ()),
        *after(folder, run, state=state, trained_by=trained_by, table=table, is_made=result.no_model is None),
    ]


def _rows(found: Answer) -> list[tuple[str, str]]:
    """List the facts, what was not tuned before them; but nothing stands before that there is no model."""
    more = f" ({found.findings} more: --details)" if found.findings else ""
    rows = [(label, said + more if label == HEALTH else said) for label, said in found.facts]
    if found.beside is not None:
        rows.insert(rows[0][0] == LACKS_MODEL, ("Beside", found.beside.line))
    return rows
