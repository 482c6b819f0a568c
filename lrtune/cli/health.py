"""``lrtune health``."""

from __future__ import annotations

from lrtune.cli.options import JsonOption, LookArgument
from lrtune.cli.outputs import put
from lrtune.cli.runs import LATEST, find, name_of
from lrtune.text.errors import NoUsableResultError

SCHEMA = 1


def health(run: LookArgument = LATEST, *, as_json: JsonOption = False) -> None:
    """Say what is odd about a run, and what could be done.

    Whether the best lies at the end of a range, which dimensions have no effect, whether the folds can tell the trials
    apart, where training diverges, overfits or ends too early, and more. Trains nothing and reads no table.

    Example: lrtune health latest
    """
    from lrtune import model
    from lrtune.experiment.searched import searched
    from lrtune.reporting import console
    from lrtune.reporting import health as report
    from lrtune.run.folder import open_run
    from lrtune.text.written import json_text, to_json
    from lrtune.verdict.examination import examine, with_classes
    from lrtune.verdict.stored import current

    found = open_run(find(run, finished=False))
    if not found.ranked:
        raise NoUsableResultError(f"{found.folder}: no trial is complete, so that there is nothing to examine")
    odd = examine(found, with_classes(found, current(found), model.class_names(found.folder)), searched(found).space)
    if as_json:
        put(json_text({"schema": SCHEMA, "name": found.name, "health": to_json(odd)}))
    else:
        console.show(report.page(name_of(found.folder), odd))
