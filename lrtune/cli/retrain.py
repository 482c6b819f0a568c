"""``lrtune retrain``."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrtune.cli.options import JsonOption, RunArgument
from lrtune.cli.outputs import put
from lrtune.cli.runs import find
from lrtune.run.names import DATABASE, EXPERIMENT, MODEL, RETRAINED
from lrtune.text.errors import LrtuneError, StudyError

if TYPE_CHECKING:
    from lrtune.experiment import Experiment
    from lrtune.run.folder import Run
    from lrtune.trainers.preparation import Prepared


def retrain(
    run: RunArgument,
    *,
    trial: Annotated[
        int, typer.Option("--trial", metavar="N", min=0, help="Number of the trial, as in lrtune trials.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Folder of the model; by default trial-N inside the run."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a model that is there, even the run's own.")] = False,
    as_json: JsonOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Train any trial of a run on all training rows and save it.

    The folder can be given to `lrtune predict`. The run's own model stays as it is.

    Example: lrtune retrain latest --trial 17
    """
    from lrtune import model
    from lrtune.experiment.searched import searched
    from lrtune.reporting import console
    from lrtune.reporting.afterwards import rows_of
    from lrtune.reporting.retrained import page, retrained
    from lrtune.run import files
    from lrtune.run.folder import open_run
    from lrtune.run.lock import Lock
    from lrtune.text import written
    from lrtune.text.written import to_json
    from lrtune.trainers.preparation import prepare
    from lrtune.training.feedback import median_scales
    from lrtune.verdict.making import test_score

    found = open_run(find(run, finished=False))
    experiment = searched(found)
    chosen = found.trial(trial)
    folder = output or found.folder / f"trial-{trial}"
    if model.is_saved(folder / MODEL) and not force:
        raise LrtuneError(f"{folder}: has a model already; choose another folder with --output, or add --force")
    if (folder / EXPERIMENT).exists() and not any((folder / name).exists() for name in (RETRAINED, DATABASE)):
        raise LrtuneError(f"{folder / EXPERIMENT}: would be overwritten; choose another folder with --output")
    with nullcontext() if quiet else console.working(f"training trial {trial} on all training rows"):
        prepared = prepare(experiment)
        _refuse_other_data(found, experiment, prepared)
        fitted = prepared.refit(found.configuration(chosen.configuration), scales=median_scales(chosen.scales))
        test = test_score(prepared.tested(fitted), found.metric)
    with Lock(folder):
        digest = model.save(fitted, folder / MODEL)
        made = retrained(found, chosen, test=test, digest=digest)
        files.write(folder / RETRAINED, written.json_text(to_json(made)))
        if not (folder / DATABASE).exists():  # a run keeps the file that it was made from
            text = experiment.dump(found.configuration(chosen.configuration), folder)
            files.write(folder / EXPERIMENT, text)
    if as_json:
        put(written.json_text(to_json(made)))
    elif not quiet:
        table = rows_of(experiment.inputs.get("the training table"), is_loaded=experiment.loader is not None)
        console.show(page(made, found, rows=prepared.rows, folder=folder, table=table))


def _refuse_other_data(run: Run, experiment: Experiment, prepared: Prepared) -> None:
    """Refuse rows that the trial's scores are not about."""
    header = run.study.header
    if (header.data, header.folds) != (prepared.data_hash, prepared.folds_hash):
        raise StudyError(
            f"{experiment.data.path}: its rows are not those that {run.folder} was searched on; "
            "bring the old table back, or search again"
        )
