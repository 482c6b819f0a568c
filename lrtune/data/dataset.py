"""The whole way from a file to arrays and rows, in the one order in which nothing leaks.

Read, describe, convert; set the test rows apart; decide from the training rows which categories have features; convert
again. What comes out is all that evaluation needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lrtune.arrays import Rows
from lrtune.data.columns import Columns, arrays, arrays_for, arrays_to_split, concatenate, data_hash, fit_levels
from lrtune.data.describe import describe
from lrtune.data.holdout import holdout
from lrtune.data.mapped import kept_numbers
from lrtune.data.rare import without_dropped
from lrtune.data.repeated import repeated_rows, repetition_note
from lrtune.data.schema import KEEP, Schema
from lrtune.data.tables import DataOptions, Table, is_same_source, load
from lrtune.text.errors import DataError, ModelError


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Data ready for training.

    Parameters
    ----------
    source
        Where it came from, for messages.
    schema
        The columns, the task, the classes, notes and warnings.
    columns
        All rows as arrays.
    train_rows, test_rows
        Sorted row numbers of `columns`; without test rows the latter are empty.
    notes
        What is odd about the test rows, one finished sentence each.
    repeated
        How many of the test rows are training rows as well.

    """

    source: str
    schema: Schema
    columns: Columns
    train_rows: Rows
    test_rows: Rows
    notes: tuple[str, ...] = ()
    repeated: int = 0

    @property
    def hash(self) -> str:
        """SHA-256 of what training sees; see `data_hash`."""
        return data_hash(self.schema, self.columns)


def open_dataset(
    source: str | Path | Table,
    *,
    base: Path | None = None,
    options: DataOptions | None = None,
    target: str | None = None,
    task: str | None = None,
    positive: object = None,
    features: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
    categorical: Sequence[str] = (),
    numeric: Sequence[str] = (),
    dates: str = "ignore",
    group: str | None = None,
    order: str | None = None,
    test: str | Path | None = None,
    test_size: float = 0.2,
    seed: int = 0,
    rare: str = KEEP,
    rows: tuple[Rows, Rows] | None = None,
) -> Dataset:
    """Read a table and prepare it.

    Parameters
    ----------
    source, base, options
        See `lrtune.data.tables.load`; a table that has been read already is taken as it is.
    target, task, positive, features, ignore, categorical, numeric, dates, group, order, rare
        See `lrtune.data.describe.describe`.
    test
        A file with test rows, read by the schema of the first; `test_size` is then not used.
    test_size, seed
        See `lrtune.data.holdout.holdout`.
    rows
        Which rows of the table are for training and which for the test, where that has been decided already; neither
        `test` nor `test_size` is used then.

    Raises
    ------
    DataError
        Anything is wrong with the data or contradicts what is asked of them.

    """
    if rows is not None:
        test = None
    if test is not None and not isinstance(source, Table):
        refuse_itself(source, test, base)
    table = source if isinstance(source, Table) else load(source, base=base, options=options)
    schema = describe(
        table,
        target=target,
        task=task,
        positive=positive,
        features=features,
        ignore=ignore,
        categorical=categorical,
        numeric=numeric,
        dates=dates,
        group=group,
        order=order,
        rare=rare,
    )
    table = without_dropped(table, schema)
    if rows is not None:
        train_rows, test_rows = rows
    elif test is None:
        train_rows, test_rows = holdout(arrays_to_split(table, schema), schema, test_size=test_size, seed=seed)
    else:
        train_rows, test_rows = np.arange(table.rows), np.empty(0, dtype=np.int64)
    schema = fit_levels(table, schema, train_rows)
    dataset = Dataset(table.source, schema, arrays(table, schema), kept_numbers(train_rows), kept_numbers(test_rows))
    if test is None:
        return dataset
    return _with_test(dataset, table, without_dropped(load(test, base=base, schema=schema), schema))


def refuse_itself(source: str | Path, test: str | Path, base: Path | None = None) -> None:
    """Refuse a table to test on that is the training table; `base` as in `open_dataset`.

    Raises
    ------
    DataError
        If it is.

    """
    if is_same_source(source, test, base):
        raise DataError(
            f"data.test_path: {test} is the training table itself, whose rows would be trained on and tested; name "
            "another table, or leave it out: data.test_size then sets rows apart"
        )


def _with_test(dataset: Dataset, table: Table, test: Table) -> Dataset:
    """Put the rows of a test table below those of the training table."""
    schema = dataset.schema
    try:
        columns = concatenate(dataset.columns, arrays_for(test, schema, with_target=True))
    except ModelError as error:
        raise DataError(f"the test table does not fit: {error}") from None
    repeated = repeated_rows(table, test, schema)
    notes = (repetition_note(repeated, test.rows),) if repeated else ()
    rows = np.arange(table.rows, columns.rows)
    return replace(dataset, columns=columns, test_rows=rows, notes=notes, repeated=repeated)
