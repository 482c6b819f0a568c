"""Every configuration once: the default first, then the others in the order of the grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from lrtune.space import SearchSpace
from lrtune.space.trial import Configuration, Trial


def propose(space: SearchSpace, history: Sequence[Trial], n: int, seed: int) -> list[Configuration]:
    """Propose the first `n` points that the history does not have; see `lrtune.sampling.catalogue.Propose`.

    Raises
    ------
    SpaceError
        If a dimension is a real range.

    """
    del seed  # a grid draws nothing
    space.require_finite()
    tried = {space.key(trial.configuration) for trial in history}
    return list(islice((each for each in _in_order(space) if space.key(each) not in tried), n))


def _in_order(space: SearchSpace) -> Iterator[Configuration]:
    first = space.default()
    default = space.index(first)
    yield first
    for number in range(int(space.size)):
        if number != default:
            yield space.at(number)
