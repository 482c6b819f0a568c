"""Rows that are encoded when they are looked at: a table is kept once and compact, and a fold is rows of it.

RowEncoding is elementwise, so that a row has the same features alone and in any company, bit for bit; whoever holds few
rows may as well encode all of them in advance (``features[:]``). It is done in float64, and the cast comes last.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from lrtune.arrays import Array, Doubles, Floats, Integers, Rows
from lrtune.training.numbers.catalogue import NUMBERS
from lrtune.training.numbers.functions import Parts

NOWHERE = -1
"""The feature of a category that has none."""

_AT_ONCE = 2**20
"""About how many numbers are encoded at once."""


@dataclass(frozen=True, slots=True, eq=False)
class MixedNumbers:
    """Columns of numbers, each as narrow as it may be; they are read like one array ``(N, n)`` of float64.

    Parameters
    ----------
    singles, doubles
        ``(N, a)`` float32 and ``(N, b)`` float64.
    places
        ``(n,)``: where each column is, those of the doubles counted on from those of the singles.

    """

    singles: Array
    doubles: Array
    places: Integers

    @property
    def shape(self) -> tuple[int, int]:
        """``N`` and ``n``."""
        return len(self.singles), len(self.places)

    @property
    def nbytes(self) -> int:
        """Size (bytes)."""
        return int(self.singles.nbytes + self.doubles.nbytes)

    def __len__(self) -> int:
        """``N``."""
        return len(self.singles)

    def __getitem__(self, rows: npt.NDArray[np.integer] | slice) -> Doubles:
        """Get some rows."""
        singles, doubles = self.singles[rows], self.doubles[rows]
        found = np.empty((len(singles), len(self.places)))
        is_single = self.places < self.singles.shape[1]
        found[:, is_single] = singles[:, self.places[is_single]]
        found[:, ~is_single] = doubles[:, self.places[~is_single] - self.singles.shape[1]]
        return found

    def view(self, number: int) -> Array:
        """Look at one column ``(N,)`` as it is kept, also to write it."""
        place, narrow = int(self.places[number]), self.singles.shape[1]
        found: Array = self.singles[:, place] if place < narrow else self.doubles[:, place - narrow]
        return found

    def column(self, number: int) -> Doubles:
        """Get one column ``(N,)``."""
        return self.view(number).astype(np.float64)


Numeric: TypeAlias = MixedNumbers | Floats
"""Numbers ``(N, n)``."""


@dataclass(frozen=True, slots=True, eq=False)
class RowEncoding:
    """What encoding needs; fitted by `lrtune.data.encoding`.

    Parameters
    ----------
    width
        ``D``, the number of features.
    fill
        ``(n,)``: what a missing number or boolean counts as.
    numbers
        How those that are no booleans are encoded, a name of `NUMBERS`.
    scaled
        Which of the ``n`` these are.
    parts
        What was fitted for them.
    marks
        Which of the ``n`` numbers are joined by a mark of missing cells.
    added
        How many further features each of the ``scaled`` numbers has; they stand at the end.
    places
        For each categorical column the feature of codes -2 (other), -1 (missing), 0, 1, ...; `NOWHERE` for none.

    """

    width: int
    fill: Floats
    numbers: str
    scaled: Integers
    parts: Parts
    marks: Integers
    added: Integers
    places: tuple[Integers, ...]

    def transform(self, numeric: Floats, codes: Array, out: Array) -> None:
        """Encode rows of numbers ``(M, n)`` and codes of categories ``(M, m)`` into ``out (M, D)``."""
        missing, n = np.isnan(numeric), numeric.shape[1]
        filled = np.where(missing, self.fill, numeric)
        entry, values = NUMBERS[self.numbers], filled[:, self.scaled]
        filled[:, self.scaled] = entry.apply(values, self.parts)
        kept = np.arange(entry.components) < self.added[:, None]
        out[:, :n] = filled
        out[:, n : n + len(self.marks)] = missing[:, self.marks]
        out[:, n + len(self.marks) :] = 0.0
        out[:, self.width - self.added.sum() :] = entry.expand(values, self.parts)[:, kept]
        for j, places in enumerate(self.places):
            place = places[codes[:, j].astype(np.int64) + 2]
            (known,) = np.nonzero(place != NOWHERE)
            out[known, place[known]] = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class EncodedRows:
    """Some rows of a table as features; they are read like an array ``(N, D)``.

    Parameters
    ----------
    numeric, codes
        Of all rows of the table: numbers, and codes of categories.
    rows
        Which of them these are.
    encoding
        How they are encoded.
    kind
        The dtype of the features, by its name.

    """

    numeric: Numeric
    codes: Array
    rows: Rows
    encoding: RowEncoding
    kind: str

    @property
    def shape(self) -> tuple[int, int]:
        """``N`` and ``D``."""
        return len(self.rows), self.encoding.width

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the features."""
        return np.dtype(self.kind)

    @property
    def nbytes(self) -> int:
        """What is kept of these rows beside the table (bytes)."""
        return int(self.rows.nbytes)

    @property
    def size(self) -> int:
        """How many features all rows have."""
        return math.prod(self.shape)

    def __len__(self) -> int:
        """``N``."""
        return len(self.rows)

    def __getitem__(self, rows: npt.NDArray[np.integer] | slice) -> Array:
        """Encode some of the rows."""
        wanted = self.rows[rows]
        found = np.empty((len(wanted), self.encoding.width), self.dtype)
        self._encode(wanted, found)
        return found

    def write(self, rows: npt.NDArray[np.integer], out: Array) -> None:
        """Encode some of the rows into ``out (M, D)``."""
        self._encode(self.rows[rows], out)

    def _encode(self, wanted: Rows, out: Array) -> None:
        at_once = max(1, _AT_ONCE // max(1, self.encoding.width))
        for start in range(0, len(wanted), at_once):
            part = wanted[start : start + at_once]
            self.encoding.transform(self.numeric[part], self.codes[part], out[start : start + at_once])

    def part(self, rows: npt.NDArray[np.integer] | slice) -> EncodedRows:
        """Take some of the rows without encoding them."""
        return replace(self, rows=self.rows[rows])


Features: TypeAlias = EncodedRows | Array
"""Features ``(N, D)``; which of the two they are changes nothing but memory and time."""


def part_of(features: Features, rows: npt.NDArray[np.integer] | slice) -> Features:
    """Take some rows of features, of the same kind."""
    return features.part(rows) if isinstance(features, EncodedRows) else features[rows]
