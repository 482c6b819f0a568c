"""Finds test rows that are training rows as well."""

from __future__ import annotations

import numpy as np

from lrtune.data.cells import blanked
from lrtune.data.conversion import Marks, to_marks
from lrtune.data.marks import FACTOR, scrambled
from lrtune.data.schema import ColumnSpec, Schema
from lrtune.data.tables import Table
from lrtune.text.errors import counted


def repeated_rows(train: Table, test: Table, schema: Schema) -> int:
    """Count the test rows that equal a training row in every column that both tables have.

    Rows are compared by a hash of 64 bits: in two tables of a million rows each, two that differ are taken for equal
    with a probability under 1e-7.
    """
    columns = [column for column in schema.columns if column.name in test.columns]
    return int(np.isin(_row_marks(test, schema, columns), _row_marks(train, schema, columns)).sum())


def repetition_note(repeated: int, rows: int) -> str:
    """Say how many of so many test rows are training rows.

    >>> repetition_note(12, 60).partition(":")[0], repetition_note(60, 60).partition(":")[0]
    ('12 of the 60 test rows are training rows, too', 'all 60 test rows are training rows, too')
    """
    every = "the only test row" if rows == 1 else f"all {counted(rows, 'test row')}"
    some = every if repeated == rows else f"{repeated:,} of the {counted(rows, 'test row')}"
    which = "is a training row, too" if repeated == 1 else "are training rows, too"
    return f"{some} {which}: equal in every column that both tables have; a score there says nothing about new rows"


def _row_marks(table: Table, schema: Schema, columns: list[ColumnSpec]) -> Marks:
    """Mix the marks of the cells of each row, (N,)."""
    mixed = np.zeros(table.rows, dtype=np.uint64)
    for column in columns:
        raw = blanked(table.columns[column.name], schema.spellings(column), column.form)
        mixed = scrambled(mixed * FACTOR + to_marks(raw, column))
    return mixed
