"""What may still be gained: against the truth of functions that are known, and a case in closed form."""

import math

import numpy as np
import pytest

from lrtune.sampling import gaussian_process as gp
from lrtune.sampling import regret
from lrtune.sampling.encoding import Encoding
from lrtune.sampling.scores import transformed
from lrtune.sampling.surrogate import Surrogate, learn
from lrtune.space import SearchSpace
from lrtune.space.dimensions import Real
from lrtune.space.trial import Trial, TrialState

SPACE = SearchSpace((Real("x", 0.0, 1.0, 0.5),))


def history(function, count, *, noise, folds=5, seed=0):
    """Score random points on folds with effects of their own, larger than the noise."""
    rng = np.random.default_rng(seed)
    effects = rng.normal(size=folds)
    return [
        Trial(
            number,
            {"x": x},
            TrialState.COMPLETE,
            fold_scores=tuple((function(x) + effects + noise * rng.normal(size=folds)).tolist()),
        )
        for number, x in enumerate(rng.random(count).tolist())
    ]


def hill(x):
    return -30.0 * (x - 0.3) ** 2


@pytest.mark.parametrize(("count", "noise", "over"), [(5, 0.5, False), (60, 0.5, True), (60, 0.05, False)])
def test_a_search_is_over_when_folds_cannot_tell_what_is_left_to_gain(count, noise, over):
    trials = history(hill, count, noise=noise)
    assert regret.is_below_noise(SPACE, trials, rows_ratio=0.25, seed=0) == over


def test_the_bound_is_rarely_below_the_true_regret():
    grid = [{"x": x} for x in np.linspace(0, 1, 200).tolist()]
    broken = 0
    for seed in range(30):
        trials = history(lambda x, shift=seed: math.sin(9 * x + shift), 12, noise=0.1, seed=seed)
        surrogate = learn(SPACE, trials, np.random.default_rng(0))
        truth = np.array([math.sin(9 * each["x"] + seed) for each in grid])
        best = max(trials, key=lambda each: each.mean)
        _, scale = transformed(np.array([each.mean for each in trials]))
        true = truth.max() - math.sin(9 * best.configuration["x"] + seed)
        broken += regret.gain(surrogate, grid, len(trials)) < true / scale
    assert broken <= 3


def test_the_gain_of_one_trial_and_one_other_point_in_closed_form():
    encoding = Encoding(SPACE)
    hyperparameters = gp.Hyperparameters(np.array([0.1]), 1.0, 0.5)
    x = encoding.rows([{"x": 0.0}])
    surrogate = Surrogate(
        encoding, ({"x": 0.0},), x, np.array([1.0]), np.array([1.0]), hyperparameters, np.ones(1, bool)
    )
    far = [{"x": 1.0}]
    prior = gp.OFFSET + 1.0
    seen = prior / (prior + 0.5)
    mean, deviation = seen, math.sqrt(prior - prior * seen)
    distance = math.sqrt(5.0) * abs(float(encoding.rows(far)[0, 0] - x[0, 0])) / 0.1
    cross = gp.OFFSET + (1 + distance + distance**2 / 3) * math.exp(-distance)
    other, other_deviation = cross / (prior + 0.5), math.sqrt(prior - cross**2 / (prior + 0.5))
    width = math.sqrt(2 * math.log(1 * 10**2 * math.pi**2 / 0.6) / 5)
    expected = max(mean + width * deviation, other + width * other_deviation) - (mean - width * deviation)
    assert regret.gain(surrogate, far, 10) == pytest.approx(expected, rel=1e-6)


def test_nothing_is_said_where_nothing_is_known():
    same = [Trial(number, {"x": number / 9}, TrialState.COMPLETE, fold_scores=(0.5, 0.6)) for number in range(8)]
    assert not regret.is_below_noise(SPACE, same, rows_ratio=1.0, seed=0)


def test_the_answer_is_reproducible():
    trials = history(hill, 20, noise=0.3)
    assert len({regret.is_below_noise(SPACE, trials, rows_ratio=0.25, seed=0) for _ in range(3)}) == 1
