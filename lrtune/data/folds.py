"""Which rows train and which rows judge in each fold of a cross-validation; scikit-learn deals out groups.

All functions take and give row numbers of the whole table, sorted; rows that are not handed in are never touched. One
seed decides everything: the folds draw from `default_rng([seed, 21])`.

No fold is degenerate: each has rows to validate, and of a classification two classes to train on. What scikit-learn
makes is taken as it is where that holds. Else the rows are put into folds anew by `lrtune.data.spreading`; rows that no
fold can do without, such as the only row of a class, belong to the training rows of every fold and are never validated.
"""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt

from lrtune.arrays import FOLDS, Rows, stream
from lrtune.data.columns import Columns
from lrtune.data.drawing import shuffled_folds, stratified_folds
from lrtune.data.schema import FEWEST_FOLDS, USUAL_FOLDS, Schema
from lrtune.data.spreading import PINNED, dealt, pinned, spread, units_of
from lrtune.data.targets import label_text
from lrtune.text.errors import DataError, counted, listed, nearest

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


def usual_folds(counts: npt.NDArray[np.integer]) -> int:
    """Say how many folds there are of classes of so many rows, unless an experiment says it.

    As many as the rarest class with two rows or more has rows, from `FEWEST_FOLDS` to `USUAL_FOLDS`.

    >>> [usual_folds(np.array(each)) for each in ([90, 40], [90, 4], [90, 2], [90, 1], [])]
    [5, 4, 3, 5, 5]
    """
    return int(np.clip(counts[counts > 1], FEWEST_FOLDS, USUAL_FOLDS).min(initial=USUAL_FOLDS))


