"""``lrtune finder``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrtune.cli.choices import USUAL_FILES, chosen
from lrtune.cli.names import completed
from lrtune.cli.names import sizes as kinds_of_sizes
from lrtune.cli.options import ConfigArgument, DataOption, JsonOption, QuietOption, SetOption, TargetOption
from lrtune.cli.outputs import put, refuse_overwriting
from lrtune.cli.runs import RUNS
from lrtune.text.errors import LrtuneError

if TYPE_CHECKING:
    from lrtune.finder import RateFinding
    from lrtune.reporting.rates import RateSummary

BUNDLED = "sklearn:digits"


def finder(
    config: ConfigArgument = None,
    *,
    data: DataOption = None,
    target: TargetOption = None,
    overrides: SetOption = None,
    optimizers: Annotated[
        list[str] | None,
        typer.Option(
            "--optimizer", metavar="NAME", help="Optimizer to sweep; repeatable. By default those of the experiment."
        ),
    ] = None,
    method: Annotated[
        str, typer.Option("--method", metavar="NAME", help="ramp (one rising rate) or ladder (many constant rates).")
    ] = "ramp",
    updates: Annotated[
        int | None, typer.Option("--updates", metavar="N", help="Length of a sweep; by default a share of the horizon.")
    ] = None,
    repetitions: Annotated[
        int | None,
        typer.Option("--repetitions", metavar="N", help="Runs for each fold in the sweep; by default 1."),
    ] = None,
    low: Annotated[float | None, typer.Option("--low", metavar="RATE", help="Lowest rate; fixes this end.")] = None,
    high: Annotated[float | None, typer.Option("--high", metavar="RATE", help="Highest rate; fixes this end.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Short runs alone, a seventh of the cost; they see how fast the loss falls.")
    ] = False,
    scaling: Annotated[
        str | None,
        typer.Option(
            "--scaling",
            metavar="KIND",
            help="Which rate another size takes, measured: horizon, batch, width or rows.",
            autocompletion=completed(kinds_of_sizes),
        ),
    ] = None,
    at: Annotated[
        list[int] | None,
        typer.Option("--at", metavar="SIZE", help="With --scaling: predict the rate of this size; repeatable."),
    ] = None,
    sizes: Annotated[
        list[int] | None,
        typer.Option("--size", metavar="SIZE", help="With --scaling: measure this size; at least three of them."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Folder of the files; by default one under ./runs."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw the curves as .png, .svg or .html.")
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option("--write", metavar="CONFIG", help="Put the suggested range into this experiment file."),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Find the learning rates that work, before searching.

    The rate rises over a short run of every fold while the validation loss is watched; short runs with falling rates
    tell where the best one lies; then it, a third and three times of it are trained in full, with the decay and the
    epochs of the experiment's default configuration, and the answer is what these say. Without CONFIG and table,
    lrtune.yaml or config.yaml of this folder is meant, else the bundled digits.

    With --scaling, a few rates are trained in full at four sizes, and a line through the best ones says which rate
    another size takes: more epochs, other mini-batches, a wider network, more rows.

    Example: lrtune finder configs/digits.yaml --scaling horizon --at 400
    """
    from contextlib import nullcontext

    from lrtune.cli.scaling import AskedScaling, refuse_of_a_sweep, refuse_without, scale
    from lrtune.finder import find, offered
    from lrtune.reporting import console, figures, rate_figures, rate_files, rates
    from lrtune.run.files import refuse_inputs
    from lrtune.run.lock import Lock
    from lrtune.run.names import FINDER
    from lrtune.text.written import json_text, to_json
    from lrtune.trainers.preparation import prepare

    if plot is not None:
        figures.check_path(plot)
    described = config if data is not None else config or write
    notes = _why_bundled(described, data)
    experiment, table = chosen(described, BUNDLED if notes else data, target, overrides, quiet=quiet)
    if scaling is not None:
        swept = {"--method": method != "ramp", "--updates": updates, "--repetitions": repetitions, "--low": low}
        refuse_of_a_sweep({**swept, "--high": high, "--quick": quick, "--write": write})
        asked = AskedScaling(scaling, at or (), sizes or (), optimizers or ())
        scale(experiment, table, asked, output, plot, as_json=as_json, quiet=quiet, notes=notes)
        return
    refuse_without({"--at": at, "--size": sizes})
    folder = output or RUNS / f"{experiment.name}-finder"
    refuse_inputs(folder, experiment.inputs, FINDER)
    refuse_overwriting({"--write": write}, {})
    refuse_overwriting({"--plot": plot}, {**experiment.inputs, **({"the file of --write": write} if write else {})})
    if write is not None:
        _require_writable(write, tuple(optimizers or ()) or offered(experiment))
    with _named_as_typed(), nullcontext() if quiet else console.working(f"sweeping {experiment.data.path}"):
        found = find(
            experiment,
            prepare(experiment, table=table),
            optimizers=optimizers or (),
            method=method,
            updates=updates,
            repetitions=repetitions,
            low=low,
            high=high,
            quick=quick,
        )
    summary = rates.summary(found, experiment.name)
    with Lock(folder):
        rate_files.write(folder, summary)
        if write is not None:
            notes += _put(write, found)
        rate_files.draw(folder, summary)
    if plot is not None:
        figures.write(rate_figures.rate_figure(summary), plot)
    if as_json:
        put(json_text(to_json(summary)))
        for each in () if quiet else notes:
            console.note(each)
    else:
        _show(found, summary, [] if quiet else notes, folder)
    _refuse_nothing(found)


