"""A search space of plain values with any names, in the form of the experiment file's ``space``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import NoneType
from typing import Any

from lrtune.experiment import parse_space
from lrtune.experiment.reading.document import Values
from lrtune.experiment.reading.grouped import apart
from lrtune.space import Choice, Option, SearchSpace
from lrtune.space.dimensions import LINEAR, LOG, SCALES, Dimension, Integer, Ordinal, Real, spaced
from lrtune.space.trial import Value, frozen
from lrtune.text.errors import SpaceError, nearest
from lrtune.training.registry import KEYS


def plain(value: Any) -> Any:
    """Turn NumPy's numbers and arrays into Python's, inside lists and mappings too."""
    if isinstance(value, Mapping):
        return {plain(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value.tolist() if hasattr(value, "tolist") else value


def kind_of(value: Any) -> str:
    """Name what was got instead of something else."""
    return "None" if value is None else f"a value of type {type(value).__name__}"


def read_space(space: Values) -> SearchSpace:
    """Read a space in the form of the experiment file; one with foreign names is taken as it is.

    Raises
    ------
    ExperimentError, SpaceError
        If it is wrong.

    """
    if not isinstance(space, Mapping):
        raise SpaceError(f"space: expected a mapping from names to what may be tried, got {kind_of(space)}")
    if all(each in KEYS for each in apart(space)):
        return parse_space(plain(space))
    return _product("", "", plain(space))


_RANGE = ("low", "high", "scale", "points")


_SCALARS = (bool, int, float, str, NoneType)


def _product(prefix: str, where: str, values: Mapping[Any, Any]) -> SearchSpace:
    """Make a space of a mapping; no key may be set from two places at once."""
    dimensions = tuple(_dimension(f"{prefix}{key}", f"{where}{key}", value) for key, value in values.items())
    taken: set[str] = set()
    for each in dimensions:
        names = set(SearchSpace((each,)).names())
        if twice := sorted(names & taken):
            raise SpaceError(f"space: {where}{each.name}: '{twice[0]}' is there twice; a point has one value of it")
        taken |= names
    return SearchSpace(dimensions)


def _dimension(name: str, where: str, value: Any) -> Dimension:
    if isinstance(value, Mapping):
        return _range(name, where, value)
    items = list(value) if isinstance(value, list | tuple) else [value]
    if not items:
        raise SpaceError(f"space: {where}: an empty list offers nothing to pick")
    numbers = sorted(each for each in items if _is_number(each))
    if len(numbers) == len(items):
        if len(set(numbers)) < len(numbers):
            raise SpaceError(f"space: {where}: a number is listed twice")
        return Ordinal(name, tuple(numbers), numbers[len(numbers) // 2])
    options = tuple(_option(name, where, each) for each in items)
    if len({(isinstance(each.value, bool), each.value) for each in options}) < len(options):
        raise SpaceError(f"space: {where}: an option is listed twice")
    return Choice(name, options, options[0].value)


def _option(name: str, where: str, item: Any) -> Option:
    if not isinstance(item, Mapping):
        return Option(_value(where, item))
    if len(item) != 1:
        raise SpaceError(f"space: {where}: a branch is a mapping with one key, got {len(item)} keys")
    ((value, factors),) = item.items()
    if not isinstance(factors, Mapping | None):
        raise SpaceError(f"space: {where}.{value}: expected a mapping of the branch's factors, got {factors!r}")
    return Option(_value(where, value), _product(f"{name}.", f"{where}.{value}.", factors or {}))


def _value(where: str, value: Any) -> Value:
    """Take a scalar, or a list of scalars as one value."""
    parts = value if isinstance(value, list | tuple) else (value,)
    for each in parts:
        if not isinstance(each, _SCALARS) or (isinstance(each, float) and not math.isfinite(each)):
            raise SpaceError(f"space: {where}: a value is a finite number, a text, true, false or null; got {each!r}")
    return frozen(value)


def _range(name: str, where: str, value: Values) -> Dimension:
    unknown = [str(each) for each in value if each not in _RANGE]
    if unknown:
        raise SpaceError(f"space: {where}: unknown key of a range '{unknown[0]}'; {nearest(unknown[0], _RANGE)}")
    low: Any = value.get("low")
    high: Any = value.get("high")
    scale, points = value.get("scale", LINEAR), value.get("points")
    if scale not in SCALES:
        raise SpaceError(f"space: {where}: unknown scale '{scale}'; {nearest(str(scale), SCALES)}")
    if not _is_number(low) or not _is_number(high) or not low <= high:
        raise SpaceError(f"space: {where}: a range needs numbers, low below high; got {low} and {high}")
    if points is not None and (type(points) is not int or points < 2):
        raise SpaceError(f"space: {where}: points is a whole number of at least 2; got {points}")
    if low == high:
        return Ordinal(name, (low,), low)
    if scale != LINEAR and (low <= 0 if scale == LOG else high >= 1):
        raise SpaceError(f"space: {where}: a {scale} scale does not reach from {low} to {high}; `scale: linear` does")
    whole = isinstance(low, int) and isinstance(high, int)
    if points is not None:
        values = spaced(low, high, points, scale=scale, whole=whole)
        return Ordinal(name, values, values[len(values) // 2], scale)
    if whole:
        dimension = Integer(name, low, high, low, scale)
        return Integer(name, low, high, dimension.value(0.5), scale)
    return Real(name, low, high, Real(name, low, high, low, scale).value(0.5), scale)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
