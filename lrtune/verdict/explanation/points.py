"""Points drawn from a space many at a time, encoded as the model sees them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lrtune.arrays import Doubles, Integers
from lrtune.sampling.encoding import Encoding, axis_key, place
from lrtune.space import Choice, SearchSpace
from lrtune.space.dimensions import Dimension, Integer, Ordinal


class Points(NamedTuple):
    """Some points of a space.

    Attributes
    ----------
    rows
        Encoded (M, columns).
    places
        What each dimension has (M,), by its axis: where a number lies in its range, from 0 to 1, or the number of an
        option; NaN where a point does not have it.

    """

    rows: Doubles
    places: dict[tuple[str, bool], Doubles]


def points_of(space: SearchSpace, encoding: Encoding, count: int, rng: np.random.Generator) -> Points:
    """Draw so many points as `SearchSpace.sample` does, options all alike and numbers uniformly on their scale."""
    found = Points(np.zeros((count, encoding.columns)), {})
    _draw(space, np.arange(count), found, encoding, rng)
    return found


def _draw(space: SearchSpace, members: Integers, found: Points, encoding: Encoding, rng: np.random.Generator) -> None:
    """Draw the dimensions of a part of the tree for the points that are there."""
    for each in space.dimensions:
        places = _places(each, rng.random(len(members)))
        encoding.write(found.rows, members, each, places)
        known = found.places.setdefault(axis_key(each), np.full(len(found.rows), np.nan))
        known[members] = places
        for number, option in enumerate(each.options if isinstance(each, Choice) else ()):
            _draw(option.space, members[places == number], found, encoding, rng)


def _places(dimension: Dimension, fractions: Doubles) -> Doubles:
    """Turn uniform numbers into places of a dimension."""
    if isinstance(dimension, Choice):
        return np.floor(fractions * len(dimension.options))
    if dimension.size == 1:
        return np.full(len(fractions), 0.5)
    if isinstance(dimension, Ordinal):
        return np.floor(fractions * len(dimension.values)) / (len(dimension.values) - 1)
    if isinstance(dimension, Integer):
        return np.array([place(dimension, dimension.value(each)) for each in fractions.tolist()])
    return fractions
