"""A run's folder as it is, finished or not: the replayed study, and what was asked for; no data, no training."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lrtune.run import files
from lrtune.run.journal import Journal
from lrtune.run.lock import is_held
from lrtune.run.names import DATABASE, PREDICTIONS, RESULT, TRIALS
from lrtune.run.study import ASK_AND_TELL, StudyState
from lrtune.space import SearchSpace
from lrtune.space.described import space_of
from lrtune.space.trial import Configuration, Trial, frozen, ranking
from lrtune.text.errors import DamagedError, NoStudyError, StudyError
from lrtune.text.written import Json
from lrtune.training.registry import BUILT_IN, COMMAND, ESTIMATOR, FUNCTION, complete, complete_schedule

_LATER = (RESULT, TRIALS, PREDICTIONS)
"""What a search writes after the first events of its study."""


def trained_by(study: StudyState) -> str:
    """Name what trains the trials of a study: lrtune's own networks, or a kind of code of somebody else."""
    trainer = study.header.asked.get("trainer")
    kinds = trainer if isinstance(trainer, Mapping) else ()
    return next((each for each in (ESTIMATOR, FUNCTION, COMMAND) if each in kinds), BUILT_IN)


def fixed_by(study: StudyState) -> Mapping[str, object]:
    """Tell what every configuration of a study has, dimensions of one value among them."""
    found: Mapping[str, object] = study.header.asked.get("fixed", {})
    return found


@dataclass(frozen=True, eq=False)
class Run:
    """A folder with a study, as it was when it was opened.

    Attributes
    ----------
    folder
        Where it is.
    study
        What its events add up to.
    running
        Whether a process was at work on it.
    changed
        When something was last written (seconds since 1970).

    """

    folder: Path
    study: StudyState
    running: bool = False
    changed: float = 0.0

    @property
    def name(self) -> str:
        """What the experiment is called."""
        return self.study.header.name or self.folder.name

    @property
    def metric(self) -> str:
        """What trials are scored with."""
        return self.study.header.metric

    @property
    def trained_by(self) -> str:
        """Name what trained: lrtune's own networks, or a kind of code of somebody else."""
        return trained_by(self.study)

    @property
    def is_scheduled(self) -> bool:
        """Whether what trained takes the rate of every update from lrtune."""
        trainer = self.study.header.asked.get("trainer")
        return bool(trainer["scheduled"]) if isinstance(trainer, Mapping) else True

    @property
    def is_told(self) -> bool:
        """Whether its trials are trained by whoever asks for them, so that there is no experiment to train them by."""
        return bool(self.study.header.asked.get("trainer") == ASK_AND_TELL)

    @cached_property
    def trials(self) -> list[Trial]:
        """Every trial by number."""
        return self.study.in_order()

    def trial(self, number: int) -> Trial:
        """Find a trial by its number.

        Raises
        ------
        StudyError
            If there is no such trial.

        """
        if number not in self.study.trials:
            there = f"its trials are 0 to {len(self.trials) - 1}" if self.trials else "it has none yet"
            raise StudyError(f"{self.folder}: has no trial {number}; {there}")
        return self.study.trials[number]

    @cached_property
    def ranked(self) -> list[Trial]:
        """The complete trials, the best first."""
        return ranking(self.trials)

    @property
    def state(self) -> str:
        """``running``, ``finished``, or ``stopped`` with something left to do, be it the result alone."""
        if self.running:
            return "running"
        has_result = self.is_told or (self.folder / RESULT).is_file()
        return "finished" if self.study.finished is not None and has_result else "stopped"

    def configuration(self, point: Configuration) -> Configuration:
        """Complete a point of the space; quicker than asking the experiment, because the study knows what is fixed."""
        if self.is_told:
            return dict(point)
        whole = {**{key: frozen(value) for key, value in fixed_by(self.study).items()}, **point}
        if self.trained_by == BUILT_IN:
            return complete(whole)
        return complete_schedule(whole) if self.is_scheduled else whole

    @property
    def space(self) -> SearchSpace:
        """What is searched, as the header describes it; empty where that says nothing."""
        return space_of(self.study.header.asked.get("space", ()))

    @property
    def rows_ratio(self) -> float | None:
        """Validation rows over training rows of a fold; None where the study is too old to say."""
        return self.study.header.rows_ratio

    @cached_property
    def written(self) -> Json | None:
        """What the finished search wrote into its result file; None while it goes on, or if that file was lost.

        `lrtune.verdict.stored.stored` makes a result of it.

        Raises
        ------
        StudyError
            If the file is no JSON, or no result.

        """
        path = self.folder / RESULT
        if self.study.finished is None or not path.is_file():
            return None
        try:
            found: Json = files.read_json(path)
            total = found["trials"]["total"]
        except ValueError as error:
            raise StudyError(_damaged(path, f"it is no JSON: {error}")) from error
        except (LookupError, TypeError) as error:
            raise StudyError(_damaged(path, "it does not say how many trials there were")) from error
        return found if total == len(self.study.trials) else None


def _damaged(path: Path, what: str) -> str:
    return f"{path}: damaged ({what}); run the search again to have it written anew"


def open_run(folder: Path) -> Run:
    """Read the study in a folder, whether it is finished, running or stopped; takes no lock.

    Raises
    ------
    StudyError
        If there is no study, it is damaged, or a newer lrtune made it.

    """
    return next(follow(folder))


def follow(folder: Path, seconds: float = 1.0) -> Iterator[Run]:
    """Read the study in a folder again and again, as long as a process is at work on it; then once more.

    Only new events are read, into one study that all of these runs share.

    Parameters
    ----------
    folder
        Where the study is.
    seconds
        Time between two looks.

    Raises
    ------
    StudyError
        As in `open_run`.

    """
    study, read, database = StudyState(), 0, folder / DATABASE
    running = True
    while running:
        changed, running = changed_at(folder), is_held(folder)
        if not running and not database.is_file():
            _refuse_without(database, "lost")
        with Journal(database) as journal:
            events = journal.events(read)
        for each in events:
            study.add(each)
        read += len(events)
        if not study.header.metric:
            if not running:
                _refuse_without(database, "empty")
            raise NoStudyError(f"{folder}: the study has not begun yet; it begins when the data have been read")
        yield Run(folder, study, running, changed)
        if running:
            time.sleep(seconds)


def _refuse_without(database: Path, state: str) -> None:
    """Tell a run whose study is lost or empty from one that has not begun: it has files that come later."""
    later = [name for name in _LATER if (database.parent / name).is_file()]
    if later:
        raise DamagedError(
            f"{database}: is {state}, though {later[0]} is there; the `lrtune search` that made the run trains "
            "everything again and writes it anew"
        )


def is_run(folder: Path) -> bool:
    """Tell whether a search has written into a folder, be its study there or lost."""
    return any((folder / name).is_file() for name in (DATABASE, *_LATER))


def changed_at(folder: Path) -> float:
    """Tell when something was last written into a folder's study (seconds since 1970); 0 if there is none."""
    found = [each.stat() for each in (folder / DATABASE, folder / f"{DATABASE}-wal") if each.is_file()]
    # Readers may leave an empty log behind: that is no news.
    return max((each.st_mtime for each in found if each.st_size), default=0.0)
