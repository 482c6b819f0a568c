"""The search space: a tree of dimensions.

A `SearchSpace` is a *product* of dimensions, a `Choice` is a *sum* of options, and an option carries a search space of
its own. Everything below follows from these two: sizes multiply and add, a grid index is a number in mixed radix, and a
configuration holds the keys of the options that it chose and no others.

Configurations are flat mappings (`lrtune.space.trial.Configuration`). Methods that take one ignore keys that the space
does not know, so that complete configurations can be asked about as well.

A name is no identity: two branches may have dimensions of the same name with other ranges, even of another kind. What
is said of the values of a dimension is said of a `Place`, of those configurations only that have this very dimension.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from lrtune.space.dimensions import ChoiceDescription, Description, Dimension, OptionDescription, Random
from lrtune.space.trial import Configuration, Value
from lrtune.text.errors import SpaceError

Where = tuple[tuple[str, Value], ...]
"""The options that lead to a part of the tree, by name and value, outermost first; empty for the root."""


class Place(NamedTuple):
    """A dimension and where it stands in the tree, which together tell it from others of its name.

    >>> from lrtune.space.dimensions import Real
    >>> Place((("optimizer", "adam"),), Real("learning_rate", 1e-4, 1e-1, 1e-3)).label
    'learning_rate of adam'
    """

    where: Where
    dimension: Dimension

    @property
    def name(self) -> str:
        """The flat key that it sets."""
        return self.dimension.name

    @property
    def label(self) -> str:
        """Its name, and the options that it belongs to."""
        return " of ".join([self.name, *(str(value) for _, value in reversed(self.where))])


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """A product of dimensions; their order is the order of keys, of drawing, and of a grid (the last runs fastest)."""

    dimensions: tuple[Dimension, ...] = ()

    @property
    def size(self) -> int | float:
        """How many points there are, `math.inf` if any dimension is a real range."""
        sizes = [each.size for each in self.dimensions]
        return math.inf if math.inf in sizes else math.prod(sizes)

    def default(self) -> dict[str, Value]:
        """Give the default configuration: every dimension's documented default, or its nearest legal value."""
        return _merged(each.default() for each in self.dimensions)

    def sample(self, rng: Random) -> dict[str, Value]:
        """Draw a point: options all alike, numbers uniformly on their scale."""
        return _merged(each.sample(rng) for each in self.dimensions)

    def at(self, index: int) -> dict[str, Value]:
        """Give point number `index` of the grid, without making the others.

        Raises
        ------
        SpaceError
            If a dimension is a real range, or there is no such point.

        """
        self.require_finite()
        if not 0 <= index < self.size:
            raise SpaceError(f"the grid has {self.size} points; there is no number {index}")
        points = []
        for each in reversed(self.dimensions):
            index, digit = divmod(index, int(each.size))
            points.append(each.at(digit))
        return _merged(reversed(points))

    def index(self, configuration: Configuration) -> int:
        """Turn `at` round.

        Raises
        ------
        SpaceError
            If a dimension is a real range, or the configuration is not contained.

        """
        self.require_finite()
        point = self.point(configuration)
        if point is None:
            raise SpaceError(f"not a point of the search space: {dict(configuration)}")
        number = 0
        for each in self.dimensions:
            number = number * int(each.size) + each.index(point)
        return number

    def point(self, configuration: Configuration) -> dict[str, Value] | None:
        """Take the point out of a configuration: the keys that the space sets; None if it is not contained."""
        merged: dict[str, Value] = {}
        for each in self.dimensions:
            point = each.point(configuration)
            if point is None:
                return None
            merged.update(point)
        return merged

    def contains(self, configuration: Configuration) -> bool:
        """Tell whether the configuration has a legal value for every key that the space sets."""
        return self.point(configuration) is not None

    def key(self, configuration: Configuration) -> tuple[tuple[str, Value], ...] | None:
        """Make a hashable name of the configuration's point, equal for equal points; None if it is not contained."""
        point = self.point(configuration)
        return None if point is None else key_of(point)

    def places(self, where: Where = ()) -> Iterator[Place]:
        """List every dimension of the tree, parents first; ``where`` is what leads to this space."""
        for each in self.dimensions:
            yield Place(where, each)
            for option in each.options if isinstance(each, Choice) else ():
                yield from option.space.places((*where, (each.name, option.value)))

    def dimensions_of(self, point: Configuration) -> list[Dimension]:
        """List the dimensions that a point, which is contained, has; parents first."""
        found: list[Dimension] = []
        for each in self.dimensions:
            found.append(each)
            option = each.option(point[each.name]) if isinstance(each, Choice) else None
            if option is not None and option.space.dimensions:
                found += option.space.dimensions_of(point)
        return found

    def active(self, point: Configuration, where: Where = ()) -> list[Place]:
        """List the same with the place of each."""
        found = []
        for each in self.dimensions:
            found.append(Place(where, each))
            option = each.option(point[each.name]) if isinstance(each, Choice) else None
            if option is not None and option.space.dimensions:
                found += option.space.active(point, (*where, (each.name, option.value)))
        return found

    def names(self) -> Iterator[str]:
        """List the keys that any of its points has; one that several branches have comes several times."""
        return (each.name for each in self.places())

    def unbounded(self) -> Iterator[str]:
        """List the names of the real ranges, which no grid can walk."""
        for each in self.dimensions:
            yield from each.unbounded()

    def require_finite(self) -> None:
        """Refuse a space that cannot be counted.

        Raises
        ------
        SpaceError
            If a dimension is a real range.

        """
        names = sorted(set(self.unbounded()))
        if names:
            raise SpaceError(
                f"a grid needs finite dimensions, but {', '.join(names)} "
                f"{'is a range' if len(names) == 1 else 'are ranges'}; add `points: 5`, or list values"
            )

    def canonical(self) -> list[Description]:
        """Describe the space in JSON's types; equal for equal spaces, however they were written."""
        return [each.canonical() for each in self.dimensions]


