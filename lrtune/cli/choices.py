"""Finds the experiment that a command means, and joins what file and options say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from lrtune.cli.outputs import STDOUT
from lrtune.text.errors import LrtuneError, named_as_typed

if TYPE_CHECKING:
    from lrtune.data.tables import Table
    from lrtune.experiment import Experiment

USUAL_FILES = (Path("lrtune.yaml"), Path("config.yaml"))


def chosen(
    config: Path | None,
    data: str | None,
    target: str | None,
    overrides: Sequence[str] | None,
    shortcuts: Mapping[str, object] | None = None,
    *,
    quality: str | None = None,
    quiet: bool = False,
) -> tuple[Experiment, Table | None]:
    """Load the experiment that the arguments of a command describe; and its table, if that had to be looked at.

    Parameters
    ----------
    config
        The experiment file. Without it and without ``data`` the usual file of this folder is meant; without it, but
        with ``data``, what suits the table.
    data, target
        Table and column to predict; they go before what the file says.
    overrides
        Settings as ``key.path=value``.
    shortcuts
        Settings that have an option of their own, by key path; None stands for "not given".
    quality
        How much a search without a file is to do.
    quiet
        Do not show that a table is being read.

    Raises
    ------
    LrtuneError
        If nothing says what to search, the experiment is wrong, or there is no such table.

    """
    from lrtune.reporting import console
    from lrtune.trainers.arguments import experiment_and_table

    if data == str(STDOUT):
        raise LrtuneError(
            "--data -: a search cannot read standard input, because it reads the table again when it goes on; "
            "write it into a file"
        )
    path = config if config is not None or data is not None else _usual()
    given = {
        f"--{key.rpartition('.')[2]} {value}": f"{key}={value}"
        for key, value in (shortcuts or {}).items()
        if value is not None
    }
    with named_as_typed(given), ExitStack() as shown:
        if path is None and not quiet:
            shown.enter_context(console.working(f"reading {data}"))
        settings = [*(overrides or ()), *given.values()]
        return experiment_and_table(path, data=data, target=target, overrides=settings, quality=quality)


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
