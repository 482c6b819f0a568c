"""The experiment of a run, as the file in its folder has it."""

from __future__ import annotations

import functools

from lrtune.experiment.core import Experiment
from lrtune.experiment.reading.loading import load
from lrtune.run.folder import Run
from lrtune.run.names import EXPERIMENT
from lrtune.text.errors import StudyError


@functools.lru_cache(maxsize=2)
def searched(run: Run) -> Experiment:
    """Read the experiment of a run.

    Raises
    ------
    StudyError
        If there is no file, or it is of another experiment than the study.
    ExperimentError
        If it was changed by hand and is wrong now.

    """
    if run.is_told:
        raise StudyError(
            f"{run.folder}: is a study by lrtune.Study, trained elsewhere; there is no experiment behind it"
        )
    path = run.folder / EXPERIMENT
    if not path.is_file():
        raise StudyError(f"{run.folder}: has no {EXPERIMENT}; run the search again to have it written")
    found = load(path)
    if run.study.header.experiment not in (None, found.canonical()):
        raise StudyError(f"{path}: was changed and is not what was searched; the command that made it writes it again")
    return found
