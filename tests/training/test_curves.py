"""Learning curves: the right losses of the right rows at the right epochs, whatever the company."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from lrtune.training import curves
from lrtune.training.batches import effective_batch_size
from lrtune.training.evaluate import evaluate, fit, predict_outputs
from lrtune.training.population import plan, start, take, train
from lrtune.training.registry import OPTIMIZERS, complete
from lrtune.training.tasks import Fold, Problem

PROBLEMS = {
    "softmax": Problem("softmax", 3, 3),
    "logistic": Problem("logistic", 1, 2),
    "squared": Problem("squared", 1, 0),
}


def a_fold(index, rows, problem, rng, *, validation=20, weights=None):
    def targets(count):
        if problem.loss == "squared":
            return rng.normal(size=count)
        return np.r_[np.arange(problem.classes), rng.integers(0, problem.classes, count - problem.classes)]

    weights = rng.choice([0.0, 1.0, 2.5], rows) if weights is None else weights
    return Fold(
        index,
        rng.normal(size=(rows, 3)),
        targets(rows),
        weights,
        rng.normal(size=(validation, 3)),
        targets(validation) * 3.0 + 1.0 if problem.loss == "squared" else targets(validation),
        shift=1.0,
        scale=3.0,
    )


def populate(configurations, folds, problem, dtype, seed=3):
    first = complete(configurations[0])
    size = effective_batch_size(first["batch_size"], max(len(fold.features) for fold in folds))
    shared = plan(first, folds, problem, batch_size=size, seed=seed, dtype=dtype, with_curves=True)
    return start(configurations, shared), shared


def test_few_epochs_are_recorded_and_the_last_is_one_of_them():
    for horizon in range(1, 400):
        epochs = curves.recorded_epochs(horizon)
        assert epochs[-1] == horizon
        assert len(epochs) <= curves.POINTS
        assert len(epochs) <= -(-horizon // curves.SPARING)
        gaps = [later - earlier for earlier, later in itertools.pairwise((0, *epochs))]
        assert min(gaps) >= 1
        assert max(gaps) - min(gaps) <= 1


# --- the numbers


def mean_loss(loss, outputs, targets, weights):
    """Weighted mean loss of predictions: by scikit-learn for classes, half the squared error for values."""
    if loss == "squared":
        return float(np.average(0.5 * (outputs[:, 0] - targets) ** 2, weights=weights))
    return float(log_loss(targets, outputs, sample_weight=weights, labels=range(outputs.shape[1])))


@pytest.mark.parametrize("loss", sorted(PROBLEMS))
@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 6e-4), ("float32", 6e-4)])
def test_the_last_point_is_the_loss_of_the_trained_model(loss, class_weight, dtype, tolerance):
    """Of a fold with no more training rows than are looked at: all of them, and the validation rows, by hand."""
    problem, rng = PROBLEMS[loss], np.random.default_rng(1)
    fold = a_fold(0, 40, problem, rng, validation=50, weights=np.ones(40))
    configuration = {
        "hidden": (5,),
        "epochs": 7,
        "batch_size": 8,
        "optimizer": "schedule_free_sgd",
        "learning_rate": 0.1,
        "dropout": 0.2,
        "label_smoothing": 0.0 if loss == "squared" else 0.1,
        "class_weight": None if loss == "squared" else class_weight,
    }
    (outcome,) = evaluate(
        [configuration], [fold], problem, "mse" if loss == "squared" else "log_loss", seed=2, dtype=dtype
    )
    layers = fit(configuration, fold, problem, seed=2, dtype=dtype)
    train_weights, weights = np.ones(40), np.ones(50)
    if configuration["class_weight"] == "balanced":
        by_class = 40 / (problem.classes * np.bincount(fold.targets))
        train_weights, weights = by_class[fold.targets], by_class[fold.validation_targets]
    found = [
        predict_outputs(layers, x, activation="relu", loss=loss) for x in (fold.features, fold.validation_features)
    ]
    validation_targets = fold.validation_targets
    if loss == "squared":
        validation_targets = (validation_targets - fold.shift) / fold.scale
    assert outcome.curves.train[-1] == pytest.approx(
        mean_loss(loss, found[0], fold.targets, train_weights), rel=tolerance
    )
    expected = mean_loss(loss, found[1], validation_targets, weights)
    assert outcome.curves.validation[-1] == pytest.approx(expected, rel=tolerance)
    assert outcome.curves.epochs == (3, 5, 7)


def test_every_point_is_the_loss_after_that_epoch():
    """A constant rate knows no horizon: the curve of a shorter training is the beginning of that of a longer one."""
    problem, rng = PROBLEMS["softmax"], np.random.default_rng(2)
    folds = [a_fold(index, rows, problem, rng) for index, rows in enumerate((60, 45))]
    base = {"hidden": (5,), "batch_size": 8, "optimizer": "adam", "decay": "constant"}
    long, *short = [
        evaluate([base | {"epochs": epochs}], folds, problem, "accuracy", seed=0, dtype="float64")[0].curves
        for epochs in (18, 3, 6, 9, 12, 15)
    ]
    assert long.epochs == (3, 6, 9, 12, 15, 18)
    assert long.train[:-1] == tuple(each.train[-1] for each in short)
    assert long.validation[:-1] == tuple(each.validation[-1] for each in short)
    assert long.train[0] > long.train[-1]


def test_curves_are_means_over_the_folds():
    problem, rng = PROBLEMS["squared"], np.random.default_rng(3)
    folds = [a_fold(index, rows, problem, rng) for index, rows in enumerate((60, 45, 30))]
    configuration = {"hidden": (5,), "epochs": 6, "batch_size": 8, "optimizer": "adam"}
    (together,) = evaluate([configuration], folds, problem, "mse", seed=0, dtype="float64")
    alone = [evaluate([configuration], [fold], problem, "mse", seed=0, dtype="float64")[0].curves for fold in folds]
    np.testing.assert_allclose(together.curves.train, np.mean([each.train for each in alone], axis=0), rtol=1e-3)
    np.testing.assert_allclose(
        together.curves.validation, np.mean([each.validation for each in alone], axis=0), rtol=1e-3
    )
    every = [each.validation for each in alone]
    assert together.curves.low == tuple(map(min, *every))
    assert together.curves.high == tuple(map(max, *every))
    assert together.curves.low < together.curves.validation < together.curves.high


def test_where_one_fold_has_no_loss_none_is_the_lowest():
    losses = np.array([[[1.0, 1.0], [2.0, 0.2]], [[1.0, 1.0], [np.nan, 0.4]]])
    found = curves.over_folds((1, 2), losses)
    assert found == ((1, 2), (1.0, 1.0), (None, 0.3), (None, 0.2), (None, 0.4))


def test_only_some_rows_of_a_large_fold_are_looked_at_and_none_of_weight_zero():
    problem, rng = PROBLEMS["logistic"], np.random.default_rng(4)
    weights = np.r_[np.ones(300), np.zeros(300)]
    fold = a_fold(0, 600, problem, rng, validation=500, weights=weights)
    changed = dataclasses.replace(fold, features=np.where(weights[:, None] > 0, fold.features, 1e6))
    _, one = populate([{"epochs": 3}], [fold], problem, "float32")
    _, other = populate([{"epochs": 3}], [changed], problem, "float32")
    for left, right in zip(one.watched.groups, other.watched.groups, strict=True):
        np.testing.assert_array_equal(left.columns, right.columns)
        assert left.train.shape == left.validation.shape == (1, curves.ROWS)
        assert left.columns.shape[-1] == 2 * curves.ROWS
        np.testing.assert_allclose([left.train.sum(), left.validation.sum()], 1.0, rtol=1e-6)


# --- divergence


@pytest.mark.parametrize("loss", sorted(PROBLEMS))
def test_a_lane_that_diverges_has_no_losses_any_more(loss):
    problem, rng = PROBLEMS[loss], np.random.default_rng(5)
    healthy = a_fold(1, 24, problem, rng)
    poisoned = dataclasses.replace(a_fold(0, 24, problem, rng), features=np.full((24, 3), 1e30))
    configuration = {"model": "linear", "optimizer": "sgd", "epochs": 6, "batch_size": 8}
    metric = "mse" if loss == "squared" else "accuracy"
    found = evaluate([configuration], [poisoned, healthy], problem, metric, seed=0, dtype="float32")[0]
    if loss == "squared":
        assert found.diverged[0] is not None
        assert found.curves == ((3, 6), *[(None, None)] * 4)
    alone = evaluate([configuration], [healthy], problem, metric, seed=0, dtype="float32")[0].curves
    assert None not in (*alone.train, *alone.validation)


def test_losses_of_lanes_that_diverge_later_stay_known_up_to_there():
    problem, rng = PROBLEMS["squared"], np.random.default_rng(6)
    fold = a_fold(0, 24, problem, rng)
    configuration = {"model": "linear", "optimizer": "sgd", "decay": "constant", "learning_rate": 30.0}
    (found,) = evaluate(
        [configuration | {"epochs": 30, "batch_size": 8}], [fold], problem, "mse", seed=0, dtype="float32"
    )
    epoch = found.diverged[0]
    assert epoch is not None
    assert epoch > 3
    for reached, value in zip(found.curves.epochs, found.curves.train, strict=True):
        assert (value is None) if reached >= epoch else (value is None or value > 0)
    assert found.curves.train[0] is not None


# --- the invariants of the engine


@st.composite
def cases(draw):
    problem = PROBLEMS[draw(st.sampled_from(sorted(PROBLEMS)))]
    shape = {
        "model": draw(st.sampled_from(["linear", "mlp"])),
        "hidden": draw(st.lists(st.integers(1, 9), min_size=1, max_size=2).map(tuple)),
        "activation": draw(st.sampled_from(["relu", "gelu"])),
        "epochs": draw(st.integers(1, 8)),
        "batch_size": draw(st.integers(4, 16)),
    }
    plateau = {"decay": "plateau", "decay.patience": 0} if draw(st.booleans()) else {}
    configurations = [
        shape
        | plateau
        | {
            "optimizer": draw(st.sampled_from(sorted(OPTIMIZERS))),
            "learning_rate": draw(st.sampled_from([1e-3, 0.3, 3.0, 1e20])),
            "dropout": draw(st.sampled_from([0.0, 0.3])),
        }
        for _ in range(draw(st.integers(1, 4)))
    ]
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    sizes = draw(st.lists(st.tuples(st.integers(17, 90), st.integers(3, 80)), min_size=1, max_size=4))
    folds = [a_fold(index, rows, problem, rng, validation=validation) for index, (rows, validation) in enumerate(sizes)]
    return configurations, folds, problem, draw(st.sampled_from(["float32", "float64"]))


@settings(deadline=None, max_examples=25)
@given(cases())
def test_the_curve_of_a_lane_is_bitwise_the_same_alone_and_in_any_population(case):
    configurations, folds, problem, dtype = case
    together, shared = populate(*case)
    trained = train(together, shared)
    for row, number in enumerate(trained.places):
        for lane, place in enumerate(shared.places):
            population, own = populate([configurations[number]], [folds[place]], problem, dtype)
            np.testing.assert_array_equal(train(population, own).losses[0, 0], trained.losses[row, lane])


@pytest.mark.parametrize("loss", sorted(PROBLEMS))
def test_so_is_that_of_a_lane_of_more_parameters_than_a_buffer_of_numpy_holds(loss):
    rng = np.random.default_rng(7)
    problem = PROBLEMS[loss]
    base = {"hidden": (101, 97), "epochs": 4, "batch_size": 13}
    configurations = [base | {"optimizer": name} for name in ("adam", "momentum", "schedule_free_sgd")]
    folds = [a_fold(index, rows, problem, rng, validation=rows) for index, rows in enumerate((40, 53, 90))]
    together, shared = populate(configurations, folds, problem, "float32")
    trained = train(together, shared)
    assert trained.parameters.shape[-1] > 8192
    for row, number in enumerate(trained.places):
        for lane, place in enumerate(shared.places):
            population, own = populate([configurations[number]], [folds[place]], problem, "float32")
            np.testing.assert_array_equal(train(population, own).losses[0, 0], trained.losses[row, lane])


@settings(deadline=None, max_examples=20)
@given(cases(), st.data())
def test_training_in_pieces_and_compaction_change_nothing(case, data):
    population, shared = populate(*case)
    until = data.draw(st.integers(0, shared.epochs))
    count = len(population.configurations)
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count).filter(any)))
    whole, half = train(population, shared), train(population, shared, until)
    np.testing.assert_array_equal(train(half, shared).losses, whole.losses)
    np.testing.assert_array_equal(train(take(half, keep), shared).losses, take(whole, keep).losses)
    assert np.isnan(population.losses).all()


@settings(deadline=None, max_examples=10)
@given(cases())
def test_looking_changes_nothing(case):
    population, shared = populate(*case)
    unseen = shared._replace(watched=None)
    trained = train(start(case[0], unseen), unseen)
    assert trained.losses is None
    np.testing.assert_array_equal(trained.parameters, train(population, shared).parameters)
