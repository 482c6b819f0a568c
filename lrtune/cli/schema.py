"""``lrtune schema``."""

from __future__ import annotations

from typing import Annotated

import typer

from lrtune.cli.names import completed
from lrtune.cli.outputs import put

EXPERIMENT, RESULT, HISTORY = "experiment", "result", "history"
KINDS = (EXPERIMENT, RESULT, HISTORY)


def schema(
    of: Annotated[
        str,
        typer.Argument(metavar="WHAT", help="experiment, result or history.", autocompletion=completed(lambda: KINDS)),
    ] = EXPERIMENT,
) -> None:
    """Print the JSON Schema of experiment files, or of result.json.

    Editors complete and check an experiment with it; programs check what they read of a result. `history` is that of a
    line of history.jsonl, where each night has one.

    Example: lrtune schema > lrtune.schema.json
    """
    from lrtune import experiment
    from lrtune.nights import history
    from lrtune.text.errors import LrtuneError, nearest
    from lrtune.text.written import json_text
    from lrtune.verdict.reading import json_schema

    if of not in KINDS:
        raise LrtuneError(f"there is no schema of '{of}'; {nearest(of, KINDS)}")
    made = {EXPERIMENT: experiment.schema, RESULT: json_schema, HISTORY: history.json_schema}
    put(json_text(made[of]()))
