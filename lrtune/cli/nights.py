"""What goes on from night to night: the options of ``lrtune search`` about champions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from lrtune.cli.runs import find, names
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
