"""What a study keeps of its predictions, stage by stage: `lrtune.run.out_of_fold`'s file, and the folds within."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lrtune.arrays import Array, Rows
from lrtune.run import out_of_fold
from lrtune.run.bodies import RecordLayout
from lrtune.run.observed import Observed, observe
from lrtune.space.trial import Stage
from lrtune.text.errors import StudyError
from lrtune.trainers.contract import Evaluated
from lrtune.trainers.preparation import Prepared
from lrtune.training.metrics import scoring
from lrtune.training.metrics.scoring import row_values, surprise
from lrtune.verdict.races import RowScores


class Records:
    """The out-of-fold results of a study's trials.

    Parameters
    ----------
    path
        The file.
    prepared
        The folds and the metric.

    """

    def __init__(self, path: Path, prepared: Prepared) -> None:
        self.path = path
        self.prepared = prepared
        self.folds = prepared.setting.folds
        self.bounds = np.cumsum([0, *(len(fold.validation_targets) for fold in self.folds)]).tolist()
        self.layout = RecordLayout("uint8", 1, 0)
        self.kept = np.empty(0, dtype=np.int64)

    def new_layout(self, trials: int) -> RecordLayout:
        """Decide how results are kept, and how many rows of them, if so many trials are planned."""
        rows, forms = self.bounds[-1], self.prepared.record_forms
        room = {each: out_of_fold.room(rows, each.row_bytes, trials) for each in forms}
        form = next((each for each in forms if room[each] == rows), forms[-1])
        return RecordLayout(form.dtype, form.columns, room[form])

    def take(self, layout: RecordLayout | None) -> None:
        """Go by what the study decided when it began."""
        assert layout is not None  # a study that trains has decided it
        self.layout = layout
        self.kept = out_of_fold.kept_rows(self.bounds[-1], layout.rows, seed=self.prepared.setting.seed)

    def observed(self) -> Observed:
        """Put together what was observed in the kept rows."""
        together: list[Rows] = []
        for fold, (_, validation) in enumerate(self.prepared.splits):
            units = self.prepared.units(fold)
            if units is None:
                units = validation  # a row is the same in all repeats
            elif self.prepared.dataset.columns.groups is None:
                units = units + self.bounds[fold]  # a stretch of time belongs to its fold
            together.append(units.astype(np.int64))
        targets = [fold.validation_targets for fold in self.folds]
        rows = [validation for _, validation in self.prepared.splits]
        return observe(targets, together, rows=rows, kept=self.kept, classes=self.prepared.setting.problem.classes)

    def part(self, stage: Stage) -> tuple[slice, Rows]:
        """Find which part of a record a stage fills, and with which of the stage's validation rows."""
        start, end = self.bounds[stage.first], self.bounds[stage.end]
        part = out_of_fold.part(self.kept, start, end)
        return part, self.kept[part] - start

    def keep(self, block: Sequence[Evaluated], stage: Stage) -> dict[int, str]:
        """Write what a stage adds to the results of a block's trials, if all its folds have one; returns its hashes."""
        part, kept = self.part(stage)
        if stage.shorter > 1 or not len(kept):
            return {}
        records = [
            (each.number, self._as_kept(out_of_fold.record(predictions, kept)))
            for each in block
            if (predictions := each.predictions) is not None
        ]
        if records:
            out_of_fold.write(self.path, records, first=part.start, rows=self.layout.rows)
        return {number: out_of_fold.digest(each) for number, each in records}

    @property
    def are_whole(self) -> bool:
        """Whether all rows are kept, with all that the metric can make use of."""
        form = self.prepared.record_forms[0]
        layout = (self.layout.rows, self.layout.dtype, self.layout.columns)
        return layout == (self.bounds[-1], form.dtype, form.columns)

    def put(self, number: int, text: str) -> str:
        """Write a whole record that another study has made; returns its hash."""
        values = np.frombuffer(b64decode(text), self.layout.dtype).reshape(self.layout.like[1])
        out_of_fold.write(self.path, [(number, values)], rows=self.layout.rows)
        return out_of_fold.digest(values)

    def _as_kept(self, record: Array) -> Array:
        """Leave labels of probabilities where these had no room."""
        labels = np.issubdtype(self.layout.dtype, np.integer)
        return scoring.labels_of(record, self.layout.dtype) if labels else record

    def lost(self, written: Mapping[int, Sequence[tuple[int, str]]]) -> dict[Stage, list[int]]:
        """Name the stages, and of each the trials, whose results are not what was written.

        ``written`` has for each trial the number of folds and the hash of one stage after the other.
        """
        lost: dict[Stage, list[int]] = {}
        for number, parts in written.items():
            first = 0
            for folds, digest in parts:
                stage = Stage(first, first + folds)
                if self._digest(number, stage) != digest:
                    lost.setdefault(stage, []).append(number)
                first += folds
        return lost

    def _digest(self, number: int, stage: Stage) -> str | None:
        part, _ = self.part(stage)
        try:
            return out_of_fold.digest(out_of_fold.read(self.path, number, self.layout.like)[part])
        except (OSError, StudyError):
            return None

    def scores(self, numbers: Sequence[int], folds: int) -> RowScores:
        """Read how well some trials did on the kept rows of the first folds, of so many."""
        seen, metric = self.observed(), self.prepared.metric
        rows = slice(0, int(np.searchsorted(seen.folds, folds)))
        if not rows.stop:  # a study of so many trials that not even one row of each fold has a place
            return RowScores(np.zeros((len(numbers), 0)))
        records = np.stack([out_of_fold.read(self.path, each, self.layout.like)[rows] for each in numbers])
        values = row_values(metric, scoring.kept(metric, records), seen.targets[rows], seen.folds[rows])
        return RowScores(values, seen.units[rows], surprise(metric, values))
