"""What an omitted `space` means, in the form of the file."""

from __future__ import annotations

from typing import Any

from lrtune.experiment.reading.document import Values
from lrtune.experiment.writing.yaml_text import plain
from lrtune.training.registry import DECAYS, OPTIMIZERS, Factor, Range

DEFAULT_OPTIMIZERS = ("adam", "momentum")
DEFAULT_DECAYS = ("linear", "cosine", "exponential", "step", "constant")
"""One of each kind: to zero, smooth, steady, in drops, and the control that the others have to beat."""


def default_space() -> Values:
    """Give the space that an experiment without one has, in the form of the file.

    Each optimizer has a learning rate of its own, over its documented range; each decay has its documented factors.
    """
    optimizers = [{name: {"learning_rate": _dimension(OPTIMIZERS[name].rate)}} for name in DEFAULT_OPTIMIZERS]
    decays = [_searched(name, DECAYS[name].factors) for name in DEFAULT_DECAYS]
    return {"optimizer": optimizers, "decay": decays}


def _searched(name: str, factors: tuple[Factor, ...]) -> Any:
    dimensions = {each.name: _dimension(each) for each in factors if each.search is not None}
    for each in factors:
        if each.name in dimensions:
            dimensions.pop(each.replaces, None)
    return {name: dimensions} if dimensions else name


def _dimension(factor: Factor) -> Any:
    """Write a factor's documented dimension in the form of the file."""
    if isinstance(factor.search, Range):
        return {"low": factor.search.low, "high": factor.search.high, "scale": factor.scale}
    return plain(factor.search)
