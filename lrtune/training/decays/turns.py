"""When a decay jumps or bends: ``(factors of its plain formula, horizon) -> epochs``.

The epochs ascend, perhaps without end.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from lrtune.training.decays.resolved import Factors


def never(_given: Factors, _horizon: float) -> Iterable[float]:
    """Run smoothly."""
    return ()


def _multiples(length: float) -> Iterable[float]:
    return (index * length for index in itertools.count(1))


def step(given: Factors, _horizon: float) -> Iterable[float]:
    """Jump at even distances."""
    return _multiples(given["every"])


def multistep(given: Factors, _horizon: float) -> Iterable[float]:
    """Jump at the milestones."""
    return sorted(given["milestones"])


def exponential(given: Factors, _horizon: float) -> Iterable[float]:
    """Jump after each epoch, if it is a staircase."""
    return _multiples(1.0) if given["staircase"] else ()


def cosine_restarts(given: Factors, _horizon: float) -> Iterable[float]:
    """Jump to the peak of each cycle but the first."""
    lengths = (given["period"] * given["multiplier"] ** index for index in itertools.count())
    return itertools.accumulate(lengths)


def cyclical(given: Factors, _horizon: float) -> Iterable[float]:
    """Bend at the bottom and at the top of each cycle."""
    top = given["rise"] * given["period"]
    return (begin + part for begin in itertools.chain([0.0], _multiples(given["period"])) for part in (0.0, top))


def one_cycle(given: Factors, horizon: float) -> Iterable[float]:
    """Bend at the top, and where the tail begins."""
    top = given["rise"]
    return top * horizon, (top + (1.0 - top) * (1.0 - given["tail"])) * horizon


def wsd(given: Factors, horizon: float) -> Iterable[float]:
    """Bend where the cooldown begins."""
    return ((1.0 - given["cooldown"]) * horizon,)


def flat_cosine(given: Factors, horizon: float) -> Iterable[float]:
    """Bend where the fall begins."""
    return (given["flat"] * horizon,)
