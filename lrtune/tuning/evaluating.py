"""A model on labelled rows: what ``lrtune evaluate`` does, as a function."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lrtune.arrays import Doubles
from lrtune.data.columns import arrays_for
from lrtune.data.marks import row_marks
from lrtune.data.rare import without_dropped
from lrtune.data.tables import Table
from lrtune.data.targets import label_text
from lrtune.data.values import values_of
from lrtune.model import Model, TrainedNetwork
from lrtune.run import row_scores
from lrtune.run.names import ROW_SCORES
from lrtune.text.errors import ModelError, StudyError
from lrtune.training.metrics.catalogue import METRICS
from lrtune.verdict.evaluated import Evaluation, JudgedRows, Segment


def evaluate(model: Model, table: Table, *, metric: str | None = None, column: str | None = None) -> Evaluation:
    """Predict labelled rows and score the predictions.

    Parameters
    ----------
    model
        It should not have been trained on these rows.
    table
        With the columns that it was trained on, and the target; columns are found by name.
    metric
        The one to lead with; None: the usual one of the task.
    column
        A column of the table by whose values the rows are told apart as well.

    Raises
    ------
    ModelError
        If the table lacks columns or has a class that the model does not know, or the model says labels alone and the
        metric needs probabilities.

    """
    schema = model.schema
    table = without_dropped(table, schema)
    groups = [] if column is None else values_of(table, column)
    columns = arrays_for(table, schema, with_target=True)
    if not columns.rows:
        raise ModelError(f"{table.source}: has no rows to evaluate the model on")
    assert columns.target is not None
    bare = any(not isinstance(each, TrainedNetwork) and each.is_bare for each in model.members)
    task = {0: "regression", 2: "binary"}.get(len(schema.classes), "multiclass")
    shown = [each.name for each in METRICS.values() if task in each.tasks and not (bare and each.keeps != "label")]
    leading = metric or next(each.name for each in METRICS.values() if task in each.usual_for)
    if leading not in shown:
        raise ModelError(f"{leading}: needs probabilities, and this model says labels alone")
    outputs = model.outputs(columns)
    if not np.isfinite(outputs).all():
        raise ModelError(f"{table.source}: the model has no finite prediction for row {_first_infinite(outputs) + 1}")
    names = [leading, *(each for each in shown if each != leading and METRICS[each].is_beside)]
    judge = JudgedRows((outputs[:, 1:] if task == "binary" else outputs).T[None], columns.target, len(schema.classes))
    return Evaluation(
        schema.target,
        leading,
        columns.rows,
        judge.scores(names, np.arange(columns.rows)),
        tuple(judge.classes([label_text(each) for each in schema.classes])),
        column,
        tuple(Segment(name, len(rows), judge.scores(names, rows)) for name, rows in groups),
    )


def rows_known(model: Model, table: Table, folder: Path) -> int | None:
    """Count the rows of a table that the model was trained on, as far as its run has kept marks of them.

    Parameters
    ----------
    model
        Of the run.
    table
        As for `evaluate`.
    folder
        Of the run, or of its night among champions. The rows of the test are none of those that it marks.

    Returns
    -------
    int or None
        None where it keeps none: not every metric is a mean over rows.

    """
    try:
        text = row_scores.as_text(folder / ROW_SCORES)
        known = None if text is None else row_scores.from_text(text).marks
    except StudyError:
        return None
    if known is None:
        return None
    columns = arrays_for(without_dropped(table, model.schema), model.schema, with_target=True)
    return int(np.isin(row_marks(columns, model.schema), known).sum())


def _first_infinite(outputs: Doubles) -> int:
    return int(np.flatnonzero(~np.isfinite(outputs).all(axis=1))[0])
