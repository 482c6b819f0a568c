"""What was not tuned: the scores of models fitted by hand on the same folds; once in a study, or not at all."""

from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as reference
from sklearn.linear_model import LogisticRegression, Ridge

from lrtune.experiment import load_text
from lrtune.model import fitting
from lrtune.model.fitting import encoded
from lrtune.run.journal import Journal
from lrtune.run.names import DATABASE
from lrtune.run.study import replay
from lrtune.trainers import anchors
from lrtune.trainers.contract import Setting
from lrtune.trainers.preparation import prepare
from lrtune.training.encoded import EncodedRows
from lrtune.training.tasks import Fold, Problem
from lrtune.tuning import core as tuning
from lrtune.tuning import finishing
from lrtune.tuning.nested import outer_folds, search_inside
from lrtune.verdict.making import result_of

TEXT = """
data: {path: sklearn:DATA, test_size: 0.2}
model: {hidden: [8]}
training: {epochs: 3}
search: {strategy: random, trials: 3, folds: 3, round: 3, control: false}
space:
  learning_rate: {low: 1e-3, high: 1.0, scale: log}
  optimizer: [sgd, adam]
"""
CLASSES = {"iris": 3, "breast_cancer": 2}


def experiment(data="iris", **more):
    text = TEXT.replace("DATA", data)
    for key, value in more.items():
        text = text.replace("control: false", f"control: false, {key}: {value}")
    return load_text(text, name="case")


def prepared_of(data):
    return prepare(experiment(data))


def study_of(folder, chosen, **more):
    return replay(tuning.tune(chosen, prepare(chosen), folder, workers=1, **more))


def kinds(folder):
    with Journal(folder / DATABASE) as journal:
        return [event.kind for event in journal.events()]


# --- the scores, by hand


@pytest.mark.parametrize("data", CLASSES)
def test_the_linear_anchor_is_logistic_regression_on_the_same_folds(data):
    prepared, every = prepared_of(data), list(range(CLASSES[data]))
    found = anchors.anchors(prepared.setting)["linear"]
    labels = []
    for place, ((train, valid), fold) in enumerate(zip(prepared.splits, prepared.setting.folds, strict=True)):
        target = prepared.dataset.columns.target.astype(int)
        model = LogisticRegression(max_iter=5000, tol=1e-6)
        model.fit(fold.features.astype(np.float64), target[train])
        said = model.predict_proba(fold.validation_features.astype(np.float64))
        auc = said if len(every) > 2 else said[:, 1]
        expected = {
            "accuracy": reference.accuracy_score(target[valid], said.argmax(axis=1)),
            "balanced_accuracy": reference.balanced_accuracy_score(target[valid], said.argmax(axis=1)),
            "log_loss": -reference.log_loss(target[valid], said, labels=every),
            "roc_auc": reference.roc_auc_score(target[valid], auc, multi_class="ovr"),
        }
        assert {key: scores[place] for key, scores in found.beside.items()} == pytest.approx(expected, abs=2e-4)
        assert found.scores[place] == found.beside[prepared.metric][place]
        labels += said.argmax(axis=1).tolist()
    assert list(found.predicted) == np.bincount(labels, minlength=len(every)).tolist()


def test_the_linear_anchor_of_values_is_ridge_in_original_units():
    prepared = prepared_of("diabetes")
    found, target = anchors.anchors(prepared.setting)["linear"], prepared.dataset.columns.target
    for place, ((train, valid), fold) in enumerate(zip(prepared.splits, prepared.setting.folds, strict=True)):
        said = Ridge().fit(fold.features.astype(np.float64), target[train]).predict(fold.validation_features)
        expected = {
            "rmse": -reference.root_mean_squared_error(target[valid], said),
            "mae": -reference.mean_absolute_error(target[valid], said),
            "r2": reference.r2_score(target[valid], said),
        }
        assert {key: scores[place] for key, scores in found.beside.items()} == pytest.approx(expected, rel=1e-4)
    assert found.predicted == ()


@pytest.mark.parametrize("data", CLASSES)
def test_the_majority_predicts_the_shares_of_the_classes(data):
    prepared = prepared_of(data)
    found, classes = anchors.anchors(prepared.setting)["majority"], CLASSES[data]
    for place, (train, valid) in enumerate(prepared.splits):
        target = prepared.dataset.columns.target.astype(int)
        counts = np.bincount(target[train], minlength=classes)
        shares = (counts + 0.5) / (len(train) + 0.5 * classes)
        loss = reference.log_loss(target[valid], np.tile(shares, (len(valid), 1)), labels=list(range(classes)))
        assert found.beside["log_loss"][place] == pytest.approx(-loss)
        assert found.beside["accuracy"][place] == pytest.approx((target[valid] == counts.argmax()).mean())
        assert found.beside["balanced_accuracy"][place] == pytest.approx(1 / classes)
        assert found.beside["roc_auc"][place] == pytest.approx(0.5)


