"""From columns to the features (N, D) that the trainer sees; fitted on training rows only.

Numbers are imputed with the median of the training rows and encoded as `lrtune.training.numbers` says; booleans are
imputed with the more frequent value and stay 0 and 1. Each column of numbers with missing cells is joined by a mark, 1
where a cell is missing. Categories are one-hot.

The layout is the schema's, so that every fold has the same D; the values are the fold's own. What a fold's training
rows cannot teach is not told apart there: a number without spread is 0 in all rows, and a category with fewer than half
the rows that a feature needs counts as "other". Where "other" or "missing" itself never occurred in training, its rows
are all zeros, since a weight that was never trained would be noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrtune.arrays import Array, Floats, Rows
from lrtune.data.columns import Columns
from lrtune.data.schema import ColumnSpec, Schema, category_names, encoded_names, marked
from lrtune.text.errors import ModelError
from lrtune.text.written import Json
from lrtune.training.encoded import NOWHERE, EncodedRows, Numeric, RowEncoding
from lrtune.training.numbers.catalogue import NUMBERS, USUAL, NumberEncoder
from lrtune.training.numbers.functions import Parts
from lrtune.training.tasks import Problem

Index = npt.NDArray[np.int64]

_TOGETHER = 256  # columns that are sorted at a time: few enough for the cache, many enough for the overhead
_FITTED = 2**20  # numbers that are fitted at a time, where there are more than that
_ROWS = 2**14  # rows that are taken at a time


@dataclass(frozen=True, slots=True, eq=False)
class Encoder:
    """Everything that encoding needs, with the ``names`` of the D features; made by `fit_encoder`."""

    names: tuple[str, ...]
    encoding: RowEncoding

    @property
    def width(self) -> int:
        """D, the number of features."""
        return self.encoding.width

    def transform(self, columns: Columns, rows: Rows | None = None) -> Floats:
        """Encode rows (all by default), (n, D) float64."""
        return self.features(columns, _numbered(columns, rows), "float64")[:]

    def features(self, columns: Columns, rows: Rows, dtype: str) -> EncodedRows:
        """Take rows as features, to be encoded when they are looked at."""
        return EncodedRows(columns.numeric, columns.codes, rows, self.encoding, dtype)

    def to_dict(self) -> Json:
        """Give plain values for JSON; floats survive exactly."""
        encoding = self.encoding
        return {
            "names": list(self.names),
            "fill": encoding.fill.tolist(),
            "numbers": encoding.numbers,
            "scaled": encoding.scaled.tolist(),
            "parts": {name: each.tolist() for name, each in encoding.parts.items()},
            "marks": encoding.marks.tolist(),
            "added": encoding.added.tolist(),
            "places": [places.tolist() for places in encoding.places],
        }

    @classmethod
    def from_dict(cls, values: Json) -> Encoder:
        """Rebuild what `to_dict` gave, also after a detour over JSON.

        Raises
        ------
        ModelError
            Something is missing, or lengths contradict each other.

        """
        try:
            fill = np.array(values["fill"], dtype=np.float64)
            scaled, marks, added = (np.array(values[key], dtype=np.int64) for key in ("scaled", "marks", "added"))
            parts = {str(name): np.array(each, dtype=np.float64) for name, each in values["parts"].items()}
            places = tuple(np.array(each, dtype=np.int64) for each in values["places"])
            names, numbers = tuple(values["names"]), values["numbers"]
            encoding = RowEncoding(len(names), fill, numbers, scaled, parts, marks, added, places)
            lengths = {len(scaled), len(added), *(len(each) for each in parts.values())}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ModelError("the model's encoder is damaged: a part of it is missing or of another kind") from error
        end, taken = len(fill) + len(marks), np.concatenate([np.empty(0, np.int64), *places])
        last = encoding.width - added.sum()
        of_numbers = all((each < len(fill)).all() for each in (scaled, marks))
        of_categories = ((taken == NOWHERE) | ((taken >= end) & (taken < last))).all()
        if len(lengths) > 1 or end > last or not of_numbers or not of_categories:
            raise ModelError("the model's encoder is damaged: its parts differ in length")
        if numbers not in NUMBERS:
            raise ModelError(f"the model's encoder is damaged: it encodes numbers as {numbers!r}")
        return cls(names, encoding)


def problem_of(schema: Schema) -> Problem:
    """Find the loss that fits the task."""
    classes = len(schema.classes)
    if schema.problem == "multiclass":
        return Problem("softmax", classes, classes, schema.numbers)
    return Problem("logistic" if schema.problem == "binary" else "squared", 1, classes, schema.numbers)


def fit_encoder(columns: Columns, rows: Rows | None, schema: Schema, numbers: str = USUAL) -> Encoder:
    """Fit an encoder on training rows (all by default); other rows have no influence on it.

    ``numbers`` says how numbers are encoded, a name of `NUMBERS`.
    """
    rows = _numbered(columns, rows)
    owners = [column.name for column, _ in schema.numeric]
    number_of = {name: number for number, name in reversed(list(enumerate(owners)))}
    marks = np.array([number_of[column.name] for column in marked(schema)], dtype=np.int64)
    places = []
    start = len(owners) + len(marks)
    for j, column in enumerate(schema.categorical):
        places.append(_places(column, columns.codes[rows, j], start, schema.min_count // 2))
        start += len(category_names(column))
    entry, scaled = NUMBERS[numbers], np.array(schema.numbers, dtype=np.int64)
    added = np.array([entry.added(each) for each in schema.distinct], dtype=np.int64)
    named = tuple(
        f"{owners[place]} [{bin_}]" for place, count in zip(scaled, added, strict=True) for bin_ in range(1, count + 1)
    )
    names = (*encoded_names(schema), *named)
    fill, parts = _fitted(columns, rows, scaled, entry)
    return Encoder(names, RowEncoding(len(names), fill, numbers, scaled, parts, marks, added, tuple(places)))


def _numbered(columns: Columns, rows: Rows | None) -> Rows:
    return np.arange(columns.rows) if rows is None else rows


def _fitted(
    columns: Columns, rows: npt.NDArray[np.integer], scaled: Index, entry: NumberEncoder
) -> tuple[Floats, Parts]:
    """Fit what fills gaps and what encodes numbers, some columns at a time where there are many rows."""
    count = columns.numeric.shape[1]
    is_scaled = np.isin(np.arange(count), scaled)
    fill, parts = np.zeros(count), []
    at_once = max(1, _FITTED // max(1, len(rows)))
    for group in np.array_split(np.arange(count), max(1, count // at_once)):
        numeric = _block(columns.numeric, rows, group)
        fill[group] = _medians(numeric)
        booleans = group[~is_scaled[group]]
        fill[booleans] = np.floor(fill[booleans])  # as many ones as zeros: the median of 0.5 becomes 0
        values = np.where(np.isnan(numeric), fill[group], numeric)[:, is_scaled[group]]
        parts.append(entry.fit(values))
    return fill, {name: np.concatenate([each[name] for each in parts]) for name in parts[0]}


def _block(numeric: Numeric, rows: npt.NDArray[np.integer], group: Index) -> Floats:
    """Take some columns of some rows (M, g)."""
    block = np.empty((len(rows), len(group)))
    for start in range(0, len(rows), _ROWS):
        block[start : start + _ROWS] = numeric[rows[start : start + _ROWS]][:, group]
    return block


def _medians(values: Floats) -> Floats:
    """Take the median of each column's present cells, 0 where there are none; missing ones are sorted to the end."""
    present = np.count_nonzero(~np.isnan(values), axis=0)
    medians = np.zeros(values.shape[1])
    for start in range(0, values.shape[1], _TOGETHER):
        columns = np.arange(start, min(start + _TOGETHER, values.shape[1]))
        columns = columns[present[columns] > 0]
        ordered = np.sort(values[:, columns], axis=0)
        place = np.arange(columns.size)
        low, high = (ordered[each, place] for each in ((present[columns] - 1) // 2, present[columns] // 2))
        medians[columns] = np.where(low == high, low, low / 2 + high / 2)
    return medians


def _places(column: ColumnSpec, codes: Array, start: int, needed: int) -> Index:
    """Find the feature of each code; see the module's docstring for the rules."""
    levels = len(column.levels)
    counts = np.bincount(codes.astype(np.int64) + 2, minlength=levels + 2)
    places = np.full(levels + 2, NOWHERE, dtype=np.int64)
    taught = counts[2:] >= max(needed, 1)
    others = counts[0] + counts[2:][~taught].sum()
    if column.grouped and others:
        places[0] = start + levels
    places[2:] = np.where(taught, start + np.arange(levels), places[0])
    places[1] = start + levels + column.grouped if column.missing and counts[1] else places[0]
    return places
