"""Rows that a function loads (``data.loader``): what of them is a table, for folds and for what they are compared with.

The rows themselves, of any shape, stay in the processes that train. The table has their targets, groups and times, and
as features the numbers of ``X``, flattened, as far as these are a table; so a linear model can be fitted to images.
Where nobody gave targets, row numbers stand for them: only what training reports is a score.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from lrtune.data.memory import table_in_memory
from lrtune.data.tables import Table
from lrtune.experiment import Experiment
from lrtune.experiment.reading.trainer_form import LOADED_TARGET
from lrtune.text.errors import DataError
from lrtune.trainers.foreign.retraining import loaded

if TYPE_CHECKING:
    from lrtune.data.describe import Meaning

GROUPS, TIMES = "groups", "time"
"""Names of the columns that put rows together, and in order."""

ROW_NUMBER = "row number"
"""Name of the column that stands for targets where there are none."""


def loaded_table(experiment: Experiment) -> Table:
    """Let the function load the rows, and make a table of them.

    Raises
    ------
    DataError
        If it cannot be run, or what it returns is nothing to learn from, or has no targets and the metric needs them.

    """
    trainer, loader = experiment.trainer, experiment.loader
    assert loader is not None
    arrays = loaded(trainer.name, trainer.said, trainer.called, str(experiment.base.absolute()), loader)
    if "y" not in arrays and experiment.search.direction is None:
        raise DataError(
            f"data.loader: {loader}: returned X without y: name what training reports in search.metric, and "
            "search.direction: minimize or maximize"
        )
    try:
        found = table_in_memory(X=arrays["X"], y=arrays.get("y", np.arange(len(arrays["X"]))))
    except DataError as error:
        raise DataError(f"data.loader: {error}") from error
    assert found is not None
    columns = dict(found.columns)
    assert found.target is not None
    target = LOADED_TARGET if "y" in arrays else ROW_NUMBER
    columns[target] = columns.pop(found.target)
    for name in (GROUPS, TIMES):
        if name in arrays:
            other = table_in_memory(X=arrays["X"][:, :0], y=arrays[name])
            assert other is not None
            assert other.target is not None
            columns[name] = other.columns[other.target]
    return replace(found, source=loader, columns=columns, target=target)


def with_roles(table: Table, meaning: Meaning) -> Meaning:
    """Say which columns put rows together and in order, if there are such, and what stands for targets."""
    roles: Meaning = {**meaning}
    if ROW_NUMBER in table.columns:
        roles["target"], roles["task"] = ROW_NUMBER, "regression"
    if GROUPS in table.columns:
        roles["group"] = GROUPS
    if TIMES in table.columns:
        roles["order"] = TIMES
    return roles
