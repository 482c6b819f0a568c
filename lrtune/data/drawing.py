"""Rows drawn for folds and for the test: those that scikit-learn draws from the same seed, in less memory.

scikit-learn takes a second and 60 MB to be there, and several numbers of 64 bits for each row. What is drawn is that
of its `KFold`, `StratifiedKFold`, `ShuffleSplit` and `StratifiedShuffleSplit`, to the row.
"""

from __future__ import annotations

import numpy as np

from lrtune.arrays import Doubles, Integers, Rows, row_type


def shuffled_folds(rows: int, folds: int, seed: int) -> Rows:
    """Deal rows out: the number of the fold of each (N,), as `KFold` with ``shuffle`` does."""
    order = np.arange(rows, dtype=row_type(rows))
    np.random.RandomState(seed).shuffle(order)
    sizes = rows // folds + (np.arange(folds) < rows % folds)
    found = np.empty(rows, np.int32)
    found[order] = np.repeat(np.arange(folds, dtype=np.int32), sizes)
    return found


def stratified_folds(labels: Rows, folds: int, seed: int) -> Rows:
    """Deal out the rows of each class (N,): the number of the fold of each, as `StratifiedKFold` with ``shuffle`` does.

    Each class has as many rows as there are folds.
    """
    random, counts = np.random.RandomState(seed), np.bincount(labels)
    firsts = np.full(len(counts), len(labels), dtype=np.int64)
    firsts[labels[::-1]] = np.arange(len(labels) - 1, -1, -1, dtype=row_type(len(labels)))  # the last one written stays
    found, start = np.empty(len(labels), np.int32), 0
    for label in np.argsort(firsts, kind="stable")[: np.count_nonzero(counts)].tolist():
        end = start + int(counts[label])
        # Rows are dealt out in turn, class after class.
        shares = -((np.arange(folds) - end) // folds) + ((np.arange(folds) - start) // folds)
        dealt = np.repeat(np.arange(folds, dtype=np.int32), shares)
        random.shuffle(dealt)
        found[labels == label] = dealt
        start = end
    return found


def shuffled_test(rows: int, wanted: int, seed: int) -> Rows:
    """Draw rows, sorted, as `ShuffleSplit` does."""
    return np.sort(np.random.RandomState(seed).permutation(rows)[:wanted])


def stratified_test(labels: Rows, wanted: int, seed: int) -> Rows:
    """Draw rows, sorted, of every class the same share, as `StratifiedShuffleSplit` does.

    Each class has two rows or more, and there are as many rows to draw, and to leave, as classes.
    """
    random = np.random.RandomState(seed)
    present, counts = np.unique(labels, return_counts=True)
    left = _shared_out(counts, len(labels) - wanted, random)
    taken = _shared_out(counts - left, wanted, random)
    drawn = []
    for label, count, before, share in zip(present, counts.tolist(), left.tolist(), taken.tolist(), strict=True):
        order = random.permutation(count)
        drawn.append(np.flatnonzero(labels == label)[order[before : before + share]])
    return np.sort(np.concatenate(drawn))


def _shared_out(counts: Integers, wanted: int, random: np.random.RandomState) -> Integers:
    """Share a number out by counts; what rounding leaves goes to the largest remainders, of equal ones by lot."""
    exact = counts / counts.sum() * wanted
    found: Doubles = np.floor(exact)
    remainders, lacking = exact - found, int(wanted - found.sum())
    for each in np.unique(remainders)[::-1] if lacking > 0 else ():
        (places,) = np.nonzero(remainders == each)
        more = min(len(places), lacking)
        found[random.choice(places, size=more, replace=False)] += 1
        lacking -= more
        if not lacking:
            break
    return np.asarray(found, dtype=np.int64)
