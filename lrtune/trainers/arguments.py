"""What is given to a command or a function that trains: an experiment, a path, a table, arrays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lrtune import experiment as experiments
from lrtune.data.memory import table_in_memory
from lrtune.data.tables import Table
from lrtune.experiment import Experiment
from lrtune.experiment.suited import suited
from lrtune.text.errors import ExperimentError, LrtuneError, named
from lrtune.trainers.catalogue import TRAINERS


def experiment_and_table(
    experiment: str | Path | Experiment | None = None,
    *,
    data: Any = None,
    target: str | None = None,
    X: Any = None,
    y: Any = None,
    overrides: Sequence[str] = (),
    quality: str | None = None,
) -> tuple[Experiment, Table | None]:
    """Take the arguments for an experiment, and for the table if it is in memory or has been read.

    Parameters
    ----------
    experiment
        A file; None takes what suits the table, as `lrtune init` writes it. An `Experiment` is complete: nothing else
        goes beside it.
    data, X, y
        A path, a data frame, or arrays, as in `lrtune.data.memory.table_in_memory`; in place of the file's table.
    target
        The column of `data` to predict.
    overrides
        Settings that replace those of the file, as ``"search.trials=20"``.
    quality
        How much a search without a file is to do: ``fast``, ``good`` or ``best``.

    Raises
    ------
    LrtuneError
        If the arguments contradict each other.
    ExperimentError, DataError
        If the experiment is wrong, or what is given as a table is none.

    """
    if isinstance(experiment, Experiment):
        if overrides or any(each is not None for each in (data, target, X, y)):
            raise LrtuneError("an Experiment is complete; data, target, X, y and overrides go with a file, or alone")
        return experiment, None
    if experiment is not None and quality is not None:
        raise LrtuneError(
            "quality says what is searched without a file, and a file says it itself; keep one of the two"
        )
    table = table_in_memory(data, X=X, y=y)
    if X is not None and target is not None:
        raise LrtuneError(f"target={target!r} names a column of data; beside X, y is the target")
    if experiment is None:
        return _without_file(data if table is None else table, target, overrides, quality)
    if table is None:
        return experiments.load(experiment, overrides, data=data, target=target, trainers=TRAINERS), None
    column = target or table.target
    return experiments.load(experiment, overrides, data=table.source, target=column, trainers=TRAINERS), table


def _without_file(
    data: str | Path | Table | None, target: str | None, overrides: Sequence[str], quality: str | None
) -> tuple[Experiment, Table]:
    if data is None:
        raise ExperimentError(["give an experiment file, or a table with --data FILE --target COLUMN"])
    if isinstance(data, Table):
        target = target or data.target
        if target is None and not any(each.startswith("data.target") for each in overrides):
            raise LrtuneError(f"say which column of data is to be predicted, target=...; it has {named(data.names)}")
    return suited(data, overrides, target=target, quality=quality, trainers=TRAINERS)
