"""Which rows train and which rows judge: the held-out test rows and the folds. The door of scikit-learn's splitters.

All functions take and give row numbers of the whole table, sorted; rows that are not handed in are never touched. One
seed decides everything: the folds draw from `default_rng([seed, 21])`, the test rows from `default_rng([seed, 22])`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from lrtune.data.cells import Floats, Rows
from lrtune.data.columns import Columns
from lrtune.data.schema import Label, Schema
from lrtune.data.targets import label_text
from lrtune.errors import DataError, counted, nearest

FOLDS, HOLDOUT = 21, 22
"""Purposes of random streams."""

KINDS = ("kfold", "stratified", "group", "time_series")
"""`kfold`: shuffled; `stratified`: every fold has the classes in the same proportions; `group`: a group is never
divided, and classes are in the same proportions as far as that allows; `time_series`: an ever longer past predicts the
time that follows it."""

Split = tuple[Rows, Rows]

_SEEDS = 2**31 - 1


def default_kind(schema: Schema) -> str:
    """Choose the splitter that fits the data: by time, by group, stratified for classification, else plain k-fold."""
    if schema.order is not None:
        return "time_series"
    if schema.group is not None:
        return "group"
    return "stratified" if schema.task == "classification" else "kfold"


def make_folds(
    columns: Columns,
    schema: Schema,
    rows: npt.NDArray[np.integer],
    *,
    folds: int = 5,
    kind: str = "auto",
    repeats: int = 1,
    seed: int = 0,
) -> list[Split]:
    """Split training rows into (training, validation) pairs, `repeats * folds` of them.

    Parameters
    ----------
    columns, schema
        The data, for targets, groups and times.
    rows
        The rows to split: everything except the test rows.
    folds
        At least 2.
    kind
        One of `KINDS`, or `"auto"`, which takes `default_kind`.
    repeats
        How often to do it, with other shuffles; more repeats leave the first ones as they are.
    seed
        Of the experiment.

    Raises
    ------
    DataError
        Too few rows, groups or rows of a class for so many folds; no group or time column where one is needed; a fold
        whose training rows are all of one class.

    """
    kind = default_kind(schema) if kind == "auto" else kind
    ordered: Rows = np.sort(rows).astype(np.int64)
    _check(columns, schema, ordered, folds=folds, kind=kind, repeats=repeats)
    if kind == "time_series":
        splits = _by_time(ordered, np.arange(columns.rows) if columns.order is None else columns.order, folds)
    else:
        seeds = np.random.default_rng([seed, FOLDS]).integers(_SEEDS, size=repeats).tolist()
        splitters = [_splitter(kind, schema.task, folds, each) for each in seeds]
        splits = [split for splitter in splitters for split in _shuffled(splitter, columns, ordered)]
    _check_classes(columns, schema, splits)
    return splits


def fold_notes(columns: Columns, schema: Schema, splits: Sequence[Split]) -> tuple[str, ...]:
    """Say in which folds a class is missing, which makes scores there rough or impossible (ROC AUC)."""
    if schema.task == "regression":
        return ()
    assert columns.target is not None
    notes = []
    for part, name in enumerate(("training", "validation")):
        lacking: dict[Label, list[int]] = {}
        for fold, split in enumerate(splits, start=1):
            present = np.unique(columns.target[split[part]])
            for label in np.setdiff1d(np.arange(len(schema.classes)), present).tolist():
                lacking.setdefault(schema.classes[label], []).append(fold)
        notes += [
            f"class '{label_text(label)}' has no {name} rows in {_numbered(which)}" for label, which in lacking.items()
        ]
    return tuple(notes)


def _numbered(folds: Sequence[int]) -> str:
    return f"fold{'s' * (len(folds) > 1)} {', '.join(map(str, folds))}"


def holdout(columns: Columns, schema: Schema, *, test_size: float = 0.2, seed: int = 0) -> Split:
    """Set test rows apart: (training rows, test rows).

    Classes keep their proportions; groups are not divided; with a time column the last rows are the test (rows of the
    same time stay together). A `test_size` below 1 is a share, a whole number from 1 on counts rows, 0 means no test.

    Raises
    ------
    DataError
        The test rows would be too few for the classes, or leave nothing to train on.

    """
    total = columns.rows
    wanted = _test_rows(total, test_size)
    if wanted == 0:
        return np.arange(total), np.empty(0, dtype=np.int64)
    seed_of_split = int(np.random.default_rng([seed, HOLDOUT]).integers(_SEEDS))
    if columns.order is not None:
        test = _last(columns.order, wanted)
    elif columns.groups is not None:
        test = _whole_groups(columns.groups, wanted, seed_of_split)
    else:
        test = _drawn(columns, schema, wanted, seed_of_split)
    train = np.setdiff1d(np.arange(total), test)
    if not train.size or not test.size:
        raise DataError(
            f"test_size {test_size} leaves {train.size} for training and {test.size} for the test "
            f"of {counted(total, 'row')}"
        )
    if schema.task == "classification":
        assert columns.target is not None
        if np.unique(columns.target[train]).size < 2:
            raise DataError(f"test_size {test_size} leaves training rows of one class only")
    return train, test


def _test_rows(total: int, test_size: float) -> int:
    wanted = round(total * test_size) if 0 < test_size < 1 else int(test_size)
    if test_size < 0 or (test_size >= 1 and wanted != test_size) or wanted >= total:
        raise DataError(
            f"test_size is a share between 0 and 1 or a number of rows below the table's {total}, not {test_size}"
        )
    return max(wanted, 1) if test_size > 0 else 0


def _last(order: Floats, wanted: int) -> Rows:
    """Take the rows of the last times: as many as wanted, or fewer, since rows of the same time stay together."""
    ordered = np.sort(order)
    boundary = ordered[order.size - wanted]
    if ordered[order.size - wanted - 1] < boundary:
        return np.flatnonzero(order >= boundary)
    return np.flatnonzero(order > boundary)


def _whole_groups(groups: Rows, wanted: int, seed: int) -> Rows:
    """Take groups in random order as long as that brings the number of rows nearer to what is wanted."""
    names, sizes = np.unique(groups, return_counts=True)
    if names.size < 2:
        raise DataError("all rows belong to one group, so that no group can be set apart for the test")
    chosen, taken = [], 0
    for i in np.random.default_rng(seed).permutation(names.size):
        if abs(taken + sizes[i] - wanted) < abs(taken - wanted):
            chosen.append(names[i])
            taken += int(sizes[i])
    return np.flatnonzero(np.isin(groups, chosen))


def _drawn(columns: Columns, schema: Schema, wanted: int, seed: int) -> Rows:
    from sklearn.model_selection import train_test_split

    labels = None
    if schema.task == "classification":
        labels = columns.target
        _check_stratified(columns, schema, wanted)
    _, test = train_test_split(np.arange(columns.rows), test_size=wanted, stratify=labels, random_state=seed)
    return np.sort(test)


def _check_stratified(columns: Columns, schema: Schema, wanted: int) -> None:
    assert columns.target is not None
    counts = np.bincount(columns.target.astype(np.int64), minlength=len(schema.classes))
    if counts.min() < 2:
        label = label_text(schema.classes[int(counts.argmin())])
        raise DataError(
            f"class '{label}' of the target '{schema.target}' has {counts.min()} row, but needs one to learn from "
            "and one to test; remove or merge the class, or give a test file"
        )
    if min(wanted, columns.rows - wanted) < len(schema.classes):
        raise DataError(
            f"{counted(wanted, 'test row')} of {columns.rows} cannot give both training and test all "
            f"{len(schema.classes)} classes; choose another test_size"
        )


def _check(columns: Columns, schema: Schema, rows: Rows, *, folds: int, kind: str, repeats: int) -> None:
    if kind not in KINDS:
        raise DataError(f"unknown kind of folds '{kind}'; {nearest(kind, KINDS)}")
    if folds < 2 or repeats < 1:
        raise DataError(f"at least 2 folds and 1 repeat are needed, not {folds} and {repeats}")
    if folds + (kind == "time_series") > rows.size:
        raise DataError(f"{counted(rows.size, 'training row')} cannot be put into {folds} folds; use fewer folds")
    if kind == "stratified":
        if schema.task == "regression":
            raise DataError(f"stratified folds need classes, but '{schema.target}' is a regression target: use kfold")
        _check_counts(columns, schema, rows, folds)
    if kind == "time_series" and repeats > 1:
        raise DataError("time series folds cannot be repeated: there is only one past")
    if kind == "group":
        if columns.groups is None:
            raise DataError("group folds need a group column: set data.group")
        groups = np.unique(columns.groups[rows]).size
        if groups < folds:
            raise DataError(f"'{schema.group}' has {counted(groups, 'group')}, too few for {folds} folds")
    elif columns.groups is not None:
        raise DataError(f"{kind} folds would divide the groups of '{schema.group}'; use group folds")


def _check_counts(columns: Columns, schema: Schema, rows: Rows, folds: int) -> None:
    assert columns.target is not None
    counts = np.bincount(columns.target[rows].astype(np.int64), minlength=len(schema.classes))
    few = [f"'{label_text(schema.classes[i])}' has {counts[i]}" for i in np.flatnonzero(counts < folds)]
    if few:
        raise DataError(
            f"every class of the target '{schema.target}' needs a training row for each of the {folds} folds, but "
            f"{', '.join(few)}; use fewer folds, or merge or remove rare classes"
        )


def _splitter(kind: str, task: str, folds: int, seed: int) -> Any:
    from sklearn import model_selection

    splitters = {
        "kfold": model_selection.KFold,
        "stratified": model_selection.StratifiedKFold,
        "group": model_selection.GroupKFold if task == "regression" else model_selection.StratifiedGroupKFold,
    }
    return splitters[kind](n_splits=folds, shuffle=True, random_state=seed)


def _shuffled(splitter: Any, columns: Columns, rows: Rows) -> list[Split]:
    labels = None if columns.target is None else columns.target[rows]
    groups = None if columns.groups is None else columns.groups[rows]
    return [(rows[np.sort(train)], rows[np.sort(valid)]) for train, valid in splitter.split(rows, labels, groups)]


def _by_time(rows: Rows, times: npt.NDArray[np.number], folds: int) -> list[Split]:
    """Let an ever longer past predict what follows: `TimeSeriesSplit`, boundaries moved to where the time changes."""
    from sklearn.model_selection import TimeSeriesSplit

    rows = rows[np.argsort(times[rows], kind="stable")]
    ordered = times[rows]
    starts = [int(valid[0]) for _, valid in TimeSeriesSplit(n_splits=folds).split(rows)]
    bounds = [int(np.searchsorted(ordered, ordered[start], side="left")) for start in starts] + [rows.size]
    if bounds[0] == 0 or len(set(bounds)) < len(bounds):
        raise DataError(f"too many rows share the same time for {folds} time series folds; use fewer folds")
    return [(np.sort(rows[:start]), np.sort(rows[start:stop])) for start, stop in pairwise(bounds)]


def _check_classes(columns: Columns, schema: Schema, splits: Sequence[Split]) -> None:
    if schema.task == "regression":
        return
    assert columns.target is not None
    for fold, (train, _) in enumerate(splits, start=1):
        present = np.unique(columns.target[train])
        if present.size < 2:
            label = label_text(schema.classes[int(present[0])])
            raise DataError(
                f"the training rows of fold {fold} are all of class '{label}': nothing to learn there; "
                "use fewer folds or another kind"
            )
