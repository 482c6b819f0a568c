"""What a retrained trial is, for a file and as a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune.reporting import tables
from lrtune.reporting.afterwards import NEW_ROWS
from lrtune.reporting.blocks import Block, Facts, Headline, Words
from lrtune.run.names import MODEL
from lrtune.text import formats
from lrtune.training.registry import METRICS
from lrtune.verdict.making import test_score
from lrtune.verdict.standing import own_sign, standing

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.run.folder import Run
    from lrtune.space.trial import Configuration, Trial
    from lrtune.verdict.result import HeldOut

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainedTrial:
    """A trial that was trained again on all training rows; the content of ``retrained.json``.

    Attributes
    ----------
    schema
        Version of this layout.
    run, trial
        Where it comes from.
    metric, larger_is_better
        What it was scored with, and whether more of it is better.
    configuration
        Everything that trains it again.
    mean, std
        Over the folds of the search; None if the trial has no score on every fold.
    test
        On the rows that the search never saw; None without such rows.
    model
        Hash of the model's files.

    """

    schema: int = SCHEMA
    run: str
    trial: int
    metric: str
    larger_is_better: bool
    configuration: Configuration
    mean: float | None
    std: float | None
    test: HeldOut | None
    model: str


def retrained(run: Run, trial: Trial, *, test: HeldOut | None, digest: str) -> RetrainedTrial:
    """Describe a trial that was trained again.

    Parameters
    ----------
    run, trial
        The trial, and the run that it is of.
    test
        Its score on the test rows, if there are any.
    digest
        Hash of the model.

    """
    shown = standing(trial, run.metric, run.configuration(trial.configuration))
    return RetrainedTrial(
        run=str(run.folder),
        trial=trial.number,
        metric=run.metric,
        larger_is_better=METRICS[run.metric].larger_is_better,
        configuration=shown.configuration,
        mean=shown.mean,
        std=shown.std,
        test=test,
        model=digest,
    )


def page(found: RetrainedTrial, run: Run, *, rows: int, folder: Path, table: str = NEW_ROWS) -> list[Block]:
    """Say what came of it.

    Parameters
    ----------
    found
        The trial.
    run
        The run.
    rows
        How many rows it was trained on.
    folder
        Where the model is.
    table
        Some rows to predict.

    """
    test, best = found.test, run.ranked[0] if run.ranked else None
    of_run = test_score(run.study.tested, run.metric)
    own = None if of_run is None else of_run.score
    best_mean = own_sign(run.metric, best.mean) if best else None
    scores = formats.score_format([found.mean, best_mean, own, None if test is None else test.score])
    facts = [("by folds", _beside(scores(found.mean), best, scores(best_mean)))]
    if test is not None:
        of_own = "" if own is None else f"; the run's own model has {scores(own)}"
        of_rows = f" on {formats.plural(test.rows, 'row')}"
        facts.append(("test", f"{tables.tested_text(test, scores)}{of_rows}{of_own}"))
    facts.append(("configuration", tables.configuration_line(run.trial(found.trial).configuration)))
    return [
        Headline(f"trial {found.trial} of {run.name}: trained on all {formats.plural(rows, 'training row')}"),
        Facts("", facts),
        Words("next", [("", tables.model_use(str(folder), folder / MODEL, run.trained_by, table))]),
    ]


def _beside(mean: str, best: Trial | None, best_mean: str) -> str:
    return mean if best is None else f"{mean}; the best, trial {best.number}, has {best_mean}"
