"""Tree-structured Parzen estimator: draw where good configurations are dense and the others are not.

Bergstra et al. 2011, "Algorithms for hyper-parameter optimization"; multivariate as in Falkner et al. 2018, "BOHB". Its
cost grows linearly with the history, so that it remains when a Gaussian process has become too slow.

The density of a group of configurations is a mixture: one component around each of them, and the prior (what random
search draws from). A component is a product over the dimensions of the drawn point: a truncated normal distribution for
a number, the own option or any option for a choice, and the prior for a dimension that the component's configuration
lacks. So what belongs together is drawn together, in whatever branch.

Notation: ``N`` configurations of a group, ``M`` points, ``A`` axes (flat keys); ``places (N, A)`` from 0 to 1, the
number of the option for a choice, NaN where absent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp, ndtr, ndtri

from lrtune.arrays import SAMPLING, Doubles, stream
from lrtune.sampling import quasirandom, random_search
from lrtune.sampling.candidates import apart, own_option, rebuilt
from lrtune.sampling.encoding import Axis, Encoding, axis_key, crowded, number_of, place
from lrtune.sampling.prior import DOUBT, Prior
from lrtune.sampling.scores import observe
from lrtune.space import Choice, Option, SearchSpace
from lrtune.space.dimensions import Dimension, Integer, Ordinal, Real
from lrtune.space.tree import key_of
from lrtune.space.trial import Configuration, Trial, TrialState, Value

FIRST = 10
"""Trials before the first densities are made."""

CANDIDATES = 64
"""Draws of which the best is proposed."""

_OTHER_OPTION = 0.2
"""Probability with which a component draws any option instead of its own."""

_MOST_GOOD = 25
"""The good group has the square root of the history's length, and no more than this."""

_POINT = 5e-4
"""Half the room of a real number: they are rounded to four digits."""

_WIDEST = 0.3
"""Standard deviation of a single component, as a fraction of a range; it shrinks by Scott's rule."""

_NARROWEST = 0.03
"""Smallest standard deviation of a component, as a fraction of a range."""


class Parzen(NamedTuple):
    """The density of a group of configurations.

    Attributes
    ----------
    points
        The configurations (N); the prior comes on top of them.
    places
        Where they lie (N, A).
    width
        Standard deviation of the components, as a fraction of a range.

    """

    points: tuple[Configuration, ...]
    places: Doubles
    width: float


def propose(space: SearchSpace, history: Sequence[Trial], n: int, seed: int, prior: Prior = ()) -> list[Configuration]:
    """Propose points where the ratio of the two densities is largest; see `lrtune.sampling.catalogue.ProposeWarm`."""
    if not history or len(history) + sum(len(each.points) for each in prior) < FIRST:
        return quasirandom.propose(space, history, n, seed)
    encoding = Encoding(space)
    axes = encoding.axes
    good, rest = _groups(space, history, prior)
    dense, thin = parzen(space, axes, good), parzen(space, axes, rest)
    tried = {space.key(each.configuration) for each in history}
    running = [
        point for each in history if each.state is TrialState.PROPOSED and (point := space.point(each.configuration))
    ]
    proposals: list[Configuration] = []
    for number in range(len(history), len(history) + n):
        rng = stream(seed, SAMPLING, number)
        drawn = {key_of(each): each for each in (_draw(space, dense, rng) for _ in range(CANDIDATES))}
        fresh = [each for key, each in drawn.items() if key not in tried]
        if not fresh:
            return proposals + random_search.leftovers(space, history, proposals, n, seed)
        taken = encoding.rows([*running, *proposals])
        near = crowded(encoding.rows(fresh), taken, apart(len(taken)))
        fresh = [each for each, is_near in zip(fresh, near, strict=True) if not is_near] or fresh
        places = located(space, axes, fresh)
        gain = log_density(dense, axes, *places) - log_density(thin, axes, *places)
        best = fresh[int(np.argmax(gain))]
        tried.add(key_of(best))
        proposals.append(best)
        # A lie that keeps the next draw away from here, until the score is known.
        thin = joined(space, axes, thin, best)
    return proposals


def _groups(
    space: SearchSpace, history: Sequence[Trial], prior: Prior = ()
) -> tuple[list[Configuration], list[Configuration]]:
    """Split the history: the best ones, and the rest, where what is still running belongs.

    What earlier studies know counts as much as its doubt leaves of it: ``1 / (1 + DOUBT)`` of the value.
    """
    seen = observe(history, prior)
    order = np.argsort(-np.where(seen.is_own, seen.values, seen.values / (1.0 + DOUBT)), kind="stable")
    scored = [seen.trials[number] for number in order]
    count = min(math.ceil(math.sqrt(len(scored))), _MOST_GOOD)
    good = scored[:count]
    numbers = {each.number for each in good}
    earlier = [each for each in seen.trials if each.number < 0]
    points = [(each.number in numbers, space.point(each.configuration)) for each in (*history, *earlier)]
    return ([p for is_good, p in points if is_good and p], [p for is_good, p in points if not is_good and p])


