"""``lrtune schedules``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lrtune.cli.options import JsonOption
from lrtune.cli.runs import names
from lrtune.text.errors import LrtuneError, nearest

if TYPE_CHECKING:
    from lrtune.handover.core import SchedulePlan

EXPORT = "export"
LIBRARIES = ("pytorch", "keras", "optax")


def _words(incomplete: str) -> list[str]:
    from lrtune.training.registry import DECAYS

    return [each for each in (*DECAYS, EXPORT) if each.startswith(incomplete)]


def _libraries(incomplete: str) -> list[str]:
    return [each for each in LIBRARIES if each.startswith(incomplete)]


def schedules(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[export] [NAME]",
            show_default=False,
            help="A decay type; without it all of them. 'export' writes it as code.",
            autocompletion=_words,
        ),
    ] = None,
    *,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FACTOR=VALUE", help="Set a factor, as in final=0.01; repeatable."),
    ] = None,
    rate: Annotated[float | None, typer.Option("--rate", metavar="X", help="Peak learning rate.")] = None,
    warmup: Annotated[
        float | None, typer.Option("--warmup", metavar="SHARE", help="Share of the epochs in which the rate rises.")
    ] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", metavar="N", help="The horizon.")] = None,
    steps_per_epoch: Annotated[
        int | None, typer.Option("--steps-per-epoch", metavar="N", help="Updates in an epoch.")
    ] = None,
    run: Annotated[
        str | None,
        typer.Option("--run", metavar="RUN", help="Take the best schedule of a finished run.", autocompletion=names),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="LIBRARY", help="Of export: pytorch, keras or optax.", autocompletion=_libraries),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Of export: file to write.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Write a figure: PNG, SVG or HTML.")
    ] = None,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV and nothing else on standard output.")] = False,
) -> None:
    """Show or export learning-rate schedules.

    Lists the decay types, shows the rates of one, or writes it as code for another library.

    Code for PyTorch, Keras or optax needs nothing of lrtune, and checks itself when it is run.

    Example: lrtune schedules export cosine --set final=0.01 --to pytorch
    """
    from lrtune.cli.outputs import refuse_overwriting
    from lrtune.cli.schedule_settings import Given, named, of_run

    name, exporting = _meaning(words or [], run)
    _refuse_conflicts(exporting=exporting, to=to, output=output, as_json=as_json, as_csv=as_csv, plot=plot)
    refuse_overwriting({"--output": output, "--plot": plot}, {})
    given = Given(settings or (), rate, warmup, epochs, steps_per_epoch)
    if run is not None:
        chosen = of_run(run, given)
    elif name is not None:
        chosen = named(name, given)
    else:
        _refuse_unused(given, plot)
        _list(as_json=as_json, as_csv=as_csv)
        return
    if exporting:
        assert to is not None
        _export(chosen, to, output)
    else:
        _show(chosen, as_json=as_json, as_csv=as_csv, plot=plot)


def _meaning(words: list[str], run: str | None) -> tuple[str | None, bool]:
    """Tell which decay type is meant, and whether it is to be exported."""
    exporting = bool(words) and words[0] == EXPORT
    rest = words[1:] if exporting else words
    if len(rest) > 1:
        raise LrtuneError(f"expected one decay type, got {' '.join(rest)}")
    if rest and run is not None:
        raise LrtuneError(f"give a decay type or --run, not both: {rest[0]} and {run}")
    if exporting and not rest and run is None:
        raise LrtuneError(
            "export needs a decay type, as in `lrtune schedules export cosine --to pytorch`, or --run RUN"
        )
    return (rest[0] if rest else None), exporting


def _refuse_conflicts(
    *, exporting: bool, to: str | None, output: Path | None, as_json: bool, as_csv: bool, plot: Path | None
) -> None:
    if not exporting and (to is not None or output is not None):
        raise LrtuneError("--to and --output belong to `lrtune schedules export`")
    if exporting and (as_json or as_csv or plot is not None):
        raise LrtuneError("--json, --csv and --plot do not belong to `lrtune schedules export`")
    if exporting and to is None:
        raise LrtuneError(f"--to says for which library: {', '.join(LIBRARIES)}")
    if to is not None and to not in LIBRARIES:
        raise LrtuneError(f"--to {to}: unknown library; {nearest(to, LIBRARIES)}")
    if as_json and as_csv:
        raise LrtuneError("give --json or --csv, not both")


def _refuse_unused(given: Any, plot: Path | None) -> None:
    if plot is not None or any(given):
        raise LrtuneError("name a decay type for these options, as in `lrtune schedules cosine --set final=0.01`")


def _list(*, as_json: bool, as_csv: bool) -> None:
    from lrtune.reporting import console, schedules
    from lrtune.text import written
    from lrtune.text.written import to_json

    if as_json:
        sys.stdout.write(written.json_text(to_json(schedules.catalogue())))
    elif as_csv:
        sys.stdout.write(written.csv_text(schedules.catalogue_rows()))
    else:
        console.show(schedules.catalogue_page())


def _export(chosen: SchedulePlan, to: str, output: Path | None) -> None:
    from lrtune.handover import program
    from lrtune.reporting import export

    text = program.written(chosen, to)
    if output is None:
        sys.stdout.write(text)
    else:
        export.write(output, text)


def _show(chosen: SchedulePlan, *, as_json: bool, as_csv: bool, plot: Path | None) -> None:
    from lrtune.reporting import console, figures, schedule_figures, schedules, tables
    from lrtune.text import written
    from lrtune.text.written import to_json
    from lrtune.training.schedules import tabulate

    configuration, steps, epochs = chosen.configuration, chosen.steps, chosen.epochs
    rates = tabulate([configuration], [steps], epochs)[:, 0, 0].tolist()
    if plot is not None:
        keys = [key for key in configuration if key.partition(".")[0] in ("learning_rate", "decay", "warmup")]
        title = tables.configuration_line(configuration, keys)
        figures.write(schedule_figures.schedule_figure(title, rates, steps), plot)
    if as_json:
        sys.stdout.write(written.json_text(to_json(schedules.schedule_rates(configuration, rates, steps))))
    elif as_csv:
        sys.stdout.write(written.csv_text(schedules.schedule_rows(rates, steps)))
    else:
        width = min(console.console().width, console.WIDTH) - 4
        console.show(schedules.schedule_page(configuration, rates, steps, width=width))
