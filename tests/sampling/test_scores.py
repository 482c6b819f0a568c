"""What is known of the trials as one number each, against tables small enough for pen and paper."""

import numpy as np
import pytest
from scipy import stats

from lrtune.sampling.scores import observe, ranks_of, transformed
from lrtune.space.trial import Trial, TrialState

LEVELS = np.array([4.0, 10.0, 1.0, 6.0, 0.0])
NOISE = np.array([[0.3, -0.3, 0.0], [-0.3, 0.3, 0.0], [2.0, 0.0, -2.0], [0.0, 0.0, 0.0], [-2.0, 0.0, 2.0]])
"""By row and by column its middle is 0, so that a median polish takes nothing away; the worse two are noisier."""

EFFECTS = np.array([5.0, 0.0, -5.0])
TRIALS = [
    Trial(number, {}, TrialState.COMPLETE, tuple((level + EFFECTS + noise).tolist()))
    for number, (level, noise) in enumerate(zip(LEVELS, NOISE, strict=True))
]
BETTER = [0, 1, 3]
SCALE = np.sqrt(np.mean((LEVELS[BETTER] - 4.0) ** 2))  # of distances from the median


def of_the_analysis_of_variance(scores):
    """Fit configuration + fold by least squares; the mean square of what is left, and its degrees of freedom."""
    rows, folds = scores.shape
    design = np.hstack([np.kron(np.eye(rows), np.ones((folds, 1))), np.kron(np.ones((rows, 1)), np.eye(folds))])
    left = scores.ravel() - design @ np.linalg.lstsq(design, scores.ravel())[0]
    return left @ left / (scores.size - np.linalg.matrix_rank(design))


def test_the_noise_is_that_of_the_mean_of_a_good_trial_by_the_analysis_of_variance():
    scores = np.array([each.fold_scores for each in TRIALS])[BETTER]
    seen = observe(TRIALS)
    assert seen.noise == pytest.approx(of_the_analysis_of_variance(scores) / 3 / SCALE**2)
    larger = [Trial(each.number, {}, each.state, tuple(40.0 * score for score in each.fold_scores)) for each in TRIALS]
    assert observe(larger).noise == pytest.approx(seen.noise)  # noise and values are on one scale
    np.testing.assert_allclose(observe(larger).values, seen.values)


def test_the_doubt_of_few_comparisons_is_the_variance_of_a_sample():
    gains = np.array([0.5, 1.0, 0.2, 0.9, 3.0])
    known = [
        Trial(each.number, {}, each.state, each.fold_scores, ((3, (level - gain,) * 3),))
        for each, level, gain in zip(TRIALS, LEVELS, gains, strict=True)
    ]
    seen = observe([*known, Trial(5, {}, TrialState.PRUNED, horizon_scores=((3, (7.0,) * 3),))])
    assert seen.spread[5] == pytest.approx(1.0 + stats.tvar(gains) / (0.3**2 / 3))


def test_the_worse_half_stands_where_the_lower_half_of_a_normal_distribution_does():
    values, scale = transformed(np.array([-7.0, 1.0, 3.0, -1e6, 0.0, 2.0, 0.5, -1.0]))
    assert scale == pytest.approx(np.sqrt(np.mean([0.25**2, 0.75**2, 1.75**2, 2.75**2])))
    middles = stats.norm.ppf([1 / 16, 3 / 16, 5 / 16, 7 / 16])  # of four equal shares of that half
    np.testing.assert_allclose(values[[3, 0, 7, 4]], middles)
    np.testing.assert_allclose(values[[6, 1, 5, 2]], np.array([0.25, 0.75, 1.75, 2.75]) / scale)


@pytest.mark.parametrize("seed", range(20))
def test_ranks_are_those_of_scipy(seed):
    values = np.random.default_rng(seed).integers(0, 1 + seed, 30) / 7.0
    np.testing.assert_array_equal(ranks_of(values), stats.rankdata(values))
