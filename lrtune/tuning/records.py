"""What a study keeps of its predictions, stage by stage: `lrtune.run.out_of_fold`'s files, and the folds within."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from lrtune.arrays import Array, Rows
from lrtune.run import out_of_fold
from lrtune.run.bodies import Header, RecordLayout
from lrtune.run.names import PREDICTIONS, PROBABILITIES
from lrtune.run.observed import Observed, observe
from lrtune.space.trial import Stage
from lrtune.text.errors import StudyError
from lrtune.trainers.contract import Evaluated
from lrtune.trainers.preparation import Prepared
from lrtune.training.metrics import scoring
from lrtune.training.metrics.scoring import row_values, surprise
from lrtune.verdict.races import RowScores

Written: TypeAlias = Mapping[int, Sequence[tuple[int, str]]]
"""For each trial the number of folds and the hash of one stage after the other."""


class Hashes(NamedTuple):
    """Hashes of what a stage of a trial has left; None where it has left nothing."""

    predictions: str | None = None
    probabilities: str | None = None


class RecordFile:
    """A record of fixed size for each trial, of some of the validation rows of all folds.

    Parameters
    ----------
    path
        The file.
    bounds
        Where the folds begin among all validation rows, and the end of the last one.
    seed
        Of the study: draws the rows.

    """

    def __init__(self, path: Path, bounds: Sequence[int], seed: int) -> None:
        self.path, self.bounds, self.seed = path, bounds, seed
        self.take(None)

    def take(self, layout: RecordLayout | None) -> None:
        """Go by what the study decided when it began; None: nothing is kept."""
        self.layout = layout or RecordLayout("uint8", 1, 0)
        self.kept = out_of_fold.kept_rows(self.bounds[-1], self.layout.rows, seed=self.seed)

    def part(self, stage: Stage) -> tuple[slice, Rows]:
        """Find which part of a record a stage fills, and with which of the stage's validation rows."""
        start, end = self.bounds[stage.first], self.bounds[stage.end]
        part = out_of_fold.part(self.kept, start, end)
        return part, self.kept[part] - start

    def keep(self, predictions: Iterable[tuple[int, Sequence[Array] | None]], stage: Stage) -> dict[int, str]:
        """Write what a stage adds to some trials, if all its folds have something; returns the hashes."""
        part, kept = self.part(stage)
        if stage.shorter > 1 or not len(kept):
            return {}
        known, hashes = [(number, folds) for number, folds in predictions if folds is not None], dict[int, str]()

        def records() -> Iterator[tuple[int, Array]]:
            for number, folds in known:  # one is there at a time
                record = out_of_fold.record([self._as_kept(each) for each in folds], kept)
                hashes[number] = out_of_fold.digest(record)
                yield number, record

        if known:
            out_of_fold.write(self.path, records(), first=part.start, rows=self.layout.rows)
        return hashes

    def text(self, number: int, digest: str) -> str | None:
        """Write a whole record as base64; None if it is not the one with this hash."""
        try:
            values = self.read(number)
        except (OSError, StudyError):
            return None
        return b64encode(values.tobytes()).decode() if out_of_fold.digest(values) == digest else None

    def put(self, number: int, text: str) -> str:
        """Write a whole record that another study has made; returns its hash."""
        values = np.frombuffer(b64decode(text), self.layout.dtype).reshape(self.layout.like[1])
        out_of_fold.write(self.path, [(number, values)], rows=self.layout.rows)
        return out_of_fold.digest(values)

    def _as_kept(self, record: Array) -> Array:
        """Leave labels of probabilities where these had no room."""
        labels = np.issubdtype(self.layout.dtype, np.integer) and not scoring.has_labels(record)
        return scoring.labels_of(record, self.layout.dtype) if labels else record

    def lost(self, written: Written) -> dict[Stage, list[int]]:
        """Name the stages, and of each the trials, whose records are not what was written."""
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
            return out_of_fold.digest(self.read(number)[part])
        except (OSError, StudyError):
            return None

    def read(self, number: int) -> Array:
        """Read a trial's record."""
        return out_of_fold.read(self.path, number, self.layout.like)


