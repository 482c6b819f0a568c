"""Tables that a Python program holds already: data frames, mappings of columns, and arrays ``X`` with ``y``.

Files are read by `lrtune.data.tables.load`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lrtune.data import frames
from lrtune.data.archives import as_array
from lrtune.data.cells import Raw
from lrtune.data.tables import Table, from_array, from_frame
from lrtune.text.errors import DataError, LrtuneError, counted, reason

TARGET = "target"
"""What the target is called whose values come without a name."""


def table_in_memory(data: Any = None, *, X: Any = None, y: Any = None) -> Table | None:
    """Make a table of what a Python program holds; None where it holds none, because `data` is a path or absent.

    Parameters
    ----------
    data
        A data frame of polars, pandas or Arrow, or a mapping from names to one-dimensional arrays. Which of its columns
        is the target is said elsewhere.
    X, y
        In place of `data`: features (N, D), as an array or a data frame, and a value or label for each row, (N,) or
        (N, 1). The target has the name of `y`, if that has one, else ``target``; the columns of an array are ``x0``,
        ``x1``, ..., and those of numbers are features even where a file's would be taken for an identifier.

    Raises
    ------
    LrtuneError
        If both ways are used at once, or only one half of the second.
    DataError
        If what was given is no table.

    >>> table = table_in_memory(X=[[1.0, 2.0], [3.0, 4.0]], y=["no", "yes"])
    >>> table.names, table.rows, table.target
    (('x0', 'x1', 'target'), 2, 'target')
    """
    if X is None and y is None:
        return None if data is None or isinstance(data, str | Path) else _frame(data, "data")
    if data is not None:
        raise LrtuneError("give data, or X and y, not both")
    if X is None or y is None:
        there, absent = ("y", "X") if X is None else ("X", "y")
        raise LrtuneError(f"{there} is given without {absent}; give X, the features, and y, what is to be predicted")
    return _joined(_features(X), *_target(y))


def _joined(features: Table, name: str | None, target: Raw) -> Table:
    """Put the target beside its features, under a name that they do not have."""
    if name in features.columns:
        raise DataError(f"X has a column '{name}', and y is called so, too; leave it out of X, or give y another name")
    if target.missing.size != features.rows:
        raise DataError(f"X has {counted(features.rows, 'row')}, but y has {counted(target.missing.size, 'value')}")
    free = TARGET if name is None else name
    while free in features.columns:
        free += "_"
    return replace(features, columns={**features.columns, free: target}, target=free)


def is_frame(values: Any) -> bool:
    """Tell a data frame from an array; the type is asked, because a lazy frame would have to work for its columns."""
    return hasattr(type(values), "columns") and not isinstance(values, np.ndarray)


def _frame(values: Any, source: str) -> Table:
    """Make a table of a data frame or a mapping of columns."""
    if not is_frame(values) and not isinstance(values, Mapping):
        hint = "; arrays are given as X and y" if isinstance(values, np.ndarray | list | tuple) else ""
        raise DataError(
            f"{source}: expected a path, a data frame or a mapping from names to columns, "
            f"got a value of type {type(values).__name__}{hint}"
        )
    if hasattr(values, "__arrow_c_stream__") and not hasattr(values, "iloc"):
        values = frames.from_arrow(values)
    if isinstance(values, Mapping):
        values = {str(name): _array(column, f"{source}: column '{name}'", 1) for name, column in values.items()}
        if not values:
            raise DataError(f"{source} has no columns")
    return from_frame(values, source)


def _features(values: Any) -> Table:
    if is_frame(values) or isinstance(values, Mapping):
        return _frame(values, "X")
    return from_array(_array(values, "X", 2), source="X")


def _target(values: Any) -> tuple[str | None, Raw]:
    """Read the name, if there is one, and the values of what is to be predicted."""
    if hasattr(values, "to_frame"):  # a series, of pandas or of polars
        name = None if values.name in (None, "") else str(values.name)
        values = values.to_frame(name or TARGET)
    elif is_frame(values) or isinstance(values, Mapping):
        name = str(next(iter(values.columns if is_frame(values) else values), TARGET))
    else:
        array = _array(values, "y", 1)
        return None, from_array(array[:, None], source="y").columns["x0"]
    table = _frame(values, "y")
    if len(table.columns) != 1:
        raise DataError(f"y has {len(table.columns)} columns; one is predicted, so it has one value for each row of X")
    return name, next(iter(table.columns.values()))


def _array(values: Any, source: str, dimensions: int) -> npt.NDArray[Any]:
    """Make an array of so many dimensions; in rows of texts and numbers each stays what it is."""
    if hasattr(values, "toarray"):
        raise DataError(f"{source} is a sparse matrix, and lrtune trains on dense ones; give {source}.toarray()")
    try:
        array = as_array(values)
        if array.dtype.kind in "SU" and isinstance(values, list | tuple):
            array = np.asarray(values, dtype=object)  # else NumPy makes texts of the numbers
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(f"{source} cannot be made an array: {reason(error)}") from None
    if dimensions == 1 and array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != dimensions:
        needed = "two, rows and columns" if dimensions == 2 else "one, a value for each row"
        raise DataError(f"{source} has {counted(array.ndim, 'dimension')}; it needs {needed}")
    return array
