"""The arithmetic under the Bayesian strategy, against finite differences, scikit-learn and numerical integration."""

import math

import numpy as np
import pytest
from scipy import integrate, optimize, stats
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern

from lrtune.sampling import gaussian_process as gp
from lrtune.sampling.acquisition import log_improvement, log_noisy_improvement
from lrtune.sampling.encoding import Encoding
from lrtune.sampling.scores import observe, transformed
from lrtune.sampling.surrogate import learn
from lrtune.space import Choice, Option, SearchSpace
from lrtune.space.dimensions import Real
from lrtune.space.trial import Trial, TrialState

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


def density(hyperparameters, y, prior, *, x=X, spread=SPREAD, groups=GROUPS):
    """Log posterior density of hyperparameters, up to a constant, by scikit-learn and SciPy."""
    lengths, signal, noise = hyperparameters
    kernel = ConstantKernel(gp.OFFSET) + ConstantKernel(signal) * Matern(lengths[groups], nu=2.5)
    process = GaussianProcessRegressor(kernel, alpha=noise * spread + 1e-8 * (signal + gp.OFFSET), optimizer=None)
    length = prior.length + 0.5 * math.log(len(lengths))
    logarithms = stats.norm.logpdf(np.log(lengths), length, prior.length_deviation).sum()
    logarithms += stats.norm.logpdf(math.log(signal), prior.signal, prior.signal_deviation)
    logarithms += stats.norm.logpdf(math.log(noise), prior.noise, prior.noise_deviation)
    return process.fit(x, y).log_marginal_likelihood_value_ + logarithms


def test_a_fit_is_no_worse_than_where_it_starts_and_than_other_searches_for_the_mode():
    prior = gp.Prior()
    for seed in range(6):
        rng = np.random.default_rng(seed)
        y = np.sin(9 * X[:, 0]) + rng.standard_normal(25) * rng.choice([0.1, 1.0])
        warm = gp.Hyperparameters(np.exp(rng.normal(-1, 1, 2)), 1.0, 0.3)
        found = density(gp.fit(X, y, SPREAD, GROUPS, prior=prior, warm=warm, rng=rng), y, prior)
        assert found >= density(warm, y, prior)
        other = optimize.minimize(
            lambda each, y=y: -density(gp.unpack(each), y, prior), gp.pack(warm), method="Nelder-Mead"
        )
        assert found >= -other.fun - 0.02


def test_a_fit_ends_where_the_density_rises_no_more():
    prior = gp.Prior()
    for seed in range(2):
        rng = np.random.default_rng(seed)
        y = np.sin(9 * X[:, 0]) + rng.standard_normal(25) * rng.choice([0.1, 1.0])
        found = gp.pack(gp.fit(X, y, SPREAD, GROUPS, prior=prior, warm=None, rng=rng))
        slopes = optimize.approx_fprime(found, lambda each, y=y: density(gp.unpack(each), y, prior), 1e-5)
        np.testing.assert_allclose(slopes, 0.0, atol=0.02)


def test_of_two_maxima_the_one_above_the_last_fit_is_found_as_well():
    rng = np.random.default_rng(0)
    x = rng.random((8, 1))
    y = np.sin(rng.choice([9, 15, 25]) * x[:, 0]) + 0.3 * rng.standard_normal(8)
    prior, given = gp.Prior(), {"x": x, "spread": np.ones(8), "groups": np.zeros(1, int)}
    y = (y - y.mean()) / y.std()

    def climbed(start):
        loss = optimize.minimize(
            lambda each: -density(gp.unpack(each), y, prior, **given), gp.pack(start), method="Nelder-Mead"
        )
        return -loss.fun

    warm = gp.Hyperparameters(np.array([0.05]), 1.0, 1e-3)
    smooth = gp.Hyperparameters(np.array([0.5]), 1.0, 1e-2)
    assert climbed(warm) > climbed(smooth) + 0.3
    found = gp.fit(y=y, **given, prior=prior, warm=warm, rng=rng)
    assert density(found, y, prior, **given) > climbed(warm) - 0.02


def test_each_fit_starts_from_the_one_to_the_power_of_two_before(monkeypatch):
    trials = [Trial(number, {"x": x}, TrialState.COMPLETE, (math.sin(9 * x),)) for number, x in enumerate(X[:, 0])]
    fits, fit = [], gp.fit

    def watched(x, *others, warm, **more):
        fits.append((len(x), warm, fit(x, *others, warm=warm, **more)))
        return fits[-1][2]

    monkeypatch.setattr(gp, "fit", watched)
    learn(SearchSpace((Real("x", 0.0, 1.0, 0.5),)), trials, np.random.default_rng(0))
    assert [count for count, _, _ in fits] == [8, 16, 25]
    assert fits[0][1] is None
    assert fits[1][1] is fits[0][2]
    assert fits[2][1] is fits[1][2]


@pytest.mark.parametrize("z", [-6.0, -2.0, -1.0, -0.5, 0.0, 1.0, 8.0])
def test_expected_improvement_is_the_integral_of_the_positive_part(z):
    integral, _ = integrate.quad(lambda e: (z + e) * stats.norm.pdf(e), -z, max(-z, 0.0) + 40, epsabs=0, limit=200)
    assert math.exp(log_improvement(np.array(z))) == pytest.approx(integral, rel=1e-7)


@pytest.mark.parametrize("z", [-1.5, -8.0, -15.0, -40.0, -200.0, -900.0, -1100.0, -1e5])
def test_far_below_the_best_its_logarithm_is_that_of_the_integral_without_the_smallest_factor(z):
    """The expected positive part is ``phi(z)`` times the integral of ``t exp(z t - t^2 / 2)`` over all ``t > 0``."""
    integral, _ = integrate.quad(lambda t: t * math.exp(z * t - 0.5 * t * t), 0.0, 60.0 / -z, epsabs=0, limit=200)
    assert log_improvement(np.array(z)) == pytest.approx(stats.norm.logpdf(z) + math.log(integral), abs=1e-5, rel=1e-12)


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
