"""Which folds a search is judged on: those that its splitter makes, without those on which its metric has no score.

Whether there is a score follows from the metric and the targets of the validation rows
(`lrtune.training.metrics.scoring`): a fold without one has none for any configuration, and that is known before
anything is trained. Such a fold is left out here and nowhere else, so that what comes after this knows only folds with
a score. The others keep their numbers, and with them their random streams. The fresh splits of ``search.confirm`` and
the outer folds of ``search.nested`` are made in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lrtune.arrays import CONFIRMATION, NESTED, Rows, stream
from lrtune.data import mapped
from lrtune.data.columns import Columns
from lrtune.data.dataset import Dataset
from lrtune.data.fold_notes import fold_notes
from lrtune.data.folds import Split, make_folds
from lrtune.data.schema import USUAL_FOLDS, Schema
from lrtune.data.targets import label_text
from lrtune.experiment import Experiment
from lrtune.text.errors import DataError, counted
from lrtune.text.formats import having, judged_on
from lrtune.training.metrics.catalogue import METRICS, POSITIVES
from lrtune.training.metrics.scoring import is_defined


class LeftOut(NamedTuple):
    """A fold without a score: its number from 1, and what its validation rows have, as in ``only class 'p'``."""

    fold: int
    has: str


class Partition(NamedTuple):
    """Folds.

    Attributes
    ----------
    splits
        Training and validation rows of those that are judged on.
    numbers
        Their numbers, from 1.
    left_out
        The others.
    notes
        What is worth saying of them.

    """

    splits: tuple[Split, ...]
    numbers: tuple[int, ...]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()


def why_undefined(metric: str, targets: npt.NDArray[Any], schema: Schema) -> str | None:
    """Say what rows with these targets have that leaves a metric without a score, as in ``only class 'p'``."""
    if is_defined(metric, targets):
        return None
    if METRICS[metric].needs == POSITIVES:
        return f"no row of class '{label_text(schema.classes[1])}'"
    if len(targets) < 2:
        return "no rows" if not len(targets) else "only one row"
    return f"only class '{label_text(schema.classes[int(targets[0])])}'" if schema.classes else "only one value"


def search_folds(
    experiment: Experiment,
    dataset: Dataset,
    metric: str,
    *,
    seed: int | None = None,
    repeats: int | None = None,
    rows: Rows | None = None,
    folds: int | None = None,
) -> Partition:
    """Put rows into the folds that an experiment is judged on.

    Parameters
    ----------
    experiment, dataset
        What is asked for, and the table.
    metric
        What configurations are judged by.
    seed, repeats
        By default those of the search.
    rows
        By default all training rows.
    folds
        By default those of the search.

    Raises
    ------
    DataError
        If the rows do not bear so many folds, or fewer than two of them have a score.

    """
    search, columns, schema = experiment.search, dataset.columns, dataset.schema
    rows, folds = dataset.train_rows if rows is None else rows, experiment.folds if folds is None else folds
    seed, repeats = search.seed if seed is None else seed, search.repeats if repeats is None else repeats
    splits = make_folds(columns, schema, rows, folds=folds, kind=search.splitter, repeats=repeats, seed=seed)
    assert columns.target is not None
    reasons = [why_undefined(metric, columns.target[validation], schema) for _, validation in splits]
    left_out = tuple(LeftOut(number, has) for number, has in enumerate(reasons, 1) if has is not None)
    kept = {number: split for number, (split, has) in enumerate(zip(splits, reasons, strict=True), 1) if has is None}
    if len(kept) < 2:
        raise DataError(_no_score(metric, len(splits), left_out))
    # Of a large table they are so many row numbers that no worker shall have a copy.
    pairs = tuple((mapped.kept_numbers(train), mapped.kept_numbers(validation)) for train, validation in kept.values())
    part, made = Partition(pairs, tuple(kept), left_out), len(splits) // repeats
    notes = [_left_out(metric, part)] if left_out else []
    notes += fold_notes(columns, schema, part.splits, part.numbers)
    notes += [_lowered(columns, schema, rows, made)] if folds is None and made < USUAL_FOLDS else []
    return part._replace(notes=tuple(notes))


def fresh_seed(experiment: Experiment, purpose: int = CONFIRMATION) -> int:
    """Draw the seed of fresh splits, and of the training on them, from the stream of a purpose."""
    return int(stream(experiment.search.seed, purpose).integers(2**31))


def fresh_folds(
    experiment: Experiment, dataset: Dataset, metric: str, *, rows: Rows | None = None, purpose: int = CONFIRMATION
) -> Partition:
    """Put the training rows into folds anew, once; otherwise as `search_folds`."""
    seed = fresh_seed(experiment, purpose)
    try:
        return search_folds(experiment, dataset, metric, seed=seed, repeats=1, rows=rows)
    except DataError as error:
        raise DataError(f"search.confirm: {error}") from error


def outer_folds(experiment: Experiment, dataset: Dataset, metric: str) -> Partition:
    """Put the training rows into the outer folds of ``search.nested``.

    Raises
    ------
    DataError
        As `search_folds`, for the outer folds and for the folds inside of each.

    """
    seed = int(stream(experiment.search.seed, NESTED).integers(2**31))
    where = "search.nested"
    try:
        outer = search_folds(experiment, dataset, metric, seed=seed, repeats=1, folds=experiment.search.nested)
        for number, (train, _) in zip(outer.numbers, outer.splits, strict=True):
            where = f"search.nested: inside of outer fold {number}"
            search_folds(experiment, dataset, metric, rows=train)
            if experiment.search.confirm:
                fresh_folds(experiment, dataset, metric, rows=train)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
    return outer


def further_notes(experiment: Experiment, dataset: Dataset, metric: str) -> tuple[str, ...]:
    """Make the other folds that a search will need, and say which of them are left out; raises as they do."""
    search = experiment.search
    further: list[tuple[str, Partition]] = []
    if search.confirm:
        further.append(("search.confirm", fresh_folds(experiment, dataset, metric)))
    if search.nested:
        further.append(("search.nested", outer_folds(experiment, dataset, metric)))
    return tuple(f"{key}: {_left_out(metric, each)}" for key, each in further if each.left_out)


def _left_out(metric: str, part: Partition) -> str:
    """Say which folds are left out, and why."""
    made = len(part.splits) + len(part.left_out)
    return f"{judged_on(made, part.left_out)}: {metric} has no score there"


def _no_score(metric: str, made: int, left_out: Sequence[LeftOut]) -> str:
    return (
        f"{metric} has a score on {made - len(left_out)} of {made} folds, and at least 2 are needed "
        f"({having(left_out)}); set search.metric: {METRICS[metric].instead}, which has one on every fold"
    )


def _lowered(columns: Columns, schema: Schema, rows: Rows, made: int) -> str:
    """Say why there are fewer folds than usual."""
    why = "the table bears no more"
    if schema.classes and columns.groups is None and columns.order is None:
        assert columns.target is not None
        counts = np.bincount(columns.target[rows].astype(np.int64), minlength=len(schema.classes))
        rarest = int(np.where(counts > 1, counts, counts.max() + 1).argmin())
        if counts[rarest] <= made:
            own = counted(int(counts[rarest]), "training row")
            why = f"class '{label_text(schema.classes[rarest])}' has only {own}"
    return f"{made} folds instead of {USUAL_FOLDS}, since {why}; search.folds sets another number"