def parzen(space: SearchSpace, axes: Sequence[Axis], points: Sequence[Configuration]) -> Parzen:
    """Put a component around each point."""
    return Parzen(tuple(points), located(space, axes, points)[0], _width(len(points), len(axes)))


def joined(space: SearchSpace, axes: Sequence[Axis], parzen: Parzen, point: Configuration) -> Parzen:
    """Put a component around one more point."""
    points, places = (*parzen.points, point), np.vstack([parzen.places, located(space, axes, [point])[0]])
    return Parzen(points, places, _width(len(points), len(axes)))


def _width(points: int, axes: int) -> float:
    shrunk: float = max(points, 1) ** (-1.0 / (4 + axes))
    return max(_WIDEST * shrunk, _NARROWEST)


def located(space: SearchSpace, axes: Sequence[Axis], points: Sequence[Configuration]) -> tuple[Doubles, Doubles]:
    """Find the places of points, and half the room that each value has to itself: two arrays (N, A)."""
    column = {axis.key: number for number, axis in enumerate(axes)}
    places = np.full((len(points), len(axes)), np.nan)
    room = np.full_like(places, _POINT)
    for row, point in enumerate(points):
        for dimension in space.dimensions_of(point):
            axis = column.get(axis_key(dimension))
            if axis is None:
                continue
            value = point[dimension.name]
            if isinstance(dimension, Choice):
                number = number_of(axes[axis].options, value)
                assert number is not None
                places[row, axis] = number
            else:
                places[row, axis], room[row, axis] = _cell(dimension, value)
    return places, room


def _cell(dimension: Dimension, value: Value) -> tuple[float, float]:
    if isinstance(dimension, Ordinal | Integer):
        return (dimension.index({dimension.name: value}) + 0.5) / dimension.size, 0.5 / dimension.size
    return place(dimension, value), _POINT


def log_density(parzen: Parzen, axes: Sequence[Axis], places: Doubles, room: Doubles) -> Doubles:
    """Logarithm of the mixture's density at points, relative to the prior's (M,)."""
    logs = np.zeros((len(places), len(parzen.points) + 1))  # the last component is the prior
    for number, axis in enumerate(axes):
        own, centre = places[:, number, None], parzen.places[None, :, number]
        both = np.isfinite(own) & np.isfinite(centre)
        with np.errstate(invalid="ignore"):
            if axis.options:
                share = (own == centre) * (1.0 - _OTHER_OPTION) * len(axis.options) + _OTHER_OPTION
            else:
                share = _truncated(own, room[:, number, None], centre, parzen.width)
        logs[:, :-1] += np.where(both, np.log(np.where(both, share, 1.0)), 0.0)
    return np.asarray(logsumexp(logs, axis=1) - math.log(logs.shape[1]))


def _truncated(own: Doubles, half: Doubles, centre: Doubles, width: float) -> Doubles:
    """Density of normal distributions that are cut off at 0 and 1, averaged over each value's own room."""
    low, high = np.maximum(own - half, 0.0), np.minimum(own + half, 1.0)
    mass = ndtr((high - centre) / width) - ndtr((low - centre) / width)
    whole = ndtr((1.0 - centre) / width) - ndtr(-centre / width)
    return np.asarray(np.maximum(mass / (high - low) / whole, 1e-300))


def _draw(space: SearchSpace, parzen: Parzen, rng: np.random.Generator) -> Configuration:
    """Draw from one of the components, all alike."""
    component = int(rng.integers(len(parzen.points) + 1))
    if component == len(parzen.points):
        return space.sample(rng)
    centre = parzen.points[component]

    def option(choice: Choice) -> Option:
        own = own_option(choice, centre)
        if own is None or rng.random() < _OTHER_OPTION:
            return choice.options[int(rng.random() * len(choice.options))]
        return own

    def number(dimension: Dimension) -> dict[str, Value]:
        kept = dimension.point(centre)
        if kept is None or dimension.size == 1:
            return dimension.sample(rng)
        middle, _ = _cell(dimension, kept[dimension.name])
        low, high = ndtr(-middle / parzen.width), ndtr((1.0 - middle) / parzen.width)
        drawn = middle + parzen.width * float(ndtri(low + rng.random() * (high - low)))
        return _valued(dimension, min(max(drawn, 0.0), 1.0))

    return rebuilt(space, option, number)


def _valued(dimension: Dimension, fraction: float) -> dict[str, Value]:
    if isinstance(dimension, Real):
        return {dimension.name: dimension.value(fraction)}
    return dimension.at(min(int(fraction * dimension.size), int(dimension.size) - 1))
