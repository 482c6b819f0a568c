"""``lrtune export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrtune.cli.options import QuietOption, RunArgument
from lrtune.cli.outputs import put, refuse_overwriting
from lrtune.cli.runs import find
from lrtune.text.errors import LrtuneError, nearest
from lrtune.text.paths import expanded

if TYPE_CHECKING:
    from lrtune.run.folder import Run

FORMATS = ("csv", "json", "optuna", "mlflow")
_SQLITE = "sqlite:///"
"""What stands before the file in the URI of a database."""


def _formats(incomplete: str) -> list[str]:
    return [each for each in FORMATS if each.startswith(incomplete)]


def export(
    run: RunArgument,
    *,
    to: Annotated[
        str, typer.Option("--to", metavar="FORMAT", help="csv, json, optuna or mlflow.", autocompletion=_formats)
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="File to write, by default standard output or optuna.db in the run; for mlflow a tracking URI.",
        ),
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Hand a run over to other tools.

    csv has a row for each trial; json all that is known of the study. optuna writes a SQLite file for optuna-dashboard,
    mlflow records runs where MLflow is set to, or at the URI given.

    Example: lrtune export latest --to optuna -o study.db
    """
    from lrtune.run.folder import open_run

    if to not in FORMATS:
        raise LrtuneError(f"--to {to}: unknown format; {nearest(to, FORMATS)}")
    refuse_overwriting({"--output": None if output is None else expanded(output.removeprefix(_SQLITE))}, {})
    found = open_run(find(run, finished=False))
    if to in ("csv", "json"):
        _as_text(found, to, output)
    else:
        _handed_over(found, to, output, quiet=quiet)


def _as_text(run: Run, to: str, output: str | None) -> None:
    from lrtune.reporting import export as writing
    from lrtune.reporting import listed
    from lrtune.text.written import json_text, to_json
    from lrtune.verdict.trials_table import trials_text

    text = trials_text(run.trials, run.metric) if to == "csv" else json_text(to_json(listed.whole_study(run)))
    if output is None:
        put(text)
    else:
        writing.write(expanded(output), text)


def _handed_over(run: Run, to: str, output: str | None, *, quiet: bool) -> None:
    from contextlib import nullcontext

    from lrtune.reporting import console, to_mlflow, to_optuna
    from lrtune.text import formats

    usual = run.folder / "optuna.db"
    place = str(usual if output is None else expanded(output)) if to == "optuna" else output
    with nullcontext() if quiet else console.working(f"writing {formats.plural(len(run.trials), 'trial')}"):
        written = to_optuna.export(run, Path(str(place))) if to == "optuna" else to_mlflow.export(run, place)
    if quiet:
        return
    left = len(run.trials) - written
    without = f"; {formats.count(left)} without a result left out" if left else ""
    where = f"{place}: " if place else "MLflow: "
    console.note(f"{where}{formats.plural(written, 'trial')} written{without}")
    if to == "optuna":
        console.note(f"to look at it: optuna-dashboard sqlite:///{place}")
