"""The arithmetic under the Bayesian strategy, against finite differences, scikit-learn and numerical integration."""

import math

import numpy as np
import pytest
from scipy import integrate, optimize, stats
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern

from lrtune.dimensions import Real
from lrtune.sampling import gaussian_process as gp
from lrtune.sampling.acquisition import log_improvement, log_noisy_improvement
from lrtune.sampling.encoding import Encoding
from lrtune.sampling.scores import observe, transformed
from lrtune.space import Choice, Option, SearchSpace
from lrtune.trial import Trial, TrialState

RNG = np.random.default_rng(5)
X, Y = RNG.random((25, 3)), RNG.standard_normal(25)
SPREAD = RNG.uniform(0.5, 3.0, 25)
GROUPS = np.array([0, 1, 1])
KNOWN = gp.Hyperparameters(np.array([0.4, 0.9]), 1.7, 0.05)


def reference():
    """The same process by scikit-learn; columns of one group share a length scale."""
    kernel = ConstantKernel(gp.OFFSET) + ConstantKernel(KNOWN.signal) * Matern(KNOWN.lengths[GROUPS], nu=2.5)
    noise = KNOWN.noise * SPREAD + 1e-8 * (KNOWN.signal + gp.OFFSET)
    return GaussianProcessRegressor(kernel, alpha=noise, optimizer=None).fit(X, Y)


def test_the_posterior_is_scikit_learns():
    other = RNG.random((7, 3))
    mean, variance = gp.predict(gp.condition(X, SPREAD, GROUPS, KNOWN), other, Y)
    expected, deviation = reference().predict(other, return_std=True)
    np.testing.assert_allclose(mean, expected, rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(variance), deviation, rtol=1e-7)


def test_the_evidence_is_scikit_learns_and_its_gradient_that_of_finite_differences():
    logarithms = np.log([*KNOWN.lengths, KNOWN.signal, KNOWN.noise])
    parts = gp.squared_distances(X, X, GROUPS)
    value, gradient = gp.evidence(logarithms, parts, Y, SPREAD)
    assert value == pytest.approx(reference().log_marginal_likelihood_value_, rel=1e-9)
    numerical = optimize.approx_fprime(logarithms, lambda each: gp.evidence(each, parts, Y, SPREAD)[0], 1e-6)
    np.testing.assert_allclose(gradient, numerical, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("z", [-6.0, -2.0, -1.0, -0.5, 0.0, 1.0, 8.0])
def test_expected_improvement_is_the_integral_of_the_positive_part(z):
    integral, _ = integrate.quad(lambda e: (z + e) * stats.norm.pdf(e), -z, max(-z, 0.0) + 40, epsabs=0, limit=200)
    assert math.exp(log_improvement(np.array(z))) == pytest.approx(integral, rel=1e-7)


def test_log_improvement_is_finite_increasing_and_smooth_far_out():
    z = -np.logspace(12, -3, 4000)
    logs = log_improvement(z)
    assert np.isfinite(logs).all()
    assert (np.diff(logs) > 0).all()
    z = np.array([-1e3, -1e5, -1e8])  # phi(z) / z^2 in the limit
    np.testing.assert_allclose(log_improvement(z), stats.norm.logpdf(z) - 2 * np.log(-z), atol=1e-4)


def test_noisy_improvement_averages_over_what_the_best_may_be():
    means, best = np.array([[0.2, 0.5]]), np.array([0.6, 0.4])
    expected = [0.3 * math.exp(log_improvement(np.array(gap / 0.3))) for gap in (-0.4, 0.1)]
    value = log_noisy_improvement(means, np.array([0.09]), best)
    assert math.exp(value[0]) == pytest.approx(np.mean(expected), rel=1e-12)


def test_an_absent_number_is_as_far_from_every_value_as_the_ends_are_from_each_other():
    inner = SearchSpace((Real("a.x", 0.0, 1.0, 0.5),))
    space = SearchSpace((Choice("a", (Option("with", inner), Option("without")), "with"),))
    low, middle, high, absent = Encoding(space).rows(
        [*({"a": "with", "a.x": each} for each in (0.0, 0.5, 1.0)), {"a": "without"}]
    )[:, 2:]
    assert np.linalg.norm(low - high) == pytest.approx(1.0)
    assert [np.linalg.norm(each - absent) for each in (low, middle, high)] == pytest.approx([1.0] * 3)


def test_effects_of_the_folds_are_removed_so_that_partly_scored_trials_compare():
    effects, worth = np.array([0.0, 0.3, -0.3]), np.array([0.1, 0.5, 0.9, 0.2, 0.7])
    trials = [Trial(number, {}, TrialState.COMPLETE, tuple(each + effects)) for number, each in enumerate(worth)]
    lucky = Trial(5, {}, TrialState.PRUNED, (None, 0.6 + 0.3))
    values = observe([*trials, lucky]).values
    assert list(np.argsort(values)) == [0, 3, 1, 5, 4, 2]
    np.testing.assert_allclose(observe([*trials, lucky]).spread, [1, 1, 1, 1, 1, 3])


def test_bad_scores_cannot_flatten_the_good_ones():
    good = np.array([0.90, 0.92, 0.95, 0.97])
    for bad in ([0.1, 0.2, 0.3], [-1e9, -1e200, -np.inf]):
        values, scale = transformed(np.array([*good, *bad]))
        np.testing.assert_allclose(np.diff(values[1:4]), np.diff(good[1:]) / scale)  # above the median of the finite
        assert values[:4].max() - values[:4].min() > 0.5
        assert values[4:].min() > -3
