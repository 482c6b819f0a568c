"""Points near a given one, on continuous, ordered and unordered dimensions of a conditional space alike."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from lrtune.sampling.encoding import place
from lrtune.space import Choice, Option, SearchSpace
from lrtune.space.dimensions import Dimension, Integer, Ordinal, Real
from lrtune.space.trial import Configuration, Value

if TYPE_CHECKING:
    import numpy as np

_APART = 0.02

_ONE_ONLY = 0.7
"""Probability that no second dimension changes."""


def apart(picked: int) -> float:
    """Say how far the next point of a round is to be from those that are picked, as a fraction of the ranges.

    A range has room for any number of points: they come closer when there are many.
    """
    return min(_APART, 0.5 / (picked + 1))


def neighbour(space: SearchSpace, point: Configuration, width: float, rng: np.random.Generator) -> dict[str, Value]:
    """Change one dimension of a point, at times two or three; what is not changed stays wherever it still is legal.

    Parameters
    ----------
    space, point
        A point of the space, with no other keys.
    width
        Standard deviation of the step of a number, as a fraction of its range; whole numbers and those of a list move
        by one place at least.
    rng
        Source of numbers.

    """
    names = [each.name for each in space.dimensions_of(point) if each.size > 1]
    if not names:
        return dict(point)
    count = min(int(rng.geometric(_ONE_ONLY)), len(names))
    moving = {names[number] for number in rng.choice(len(names), count, replace=False)}

    def option(choice: Choice) -> Option:
        own = own_option(choice, point)
        rest = [each for each in choice.options if each is not own]
        return rest[int(rng.random() * len(rest))] if own is None or (choice.name in moving and rest) else own

    def number(dimension: Dimension) -> dict[str, Value]:
        kept = dimension.point(point)
        if kept is None:
            return dimension.sample(rng)
        return moved(dimension, kept[dimension.name], width, rng) if dimension.name in moving else kept

    return rebuilt(space, option, number)


def rebuilt(
    space: SearchSpace, option: Callable[[Choice], Option], number: Callable[[Dimension], dict[str, Value]]
) -> dict[str, Value]:
    """Make a point from the root to the leaves, asking for the option of each choice and the value of each number."""
    point: dict[str, Value] = {}
    for each in space.dimensions:
        if isinstance(each, Choice):
            chosen = option(each)
            point[each.name] = chosen.value
            point.update(rebuilt(chosen.space, option, number))
        else:
            point.update(number(each))
    return point


def own_option(choice: Choice, point: Configuration) -> Option | None:
    """Find the option that a point has of a choice; None if the point has none of them."""
    return choice.option(point[choice.name]) if choice.name in point else None


def moved(dimension: Dimension, value: Value, width: float, rng: np.random.Generator) -> dict[str, Value]:
    """Step away from a number, reflected at the ends."""
    step = rng.normal(0.0, width)
    if isinstance(dimension, Real):
        return {dimension.name: dimension.value(_reflected(place(dimension, value) + step))}
    assert isinstance(dimension, Integer | Ordinal)
    if dimension.size == 1:
        return {dimension.name: value}
    number, last = dimension.index({dimension.name: value}), dimension.size - 1
    if isinstance(dimension, Integer):
        goal = dimension.value(_reflected(place(dimension, value) + step)) - dimension.low
    else:
        goal = round(last * _reflected(number / last + step))
    if goal == number:
        goal += 1 if number == 0 or (step > 0 and number < last) else -1
    return dimension.at(goal)


def _reflected(fraction: float) -> float:
    """Fold a number back into [0, 1], as often as it takes."""
    folded = math.fmod(abs(fraction), 2.0)
    return 2.0 - folded if folded > 1.0 else folded
