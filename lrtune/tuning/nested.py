"""Nested cross-validation: how good a model is that such a search has chosen.

An outer loop takes one fold of the training rows away at a time and runs the whole search on the others: the same
strategy, budget, pruning and choice, with everything fitted on these rows alone, also ranges of learning rates where
they are automatic. The model that this search retrains is scored on the rows that it has never seen. The mean of these
scores was picked by nobody (Varma and Simon 2006, "Bias in error estimation when using cross-validation for model
selection", BMC Bioinformatics 7). It belongs to the procedure, and to slightly fewer rows than the final model has.

Each outer fold is a study of its own in ``nested/<number>`` of the run's folder, so that an interrupted one goes on.
The outer folds are made by the search's splitter: groups stay together, and the past predicts the future. One on which
the metric has no score is left out, and no search is run inside of it.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

from lrtune.arrays import Rows
from lrtune.data.tables import Table
from lrtune.engines.contract import EnginePlace
from lrtune.experiment import Experiment
from lrtune.finder import resolved
from lrtune.run.bodies import Trained
from lrtune.run.journal import Event, Journal
from lrtune.run.names import DATABASE, NESTED
from lrtune.run.study import StudyState, replay
from lrtune.space.trial import FinalScore
from lrtune.text.errors import DataError, NoUsableResultError
from lrtune.trainers import partition
from lrtune.trainers.preparation import Prepared, prepare
from lrtune.tuning.allowance import UNLIMITED, Allowance
from lrtune.tuning.core import tune
from lrtune.verdict.choice import chosen
from lrtune.verdict.ensembles import score_inside
from lrtune.verdict.result import Nested, OuterScore
from lrtune.verdict.standing import own_sign


class OuterFold(NamedTuple):
    """One turn of the outer loop.

    Attributes
    ----------
    number
        From 1, counting those that are left out.
    folder
        Where its study lives.
    rows
        Row numbers that its search may use, and those that its model is scored on.

    """

    number: int
    folder: Path
    rows: tuple[Rows, Rows]


def outer_folds(experiment: Experiment, prepared: Prepared, folder: Path) -> list[OuterFold]:
    """Split the training rows for the outer loop; empty without ``search.nested``.

    Raises
    ------
    DataError
        If the rows do not bear them, or not the folds inside of them.

    """
    if not experiment.search.nested:
        return []
    part = partition.outer_folds(experiment, prepared.dataset, prepared.metric)
    return [
        OuterFold(number, folder / NESTED / str(number), rows)
        for number, rows in zip(part.numbers, part.splits, strict=True)
    ]


def search_inside(
    experiment: Experiment,
    fold: OuterFold,
    *,
    table: Table | None = None,
    workers: int | None = None,
    allowance: Allowance = UNLIMITED,
    place: EnginePlace | None = None,
) -> Generator[Event, None, Trained]:
    """Run the whole search on the rows of one turn of the outer loop, or go on with it; yields its events.

    An allowance holds for each turn. Gives what was trained.

    Raises
    ------
    DataError
        If the rows that are left are too few for the inner folds.
    NoUsableResultError
        If none of its trials is complete, or the training of its model fails: there is nothing to score then.

    """
    try:
        inside = prepare(experiment, table=table, rows=fold.rows)
        known, _ = resolved(experiment, inside)
        trained = yield from tune(
            known, inside, fold.folder, workers=workers, compare=False, allowance=allowance, place=place
        )
        _refuse_without_model(_study(fold))
    except (DataError, NoUsableResultError) as error:
        raise type(error)(f"outer fold {fold.number} of {experiment.search.nested}: {error}") from error
    return trained


def _refuse_without_model(study: StudyState) -> None:
    if study.no_model is not None:
        raise NoUsableResultError(study.no_model.reason)


def summary(folds: list[OuterFold], made: int, metric: str) -> Nested | None:
    """Put the scores of the outer folds together, of so many that were made; None if there are no folds."""
    if not folds:
        return None
    studies = [_study(each) for each in folds]
    scores = [_tested(each).score for each in studies]
    inner = [score_inside(each, fold.folder, _delivered(each)) for each, fold in zip(studies, folds, strict=True)]
    rows = tuple(_row(each, own, metric) for each, own in zip(studies, inner, strict=True))
    known = [each for each in scores if each is not None]
    if len(known) < len(scores):
        return Nested(None, None, None, made, rows)
    mean = math.fsum(known) / len(known)
    std = math.sqrt(math.fsum((each - mean) ** 2 for each in known) / (len(known) - 1))
    gaps = [own - outer for own, outer in zip(inner, known, strict=True) if own is not None]
    return Nested(own_sign(metric, mean), std, math.fsum(gaps) / len(gaps), made, rows)


def _study(fold: OuterFold) -> StudyState:
    with Journal(fold.folder / DATABASE) as journal:
        return replay(journal.events())


def _tested(study: StudyState) -> FinalScore:
    assert study.tested is not None  # it has rows that its search never saw
    return study.tested


def _delivered(study: StudyState) -> tuple[int, ...]:
    """List the trials that its model is made of."""
    return study.refit.made_of.trials if study.refit else (chosen(study).number,)


def _row(study: StudyState, inner: float | None, metric: str) -> OuterScore:
    best, test = chosen(study), _tested(study)
    rows = study.header.rows
    trained = None if rows is None else rows.train
    return OuterScore(own_sign(metric, test.score), test.rows, best.number, own_sign(metric, inner), trained)
