"""Puts rows into folds where shuffling leaves a fold with nothing to learn or nothing to judge. NumPy alone.

A *unit* is what stays together: a row, or a group of rows. A fold needs units to validate, and two classes among its
training rows. It lacks the second class if and only if every unit that is not *purely* of some class ``c`` lies in this
fold. So for each class the units that are not purely of it must lie in two folds at least. `spread` sees to that with
four units at most, which are put into folds first; then every other unit goes where its class is rarest.

Where but one unit is not purely of a class, no fold can do without it: it is *pinned*, which means that it belongs to
the training rows of every fold and is never validated.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lrtune.arrays import Rows

PINNED = -1
"""Stands for the number of a fold where a row is validated in none."""

MIXED = -1
"""Stands for the class of a unit that has rows of several classes."""


class Units(NamedTuple):
    """What stays together.

    Attributes
    ----------
    of
        Number of the unit that each row belongs to (N,).
    sizes
        Rows of each unit (U,).
    pure
        The class that all of its rows have, or `MIXED` (U,).
    common
        The class that most of its rows have, of equal ones the first (U,).

    """

    of: Rows
    sizes: Rows
    pure: Rows
    common: Rows


def units_of(labels: Rows, groups: Rows | None = None) -> Units:
    """Describe the units of some rows by their classes; without groups every row is a unit."""
    if groups is None:
        return Units(np.arange(len(labels)), np.ones(len(labels), dtype=np.int64), labels, labels)
    _, of = np.unique(groups, return_inverse=True)
    classes = int(labels.max()) + 1
    pairs, counts = np.unique(of * classes + labels, return_counts=True)
    owner, label = pairs // classes, pairs % classes
    kinds = np.bincount(owner)
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    largest = np.lexsort((label, -counts, owner))[first]  # of each unit the pair with the most rows
    return Units(of, np.bincount(of), np.where(kinds > 1, MIXED, label[first]), label[largest])


def pinned(units: Units) -> Rows:
    """List the unit that no fold can do without, if there is one."""
    of_class = np.bincount(units.pure[units.pure != MIXED], minlength=1)
    commonest = int(of_class.argmax())
    others = np.flatnonzero(units.pure != commonest)
    return others if len(others) == 1 else others[:0]


def dealt(labels: Rows, folds: int, rng: np.random.Generator) -> Rows:
    """Deal shuffled rows out to folds in turn, class by class: the number of each row's fold (N,).

    Folds differ by one row at most, in all rows and in those of each class, so that a class of fewer rows than folds
    has one in as many folds as it has rows.
    """
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    numbers = np.empty(len(labels), dtype=np.int64)
    numbers[order] = np.arange(len(labels)) % folds
    return numbers


def spread(units: Units, folds: int, rng: np.random.Generator) -> Rows | None:
    """Put units into folds so that each has rows to validate, and two classes to train on.

    Returns
    -------
    array or None
        Number of each row's fold (N,), or `PINNED`. None if that cannot be done.

    """
    kept = pinned(units)
    free = rng.permutation(np.setdiff1d(np.arange(len(units.sizes)), kept))
    if len(free) < folds:
        return None
    first: list[int] = []
    if not len(kept):
        first = _first(units.pure[free], folds)
        if not first:
            return None
    place = np.full(len(units.sizes), PINNED, dtype=np.int64)
    place[free] = _placed(units.sizes[free], units.common[free], first, folds)
    return np.asarray(place[units.of])


def _first(pure: Rows, folds: int) -> list[int]:
    """Choose units that, dealt out to the folds in turn, leave every fold two classes; none if no units do."""
    mixed = np.flatnonzero(pure == MIXED).tolist()
    if len(mixed) > 1:
        return mixed[:2]
    members = {label: np.flatnonzero(pure == label).tolist() for label in np.unique(pure[pure != MIXED]).tolist()}
    by_size = sorted(members.values(), key=len, reverse=True)
    if len(by_size) < 2:
        return []
    if mixed:
        return [by_size[0][0], mixed[0], by_size[1][0]]
    if len(by_size) == 2:
        return [*by_size[0][:2], *by_size[1][:2]]
    if len(by_size[0]) > 1:
        return [*by_size[0][:2], by_size[1][0], by_size[2][0]]
    return [each[0] for each in by_size[:4]] if len(by_size) > 3 or folds > 2 else []


def _placed(sizes: Rows, classes: Rows, first: list[int], folds: int) -> list[int]:
    """Deal some units out in turn; then each other one, the largest first, to the fold with the fewest rows like it."""
    size, label = sizes.tolist(), classes.tolist()
    places, rows = [PINNED] * len(size), [0] * folds
    alike: list[dict[int, int]] = [{} for _ in range(folds)]

    def put(unit: int, fold: int) -> None:
        places[unit] = fold
        rows[fold] += size[unit]
        alike[fold][label[unit]] = alike[fold].get(label[unit], 0) + size[unit]

    for turn, unit in enumerate(first):
        put(unit, turn % folds)
    for unit in np.argsort(-sizes, kind="stable").tolist():
        if places[unit] == PINNED:
            like_it = [each.get(label[unit], 0) for each in alike]
            put(unit, min(range(folds), key=list(zip(like_it, rows, strict=True)).__getitem__))
    return places
