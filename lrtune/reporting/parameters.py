"""The search space as other tools see it: a flat list of parameters, each with a distribution, for each trial its own.

A dimension of a branch exists only in trials that chose the branch. Where two branches have a dimension of the same
name but not of the same kind, as a list of rates for one optimizer and a range for another, the name gets the branch
behind it: these tools take a name for one distribution.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from lrtune.text.written import cell

Scalar = bool | int | float | str | None
Dimensions = Sequence[Mapping[str, Any]]
"""A search space as `SearchSpace.canonical` describes it and a study's header keeps it."""


class Distribution(NamedTuple):
    """Where a parameter's values come from.

    Attributes
    ----------
    kind
        ``float`` and ``int`` are ranges with both ends included, ``choice`` is a list.
    low, high, log
        Of a range.
    choices
        Of a list; layer widths are texts such as ``64-64``.

    """

    kind: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[Scalar, ...] = ()

    def fits(self, other: Distribution) -> bool:
        """Tell whether one name can stand for both: ranges may have other ends, lists have to be the same."""
        if self.kind == "choice":
            return self == other
        return (self.kind, self.log) == (other.kind, other.log)


class Parameters:
    """Tells the parameters of each configuration of a space.

    Parameters
    ----------
    space
        The space.

    """

    def __init__(self, space: Dimensions) -> None:
        self._space = space
        self._shared = _shared_names(space)

    def of(self, configuration: Mapping[str, Any]) -> dict[str, tuple[Distribution, Scalar]]:
        """List the parameters that a configuration has, each with its distribution and value."""
        found = {}
        for branch, dimension in _chosen(self._space, configuration):
            name = dimension["name"]
            shown = name if name in self._shared or not branch else f"{name} ({branch})"
            found[shown] = (distribution(dimension), scalar(configuration[name]))
        return found


def distribution(dimension: Mapping[str, Any]) -> Distribution:
    """Describe a dimension; a reversed log scale, which other tools do not have, becomes a linear one."""
    kind = dimension["kind"]
    if kind == "choice":
        return Distribution("choice", choices=tuple(scalar(each["value"]) for each in dimension["options"]))
    if kind == "ordinal":
        return Distribution("choice", choices=tuple(dimension["values"]))
    low, high, log = dimension["low"], dimension["high"], dimension["scale"] == "log"
    if kind == "integer":
        return Distribution("int", low, high, log and low >= 1)
    return Distribution("float", low, high, log)


def scalar(value: Any) -> Scalar:
    """Write layer widths and the like as text; leave all else as it is."""
    return cell(tuple(value)) if isinstance(value, list | tuple) else value


def _shared_names(space: Dimensions) -> set[str]:
    """List the names that are free of contradictions."""
    first: dict[str, Distribution] = {}
    torn = set()
    for dimension in _all(space):
        found = distribution(dimension)
        if not first.setdefault(dimension["name"], found).fits(found):
            torn.add(dimension["name"])
    return set(first) - torn


def _all(space: Dimensions) -> Iterator[Mapping[str, Any]]:
    for each in space:
        yield each
        for option in each.get("options", ()):
            yield from _all(option["space"])


def _chosen(
    space: Dimensions, configuration: Mapping[str, Any], branch: str = ""
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Walk the branches that a configuration has taken."""
    for each in space:
        yield branch, each
        for option in each.get("options", ()):
            if scalar(option["value"]) == scalar(configuration[each["name"]]):
                yield from _chosen(option["space"], configuration, str(option["value"]))
