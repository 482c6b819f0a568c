"""``lrtune init``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from lrtune.errors import LrtuneError

STDOUT = Path("-")


def init(
    data: Annotated[str, typer.Argument(metavar="DATA", help="Table to learn from: csv, tsv, parquet or npz.")],
    *,
    target: Annotated[
        str | None,
        typer.Option("--target", metavar="COLUMN", help="Column to predict; needless if the table names it."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="File to write; - prints it.")] = Path(
        "config.yaml"
    ),
) -> None:
    """Write a file to start from, after looking at a table.

    Task, classes, missing cells and dates are found; metric, folds, epochs and batch size are suggested, each with the
    reason as a comment. A file that is there is never replaced.

    Example: lrtune init datasets/wine.csv --target cultivar
    """
    from lrtune import experiment, proposal
    from lrtune.data.dataset import open_dataset
    from lrtune.data.tables import load
    from lrtune.experiment.core import seen_from
    from lrtune.reporting import console, export, plans

    if output != STDOUT and output.exists():
        raise LrtuneError(f"{output}: is there already and stays as it is; choose another name with --output")
    table = load(data)
    found = proposal.seen(table, open_dataset(table, target=target, dates="encode"))
    folder = Path() if output == STDOUT else output.parent
    text = proposal.text(found, seen_from(folder, Path(), data))
    made = experiment.load_text(text, name=str(output), base=folder)
    made.metric(found.schema.problem)
    if output == STDOUT:
        sys.stdout.write(text)
        return
    export.write(output, text)
    console.show(plans.started_page(found, made, output))
