"""``lrtune finder --scaling``: which rate another size takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lrtune.cli.names import sizes
from lrtune.cli.outputs import put, refuse_overwriting
from lrtune.cli.runs import RUNS
from lrtune.text.errors import LrtuneError, listed

if TYPE_CHECKING:
    from lrtune.data.tables import Table
    from lrtune.experiment import Experiment


class AskedScaling(NamedTuple):
    """A kind of size, those to predict and to measure, and optimizers; what is empty is left to us."""

    kind: str
    at: Sequence[int]
    sizes: Sequence[int]
    optimizers: Sequence[str]


def refuse_of_a_sweep(given: Mapping[str, Any]) -> None:
    """Refuse options that mean nothing beside ``--scaling``."""
    wrong = [name for name, value in given.items() if value]
    if wrong:
        raise LrtuneError(f"--scaling trains in full at several sizes; it does not go with {listed(wrong)}")


def refuse_without(given: Mapping[str, Any]) -> None:
    """Refuse options that mean nothing without ``--scaling``."""
    wrong = [name for name, value in given.items() if value]
    if wrong:
        raise LrtuneError(f"{listed(wrong)}: say with --scaling which size is meant: {', '.join(sizes())}")


def scale(
    experiment: Experiment,
    table: Table | None,
    asked: AskedScaling,
    output: Path | None,
    plot: Path | None,
    *,
    as_json: bool,
    quiet: bool,
    notes: Sequence[str],
) -> None:
    """Say what it takes, train, and show what came of it.

    Raises
    ------
    NoUsableResultError
        If no optimizer has a trend.

    """
    from contextlib import nullcontext

    from lrtune.finder import measured, plan_scaling
    from lrtune.reporting import console
    from lrtune.reporting.html.pictures import scaling_picture
    from lrtune.reporting.scaling import scaling_summary
    from lrtune.reporting.scaling_page import beforehand, scaling_page
    from lrtune.run import files
    from lrtune.run.files import refuse_inputs
    from lrtune.run.lock import Lock
    from lrtune.run.names import SCALING, SCALING_FIGURE, SCALING_NUMBERS
    from lrtune.text.errors import NoUsableResultError
    from lrtune.text.written import json_text, to_json
    from lrtune.trainers.preparation import prepare

    folder = output or RUNS / f"{experiment.name}-finder"
    refuse_inputs(folder, experiment.inputs, SCALING)
    refuse_overwriting({"--plot": plot}, experiment.inputs)
    plan = plan_scaling(
        experiment,
        prepare(experiment, table=table),
        asked.kind,
        sizes=asked.sizes,
        at=asked.at,
        optimizers=asked.optimizers,
    )
    if not quiet:
        console.note(beforehand(plan))
    with nullcontext() if quiet else console.working(f"training at {len(plan.sizes)} sizes of {experiment.data.path}"):
        found = scaling_summary(measured(plan), experiment.name)
    picture = scaling_picture(found)
    with Lock(folder):
        files.write(folder / SCALING_NUMBERS, json_text(to_json(found)))
        files.write(folder / SCALING_FIGURE, picture.svg())
    if plot is not None:
        picture.save(plot)
    if as_json:
        put(json_text(to_json(found)))
        for each in () if quiet else notes:
            console.note(each)
    else:
        console.show(scaling_page(found, notes=[] if quiet else notes, folder=folder))
    if all(each.exponent is None for each in found.optimizers):
        raise NoUsableResultError(f"no trend ({'; '.join(f'{e.optimizer}: {e.reason}' for e in found.optimizers)})")
