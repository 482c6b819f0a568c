"""``lrtune evaluate``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrtune.cli.gating import FailOverOption, FailUnderOption, asked_gates
from lrtune.cli.options import JsonOption, RunArgument
from lrtune.cli.outputs import put
from lrtune.cli.reports import end_as_judged, gate_block
from lrtune.cli.runs import find
from lrtune.run.names import MODEL
from lrtune.text.errors import LrtuneError

if TYPE_CHECKING:
    from lrtune.verdict.result import Result


def evaluate(
    run: RunArgument,
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA", help="Table with the training table's columns, target included; - reads standard input."
        ),
    ],
    *,
    by: Annotated[
        str | None, typer.Option("--by", metavar="COLUMN", help="Tell rows apart by this column of the table as well.")
    ] = None,
    fail_under: FailUnderOption = None,
    fail_over: FailOverOption = None,
    fail_worse: Annotated[
        bool,
        typer.Option(
            "--fail-worse",
            help="Exit with 4 if the score is worse than the search expected, beyond what chance explains.",
        ),
    ] = False,
    trust: Annotated[
        bool,
        typer.Option("--trust", help="Run what the model needs to predict: code of your own, or of other libraries."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Score the model of a run on labelled rows that it has not seen.

    All metrics of the task with 95 % intervals (bootstrap over rows), by class, and by the values of a column, beside
    what the search expected. Rows that the model was trained on make it look better than it is.

    Example: lrtune evaluate latest labelled.csv --by region --fail-under 0.9
    """
    from lrtune.data import tables
    from lrtune.reporting import console
    from lrtune.reporting.evaluated import EvaluatedModel, expected_by, gates_of, page
    from lrtune.text import written
    from lrtune.trainers.loading import load_model
    from lrtune.tuning.evaluating import evaluate as evaluated
    from lrtune.tuning.evaluating import rows_known

    demands = asked_gates(fail_under, fail_over, None, None, remeasure=False, fail_behind=())
    folder = find(run)
    result = _result(folder)
    fitted = load_model(folder / MODEL if (folder / MODEL).is_dir() else folder, trust=trust)
    if data == "-":
        table = tables.load_stream(sys.stdin.buffer, "standard input", schema=fitted.schema)
    else:
        table = tables.load(data, schema=fitted.schema)
    found = evaluated(fitted, table, metric=None if result is None else result.metric, column=by)
    expected = expected_by(result)
    if fail_worse and expected is None:
        raise LrtuneError(f"--fail-worse: {folder} has no corrected score to compare with")
    demands.check(found.metric)
    limits = [each for each in (fail_under, fail_over) if each is not None]
    gates = gates_of(found, expected, limits, keeps=fail_worse)
    test = None if result is None or result.test is None else result.test.score
    known = rows_known(fitted, table, folder)
    made = EvaluatedModel(
        run=str(run), table=str(data), evaluation=found, expected=expected, test=test, gates=gates, known=known
    )
    if as_json:
        put(written.json_text(written.to_json(made)))
    else:
        if known:
            said = f"at least {known} of these {found.rows} rows"
            console.note(f"the model was trained on {said}: on new rows the scores will be lower")
        elif known is None and _is_known(folder, data):
            console.note("the model was trained on this table: on new rows the scores will be lower")
        console.show([*page(made), *gate_block(gates)])
    end_as_judged(gates, is_shown=not as_json)


def _is_known(folder: Path, data: str) -> bool:
    """Tell whether a table is the one that the search was done on, as far as the run's experiment still says."""
    from lrtune.experiment.searched import searched
    from lrtune.run.folder import open_run
    from lrtune.text.paths import expanded, is_same

    try:
        table = searched(open_run(folder)).inputs.get("the training table")
    except LrtuneError:
        return False
    return table is not None and is_same(expanded(data), table)


def _result(folder: Path) -> Result | None:
    """Read what the search found, if the folder is a run's."""
    from lrtune.run import files
    from lrtune.run.names import RESULT
    from lrtune.verdict.reading import from_json

    path = folder / RESULT
    return from_json(files.read_json(path), path) if path.is_file() else None
