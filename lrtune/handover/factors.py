"""Factors as the formulas take them."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from lrtune.training.decays.resolved import Factors
from lrtune.training.registry import DECAYS, Configuration


def factors(configuration: Configuration, prefix: str, horizon: float) -> Factors:
    """Compute the factors of a decay for its formula in plain Python.

    Parameters
    ----------
    configuration
        A complete configuration.
    prefix
        Where the decay stands in it: ``decay``, or ``decay.first`` in a join.
    horizon
        Epochs that the decay has.

    """
    entry = DECAYS[str(configuration[prefix])]
    keys = {each.name: f"{prefix}.{each.name}" for each in entry.factors}
    return entry.resolve({short: configuration[key] for short, key in keys.items() if key in configuration}, horizon)


def momentum_factors(height: Callable[..., float], resolved: Factors) -> Factors:
    """Pick from the factors of a cycled decay those of its height."""
    kinds = inspect.signature(height).parameters.values()
    return {each.name: resolved[each.name] for each in kinds if each.kind is each.KEYWORD_ONLY}
