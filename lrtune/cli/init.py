"""``lrtune init``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lrtune.text.errors import LrtuneError, nearest

if TYPE_CHECKING:
    from lrtune.experiment.reading.sections import DataSection

STDOUT = Path("-")

SAID = (
    *("separator", "decimal", "thousands", "encoding", "missing", "comment", "skip", "header"),
    *("task", "positive", "features", "ignore", "categorical", "numeric", "dates", "group", "order"),
)
"""Keys of `data` that say what a table means; where it is and which rows are kept for the test is another matter."""

_SETTINGS = tuple(f"data.{key}" for key in SAID)


def init(
    data: Annotated[str, typer.Argument(metavar="DATA", help="Table to learn from: <formats>.")],
    *,
    target: Annotated[
        str | None,
        typer.Option("--target", metavar="COLUMN", help="Column to predict; needless if the table names it."),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Say what the table means, as in data.missing=[]; repeatable."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="File to write; - prints it.")] = Path(
        "config.yaml"
    ),
) -> None:
    """Write a file to start from, after looking at a table.

    Task, classes, missing cells and dates are found; metric, folds, epochs and batch size are suggested, each with the
    reason as a comment. What --set says of the table is written too. A file that is there is never replaced.

    Example: lrtune init datasets/wine.csv --target cultivar
    """
    from lrtune import experiment
    from lrtune.data.dataset import open_dataset
    from lrtune.data.tables import load
    from lrtune.experiment.core import seen_from
    from lrtune.reporting import console, export, plans
    from lrtune.trainers.preparation import meaning, reading
    from lrtune.tuning import first_file as proposal

    if output != STDOUT and output.exists():
        raise LrtuneError(f"{output}: is there already and stays as it is; choose another name with --output")
    said, section = _said(data, target, overrides or ())
    table = load(data, options=reading(section))
    found = proposal.seen(table, open_dataset(table, **{**meaning(section), "dates": said.get("dates", "encode")}))
    folder = Path() if output == STDOUT else output.parent
    text = proposal.text(found, seen_from(folder, Path(), data), said)
    made = experiment.load_text(text, name=str(output), base=folder)
    made.metric(found.schema.problem)
    if output == STDOUT:
        sys.stdout.write(text)
        return
    export.write(output, text)
    console.show(plans.started_page(found, made, output))


def _said(data: str, target: str | None, overrides: Sequence[str]) -> tuple[dict[str, Any], DataSection]:
    """Read what is said of the table: the settings alone, and the section with them in it."""
    from lrtune import experiment
    from lrtune.experiment.reading.sections import DataSection
    from lrtune.experiment.writing.yaml_text import plain

    if not overrides:
        return {}, DataSection(path=data, target=target)
    settings = dict.fromkeys(each.partition("=")[0].strip() for each in overrides)
    for each in settings:
        if each not in _SETTINGS:
            raise LrtuneError(f"--set {each}: init takes what is said of the table only; {nearest(each, _SETTINGS)}")
    section = experiment.load(None, overrides, data=data, target=target).data
    keys = [each.removeprefix("data.") for each in settings]
    return {key: plain(getattr(section, key)) for key in keys}, section
