"""Plain values that remember where they were written, and the problems found with them."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from lrtune.text.errors import ExperimentError

KeyPath: TypeAlias = tuple[str | int, ...]
"""Where a value stands: keys of mappings and, in lists, numbers of items."""


Values: TypeAlias = Mapping[str, Any]
"""A mapping in the form of the experiment file, not checked yet: texts, numbers, lists, and mappings within."""

_NOTHING = object()
"""Stands for a value that is not there, since null is one."""


class Origin(NamedTuple):
    """Where a value was written: a file and its line, or a command-line option."""

    label: str
    line: int | None = None

    def __str__(self) -> str:
        return self.label if self.line is None else f"{self.label}:{self.line}"


@dataclass
class Document:
    """Plain values and where each came from.

    Attributes
    ----------
    values
        Mappings, lists and scalars.
    root
        What is named when a place is not known: the file.
    origins
        Origin of each key path.
    problems
        What is wrong with the values, in the order of discovery.

    """

    values: dict[str, Any]
    root: Origin
    origins: dict[KeyPath, Origin] = field(default_factory=dict)
    problems: list[tuple[Origin, str]] = field(default_factory=list)

    def origin(self, path: KeyPath) -> Origin:
        """Find where a key path was written; for one that was not written, where the nearest part above it was."""
        while path and path not in self.origins:
            path = path[:-1]
        return self.origins.get(path, self.root)

    def report(self, path: KeyPath, problem: str) -> None:
        """Note a problem with the value at a key path."""
        name = dotted(path)
        self.problems.append((self.origin(path), f"{name}: {problem}" if name else problem))

    def raise_problems(self) -> None:
        """Raise all problems at once: those of the file by line, then those of the command line.

        Raises
        ------
        ExperimentError
            If there is any problem.

        """
        if self.problems:
            ordered = sorted(self.problems, key=lambda each: (each[0].line is None, each[0].line or 0))
            raise ExperimentError(list(dict.fromkeys(f"{origin}: {problem}" for origin, problem in ordered)))

    def put(self, path: KeyPath, value: Any, origin: Origin) -> None:
        """Set the value at a path of keys, making the mappings on the way; forget where the old value came from."""
        parent = self.values
        for depth, key in enumerate(path[:-1], start=1):
            if parent.get(str(key)) is None:
                parent[str(key)] = {}
                self.origins[path[:depth]] = origin
            inner = parent[str(key)]
            if not isinstance(inner, dict):
                whole = dotted(path[:depth])
                self.problems.append((origin, f"{whole} is {shown(inner)} and has no keys; set {whole} as a whole"))
                return
            parent = inner
        self.forget(path)
        parent[str(path[-1])] = value
        self.origins[path] = origin

    def forget(self, path: KeyPath) -> None:
        """Drop the origins of a value that is about to be replaced."""
        for each in [each for each in self.origins if each[: len(path)] == path]:
            del self.origins[each]

    def has(self, path: KeyPath) -> bool:
        """Tell whether there is a value at a path of keys."""
        return self.at(path, _NOTHING) is not _NOTHING

    def at(self, path: KeyPath, missing: Any = None) -> Any:
        """Give the value at a path of keys, or what stands for a missing one."""
        part: Any = self.values
        for key in path:
            if not isinstance(part, dict) or key not in part:
                return missing
            part = part[key]
        return part

    def is_of_file(self, path: KeyPath) -> bool:
        """Tell whether a value at a path of keys stands in the file and not in an option."""
        return self.has(path) and self.origin(path).line is not None

    def remove(self, path: KeyPath) -> None:
        """Take a value out, if it is there."""
        parent: Any = self.values
        for key in path[:-1]:
            parent = parent.get(key) if isinstance(parent, dict) else None
        if isinstance(parent, dict):
            parent.pop(path[-1], None)
        self.forget(path)


def dotted(path: KeyPath) -> str:
    """Write a key path as people do: ``space.decay.step.every``; numbers of list items are left out."""
    return ".".join(each for each in path if isinstance(each, str))


def shown(value: Any) -> str:
    """Write a value as YAML would, for a message.

    >>> shown("ten"), shown(None), shown([True, 1.5])
    ("'ten'", 'null', '[true, 1.5]')
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return "{" + _listed(f"{shown(key)[1:-1]}: {shown(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + _listed(map(shown, value)) + "]"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def repeated(values: Sequence[Hashable]) -> list[int]:
    """Find the places of values that stand before, too.

    >>> repeated(["a", "b", "a"])
    [2]
    """
    seen: set[Hashable] = set()
    places = []
    for place, each in enumerate(values):
        if each in seen:
            places.append(place)
        seen.add(each)
    return places


_MOST = 12
"""Items of a list that a message writes."""


def _listed(items: Iterable[str]) -> str:
    first = list(itertools.islice(items, _MOST + 1))
    return ", ".join(first if len(first) <= _MOST else [*first[:_MOST], "..."])
