"""Rate factors: what multiplies a lane's rate in each group of its parameters.

The groups are the weights of the ``first``, the ``hidden`` and the ``last`` layers, every ``bias``, and all of the
``embedding`` of numbers. The matrix of a linear model is the last one. As in the parameter groups of PyTorch, a factor
multiplies whatever the rate multiplies: the step, and the weight decay that acts on the parameters.

A factor times 1 changes no bit, so a lane that asks for nothing is the same in the company of one that does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lrtune.arrays import Array
from lrtune.training.declarations import Configuration, number
from lrtune.training.networks import Network, parted, split
from lrtune.training.registry import RATE_GROUPS


def asks(configuration: Configuration) -> bool:
    """Tell whether a complete configuration has a factor other than 1."""
    return any(configuration[key] != 1.0 for key in RATE_GROUPS.values())


def rate_factors(configurations: Sequence[Configuration], network: Network, dtype: np.dtype[Any]) -> Array | None:
    """Lay the factors of complete configurations out as ``(C, 1, P)``; None if nobody asks for any."""
    if not any(map(asks, configurations)):
        return None
    table = np.ones((len(configurations), 1, network.size), dtype)
    for row, configuration in zip(table, configurations, strict=True):
        given = {group: number(configuration[key]) for group, key in RATE_GROUPS.items()}
        stack, layers = parted(network, split(network, row[0]))
        for block in stack:
            block[...] = given["embedding"]
        for place, layer in enumerate(layers):
            layer[:, :-1] = given[group_of(place, len(layers))]
            layer[:, -1] = given["bias"]
    return table


def group_of(place: int, layers: int) -> str:
    """Name the group of the weights of a layer.

    >>> [group_of(place, 4) for place in range(4)], group_of(0, 1)
    (['first', 'hidden', 'hidden', 'last'], 'last')
    """
    if place == layers - 1:
        return "last"
    return "hidden" if place else "first"
