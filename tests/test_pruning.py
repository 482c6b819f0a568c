"""Which configurations go on: probabilities against bootstraps, exact tests and simulations with a known truth."""

import numpy as np
import pytest
from scipy import integrate, stats

from lrtune.training.metrics.scoring import keep, row_values, score, surprise
from lrtune.training.registry import METRICS
from lrtune.verdict.races import (
    LEAST_UNITS,
    RISK,
    SURE,
    WORTH,
    RaceLook,
    RowScores,
    beyond_doubt,
    futile,
    halved,
    race_by_folds,
    race_by_rows,
    rungs,
)


def raced(scores, rivals=None):
    """Race them as `pruning: race` does in one look."""
    return race_by_rows(scores, beyond_doubt(RaceLook(rivals or len(scores.values))))


def raced_by_folds(scores):
    return race_by_folds(scores, beyond_doubt(RaceLook(len(scores))))


def drawn(rows, configurations, *, gap=0.0, seed=0):
    """Correlated scores of rows; every configuration but the first is worse by `gap`."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=rows) + 0.7 * rng.normal(size=(configurations, rows))
    values[1:] -= gap
    return values


@pytest.mark.parametrize("gap", [0.0, 0.1, 0.2, 0.35])
def test_the_probability_is_that_of_a_bootstrap_over_rows(gap):
    values = drawn(400, 2, gap=gap)
    differences = values[0] - values[1]
    resampled = np.random.default_rng(1).choice(differences, (20_000, 400)).mean(axis=1)
    best = int(differences.mean() < 0)
    share = (resampled > 0).mean() if best == 0 else (resampled < 0).mean()
    assert raced(RowScores(values)).worse[1 - best] == pytest.approx(share, abs=0.015)


@pytest.mark.parametrize(("for_best", "against", "rows"), [(7, 0, 30), (9, 1, 60), (12, 2, 100), (30, 10, 400)])
def test_few_rows_that_differ_convince_as_much_as_the_exact_sign_test_has_them(for_best, against, rows):
    values = np.ones((2, rows))
    values[1, :for_best] = 0.0
    values[0, for_best : for_best + against] = 0.0
    exact = stats.binomtest(against, for_best + against, alternative="less").pvalue
    doubt = 1.0 - raced(RowScores(values)).worse[1]
    assert 0.25 * exact < doubt < 2.0 * exact


def test_a_configuration_that_is_sure_of_everything_does_not_win_by_the_rows_it_has_seen():
    """Its log loss is all but zero on rows without an exception; one exception more would cost it more than that."""
    sure, careful = np.full(100, -1e-6), np.full(100, -0.05)
    careful[::7] = -0.2
    values = np.array([sure, careful, np.full(100, -0.7)])
    metric = "log_loss"
    assert raced(RowScores(values)).dropped.tolist() == [False, True, True]
    exception = surprise(metric, values)
    assert exception[0] == pytest.approx(np.log(1e-6), rel=1e-3)
    assert exception[2] == pytest.approx(np.log(1 - np.exp(-0.7)))
    verdict = raced(RowScores(values, exception=exception))
    assert verdict.best == 0
    assert verdict.dropped.tolist() == [False, False, True]
    assert surprise("accuracy", values) is None


def test_rows_that_belong_together_count_once():
    values = drawn(40, 3, gap=0.3)
    alone = raced(RowScores(values))
    together = raced(RowScores(np.repeat(values, 5, axis=1), np.repeat(np.arange(40), 5)))
    np.testing.assert_allclose(together.worse, alone.worse, rtol=1e-12)
    assert (raced(RowScores(np.repeat(values, 5, axis=1))).worse[1:] > alone.worse[1:]).all()


def test_the_names_of_units_do_not_matter():
    values, units = drawn(60, 3), np.arange(60) // 4
    shuffled = np.random.default_rng(3).permutation(100)[units]
    np.testing.assert_allclose(raced(RowScores(values, shuffled)).worse, raced(RowScores(values, units)).worse)


@pytest.mark.parametrize("kind", ["normal", "labels"])
def test_the_true_best_is_rarely_dropped(kind):
    """All configurations are equally good, so each is a true best: no one may be dropped more often than agreed."""
    dropped, studies, configurations = 0, 400, 20
    for seed in range(studies):
        values = drawn(100, configurations, seed=seed)
        if kind == "labels":
            values = (values > -1.5).astype(float)
        dropped += raced(RowScores(values)).dropped.sum()
    assert dropped / studies / configurations < RISK


def test_what_is_clearly_worse_is_dropped():
    verdict = raced(RowScores(np.vstack([drawn(300, 5), drawn(300, 3) - 2.0])))
    assert verdict.best < 5
    np.testing.assert_array_equal(verdict.dropped[5:], [True] * 3)


def test_more_rivals_ask_for_more_certainty():
    assert [beyond_doubt(RaceLook(each)) for each in (1, 2, 11)] == [SURE] * 3
    assert beyond_doubt(RaceLook(51)) == pytest.approx(1 - RISK / 50)
    assert beyond_doubt(RaceLook(51, looks=4)) == pytest.approx(1 - RISK / 200)
    values = drawn(300, 2, gap=0.17)
    few, many = raced(RowScores(values)), raced(RowScores(values), 10_000)
    assert few.dropped[1]
    assert not many.dropped[1]


@pytest.mark.parametrize("seen", [0.1, 0.25, 0.5, 0.9])
def test_futility_drops_what_promises_too_little(seen):
    """The gain to expect, as an integral, at the limit."""
    error = 0.3
    behind = stats.norm.ppf(futile(RaceLook(24, 4, seen))) * error
    gain, _ = integrate.quad(lambda d: d * stats.norm.pdf(d, -behind, error), 0.0, np.inf)
    assert gain == pytest.approx(WORTH * error * np.sqrt(seen), rel=1e-6)


def test_futility_costs_less_than_what_can_be_told_apart_in_the_end():
    """Of 20 nearly equal configurations, raced after each of five folds, one is left that is nearly the best."""
    regrets, fits = [], []
    for seed in range(200):
        rng = np.random.default_rng([9, seed])
        truth = rng.normal(size=20) * 0.1
        values = truth[:, None] + rng.normal(size=500) + 0.7 * rng.normal(size=(20, 500))
        alive, trained = np.arange(20), 0
        for fold in range(1, 6):
            trained += len(alive)
            verdict = race_by_rows(RowScores(values[alive, : 100 * fold]), futile(RaceLook(20, 4, fold / 5)))
            alive = alive[~verdict.dropped] if fold < 5 else alive[[verdict.best]]
        whole = values.mean(axis=1)
        regrets.append(whole.max() - whole[alive[0]])
        fits.append(trained / 100)
    error = 0.7 * np.sqrt(2 / 500)
    assert np.mean(regrets) < 0.2 * error
    assert np.mean(fits) < 0.6


def test_equals_and_few_rows_are_never_dropped():
    same = np.tile(drawn(50, 1), (3, 1))
    assert raced(RowScores(same)).best == 0
    assert not raced(RowScores(same)).dropped.any()
    apart = np.array([[1.0], [0.0]]) * np.ones(LEAST_UNITS - 1)
    assert not raced(RowScores(apart)).dropped.any()
    assert not raced(RowScores(np.tile(apart, 9), np.arange(9 * (LEAST_UNITS - 1)) // 50)).dropped.any()


@pytest.mark.parametrize("metric", [each.name for each in METRICS.values() if each.is_by_rows])
def test_the_mean_over_rows_orders_as_the_metric_does(metric):
    rng = np.random.default_rng(2)
    regression = METRICS[metric].tasks == ("regression",)
    targets = rng.normal(size=90) if regression else rng.integers(0, 3, 90)
    raw = rng.normal(size=(6, 1 if regression else 3, 90)) + (targets if regression else 0)
    prediction = raw if regression else np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    kept = keep(metric, prediction, targets)
    means = row_values(metric, kept, targets).mean(axis=-1)
    scores = score(metric, kept, targets, 0 if regression else 3)
    np.testing.assert_array_equal(np.argsort(means), np.argsort(scores))
    if metric not in ("rmse", "r2"):
        np.testing.assert_allclose(means, scores, rtol=1e-12)


def test_without_rows_the_folds_speak_by_the_analysis_of_variance():
    """Against ordinary least squares on dummies for configurations and folds."""
    rng = np.random.default_rng(4)
    scores = rng.normal(size=(4, 3)) * 0.1 + np.arange(4)[:, None] * 0.15 + rng.normal(size=3)
    design = np.hstack([np.repeat(np.eye(4), 3, axis=0), np.tile(np.eye(3)[:, 1:], (4, 1))])
    effects, residual, _, _ = np.linalg.lstsq(design, scores.ravel(), rcond=None)
    freedom = 12 - design.shape[1]
    best = int(np.argmax(effects[:4]))
    contrast = np.zeros(design.shape[1])
    contrast[best], contrast[0] = 1.0, -1.0
    error = np.sqrt(residual[0] / freedom * contrast @ np.linalg.inv(design.T @ design) @ contrast)
    expected = stats.t.cdf(contrast @ effects / error, freedom)
    verdict = raced_by_folds(scores)
    assert verdict.best == best
    assert verdict.worse[0] == pytest.approx(expected, rel=1e-9)


def test_one_fold_or_few_configurations_say_nothing_without_rows():
    assert not raced_by_folds(np.array([[0.9], [0.1], [0.5], [0.2]])).dropped.any()
    assert not raced_by_folds(np.array([[0.9, 0.91], [0.1, 0.12], [0.5, 0.4]])).dropped.any()
    assert not raced_by_folds(np.full((5, 2), 0.5)).dropped.any()


def test_halving_keeps_the_best_third():
    rng = np.random.default_rng(5)
    for count in (1, 2, 3, 8, 27):
        scores = rng.permutation(count).astype(float)
        kept = set(np.flatnonzero(~halved(scores)))
        assert kept == set(np.argsort(-scores)[: -(-count // 3)])
    assert halved([0.5, 0.5, 0.5, 0.5]).tolist() == [False, False, True, True]
    assert halved([None, None, 0.1]).tolist() == [True, True, False]
    assert halved([None]).tolist() == [True]


def test_rungs_leave_enough_epochs():
    assert [rungs(each) for each in (1, 8, 9, 26, 27, 500)] == [(1,), (1,), (3, 1), (3, 1), (9, 3, 1), (9, 3, 1)]
