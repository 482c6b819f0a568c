"""Out-of-fold results that come stage by stage make the same file as those that come at once."""

import itertools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from lrtune.run import out_of_fold
from lrtune.run.bodies import Header, RecordLayout
from lrtune.space.trial import Stage
from lrtune.trainers.contract import Evaluated
from lrtune.trainers.preparation import RecordForm
from lrtune.tuning.records import Hashes, Records
from lrtune.verdict.races import race_by_rows

SIZES = (7, 5, 8)
ROWS = sum(SIZES)
STAGES = (Stage(0, 1), Stage(1, 3))


PROBABILITIES, LABELS = RecordLayout("float16", 3, ROWS), RecordLayout("uint8", 1, ROWS)


def records(path, rows=ROWS, units=None, layout=PROBABILITIES):
    """Stand in for an experiment: predictions for three folds, of which so many rows are kept."""
    rng = np.random.default_rng(0)
    folds = tuple(SimpleNamespace(validation_targets=rng.integers(0, 3, size)) for size in SIZES)
    ends = np.cumsum([0, *SIZES])
    prepared = SimpleNamespace(
        setting=SimpleNamespace(folds=folds, seed=3, problem=SimpleNamespace(classes=3)),
        splits=tuple((None, np.arange(*each)) for each in itertools.pairwise(ends)),
        dataset=SimpleNamespace(columns=SimpleNamespace(groups=None)),
        metric="accuracy",
        record_forms=(RecordForm("float16", 3), RecordForm("uint8", 1)),
        whole_form=None,
        units=lambda fold: None if units is None else units[fold],
    )
    made = Records(path, prepared)
    made.take(Header(predictions=replace(layout, rows=rows)))
    return made


def block(predictions, stage, lost=()):
    """Make a stage's results of trials; None for the folds that a trial diverged on."""
    return [
        Evaluated(
            number,
            SimpleNamespace(
                predictions=tuple(None if number in lost else each for each in folds[stage.first : stage.end]),
                probabilities=(),
            ),
        )
        for number, folds in predictions.items()
    ]


def predictions(count):
    rng = np.random.default_rng(1)
    return {number: [rng.dirichlet(np.ones(3), size).astype(np.float16) for size in SIZES] for number in range(count)}


@pytest.mark.parametrize("rows", [ROWS, 9, 1])
def test_stages_in_any_order_of_trials_write_what_one_stage_writes(tmp_path, rows):
    found, folders = predictions(4), [tmp_path / "whole", tmp_path / "parts"]
    for each in folders:
        each.mkdir()
    whole, parts = records(folders[0], rows), records(folders[1], rows)
    whole.keep(block(found, Stage(0, 3)), Stage(0, 3))
    for numbers in ((3, 1), (0, 2)):
        for stage in STAGES:
            parts.keep(block({number: found[number] for number in numbers}, stage), stage)
    assert parts.predictions.path.read_bytes() == whole.predictions.path.read_bytes()
    kept = out_of_fold.kept_rows(ROWS, rows, seed=3)
    for number, folds in found.items():
        record = out_of_fold.read(parts.predictions.path, number, ("float16", (rows, 3)))
        np.testing.assert_array_equal(record, np.concatenate(folds)[kept])


def test_a_trial_that_was_pruned_has_its_first_part_and_zeros(tmp_path):
    found, made = predictions(3), records(tmp_path)
    hashes = made.keep(block(found, STAGES[0], lost=(1,)), STAGES[0])
    assert {number for number, each in hashes.items() if each.predictions} == {0, 2}
    record = out_of_fold.read(made.predictions.path, 2, PROBABILITIES.like)
    np.testing.assert_array_equal(record, [*found[2][0], *[[0, 0, 0]] * (ROWS - SIZES[0])])
    assert hashes[2] == Hashes(out_of_fold.digest(found[2][0]))


def test_where_probabilities_have_no_room_labels_are_kept(tmp_path, monkeypatch):
    found, made = predictions(2), records(tmp_path, layout=LABELS)
    hashes = made.keep(block(found, Stage(0, 3)), Stage(0, 3))
    for number, folds in found.items():
        record = out_of_fold.read(made.predictions.path, number, LABELS.like)
        np.testing.assert_array_equal(record, np.concatenate(folds).argmax(axis=1))
        assert hashes[number] == Hashes(out_of_fold.digest(record))
    whole, labels = ROWS * 3 * 2 * 5, ROWS * 5
    for room, expected in (
        (whole, PROBABILITIES),
        (whole - 1, LABELS),
        (labels, LABELS),
        (labels - 1, replace(LABELS, rows=ROWS - 1)),
    ):
        monkeypatch.setattr(out_of_fold, "TOTAL_BYTES", room)
        assert made.new_layouts(5) == (expected, None)


def test_short_horizons_leave_no_records(tmp_path):
    made = records(tmp_path)
    assert made.keep(block(predictions(2), Stage(0, 3, 9)), Stage(0, 3, 9)) == {0: Hashes(), 1: Hashes()}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("layout", [PROBABILITIES, LABELS])
def test_what_a_race_reads_is_the_kept_rows_of_the_first_folds(tmp_path, layout):
    units = [np.arange(size) // 2 for size in SIZES]
    found, made = predictions(3), records(tmp_path, 12, units, layout)
    made.keep(block(found, Stage(0, 3)), Stage(0, 3))
    kept = out_of_fold.kept_rows(ROWS, 12, seed=3)
    own = kept[kept < SIZES[0] + SIZES[1]]
    scores = made.scores([2, 0], 2)
    targets = np.concatenate([fold.validation_targets for fold in made.folds])
    np.testing.assert_array_equal(
        scores.values, [(np.concatenate(found[number]).argmax(axis=1) == targets)[own] for number in (2, 0)]
    )
    alike = np.concatenate([each + 100 * fold for fold, each in enumerate(units)])[own]
    assert scores.units.shape == own.shape
    np.testing.assert_array_equal(scores.units[:, None] == scores.units, alike[:, None] == alike)
    assert scores.exception is None


def test_a_race_without_any_row_of_the_folds_drops_nobody(tmp_path):
    made = records(tmp_path, 1)
    kept = int(out_of_fold.kept_rows(ROWS, 1, seed=3)[0])
    scores = made.scores([0, 1, 2], int(np.searchsorted(np.cumsum(SIZES), kept, side="right")))  # of folds before it
    assert scores.values.shape == (3, 0)
    assert not race_by_rows(scores, 0.5, best=0).dropped.any()
