"""What a model says of a table, as the columns of another table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from lrtune.data.tables import Table
from lrtune.model.core import Model
from lrtune.text.errors import ModelError

Columns: TypeAlias = Mapping[str, Sequence[str | int | float | None]]


def predicted(model: Model, table: Table) -> Iterator[Columns]:
    """Predict a table: what is kept of it, then what is predicted, called like the target, then the probabilities.

    The rows come in pieces, each with all columns.

    What is predicted is called ``predicted_<target>`` where the target itself is kept. There is a column
    ``probability_<class>`` for each class, if the model tells probabilities.

    Raises
    ------
    ModelError
        If the table lacks columns, or what is kept is called like something that is predicted.

    """
    target = model.schema.target
    called = f"predicted_{target}" if target in table.kept else target
    names = [called, *(f"probability_{each}" for each in model.schema.classes)]
    taken = next((name for name in table.kept if name in names), None)
    if taken is not None:
        raise ModelError(
            f"{table.source}: column '{taken}' cannot be kept, since the predictions have a column of that name; "
            "give it another name in the table"
        )
    start = 0
    for found in model.predictions(table):
        stop = start + len(found.values)
        columns = {name: each.read(start, stop) for name, each in table.kept.items()}
        columns[called] = found.values.tolist()
        if found.probabilities is not None:
            columns.update(zip(names[1:], found.probabilities.T.tolist(), strict=True))
        yield columns
        start = stop
