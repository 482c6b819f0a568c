"""Scalars, lists and ranges of the file's `space` -> the leaves of a search space.

A range whose ends are equal is the same as the scalar, so that narrowing a range to a point needs no other form.
Lists of numbers are sorted: they are ordinal, so the order of writing must not make another study. Other lists keep
their order; their first item is the default where the documented one is not offered.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from lrtune.experiment.reading.document import Document, KeyPath, Values, repeated, shown
from lrtune.experiment.reading.vocabulary import LISTS, OWN, Member, coerced, illegal
from lrtune.space import Choice, Option
from lrtune.space.dimensions import LINEAR, LOG, REVERSED_LOG, SCALES, Dimension, Integer, Ordinal, Real, spaced
from lrtune.text.errors import nearest
from lrtune.training.registry import Factor, Value, check_value, describe_range

_RANGE_KEYS = ("low", "high", "scale", "points")
_POINTS = Factor("points", 5, "number of values", low=2, high=10_000, kind="int")


class Legal(NamedTuple):
    """A checked value; wrapped because null is a legal value as well."""

    value: Value


def read_leaf(document: Document, value: Any, path: KeyPath, member: Member) -> Dimension | None:
    """Read a value that has no branches; None after reporting what is wrong with it."""
    if isinstance(value, dict):
        return _range(document, value, path, _of_numbers(value, member))
    if isinstance(value, list):
        return _list(document, value, path, member)
    fixed = _legal(document, value, path, member.factor)
    return None if fixed is None else _listed(member, [fixed.value])


def _of_numbers(value: Values, member: Member) -> Member:
    """Take a parameter of which nothing is known for a number where it has a range, for a whole one if the ends are."""
    if member.factor.kind != OWN:
        return member
    whole = all(type(value.get(end)) is int for end in ("low", "high"))
    return member._replace(factor=member.factor._replace(kind="int" if whole else "float"))


def _legal(document: Document, value: Any, path: KeyPath, factor: Factor) -> Legal | None:
    legal = coerced(value, factor)
    if isinstance(value, dict):
        problem: str | None = f"expected {describe_range(factor)}, got {shown(value)}"
    else:
        problem = illegal(factor, legal)
    if problem:
        document.report(path, problem)
        return None
    return Legal(legal)


def _list(document: Document, values: list[Any], path: KeyPath, member: Member) -> Dimension | None:
    if not values:
        document.report(path, "an empty list offers nothing to pick")
        return None
    if member.factor.kind in LISTS and not any(isinstance(each, list) for each in values):
        document.report(path, f"a list means pick one, so a single value is a list in a list: {shown([values])}")
        return None
    found = [_legal(document, each, (*path, number), member.factor) for number, each in enumerate(values)]
    legal = [each.value for each in found if each is not None]
    twice = repeated(legal)
    for number in twice:
        document.report((*path, number), f"{shown(legal[number])} is listed twice")
    return None if twice or len(legal) < len(values) else _listed(member, legal)


def _listed(member: Member, values: list[Value]) -> Dimension:
    """Make the dimension of a list: ordinal if all are numbers, else a choice."""
    key, factor = member
    numbers = sorted(each for each in values if isinstance(each, int | float) and not isinstance(each, bool))
    if len(numbers) == len(values):
        return Ordinal(key, tuple(numbers), _preferred(factor, numbers[0], numbers[-1], LINEAR), factor.scale)
    return Choice(key, tuple(Option(each) for each in values), factor.default)


def _range(document: Document, value: Values, path: KeyPath, member: Member) -> Dimension | None:
    factor = member.factor
    if factor.kind not in ("float", "int"):
        document.report(path, f"expected {describe_range(factor)}, or a list of them, got {shown(value)}")
        return None
    before = len(document.problems)
    for key in [each for each in value if each not in _RANGE_KEYS]:
        document.report((*path, key), f"unknown key of a range; {nearest(key, _RANGE_KEYS)}")
    missing = [key for key in ("low", "high") if key not in value]
    if missing:
        document.report(path, f"a range needs 'low' and 'high'; missing: {', '.join(missing)}")
    low, high = (_end(document, value, path, factor, key) for key in ("low", "high"))
    scale = value.get("scale", factor.scale)
    if scale not in SCALES:
        document.report((*path, "scale"), f"unknown scale {shown(scale)}; {nearest(str(scale), SCALES)}")
    if "points" in value and (problem := check_value(_POINTS, value["points"])):
        document.report((*path, "points"), problem)
    if low is None or high is None or len(document.problems) > before:
        return None
    if low == high:
        return _listed(member, [low])
    if problem := _misfit(low, high, scale):
        document.report(path, problem)
        return None
    return _between(low, high, scale, value.get("points"), member)


def _end(document: Document, value: Values, path: KeyPath, factor: Factor, key: str) -> float | None:
    legal = _legal(document, value[key], (*path, key), factor._replace(optional=False)) if key in value else None
    return legal.value if legal is not None and isinstance(legal.value, int | float) else None


def _misfit(low: float, high: float, scale: str) -> str | None:
    """Say why two legal ends do not make a range."""
    if low > high:
        return f"low must be below high, got {shown(low)} and {shown(high)}"
    if scale == LOG and low <= 0:
        return f"low must be above 0 on a log scale, got {shown(low)}; `scale: linear` allows it"
    if scale == REVERSED_LOG and high >= 1:
        return f"high must be below 1 on a {scale} scale, got {shown(high)}; `scale: linear` allows it"
    if scale == REVERSED_LOG and 1.0 - low == 1.0 - high:
        return f"low and high are the same on a {scale} scale; `scale: linear` tells them apart"
    return None


def _between(low: float, high: float, scale: str, points: int | None, member: Member) -> Dimension:
    key, factor = member
    whole = factor.kind == "int"
    preferred = _preferred(factor, low, high, scale)
    if points is not None:
        return Ordinal(key, spaced(low, high, points, scale=scale, whole=whole), preferred, scale)
    if whole:
        return Integer(key, int(low), int(high), round(preferred), scale)
    return Real(key, low, high, preferred, scale)


def _preferred(factor: Factor, low: float, high: float, scale: str) -> float:
    """Give the documented default, or the middle where that is null, which is near to no number."""
    if isinstance(factor.default, int | float):
        return factor.default
    return low if low == high else Real(factor.name, low, high, low, scale).value(0.5)
