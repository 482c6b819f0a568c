"""``lrtune predict``."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrtune.cli.options import RunArgument
from lrtune.cli.outputs import STDOUT, put_file, refuse_overwriting
from lrtune.cli.runs import find
from lrtune.run.names import MODEL
from lrtune.text.errors import LrtuneError
from lrtune.text.paths import expanded

if TYPE_CHECKING:
    from lrtune.model.predicted import Columns

PARQUET = ".parquet"

OTHERS = (".json", ".jsonl", ".npz", ".npy", ".xlsx", ".html", ".tsv", ".feather", ".gz", ".zip")
"""Endings of formats that are not written."""


def predict(
    run: RunArgument,
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA", help="Table with the columns that the model was trained on; - reads standard input."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="CSV or .parquet file to write; - is standard output."),
    ] = STDOUT,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="COLUMNS", help="Columns to carry over, as in id,name; repeatable."),
    ] = None,
    trust: Annotated[
        bool,
        typer.Option("--trust", help="Run what the model needs to predict: code of your own, or of other libraries."),
    ] = False,
) -> None:
    """Predict the rows of a table with the model of a run.

    The table is read as the training table was: numbers, dates and missing cells mean what they meant there.

    Writes CSV, or Parquet, with the columns to keep, the predicted label, in a column named like the target
    (`predicted_<target>`, where that is kept), and the probability of each class, if the model tells it; for regression
    with the predicted value.

    Example: lrtune predict latest new_rows.csv -o predictions.csv
    """
    from lrtune.data import frames, scratch, tables
    from lrtune.model.predicted import predicted
    from lrtune.reporting import export
    from lrtune.trainers.loading import load_model

    is_stream = data == str(STDOUT)
    if output != STDOUT:
        refuse_overwriting({"--output": output}, {} if is_stream else {"the table to predict": expanded(data)})
    if output.suffix.lower() in OTHERS:
        raise LrtuneError(f"--output {output}: predictions are written as CSV or Parquet; expected .csv or .parquet")
    fitted = load_model(find(run) / MODEL, trust=trust)
    if is_stream:
        table = tables.load_stream(sys.stdin.buffer, "standard input", schema=fitted.schema, keep=keep or ())
    else:
        table = tables.load(data, schema=fitted.schema, keep=keep or ())
    pieces = predicted(fitted, table)
    if output.suffix.lower() == PARQUET:
        export.write(output, frames.parquet(pieces))
    elif output == STDOUT:
        with scratch.spooled(_csv(pieces)) as content:  # nothing of it is shown if a later row cannot be predicted
            put_file(content)
    else:
        export.write(output, _csv(pieces))


def _csv(pieces: Iterable[Columns]) -> Iterator[bytes]:
    """Write columns as CSV, floats with all of their digits."""
    from lrtune.text import written

    for place, columns in enumerate(pieces):
        cells = [[repr(each) if isinstance(each, float) else each for each in values] for values in columns.values()]
        header = [] if place else [list(columns)]
        yield written.csv_text(itertools.chain(header, zip(*cells, strict=True))).encode()
