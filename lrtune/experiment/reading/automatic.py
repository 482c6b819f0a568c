"""``learning_rate: auto`` in a space, once the ranges are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lrtune.experiment.reading.sections import AUTO
from lrtune.training.registry import OPTIMIZERS, TRAINING_KEYS, Factor, Range

Ends = tuple[float, float]


def asking(space: Mapping[str, Any]) -> tuple[str, ...]:
    """List the optimizers whose learning rate is ``auto`` in a space, in the form of the file."""
    outer = space.get("learning_rate") == AUTO
    return tuple(_name(each) for each in _items(space) if _asks(each, outer=outer))


def names(space: Mapping[str, Any]) -> tuple[str, ...]:
    """List the optimizers of a space, in the form of the file."""
    return tuple(_name(each) for each in _items(space))


def fill(space: dict[str, Any], ranges: Mapping[str, Ends]) -> None:
    """Replace every ``auto`` in a space, in the form of the file, by a range; changes the mapping that is given."""
    outer = space.get("learning_rate") == AUTO
    if outer:
        del space["learning_rate"]
    usual = TRAINING_KEYS["optimizer"].default
    if "optimizer" not in space and outer:
        space["learning_rate"] = _range(str(usual), ranges)
        return
    given = space.get("optimizer")
    if isinstance(given, list):
        space["optimizer"] = [_branch(each, ranges, outer=outer) for each in given]
    elif given is not None:
        space["optimizer"] = _branch(given, ranges, outer=outer)


def _items(space: Mapping[str, Any]) -> list[Any]:
    given = space.get("optimizer", TRAINING_KEYS["optimizer"].default)
    return given if isinstance(given, list) else [given]


def _name(item: Any) -> str:
    return str(next(iter(item)) if isinstance(item, Mapping) else item)


def _factors(item: Any) -> Mapping[str, Any]:
    return (item[_name(item)] or {}) if isinstance(item, Mapping) else {}


def _asks(item: Any, *, outer: bool) -> bool:
    """Tell whether an optimizer's own learning rate is ``auto``, or it has none and the one outside is."""
    return bool(_factors(item).get("learning_rate", AUTO if outer else None) == AUTO)


def _branch(item: Any, ranges: Mapping[str, Ends], *, outer: bool) -> Any:
    if not _asks(item, outer=outer):
        return item
    return {_name(item): {**_factors(item), "learning_rate": _range(_name(item), ranges)}}


def _range(optimizer: str, ranges: Mapping[str, Ends]) -> dict[str, Any]:
    rate = OPTIMIZERS[optimizer].rate
    return _written(*ranges[optimizer], rate) if optimizer in ranges else documented(rate)


def documented(rate: Factor) -> dict[str, Any]:
    """Write the documented range of a learning rate in the form of the file."""
    assert isinstance(rate.search, Range)
    return _written(rate.search.low, rate.search.high, rate)


def _written(low: float, high: float, rate: Factor) -> dict[str, Any]:
    return {"low": low, "high": high, "scale": rate.scale}
