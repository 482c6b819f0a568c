"""A scrambled Sobol sequence over the whole conditional tree: it fills the space more evenly than independent draws.

Sobol 1967; scrambled as in Matousek 1998 by `scipy.stats.qmc.Sobol`. Every choice takes one coordinate and every number
one; the options of a choice use the same coordinates for what is in them, because a point has only one of them. So a
sequence over a large tree has few coordinates, and within each option it is a Sobol sequence still.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scipy.stats import qmc

from lrtune.arrays import SAMPLING, stream
from lrtune.sampling import random_search
from lrtune.space import Choice, SearchSpace
from lrtune.space.dimensions import Dimension
from lrtune.space.trial import Configuration, Trial, Value

_SHORTEST = 1024  # the walk through the sequence is given up after this many points that have all been tried


def propose(space: SearchSpace, history: Sequence[Trial], n: int, seed: int) -> list[Configuration]:
    """Propose the default, then the first points of the sequence that the history does not have.

    The sequence depends on the seed alone. Where it only repeats what was tried, because a finite space is nearly
    exhausted, the last points are drawn as `random_search` does. See `lrtune.sampling.catalogue.Propose`.
    """
    tried = {space.key(trial.configuration) for trial in history} - {None}
    proposals: list[Configuration] = []
    sequence = points(space, seed, max(_SHORTEST, 4 * (len(history) + n)))
    for number in range(len(history), len(history) + n):
        if number == 0:
            point: Configuration | None = space.default()
        elif len(tried) >= space.size:
            return proposals
        else:
            point = next((each for each in sequence if space.key(each) not in tried), None)
        if point is None:  # no strategy knows better than chance which of the last points comes first
            return proposals + random_search.leftovers(space, history, proposals, n, seed)
        tried.add(space.key(point))
        proposals.append(point)
    return proposals


def points(space: SearchSpace, seed: int, most: int) -> Iterator[Configuration]:
    """Walk through at least `most` points of the sequence, which are made as they are asked for."""
    rng = stream(seed, SAMPLING, 0, 1)  # trial 0 is the default: nobody else draws from its stream
    sequence = qmc.Sobol(max(coordinates(space), 1), rng=rng)
    made, exponent = 0, 6
    while made < most:
        yield from (at(space, row) for row in sequence.random_base2(exponent).tolist())
        made, exponent = made + 2**exponent, exponent + (made > 0)


def coordinates(space: SearchSpace) -> int:
    """Count the coordinates that the points of a space need."""
    return sum(map(_coordinates, space.dimensions))


def _coordinates(dimension: Dimension) -> int:
    if isinstance(dimension, Choice):
        return 1 + max(coordinates(option.space) for option in dimension.options)
    return 1


def at(space: SearchSpace, row: Sequence[float]) -> dict[str, Value]:
    """Turn coordinates in [0, 1), as many as the space needs or more, into a point."""
    point: dict[str, Value] = {}
    start = 0
    for each in space.dimensions:
        if isinstance(each, Choice):
            option = each.options[int(row[start] * len(each.options))]
            point[each.name] = option.value
            point.update(at(option.space, row[start + 1 :]))
        else:
            point.update(each.sample(_Drawn(row[start])))
        start += _coordinates(each)
    return point


class _Drawn(NamedTuple):
    """A number that has been drawn already, for dimensions that draw one."""

    value: float

    def random(self) -> float:
        return self.value
