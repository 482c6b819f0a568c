"""Arguments and options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lrtune.cli.runs import names

ConfigArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="CONFIG",
        show_default=False,
        help="Experiment file; without it, lrtune.yaml or config.yaml of this folder.",
    ),
]
DataOption = Annotated[
    str | None,
    typer.Option("--data", metavar="FILE", help="Table to learn from: <formats>. Needs no CONFIG."),
]
TargetOption = Annotated[str | None, typer.Option("--target", metavar="COLUMN", help="Column to predict.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Replace one setting of the experiment, as in search.folds=10; repeatable."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else on standard output.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
LookArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="Folder of a run, its name under ./runs, or 'latest': finished, running or stopped.",
        autocompletion=names,
    ),
]
RunArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="Folder of a run, its name under ./runs, or 'latest'.",
        show_default=False,
        autocompletion=names,
    ),
]
