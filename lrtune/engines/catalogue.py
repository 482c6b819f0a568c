"""Where blocks can run: one entry for each engine, which everything else reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from lrtune.engines.contract import Executor, Function

LOCAL = "local"

Start: TypeAlias = Callable[[Function, object, int], Executor]


class Engine(NamedTuple):
    """A place where blocks run.

    Attributes
    ----------
    name
        As ``search.engine`` names it.
    summary
        Where that is, in a few words.
    load
        Gives ``start(function, shared, slots)``, which gives an `Executor` that runs ``function(shared, payload)`` on
        so many blocks at a time; what it needs is imported then.

    """

    name: str
    summary: str
    load: Callable[[], Start]


def _local() -> Start:
    from lrtune.engines.local import start

    return start


_ENTRIES = (Engine(LOCAL, "this process, or worker processes of this machine", _local),)

ENGINES: dict[str, Engine] = {entry.name: entry for entry in _ENTRIES}
"""The engines by name. Which one is taken never changes a result."""
