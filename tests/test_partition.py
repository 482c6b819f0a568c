"""Folds without a score are left out when folds are made, everywhere in the same way, or the metric is refused."""

import numpy as np
import pytest

from lrtune.data.folds import make_folds
from lrtune.experiment import load_text
from lrtune.space.trial import FinalScore
from lrtune.text.errors import DataError
from lrtune.trainers.partition import LeftOut, fresh_folds, outer_folds, search_folds, why_undefined
from lrtune.trainers.preparation import prepare
from lrtune.training.metrics.scoring import is_defined
from lrtune.tuning.confirming import fresh_setting
from lrtune.tuning.nested import outer_folds as turns

SETTINGS = """
data: {{path: table.csv, target: y, test_size: 0, {data}}}
model: {{hidden: [4]}}
training: {{epochs: 2}}
search: {{trials: 2, {search}}}
space: {{learning_rate: [0.01, 0.1]}}
"""


def experiment(folder, data="group: g", search=""):
    return load_text(SETTINGS.format(data=data, search=search), name="case", base=folder)


def write(folder, groups, target, *, name="table.csv"):
    x = np.random.default_rng(0).normal(size=len(target))
    rows = (f"{value:.3f},{group},{label}" for value, group, label in zip(x, groups, target, strict=True))
    (folder / name).write_text("\n".join(["x,g,y", *rows]) + "\n")


PURE = {0: "p", 1: "p", 2: "n", 3: "n", 4: "n", 5: "p", 6: "p", 7: "n", 8: "n", 9: "n"}
"""Groups of one class each."""


@pytest.fixture
def pure(tmp_path):
    """Ten groups of ten rows; of five folds with two groups each, some have one class only."""
    groups = np.repeat(np.arange(10), 10)
    write(tmp_path, [f"g{each}" for each in groups], [PURE[each] for each in groups.tolist()])
    return tmp_path


def test_a_fold_of_one_class_is_left_out_and_the_others_stay_as_they_are(pure):
    every, some = (prepare(experiment(pure, search=f"metric: {each}")) for each in ("log_loss", "roc_auc"))
    targets = every.dataset.columns.target
    single = [number for number, (_, valid) in enumerate(every.splits, 1) if len(set(targets[valid])) == 1]
    assert len(every.splits) == 5
    assert 0 < len(single) < 4
    assert [each.fold for each in some.left_out] == single
    assert {each.has for each in some.left_out} <= {"only class 'p'", "only class 'n'"}
    kept = [number for number in range(1, 6) if number not in single]
    for number, split, fold in zip(kept, some.splits, some.setting.folds, strict=True):
        theirs = every.setting.folds[number - 1]
        assert fold.index == theirs.index == number - 1  # the same random streams
        np.testing.assert_array_equal(fold.features, theirs.features)
        np.testing.assert_array_equal(split[1], every.splits[number - 1][1])
    assert every.left_out == ()
    assert every.folds_hash != some.folds_hash
    assert some.warnings[0].startswith(f"judged on {len(kept)} of 5 folds; fold")
    assert some.warnings[0].endswith(": roc_auc has no score there")


@pytest.mark.parametrize(
    ("metric", "target", "folds", "said"),
    [
        ("roc_auc", ["a", "b"] * 5, 9, "have only one row"),
        ("roc_auc", ["a"] * 9 + ["b"], 5, "have only class 'a'"),
        ("f1", ["a"] * 9 + ["b"], 5, "folds 1, 2, 3, 4, 5 have no row of class 'b'"),
        ("r2", [each / 8 for each in range(10)], 9, "have only one row"),
        ("r2", [0.5] * 9 + [7.5], 5, "have only one value"),
    ],
)
def test_a_metric_without_a_score_on_two_folds_is_refused(tmp_path, metric, target, folds, said):
    write(tmp_path, range(10), target)
    instead = "rmse" if metric == "r2" else "log_loss"
    with pytest.raises(DataError, match=rf"{metric} has a score on [01] of {folds} folds, and at least 2 are") as it:
        prepare(experiment(tmp_path, "ignore: g", f"metric: {metric}, folds: {folds}"))
    assert said in str(it.value)
    assert str(it.value).endswith(f"set search.metric: {instead}, which has one on every fold")
    other = prepare(experiment(tmp_path, "ignore: g", f"metric: {instead}, folds: {folds}"))
    assert len(other.splits) == folds


def test_why_there_is_no_score(pure):
    schema = prepare(experiment(pure)).schema
    assert why_undefined("roc_auc", np.array([1, 1]), schema) == "only class 'p'"
    assert why_undefined("roc_auc", np.array([1]), schema) == "only one row"
    assert why_undefined("f1", np.array([0, 0]), schema) == "no row of class 'p'"
    assert why_undefined("accuracy", np.array([], int), schema) == "no rows"
    assert why_undefined("accuracy", np.array([1]), schema) is None


