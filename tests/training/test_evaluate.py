import dataclasses
import pickle

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, log_loss, r2_score, roc_auc_score
from sklearn.neural_network import MLPRegressor

from lrtune.training.costs import _state_numbers
from lrtune.training.evaluate import (
    Fold,
    Problem,
    StoppedError,
    block_lanes,
    cost_seconds,
    evaluate,
    fit,
    lane_bytes,
    predict_outputs,
    shape_key,
)
from lrtune.training.registry import OPTIMIZERS, complete
from lrtune.training.steps import factors

SOFTMAX, LOGISTIC, SQUARED = Problem("softmax", 3, 3), Problem("logistic", 1, 2), Problem("squared", 1, 0)

FULL_BATCH = {
    "model": "linear",
    "optimizer": "nesterov",
    "optimizer.momentum": 0.9,
    "decay": "constant",
    "batch_size": 10**6,
    "learning_rate": 0.5,
    "epochs": 3000,
}


def standardised(features):
    return (features - features.mean(axis=0)) / features.std(axis=0)


def whole(index, features, targets, weights=None):
    weights = np.ones(len(features)) if weights is None else weights
    return Fold(index, features, targets, weights, features, targets)


def a_problem(loss, rows=150):
    """A problem without perfect solution, so that the unregularised optimum is finite."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(rows, 3))
    scores = features @ rng.normal(size=(3, 3)) + rng.normal(size=(rows, 3)) * 2.0
    return features, {"softmax": scores.argmax(axis=1), "logistic": (scores[:, 0] > 0).astype(int)}[loss]


# --- a converged linear model has reached scikit-learn's optimum


@pytest.mark.parametrize(("loss", "problem"), [("softmax", SOFTMAX), ("logistic", LOGISTIC)])
def test_classification_reaches_the_optimum_of_scikit_learn(loss, problem):
    features, labels = a_problem(loss)
    parameters = fit(FULL_BATCH, whole(0, features, labels), problem, seed=0, dtype="float64")
    reference = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10000).fit(features, labels)
    found = predict_outputs(parameters, features, activation="relu", loss=loss)
    np.testing.assert_allclose(found, reference.predict_proba(features), atol=1e-6)


def test_row_weights_are_those_of_scikit_learn():
    features, labels = a_problem("logistic")
    weights = np.random.default_rng(1).random(len(labels))
    parameters = fit(FULL_BATCH, whole(0, features, labels, weights), LOGISTIC, seed=0, dtype="float64")
    reference = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10000).fit(features, labels, sample_weight=weights)
    np.testing.assert_allclose(parameters[0][0][:, 0], reference.coef_[0], atol=1e-6)
    np.testing.assert_allclose(parameters[0][1], reference.intercept_, atol=1e-6)


def test_balanced_class_weights_are_those_of_scikit_learn():
    features, labels = a_problem("softmax")
    configuration = FULL_BATCH | {"class_weight": "balanced"}
    parameters = fit(configuration, whole(0, features, labels), SOFTMAX, seed=0, dtype="float64")
    reference = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10000, class_weight="balanced").fit(features, labels)
    found = predict_outputs(parameters, features, activation="relu", loss="softmax")
    np.testing.assert_allclose(found, reference.predict_proba(features), atol=1e-6)


def test_least_squares_reaches_the_optimum_of_scikit_learn():
    rng = np.random.default_rng(2)
    features = rng.normal(size=(120, 5)) * [1.0, 0.5, 2.0, 1.0, 0.7]
    targets = features @ rng.normal(size=5) + rng.normal(size=120) + 1.0
    configuration = FULL_BATCH | {"learning_rate": 0.1, "epochs": 1000}
    parameters = fit(configuration, whole(0, features, targets), SQUARED, seed=0, dtype="float64")
    reference = LinearRegression().fit(features, targets)
    np.testing.assert_allclose(parameters[0][0][:, 0], reference.coef_, atol=1e-8)
    np.testing.assert_allclose(parameters[0][1][0], reference.intercept_, atol=1e-8)


def test_coupled_weight_decay_is_ridge_on_weights_and_biases():
    features, targets = load_diabetes(return_X_y=True)
    features, targets = standardised(features), standardised(targets) + 2.0
    configuration = FULL_BATCH | {"learning_rate": 0.2, "weight_decay": 0.1}
    parameters = fit(configuration, whole(0, features, targets), SQUARED, seed=0, dtype="float64")
    extended = np.c_[features, np.ones(len(features))]
    reference = Ridge(alpha=0.1 * len(features), fit_intercept=False).fit(extended, targets)
    np.testing.assert_allclose(np.r_[parameters[0][0][:, 0], parameters[0][1]], reference.coef_, atol=1e-8)


@pytest.mark.filterwarnings("ignore:.*Maximum iterations")
def test_an_mlp_learns_what_that_of_scikit_learn_learns():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(600, 2))
    targets = np.sin(2.0 * features[:, 0]) * features[:, 1] + 0.1 * rng.normal(size=len(features))
    cut = 400
    fold = Fold(0, features[:cut], targets[:cut], np.ones(cut), features[cut:], targets[cut:])
    configuration = {
        "optimizer": "adam",
        "learning_rate": 0.01,
        "hidden": (50,),
        "epochs": 300,
        "batch_size": 32,
        "activation": "tanh",
    }
    (outcome,) = evaluate([configuration], [fold], SQUARED, "r2", seed=0, dtype="float32")
    reference = MLPRegressor(
        hidden_layer_sizes=(50,),
        activation="tanh",
        learning_rate_init=0.01,
        batch_size=32,
        max_iter=300,
        n_iter_no_change=1000,
        random_state=0,
    )
    reference.fit(features[:cut], targets[:cut])
    expected = reference.score(features[cut:], targets[cut:])
    assert outcome.scores[0] > expected - 0.02
    assert expected > 0.9


# --- what evaluate returns


def iris_folds(count=3):
    features, labels = load_iris(return_X_y=True)
    features = standardised(features)
    order = np.random.default_rng(0).permutation(len(labels))
    parts = np.array_split(order, count)
    return [
        Fold(
            index,
            features[np.setdiff1d(order, part)],
            labels[np.setdiff1d(order, part)],
            np.ones(len(order) - len(part)),
            features[part],
            labels[part],
        )
        for index, part in enumerate(parts)
    ]


CONFIGURATIONS = [
    {"optimizer": name, "hidden": (8,), "epochs": 4, "batch_size": 16, "learning_rate": rate}
    for name in ("momentum", "adam", "sgd", "schedule_free_adamw")
    for rate in (0.02, 0.1)
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scores_are_those_of_the_fitted_models_and_in_the_order_given(dtype):
    folds = iris_folds()
    outcomes = evaluate(CONFIGURATIONS, folds, SOFTMAX, "log_loss", seed=5, dtype=dtype)
    for configuration, outcome in zip(CONFIGURATIONS, outcomes, strict=True):
        for fold, score, kept in zip(folds, outcome.scores, outcome.predictions, strict=True):
            parameters = fit(configuration, fold, SOFTMAX, seed=5, dtype=dtype)
            found = predict_outputs(parameters, fold.validation_features, activation="relu", loss="softmax")
            assert score == pytest.approx(-log_loss(fold.validation_targets, found, labels=[0, 1, 2]), rel=1e-12)
            expected = -np.log(found[np.arange(len(found)), fold.validation_targets])
            np.testing.assert_allclose(kept, expected, rtol=1e-5)
            assert kept.dtype == np.float32


def test_outcomes_do_not_depend_on_the_company():
    folds = iris_folds()
    together = evaluate(CONFIGURATIONS, folds, SOFTMAX, "accuracy", seed=5, dtype="float32")
    for configuration, expected in zip(CONFIGURATIONS, together, strict=True):
        (alone,) = evaluate([configuration], folds, SOFTMAX, "accuracy", seed=5, dtype="float32")
        singles = [evaluate([configuration], [fold], SOFTMAX, "accuracy", seed=5, dtype="float32")[0] for fold in folds]
        assert alone.scores == expected.scores == tuple(each.scores[0] for each in singles)
        for one, other in zip(alone.predictions, expected.predictions, strict=True):
            np.testing.assert_array_equal(one, other)


def test_where_labels_are_scored_probabilities_are_kept_in_half_precision():
    folds = iris_folds()
    (outcome,) = evaluate(CONFIGURATIONS[:1], folds, SOFTMAX, "accuracy", seed=5, dtype="float32")
    for fold, score, kept in zip(folds, outcome.scores, outcome.predictions, strict=True):
        assert (kept.dtype, kept.shape) == (np.float16, (len(fold.validation_targets), 3))
        np.testing.assert_allclose(kept.sum(axis=1, dtype=float), 1.0, atol=2e-3)
        assert score == accuracy_score(fold.validation_targets, kept.argmax(axis=1))


def test_two_classes_are_scored_by_the_probability_of_the_second():
    features, labels = load_breast_cancer(return_X_y=True)
    fold = whole(0, standardised(features), labels)
    configuration = {"model": "linear", "epochs": 2, "optimizer": "sgd", "learning_rate": 0.1}
    (outcome,) = evaluate([configuration], [fold], LOGISTIC, "roc_auc", seed=0, dtype="float64")
    found = predict_outputs(
        fit(configuration, fold, LOGISTIC, seed=0, dtype="float64"), fold.features, activation="relu", loss="logistic"
    )
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    np.testing.assert_array_equal(outcome.predictions[0], found[:, 1].astype(np.float32))
    assert outcome.scores[0] == pytest.approx(roc_auc_score(labels, found[:, 1]), rel=1e-12)
    assert outcome.scores[0] > 0.98


def test_values_are_scored_in_original_units():
    features, targets = load_diabetes(return_X_y=True)
    features = standardised(features)
    shift, scale = targets.mean(), targets.std()
    fold = Fold(0, features, (targets - shift) / scale, np.ones(len(targets)), features, targets, shift, scale)
    configuration = {"model": "linear", "epochs": 20, "optimizer": "momentum", "learning_rate": 0.01}
    for metric in ("r2", "rmse"):
        (outcome,) = evaluate([configuration], [fold], SQUARED, metric, seed=0, dtype="float32")
        values = outcome.predictions[0].astype(float)
        expected = {"r2": r2_score(targets, values), "rmse": -np.sqrt(np.mean((values - targets) ** 2))}[metric]
        assert outcome.scores[0] == pytest.approx(expected, rel=1e-5)
    assert values.mean() == pytest.approx(shift, rel=0.1)


def test_a_lane_that_diverged_has_an_epoch_and_no_score():
    features, targets = load_diabetes(return_X_y=True)
    fold = whole(0, standardised(features), standardised(targets))
    hopeless = dataclasses.replace(fold, index=1, features=np.full_like(features, 1e30))
    base = {"model": "linear", "epochs": 5, "optimizer": "sgd", "learning_rate": 0.01}
    good, bad = evaluate(
        [base, base | {"learning_rate": 1e20}], [hopeless, fold], SQUARED, "r2", seed=0, dtype="float32"
    )
    assert good.diverged == (1, None)
    assert good.scores[0] is None
    assert good.scores[1] > 0.3
    assert good.predictions[0] is None
    assert None not in bad.diverged
    assert bad.scores == (None, None)
    parameters = fit(base | {"learning_rate": 1e20}, fold, SQUARED, seed=0, dtype="float32")
    assert np.isnan(parameters[0][0]).all()


def test_outputs_beyond_all_numbers_count_as_divergence_at_the_end():
    fold = Fold(0, np.ones((20, 1)), np.ones(20), np.ones(20), np.array([[1e38], [1e38]]), np.zeros(2))
    configuration = {"model": "linear", "epochs": 3, "optimizer": "sgd", "learning_rate": 0.9}
    weights = fit(configuration, fold, SQUARED, seed=0, dtype="float32")[0][0]
    assert np.isfinite(weights).all()
    wild = dataclasses.replace(fold, validation_features=np.full((2, 1), 3.4e38), targets=np.full(20, 50.0))
    (outcome,) = evaluate([configuration], [wild], SQUARED, "mse", seed=0, dtype="float32")
    assert outcome.diverged == (3,)
    assert outcome.scores == (None,)


def test_folds_smaller_than_the_mini_batch_train_as_alone():
    folds = iris_folds()
    folds = [
        dataclasses.replace(fold, features=fold.features[:cut], targets=fold.targets[:cut], weights=np.ones(cut))
        for fold, cut in zip(folds, (20, 90, 50), strict=True)
    ]
    configuration = {"hidden": (5,), "epochs": 3, "batch_size": 64, "optimizer": "adam"}
    (outcome,) = evaluate([configuration], folds, SOFTMAX, "log_loss", seed=1, dtype="float32")
    singles = [evaluate([configuration], [fold], SOFTMAX, "log_loss", seed=1, dtype="float32")[0] for fold in folds]
    assert outcome.scores == tuple(each.scores[0] for each in singles)


def test_a_stop_is_an_error():
    with pytest.raises(StoppedError):
        evaluate(
            CONFIGURATIONS[:2], iris_folds(), SOFTMAX, "accuracy", seed=0, dtype="float32", should_stop=lambda: True
        )


def test_arguments_and_outcomes_travel_between_processes():
    folds = pickle.loads(pickle.dumps(iris_folds()))
    outcomes = evaluate(CONFIGURATIONS[:1], folds, SOFTMAX, "accuracy", seed=0, dtype="float32")
    again = pickle.loads(pickle.dumps(outcomes))
    assert again[0].scores == outcomes[0].scores


# --- shapes and costs


def test_only_what_shapes_arrays_or_batches_splits_a_population():
    base = complete({})
    for key, value in {
        "hidden": (3,),
        "activation": "tanh",
        "epochs": 3,
        "batch_size": 3,
        "class_weight": "balanced",
        "model": "linear",
    }.items():
        assert shape_key(base | {key: value}) != shape_key(base)
    for key, value in {"learning_rate": 1.0, "optimizer": "sgd", "dropout": 0.5, "weight_decay": 1.0}.items():
        assert shape_key(base | {key: value}) == shape_key(base)
    assert shape_key(base | {"hidden": [64]}) == shape_key(base)
    linear = base | {"model": "linear"}
    assert shape_key(linear | {"hidden": (3,)}) == shape_key(linear)


def test_costs_grow_with_the_work():
    folds = iris_folds()
    base = complete({"batch_size": 16})
    cost = cost_seconds(base, folds, SOFTMAX, "float32")
    assert cost > 0.0
    for larger in ({"epochs": 60}, {"batch_size": 8}, {"hidden": (128,)}, {"hidden": (64, 64)}):
        assert cost_seconds(base | larger, folds, SOFTMAX, "float32") > cost
    assert cost_seconds(base, folds, SOFTMAX, "float64") > cost
    assert cost_seconds(base, folds[:1], SOFTMAX, "float32") < cost


def test_blocks_hold_every_fold_and_fewer_lanes_of_larger_models():
    folds = iris_folds()
    small, large = complete({"model": "linear"}), complete({"hidden": (2000, 2000)})
    assert block_lanes(large, folds, SOFTMAX, "float32") == len(folds)
    assert block_lanes(small, folds, SOFTMAX, "float32") > 100
    assert lane_bytes(large, SOFTMAX, 4, "float64") == 2 * lane_bytes(large, SOFTMAX, 4, "float32")


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_what_an_optimizer_keeps_is_counted_without_making_it(optimizer):
    shapes = ((5, 8), (9, 6), (7, 3))
    parameters = np.zeros((1, 1, sum(rows * columns for rows, columns in shapes)), np.float32)
    made = OPTIMIZERS[optimizer].start(parameters, factors([complete({"optimizer": optimizer})], np.float32), shapes)
    assert _state_numbers(optimizer, shapes) == sum(each.size for each in made)
    huge = _state_numbers(optimizer, ((10**6, 10**6), (10**6 + 1, 3)))  # terabytes
    assert huge == 0 or huge > 10**11
