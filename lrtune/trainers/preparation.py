"""From an experiment to everything its study needs: data read, split, encoded inside each fold, and hashed."""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass

import numpy as np

from lrtune.arrays import Rows
from lrtune.data.conversion import Marks
from lrtune.data.dataset import Dataset, open_dataset
from lrtune.data.encoding import problem_of
from lrtune.data.marks import row_marks
from lrtune.data.raw_frames import frame_shape
from lrtune.data.schema import Schema
from lrtune.data.tables import Table
from lrtune.engines.machine import be_frugal, give_back
from lrtune.experiment import Experiment
from lrtune.model import Model
from lrtune.model.fitting import FINAL, encoded, encoded_fold
from lrtune.model.foreign import TrainedProgram
from lrtune.space.trial import Configuration, FinalScore
from lrtune.text.paths import expanded
from lrtune.trainers.catalogue import TRAINERS
from lrtune.trainers.code import code_hash
from lrtune.trainers.contract import Foreign, Retraining, Setting
from lrtune.trainers.loaded import loaded_table, with_roles
from lrtune.trainers.partition import LeftOut, Partition, further_notes, search_folds, why_undefined
from lrtune.training.feedback import Scales
from lrtune.training.metrics.scoring import are_shown, has_room, keep, label_type, score
from lrtune.training.registry import METRICS
from lrtune.training.tasks import Fold
from lrtune.training.wall_clock import Clock


@dataclass(frozen=True)
class RecordForm:
    """How one validation row of one trial is kept (see `lrtune.run.out_of_fold`)."""

    dtype: str
    columns: int

    @property
    def row_bytes(self) -> int:
        """Bytes for each row."""
        return np.dtype(self.dtype).itemsize * self.columns


