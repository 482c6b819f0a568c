"""Arguments and options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lrtune.cli.names import completed, engines, prunings, rules, strategies
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
QualityOption = Annotated[
    str | None,
    typer.Option("--quality", metavar="NAME", help="Without a file, how much to do: fast, good (usual) or best."),
]
TrialsOption = Annotated[
    int | None, typer.Option("--trials", metavar="N", help="Number of configurations; a larger one goes on.")
]
StrategyOption = Annotated[
    str | None,
    typer.Option(
        "--strategy",
        metavar="NAME",
        help="How to choose them: <strategies>.",
        autocompletion=completed(strategies),
    ),
]
PruningOption = Annotated[
    str | None,
    typer.Option(
        "--pruning",
        metavar="NAME",
        help="Spare bad ones some training: <prunings>.",
        autocompletion=completed(prunings),
    ),
]
WorkersOption = Annotated[
    str | None,
    typer.Option("--workers", metavar="N", help="Worker processes; 'auto' takes what the work is worth."),
]
EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="NAME",
        help="Where to train: an engine, or the address of a cluster; default: this machine.",
        autocompletion=completed(engines),
    ),
]
TimeoutOption = Annotated[
    str | None,
    typer.Option(
        "--timeout", metavar="TIME", help="End this session in so much time, as in 90s, 10m or 1h30m; the next goes on."
    ),
]
MoreTrialsOption = Annotated[
    int | None,
    typer.Option("--more-trials", metavar="N", help="Let a finished study search on by so many configurations."),
]
SelectOption = Annotated[
    str | None,
    typer.Option(
        "--select",
        metavar="RULE",
        help="Which trial is chosen: <rules> (as in 'within 1%').",
        autocompletion=completed(rules),
    ),
]
SeedOption = Annotated[int | None, typer.Option("--seed", metavar="N", help="Of everything random.")]


def search_settings(
    *,
    trials: int | None,
    strategy: str | None,
    pruning: str | None,
    workers: str | None,
    select: str | None,
    seed: int | None,
    engine: str | None = None,
    mixed: bool = False,
    promote_if: float | None = None,
    warmup_control: bool = False,
) -> dict[str, object]:
    """Name the settings of a search that have an option of their own, by key path; None stands for "not given"."""
    return {
        "search.trials": trials,
        "search.strategy": strategy,
        "search.pruning": pruning,
        "search.select": select,
        "search.seed": seed,
        "search.workers": workers,
        "retrain.promote_if": promote_if,
        "search.warmup_control": warmup_control or None,
        "search.engine": engine,
        "search.mixed": "true" if mixed else None,
    }


JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else on standard output.")]
DetailsOption = Annotated[bool, typer.Option("--details", help="Show everything, not the ten lines that matter most.")]
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
