"""What goes on from night to night: the options of ``lrtune search`` about champions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from lrtune.cli.runs import find, names
from lrtune.text.errors import StudyError
from lrtune.text.paths import expanded

ChampionOption = Annotated[
    list[str] | None,
    typer.Option(
        "--champion",
        metavar="RUN",
        help="Try what a run delivered first, after the default: a run, or its result.json or best.yaml; repeatable.",
        autocompletion=names,
    ),
]

ChampionsOption = Annotated[
    Path | None,
    typer.Option(
        "--champions",
        metavar="DIR",
        help="Make this search the next night of a folder of champions: its champion is tried first, and stays unless"
        " it is beaten for sure.",
    ),
]
PromoteOption = Annotated[
    float | None,
    typer.Option(
        "--promote-if",
        metavar="GAIN",
        help="What the gain over the champion must be above, with 95 %, for another to take its place; default: 0.",
    ),
]


WarmStartOption = Annotated[
    list[str] | None,
    typer.Option(
        "--warm-start",
        metavar="RUN",
        help="Begin with what earlier runs know: a run, or a folder of runs such as ./runs; repeatable.",
        autocompletion=names,
    ),
]


def earlier(warm: Sequence[str]) -> list[Path]:
    """Find the folders of earlier runs; one that is not there yet is named as it was typed."""
    return [_earlier(each) for each in warm]


def _earlier(run: str) -> Path:
    path = expanded(run)
    if path.is_dir():
        return path
    try:
        return find(run)
    except StudyError:
        return path


def sources(champions: Sequence[str]) -> list[Path]:
    """Find the files or folders of champions.

    Raises
    ------
    StudyError
        If there is no such run.

    """
    return [_source(each) for each in champions]


def _source(champion: str) -> Path:
    path = expanded(champion)
    return path if path.is_file() or path.suffix in (".json", ".yaml", ".yml") else find(champion)