def test_the_mean_is_that_of_the_training_targets():
    prepared = prepared_of("diabetes")
    found, target = anchors.anchors(prepared.setting)["mean"], prepared.dataset.columns.target
    for place, (train, valid) in enumerate(prepared.splits):
        errors = target[valid] - target[train].mean()
        assert -found.beside["rmse"][place] == pytest.approx(np.sqrt(np.mean(errors**2)))
        assert -found.beside["mae"][place] == pytest.approx(np.mean(np.abs(errors)))


CONCRETE = f"path: {Path(__file__).parents[1] / 'datasets' / 'concrete.csv'}, target: compressive_strength"


@pytest.mark.parametrize(("data", "numbers"), [("path: sklearn:diabetes", "standard"), (CONCRETE, "piecewise")])
def test_where_encoders_are_searched_the_linear_anchor_has_the_best_of_them(data, numbers, tmp_path):
    text = TEXT.replace("path: sklearn:DATA", data)
    text = text.replace("  optimizer: [sgd, adam]", "  numbers: [standard, piecewise, robust]")
    chosen = load_text(text, name="case")
    prepared, study = prepare(chosen), study_of(tmp_path, chosen)
    target, scores = prepared.dataset.columns.target, {}
    for name in ("standard", "piecewise", "robust"):
        folds = [
            encoded(prepared.dataset.columns, prepared.schema, *split, index=0, dtype="float32", numbers=name)[1]
            for split in prepared.splits
        ]
        scores[name] = [
            -reference.root_mean_squared_error(
                target[valid], Ridge().fit(fold.features, target[train]).predict(fold.validation_features)
            )
            for (train, valid), fold in zip(prepared.splits, folds, strict=True)
        ]
    best = max(scores, key=lambda name: np.mean(scores[name]))
    assert study.anchors["linear"].numbers == best == numbers
    assert study.anchors["linear"].scores == pytest.approx(scores[best], rel=1e-4)
    assert study.anchors["mean"].numbers is None
    result = result_of(study, chosen.configuration)
    assert next(each for each in result.anchors if each.name == "linear").numbers == best


def a_fold(labels, seed=0, index=0):
    rng = np.random.default_rng(seed)
    labels = np.asarray(labels)
    features = (rng.normal(size=(len(labels), 2)) + labels[:, None]).astype(np.float32)
    valid = np.arange(12) % 4
    validation = (rng.normal(size=(12, 2)) + valid[:, None]).astype(np.float32)
    return Fold(index, features, labels, np.ones(len(labels), np.float32), validation, valid)


def a_setting(*folds):
    return Setting(folds, Problem("softmax", 4, 4), "log_loss", 3, "float32")


def test_a_class_that_no_training_row_has_is_impossible_for_the_linear_anchor_only():
    fold = a_fold([0, 1, 3] * 8)
    found = anchors.anchors(a_setting(fold))
    model = LogisticRegression(max_iter=5000, tol=1e-6).fit(fold.features.astype(np.float64), fold.targets)
    said = np.insert(model.predict_proba(fold.validation_features), 2, 0.0, axis=1)
    smallest = np.finfo(np.float64).eps
    own = np.clip(said[np.arange(12), fold.validation_targets], smallest, 1 - smallest)
    assert found["linear"].scores[0] == pytest.approx(np.log(own).mean(), rel=1e-4)
    assert found["linear"].predicted[2] == 0
    shares = np.array([8.5, 8.5, 0.5, 8.5]) / 26
    assert found["majority"].scores[0] == pytest.approx(np.log(shares).mean())  # three validation rows of each


def test_many_rows_are_sampled_and_no_class_is_lost(monkeypatch):
    monkeypatch.setattr(anchors, "MOST_ROWS", 20)
    labels = np.zeros(600, int)
    labels[[5, 300, 599]] = 1, 2, 3  # each would be missed by nearly every sample of 20
    folds = [a_fold(labels, index=index) for index in (0, 1)]
    seen = []
    fit = LogisticRegression.fit

    def remember(self, features, targets):
        seen.append((features, targets))
        return fit(self, features, targets)

    monkeypatch.setattr(LogisticRegression, "fit", remember)
    first, again = (anchors.anchors(a_setting(*folds)) for _ in range(2))
    assert first["linear"].scores == again["linear"].scores
    assert first["majority"].scores[0] == first["majority"].scores[1]  # of all rows
    for features, targets in seen:
        assert (len(features), len(targets), set(targets)) == (20, 20, {0, 1, 2, 3})
        places = [int(np.flatnonzero((folds[0].features == row).all(axis=1))[0]) for row in features]
        assert places == sorted(set(places))
        assert labels[places].tolist() == targets.tolist()
    np.testing.assert_array_equal(seen[0][0], seen[2][0])
    assert (seen[0][0] != seen[1][0]).any()  # another fold, another sample
    monkeypatch.setattr(anchors, "MOST_ROWS", 600)
    anchors.anchors(a_setting(*folds))
    assert len(seen[-1][0]) == 600


