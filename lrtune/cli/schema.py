"""``lrtune schema``."""

from __future__ import annotations

from typing import Annotated

import typer

from lrtune.cli.outputs import put

EXPERIMENT, RESULT = "experiment", "result"


def _kinds(incomplete: str) -> list[str]:
    return [each for each in (EXPERIMENT, RESULT) if each.startswith(incomplete)]


def schema(
    of: Annotated[
        str, typer.Argument(metavar="WHAT", help="experiment or result.", autocompletion=_kinds)
    ] = EXPERIMENT,
) -> None:
    """Print the JSON Schema of experiment files, or of result.json.

    Editors complete and check an experiment with it; programs check what they read of a result.

    Example: lrtune schema > lrtune.schema.json
    """
    from lrtune import experiment
    from lrtune.text.errors import LrtuneError, nearest
    from lrtune.text.written import json_text
    from lrtune.verdict.reading import json_schema

    if of not in (EXPERIMENT, RESULT):
        raise LrtuneError(f"there is no schema of '{of}'; {nearest(of, [EXPERIMENT, RESULT])}")
    put(json_text(json_schema() if of == RESULT else experiment.schema()))
