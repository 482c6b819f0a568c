from dataclasses import replace

import numpy as np
import pytest

from lrtune.training.range_test import MOST_LOOKS, geometric, ladder, ramp, repeated, short_runs, thinned
from lrtune.training.tasks import Fold, Problem

LINEAR = {"model": "linear", "optimizer": "sgd", "batch_size": 100, "epochs": 5}
SQUARED = Problem("squared", 1, 0)


def fold(index=0, rows=96, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows + 32, 3))
    y = x @ [1.0, -0.5, 0.2] + 0.1 * rng.normal(size=rows + 32)
    return Fold(index, x[:rows], y[:rows], np.ones(rows), x[rows:], y[rows:])


@pytest.mark.parametrize(("low", "high", "points"), [(1e-6, 10.0, 100), (3e-5, 0.7, 7), (1e-7, 1.0, 2)])
def test_both_ends_are_hit_exactly_and_the_factor_is_constant(low, high, points):
    rates = geometric(low, high, points)
    assert (rates[0], rates[-1], len(rates)) == (low, high, points)
    assert np.ptp(np.diff(np.log(rates))) < 1e-9


def descended(rates, each):
    """Full-batch gradient descent on the halved mean square, written out; losses after each update."""
    design = np.c_[each.features, np.ones(len(each.features))]
    validation = np.c_[each.validation_features, np.ones(len(each.validation_features))]
    w, losses = np.zeros(4), []
    for rate in rates:
        w = w - rate * design.T @ (design @ w - each.targets) / len(design)
        losses.append(0.5 * np.mean((validation @ w - each.validation_targets) ** 2))
    return losses


def test_the_ramp_is_gradient_descent_with_the_loss_after_the_update_at_that_rate():
    each, rates = fold(), geometric(1e-4, 0.5, 20)
    found = ramp([LINEAR], [each], SQUARED, rates, seed=0, dtype="float64")
    np.testing.assert_allclose(found.losses[0, 0], descended(rates, each), rtol=1e-10)
    np.testing.assert_allclose(found.start[0, 0], 0.5 * np.mean(each.validation_targets**2))


def test_a_ladder_trains_each_rate_from_scratch():
    each = fold()
    found = ladder([LINEAR], [each], SQUARED, np.array([0.01, 0.1]), updates=10, seed=0, dtype="float64")
    expected = [np.mean([descended([rate] * 10, each)[update] for update in (7, 9)]) for rate in (0.01, 0.1)]
    np.testing.assert_allclose(found.losses[0, 0], expected, rtol=1e-10)


def test_a_long_ramp_is_looked_at_now_and_then_and_at_both_ends():
    each, rates = fold(), geometric(1e-4, 0.5, 2 * MOST_LOOKS + 4)
    found = ramp([LINEAR], [each], SQUARED, rates, seed=0, dtype="float64")
    places = np.searchsorted(rates, found.rates[0])
    assert (places[0], places[-1]) == (0, len(rates) - 1)
    assert len(places) <= MOST_LOOKS + 1
    np.testing.assert_allclose(found.losses[0, 0], np.array(descended(rates, each))[places], rtol=1e-10)


def test_short_runs_fall_to_zero_along_a_line():
    each = fold()
    found = short_runs([LINEAR], [each], SQUARED, np.array([0.02, 0.2]), updates=8, seed=0, dtype="float64")
    expected = [descended([peak * (8 - update) / 8 for update in range(8)], each)[-1] for peak in (0.02, 0.2)]
    np.testing.assert_allclose(found.losses[0, 0], expected, rtol=1e-10)


def test_from_where_a_lane_diverges_its_losses_are_infinite_and_others_go_on():
    found = ramp(
        [LINEAR, {**LINEAR, "optimizer": "adam"}], [fold()], SQUARED, geometric(1e-2, 1e4, 40), seed=0, dtype="float32"
    )
    dead = np.isinf(found.losses[:, 0])
    assert dead[0].any()
    assert (np.diff(dead.astype(int), axis=1) >= 0).all()


def beside(targets):
    """A fold with other targets: of what lies far from 0 more can be gained than a constant leaves, of noise less."""
    each, noise = fold(), np.random.default_rng(2).normal(size=128)
    return replace(each, targets=targets(noise[:96]), validation_targets=targets(noise[96:]))


@pytest.mark.parametrize("targets", [lambda noise: 9.0 + 0.1 * noise, lambda noise: noise], ids=["far", "noise"])
def test_a_lane_has_diverged_when_it_has_lost_three_times_what_there_was_to_gain(targets):
    each, rates = beside(targets), np.r_[0.2, 0.2, np.linspace(1.8, 2.0, MOST_LOOKS - 2)]  # slowly over the edge
    found = ramp([LINEAR], [each], SQUARED, rates, seed=0, dtype="float64")
    start = 0.5 * np.mean(each.validation_targets**2)
    constant = 0.5 * np.mean((each.validation_targets - each.targets.mean()) ** 2)
    expected, losses, best = [], [], start
    for loss in descended(rates, each):
        losses.append((loss - best) / max(start - best, constant))
        expected.append(np.inf if max(losses) > 3.0 else loss)
        best = min(best, loss)
    np.testing.assert_allclose(found.losses[0, 0], expected, rtol=1e-9)
    assert any(1.5 < each <= 3.0 for each in losses)
    assert any(3.0 < each < 5.0 for each in losses)


def test_a_lane_is_the_same_alone_and_in_company():
    folds = repeated([fold(0, 96), fold(1, 80, seed=2)], 2)
    several = [{**LINEAR, "batch_size": 16, "optimizer": name} for name in ("momentum", "sgd", "adam")]
    rates = geometric(1e-5, 1.0, 30)
    together = ramp(several, folds, SQUARED, rates, seed=3, dtype="float32")
    for number, each in enumerate(several):
        alone = ramp([each], folds, SQUARED, rates, seed=3, dtype="float32")
        np.testing.assert_array_equal(alone.losses[0], together.losses[number])


def test_validation_rows_are_thinned_once_and_shared_by_repetitions():
    (each,) = thinned([fold()], seed=0, most=10)
    assert len(each.validation_targets) == 10
    first, second = repeated([each], 2)
    assert first.index != second.index
    assert first.validation_targets is second.validation_targets


def test_thinned_rows_are_drawn_from_all_and_stay_whole():
    each = fold()
    some = [thinned([replace(each, index=index)], seed=seed, most=10)[0] for seed, index in [(0, 0), (0, 1), (1, 0)]]
    kept = [[np.flatnonzero(each.validation_targets == target)[0] for target in one.validation_targets] for one in some]
    assert len({tuple(rows) for rows in kept}) == 3
    assert max(map(max, kept)) >= 26  # of 32 rows; the first ten would be those of an earlier time or class
    for one, rows in zip(some, kept, strict=True):
        np.testing.assert_array_equal(one.validation_features, each.validation_features[rows])


def test_no_repetition_of_a_fold_has_the_streams_of_another():
    folds = repeated([fold(index, 40) for index in range(4)], 3)
    assert [each.index for each in folds[:4]] == [0, 1, 2, 3]
    assert len({each.index for each in folds}) == 12


def test_what_is_passed_in_stays_as_it_is():
    each, before = fold(), np.random.get_state()[1].copy()  # noqa: NPY002 - the global state is what is tested
    copy = each.features.copy()
    ramp([LINEAR], [each], SQUARED, geometric(1e-4, 0.5, 20), seed=0, dtype="float32")
    np.testing.assert_array_equal(each.features, copy)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
