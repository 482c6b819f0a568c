"""What a retrained trial is, for a file and as a page."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lrtune.reporting import tables
from lrtune.reporting.blocks import Block, Facts, Headline, Lines
from lrtune.run.bodies import FinalScore
from lrtune.text import formats
from lrtune.training.registry import METRICS
from lrtune.verdict.making import test_score
from lrtune.verdict.result import HeldOut, to_json
from lrtune.verdict.standing import canonical_keys, own_sign, standing

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.run.folder import Run
    from lrtune.space.trial import Trial

SCHEMA = 1


def summary(run: Run, trial: Trial, *, test: Mapping[str, Any], digest: str) -> dict[str, Any]:
    """Describe a retrained trial in JSON's types.

    ::

        schema         version of this layout
        run, trial     where it comes from
        metric         its name;  larger_is_better: whether more of it is better
        configuration  everything that trains it again
        mean, std      over the folds of the search;  null if the trial has no score on every fold
        test           score, rows: on the rows that the search never saw;  null without such rows;  has: only where the
                       metric has no score on them (score is null), why
        model          hash of the model's files

    Parameters
    ----------
    run, trial
        The trial, and the run that it is of.
    test
        Its score on the test rows, as `lrtune.trainers.preparation.Prepared.tested` gives it.
    digest
        Hash of the model.

    """
    shown = standing(trial, run.metric)
    configuration = run.configuration(trial.configuration)
    return {
        "schema": SCHEMA,
        "run": str(run.folder),
        "trial": trial.number,
        "metric": run.metric,
        "larger_is_better": METRICS[run.metric].larger_is_better,
        "configuration": {key: configuration[key] for key in canonical_keys([configuration])},
        "mean": shown.mean,
        "std": shown.std,
        "test": to_json(test_score(FinalScore(**test), run.metric)),
        "model": digest,
    }


def page(found: Mapping[str, Any], run: Run, *, rows: int, folder: Path) -> list[Block]:
    """Say what came of it.

    Parameters
    ----------
    found
        As made by `summary`.
    run
        The run.
    rows
        How many rows it was trained on.
    folder
        Where the model is.

    """
    test, best = found["test"], run.ranked[0] if run.ranked else None
    tested = test_score(run.study.tested, run.metric)
    own = None if tested is None else tested.score
    best_mean = own_sign(run.metric, best.mean) if best else None
    scores = formats.score_format([found["mean"], best_mean, own, test and test["score"]])
    facts = [("by folds", _beside(scores(found["mean"]), best, scores(best_mean)))]
    if test is not None:
        of_run = "" if own is None else f"; the run's own model has {scores(own)}"
        of_rows = f" on {formats.plural(test['rows'], 'row')}"
        facts.append(("test", f"{tables.tested_text(HeldOut(**test), scores)}{of_rows}{of_run}"))
    facts.append(("configuration", tables.configuration_line(run.trial(found["trial"]).configuration)))
    return [
        Headline(f"trial {found['trial']} of {run.name}: trained on all {formats.plural(rows, 'training row')}"),
        Facts("", facts),
        Lines("next", [f"lrtune predict {shlex.quote(str(folder))} data.csv -o predictions.csv"]),
    ]


def _beside(mean: str, best: Trial | None, best_mean: str) -> str:
    return mean if best is None else f"{mean}; the best, trial {best.number}, has {best_mean}"
