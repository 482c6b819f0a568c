"""Tables of which only the targets, groups and times matter."""

import numpy as np

from lrtune.data.columns import Columns
from lrtune.data.schema import Schema


def data(target, *, groups=None, order=None, classes=None):
    """Columns without features, and their schema; whole numbers are labels."""
    target = np.asarray(target)
    classification = target.dtype.kind == "i"
    names = tuple(f"c{i}" for i in range(classes or target.max() + 1)) if classification else ()
    task = "classification" if classification else "regression"
    schema = Schema(task, "y", names, (), group=None if groups is None else "g", order=None if order is None else "t")
    empty = np.empty((len(target), 0))
    times = None if order is None else np.asarray(order, dtype=float)
    return Columns(empty, empty.astype(np.int32), target, None if groups is None else np.asarray(groups), times), schema
