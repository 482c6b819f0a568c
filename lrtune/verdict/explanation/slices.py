"""Predicted scores along one dimension: from the best point that has it, and averaged over all points that do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lrtune.arrays import Array
from lrtune.sampling.encoding import Encoding, number_of, place
from lrtune.space import Choice, Option, Where
from lrtune.space.dimensions import Dimension, Integer, Ordinal, Real
from lrtune.space.trial import Configuration, Value
from lrtune.verdict.explanation.functions import Functions
from lrtune.verdict.explanation.importance import Branch

_VALUES = 9
_BACKGROUND = 64  # points that an average is taken over
_WIDE = 1.6449  # standard deviations of a normal distribution that hold 90 % of it to both sides


class Scale(NamedTuple):
    """How standardised values are turned back into scores: along the observed ones, and straight on beyond the best.

    Attributes
    ----------
    values, scores
        Of the trials, ascending (N,).

    """

    values: Array
    scores: Array

    def score(self, values: Array) -> Array:
        """Turn values into oriented scores; what is worse than everything seen is as bad as the worst."""
        middle = len(self.values) // 2
        run = self.values[-1] - self.values[middle]
        slope = (self.scores[-1] - self.scores[middle]) / run if run > 0 else 0.0
        beyond = slope * np.maximum(values - self.values[-1], 0.0)
        return np.asarray(np.interp(values, self.values, self.scores) + beyond)


def scale(values: Array, scores: Array) -> Scale:
    """Pair values with scores; where they disagree on the order, by the noise of folds, the higher score counts."""
    order = np.lexsort((scores, values))
    ascending, highest = values[order], np.maximum.accumulate(scores[order])
    last = np.append(ascending[1:] > ascending[:-1], True)  # of equal values
    return Scale(ascending[last], highest[last])


class SliceRow(NamedTuple):
    """One value of a dimension: predicted score with its 90 % band from the best point, and the typical average."""

    value: Value
    score: float
    low: float
    high: float
    average: float


class Slice(NamedTuple):
    """Predictions along a dimension.

    Attributes
    ----------
    key
        Its name.
    where
        The options that it belongs to; other branches may have a dimension of this name with another range.
    start
        The point that everything else is taken from: the best one tried that has the dimension, as the model thinks.
    rows
        Predictions for its values, oriented scores.

    """

    key: str
    where: Where
    start: Configuration
    rows: tuple[SliceRow, ...]


def sliced(
    branch: Branch,
    dimension: Dimension,
    start: Configuration,
    *,
    functions: Sequence[Functions],
    encoding: Encoding,
    scores: Scale,
    rng: np.random.Generator,
) -> Slice:
    """Predict scores for the values of a dimension of a branch.

    Parameters
    ----------
    branch, dimension
        The dimension, and the branch that it belongs to.
    start
        A point of the branch.
    functions
        Drawn from the posterior distribution, in groups.
    encoding, scores
        What they are functions of, and what their values mean.
    rng
        Draws the points that averages are taken over.

    """
    others = [branch.space.sample(rng) for _ in range(_BACKGROUND)]
    values = shown_values(dimension)
    rows = _rows(dimension, values, (start, *others), encoding)
    found = _evaluated(functions, rows).reshape(len(values), 1 + _BACKGROUND, -1)
    mean, deviation = found[:, 0].mean(axis=1), found[:, 0].std(axis=1)
    columns = (mean, mean - _WIDE * deviation, mean + _WIDE * deviation, found[:, 1:].mean(axis=(1, 2)))
    table = np.stack([scores.score(each) for each in columns], axis=1).tolist()
    shown = tuple(SliceRow(value, *row) for value, row in zip(values, table, strict=True))
    return Slice(dimension.name, branch.where, start, shown)


def _rows(dimension: Dimension, values: Sequence[Value], points: Sequence[Configuration], encoding: Encoding) -> Array:
    """Encode the points with each value in turn (values * points, columns)."""
    if isinstance(dimension, Choice):
        return encoding.rows([changed(dimension, value, each) for value in values for each in points])
    rows = np.tile(encoding.rows(points), (len(values), 1))
    places = np.repeat([place(dimension, each) for each in values], len(points))
    encoding.write(rows, np.arange(len(rows)), dimension, places)
    return rows


def _evaluated(functions: Sequence[Functions], rows: Array) -> Array:
    return np.hstack([each(rows) for each in functions])


def shown_values(dimension: Dimension) -> list[Value]:
    """List a dimension's options, or up to nine of its numbers from end to end."""
    if isinstance(dimension, Choice):
        return [each.value for each in dimension.options]
    steps = [step / (_VALUES - 1) for step in range(_VALUES)]
    if isinstance(dimension, Real):
        return [dimension.value(each) for each in steps]
    assert isinstance(dimension, Integer | Ordinal)
    last = dimension.size - 1
    places = range(last + 1) if last < _VALUES else (round(each * last) for each in steps)
    if isinstance(dimension, Integer) and last >= _VALUES:
        return list(dict.fromkeys(dimension.value(each) for each in steps))
    return [dimension.at(each)[dimension.name] for each in places]


def changed(dimension: Dimension, value: Value, point: Configuration) -> dict[str, Value]:
    """Give a point another value; another option keeps of its own dimensions what it can, else their defaults."""
    if not isinstance(dimension, Choice):
        return {**point, dimension.name: value}
    before, after = _option(dimension, point[dimension.name]), _option(dimension, value)
    gone = before.space.point(point) or {}
    default = after.space.default()
    kept = {key: each for key, each in point.items() if key not in gone}
    inner = after.space.point({**default, **point}) or default
    return {**kept, dimension.name: value, **inner}


def _option(choice: Choice, value: Value) -> Option:
    number = number_of([each.value for each in choice.options], value)
    assert number is not None
    return choice.options[number]
