"""Rows of any shape that a function loads: ``load()`` returns ``{"X": ..., "y": ..., "groups": ..., "time": ...}``.

Only ``X`` has to be there, and it may be row numbers. Rows without ``y`` are judged by what training reports of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lrtune.arrays import Array, Integers
from lrtune.trainers.foreign.ending import as_array
from lrtune.trainers.foreign.functions import found_function, told
from lrtune.trainers.foreign.run import TrainingError, rows_of

NAMES = ("X", "y", "groups", "time")

MOST_FEATURES, MOST_CELLS = 4096, 50_000_000
"""Numbers of a row, and of all rows, that are a table for what is compared with."""


class Loaded:
    """What a function has loaded.

    Parameters
    ----------
    found
        What it returned.

    """

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.X = found["X"]
        self.y = None if found.get("y") is None else as_array(found["y"])
        self.others = {name: as_array(found[name]) for name in NAMES[2:] if found.get(name) is not None}

    def rows(self, rows: Integers) -> Any:
        """Take some rows of X: by an array of row numbers, or one by one of what has only items."""
        return rows_of(self.X, rows)

    def table(self) -> dict[str, Array]:
        """Give what folds are made by, and the numbers of X as far as they are a table."""
        count = len(self.X)
        try:
            flat = np.asarray(self.X).reshape(count, -1)
        except (TypeError, ValueError):
            flat = np.empty((count, 0))
        fits = flat.dtype.kind in "fiub" and 0 < flat.shape[1] <= MOST_FEATURES and flat.size <= MOST_CELLS
        features = flat.astype(np.float64) if fits else np.arange(count, dtype=np.float64)[:, None]
        targets = {} if self.y is None else {"y": self.y}
        return {"X": features, **targets, **self.others}


def load(spec: str, folder: str) -> Loaded:
    """Call the function that loads the rows.

    Raises
    ------
    TrainingError
        If it does not exist, fails, or returns something else.

    """
    _, function = found_function(spec, folder)
    try:
        found = function()
    except Exception as error:
        raise TrainingError(f"failed: {told(error)}") from error
    if not isinstance(found, Mapping) or "X" not in found:
        keys = f"a mapping with {', '.join(map(str, found))}" if isinstance(found, Mapping) else type(found).__name__
        raise TrainingError(f"returned {keys}; expected {{'X': ...}}, perhaps with y, groups or time")
    unknown = [str(key) for key in found if key not in NAMES]
    if unknown:
        raise TrainingError(f"returned '{unknown[0]}', which means nothing; expected X, y, groups, time")
    loaded = Loaded(found)
    others = {**({} if loaded.y is None else {"y": loaded.y}), **loaded.others}
    lengths = {"X": len(loaded.X), **{key: len(each) for key, each in others.items()}}
    if len(set(lengths.values())) > 1:
        raise TrainingError(f"returned {', '.join(f'{each:,} rows of {key}' for key, each in lengths.items())}")
    return loaded
