"""Carries out what a schema says of dropped classes, on the table that it was made of and on every other one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lrtune.arrays import Rows
from lrtune.data.cells import Dates, Numbers, Raw, blanked, numbers, with_used_levels
from lrtune.data.conversion import as_texts, to_codes
from lrtune.data.schema import Schema
from lrtune.data.stored import StoredColumns, room_for
from lrtune.data.tables import Table
from lrtune.data.targets import label_text


def without_dropped(table: Table, schema: Schema) -> Table:
    """Leave out the rows of classes that are dropped."""
    if not schema.dropped or schema.target not in table.columns:
        return table
    column = schema.column(schema.target)
    labels = as_texts(blanked(table.columns[schema.target], schema.spellings(column), column.form))
    rows = np.flatnonzero(to_codes(labels, tuple(map(label_text, schema.dropped)), column.form) < 0)
    columns = room_for(large=isinstance(table.columns, StoredColumns))
    for name, raw in table.columns.items():
        columns[name] = _taken(raw, rows)
    return replace(table, columns=columns)


def _taken(raw: Raw, rows: Rows) -> Raw:
    """Take some rows of a column; of texts only the levels that are left."""
    if isinstance(raw, Numbers):
        return numbers(raw.values[rows], raw.form)
    if isinstance(raw, Dates):
        return replace(raw, days=raw.days[rows])
    return with_used_levels(raw.codes[rows], raw.levels)
