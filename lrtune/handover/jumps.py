"""When a decay jumps or bends: the times at which the check of an exported file looks."""

from __future__ import annotations

import itertools

from lrtune.handover.factors import factors
from lrtune.training.declarations import number
from lrtune.training.registry import DECAYS, Configuration

JOIN = "join"
"""The decay that is written as two formulas, each with its own clock and horizon."""


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
    if name == JOIN:
        return _joined(configuration, prefix, horizon)
    times = DECAYS[name].turns(factors(configuration, prefix, horizon), horizon)
    return list(itertools.takewhile(lambda time: time < horizon, times))


def _joined(configuration: Configuration, prefix: str, horizon: float) -> list[float]:
    boundary = number(configuration[f"{prefix}.at"]) * horizon
    first = turning_times(configuration, f"{prefix}.first", boundary)
    second = turning_times(configuration, f"{prefix}.second", horizon - boundary)
    return [*first, boundary, *(boundary + time for time in second)]
