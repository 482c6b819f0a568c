"""The moving average of parameters: the weighted mean of the points, written out; who has it; and who never sees it."""

import math

import numpy as np
import pytest

from lrtune.training.averaging import Averager, beginning, largest_weight, put_means
from lrtune.training.costs import lane_bytes
from lrtune.training.evaluate import evaluate, fit, shape_key
from lrtune.training.feedback import holdout_losses
from lrtune.training.population import evaluated, plan, start, train
from lrtune.training.range_test import short_runs
from lrtune.training.registry import OPTIMIZERS, complete, problems
from lrtune.training.tasks import Fold, Problem
from lrtune.tuning.horizons import compressed

SQUARED = Problem("squared", 1, 0)


def fold(rows, index=0):
    rng = np.random.default_rng(index)
    features = rng.normal(size=(rows, 3))
    targets = features[:, 0] ** 2 - features[:, 1] + rng.normal(size=rows)
    return Fold(index, features, targets, np.ones(rows), features[:7], targets[:7])


def populate(configurations, folds, *, with_curves=False):
    first = complete(configurations[0])
    options = {"batch_size": first["batch_size"], "seed": 5, "dtype": "float64", "with_curves": with_curves}
    shared = plan(first, folds, SQUARED, **options)
    return start(configurations, shared), shared


def mean_of(points, half_life):
    """The mean of points, the last one last, each with its share; the half-life is in updates."""
    mean = points[0]
    for count, point in enumerate(points[1:], 2):
        share = max(1.0 - 0.5 ** (1.0 / half_life), 10.0 / (count + 9))
        mean = mean + share * (point - mean)
    return mean


def averaged(points, half_life, dtype="float64"):
    """Show one lane of one update in an epoch some points."""
    configurations = [complete({"optimizer": "sgd", "ema": half_life})]
    parameters = np.zeros((1, 1, 1), dtype)
    average = beginning(configurations, parameters)
    averager = Averager(average, configurations, parameters, [()], [1])
    for point in points:
        parameters[...] = point
        averager.advance(1)
    found = parameters.copy()
    put_means(found, average, np.array([True]))
    return float(found[0, 0, 0])


def test_the_average_of_a_known_sequence():
    """Shares of 1, 10/11 and 10/12: of three points (1, 3, 6) the mean is 6/36 * 1/11 + 3/6 * 10/11 + 6 * 10/12."""
    assert averaged([1.0], 2.0) == 1.0
    assert averaged([1.0, 3.0, 6.0], 2.0) == pytest.approx((1 / 11 + 3 * 10 / 11) / 6 + 6 * 10 / 12, rel=1e-14)


def test_early_points_weigh_as_polynomial_decay_has_it():
    """Point i of t has a weight in proportion to i (i + 1) ... (i + 8): Shamir & Zhang 2013, section 3."""
    points = np.random.default_rng(1).normal(size=30)
    weights = [math.prod(range(place, place + 9)) for place in range(1, 31)]
    assert averaged(points, 1e9) == pytest.approx(np.average(points, weights=weights), rel=1e-12)


def test_after_many_half_lives_a_point_weighs_half_as_much_for_every_one():
    """With a half-life of 2 updates, from update 26 on; what came before has lost a factor of 2 ^ 87."""
    points = np.random.default_rng(2).normal(size=200)
    weights = 0.5 ** (np.arange(200)[::-1] / 2.0)
    assert averaged(points, 2.0) == pytest.approx(np.average(points, weights=weights), rel=1e-12)


def test_single_precision_keeps_the_mean_of_what_stays():
    """As well as it can: half a unit in the last place at each of the 4,328 updates that it looks back on."""
    assert averaged(np.full(60_000, 1.7, np.float32), 3000.0, "float32") == pytest.approx(1.7, rel=4328 * 2.0**-24)


@pytest.mark.parametrize(("half_life", "steps", "updates"), [(1.0, 7, 7), (0.5, 8, 4), (3.0, 20, 60)])
def test_a_half_life_is_counted_in_epochs(half_life, steps, updates):
    assert (1.0 - 1.0 / largest_weight(half_life, steps)) ** updates == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_what_is_scored_is_the_mean_of_the_points_that_would_be_scored(optimizer):
    """One update in an epoch, so that every point can be had by training without an average."""
    plain = {"optimizer": optimizer, "model": "linear", "epochs": 9, "batch_size": 30}
    population, shared = populate([plain, plain | {"ema": 0.2}], [fold(30)])
    bare, own = populate([plain], [fold(30)])
    points = [evaluated(train(bare, own, epoch))[0, 0] for epoch in range(1, 10)]
    for epoch in (1, 4, 9):
        scored = evaluated(train(population, shared, epoch))
        with_average = population.places.index(1)
        np.testing.assert_array_equal(scored[1 - with_average, 0], points[epoch - 1])
        np.testing.assert_allclose(scored[with_average, 0], mean_of(points[:epoch], 0.2), rtol=1e-11)


def test_a_fold_counts_its_own_updates():
    """Folds of two and three updates in an epoch: the half-life of half an epoch is one update, and one and a half."""
    configuration = {"optimizer": "sgd", "model": "linear", "epochs": 1, "batch_size": 10, "ema": 0.5}
    population, shared = populate([configuration], [fold(20), fold(30, 1)])
    assert shared.steps == (3, 2)
    trained = train(population, shared)
    assert trained.average.weight[0, :, 0] == pytest.approx([12 / 10, 11 / 10], rel=1e-12)
    longer = complete(configuration | {"epochs": 40, "decay": "constant", "learning_rate": 1e-3})
    population, shared = populate([longer], [fold(20), fold(30, 1)])
    expected = [1.0 / (1.0 - 0.5 ** (1.0 / updates)) for updates in (1.5, 1.0)]
    assert train(population, shared).average.weight[0, :, 0] == pytest.approx(expected, rel=1e-12)


