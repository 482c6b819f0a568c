"""Independent draws that never repeat a configuration while there is another one left.

Bergstra & Bengio 2012, "Random search for hyper-parameter optimization", JMLR 13.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from lrtune.arrays import SAMPLING, stream
from lrtune.space import SearchSpace
from lrtune.space.trial import Configuration, Trial

if TYPE_CHECKING:
    import numpy as np

_ATTEMPTS = 100  # then a finite space hands out one of its untried points directly
_ATTEMPTS_OF_RANGES = 10_000  # an infinite space only looks exhausted if its ranges hide behind rare choices


def propose(space: SearchSpace, history: Sequence[Trial], n: int, seed: int) -> list[Configuration]:
    """Propose the next `n` draws; see `lrtune.sampling.catalogue.Propose`.

    Trial *i* draws from the stream ``[seed, SAMPLING, i]``, so a study can be resumed at any trial. A draw that repeats
    an earlier configuration is drawn again from ``[seed, SAMPLING, i, attempt]``, attempt = 1, 2, ...
    """
    tried = {space.key(trial.configuration) for trial in history} - {None}
    proposals: list[Configuration] = []
    for number in range(len(history), len(history) + n):
        point = space.default() if number == 0 else _untried(space, tried, seed, number)
        if point is None:
            break
        tried.add(space.key(point))
        proposals.append(point)
    return proposals


def leftovers(
    space: SearchSpace, history: Sequence[Trial], picked: Sequence[Configuration], n: int, seed: int
) -> list[Configuration]:
    """Draw what is missing to `n` proposals, where a strategy found nothing new in a space that is nearly tried."""
    if len(picked) == n:
        return []
    proposed = (Trial(number, point) for number, point in enumerate(picked, len(history)))
    return propose(space, [*history, *proposed], n - len(picked), seed)


def _untried(space: SearchSpace, tried: AbstractSet[Any], seed: int, number: int) -> Configuration | None:
    """Draw until something new comes; None if nothing new is left."""
    if len(tried) >= space.size:
        return None
    attempts = _ATTEMPTS_OF_RANGES if math.isinf(space.size) else _ATTEMPTS
    for attempt in range(attempts):
        # the first stream has no fourth word: NumPy takes a missing word for 0, so attempts count from 1
        point = space.sample(_stream(seed, number, attempt))
        if space.key(point) not in tried:
            return point
    return None if math.isinf(space.size) else _leftover(space, tried, _stream(seed, number, attempts))


def _leftover(space: SearchSpace, tried: AbstractSet[Any], rng: np.random.Generator) -> Configuration:
    """Choose any of the untried points of a finite space, all alike, without listing them."""
    indices = sorted(space.index(dict(each)) for each in tried)
    index = int(rng.random() * (space.size - len(indices)))
    for each in indices:
        index += each <= index
    return space.at(index)


def _stream(seed: int, number: int, attempt: int) -> np.random.Generator:
    return stream(seed, SAMPLING, number, *([attempt] if attempt else []))
