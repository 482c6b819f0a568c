"""What becomes of lanes: scores by other metrics and counts of predicted classes, against scikit-learn."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as reference

from lrtune.training import evaluate as evaluation
from lrtune.training.evaluate import evaluate, fit, predict_outputs
from lrtune.training.metrics import scoring
from lrtune.training.metrics.scoring import beside
from lrtune.training.outcomes import cells, outcome_of
from lrtune.training.registry import METRICS
from lrtune.training.tasks import Fold, Problem

BINARY, THREE, VALUES = Problem("logistic", 1, 2), Problem("softmax", 3, 3), Problem("squared", 1, 0)
TUNED = {BINARY: "f1", THREE: "f1_macro", VALUES: "mse"}
POINT = {"model": "mlp", "hidden": (5,), "epochs": 3, "batch_size": 16, "optimizer": "adam", "decay": "cosine"}
RATES = (0.001, 0.01, 0.1)


def folds(problem, count=3, rows=60):
    rng = np.random.default_rng(3)
    made = []
    for index in range(count):
        features = rng.normal(size=(rows + 25, 3)).astype(np.float32)
        noisy = features[:, 0] + rng.normal(size=len(features))
        targets = np.digitize(noisy, [-0.5, 0.5][: problem.classes - 1]) if problem.classes else noisy
        shift, scale = (0.0, 1.0) if problem.classes else (7.0, 3.0)
        inside, outside = targets[:rows], targets[rows:] * scale + shift
        if problem.classes:
            outside = outside.astype(np.int64)
        weights = np.ones(rows, np.float32)
        made.append(Fold(index, features[:rows], inside, weights, features[rows:], outside, shift, scale))
    return made


def trained(problem, rates=RATES, parts=None, **more):
    points = [{**POINT, "learning_rate": each, **more} for each in rates]
    return evaluate(points, parts or folds(problem), problem, TUNED[problem], seed=5, dtype="float32")


def prediction(problem, fold, rate):
    """What a configuration says of a fold's validation rows: (M, classes), or values in original units (M,)."""
    parameters = fit({**POINT, "learning_rate": rate}, fold, problem, seed=5, dtype="float32")
    found = predict_outputs(parameters, fold.validation_features, activation="relu", loss=problem.loss)
    return found if problem.classes else found[:, 0] * fold.scale + fold.shift


def scores(problem, targets, found):
    """What scikit-learn makes of it, oriented."""
    if not problem.classes:
        return {
            "rmse": -reference.root_mean_squared_error(targets, found),
            "mae": -reference.mean_absolute_error(targets, found),
            "r2": reference.r2_score(targets, found),
        }
    labels, every = found.argmax(axis=1), list(range(problem.classes))
    proba = found[:, 1] if problem.classes == 2 else found / found.sum(axis=1, keepdims=True)
    return {
        "accuracy": reference.accuracy_score(targets, labels),
        "balanced_accuracy": reference.balanced_accuracy_score(targets, labels),
        "log_loss": -reference.log_loss(targets, found, labels=every),
        "roc_auc": reference.roc_auc_score(targets, proba, multi_class="ovr"),
    }


@pytest.mark.parametrize("problem", [BINARY, THREE, VALUES], ids=["binary", "three", "values"])
def test_other_metrics_are_those_of_scikit_learn(problem):
    for rate, outcome in zip(RATES, trained(problem), strict=True):
        for place, fold in enumerate(folds(problem)):
            expected = scores(problem, fold.validation_targets, prediction(problem, fold, rate))
            assert {name: each[place] for name, each in outcome.beside.items()} == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("problem", [BINARY, THREE], ids=["binary", "three"])
def test_predicted_counts_every_class_on_all_folds_together(problem):
    for rate, outcome in zip(RATES, trained(problem), strict=True):
        labels = np.concatenate([prediction(problem, fold, rate).argmax(axis=1) for fold in folds(problem)])
        assert list(outcome.predicted) == np.bincount(labels, minlength=problem.classes).tolist()
        assert all(type(each) is int for each in outcome.predicted)  # they are written as JSON


def test_of_values_no_classes_are_counted():
    assert [each.predicted for each in trained(VALUES)] == [()] * len(RATES)


def test_a_fold_without_an_auc_has_none_and_the_others_have():
    parts = folds(BINARY)
    parts[1].validation_targets[:] = 1
    outcome = trained(BINARY, parts=parts)[0]
    assert outcome.beside["roc_auc"][1] is None
    assert None not in (outcome.beside["roc_auc"][0], outcome.beside["roc_auc"][2])
    assert None not in outcome.beside["accuracy"]


