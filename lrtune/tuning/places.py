"""Where the blocks of a search run: an engine that is open from the first block to the last, and its workers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from lrtune.engines import packing
from lrtune.engines.catalogue import Engine, engine_of
from lrtune.engines.contract import EngineError, EnginePlace, Function, Site
from lrtune.engines.folder.worker import FolderWorker, Joining, said_by_parent
from lrtune.experiment import Experiment
from lrtune.run.likeness import described, likeness
from lrtune.run.names import EXCHANGE
from lrtune.text.errors import NoUsableResultError, StudyError
from lrtune.trainers.catalogue import TRAINERS
from lrtune.trainers.code import files_of
from lrtune.trainers.contract import Setting
from lrtune.trainers.preparation import Prepared


@contextlib.contextmanager
def opened(experiment: Experiment, prepared: Prepared, folder: Path) -> Iterator[EnginePlace]:
    """Open the engine of an experiment for the search in a folder, and close it afterwards.

    Raises
    ------
    StudyError
        If it cannot be used, or has nobody left who trains.

    """
    engine, address = _engine(experiment)
    foreign = prepared.setting.foreign
    files = [] if foreign is None else files_of(prepared.setting.trainer, foreign)
    about = {**described(files), "folder": str(folder.absolute()), "runs": "" if foreign is None else foreign.called}
    finished = False
    with explained():
        place = engine.load()(Site(address, folder / EXCHANGE, about, likeness, experiment.search.mixed))
        try:
            yield place
            finished = True
        except NoUsableResultError:
            finished = True
            raise
        finally:
            place.close(finished=finished)


def is_joined(experiment: Experiment) -> bool:
    """Tell whether blocks wait for workers that anybody may start."""
    return _engine(experiment)[0].is_joined


def _engine(experiment: Experiment) -> tuple[Engine, str]:
    found = engine_of(experiment.search.engine)
    assert found is not None  # the experiment was read
    return found


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn what an engine says into an error of a study."""
    try:
        yield
    except EngineError as error:
        raise StudyError(str(error)) from error


def take_part(folder: Path, *, patience: float) -> Iterator[str]:
    """Train blocks of the search in a run's folder until it is finished; yields sentences on what is done.

    Parameters
    ----------
    folder
        Of the run, as this machine sees it.
    patience
        Seconds to wait for a search that is not there, or was stopped.

    Raises
    ------
    StudyError
        If this machine must not take part, or nothing has come for longer than that.

    """
    with explained():
        yield from FolderWorker(
            Joining(folder / EXCHANGE, partial(adopted, folder.absolute()), likeness, patience)
        ).run()


def runs_code(folder: Path) -> str:
    """Name the code of somebody else that the blocks of a run's search run; empty where there is none."""
    return str(said_by_parent(folder / EXCHANGE).get("runs", ""))


def adopted(folder: Path, shared: Path) -> tuple[Function, Setting]:
    """Read what the blocks of a search share, with the folders of its run as this machine calls them."""
    setting: Setting = packing.read(Setting, shared)
    there = str(said_by_parent(shared.parents[1]).get("folder", folder))

    def here(path: str) -> str:
        return str(folder / Path(path).relative_to(there)) if path else path

    setting = setting._replace(at_work=here(setting.at_work))
    if setting.foreign is not None and setting.foreign.folder is not None:
        setting = setting._replace(foreign=setting.foreign._replace(folder=here(setting.foreign.folder)))
    return TRAINERS[setting.trainer].run, setting
