"""When a decay jumps or bends: ``(factors of its plain formula, horizon) -> epochs``.

The epochs ascend, perhaps without end.
"""

from __future__ import annotations

import itertools
import math
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
    """Jump after each epoch, if it is a staircase; else bend at the floor."""
    if given["staircase"]:
        return _multiples(1.0)
    meets = given["floor"] > 0.0 and given["k"] > 0.0
    return (-math.log(given["floor"]) / given["k"],) if meets else ()


def inverse_time(given: Factors, _horizon: float) -> Iterable[float]:
    """Bend at the floor."""
    meets = given["floor"] > 0.0 and given["k"] > 0.0
    return ((1.0 / given["floor"] - 1.0) / given["k"],) if meets else ()


def cosine_restarts(given: Factors, _horizon: float) -> Iterable[float]:
    """Jump to the peak of each cycle but the first, or bend at the bottom and at the top."""
    start, length = 0.0, given["period"]
    while True:
        if given["rise"] > 0.0:
            yield start + given["rise"] * length
        start, length = start + length, length * given["multiplier"]
        yield start


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
