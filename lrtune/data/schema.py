"""What a table's columns are and what becomes of them: the part of the data that a saved model keeps.

A `Schema` is decided once, on the training table, and is then enough to turn any other table with the same columns
into the same arrays: it holds how numbers, dates and missing cells were written there, and another table is read by
that, whatever its format. It holds no values except the names of classes and of frequent categories.

Kinds and what becomes of them:

=============  ==============================================================================================
kind           features
=============  ==============================================================================================
numeric        one, and what its encoder adds; one that marks missing cells, if the training rows have any
boolean        one, 0 or 1 (true/false, yes/no, y/n, t/f, on/off in any case); one for missing cells likewise
categorical    one for each frequent level, one for all the others together, one for missing cells
date           left out with a warning; if asked for: day since 1970, month, weekday (Monday is 1), hour
constant       left out: one value in all rows
empty          left out: no value in any row
identifier     left out: a running number, or a text that is different in every row
text           left out: a text of which more than half of the rows are different
=============  ==============================================================================================
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from lrtune.data.numerals import Form
from lrtune.data.options import MISSING_TEXTS, DataOptions
from lrtune.text.written import Json

Label = str | int | float

KINDS = ("numeric", "boolean", "categorical", "date", "constant", "empty", "identifier", "text")
ROLES = ("feature", "target", "group", "order", "left out")

MAX_LEVELS = 100
"""Categories with a feature of their own, at most; the most frequent ones."""

USUAL_FOLDS, FEWEST_FOLDS = 5, 3
"""Folds of a cross-validation unless an experiment says how many, and what a rare class may lower that to."""

KEEP, DROP, MERGE = "keep", "drop", "merge"
"""What becomes of rare classes (``data.rare``): nothing; their rows are left out; they are one class together."""

RARE_ROWS = 10
"""A class with fewer rows is rare: in five folds and a test it would have one or two rows each."""

TRUE_TEXTS = frozenset({"true", "yes", "y", "t", "on"})
FALSE_TEXTS = frozenset({"false", "no", "n", "f", "off"})


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One column of the table.

    Parameters
    ----------
    name, kind, role
        The column's name, one of `KINDS`, one of `ROLES`.
    missing
        Whether the training rows have missing cells: then missing cells get a feature.
    levels
        Of a categorical column: the levels with a feature of their own, in code point order.
    grouped
        Whether the training rows have further, rare levels: then all of these share a feature.
    clock
        Whether a date column has times of day.
    reading
        In which order a date's parts were read from text; empty if the file's type left no choice.
    decimal, thousands
        How its numbers are written, see `Form`.
    distinct
        How many different values the training rows have, for each of `parts`, what stands for missing ones among
        them; empty for booleans and categories.

    """

    name: str
    kind: str
    role: str
    missing: bool = False
    levels: tuple[str, ...] = ()
    grouped: bool = False
    clock: bool = False
    reading: str = ""
    decimal: str = "."
    thousands: str | None = None
    distinct: tuple[int, ...] = ()

    @property
    def form(self) -> Form:
        """How its numbers are written."""
        return Form(self.decimal, self.thousands)

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the numbers that this feature column contributes to `Columns.numeric`."""
        if self.kind == "date":
            return tuple(
                f"{self.name}.{part}" for part in ("day", "month", "weekday", "hour")[: 4 if self.clock else 3]
            )
        return (self.name,) if self.kind in {"numeric", "boolean"} else ()


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a table, the task, and the classes.

    Parameters
    ----------
    task
        `"classification"` or `"regression"`.
    target
        Name of the target column.
    classes
        Labels in the order of their numbers 0, 1, ...; of two the positive one is the last. None for regression.
    columns
        All columns of the table in the table's order.
    group, order
        Names of the columns that keep rows together in folds, and that order them in time, or None.
    min_count
        Rows that a category needs for a feature of its own; half as many in a fold's training rows.
    missing
        The texts that mean "missing"; None if the table's format has missing cells of its own and nobody named texts.
    options
        What was said about reading the table.
    dropped
        Labels of rare classes whose rows are left out, of this table and of every other.
    merged
        Labels of rare classes that are one class together.
    other
        The name of that class.
    notes, warnings
        Finished sentences about what was decided, for the user to read.

    """

    task: str
    target: str
    classes: tuple[Label, ...]
    columns: tuple[ColumnSpec, ...]
    group: str | None = None
    order: str | None = None
    min_count: int = 2
    missing: tuple[str, ...] | None = None
    options: DataOptions = field(default_factory=DataOptions)
    dropped: tuple[Label, ...] = ()
    merged: tuple[Label, ...] = ()
    other: str = ""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def problem(self) -> str:
        """`"binary"`, `"multiclass"` or `"regression"`, as the metrics know it."""
        if self.task == "regression":
            return "regression"
        return "binary" if len(self.classes) == 2 else "multiclass"

    @property
    def positive(self) -> Label | None:
        """The positive class of a task of two classes, else None."""
        return self.classes[1] if self.problem == "binary" else None

    @property
    def features(self) -> tuple[ColumnSpec, ...]:
        """The columns that are used; a table to predict needs these and no others."""
        return tuple(column for column in self.columns if column.role == "feature")

    @property
    def categorical(self) -> tuple[ColumnSpec, ...]:
        """The used columns that `Columns.codes` holds, in its order."""
        return tuple(column for column in self.features if column.kind == "categorical")

    @property
    def numeric(self) -> tuple[tuple[ColumnSpec, str], ...]:
        """The used columns that `Columns.numeric` holds, in its order, each with the name of the number."""
        return tuple((column, part) for column in self.features for part in column.parts)

    @property
    def numbers(self) -> tuple[int, ...]:
        """Places in `numeric` of what is no boolean; the encoded features begin with `numeric`, in the same order."""
        return tuple(place for place, (column, _) in enumerate(self.numeric) if column.kind != "boolean")

    @property
    def distinct(self) -> tuple[int, ...]:
        """How many different values each of `numbers` has in the training rows, see `ColumnSpec`."""
        return tuple(count for column in self.features for count in column.distinct)

    @property
    def kinds(self) -> dict[str, int]:
        """How many used columns there are of each kind."""
        return dict(Counter(column.kind for column in self.features))

    @property
    def width(self) -> int:
        """D, the number of encoded features."""
        return len(encoded_names(self))

    @property
    def layouts(self) -> tuple[tuple[str, ...], ...]:
        """Names of the columns of a file without a header: as in the training table, or without the target."""
        names = tuple(column.name for column in self.columns)
        return names, tuple(name for name in names if name != self.target)

    def column(self, name: str) -> ColumnSpec:
        """Find a column by its name."""
        return next(each for each in self.columns if each.name == name)

    def spellings(self, column: ColumnSpec) -> tuple[str, ...]:
        """List the texts that mean "missing" in a column of a text file or a frame, beside the empty one.

        Where the training table had no use for such texts, they are levels of a category; but where numbers, dates or
        truths are expected, the usual ones can mean nothing else.
        """
        if self.missing is not None:
            return self.missing
        return () if column.kind not in {"numeric", "boolean", "date"} else MISSING_TEXTS

    def with_columns(self, columns: Mapping[str, ColumnSpec]) -> Schema:
        """Replace some columns, given by name."""
        return replace(self, columns=tuple(columns.get(column.name, column) for column in self.columns))

    def to_dict(self) -> Json:
        """Give plain values for JSON."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        columns = [{each.name: getattr(column, each.name) for each in fields(column)} for column in self.columns]
        return {**values, "columns": columns, "options": asdict(self.options)}

    @classmethod
    def from_dict(cls, values: Json) -> Schema:
        """Rebuild what `to_dict` gave, also after a detour over JSON.

        Raises
        ------
        KeyError, TypeError
            The values are not those of a schema.

        """
        columns = tuple(
            ColumnSpec(**{**column, **_tuples(column, "levels", "distinct")}) for column in values["columns"]
        )
        sequences = _tuples(values, "classes", "dropped", "merged", "notes", "warnings")
        missing = None if values["missing"] is None else tuple(values["missing"])
        options = DataOptions.from_dict(values["options"])
        return cls(**{**values, **sequences, "columns": columns, "missing": missing, "options": options})


def _tuples(values: Json, *names: str) -> dict[str, tuple[Any, ...]]:
    return {name: tuple(values[name]) for name in names}


def encoded_names(schema: Schema) -> tuple[str, ...]:
    """Name the D encoded features in their order: numbers, marks of missing numbers, categories.

    The layout depends on the schema only, hence every fold and the final model have the same. An encoder of numbers may
    add some at the end.
    """
    numbers = [part for _, part in schema.numeric]
    marks = [f"{column.name} (missing)" for column in marked(schema)]
    categories = [name for column in schema.categorical for name in category_names(column)]
    return (*numbers, *marks, *categories)


def marked(schema: Schema) -> tuple[ColumnSpec, ...]:
    """Columns of numbers whose missing cells get a feature."""
    return tuple(column for column in schema.features if column.parts and column.missing)


def category_names(column: ColumnSpec) -> list[str]:
    """Name the features of a categorical column: its levels, the others together, missing cells."""
    names = [f"{column.name}={level}" for level in column.levels]
    return names + [f"{column.name} (other)"] * column.grouped + [f"{column.name} (missing)"] * column.missing
