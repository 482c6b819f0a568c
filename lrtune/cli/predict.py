"""``lrtune predict``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lrtune.cli.options import RunArgument
from lrtune.cli.outputs import refuse_overwriting
from lrtune.cli.runs import find
from lrtune.run.names import MODEL
from lrtune.text.paths import expanded

if TYPE_CHECKING:
    from lrtune.data.tables import Table
    from lrtune.model import Model


def predict(
    run: RunArgument,
    data: Annotated[str, typer.Argument(metavar="DATA", help="Table with the columns that the model was trained on.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="CSV file to write; by default standard output."),
    ] = None,
    trust: Annotated[
        bool,
        typer.Option("--trust", help="Run what the model needs to predict: code of your own, or of other libraries."),
    ] = False,
) -> None:
    """Predict the rows of a table with the model of a run.

    The table is read as the training table was: numbers, dates and missing cells mean what they meant there.

    Writes CSV with the predicted label, in a column named like the target, and the probability of each class, if the
    model tells it; for regression with the predicted value.

    Example: lrtune predict latest new_rows.csv -o predictions.csv
    """
    from lrtune.data import tables
    from lrtune.reporting import export
    from lrtune.text import written
    from lrtune.trainers.loading import load_model

    refuse_overwriting({"--output": output}, {"the table to predict": expanded(data)})
    fitted = load_model(find(run) / MODEL, trust=trust)
    text = written.csv_text(_rows(fitted, tables.load(data, schema=fitted.schema)))
    if output is None:
        sys.stdout.write(text)
    else:
        export.write(output, text)


def _rows(fitted: Model, table: Table) -> Iterator[list[Any]]:
    predicted = fitted.predict(table)
    values = predicted.values.tolist()
    if predicted.probabilities is None:
        yield [fitted.schema.target]
        yield from ([repr(each) if isinstance(each, float) else each] for each in values)
        return
    yield [fitted.schema.target, *(f"probability_{each}" for each in fitted.schema.classes)]
    for label, shares in zip(values, predicted.probabilities.tolist(), strict=True):
        yield [label, *map(repr, shares)]