def test_before_the_first_update_the_average_is_where_training_starts():
    population, _ = populate([{"ema": 1.0, "epochs": 3, "batch_size": 8}], [fold(16)])
    np.testing.assert_array_equal(evaluated(population), population.parameters)


def test_training_never_sees_the_average():
    """Rates, losses and points are the same with it and without, dropout and all."""
    plain = {"optimizer": "adam", "hidden": (6,), "epochs": 4, "batch_size": 8, "dropout": 0.3, "clip_norm": 1.0}
    population, shared = populate([plain, plain | {"ema": 1.0}], [fold(40)])
    trained = train(population, shared)
    np.testing.assert_array_equal(trained.parameters[0], trained.parameters[1])
    scored = evaluated(trained)
    assert (scored[0] != scored[1]).any()


def test_nobody_else_has_a_buffer_for_it():
    base = {"epochs": 2, "hidden": (6,), "batch_size": 8}
    population, _ = populate([base, base | {"ema": 1.0}, base | {"optimizer": "sgd"}], [fold(16)])
    assert population.average.total.shape == (1, 1, population.parameters.shape[-1])
    assert populate([base], [fold(16)])[0].average is None
    plain, averaged = (complete(base | {"ema": each}) for each in (0.0, 1.0))
    more = lane_bytes(averaged, SQUARED, 3, "float32") - lane_bytes(plain, SQUARED, 3, "float32")
    assert more == 4 * population.parameters.shape[-1]


def test_it_shapes_no_arrays():
    assert shape_key({"ema": 0.0}) == shape_key({"ema": 3.0})


def test_scores_predictions_curves_and_the_model_are_those_of_the_average():
    """Of the average as an independent mean over points has it, put into a forward pass written out."""
    configuration = {"optimizer": "momentum", "model": "linear", "epochs": 9, "batch_size": 30, "ema": 1.5}
    rows = fold(30)
    bare, own = populate([configuration | {"ema": 0.0}], [rows])
    points = [evaluated(train(bare, own, epoch))[0, 0] for epoch in range(1, 10)]
    weights = mean_of(points, 1.5)
    predicted = rows.validation_features @ weights[:-1] + weights[-1]
    (found,) = evaluate([configuration], [rows], SQUARED, "rmse", seed=5, dtype="float64")
    np.testing.assert_allclose(found.predictions[0], predicted, rtol=1e-6)
    assert -found.scores[0] == pytest.approx(np.sqrt(np.mean((predicted - rows.validation_targets) ** 2)), rel=1e-9)
    assert found.curves.validation[-1] == pytest.approx(
        np.mean((predicted - rows.validation_targets) ** 2) / 2, rel=1e-3
    )
    ((matrix, biases),) = fit(configuration, rows, SQUARED, seed=5, dtype="float64")
    np.testing.assert_allclose(np.append(matrix, biases), weights, rtol=1e-11)


def test_a_plateau_watches_the_average():
    """The first loss that counts is the one of the average, and so the best one."""
    configuration = {
        "decay": "plateau",
        "optimizer": "sgd",
        "model": "linear",
        "epochs": 1,
        "batch_size": 5,
        "ema": 0.5,
    }
    population, shared = populate([configuration], [fold(40)])
    trained = train(population, shared)
    at_average, at_point = (
        holdout_losses(shared.network, each, shared.holdouts) for each in (evaluated(trained), trained.parameters)
    )
    np.testing.assert_array_equal(trained.feedback.best, at_average)
    assert (at_average != at_point).all()


def test_a_lane_that_diverges_has_no_average_and_leaves_the_others_alone():
    base = {"model": "linear", "optimizer": "sgd", "decay": "constant", "epochs": 12, "batch_size": 8, "ema": 1.0}
    healthy, dead = base | {"learning_rate": 1e-2}, base | {"learning_rate": 1e200}
    folds = [fold(24), fold(16, 1)]
    population, shared = populate([healthy, dead, base | {"ema": 0.0, "learning_rate": 1e200}], folds)
    trained = train(population, shared)
    scored = evaluated(trained)
    for row, number in enumerate(trained.places):
        assert (trained.diverged[row] > 0).all() == (number > 0)
        assert np.isnan(scored[row]).all() == (number > 0)
    alone, own = populate([healthy], folds)
    np.testing.assert_array_equal(evaluated(train(alone, own))[0], scored[trained.places.index(0)])


def test_a_shorter_horizon_shrinks_the_half_life_with_it():
    shorter = compressed(complete({"epochs": 27, "ema": 3.0, "decay": "linear"}), 3)
    assert (shorter["epochs"], shorter["ema"]) == (9, pytest.approx(1.0))
    assert compressed(complete({"epochs": 27, "decay": "linear"}), 3)["ema"] == 0.0


def test_what_is_legal():
    assert problems({"ema": 0.0}) == problems({"ema": 1.5}) == []
    assert problems({"ema": -1.0}) == ["ema: expected a number of at least 0, got -1.0"]


def test_the_finder_looks_at_the_points_themselves():
    """Its runs are shorter than many a half-life."""
    base = {"hidden": (4,), "batch_size": 8, "epochs": 5}
    rates, options = np.array([1e-3, 1e-2]), {"updates": 8, "seed": 1, "dtype": "float32"}
    found = [short_runs([base | {"ema": each}], [fold(24)], SQUARED, rates, **options) for each in (0.0, 1.0)]
    np.testing.assert_array_equal(found[0].losses, found[1].losses)
