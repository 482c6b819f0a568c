"""The leaves of a search space: ranges and lists of numbers, and the scales that they are measured on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, TypedDict

from lrtune.space.trial import Configuration, Value
from lrtune.text.errors import SpaceError

LINEAR, LOG, REVERSED_LOG = "linear", "log", "reversed_log"
SCALES = (LINEAR, LOG, REVERSED_LOG)
"""``reversed_log`` is a log scale of ``1 - x``: 0.9, 0.99 and 0.999 are equally far apart."""

_DIGITS = 4  # of a drawn value: finer than any effect, and what is printed is what was trained


class Random(Protocol):
    """A source of numbers; both `numpy.random.Generator` and `random.Random` are one."""

    def random(self) -> float:
        """Draw from [0, 1)."""


class RangeDescription(TypedDict):
    """A range in JSON's types."""

    name: str
    kind: Literal["real", "integer"]
    low: float
    high: float
    scale: str
    default: object


class OrdinalDescription(TypedDict):
    """A list of numbers in JSON's types."""

    name: str
    kind: Literal["ordinal"]
    values: list[float]
    scale: str
    default: object


class OptionDescription(TypedDict):
    """An option of a choice in JSON's types, with the dimensions of its own space."""

    value: object
    space: list[Description]


class ChoiceDescription(TypedDict):
    """A choice (`lrtune.space.tree.Choice`) in JSON's types."""

    name: str
    kind: Literal["choice"]
    options: list[OptionDescription]
    default: object


Description: TypeAlias = RangeDescription | OrdinalDescription | ChoiceDescription
"""What a dimension is, in JSON's types: by it two spaces are compared."""


class Dimension(Protocol):
    """What every dimension can do."""

    @property
    def name(self) -> str:
        """The flat key that it sets."""

    @property
    def size(self) -> int | float:
        """How many points it has, `math.inf` for a real range."""

    def default(self) -> dict[str, Value]:
        """Give the documented default, or the nearest legal value."""

    def sample(self, rng: Random) -> dict[str, Value]:
        """Draw a point, uniformly on the dimension's scale."""

    def at(self, index: int) -> dict[str, Value]:
        """Give point number `index`, 0 <= index < size."""

    def index(self, point: Configuration) -> int:
        """Turn `at` round: the number of a point that is contained."""

    def point(self, configuration: Configuration) -> dict[str, Value] | None:
        """Take what belongs to this dimension out of a configuration; None if it is missing or illegal."""

    def unbounded(self) -> Iterator[str]:
        """List the names of the real ranges in it, which no grid can walk."""

    def canonical(self) -> Description:
        """Describe it in JSON's types, completely and independent of how it was written."""


@dataclass(frozen=True, slots=True)
class Real:
    """A range of real numbers, both ends included."""

    name: str
    low: float
    high: float
    preferred: float
    scale: str = LINEAR

    @property
    def size(self) -> float:
        """Infinitely many points."""
        return math.inf

    def default(self) -> dict[str, Value]:
        """Clip the preferred value into the range."""
        return {self.name: min(max(self.preferred, self.low), self.high)}

    def value(self, fraction: float) -> float:
        """Give the value at a fraction of the range, from 0 to 1, measured on the scale; rounded to what matters."""
        low, high = warp(self.low, self.scale), warp(self.high, self.scale)
        exact = unwarp(low + fraction * (high - low), self.scale)
        return min(max(self._rounded(exact), self.low), self.high)

    def _rounded(self, value: float) -> float:
        if self.scale == LINEAR:
            return round(value, _DIGITS - 1 - math.floor(math.log10(self.high - self.low)))
        if self.scale == REVERSED_LOG:
            return round(1.0 - _significant(1.0 - value, 1.0 - self.high, 1.0 - self.low), 15)
        return _significant(value, self.low, self.high)

    def sample(self, rng: Random) -> dict[str, Value]:
        """Draw uniformly on the scale."""
        return {self.name: self.value(rng.random())}

    def at(self, index: int) -> dict[str, Value]:
        """Refuse: a range has no first point."""
        raise SpaceError(f"{self.name} is a range and cannot be counted (asked for point {index}); give it `points: 5`")

    def index(self, point: Configuration) -> int:
        """Refuse: a range has no first point."""
        raise SpaceError(f"{self.name} is a range and cannot be counted ({point[self.name]}); give it `points: 5`")

    def point(self, configuration: Configuration) -> dict[str, Value] | None:
        """Accept any number between the ends."""
        value = _number(configuration.get(self.name))
        return {self.name: float(value)} if value is not None and self.low <= value <= self.high else None

    def unbounded(self) -> Iterator[str]:
        """Name itself."""
        yield self.name

    def canonical(self) -> RangeDescription:
        """Describe ends, scale and default."""
        return _described("real", self)


