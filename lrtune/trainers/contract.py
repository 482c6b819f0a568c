"""What whoever trains is given, and what comes back: folds of arrays and configurations in, outcomes out."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lrtune.arrays import Array, Rows
from lrtune.data.columns import Columns
from lrtune.data.raw_frames import FrameShape
from lrtune.data.schema import Label, Schema
from lrtune.space.trial import Configuration
from lrtune.training.feedback import Scales
from lrtune.training.registry import BUILT_IN
from lrtune.training.tasks import Fold, Outcome, Problem
from lrtune.training.wall_clock import Clock


class Foreign(NamedTuple):
    """What a trainer that is code of somebody else needs beside arrays of features.

    Attributes
    ----------
    said
        Its settings, as `lrtune.experiment.reading.trainer_form.ChosenTrainer` has them.
    called
        How sentences call it.
    base, table, loader
        Folder that its paths start from; the table, for programs that read it themselves; the function that loads the
        rows where there is none, or an empty text.
    folder
        Where each of its fits has a folder; None: fits have none.
    task, classes
        What is predicted; the classes as the table has them, none for a regression.
    targets
        Of all rows of the table: numbers of classes, or values ``(N,)``.
    rows
        Training and validation rows of each fold.
    shape, columns
        Where it takes data frames in place of encoded features: what they are like, and all rows of the table.

    """

    said: Mapping[str, Any]
    called: str
    base: str
    table: str
    folder: str | None
    task: str
    classes: tuple[Label, ...]
    targets: Array
    rows: tuple[tuple[Rows, Rows], ...]
    loader: str = ""
    shape: FrameShape | None = None
    columns: Columns | None = None


class Setting(NamedTuple):
    """What every configuration of a study is trained and scored on; shipped to each worker once.

    Blocks tell in the folder ``at_work`` how far they are; nobody wants to know if it is empty.
    """

    folds: tuple[Fold, ...]
    problem: Problem
    metric: str
    seed: int
    dtype: str
    trainer: str = BUILT_IN
    foreign: Foreign | None = None
    at_work: str = ""


class Retraining(NamedTuple):
    """A training on given rows, from which a model comes.

    Attributes
    ----------
    columns, schema
        The table.
    rows, test_rows
        Those to train on, and those that the model is scored on afterwards.
    configuration
        What to train, complete.
    setting
        What the search trained on; its folds play no part.
    scales, clock, copy
        As in `lrtune.model.fitting.fit_model`.
    seconds
        How long it may take, where it is code of somebody else, which may hang.

    """

    columns: Columns
    schema: Schema
    rows: Rows
    test_rows: Rows
    configuration: Configuration
    setting: Setting
    scales: Scales = ()
    clock: Clock = time.perf_counter
    copy: int = 0
    seconds: float = math.inf


class Work(NamedTuple):
    """What a worker gets at a time: configurations of one shape, the folds to train them on, and their numbers."""

    configurations: Sequence[Configuration]
    first: int = 0
    end: int | None = None
    numbers: Sequence[int] = ()


class Evaluated(NamedTuple):
    """The end of one configuration's stage: an outcome, or the reason why there is none."""

    number: int
    outcome: Outcome | None
    failure: str | None = None

    @property
    def predictions(self) -> list[Array] | None:
        """What the metric keeps of each fold's validation rows; None unless every fold of the stage has them."""
        return None if self.outcome is None else _of_every_fold(self.outcome.predictions)

    @property
    def probabilities(self) -> list[Array] | None:
        """Probabilities of all classes on each fold; None unless every fold of the stage has them beside that."""
        return None if self.outcome is None else _of_every_fold(self.outcome.probabilities)


def _of_every_fold(arrays: Sequence[Array | None]) -> list[Array] | None:
    known = [each for each in arrays if each is not None]
    return known if known and len(known) == len(arrays) else None


Numbered = tuple[int, Configuration]
"""A trial's number and its complete configuration."""