@dataclass(frozen=True, slots=True)
class Option:
    """One of a choice's options, with the dimensions that exist only if it is chosen."""

    value: Value
    space: SearchSpace = SearchSpace()


@dataclass(frozen=True, slots=True)
class Choice:
    """A sum of options without an order; the points of an option are those of its own space."""

    name: str
    options: tuple[Option, ...]
    preferred: Value
    size: int | float = field(init=False, repr=False, compare=False)
    """The options' points together."""
    _places: dict[tuple[bool, Value], Option] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Count the points, and list the options by their values: both are asked for again and again."""
        object.__setattr__(self, "size", sum(each.space.size for each in self.options))
        object.__setattr__(self, "_places", {exact(each.value): each for each in reversed(self.options)})

    def default(self) -> dict[str, Value]:
        """Choose the preferred option if it is offered, else the first."""
        option = self.option(self.preferred) or self.options[0]
        return {self.name: option.value, **option.space.default()}

    def sample(self, rng: Random) -> dict[str, Value]:
        """Choose any of the options, all alike, then draw in its space."""
        option = self.options[int(rng.random() * len(self.options))]
        return {self.name: option.value, **option.space.sample(rng)}

    def at(self, index: int) -> dict[str, Value]:
        """Count through the options in their order."""
        for each in self.options:
            if index < each.space.size:
                return {self.name: each.value, **each.space.at(index)}
            index -= int(each.space.size)
        raise SpaceError(f"{self.name} has only {self.size} points")

    def index(self, point: Configuration) -> int:
        """Count the points of the options before, then inside."""
        before = 0
        for each in self.options:
            if exact(each.value) == exact(point[self.name]):
                return before + each.space.index(point)
            before += int(each.space.size)
        raise SpaceError(f"{self.name}: {point[self.name]} is not an option")

    def point(self, configuration: Configuration) -> dict[str, Value] | None:
        """Accept an option together with a point of its space."""
        option = self.option(configuration[self.name]) if self.name in configuration else None
        inner = option.space.point(configuration) if option else None
        return None if option is None or inner is None else {self.name: option.value, **inner}

    def unbounded(self) -> Iterator[str]:
        """Name the ranges of all options."""
        for each in self.options:
            yield from each.space.unbounded()

    def canonical(self) -> ChoiceDescription:
        """Describe the options with their spaces, and the default."""
        options: list[OptionDescription] = [
            {"value": _plain(each.value), "space": each.space.canonical()} for each in self.options
        ]
        return {
            "name": self.name,
            "kind": "choice",
            "options": options,
            "default": _plain(self.default()[self.name]),
        }

    def option(self, value: Value) -> Option | None:
        """Find the option of a value; None if there is none."""
        return self._places.get(exact(value))


def exact(value: Value) -> tuple[bool, Value]:
    """Make of a value what is equal for equal values, without taking True for 1."""
    return isinstance(value, bool), value


def key_of(point: Configuration) -> tuple[tuple[str, Value], ...]:
    """Name a point as `SearchSpace.key` does, if a space has made it: it is contained, and its keys are in order."""
    return tuple(point.items())


def _plain(value: Value) -> object:
    return list(value) if isinstance(value, tuple) else value


def _merged(points: Iterable[Configuration]) -> dict[str, Value]:
    merged: dict[str, Value] = {}
    for each in points:
        merged.update(each)
    return merged