@dataclass(frozen=True, slots=True)
class Integer:
    """A range of whole numbers, both ends included."""

    name: str
    low: int
    high: int
    preferred: int
    scale: str = LINEAR

    @property
    def size(self) -> int:
        """The number of whole numbers from end to end."""
        return self.high - self.low + 1

    def default(self) -> dict[str, Value]:
        """Clip the preferred value into the range."""
        return {self.name: min(max(self.preferred, self.low), self.high)}

    def value(self, fraction: float) -> int:
        """Give the whole number at a fraction of the range, from 0 to 1; each owns half a step to either side."""
        low, high = warp(self.low - 0.5, self.scale), warp(self.high + 0.5, self.scale)
        exact = unwarp(low + fraction * (high - low), self.scale)
        return min(max(math.floor(exact + 0.5), self.low), self.high)

    def sample(self, rng: Random) -> dict[str, Value]:
        """Draw uniformly on the scale."""
        return {self.name: self.value(rng.random())}

    def at(self, index: int) -> dict[str, Value]:
        """Count upwards from the lower end."""
        return {self.name: self.low + index}

    def index(self, point: Configuration) -> int:
        """Count from the lower end."""
        value = point[self.name]
        assert isinstance(value, int)
        return value - self.low

    def point(self, configuration: Configuration) -> dict[str, Value] | None:
        """Accept any whole number between the ends."""
        value = _number(configuration.get(self.name))
        if value is None or value != math.floor(value) or not self.low <= value <= self.high:
            return None
        return {self.name: int(value)}

    def unbounded(self) -> Iterator[str]:
        """Name nothing."""
        yield from ()

    def canonical(self) -> RangeDescription:
        """Describe ends, scale and default."""
        return _described("integer", self)


@dataclass(frozen=True, slots=True)
class Ordinal:
    """Some numbers, in ascending order."""

    name: str
    values: tuple[float, ...]
    preferred: float
    scale: str = LINEAR

    @property
    def size(self) -> int:
        """The number of values."""
        return len(self.values)

    def default(self) -> dict[str, Value]:
        """Give the value nearest to the preferred one, on the scale where all of them have a place on it."""
        scale = self.scale if all(_fits(each, self.scale) for each in (*self.values, self.preferred)) else LINEAR
        goal = warp(self.preferred, scale)
        return {self.name: min(self.values, key=lambda each: abs(warp(each, scale) - goal))}

    def sample(self, rng: Random) -> dict[str, Value]:
        """Draw any of the values, all alike."""
        return {self.name: self.values[int(rng.random() * len(self.values))]}

    def at(self, index: int) -> dict[str, Value]:
        """Count upwards from the smallest."""
        return {self.name: self.values[index]}

    def index(self, point: Configuration) -> int:
        """Count from the smallest."""
        value = point[self.name]
        assert isinstance(value, int | float)
        return self.values.index(value)

    def point(self, configuration: Configuration) -> dict[str, Value] | None:
        """Accept the listed values."""
        value = _number(configuration.get(self.name))
        if value is None or value not in self.values:
            return None
        return {self.name: self.values[self.values.index(value)]}

    def unbounded(self) -> Iterator[str]:
        """Name nothing."""
        yield from ()

    def canonical(self) -> OrdinalDescription:
        """Describe values, scale and default."""
        return {
            "name": self.name,
            "kind": "ordinal",
            "values": list(self.values),
            "scale": self.scale,
            "default": self.default()[self.name],
        }


def _described(kind: Literal["real", "integer"], range_: Real | Integer) -> RangeDescription:
    return {
        "name": range_.name,
        "kind": kind,
        "low": range_.low,
        "high": range_.high,
        "scale": range_.scale,
        "default": range_.default()[range_.name],
    }


def spaced(low: float, high: float, points: int, *, scale: str = LINEAR, whole: bool = False) -> tuple[float, ...]:
    """Give `points` values from `low` to `high`, evenly on the scale and both ends included; equal ones once.

    >>> spaced(0.001, 1.0, 4, scale="log")
    (0.001, 0.01, 0.1, 1.0)
    >>> spaced(1, 8, 4, scale="log", whole=True)
    (1, 2, 4, 8)
    """
    inner = [number / (points - 1) for number in range(1, points - 1)]
    first, last = warp(low, scale), warp(high, scale)
    exact = {low, *(unwarp(first + each * (last - first), scale) for each in inner), high}
    if whole:
        return tuple(sorted({round(each) for each in exact}))
    neat = {low, *map(Real("", low, high, low, scale).value, inner), high}
    return tuple(sorted(neat if len(neat) == points else exact))


def warp(value: float, scale: str) -> float:
    """Put a value on its scale, where equal distances count the same."""
    if scale == LOG:
        return math.log(value)
    return -math.log1p(-value) if scale == REVERSED_LOG else value


def unwarp(place: float, scale: str) -> float:
    """Turn `warp` round."""
    if scale == LOG:
        return math.exp(place)
    return -math.expm1(-place) if scale == REVERSED_LOG else place


def _fits(value: float, scale: str) -> bool:
    return value > 0 if scale == LOG else value < 1 if scale == REVERSED_LOG else True


def _significant(value: float, low: float, high: float) -> float:
    """Round to four significant digits, to more where the range is so narrow that they would not tell it apart."""
    extra = max(0, round(math.log10(high / (high - low))))
    return float(f"{value:.{_DIGITS + extra - 1}e}")


def _number(value: Value) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) else None
