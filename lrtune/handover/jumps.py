"""When a decay jumps or bends: the times at which the check of an exported file looks."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

from lrtune.handover.factors import Factors, factors
from lrtune.training.declarations import number
from lrtune.training.registry import Configuration


def turning_times(configuration: Configuration, prefix: str, horizon: float) -> list[float]:
    """List the epochs before the horizon at which a decay changes other than smoothly.

    Parameters
    ----------
    configuration
        A complete configuration.
    prefix
        Where the decay stands in it.
    horizon
        Epochs that the decay has.

    """
    name = str(configuration[prefix])
    if name == "join":
        return _joined(configuration, prefix, horizon)
    if name not in _TIMES:
        return []
    times = _TIMES[name](factors(configuration, prefix, horizon), horizon)
    return list(itertools.takewhile(lambda time: time < horizon, times))


def _joined(configuration: Configuration, prefix: str, horizon: float) -> list[float]:
    boundary = number(configuration[f"{prefix}.at"]) * horizon
    first = turning_times(configuration, f"{prefix}.first", boundary)
    second = turning_times(configuration, f"{prefix}.second", horizon - boundary)
    return [*first, boundary, *(boundary + time for time in second)]


def _multiples(length: float) -> Iterable[float]:
    return (index * length for index in itertools.count(1))


def _step(given: Factors, _horizon: float) -> Iterable[float]:
    return _multiples(given["every"])


def _multistep(given: Factors, _horizon: float) -> Iterable[float]:
    return sorted(given["milestones"])


def _exponential(given: Factors, _horizon: float) -> Iterable[float]:
    return _multiples(1.0) if given["staircase"] else ()


def _cosine_restarts(given: Factors, _horizon: float) -> Iterable[float]:
    lengths = (given["period"] * given["multiplier"] ** index for index in itertools.count())
    return itertools.accumulate(lengths)


def _cyclical(given: Factors, _horizon: float) -> Iterable[float]:
    top = given["rise"] * given["period"]
    return (begin + part for begin in itertools.chain([0.0], _multiples(given["period"])) for part in (0.0, top))


def _one_cycle(given: Factors, horizon: float) -> Iterable[float]:
    top = given["rise"]
    return top * horizon, (top + (1.0 - top) * (1.0 - given["tail"])) * horizon


def _wsd(given: Factors, horizon: float) -> Iterable[float]:
    return ((1.0 - given["cooldown"]) * horizon,)


_TIMES: dict[str, Callable[[dict[str, Any], float], Iterable[float]]] = {
    "step": _step,
    "multistep": _multistep,
    "exponential": _exponential,
    "cosine_restarts": _cosine_restarts,
    "cyclical": _cyclical,
    "one_cycle": _one_cycle,
    "wsd": _wsd,
}
"""In ascending order, perhaps without end."""
