"""Finds the experiment that a command means, and joins what file and options say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lrtune.text.errors import LrtuneError, named_as_typed

if TYPE_CHECKING:
    from lrtune.experiment import Experiment

USUAL_FILES = (Path("lrtune.yaml"), Path("config.yaml"))


def chosen(
    config: Path | None,
    data: str | None,
    target: str | None,
    overrides: Sequence[str] | None,
    shortcuts: Mapping[str, object] | None = None,
) -> Experiment:
    """Load the experiment that the arguments of a command describe.

    Parameters
    ----------
    config
        The experiment file. Without it and without ``data`` the usual file of this folder is meant.
    data, target
        Table and column to predict; they go before what the file says.
    overrides
        Settings as ``key.path=value``.
    shortcuts
        Settings that have an option of their own, by key path; None stands for "not given".

    Raises
    ------
    LrtuneError
        If nothing says what to search, or the experiment is wrong.

    """
    from lrtune import experiment
    from lrtune.trainers.catalogue import TRAINERS

    path = config if config is not None or data is not None else _usual()
    given = {
        f"--{key.rpartition('.')[2]} {value}": f"{key}={value}"
        for key, value in (shortcuts or {}).items()
        if value is not None
    }
    with named_as_typed(given):
        return experiment.load(path, [*(overrides or ()), *given.values()], data=data, target=target, trainers=TRAINERS)


def _usual() -> Path:
    found = [each for each in USUAL_FILES if each.is_file()]
    if not found:
        names = " nor ".join(str(each) for each in USUAL_FILES)
        raise LrtuneError(
            f"nothing to search: there is neither {names} here. "
            "Name an experiment file, as in `lrtune search config.yaml`, "
            "or a table, as in `lrtune search --data table.csv --target column`"
        )
    return found[0]