def make_folds(
    columns: Columns,
    schema: Schema,
    rows: npt.NDArray[np.integer],
    *,
    folds: int | None = None,
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
        At least 2; None takes `usual_folds`, or fewer where there are not so many rows, groups or times.
    kind
        One of `KINDS`, or `"auto"`, which takes `default_kind`.
    repeats
        How often to do it, with other shuffles; more repeats leave the first ones as they are.
    seed
        Of the experiment.

    Raises
    ------
    DataError
        Too few rows, groups or times for so many folds; no group or time column where one is needed; rows of one class
        only.

    """
    kind = default_kind(schema) if kind == "auto" else kind
    _check(columns, schema, kind=kind, folds=folds, repeats=repeats)
    part = _part(columns, schema, np.sort(np.asarray(rows)))
    most = _most(part, kind)
    usual = usual_folds(part.counts) if kind == "stratified" else USUAL_FOLDS
    wanted = max(2, min(usual, most)) if folds is None else folds
    if wanted > most:
        raise DataError(_too_many(part, kind, wanted, most))
    if kind == "time_series":
        return _by_time(part, wanted)
    seeds = stream(seed, FOLDS).integers(_SEEDS, size=repeats).tolist()
    numbers = [_shuffled(part, kind, wanted, each) for each in seeds]
    return [(part.rows[each != fold], part.rows[each == fold]) for each in numbers for fold in range(wanted)]


def most_folds(columns: Columns, schema: Schema, rows: npt.NDArray[np.integer], *, kind: str = "auto") -> int:
    """Say how many folds training rows bear; the arguments, and what is raised, as in `make_folds`."""
    kind = default_kind(schema) if kind == "auto" else kind
    return _most(_part(columns, schema, np.sort(rows).astype(np.int64)), kind)


def _check(columns: Columns, schema: Schema, *, kind: str, folds: int | None, repeats: int) -> None:
    """Refuse what makes no sense, whatever the rows are."""
    if kind not in KINDS:
        raise DataError(f"unknown kind of folds '{kind}'; {nearest(kind, KINDS)}")
    if (folds is not None and folds < 2) or repeats < 1:
        raise DataError(f"at least 2 folds and 1 repeat are needed, not {folds} and {repeats}")
    if kind == "stratified" and schema.task == "regression":
        raise DataError(f"stratified folds need classes, but '{schema.target}' is a regression target: use kfold")
    if kind == "time_series" and repeats > 1:
        raise DataError("time series folds cannot be repeated: there is only one past")
    if kind == "group" and columns.groups is None:
        raise DataError("group folds need a group column: set data.group")
    if kind != "group" and columns.groups is not None:
        raise DataError(f"{kind} folds would divide the groups of '{schema.group}'; use group folds")


class _Part(NamedTuple):
    """The rows to split, sorted (N,), with their labels (none for regression), groups (if there are any) and times.

    ``every_group`` counts the groups of the whole table, of which some may have been set apart.
    """

    schema: Schema
    rows: Rows
    labels: Rows | None
    groups: Rows | None
    times: npt.NDArray[np.number]
    every_group: int = 0

    @property
    def counts(self) -> Rows:
        """Rows of each class."""
        none = np.zeros(0, dtype=np.int64)
        return none if self.labels is None else np.bincount(self.labels, minlength=len(self.schema.classes))


def _part(columns: Columns, schema: Schema, rows: Rows) -> _Part:
    assert columns.target is not None
    labels = cast("Rows", columns.target[rows]) if schema.task == "classification" else None
    if labels is not None and len(labels) and np.ptp(labels) == 0:
        label = label_text(schema.classes[int(labels[0])])
        raise DataError(f"all {counted(rows.size, 'training row')} are of class '{label}': there is nothing to learn")
    groups = None if columns.groups is None else columns.groups[rows]
    times = rows if columns.order is None else columns.order[rows]
    every_group = 0 if columns.groups is None else len(np.unique(columns.groups))
    return _Part(schema, rows, labels, groups, times, every_group)


def _most(part: _Part, kind: str) -> int:
    """Say how many folds there can be."""
    if kind == "time_series":
        return len(_starts(part))
    if kind == "stratified":
        return int(part.counts[part.counts > 1].sum())
    if part.labels is None:
        return part.rows.size if part.groups is None else len(np.unique(part.groups))
    units = units_of(part.labels, part.groups)
    return len(units.sizes) - len(pinned(units))


def _too_many(part: _Part, kind: str, folds: int, most: int) -> str:
    """Say why the rows do not bear so many folds."""
    rows, fewer = counted(part.rows.size, "training row"), f"; use {most} or fewer" if most > 1 else ""
    few = f"too few for {folds} folds{fewer}"
    if kind == "time_series":
        return f"{_why_few_times(part, most)}, {few}"
    units, what = (part.rows.size, "row") if part.groups is None else (len(np.unique(part.groups)), "group")
    if folds > units and part.groups is None:
        return f"{rows} cannot be put into {folds} folds{fewer}"
    if folds > units:
        return f"{_groups_left(part, units)} {few}"
    if kind == "stratified" and not most:
        return "every class has one training row only, which cannot be trained on and validated, too"
    if kind == "stratified":
        return f"only {most} of {rows} can be validated, {few}{_singles(part)}"
    return (
        f"one {what} has to stay in the training rows of every fold, since the others are all of one class; "
        f"that leaves {counted(most, what)}, {few}"
    )


def _groups_left(part: _Part, left: int) -> str:
    """Say how many groups there are to put into folds, and what became of the others."""
    had = f"'{part.schema.group}' has {counted(part.every_group, 'group')}"
    if part.every_group == left:
        return f"{had},"
    others = "the other one was" if part.every_group - left == 1 else "the others were"
    here = f"{left} {'is' if left == 1 else 'are'} left"
    return f"{had}, of which {here}, since {others} set apart before (data.test_size, search.nested):"


def _singles(part: _Part) -> str:
    """Name the classes of one row."""
    names = [f"'{label_text(part.schema.classes[each])}'" for each in np.flatnonzero(part.counts == 1)]
    have = f"class {names[0]} has one row" if len(names) == 1 else f"classes {listed(names)} have one row each"
    return f", or data.rare: merge or drop, because {have}"


def _why_few_times(part: _Part, most: int) -> str:
    """Say why so few validations can start: too few times, or too long a past of one class."""
    times = len(np.unique(part.times))
    if times - 1 == most:
        found = (
            f"'{part.schema.order}' has {counted(times, 'time')}" if part.schema.order else f"there are {times} rows"
        )
        return f"{found}, and the first can only be trained on"
    assert part.labels is not None
    ordered = part.labels[np.argsort(part.times, kind="stable")]
    label, rows = label_text(part.schema.classes[int(ordered[0])]), int(np.argmax(ordered != ordered[0]))
    return f"the first {counted(rows, 'row')} are all of class '{label}', and {counted(most, 'time')} can be validated"


def _shuffled(part: _Part, kind: str, folds: int, seed: int) -> Rows:
    """Give the number of the fold that validates each row (N,), or `PINNED`."""
    if kind == "stratified":
        return _stratified(part, folds, seed)
    if kind == "kfold":
        numbers: Rows | None = shuffled_folds(part.rows.size, folds, seed)
    else:
        numbers = _by_group(part, folds, seed)
    if part.labels is None or (numbers is not None and _is_sound(numbers, part.labels, folds)):
        assert numbers is not None
        return numbers
    numbers = spread(units_of(part.labels, part.groups), folds, np.random.default_rng(seed))
    if numbers is None:
        what = "rows" if part.groups is None else "groups"
        raise DataError(f"three {what} of one class each cannot be put into 2 folds: one would be trained on one class")
    return numbers


def _stratified(part: _Part, folds: int, seed: int) -> Rows:
    """Put the same part of every class into every fold; rows that are the only ones of their class stay outside."""
    assert part.labels is not None
    counts, numbers = part.counts, np.full(part.rows.size, PINNED, dtype=np.int32)
    free = np.flatnonzero(counts[part.labels] > 1)
    labels = part.labels[free]
    if counts[counts > 1].min() >= folds:
        numbers[free] = stratified_folds(labels, folds, seed)
    else:
        numbers[free] = dealt(labels, folds, np.random.default_rng(seed))
    return numbers


def _by_group(part: _Part, folds: int, seed: int) -> Rows | None:
    """Take the folds that scikit-learn makes of groups; None where it refuses, since all classes are too rare."""
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    if part.labels is not None and part.counts.max() < folds:
        return None
    made = GroupKFold if part.labels is None else StratifiedGroupKFold
    splitter = made(n_splits=folds, shuffle=True, random_state=seed)
    numbers = np.full(part.rows.size, PINNED, dtype=np.int32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of classes rarer than the folds: we say so ourselves
        for fold, (_, validation) in enumerate(splitter.split(part.rows, part.labels, part.groups)):
            numbers[validation] = fold
    return numbers


def _is_sound(numbers: Rows, labels: Rows, folds: int) -> bool:
    """Tell whether every fold has rows to validate and two classes to train on."""
    classes = int(labels.max()) + 1
    counts = np.bincount(numbers * classes + labels, minlength=folds * classes).reshape(folds, classes)
    others = counts.sum(axis=0) - counts
    return bool((counts.sum(axis=1) > 0).all() and ((others > 0).sum(axis=1) > 1).all())


def _starts(part: _Part) -> Rows:
    """List the places in the order of time at which a validation can start: a new time, after two classes."""
    order = np.argsort(part.times, kind="stable")
    starts = np.flatnonzero(np.diff(part.times[order]) > 0) + 1
    if part.labels is not None and len(order):
        labels = part.labels[order]
        starts = starts[starts > np.argmax(labels != labels[0])]
    return starts


def _by_time(part: _Part, folds: int) -> list[Split]:
    """Let an ever longer past predict what follows: `TimeSeriesSplit`, boundaries moved to where the time changes.

    Where that leaves a fold without rows, or a past of one class, the boundaries are spread over the places there are.
    """
    order = np.argsort(part.times, kind="stable")
    rows, times, starts = part.rows[order], part.times[order], _starts(part)
    usual = len(rows) - len(rows) // (folds + 1) * np.arange(folds, 0, -1)
    bounds = np.unique(np.searchsorted(times, times[usual], side="left"))
    if len(bounds) < folds or not np.isin(bounds, starts).all():
        bounds = starts[np.arange(folds) * len(starts) // folds]
    return [
        (np.sort(rows[:start]), np.sort(rows[start:stop])) for start, stop in pairwise([*bounds.tolist(), len(rows)])
    ]
