"""Samples of the function that a study stands for, against the joint posterior of scikit-learn."""

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern

from lrtune.sampling import gaussian_process as gp
from lrtune.sampling import surrogate as surrogates
from lrtune.sampling.acquisition import log_noisy_improvement
from lrtune.sampling.encoding import Encoding
from lrtune.sampling.surrogate import Outlook, Surrogate, extended, learn, sampled
from lrtune.space import SearchSpace
from lrtune.space.dimensions import Real
from lrtune.space.trial import Trial, TrialState

SPACE = SearchSpace((Real("x", 0.0, 1.0, 0.5),))
PLACES = [0.05, 0.3, 0.35, 0.8]
VALUES, SPREAD = np.array([-0.5, 0.8, 0.2, 1.1]), np.array([1.0, 2.0, 1.0, 4.0])
KNOWN = gp.Hyperparameters(np.array([0.25]), 0.8, 0.2)
MANY = 20_000


def known():
    points = tuple({"x": each} for each in PLACES)
    encoding = Encoding(SPACE)
    return Surrogate(encoding, points, encoding.rows(points), VALUES, SPREAD, KNOWN, np.ones(4, bool))


def process(x, noise, values):
    kernel = ConstantKernel(gp.OFFSET) + ConstantKernel(KNOWN.signal) * Matern(KNOWN.lengths, nu=2.5)
    return GaussianProcessRegressor(kernel, alpha=noise, optimizer=None).fit(x, values)


def test_samples_have_the_mean_and_the_covariance_of_the_posterior():
    given = known()
    samples = sampled(given, MANY, np.random.default_rng(0))
    mean, covariance = process(given.x, KNOWN.noise * SPREAD, VALUES).predict(given.x, return_cov=True)
    np.testing.assert_allclose(samples.values.mean(axis=1), mean, atol=1e-6)  # they come in pairs around it
    np.testing.assert_allclose(np.cov(samples.values), covariance, atol=0.03)
    np.testing.assert_array_equal(samples.best, [max(each) for each in samples.values.T.tolist()])


def test_a_further_point_is_drawn_given_the_sample_at_the_others():
    given = known()
    samples = sampled(given, 2, np.random.default_rng(0))
    values, white = (np.repeat(each[:, :1], MANY, axis=1) for each in (samples.values, samples.white))
    many = samples._replace(values=values, white=white)  # one sample, again and again
    row = given.encoding.rows([{"x": 0.55}])
    more = extended(many, row[0], np.random.default_rng(1))
    mean, deviation = process(given.x, 1e-8, samples.values[:, 0]).predict(row, return_std=True)
    assert more.values[-1].mean() == pytest.approx(mean[0], abs=1e-4)
    assert more.values[-1].std() == pytest.approx(deviation[0], rel=0.02)
    assert abs(deviation[0] - 1.0) > 0.3  # or its square would do
    np.testing.assert_array_equal(more.values[:-1], many.values)


def test_an_outlook_that_has_learned_says_what_a_process_says_that_was_made_anew():
    given, rng = known(), np.random.default_rng(2)
    samples = sampled(given, 6, rng)
    rows = given.encoding.rows([{"x": each} for each in np.linspace(0.0, 1.0, 21).tolist()])
    outlook = Outlook(samples, rows)
    for place in (0.1, 0.55, 0.8):  # the last one is known already
        samples = extended(samples, given.encoding.rows([{"x": place}])[0], rng)
        outlook.learn(samples)
        anew = process(samples.process.x, gp._JITTER * (KNOWN.signal + gp.OFFSET), samples.values)
        means, deviations = anew.predict(rows, return_std=True)
        expected = log_noisy_improvement(means, deviations[:, 0] ** 2, samples.best)
        far = deviations[:, 0] > 0.01  # beside a known point rounding says how little it may be
        np.testing.assert_allclose(outlook.gains[far], expected[far], rtol=1e-4, atol=1e-4)
        assert far.sum() > 12


def test_of_too_many_trials_the_better_ones_are_kept_and_some_of_the_others(monkeypatch):
    monkeypatch.setattr(surrogates, "KEPT", 20)
    scores = np.random.default_rng(3).normal(size=60)
    places = np.linspace(0.0, 1.0, 60).tolist()
    trials = [Trial(n, {"x": places[n]}, TrialState.COMPLETE, (float(scores[n]),)) for n in range(60)]
    kept = [places.index(each["x"]) for each in learn(SPACE, trials, np.random.default_rng(0)).points]
    ranks = np.argsort(np.argsort(-scores))[kept]
    assert len(kept) == 20
    assert sorted(ranks)[:10] == list(range(10))
    assert np.ptp(np.diff(sorted(ranks)[10:])) <= 1  # the others at even steps
    assert max(ranks) == 59


def test_many_trials_have_the_hyperparameters_of_the_last_power_of_two(monkeypatch):
    """Whatever the seed, and found once: a round later the same trials come first."""
    monkeypatch.setattr(surrogates, "SETTLED", 16)
    rng, fits, fit = np.random.default_rng(5), [], gp.fit
    scores = rng.normal(size=80)
    trials = [Trial(n, {"x": float(rng.random())}, TrialState.COMPLETE, (float(scores[n]),)) for n in range(80)]

    def watched(x, *others, **more):
        fits.append(len(x))
        return fit(x, *others, **more)

    monkeypatch.setattr(gp, "fit", watched)
    alone = learn(SPACE, trials[:32], None).hyperparameters
    assert fits == [8, 16]  # of these sixteen, and what they began with
    found = [learn(SPACE, trials[:count], np.random.default_rng(count)) for count in (40, 48, 64)]
    assert fits == [8, 16, 8, 16, 32]
    assert [len(each.points) for each in found] == [40, 48, 64]
    assert len({each.hyperparameters.signal for each in found}) == 1
    assert alone.signal != found[0].hyperparameters.signal
