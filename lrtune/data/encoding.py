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

from lrtune.arrays import Floats
from lrtune.data.columns import Columns
from lrtune.data.schema import ColumnSpec, Schema, category_names, encoded_names, marked
from lrtune.text.errors import ModelError
from lrtune.text.written import Json
from lrtune.training.numbers.catalogue import NUMBERS, USUAL
from lrtune.training.numbers.functions import Parts

Index = npt.NDArray[np.int64]

_NOWHERE = -1
_TOGETHER = 256  # columns that are sorted at a time: few enough for the cache, many enough for the overhead


@dataclass(frozen=True, slots=True, eq=False)
class Encoder:
    """Everything that encoding needs; made by `fit_encoder`.

    Parameters
    ----------
    names
        Of the D features.
    fill
        (n,): what a missing number or boolean counts as.
    numbers
        How those that are no booleans are encoded, a name of `NUMBERS`.
    scaled
        Which of the n these are.
    parts
        What was fitted for them.
    marks
        Which of the n numbers are joined by a mark of missing cells.
    added
        How many further features each of the ``scaled`` numbers has; they stand at the end.
    places
        For each categorical column the feature of codes -2 (other), -1 (missing), 0, 1, ...; -1 for none.

    """

    names: tuple[str, ...]
    fill: Floats
    numbers: str
    scaled: Index
    parts: Parts
    marks: Index
    added: Index
    places: tuple[Index, ...]

    @property
    def width(self) -> int:
        """D, the number of features."""
        return len(self.names)

    def transform(self, columns: Columns, rows: npt.NDArray[np.integer] | None = None) -> Floats:
        """Encode rows (all by default), (n, D) float64."""
        numeric = columns.numeric if rows is None else columns.numeric[rows]
        codes = columns.codes if rows is None else columns.codes[rows]
        encoded = np.zeros((len(numeric), self.width))
        n = numeric.shape[1]
        missing = np.isnan(numeric)
        encoded[:, :n] = np.where(missing, self.fill, numeric)
        entry, values = NUMBERS[self.numbers], encoded[:, self.scaled]
        encoded[:, self.scaled] = entry.apply(values, self.parts)
        kept = np.arange(entry.components) < self.added[:, None]
        encoded[:, self.width - self.added.sum() :] = entry.expand(values, self.parts)[:, kept]
        encoded[:, n : n + len(self.marks)] = missing[:, self.marks]
        for j, places in enumerate(self.places):
            place = places[codes[:, j] + 2]
            (known,) = np.nonzero(place != _NOWHERE)
            encoded[known, place[known]] = 1.0
        return encoded

    def to_dict(self) -> Json:
        """Give plain values for JSON; floats survive exactly."""
        return {
            "names": list(self.names),
            "fill": self.fill.tolist(),
            "numbers": self.numbers,
            "scaled": self.scaled.tolist(),
            "parts": {name: each.tolist() for name, each in self.parts.items()},
            "marks": self.marks.tolist(),
            "added": self.added.tolist(),
            "places": [places.tolist() for places in self.places],
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
            encoder = cls(tuple(values["names"]), fill, values["numbers"], scaled, parts, marks, added, places)
            lengths = {len(scaled), len(added), *(len(each) for each in parts.values())}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ModelError("the model's encoder is damaged: a part of it is missing or of another kind") from error
        end, taken = len(fill) + len(marks), np.concatenate([np.empty(0, np.int64), *places])
        last = encoder.width - added.sum()
        of_numbers = all((each < len(fill)).all() for each in (scaled, marks))
        of_categories = ((taken == _NOWHERE) | ((taken >= end) & (taken < last))).all()
        if len(lengths) > 1 or end > last or not of_numbers or not of_categories:
            raise ModelError("the model's encoder is damaged: its parts differ in length")
        if encoder.numbers not in NUMBERS:
            raise ModelError(f"the model's encoder is damaged: it encodes numbers as {encoder.numbers!r}")
        return encoder


def fit_encoder(
    columns: Columns, rows: npt.NDArray[np.integer] | None, schema: Schema, numbers: str = USUAL
) -> Encoder:
    """Fit an encoder on training rows (all by default); other rows have no influence on it.

    ``numbers`` says how numbers are encoded, a name of `NUMBERS`.
    """
    numeric = columns.numeric if rows is None else columns.numeric[rows]
    codes = columns.codes if rows is None else columns.codes[rows]
    scaled = np.array(schema.numbers, dtype=np.int64)
    fill = _medians(numeric)
    booleans = np.delete(np.arange(len(fill)), scaled)
    fill[booleans] = np.floor(fill[booleans])  # as many ones as zeros: the median of 0.5 becomes 0
    values = np.where(np.isnan(numeric), fill, numeric)[:, scaled]
    names = [column.name for column, _ in schema.numeric]
    number_of = {name: number for number, name in reversed(list(enumerate(names)))}
    marks = np.array([number_of[column.name] for column in marked(schema)], dtype=np.int64)
    places = []
    start = len(names) + len(marks)
    for j, column in enumerate(schema.categorical):
        places.append(_places(column, codes[:, j], start, schema.min_count // 2))
        start += len(category_names(column))
    entry = NUMBERS[numbers]
    added = np.array([entry.added(each) for each in schema.distinct], dtype=np.int64)
    named = tuple(
        f"{names[place]} [{bin_}]" for place, count in zip(scaled, added, strict=True) for bin_ in range(1, count + 1)
    )
    return Encoder(
        (*encoded_names(schema), *named), fill, numbers, scaled, entry.fit(values), marks, added, tuple(places)
    )


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


def _places(column: ColumnSpec, codes: npt.NDArray[np.int32], start: int, needed: int) -> Index:
    """Find the feature of each code; see the module's docstring for the rules."""
    levels = len(column.levels)
    counts = np.bincount(codes + 2, minlength=levels + 2)
    places = np.full(levels + 2, _NOWHERE, dtype=np.int64)
    taught = counts[2:] >= max(needed, 1)
    others = counts[0] + counts[2:][~taught].sum()
    if column.grouped and others:
        places[0] = start + levels
    places[2:] = np.where(taught, start + np.arange(levels), places[0])
    places[1] = start + levels + column.grouped if column.missing and counts[1] else places[0]
    return places
