"""The columns of a table as a data frame, neither scaled nor one-hot: for trainers that take such frames themselves.

Numbers and booleans are floats with NaN where a cell is missing, dates the numbers that stand for them, and categories
those of pandas: the levels that are frequent enough among the training rows, and one for all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lrtune.arrays import Array
from lrtune.data.columns import Columns
from lrtune.data.schema import Schema
from lrtune.text.errors import DataError
from lrtune.text.written import Json

OTHER = "(other)"
"""The category of rare levels, and of those that the training rows do not have."""


class RawRows(NamedTuple):
    """Rows as `lrtune.data.columns.Columns` has them: numbers ``(N, n)``, codes of categories ``(N, m)``."""

    numeric: Array
    codes: Array


@dataclass(frozen=True)
class FrameShape:
    """What a data frame of the rows is like; it takes the place of an encoder.

    Attributes
    ----------
    numbers
        Names of the columns of numbers.
    categories
        Those of categories, with their levels.
    order
        All names, in the order of the frame.

    """

    numbers: tuple[str, ...]
    categories: tuple[tuple[str, tuple[str, ...]], ...]
    order: tuple[str, ...]

    def transform(self, columns: Columns, rows: npt.NDArray[np.integer] | None = None) -> RawRows:
        """Take some rows, all by default."""
        chosen = slice(None) if rows is None else rows
        return RawRows(columns.numeric[chosen], columns.codes[chosen])

    def frame(self, rows: RawRows) -> Any:
        """Make a data frame of pandas.

        Raises
        ------
        DataError
            If pandas is not installed.

        """
        try:
            import pandas as pd
        except ImportError as error:
            raise DataError("data.encode: false gives data frames of pandas, which is not installed") from error
        made: dict[str, Any] = {name: rows.numeric[:, place] for place, name in enumerate(self.numbers)}
        for place, (name, levels) in enumerate(self.categories):
            codes = rows.codes[:, place].astype(np.int64)
            known = np.where(codes == -2, len(levels), codes)
            made[name] = pd.Categorical.from_codes(known, categories=pd.Index([*levels, OTHER], dtype=object))
        return pd.DataFrame(made)[list(self.order)]

    def to_dict(self) -> Json:
        """Give plain values for JSON."""
        categories = [[name, list(levels)] for name, levels in self.categories]
        return {"frame": {"numbers": list(self.numbers), "categories": categories, "order": list(self.order)}}

    @classmethod
    def from_dict(cls, values: Json) -> FrameShape:
        """Rebuild what `to_dict` gave."""
        said = values["frame"]
        categories = tuple((str(name), tuple(map(str, levels))) for name, levels in said["categories"])
        return cls(tuple(said["numbers"]), categories, tuple(said["order"]))


def frame_shape(schema: Schema) -> FrameShape:
    """Say what a data frame of a table's features is like."""
    numbers = tuple(part for _, part in schema.numeric)
    categories = tuple((column.name, tuple(map(str, column.levels))) for column in schema.categorical)
    order = [each for column in schema.features for each in (column.parts or (column.name,))]
    return FrameShape(numbers, categories, tuple(order))
