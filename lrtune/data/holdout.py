"""Which rows are set apart for the test; they draw from `default_rng([seed, 22])`.

The training rows that are left have two classes at least, and of every class a row if there are so many of them: the
only row of a class is never a test row.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lrtune.arrays import HOLDOUT, Floats, Rows, stream
from lrtune.data.columns import Columns
from lrtune.data.drawing import shuffled_test, stratified_test
from lrtune.data.folds import Split
from lrtune.data.schema import Schema
from lrtune.data.spreading import MIXED, units_of
from lrtune.text.errors import DataError, counted

"""Purpose of the random stream."""

_SEEDS = 2**31 - 1
_SMALLER = "choose a smaller one, 0 for no test, or give a test file"


def holdout(columns: Columns, schema: Schema, *, test_size: float = 0.2, seed: int = 0) -> Split:
    """Set test rows apart: (training rows, test rows).

    Classes keep their proportions; groups are not divided; with a time column the last rows are the test (rows of the
    same time stay together). A `test_size` below 1 is a share, a whole number from 1 on counts rows, 0 means no test.

    Raises
    ------
    DataError
        There are no such test rows that leave something to learn from.

    """
    total = columns.rows
    wanted = _test_rows(total, test_size)
    if wanted == 0:
        return np.arange(total), np.empty(0, dtype=np.int64)
    assert columns.target is not None
    labels = columns.target.astype(np.int64) if schema.task == "classification" else None
    seed_of_split = int(stream(seed, HOLDOUT).integers(_SEEDS))
    if columns.order is not None:
        test = _last(columns.order, labels, wanted)
    elif columns.groups is not None:
        test = _whole_groups(columns.groups, labels, wanted, seed_of_split)
    else:
        test = _drawn(labels, total, wanted, seed_of_split)
    if not test.size:
        raise DataError(f"data.test_size {test_size} leaves no {_needed(columns, schema)} to train on; {_SMALLER}")
    return np.setdiff1d(np.arange(total), test), test


def _needed(columns: Columns, schema: Schema) -> str:
    """Name what training rows have to have."""
    if schema.task == "regression":
        return "rows"
    return "rows of every class" if columns.order is None and columns.groups is None else "rows of two classes"


def _test_rows(total: int, test_size: float) -> int:
    wanted = round(total * test_size) if 0 < test_size < 1 else int(test_size)
    if test_size < 0 or (test_size >= 1 and wanted != test_size):
        raise DataError(f"data.test_size is a share between 0 and 1 or a number of rows, not {test_size}")
    if wanted >= total:
        raise DataError(
            f"data.test_size {test_size} sets {wanted} of {counted(total, 'row')} apart for the test and leaves none "
            f"to train on, where at most {total - 1} can be; {_SMALLER}"
        )
    return max(wanted, 1) if test_size > 0 else 0


def _last(order: Floats, labels: Rows | None, wanted: int) -> Rows:
    """Take the rows of the last times: as many as wanted, or fewer, since rows of the same time stay together.

    Where the last time alone has more rows than wanted, it is the test. It is a shorter end where the rows before the
    usual one are all of one class, or have no two times that could be validated.
    """
    places = np.argsort(order, kind="stable")
    starts = np.flatnonzero(np.diff(order[places]) > 0) + 1
    if labels is not None:
        different = labels[places] != labels[places[0]]
        starts = starts[starts > np.argmax(different)] if different.any() else starts[:0]
    if not starts.size:
        return starts
    starts = starts[2:] if starts.size > 2 else starts
    fitting = starts[starts >= order.size - wanted]
    return np.sort(places[fitting[0] if fitting.size else starts[-1] :])


def _whole_groups(groups: Rows, labels: Rows | None, wanted: int, seed: int) -> Rows:
    """Take groups in random order as long as that brings the number of rows nearer to what is wanted.

    Taken are such as leave two folds to train on; if there are none, such as leave two classes; and if none brings the
    number nearer, the one that misses it least.
    """
    classes = np.zeros_like(groups) if labels is None else labels
    units = units_of(classes, groups)
    if len(units.sizes) < 2:
        raise DataError("all rows belong to one group, so that no group can be set apart for the test")
    rows = np.bincount(classes, minlength=1 if labels is None else 2)
    left = _Left(rows, np.bincount(units.pure[units.pure != MIXED], minlength=len(rows)), len(units.sizes))
    order = np.random.default_rng(seed).permutation(left.groups).tolist()
    members = np.split(classes[np.argsort(units.of, kind="stable")], np.cumsum(units.sizes)[:-1])
    groups_of = [_Group(i, members[i], int(units.pure[i])) for i in order]
    chosen = _chosen(left, groups_of, wanted, folds=2) or _chosen(left, groups_of, wanted, folds=0)
    return np.flatnonzero(np.isin(units.of, chosen))


class _Group(NamedTuple):
    """A group: its number, the classes of its rows, and the one class that all of them have, or `MIXED`."""

    number: int
    classes: Rows
    pure: int


class _Left(NamedTuple):
    """What is left to train on: rows of each class, groups that are purely of each, groups in all."""

    rows: Rows
    pure: Rows
    groups: int

    def without(self, group: _Group) -> _Left:
        """Take a group away."""
        rows = self.rows - np.bincount(group.classes, minlength=len(self.rows))
        return _Left(rows, self.pure - (np.arange(len(self.pure)) == group.pure), self.groups - 1)

    def bears(self, folds: int) -> bool:
        """Tell whether two classes are left (of regression: rows), and enough groups for so many folds."""
        alone = int(self.groups - self.pure.max() == 1)  # it would stay in the training rows of every fold
        return int(np.count_nonzero(self.rows)) >= min(2, len(self.rows)) and self.groups - alone >= folds


def _chosen(left: _Left, groups: list[_Group], wanted: int, *, folds: int) -> list[int]:
    """Choose groups so that the others bear so many folds; none if there are no such."""
    chosen, taken, misses = [], 0, {}
    for each in groups:
        rest, size = left.without(each), len(each.classes)
        if rest.bears(folds):
            misses[each.number] = abs(size - wanted)
            if abs(taken + size - wanted) < abs(taken - wanted):
                chosen.append(each.number)
                left, taken = rest, taken + size
    return chosen or ([min(misses, key=misses.__getitem__)] if misses else [])


def _drawn(labels: Rows | None, total: int, wanted: int, seed: int) -> Rows:
    """Draw rows, of every class the same share; the only row of a class is not drawn."""
    if labels is not None:
        _, counts = np.unique(labels, return_counts=True)
        if counts.min() < 2 or min(wanted, total - wanted) < len(counts):
            return _few(labels, wanted, seed)
    if labels is None:
        return shuffled_test(total, wanted, seed)
    test = stratified_test(labels, wanted, seed)
    return _few(labels, wanted, seed) if len(np.unique(np.delete(labels, test))) < 2 else test


def _few(labels: Rows, wanted: int, seed: int) -> Rows:
    """Draw rows where classes are rare: one row of each class stays, and the test is every so manieth of the others.

    They stand in the order of their classes, so that each class gives its share to within a row. None are drawn where
    the test leaves no row for every class.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    _, first = np.unique(labels[order], return_index=True)
    others = np.delete(order, first)
    if wanted > len(others) or len(first) < 2:
        return others[:0]
    return np.sort(others[((np.arange(wanted) + rng.random()) * len(others) / wanted).astype(np.int64)])