_TYPED = ("updates", "repetitions", "low", "high", "quick")
"""Arguments whose mistakes the finder tells, and whose options have their names."""


@contextmanager
def _named_as_typed() -> Iterator[None]:
    """Name what is wrong with arguments as it was typed."""
    try:
        yield
    except LrtuneError as error:
        if type(error) is not LrtuneError:
            raise
        problems = str(error).split("; ")
        typed = (f"--{each}" if each.startswith(tuple(f"{name} " for name in _TYPED)) else each for each in problems)
        raise LrtuneError("; ".join(typed)) from error


def _why_bundled(config: Path | None, data: str | None) -> list[str]:
    """Say that the bundled digits are meant, where nothing else is."""
    if config is not None or data is not None or any(each.is_file() for each in USUAL_FILES):
        return []
    return ["no experiment given and none in this folder: this is about scikit-learn's digits"]


def _show(found: RateFinding, summary: RateSummary, notes: list[str], folder: Path) -> None:
    from lrtune.reporting import console, rate_curves, rate_page
    from lrtune.reporting.blocks import Lines

    width = min(console.console().width, console.WIDTH) - 2
    picture = Lines(f"{found.measured} against learning rate", rate_curves.curve_lines(summary, width=width))
    headline, *blocks = rate_page.page(found, notes=notes, folder=folder)
    console.show([headline, picture, *blocks])


def _require_writable(path: Path, names: tuple[str, ...]) -> None:
    """Refuse a file that ranges for these optimizers do not fit into, before anything is trained."""
    from lrtune.experiment.reading.yaml_text import text_of
    from lrtune.experiment.writing.ranges import offered, with_ranges
    from lrtune.text.errors import LrtuneError

    text = text_of(path)
    with path.open("r+b"):
        pass
    searched = offered(text, str(path))
    if names and not set(names) & set(searched):
        raise LrtuneError(f"{path}: searches {' and '.join(searched)}; there is no place for {' and '.join(names)}")
    with_ranges(text, dict.fromkeys(names or searched, (1e-3, 1e-2)), str(path))


def _put(path: Path, found: RateFinding) -> list[str]:
    """Write the suggested ranges into an experiment file; say what was done."""
    from lrtune.experiment.reading.yaml_text import text_of
    from lrtune.experiment.writing.ranges import offered, with_ranges
    from lrtune.reporting import export

    text, where = text_of(path), str(path)
    offers, ranges = offered(text, where), {name: each.search_range for name, each in found.suggestions.items()}
    if len(ranges) == len(offers) == 1:  # the one rate of a trainer without optimizers
        ranges = dict(zip(offers, ranges.values(), strict=True))
    known = {name: each for name, each in ranges.items() if each is not None and name in offers}
    if not known:
        return [f"{path}: left as it is, because there is no range to suggest"]
    export.write(path, with_ranges(text, known, where))
    if len(known) == 1:
        return [f"{path}: now has the suggested range of {', '.join(found.suggestions)}"]
    return [f"{path}: now has the suggested ranges; one that optimizers share covers those of {' and '.join(known)}"]


def _refuse_nothing(found: RateFinding) -> None:
    from lrtune.text.errors import NoUsableResultError

    if all(each.recommended is None for each in found.suggestions.values()):
        by_reason: dict[str, list[str]] = {}
        for name, each in found.suggestions.items():
            by_reason.setdefault(each.sentence, []).append(name)
        reasons = "; ".join(f"{' and '.join(names)}: {sentence}" for sentence, names in by_reason.items())
        raise NoUsableResultError(f"no learning rate can be recommended ({reasons})")
