"""What a search tells while it runs: values that whoever iterates over it may show, or pass over."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from lrtune.run.journal import Event
from lrtune.run.study import StudyState

if TYPE_CHECKING:
    from lrtune.finder import RateFinding
    from lrtune.tuning.searched import Searched


class Part(StrEnum):
    """The parts of a search that take time."""

    READING = "reading the table"
    CODE = "starting"
    RATES = "finding the range of learning rates"
    TRIALS = "training"
    OUTER = "training inside of an outer fold"
    JUDGING = "judging"
    BASELINE = "training the baseline's configuration on these folds"


@dataclass(frozen=True, slots=True)
class Begun:
    """A part of the search begins.

    Attributes
    ----------
    part
        Which one.
    about
        The table that is read, the code that is started, or the number of the outer fold; else empty.
    folder, metric, trials
        Of a part that trains: where it is recorded, what scores are of, how many configurations will be tried.
    is_joined
        Whether that waits for workers that anybody may start (``lrtune worker``).

    """

    part: Part
    about: str = ""
    folder: Path | None = None
    metric: str = ""
    trials: int = 0
    is_joined: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event is on the disk, and part of the study."""

    event: Event
    study: StudyState


@dataclass(frozen=True, slots=True)
class Ended:
    """The search has its result, and its files are written; the folder is still locked.

    Attributes
    ----------
    result
        What it found.
    study
        All that was recorded.
    finding
        What was found about learning rates, where the experiment left them open (``learning_rate: auto``).
    remarks
        What happened on the way and is no part of the result: an earlier study put aside, a mended journal.
    idle
        Why this session has trained nothing, in a sentence; empty if it has.

    """

    result: Searched
    study: StudyState
    finding: RateFinding | None
    remarks: tuple[str, ...]
    idle: str = ""


Step = Begun | Recorded | Ended
