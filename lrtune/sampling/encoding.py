"""Points of a conditional space as points of a Euclidean one, where distance is what a stationary kernel needs.

A flat key is one *axis*, wherever it stands in the tree: ``learning_rate`` in two optimizers' branches is one axis,
measured in each as the place within the branch's own range. So what is learned about a key is shared by all branches
that have it.

=================================  ==================================================================================
axis                               columns
=================================  ==================================================================================
number, in every point             its place, from 0 to 1
number, in some points only        a point on an arc of radius 1 that spans 60 degrees; the centre where it is absent
choice                             one column for each option, 1 where it is chosen
=================================  ==================================================================================

The arc (after Swersky et al. 2014, "Raiders of the lost architecture: kernels for Bayesian optimization in conditional
parameter spaces") puts an absent number at the same distance, 1, from every value that it could have, which is as far
as its two ends are from each other: two points share what they know of a number where both have it, and nothing where
one has not. Numbers of a list lie at equal distances, in their order: who lists 0, 1e-5 and 1e-3 says what is a step.

Each column has a length scale of its own, except that the arc's two share theirs. Two options of a choice are therefore
``1/l_a^2 + 1/l_b^2`` apart (squared): an option that behaves like the others has a long scale, one that does not a
short one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lrtune.arrays import Doubles, Integers
from lrtune.space import Choice, SearchSpace
from lrtune.space.dimensions import Dimension, Integer, Ordinal, Real, warp
from lrtune.space.tree import exact
from lrtune.space.trial import Configuration, Value

_ARC = math.pi / 3  # the ends are as far from each other as from the centre


class Axis(NamedTuple):
    """One flat key: its options if it is a choice (else none), and whether some points lack it.

    A key that is a number in one branch and a choice in another is two axes: ``key`` is its name, and whether it is a
    choice.
    """

    key: tuple[str, bool]
    options: tuple[Value, ...]
    conditional: bool

    @property
    def columns(self) -> int:
        """How many columns it takes."""
        return len(self.options) or (2 if self.conditional else 1)


class _Column(NamedTuple):
    """What a dimension writes into a row, from column ``start`` on: the number of an option, or a place."""

    name: str
    start: int
    numbers: dict[tuple[bool, Value], int]
    place: Callable[[Any], float] | None
    conditional: bool

    def write(self, row: Doubles, value: Value) -> None:
        """Write a value of the dimension."""
        if self.place is None:
            row[self.start + self.numbers[exact(value)]] = 1.0
        elif self.conditional:
            angle = _ARC * self.place(value)
            row[self.start], row[self.start + 1] = math.cos(angle), math.sin(angle)
        else:
            row[self.start] = self.place(value)


@dataclass(frozen=True)
class Encoding:
    """The map from the points of a space to rows of numbers.

    Attributes
    ----------
    space
        What is encoded; dimensions of one value take no columns.

    """

    space: SearchSpace

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """Every key with more than one value, in the order of its first place in the tree."""
        options: dict[tuple[str, bool], list[Value]] = {}
        varied: set[tuple[str, bool]] = set()
        for each in (place.dimension for place in self.space.places()):
            listed = options.setdefault(axis_key(each), [])
            if isinstance(each, Choice):
                listed += [option.value for option in each.options if number_of(listed, option.value) is None]
            if len(listed) > 1 or (not isinstance(each, Choice) and each.size > 1):
                varied.add(axis_key(each))
        always = _always(self.space)
        return tuple(Axis(key, tuple(listed), key not in always) for key, listed in options.items() if key in varied)

    @cached_property
    def scales(self) -> npt.NDArray[np.intp]:
        """Which length scale each column has (columns,)."""
        numbers: list[int] = []
        for axis in self.axes:
            first = numbers[-1] + 1 if numbers else 0
            numbers += range(first, first + len(axis.options)) if axis.options else [first] * axis.columns
        return np.array(numbers, dtype=np.intp)

    @cached_property
    def _starts(self) -> dict[tuple[str, bool], tuple[int, Axis]]:
        ends = np.cumsum([axis.columns for axis in self.axes])
        return {axis.key: (int(end) - axis.columns, axis) for axis, end in zip(self.axes, ends, strict=True)}

    @property
    def columns(self) -> int:
        """How many columns a row has."""
        return len(self.scales)

    @cached_property
    def _columns(self) -> dict[int, _Column]:
        """What each dimension writes, by its identity; those of one value write nothing."""
        found = {}
        for each in (place.dimension for place in self.space.places()):
            start, axis = self._starts.get(axis_key(each), (-1, None))
            if axis is not None:
                numbers = {exact(value): number for number, value in reversed(list(enumerate(axis.options)))}
                place = None if isinstance(each, Choice) else placing(each)
                found[id(each)] = _Column(each.name, start, numbers, place, axis.conditional)
        return found

    def rows(self, points: Sequence[Configuration]) -> Doubles:
        """Encode points (N) as rows (N, columns)."""
        rows = np.zeros((len(points), self.columns))
        columns = self._columns
        for row, point in zip(rows, points, strict=True):
            for each in self.space.dimensions_of(point):
                column = columns.get(id(each))
                if column is not None:
                    column.write(row, point[column.name])
        return rows

    def places(self, points: Sequence[Configuration]) -> Doubles:
        """Say where the numbers of points (N) lie in their ranges (N, number axes), from 0 to 1; NaN where absent."""
        numbers = {axis.key: column for column, axis in enumerate(each for each in self.axes if not each.options)}
        found = np.full((len(points), len(numbers)), np.nan)
        for row, point in zip(found, points, strict=True):
            for each in self.space.dimensions_of(point):
                column = numbers.get(axis_key(each))
                if column is not None:
                    row[column] = place(each, point[each.name])
        return found

    def write(self, rows: Doubles, members: Integers, dimension: Dimension, places: Doubles) -> None:
        """Write what some members of the rows have of a dimension: places of numbers, or the numbers of its options."""
        start, axis = self._starts.get(axis_key(dimension), (-1, None))
        if axis is None:
            return
        if isinstance(dimension, Choice):
            numbers = np.array([number_of(axis.options, each.value) for each in dimension.options])
            rows[members, start + numbers[places.astype(np.intp)]] = 1.0
        elif axis.conditional:
            rows[members, start], rows[members, start + 1] = np.cos(_ARC * places), np.sin(_ARC * places)
        else:
            rows[members, start] = places


def crowded(rows: Doubles, others: Doubles, apart: float) -> npt.NDArray[np.bool_]:
    """Tell which rows (N, columns) are less than so far from one of the others (M, columns), in every column (N,)."""
    gaps = np.abs(rows[:, None] - others[None]).max(axis=2, initial=0.0)
    return np.asarray((gaps < apart).any(axis=1))


def lonely(places: Doubles, others: Doubles) -> Doubles:
    """Measure how far numbers (N, axes) are from the nearest of the others (M, axes), as a mean over the axes (N,).

    Counted are the axes that both have. Points that share no number are half a range from each other; without others
    all are equally lonely.
    """
    if not len(others):
        return np.zeros(len(places))
    gaps = np.abs(places[:, None] - others[None])
    shared = np.isfinite(gaps)
    means = np.where(shared, gaps, 0.0).sum(axis=2) / np.maximum(shared.sum(axis=2), 1)
    return np.asarray(np.where(shared.any(axis=2), means, 0.5).min(axis=1))


def place(dimension: Dimension, value: Value) -> float:
    """Measure where a number lies in its dimension, from 0 to 1; a single value lies in the middle."""
    return placing(dimension)(value)


def placing(dimension: Dimension) -> Callable[[Any], float]:
    """Give the function that measures where a number lies in a dimension."""
    if isinstance(dimension, Ordinal):
        last = len(dimension.values) - 1
        return lambda value: dimension.values.index(value) / last if last else 0.5
    assert isinstance(dimension, Real | Integer)
    if dimension.low == dimension.high:
        return lambda _value: 0.5
    half, scale = 0.5 if isinstance(dimension, Integer) else 0.0, dimension.scale
    low, high = warp(dimension.low - half, scale), warp(dimension.high + half, scale)
    return lambda value: min(max((warp(value, scale) - low) / (high - low), 0.0), 1.0)


def _always(space: SearchSpace) -> set[tuple[str, bool]]:
    """Collect the axes that every point has."""
    keys: set[tuple[str, bool]] = set()
    for each in space.dimensions:
        keys.add(axis_key(each))
        if isinstance(each, Choice):
            keys |= set.intersection(*(_always(option.space) for option in each.options))
    return keys


def axis_key(dimension: Dimension) -> tuple[str, bool]:
    """Name the axis of a dimension."""
    return dimension.name, isinstance(dimension, Choice)


def number_of(options: Sequence[Value], value: Value) -> int | None:
    """Find an option without taking True for 1."""
    same = (n for n, each in enumerate(options) if isinstance(each, bool) == isinstance(value, bool) and each == value)
    return next(same, None)
