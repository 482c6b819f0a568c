"""``lrtune importance``."""

from __future__ import annotations

from typing import Annotated

import typer

from lrtune.cli.options import JsonOption, LookArgument
from lrtune.cli.outputs import put
from lrtune.cli.runs import LATEST, find, name_of


def importance(
    run: LookArgument = LATEST,
    *,
    slices: Annotated[
        bool, typer.Option("--slices", help="Show predicted scores for the values of each dimension.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Tell which dimensions of the space mattered.

    The model of Bayesian search is fitted to the trials, whoever proposed them, and its predictions over the whole
    space are split into what each dimension accounts for. Trains nothing and reads no data.

    Example: lrtune importance latest --slices
    """
    from lrtune.experiment.searched import searched
    from lrtune.reporting import console
    from lrtune.reporting.importance import importance as summed_up
    from lrtune.reporting.importance import importance_page
    from lrtune.run.folder import open_run
    from lrtune.text import written
    from lrtune.verdict.explanation import explain

    found = open_run(find(run, finished=False))
    experiment = searched(found)
    with console.working("fitting the model"):
        explanation = explain(experiment.space, found.trials, experiment.search.seed)
    if as_json:
        put(written.json_text(written.to_json(summed_up(explanation, found.metric))))
    else:
        console.show(importance_page(explanation, found.metric, name_of(found.folder), slices=slices))