@dataclass(frozen=True, eq=False)
class Prepared:
    """An experiment's data, ready to train on.

    Attributes
    ----------
    dataset
        All rows as arrays, which of them are for the search and which for the test, and the schema.
    splits
        Training and validation rows of each fold.
    setting
        What every configuration is trained and scored on.
    left_out
        Folds that the splitter made and on which the metric has no score; they are not among the others.
    fold_notes
        What is worth saying of the folds.

    """

    dataset: Dataset
    splits: tuple[tuple[Rows, Rows], ...]
    setting: Setting
    left_out: tuple[LeftOut, ...] = ()
    fold_notes: tuple[str, ...] = ()

    @property
    def schema(self) -> Schema:
        """The columns, the target and its classes."""
        return self.dataset.schema

    @property
    def task(self) -> str:
        """``"binary"``, ``"multiclass"`` or ``"regression"``."""
        return self.schema.problem

    @property
    def metric(self) -> str:
        """What configurations are judged by."""
        return self.setting.metric

    @property
    def rows(self) -> int:
        """Rows that the search may use."""
        return len(self.dataset.train_rows)

    @property
    def test_rows(self) -> int:
        """Rows that it never sees."""
        return len(self.dataset.test_rows)

    @property
    def rows_ratio(self) -> float:
        """Mean number of validation rows for each training row of a fold."""
        ratios = [len(validation) / len(train) for train, validation in self.splits]
        return sum(ratios) / len(ratios)

    @property
    def features(self) -> int:
        """D, the number of encoded features."""
        return int(self.setting.folds[0].features.shape[1])

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided about the data, one finished sentence each."""
        return self.schema.notes

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd about the data, one finished sentence each."""
        return (*self.fold_notes, *self.dataset.notes, *self.schema.warnings)

    @property
    def data_hash(self) -> str:
        """Hash of what training sees of the table."""
        return self.dataset.hash

    @property
    def marks(self) -> Marks:
        """What tells each row of the table in another table (N,); see `lrtune.data.marks`."""
        return row_marks(self.dataset.columns, self.schema)

    @property
    def folds_hash(self) -> str:
        """Hash of the rows of every fold and of the test."""
        digest = hashlib.sha256()
        for rows in (self.dataset.test_rows, *(part for split in self.splits for part in split)):
            digest.update(np.int64(len(rows)).tobytes() + rows.astype(np.int64).tobytes())
        return digest.hexdigest()

    @property
    def code_hash(self) -> str | None:
        """Hash of the files that the experiment names as what trains; None if it names none."""
        foreign = self.setting.foreign
        return None if foreign is None else code_hash(self.setting.trainer, foreign)

    @property
    def is_in_order(self) -> bool:
        """Whether every fold is validated on rows that come after those it is trained on."""
        return all(train.max() < validation.min() for train, validation in self.splits)

    def units(self, fold: int) -> Rows | None:
        """Get what the validation rows of a fold are resampled by (M,): groups, or stretches of time; None: rows."""
        _, validation = self.splits[fold]
        if self.dataset.columns.groups is not None:
            return self.dataset.columns.groups[validation]
        times = validation if self.dataset.columns.order is None else self.dataset.columns.order[validation]
        if self.dataset.columns.order is None and not self.is_in_order:
            return None
        stretch = max(1, math.isqrt(len(validation)))  # neighbours in time resemble each other
        return np.asarray(np.argsort(np.argsort(times, kind="stable"), kind="stable") // stretch)

    @property
    def record_forms(self) -> tuple[RecordForm, ...]:
        """Dtype and columns of the out-of-fold results that the metric needs; the last where there is no room.

        Labels alone are enough for scores, and of probabilities a mean can be taken as well.
        """
        classes = self.setting.problem.classes
        columns, kept = classes if classes > 2 else 1, METRICS[self.metric].keeps
        if kept == "label":
            labels = RecordForm(label_type(classes), 1)
            return (RecordForm("float16", columns), labels) if has_room(self._most_rows, classes) else (labels,)
        return (RecordForm("float32", columns if kept == "score" else 1),)

    @property
    def whole_form(self) -> RecordForm | None:
        """Dtype and columns of the probabilities of all classes, where the out-of-fold results do not tell them."""
        classes = self.setting.problem.classes
        needed = METRICS[self.metric].keeps == "loss" and are_shown(self._most_rows, classes)
        return RecordForm("float16", classes) if needed else None

    @property
    def _most_rows(self) -> int:
        return max(len(validation) for _, validation in self.splits)

    def setting_of(self, configuration: Configuration) -> Setting:
        """Encode the folds as a complete configuration asks for, which need not be one of the experiment."""
        numbers = str(configuration["numbers"])
        folds = tuple(
            encoded(
                self.dataset.columns, self.schema, *split, index=fold.index, dtype=self.setting.dtype, numbers=numbers
            )[1]
            for split, fold in zip(self.splits, self.setting.folds, strict=True)
        )
        return self.setting._replace(folds=folds)

    def refit(
        self,
        configuration: Configuration,
        *,
        scales: Scales = (),
        clock: Clock = time.perf_counter,
        copy: int = 0,
        tested: bool = False,
        setting: Setting | None = None,
        fold: int | None = None,
        seconds: float = math.inf,
    ) -> Model:
        """Train a complete configuration on all training rows, or on those of a fold.

        Parameters
        ----------
        configuration
            What to train.
        scales, clock, copy
            As in `fit_model`.
        tested
            Whether the test rows train as well.
        setting
            What the search trained on, where that has a folder by now.
        fold
            The place of a fold: the model is the one that was scored on its validation rows.
        seconds
            How long code of somebody else may take.

        Raises
        ------
        NoUsableResultError
            If it diverges there, although it did not on the folds.

        """
        data, none = self.dataset, np.empty(0, dtype=np.int64)
        rows = np.union1d(data.train_rows, data.test_rows) if tested else data.train_rows
        test_rows = none if tested else data.test_rows
        setting = setting or self.setting
        if fold is not None:
            rows, copy = self.splits[fold][0], setting.folds[fold].index - FINAL
        task = Retraining(
            data.columns, self.schema, rows, test_rows, configuration, setting, scales, clock, copy, seconds
        )
        model = TRAINERS[setting.trainer].fit(task)
        give_back()
        return model

    def tested(self, model: Model) -> FinalScore:
        """Score a model on the test rows."""
        columns, rows = self.dataset.columns, self.dataset.test_rows
        if not len(rows):
            return FinalScore(None, 0)
        if model.told is not None:
            return FinalScore(model.told, len(rows))
        assert columns.target is not None
        targets = columns.target[rows]
        has = why_undefined(self.metric, targets, self.schema)
        if has is not None:
            return FinalScore(None, len(rows), has)
        if any(isinstance(each, TrainedProgram) for each in model.members):
            return FinalScore(None, len(rows), "the training on all rows told none")
        outputs = model.outputs(columns, rows)
        if self.task == "binary":
            outputs = outputs[:, 1:]  # metrics take the probability of class 1
        found = score(self.metric, keep(self.metric, outputs.T[None], targets), targets, len(self.schema.classes))
        if not np.isfinite(found[0]):
            return FinalScore(None, len(rows), "no finite prediction")
        return FinalScore(float(found[0]), len(rows))


def prepare(experiment: Experiment, *, table: Table | None = None, rows: tuple[Rows, Rows] | None = None) -> Prepared:
    """Read, describe, split and encode an experiment's data.

    Parameters
    ----------
    experiment
        Says where they are, and what they mean.
    table
        In place of the file that the experiment names, where a program holds its rows (`lrtune.data.memory`).
    rows
        Row numbers for the search and for the test, where they are decided already.

    Raises
    ------
    DataError
        If the data cannot be read, or do not fit what is asked of them.
    ExperimentError
        If there is no such trainer, or the metric or another setting does not fit the task that was found.

    """
    experiment.check_trainer(TRAINERS)
    data, search = experiment.data, experiment.search
    meaning = data.meaning
    if experiment.loader is not None and table is None:
        table = loaded_table(experiment)
    if experiment.loader is not None and table is not None:
        meaning = with_roles(table, meaning)
    dataset = open_dataset(
        data.path if table is None else table,
        base=experiment.base,
        options=data.options,
        test=data.test_path,
        test_size=data.test_size,
        seed=search.seed,
        rows=rows,
        **meaning,
    )
    if dataset.columns.is_compact:
        be_frugal()
        give_back()
    metric = experiment.metric(dataset.schema.problem)
    part = search_folds(experiment, dataset, metric)
    notes = (*part.notes, *(further_notes(experiment, dataset, metric) if rows is None else ()))
    folds = encoded_folds(experiment, dataset, part)
    problem = problem_of(dataset.schema)
    name, dtype = experiment.trainer.name, experiment.training.dtype
    foreign = _foreign(experiment, dataset, part) if experiment.trainer.is_foreign else None
    setting = Setting(folds, problem, metric, search.seed, dtype, name, foreign)
    give_back()
    return Prepared(dataset, part.splits, setting, part.left_out, notes)


def _foreign(experiment: Experiment, dataset: Dataset, part: Partition) -> Foreign:
    """Put together what code of somebody else needs."""
    columns, schema = dataset.columns, dataset.schema
    assert columns.target is not None
    path, loader = experiment.data.path, experiment.loader or ""
    is_file = not loader and not path.startswith("sklearn:")
    table = str((experiment.base / expanded(path)).absolute()) if is_file else "" if loader else path
    return Foreign(
        said=experiment.trainer.said,
        called=experiment.trainer.called,
        base=str(experiment.base.absolute()),
        table=table,
        folder=None,
        task=schema.problem,
        classes=schema.classes,
        targets=columns.target.astype(np.int64) if schema.classes else columns.target,
        rows=part.splits,
        loader=loader,
        shape=None if experiment.data.encode else frame_shape(schema),
        columns=None if experiment.data.encode else columns,
    )


def encoded_folds(experiment: Experiment, dataset: Dataset, part: Partition) -> tuple[Fold, ...]:
    """Encode each fold by its own training rows; its random streams are those of its number."""
    dtype = experiment.training.dtype
    return tuple(
        encoded_fold(dataset.columns, dataset.schema, *split, index=number - 1, dtype=dtype, numbers=experiment.numbers)
        for number, split in zip(part.numbers, part.splits, strict=True)
    )
