"""From columns to the features (N, D) that the trainer sees; fitted on training rows only.

Numbers are imputed with the median of the training rows and standardised with the mean and the standard deviation of
what comes out (scikit-learn's `SimpleImputer` and `StandardScaler`, in this order); booleans are imputed with the more
frequent value and stay 0 and 1. Each column of numbers with missing cells is joined by a mark, 1 where a cell is
missing. Categories are one-hot. Skewed numbers are left as they are.

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

Index = npt.NDArray[np.int64]

FARTHEST = 1e9
"""Standard deviations from the mean at which a number ends: farther ones would overflow in single precision and take
the scores of all rows with them. Training rows never come near."""

_NOWHERE = -1
_TOGETHER = 256  # columns that are sorted at a time: few enough for the cache, many enough for the overhead


@dataclass(frozen=True, slots=True, eq=False)
class Encoder:
    """Everything that encoding needs; made by `fit_encoder`.

    Parameters
    ----------
    names
        Of the D features.
    fill, shift, factor
        (n,) each: a number x becomes `(x - shift) * factor`, a missing one is `fill` before that.
    marks
        Which of the n numbers are joined by a mark of missing cells.
    places
        For each categorical column the feature of codes -2 (other), -1 (missing), 0, 1, ...; -1 for none.

    """

    names: tuple[str, ...]
    fill: Floats
    shift: Floats
    factor: Floats
    marks: Index
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
        np.subtract(np.where(missing, self.fill, numeric), self.shift, out=encoded[:, :n])
        with np.errstate(over="ignore"):
            encoded[:, :n] *= self.factor
        np.clip(encoded[:, :n], -FARTHEST, FARTHEST, out=encoded[:, :n])
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
            "shift": self.shift.tolist(),
            "factor": self.factor.tolist(),
            "marks": self.marks.tolist(),
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
            fill, shift, factor = (np.array(values[key], dtype=np.float64) for key in ("fill", "shift", "factor"))
            marks = np.array(values["marks"], dtype=np.int64)
            places = tuple(np.array(each, dtype=np.int64) for each in values["places"])
            encoder = cls(tuple(values["names"]), fill, shift, factor, marks, places)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError("the model's encoder is damaged: a part of it is missing or of another kind") from error
        lengths = {fill.shape, shift.shape, factor.shape}
        if len(lengths) > 1 or any((each >= encoder.width).any() for each in (marks, *places)):
            raise ModelError("the model's encoder is damaged: its parts differ in length")
        return encoder


def fit_encoder(columns: Columns, rows: npt.NDArray[np.integer] | None, schema: Schema) -> Encoder:
    """Fit an encoder on training rows (all by default); other rows have no influence on it."""
    numeric = columns.numeric if rows is None else columns.numeric[rows]
    codes = columns.codes if rows is None else columns.codes[rows]
    scaled = np.array([column.kind != "boolean" for column, _ in schema.numeric], dtype=bool)
    fill = _medians(numeric)
    fill[~scaled] = np.floor(fill[~scaled])  # as many ones as zeros: the median of 0.5 becomes 0
    shift, factor = _standard(np.where(np.isnan(numeric), fill, numeric))
    shift[~scaled], factor[~scaled] = 0.0, 1.0
    names = [column.name for column, _ in schema.numeric]
    number_of = {name: number for number, name in reversed(list(enumerate(names)))}
    marks = np.array([number_of[column.name] for column in marked(schema)], dtype=np.int64)
    places = []
    start = len(names) + len(marks)
    for j, column in enumerate(schema.categorical):
        places.append(_places(column, codes[:, j], start, schema.min_count // 2))
        start += len(category_names(column))
    return Encoder(encoded_names(schema), fill, shift, factor, marks, tuple(places))


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


def _standard(values: Floats) -> tuple[Floats, Floats]:
    """Give mean and inverse standard deviation of each column, 0 for the inverse where there is no spread.

    Columns are brought to about 1 by a power of two first, which is exact, so that squares neither overflow nor vanish.
    "No spread" allows for what rounding the mean leaves behind, as in scikit-learn's `StandardScaler`.
    """
    if not values.size:
        return np.zeros(values.shape[1]), np.zeros(values.shape[1])
    _, exponents = np.frexp(np.abs(values).max(axis=0))
    small = np.ldexp(values, -exponents)
    mean = small.mean(axis=0)
    variance = np.square(small - mean).mean(axis=0)
    epsilon = np.finfo(np.float64).eps
    rounding = len(values) * epsilon * variance + np.square(len(values) * mean * epsilon)
    spread = np.where(variance > rounding, np.sqrt(variance), np.inf)
    with np.errstate(over="ignore"):
        factor = np.ldexp(1.0 / spread, -exponents)
    return np.ldexp(mean, exponents), np.where(np.isfinite(factor), factor, 0.0)  # a spread below all numbers is none


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
