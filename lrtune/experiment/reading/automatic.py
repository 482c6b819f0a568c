"""Optimizers of a space, in the form of the file: their own keys, and ``learning_rate: auto`` once ranges are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lrtune.experiment.reading.document import Values
from lrtune.experiment.reading.grouped import apart, together
from lrtune.experiment.reading.sections import AUTO
from lrtune.training.registry import OPTIMIZERS, TRAINING_KEYS, Factor, Range

Ends = tuple[float, float]


def asking(space: Values) -> tuple[str, ...]:
    """List the optimizers whose learning rate is ``auto`` in a space, in the form of the file."""
    outer = space.get("learning_rate") == AUTO
    return tuple(_name(each) for each in _items(space) if _asks(each, outer=outer))


def names(space: Values) -> tuple[str, ...]:
    """List the optimizers of a space, in the form of the file."""
    return tuple(_name(each) for each in _items(space))


def filled(space: Values, ranges: Mapping[str, Ends]) -> Values:
    """Replace every ``auto`` in a space, in the form of the file, by a range."""
    outer = space.get("learning_rate") == AUTO
    rest = {key: each for key, each in space.items() if not (outer and key == "learning_rate")}
    usual = TRAINING_KEYS["optimizer"].default
    if "optimizer" not in space and outer:
        return {**rest, "learning_rate": _range(str(usual), ranges)}
    given = space.get("optimizer")
    if isinstance(given, list):
        return {**rest, "optimizer": [_branch(each, ranges, outer=outer) for each in given]}
    return rest if given is None else {**rest, "optimizer": _branch(given, ranges, outer=outer)}


def without_own(space: Values, key: str) -> Values:
    """Take a key out of the branches of all optimizers, so that the one outside holds for each of them.

    >>> without_own({"optimizer": [{"sgd": {"ema": 0.9}}, "adam"], "ema": 0.5}, "ema")
    {'optimizer': ['sgd', 'adam'], 'ema': 0.5}
    """
    given = space.get("optimizer")
    if isinstance(given, list):
        return {**space, "optimizer": [_without(each, key) for each in given]}
    return {**space, "optimizer": _without(given, key)} if isinstance(given, Mapping) else space


def _without(item: Any, key: str) -> Any:
    """Take a key out of an optimizer's branch; one that is left empty becomes a name."""
    if not isinstance(item, Mapping) or len(item) != 1 or not isinstance(item[_name(item)], Mapping):
        return item
    kept = together({each: value for each, value in apart(item[_name(item)]).items() if each != key})
    return {_name(item): kept} if kept else _name(item)


def _items(space: Values) -> list[Any]:
    given = space.get("optimizer", TRAINING_KEYS["optimizer"].default)
    return given if isinstance(given, list) else [given]


def _name(item: Any) -> str:
    return str(next(iter(item)) if isinstance(item, Mapping) else item)


def _factors(item: Any) -> Values:
    return (item[_name(item)] or {}) if isinstance(item, Mapping) else {}


def _asks(item: Any, *, outer: bool) -> bool:
    """Tell whether an optimizer's own learning rate is ``auto``, or it has none and the one outside is."""
    return bool(_factors(item).get("learning_rate", AUTO if outer else None) == AUTO)


def _branch(item: Any, ranges: Mapping[str, Ends], *, outer: bool) -> Any:
    if not _asks(item, outer=outer):
        return item
    return {_name(item): {**_factors(item), "learning_rate": _range(_name(item), ranges)}}


def _range(optimizer: str, ranges: Mapping[str, Ends]) -> Values:
    rate = OPTIMIZERS[optimizer].rate
    return _written(*ranges[optimizer], rate) if optimizer in ranges else documented(rate)


def documented(rate: Factor) -> Values:
    """Write the documented range of a learning rate in the form of the file."""
    assert isinstance(rate.search, Range)
    return _written(rate.search.low, rate.search.high, rate)


def _written(low: float, high: float, rate: Factor) -> Values:
    return {"low": low, "high": high, "scale": rate.scale}
