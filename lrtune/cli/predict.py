"""``lrtune predict``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lrtune.cli.options import RunArgument
from lrtune.cli.runs import find

if TYPE_CHECKING:
    from lrtune.data.tables import DataOptions, Table
    from lrtune.model import Model

MODEL, EXPERIMENT = "model", "experiment.yaml"


def predict(
    run: RunArgument,
    data: Annotated[str, typer.Argument(metavar="DATA", help="Table with the columns that the model was trained on.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="CSV file to write; by default standard output."),
    ] = None,
) -> None:
    """Predict the rows of a table with the model of a run.

    Writes CSV with the predicted label, in a column named like the target, and the probability of each class; for
    regression with the predicted value.

    Example: lrtune predict latest new_rows.csv -o predictions.csv
    """
    from lrtune import model
    from lrtune.data import tables
    from lrtune.reporting import export

    folder = find(run)
    fitted = model.load(folder / MODEL)
    text = export.csv_text(_rows(fitted, tables.load(data, options=_reading(folder, fitted))))
    if output is None:
        sys.stdout.write(text)
    else:
        export.write(output, text)


def _reading(folder: Path, fitted: Model) -> DataOptions:
    """Read new tables as the experiment says that its own is to be read."""
    from lrtune import experiment
    from lrtune.data.tables import DataOptions

    if not (folder / EXPERIMENT).is_file():
        return DataOptions(missing=fitted.schema.missing)
    said = experiment.load(folder / EXPERIMENT).data
    return DataOptions(said.separator, said.decimal, said.encoding, said.missing)


def _rows(fitted: Model, table: Table) -> Iterator[list[Any]]:
    predicted = fitted.predict(table)
    values = predicted.values.tolist()
    if predicted.probabilities is None:
        yield [fitted.schema.target]
        yield from ([repr(each)] for each in values)
        return
    yield [fitted.schema.target, *(f"probability_{each}" for each in fitted.schema.classes)]
    for label, shares in zip(values, predicted.probabilities.tolist(), strict=True):
        yield [label, *map(repr, shares)]