def test_many_values_are_sampled(monkeypatch):
    monkeypatch.setattr(anchors, "MOST_ROWS", 50)
    seen = []
    fit = Ridge.fit
    monkeypatch.setattr(Ridge, "fit", lambda self, x, y: seen.append(len(x)) or fit(self, x, y))
    anchors.anchors(prepared_of("diabetes").setting)
    assert seen == [50] * 3


# --- in a study


def test_workers_change_nothing(tmp_path):
    chosen, found = experiment("breast_cancer"), []
    for workers in (1, 2):
        events = list(tuning.tune(chosen, prepare(chosen), tmp_path / str(workers), workers=workers))
        found.append([event.body["anchors"] for event in events if event.kind == "anchors"])
    assert found[0] == found[1]
    assert len(found[0]) == 1


def test_anchors_are_scored_once_and_stand_in_the_result(tmp_path, monkeypatch):
    chosen = experiment()
    first = study_of(tmp_path, chosen)
    monkeypatch.setattr(finishing, "anchors", None)
    again = study_of(tmp_path, chosen)
    grown = load_text(TEXT.replace("DATA", "iris").replace("trials: 3", "trials: 6"), name="case")
    more = study_of(tmp_path, grown)
    assert kinds(tmp_path).count("anchors") == 1
    assert first.anchors == again.anchors == more.anchors
    found = result_of(again, chosen.configuration)
    expected = anchors.anchors(prepare(chosen).setting)
    names = ["majority", "linear", *(["default"] if found.best.number else [])]
    assert [each.name for each in found.anchors] == names
    for each in found.anchors[:2]:
        assert list(each.fold_scores) == [-score for score in expected[each.name].scores]  # log loss is an error
        gaps = np.subtract(each.fold_scores, found.best.fold_scores)
        assert each.gain.mean == pytest.approx(gaps.mean())
        assert each.gain.wins == (gaps > 0).sum()
        losses = expected[each.name].beside["log_loss"]
        assert each.beside["log_loss"] == pytest.approx(-np.mean(losses))
    if found.best.number:
        assert found.anchors[2].fold_scores == found.default.fold_scores


def test_without_time_they_are_left_out_and_come_when_there_is_more(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(finishing, "anchor_seconds", lambda _: 1e9)
        study = study_of(tmp_path, experiment(timeout=600))
    assert (study.finished, study.anchors) == ("trials", {})
    found = result_of(study, experiment().configuration)
    assert {each.name for each in found.anchors} <= {"default"}
    assert study_of(tmp_path, experiment()).anchors.keys() == {"majority", "linear"}


def test_searches_inside_of_a_nested_one_have_none(tmp_path):
    chosen = load_text(TEXT.replace("DATA", "iris").replace("control: false", "nested: 2"), name="case")
    for fold in outer_folds(chosen, prepare(chosen), tmp_path):
        found = {event.kind for event in search_inside(chosen, fold, workers=1)}
        assert "refit" in found
        assert not found & {"anchors", "controlled"}
    outside = {event.kind for event in tuning.tune(chosen, prepare(chosen), tmp_path / "out", workers=1)}
    assert {"anchors", "controlled"} <= outside


@pytest.mark.parametrize("data", ["iris", "breast_cancer", "diabetes"])
def test_features_that_are_encoded_late_give_the_same_anchors(data, monkeypatch):
    now = anchors.anchors(prepared_of(data).setting)
    monkeypatch.setattr(fitting, "IN_ADVANCE", -1)
    monkeypatch.setattr(anchors, "_PIECE", 7)
    setting = prepared_of(data).setting
    assert isinstance(setting.folds[0].features, EncodedRows)
    late = anchors.anchors(setting)
    assert now.keys() == late.keys()
    for name, each in now.items():
        np.testing.assert_allclose(each.scores, late[name].scores, rtol=2e-3)
        assert np.abs(np.subtract(each.predicted, late[name].predicted)).sum() <= 2
