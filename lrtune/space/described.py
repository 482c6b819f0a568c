"""A search space from its description in JSON's types: the way back from `SearchSpace.canonical`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lrtune.space.dimensions import Description, Dimension, Integer, Ordinal, Real
from lrtune.space.tree import Choice, Option, SearchSpace
from lrtune.space.trial import frozen


def space_of(described: Iterable[Description]) -> SearchSpace:
    """Make the space that `SearchSpace.canonical` describes."""
    return SearchSpace(tuple(_dimension(each) for each in described))


def _dimension(described: Description) -> Dimension:
    name = described["name"]
    preferred: Any = frozen(described["default"])
    if described["kind"] == "choice":
        options = (Option(frozen(each["value"]), space_of(each["space"])) for each in described["options"])
        return Choice(name, tuple(options), preferred)
    if described["kind"] == "ordinal":
        return Ordinal(name, tuple(described["values"]), preferred, described["scale"])
    if described["kind"] == "integer":
        return Integer(name, int(described["low"]), int(described["high"]), preferred, described["scale"])
    return Real(name, described["low"], described["high"], preferred, described["scale"])
