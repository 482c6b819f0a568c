"""``lrtune schedules``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lrtune.cli.options import JsonOption
from lrtune.cli.outputs import put
from lrtune.cli.runs import names
from lrtune.text.errors import LrtuneError, nearest

if TYPE_CHECKING:
    from lrtune.handover.core import SchedulePlan

EXPORT = "export"
LIBRARIES = ("pytorch", "keras", "optax")

DRAWN = 300
"""Points of each curve of the overview."""


def _words(incomplete: str) -> list[str]:
    from lrtune.training.registry import DECAYS

    return [each for each in (*DECAYS, EXPORT) if each.startswith(incomplete)]


def _libraries(incomplete: str) -> list[str]:
    return [each for each in LIBRARIES if each.startswith(incomplete)]


def schedules(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[export] [NAME]...",
            show_default=False,
            help="A decay type, or several in one picture; without it all of them. 'export' writes one as code.",
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

    Lists the decay types, shows the rates of one or of several beside each other, or writes one as code for another
    library.

    Code for PyTorch, Keras or optax needs nothing of lrtune, and checks itself when it is run.

    Example: lrtune schedules export cosine --set final=0.01 --to pytorch
    """
    from lrtune.cli.outputs import refuse_overwriting
    from lrtune.cli.schedule_settings import Given, of_run, several

    chosen, exporting = _meaning(words or [], run)
    _refuse_conflicts(exporting=exporting, to=to, output=output, as_json=as_json, as_csv=as_csv, plot=plot)
    refuse_overwriting({"--output": output, "--plot": plot}, {})
    given = Given(settings or (), rate, warmup, epochs, steps_per_epoch)
    if run is None and not chosen:
        _refuse_unused(given)
        _list(as_json=as_json, as_csv=as_csv, plot=plot)
        return
    plans = several(chosen, given) if run is None else [of_run(run, given)]
    if exporting:
        assert to is not None
        _export(plans[0], to, output)
    elif len(plans) == 1:
        _show(plans[0], as_json=as_json, as_csv=as_csv, plot=plot)
    else:
        _compare(plans, as_json=as_json, as_csv=as_csv, plot=plot)


def _meaning(words: list[str], run: str | None) -> tuple[list[str], bool]:
    """Tell which decay types are meant, each once, and whether one is to be exported."""
    from lrtune.reporting.terminal_plots import SIGNS

    exporting = bool(words) and words[0] == EXPORT
    rest = list(dict.fromkeys(words[1:] if exporting else words))
    if exporting and len(rest) > 1:
        raise LrtuneError(f"export: expected one decay type, got {' '.join(rest)}")
    if len(rest) > len(SIGNS):
        raise LrtuneError(f"expected at most {len(SIGNS)} decay types in one picture, got {len(rest)}")
    if rest and run is not None:
        raise LrtuneError(f"give a decay type or --run, not both: {rest[0]} and {run}")
    if exporting and not rest and run is None:
        raise LrtuneError(
            "export needs a decay type, as in `lrtune schedules export cosine --to pytorch`, or --run RUN"
        )
    return rest, exporting


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


def _refuse_unused(given: Any) -> None:
    if any(given):
        raise LrtuneError("name a decay type for these options, as in `lrtune schedules cosine --set final=0.01`")


def _list(*, as_json: bool, as_csv: bool, plot: Path | None) -> None:
    from lrtune.reporting import console, figures, schedule_figures, schedules
    from lrtune.text import written
    from lrtune.text.written import to_json
    from lrtune.training.registry import DECAYS

    if plot is not None:
        drawn = {name: schedules.default_curve(name, DRAWN) for name in DECAYS}
        figures.write(schedule_figures.overview_figure(drawn, schedules.EPOCHS), plot)
        _say_written(plot)
    if as_json:
        put(written.json_text(to_json(schedules.catalogue())))
    elif as_csv:
        put(written.csv_text(schedules.catalogue_rows()))
    else:
        console.show(schedules.catalogue_page())


def _say_written(plot: Path) -> None:
    """Say on standard error where the figure is: the page or the numbers go to standard output."""
    from lrtune.reporting import console

    console.note(f"figure: {plot}")


def _export(chosen: SchedulePlan, to: str, output: Path | None) -> None:
    from lrtune.handover import program
    from lrtune.reporting import export

    text = program.written(chosen, to)
    if output is None:
        put(text)
    else:
        export.write(output, text)


def _show(chosen: SchedulePlan, *, as_json: bool, as_csv: bool, plot: Path | None) -> None:
    from lrtune.reporting import console, figures, schedule_figures, schedules, tables
    from lrtune.text import written
    from lrtune.text.written import to_json

    configuration, steps = chosen.configuration, chosen.steps
    rates = _rates(chosen)
    if plot is not None:
        keys = [key for key in configuration if key.partition(".")[0] in ("learning_rate", "decay", "warmup")]
        title = tables.configuration_line(configuration, keys)
        figures.write(schedule_figures.schedules_figure(title, {str(configuration["decay"]): rates}, steps), plot)
        _say_written(plot)
    if as_json:
        put(written.json_text(to_json(schedules.schedule_rates(configuration, rates, steps))))
    elif as_csv:
        put(written.csv_text(schedules.schedule_rows(rates, steps)))
    else:
        width = min(console.console().width, console.WIDTH) - 4
        console.show(schedules.schedule_page(configuration, rates, steps, width=width))


def _rates(plan: SchedulePlan) -> list[float]:
    from lrtune.training.schedules import tabulate

    rates: list[float] = tabulate([plan.configuration], [plan.steps], plan.epochs)[:, 0, 0].tolist()
    return rates


def _compare(chosen: list[SchedulePlan], *, as_json: bool, as_csv: bool, plot: Path | None) -> None:
    from lrtune.reporting import console, figures, schedule_figures, schedules, several_schedules
    from lrtune.text import written
    from lrtune.text.written import to_json

    steps, plans = chosen[0].steps, [(each.configuration, _rates(each)) for each in chosen]
    named = {str(configuration["decay"]): rates for configuration, rates in plans}
    if plot is not None:
        figures.write(schedule_figures.schedules_figure(", ".join(named), named, steps), plot)
        _say_written(plot)
    if as_json:
        entries = tuple(schedules.schedule_rates(configuration, rates, steps) for configuration, rates in plans)
        put(written.json_text(to_json(several_schedules.SeveralRates(schedules=entries))))
    elif as_csv:
        put(written.csv_text(several_schedules.several_rows(plans, steps)))
    else:
        width = min(console.console().width, console.WIDTH) - 4
        console.show(several_schedules.comparison_page(plans, steps, width=width))