def random_table(folder, seed):
    rng = np.random.default_rng(seed)
    groups, own = np.arange(36) % 12, rng.random(12) < 0.25
    labels = np.where(rng.random(36) < 0.02, 1 - own[groups], own[groups])
    write(folder, groups, ["np"[each] for each in labels])


@pytest.mark.parametrize("metric", ["roc_auc", "f1"])
def test_what_can_be_prepared_has_all_the_folds_that_a_search_will_need(tmp_path, metric):
    """Fresh splits, outer folds and the folds inside of them: nothing is refused once training has begun."""
    prepared_ones = refused = left_out = 0
    for seed in range(60):
        random_table(tmp_path, seed)
        known = experiment(tmp_path, search=f"metric: {metric}, folds: 4, confirm: 1, nested: 3, seed: {seed}")
        try:
            prepared = prepare(known)
        except DataError:
            refused += 1
            continue
        prepared_ones += 1
        for fold in fresh_setting(known, prepared).folds:
            assert is_defined(metric, fold.validation_targets)
        for turn in turns(known, prepared, tmp_path):
            assert is_defined(metric, prepared.dataset.columns.target[turn.rows[1]])
            inside = prepare(known, rows=turn.rows)
            assert len(inside.splits) >= 2
            folds = (*inside.setting.folds, *fresh_setting(known, inside).folds)
            assert all(is_defined(metric, fold.validation_targets) for fold in folds)
        left_out += len(prepared.left_out) + sum("search.nested: judged on" in each for each in prepared.warnings)
    assert min(prepared_ones, refused, left_out) > 3


def test_the_notes_tell_of_the_further_folds(pure):
    known = experiment(pure, search="metric: roc_auc, confirm: 2, nested: 5")
    prepared = prepare(known)
    dataset = prepared.dataset
    for key, part in (
        ("search.confirm", fresh_folds(known, dataset, "roc_auc")),
        ("search.nested", outer_folds(known, dataset, "roc_auc")),
    ):
        notes = [each for each in prepared.warnings if each.startswith(f"{key}: judged on {len(part.splits)} of 5")]
        assert len(notes) == bool(part.left_out)
    assert any(each.startswith("search.") for each in prepared.warnings)


def test_folds_are_lowered_with_a_word_unless_they_are_asked_for(tmp_path):
    write(tmp_path, range(40), ["a"] * 36 + ["b"] * 4)
    lowered, asked = (prepare(experiment(tmp_path, "ignore: g", each)) for each in ("", "folds: 5"))
    assert (len(lowered.splits), len(asked.splits)) == (4, 5)
    note = "4 folds instead of 5, since class 'b' has only 4 training rows; search.folds sets another number"
    assert note in lowered.warnings
    assert not any("instead of" in each for each in asked.warnings)
    assert load_text(experiment(tmp_path, "ignore: g").to_yaml(tmp_path), base=tmp_path).folds is None
    written = experiment(tmp_path, "ignore: g", "folds: 5").to_yaml(tmp_path)
    assert load_text(written, base=tmp_path).folds == 5


def test_the_rows_of_the_folds_are_those_of_the_splitter(pure):
    known = experiment(pure, search="metric: roc_auc, repeats: 2, seed: 3")
    dataset = prepare(known).dataset
    part = search_folds(known, dataset, "roc_auc")
    made = make_folds(dataset.columns, dataset.schema, dataset.train_rows, folds=5, repeats=2, seed=3)
    assert sorted([*part.numbers, *(each.fold for each in part.left_out)]) == list(range(1, 11))
    for number, split in zip(part.numbers, part.splits, strict=True):
        assert [each.tolist() for each in split] == [each.tolist() for each in made[number - 1]]
    assert all(isinstance(each, LeftOut) for each in part.left_out)


class Predicting:
    """A model that predicts the same for every row."""

    told = None
    members = ()

    def __init__(self, value):
        self.value = value

    def outputs(self, _columns, rows):
        return np.full((len(rows), 1), self.value)


def test_predictions_beyond_all_numbers_have_no_score(tmp_path):
    write(tmp_path, range(20), [each / 7 for each in range(20)])
    prepared = prepare(load_text("data: {path: table.csv, target: y, ignore: g}\n", base=tmp_path))
    assert prepared.tested(Predicting(np.inf)) == FinalScore(None, 4, "no finite prediction")
    targets = prepared.dataset.columns.target[prepared.dataset.test_rows]
    assert prepared.tested(Predicting(1.0)).score == pytest.approx(-np.sqrt(np.mean((targets - 1.0) ** 2)))
    without = prepare(experiment(tmp_path, "ignore: g"))
    assert without.tested(Predicting(1.0)) == FinalScore(None, 0)
