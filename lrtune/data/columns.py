"""From a table and its schema to arrays; behind this point there are no names and no texts, only NumPy.

`arrays` serves the table that the schema was made of, `arrays_for` any other one. `fit_levels` decides, from the
training rows only, which categories and which marks of missing cells get a feature; it comes after the test rows have
been set apart.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lrtune.arrays import Floats, Rows
from lrtune.data.cells import Codes, Raw, Texts, blanked
from lrtune.data.compact import Compact, InMemory, Maker, is_large, narrow, stacked
from lrtune.data.conversion import as_texts, date_parts, to_codes, to_groups, to_numbers, to_times
from lrtune.data.schema import MAX_LEVELS, ColumnSpec, Schema
from lrtune.data.tables import Table
from lrtune.data.targets import label_text
from lrtune.text.errors import DataError, LrtuneError, ModelError, nearest
from lrtune.training.encoded import MixedNumbers, Numeric

SHARE_FOR_LEVEL = 0.01
"""A category gets a feature of its own if it has this share of the training rows ..."""

FEWEST_FOR_LEVEL, MOST_FOR_LEVEL = 2, 10
"""... but at least two rows, and ten are always enough."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """A table as arrays.

    Parameters
    ----------
    numeric
        (N, n) in the order of `Schema.numeric`; NaN where missing or infinite; booleans are 0 and 1. In float64, or of
        a large table as narrow as each column may be (`lrtune.data.compact`).
    codes
        (N, m) in the order of `Schema.categorical`: a level's number, -1 missing, -2 any other level.
    target
        (N,) whole numbers of labels, or float64 values; None in a table to predict.
    groups
        (N,) int64 numbers of groups, or None.
    order
        (N,) float64 times, or None.

    """

    numeric: Numeric
    codes: Codes
    target: Rows | Floats | None = None
    groups: Rows | None = None
    order: Floats | None = None

    @property
    def rows(self) -> int:
        """N."""
        return len(self.numeric)

    @property
    def is_compact(self) -> bool:
        """Whether the table is a large one, which is kept as narrow as it may be."""
        return isinstance(self.numeric, MixedNumbers)

    @property
    def nbytes(self) -> int:
        """Size of all arrays (bytes)."""
        arrays = (self.numeric, self.codes, self.target, self.groups, self.order)
        return sum(each.nbytes for each in arrays if each is not None)


def arrays(table: Table, schema: Schema) -> Columns:
    """Convert the table that the schema was made of.

    Raises
    ------
    DataError
        A column of numbers holds text, a group or time is missing.

    """
    return _with_target(_features(table, schema, DataError), table, schema)


def arrays_to_split(table: Table, schema: Schema) -> Columns:
    """Convert what decides which rows are for the test, the target, the groups and the times, and no feature."""
    nothing = Columns(np.empty((table.rows, 0)), np.empty((table.rows, 0), dtype=np.int32))
    return _with_target(nothing, table, schema)


def arrays_for(table: Table, schema: Schema, *, with_target: bool = False) -> Columns:
    """Convert another table: columns are found by name in any order, further ones do not matter.

    Categories that the schema does not know become "other". The target is converted on request (a test file).

    Raises
    ------
    ModelError
        Columns are missing (all are named), a column of numbers holds text (the first such row is named), or there is
        a class that the schema does not know (with the target).

    """
    needed = [column.name for column in schema.features] + [schema.target] * with_target
    lacking = [name for name in needed if name not in table.columns]
    if lacking:
        described = ", ".join(_described(name, table.names) for name in lacking[:20])
        more = f" and {len(lacking) - 20} more" if len(lacking) > 20 else ""
        plural = "s" if len(lacking) > 1 else ""
        raise ModelError(f"{table.source} lacks the column{plural} {described}{more}{_as_said(table, schema)}")
    columns = _features(table, schema, ModelError)
    return replace(columns, target=_target(table, schema, ModelError)) if with_target else columns


def concatenate(first: Columns, second: Columns) -> Columns:
    """Put the test rows of a second table below the first; they belong to no group (-1) and come last in time."""
    assert first.target is not None
    assert second.target is not None
    nowhere = np.full(second.rows, -1, dtype=np.int64)
    return Columns(
        stacked(first.numeric, second.numeric),
        np.concatenate([first.codes, second.codes], dtype=first.codes.dtype),
        np.concatenate([first.target, second.target]),
        None if first.groups is None else np.concatenate([first.groups, nowhere]),
        None if first.order is None else np.concatenate([first.order, np.full(second.rows, np.inf)]),
    )


def fit_levels(table: Table, schema: Schema, rows: npt.NDArray[np.integer]) -> Schema:
    """Decide from the training rows which categories, and which missing cells, get a feature; count different numbers.

    A category needs 1 % of the training rows, at least 2 and at most 10 rows; the others share one feature. If there
    are more than 100, the most frequent are kept (ties by code point).
    """
    needed = min(max(math.ceil(SHARE_FOR_LEVEL * len(rows)), FEWEST_FOR_LEVEL), MOST_FOR_LEVEL)
    specs = {}
    for column in schema.features:
        raw = _present(table, schema, column)
        if column.kind == "categorical":
            specs[column.name] = _with_levels(column, as_texts(raw), rows, needed)
        else:
            numbers = to_numbers(raw, column, DataError)[rows]
            missing = bool(np.isnan(numbers).any())
            specs[column.name] = replace(column, missing=missing, distinct=_distinct(numbers, column))
    return replace(schema.with_columns(specs), min_count=needed)


def _distinct(numbers: Floats, column: ColumnSpec) -> tuple[int, ...]:
    if column.kind == "boolean":
        return ()
    parts = date_parts(numbers, column) if column.kind == "date" else [numbers]
    missing = int(np.isnan(numbers).any())  # what stands for missing cells may be a value of its own
    return tuple(len(np.unique(part[~np.isnan(part)])) + missing for part in parts)


def data_hash(schema: Schema, columns: Columns) -> str:
    """Hash what training sees, by SHA-256: names, kinds, classes and all values, but no path and no file format."""
    whole = schema.to_dict()
    unseen = ("notes", "warnings", "missing", "options", "dropped", "merged", "other")  # rare classes show in labels
    described = {key: each for key, each in whole.items() if key not in unseen}
    described["columns"] = [
        {key: each for key, each in column.items() if key not in ("reading", "decimal", "thousands")}
        for column in whole["columns"]
    ]
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    numeric = columns.numeric
    numbers = (numeric.singles, numeric.doubles) if isinstance(numeric, MixedNumbers) else (numeric,)
    target = columns.target
    if target is not None and schema.classes:
        target = target.astype(np.int64)  # however narrow labels are kept
    for array in (*numbers, columns.codes, target, columns.groups, columns.order):
        if array is None:
            digest.update(b"none")
            continue
        digest.update(f"{array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _with_target(columns: Columns, table: Table, schema: Schema) -> Columns:
    """Add the target, the groups and the times of the table; labels of a large one are as narrow as they may be."""
    target = _target(table, schema, DataError)
    if columns.is_compact and schema.classes:
        target = target.astype(np.min_scalar_type(-len(schema.classes)))
    return replace(
        columns,
        target=target,
        groups=None if schema.group is None else to_groups(table.columns[schema.group], schema.group),
        order=None if schema.order is None else to_times(table.columns[schema.order], schema.order),
    )


def _as_said(table: Table, schema: Schema) -> str:
    """Say by which separator a table came to have one column only, if somebody chose it."""
    separator = schema.options.separator
    if separator is None or len(table.names) > 1:
        return ""
    return f"; read with data.separator {separator!r}, as the experiment says, it has one column, {table.names[0]!r}"


def _described(name: str, names: Collection[str]) -> str:
    hint = nearest(name, names)
    return f"'{name}' ({hint})" if hint.startswith("did") else f"'{name}'"


def _features(table: Table, schema: Schema, error: type[LrtuneError]) -> Columns:
    """Convert the features, column by column."""
    names, categories = [name for _, name in schema.numeric], len(schema.categorical)
    made: Maker = InMemory(table.rows, len(names), categories)
    if is_large(table.rows, len(names), categories):
        made = Compact(table.rows, narrow(_numbers(table, schema, error)), categories)
    for place, values in enumerate(_numbers(table, schema, error)):
        made.put(place, values)
    for place, column in enumerate(schema.categorical):
        codes = to_codes(as_texts(_present(table, schema, column)), column.levels, column.form)
        made.codes[:, place] = codes
    return Columns(made.numeric, made.codes)


def _numbers(table: Table, schema: Schema, error: type[LrtuneError]) -> Iterator[Floats]:
    """Convert the columns of numbers, in the order of `Schema.numeric`."""
    for column in schema.features:
        if column.kind != "categorical":
            values = to_numbers(_present(table, schema, column), column, error)
            yield from date_parts(values, column) if column.kind == "date" else [values]


def _present(table: Table, schema: Schema, column: ColumnSpec) -> Raw:
    """Give a column without what means missing in it."""
    return blanked(table.columns[column.name], schema.spellings(column), column.form)


def _with_levels(column: ColumnSpec, raw: Texts, rows: npt.NDArray[np.integer], needed: int) -> ColumnSpec:
    codes = raw.codes[rows]
    counts = np.bincount(codes[codes >= 0], minlength=len(raw.levels))
    frequent = np.flatnonzero(counts >= needed)
    frequent = np.sort(frequent[np.argsort(-counts[frequent], kind="stable")][:MAX_LEVELS])
    return replace(
        column,
        levels=tuple(raw.levels[code] for code in frequent),
        grouped=bool(counts.sum() > counts[frequent].sum()),
        missing=bool((codes < 0).any()),
    )


def _target(table: Table, schema: Schema, error: type[LrtuneError]) -> Rows | Floats:
    column = schema.column(schema.target)
    raw = _present(table, schema, column)
    gaps = np.flatnonzero(raw.missing)
    if gaps.size:
        raise error(f"{table.source}: the target '{schema.target}' is missing in row {gaps[0] + 1}")
    if schema.task == "regression":
        values = to_numbers(raw, column, error)
        infinite = np.flatnonzero(np.isnan(values))
        if infinite.size:
            raise error(f"{table.source}: the target '{schema.target}' is infinite in row {infinite[0] + 1}")
        return values
    labels = tuple(label_text(label) for label in schema.classes)
    texts = as_texts(raw)
    codes = to_codes(texts, (*labels, *map(label_text, schema.merged)), column.form)
    if schema.merged:
        codes = np.where(codes < len(labels), codes, schema.classes.index(schema.other))
    strange = np.flatnonzero(codes < 0)
    if strange.size:
        label = texts.levels[texts.codes[strange[0]]]
        raise error(
            f"{table.source}: the target '{schema.target}' is {label!r} in row {strange[0] + 1}, "
            f"a class that the training table does not have; {nearest(label, labels)}"
        )
    return codes.astype(np.int64)
