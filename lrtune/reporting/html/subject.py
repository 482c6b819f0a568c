"""What a report is about: a run, what it came to so far, and what its dimensions were worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune.run.folder import Run, open_run
from lrtune.text.errors import LrtuneError
from lrtune.verdict.stored import current

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.verdict.explanation import Explanation
    from lrtune.verdict.result import Result

FEWEST, MOST = 10, 300
"""Of fewer trials nothing can be told about dimensions, and of more it takes its time."""

WORTH = 2.0
"""Seconds of training beside which it is little to tell which dimensions mattered."""


@dataclass(frozen=True, eq=False)
class Subject:
    """What a report is about.

    Attributes
    ----------
    run
        The run as it is now.
    result
        What it came to so far; None while there is none, or where the trials are trained elsewhere.
    explanation
        Which dimensions mattered; None where that was not asked, or cannot be told.

    """

    run: Run
    result: Result | None
    explanation: Explanation | None = None

    @property
    def metric(self) -> str:
        """What trials are scored with."""
        return self.run.metric


def subject(folder: Path, *, explained: bool | None = None) -> Subject:
    """Read what a report is about from a folder; of a run that goes on, what there is so far.

    Parameters
    ----------
    folder
        Of the run.
    explained
        Whether to tell which dimensions mattered, which takes a second or more; None: if the trials took longer, by
        what they are expected to take, so that the answer is no matter of the clock.

    Raises
    ------
    StudyError
        If there is no study, or it is damaged.

    """
    run = open_run(folder)
    wanted = _is_worth(run) if explained is None else explained
    return Subject(run, _result(run), _explanation(run) if wanted else None)


def _result(run: Run) -> Result | None:
    if run.is_told or not run.ranked:
        return None
    return current(run)


def _is_worth(run: Run) -> bool:
    return run.state == "finished" and (run.study.header.trial_seconds or 0.0) * len(run.trials) >= WORTH


def _explanation(run: Run) -> Explanation | None:
    from lrtune.experiment.searched import searched
    from lrtune.verdict.explanation import explain

    if not FEWEST <= len(run.ranked) <= MOST:
        return None
    try:
        experiment = searched(run)
        return explain(experiment.space, run.trials, experiment.search.seed)
    except LrtuneError:  # the report has its other figures
        return None
