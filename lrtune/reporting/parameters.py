"""The search space as other tools see it: a flat list of parameters, each with a distribution, for each trial its own.

A dimension of a branch exists only in trials that chose the branch. Where two branches have a dimension of the same
name but not of the same kind, as a list of rates for one optimizer and a range for another, the name gets the branch
behind it: these tools take a name for one distribution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lrtune.reporting.tables import branch_text
from lrtune.space import Choice
from lrtune.space.dimensions import LOG, Integer, Ordinal, Real
from lrtune.text.written import cell

if TYPE_CHECKING:
    from lrtune.space import SearchSpace
    from lrtune.space.dimensions import Dimension
    from lrtune.space.trial import Configuration, Value

Scalar = bool | int | float | str | None


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

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._shared = _shared_names(space)

    def of(self, configuration: Configuration) -> dict[str, tuple[Distribution, Scalar]]:
        """List the parameters that a configuration has, each with its distribution and value."""
        found = {}
        for place in self._space.active(configuration):
            name = place.name
            branch = branch_text(place.where[-1][1]) if place.where else ""
            shown = name if name in self._shared or not branch else f"{name} ({branch})"
            found[shown] = (distribution(place.dimension), scalar(configuration[name]))
        return found


def distribution(dimension: Dimension) -> Distribution:
    """Describe a dimension; a reversed log scale, which other tools do not have, becomes a linear one."""
    if isinstance(dimension, Choice):
        return Distribution("choice", choices=tuple(scalar(each.value) for each in dimension.options))
    if isinstance(dimension, Ordinal):
        return Distribution("choice", choices=dimension.values)
    assert isinstance(dimension, Integer | Real)
    low, high, log = dimension.low, dimension.high, dimension.scale == LOG
    if isinstance(dimension, Integer):
        return Distribution("int", low, high, log and low >= 1)
    return Distribution("float", low, high, log)


def scalar(value: Value) -> Scalar:
    """Write layer widths and the like as text; leave all else as it is."""
    return cell(value) if isinstance(value, tuple) else value


def _shared_names(space: SearchSpace) -> set[str]:
    """List the names that are free of contradictions."""
    first: dict[str, Distribution] = {}
    torn = set()
    for place in space.places():
        found = distribution(place.dimension)
        if not first.setdefault(place.name, found).fits(found):
            torn.add(place.name)
    return set(first) - torn
