"""``lrtune health``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from lrtune.cli.options import JsonOption, LookArgument
from lrtune.cli.runs import LATEST, find, name_of
from lrtune.text.errors import NoUsableResultError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lrtune.run.folder import Run
    from lrtune.space import SearchSpace

SCHEMA = 1


def health(run: LookArgument = LATEST, *, as_json: JsonOption = False) -> None:
    """Say what is odd about a run, and what could be done.

    Whether the best lies at the end of a range, which dimensions have no effect, whether the folds can tell the trials
    apart, where training diverges, overfits or ends too early, and more. Trains nothing and reads no table.

    Example: lrtune health latest
    """
    from lrtune.reporting import console, export
    from lrtune.reporting import health as report
    from lrtune.run.folder import open_run

    found = open_run(find(run, finished=False))
    if not found.ranked:
        raise NoUsableResultError(f"{found.folder}: no trial is complete, so that there is nothing to examine")
    called, entries = name_of(found.folder), findings(found, _result(found))
    if as_json:
        sys.stdout.write(export.json_text({"schema": SCHEMA, "name": found.name, "health": entries}))
    else:
        console.show(report.page(called, entries))


def findings(run: Run, result: Mapping[str, Any], space: SearchSpace | None = None) -> list[dict[str, Any]]:
    """Examine a run, and write down what was found; what was searched is by default what the folder says."""
    from lrtune import model
    from lrtune.experiment.searched import searched
    from lrtune.reporting import health as report
    from lrtune.verdict.examination import examine

    space = searched(run).space if space is None else space
    return report.entries(examine(run, result, space, model.class_names(run.folder)), run.metric)


def _result(run: Run) -> Mapping[str, Any]:
    from lrtune.reporting import result

    return run.result or result.result(run.study, run.metric, run.configuration, rows_ratio=run.rows_ratio)