class Records:
    """The out-of-fold results of a study's trials: what the metric needs, and the probabilities of all classes.

    Parameters
    ----------
    folder
        Of the run.
    prepared
        The folds and the metric.

    """

    def __init__(self, folder: Path, prepared: Prepared) -> None:
        self.prepared = prepared
        self._observed: Observed | None = None
        self.folds = prepared.setting.folds
        bounds = np.cumsum([0, *(len(fold.validation_targets) for fold in self.folds)]).tolist()
        self.predictions, self.probabilities = (
            RecordFile(folder / name, bounds, prepared.setting.seed) for name in (PREDICTIONS, PROBABILITIES)
        )

    def new_layouts(self, trials: int) -> tuple[RecordLayout, RecordLayout | None]:
        """Decide how both are kept, and of how many rows, if so many trials are planned; None: not at all."""
        rows, forms = self.predictions.bounds[-1], self.prepared.record_forms
        room = {each: out_of_fold.room(rows, each.row_bytes, trials) for each in forms}
        form = next((each for each in forms if room[each] == rows), forms[-1])
        shown = self.prepared.whole_form
        if shown is not None:
            most = out_of_fold.room(room[form], shown.row_bytes, trials, out_of_fold.SHOWN_BYTES)
            return RecordLayout(form.dtype, form.columns, room[form]), RecordLayout(shown.dtype, shown.columns, most)
        return RecordLayout(form.dtype, form.columns, room[form]), None

    def take(self, header: Header) -> None:
        """Go by what the study decided when it began."""
        assert header.predictions is not None  # a study that trains has decided it
        self._observed = None
        self.predictions.take(header.predictions)
        self.probabilities.take(header.probabilities)

    @property
    def are_whole(self) -> bool:
        """Whether all rows are kept, with all that the metric and the pictures can make use of."""
        forms = (self.prepared.record_forms[0], self.prepared.whole_form)
        return all(
            form is None
            or (file.layout.rows, file.layout.dtype, file.layout.columns) == (file.bounds[-1], form.dtype, form.columns)
            for file, form in zip(self.files.values(), forms, strict=True)
        )

    @property
    def files(self) -> dict[str, RecordFile]:
        """Both, by what a result calls the hash of a record in them."""
        return {"predictions": self.predictions, "probabilities": self.probabilities}

    def observed(self) -> Observed:
        """Put together what was observed in the kept rows; races ask again and again."""
        if self._observed is None:
            self._observed = self._put_together()
        return self._observed

    def _put_together(self) -> Observed:
        together: list[Rows] = []
        for fold, (_, validation) in enumerate(self.prepared.splits):
            units = self.prepared.units(fold)
            if units is None:
                units = validation  # a row is the same in all repeats
            elif self.prepared.dataset.columns.groups is None:
                units = units + self.predictions.bounds[fold]  # a stretch of time belongs to its fold
            together.append(units)
        targets = [fold.validation_targets for fold in self.folds]
        rows = [validation for _, validation in self.prepared.splits]
        kept, whole = self.predictions.kept, self.probabilities.kept
        classes = self.prepared.setting.problem.classes
        return observe(targets, together, rows=rows, kept=kept, whole=whole, classes=classes)

    def keep(self, block: Sequence[Evaluated], stage: Stage) -> dict[int, Hashes]:
        """Write what a stage adds to the results of a block's trials; returns the hashes of each."""
        first = self.predictions.keep([(each.number, each.predictions) for each in block], stage)
        second = self.probabilities.keep([(each.number, each.probabilities) for each in block], stage)
        return {each.number: Hashes(first.get(each.number), second.get(each.number)) for each in block}

    def lost(self, predictions: Written, probabilities: Written) -> dict[Stage, list[int]]:
        """Name the stages, and of each the trials, whose results are not what was written."""
        lost = self.predictions.lost(predictions)
        for stage, numbers in self.probabilities.lost(probabilities).items():
            lost[stage] = sorted({*lost.get(stage, ()), *numbers})
        return lost

    def scores(self, numbers: Sequence[int], folds: int) -> RowScores:
        """Read how well some trials did on the kept rows of the first folds, of so many."""
        seen, metric = self.observed(), self.prepared.metric
        rows = slice(0, int(np.searchsorted(seen.folds, folds)))
        if not rows.stop:  # a study of so many trials that not even one row of each fold has a place
            return RowScores(np.zeros((len(numbers), 0)))
        records = np.stack([self.predictions.read(each)[rows] for each in numbers])
        values = row_values(metric, scoring.kept(metric, records), seen.targets[rows], seen.folds[rows])
        return RowScores(values, seen.units[rows], surprise(metric, values))
