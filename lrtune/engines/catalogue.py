"""Where blocks can run: one entry for each engine, which everything else reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from lrtune.engines.contract import EnginePlace, Site

LOCAL = "local"

Open: TypeAlias = Callable[[Site], EnginePlace]


class Engine(NamedTuple):
    """A place where blocks run.

    Attributes
    ----------
    name
        As ``search.engine`` names it.
    summary
        Where that is, in a few words.
    load
        Gives ``open(site)``, which gives a `EnginePlace`; what it needs is imported then.
    schemes
        What addresses of it begin with, such as ``ray://``; none: it has no address.
    is_joined
        Whether workers come by themselves, whoever starts them.

    """

    name: str
    summary: str
    load: Callable[[], Open]
    schemes: tuple[str, ...] = ()
    is_joined: bool = False


def _local() -> Open:
    from lrtune.engines.local import here, start

    return here(start)


def _folder() -> Open:
    from lrtune.engines.folder.parent import FolderPlace

    return FolderPlace


def _ray() -> Open:
    from lrtune.engines.ray import RayPlace

    return RayPlace


def _dask() -> Open:
    from lrtune.engines.dask import DaskPlace

    return DaskPlace


_ENTRIES = (
    Engine(LOCAL, "this process, or worker processes of this machine", _local),
    Engine("folder", "every `lrtune worker` that sees the folder of the run", _folder, is_joined=True),
    Engine("ray", "a Ray cluster, ray://host:10001, or Ray on this machine", _ray, ("ray://",)),
    Engine("dask", "a Dask cluster, tcp://host:8786, or Dask on this machine", _dask, ("tcp://", "tls://")),
)

ENGINES: dict[str, Engine] = {entry.name: entry for entry in _ENTRIES}
"""The engines by name. Which one is taken never changes a result."""


def engine_of(said: str) -> tuple[Engine, str] | None:
    """Find an engine by its name or by an address of it; with the address, empty for a name. None: there is none."""
    if said in ENGINES:
        return ENGINES[said], ""
    return next(((each, said) for each in ENGINES.values() if said.startswith(each.schemes)), None)
