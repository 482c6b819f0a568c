"""``lrtune init``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from lrtune.cli.options import QualityOption
from lrtune.cli.outputs import STDOUT, put
from lrtune.text.errors import LrtuneError, nearest

SAID = (
    *("separator", "decimal", "thousands", "encoding", "missing", "comment", "skip", "header"),
    *("task", "positive", "features", "ignore", "categorical", "numeric", "dates", "group", "order"),
)
"""Keys of `data` that say what a table means; where it is and which rows are kept for the test is another matter."""

_SETTINGS = tuple(f"data.{key}" for key in SAID)


def init(
    data: Annotated[str, typer.Argument(metavar="DATA", help="Table to learn from: <formats>.")],
    *,
    target: Annotated[
        str | None,
        typer.Option("--target", metavar="COLUMN", help="Column to predict; needless if the table names it."),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Say what the table means, as in data.missing=[]; repeatable."),
    ] = None,
    quality: QualityOption = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="File to write; - prints it.")] = Path(
        "config.yaml"
    ),
) -> None:
    """Write a file to start from, after looking at a table.

    Task, classes, missing cells and dates are found; metric, folds, epochs and batch size are suggested, each with the
    reason as a comment. What --set says of the table is written too. A file that is there is never replaced.

    Example: lrtune init datasets/wine.csv --target cultivar
    """
    from lrtune import experiment
    from lrtune.experiment.core import seen_from
    from lrtune.experiment.reading.sections import DataSection
    from lrtune.experiment.suited import bare, look
    from lrtune.experiment.writing import first_file
    from lrtune.experiment.writing.yaml_text import plain
    from lrtune.reporting import console, export, plans

    if output != STDOUT and output.exists():
        raise LrtuneError(f"{output}: is there already and stays as it is; choose another name with --output")
    keys = _about_the_table(overrides or ())
    section = bare(data, overrides, target=target).data if overrides else DataSection(path=data, target=target)
    seen = look(data, section, quality=quality)
    said = {key: plain(getattr(seen.said, key)) for key in keys}
    folder = Path() if output == STDOUT else output.parent
    text = first_file.text(seen.found, seen_from(folder, Path(), data), said)
    made = experiment.load_text(text, name=str(output), base=folder)
    made.metric(seen.found.schema.problem)
    if output == STDOUT:
        put(text)
        return
    export.write(output, text)
    console.show(plans.started_page(seen.found, made, output))


def _about_the_table(overrides: Sequence[str]) -> list[str]:
    """List the keys of `data` that are set, and refuse all others."""
    settings = dict.fromkeys(each.partition("=")[0].strip() for each in overrides)
    for each in settings:
        if each not in _SETTINGS:
            raise LrtuneError(f"--set {each}: init takes what is said of the table only; {nearest(each, _SETTINGS)}")
    return [each.removeprefix("data.") for each in settings]