def test_a_lane_that_diverges_leaves_nothing_beside_and_the_others_theirs():
    usual = trained(VALUES, RATES[:2])
    first, lost, second = trained(VALUES, (RATES[0], 1e30, RATES[1]))
    assert (lost.beside, lost.predicted, set(lost.scores)) == ({}, (), {None})
    assert (first.beside, second.beside) == (usual[0].beside, usual[1].beside)


@pytest.mark.parametrize("problem", [BINARY, THREE, VALUES], ids=["binary", "three", "values"])
@pytest.mark.parametrize("metric", METRICS)
def test_of_no_lane_at_all_there_is_nothing_to_say(problem, metric):
    (fold, *_) = folds(problem)
    assert cells(metric, np.empty((0, problem.outputs, 25)), fold, problem.classes) == []


def test_where_every_lane_diverges_that_is_no_failure():
    for outcome in trained(VALUES, (1e30, 2e30), optimizer="sgd"):
        assert (set(outcome.scores), outcome.beside, outcome.predicted) == ({None}, {}, ())


@pytest.mark.parametrize("problem", [BINARY, THREE, VALUES], ids=["binary", "three", "values"])
def test_what_stands_beside_is_the_same_alone_and_in_company(problem):
    together = trained(problem)
    for place, rate in enumerate(RATES):
        (alone,) = trained(problem, (rate,))
        assert (alone.beside, alone.predicted) == (together[place].beside, together[place].predicted)


def test_folds_in_pieces_give_what_all_folds_give():
    parts = folds(THREE)
    for whole, first, rest in zip(
        trained(THREE), trained(THREE, parts=parts[:1]), trained(THREE, parts=parts[1:]), strict=True
    ):
        assert whole.beside == {name: (*each, *rest.beside[name]) for name, each in first.beside.items()}
        assert list(whole.predicted) == np.add(first.predicted, rest.predicted).tolist()


def test_the_tuned_metric_is_the_score_itself():
    (fold, *_) = folds(THREE)
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(3), size=(4, 25)).transpose(0, 2, 1)
    for name in beside(probabilities, fold.validation_targets, 3):
        found = cells(name, probabilities, fold, 3)
        assert [each.score for each in found] == [each.beside[name] for each in found]
        assert outcome_of(found[:1]).scores == outcome_of(found[:1]).beside[name]


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_each_task_has_the_metrics_that_can_score_it(classes):
    task = {0: "regression", 2: "binary", 3: "multiclass"}[classes]
    shape = (1, {0: 1, 2: 1, 3: 3}[classes], 4)
    found = beside(np.full(shape, 1 / 3), np.array([0, 1, 1, 0]), classes)
    assert list(found) == [name for name, each in METRICS.items() if each.is_beside and task in each.tasks]


@pytest.mark.parametrize("problem", [BINARY, THREE, VALUES])
@pytest.mark.parametrize("metric", ["usual", "keeps losses"])
def test_scores_of_rows_in_pieces_are_those_of_all_rows(problem, metric, monkeypatch):
    name = TUNED[problem] if metric == "usual" else ("log_loss" if problem.classes else "mae")
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 25, 2500)
    parts = [
        replace(
            each,
            validation_features=each.validation_features[rows],
            validation_targets=each.validation_targets[rows],
        )
        for each in folds(problem, count=2, rows=40)
    ]
    points = [{**POINT, "learning_rate": each} for each in (*RATES, 1e30)]  # the last one diverges
    whole = evaluate(points, parts, problem, name, seed=5, dtype="float32")
    monkeypatch.setattr(evaluation, "_SCORED_NUMBERS", 1)
    pieces = evaluate(points, parts, problem, name, seed=5, dtype="float32")
    assert whole[-1].diverged[0] is not None
    assert pickle.dumps(whole) == pickle.dumps(pieces)


def test_labels_are_stored_where_probabilities_have_no_room(monkeypatch):
    monkeypatch.setattr(scoring, "MOST_PROBABILITIES", 25 * 3 - 1)
    fold = folds(THREE, count=1)[0]
    found = evaluate([POINT | {"learning_rate": 0.1}], [fold], THREE, "accuracy", seed=5, dtype="float32")[0]
    labels = prediction(THREE, fold, 0.1).argmax(axis=1)
    assert found.predictions[0].dtype == np.uint8
    np.testing.assert_array_equal(found.predictions[0], labels)
    found = evaluate([POINT | {"learning_rate": 0.1}], [fold], THREE, "log_loss", seed=5, dtype="float32")[0]
    assert found.probabilities == (None,)
