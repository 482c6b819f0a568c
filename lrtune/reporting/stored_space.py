"""The search space of a study, read back from its header: no experiment is read, and ask-and-tell studies have none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lrtune.space import Choice, Option, SearchSpace
from lrtune.space.dimensions import Dimension, Integer, Ordinal, Real
from lrtune.space.trial import Value, frozen

if TYPE_CHECKING:
    from lrtune.run.folder import Run

Described = Mapping[str, Any]
"""A dimension in JSON's types, as `Dimension.canonical` describes it and a header keeps it."""


def stored_space(run: Run) -> SearchSpace:
    """Read the space that a run searches; empty where its header has none."""
    return _space(run.study.header.asked.get("space", ()))


def _space(described: Iterable[Described]) -> SearchSpace:
    return SearchSpace(tuple(_dimension(each) for each in described))


def _dimension(described: Described) -> Dimension:
    name, kind, default = described["name"], described["kind"], frozen(described["default"])
    if kind == "choice":
        options = (Option(frozen(each["value"]), _space(each["space"])) for each in described["options"])
        return Choice(name, tuple(options), default)
    if kind == "ordinal":
        return Ordinal(name, tuple(described["values"]), described["default"], described["scale"])
    of_kind = Integer if kind == "integer" else Real
    return of_kind(name, described["low"], described["high"], described["default"], described["scale"])


def branch_text(option: Value) -> str:
    """Write what a branch of the space is called: the option that it belongs to.

    >>> branch_text("adam"), branch_text((64, 32))
    ('adam', '[64, 32]')
    """
    return str(list(option) if isinstance(option, tuple) else option)
