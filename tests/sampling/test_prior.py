"""What earlier studies know, against tables small enough for pen and paper, and another library's process."""

import numpy as np
import pytest
from scipy.linalg import solve
from sklearn.gaussian_process.kernels import ConstantKernel, Matern

from lrtune.sampling import gaussian_process as gp
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.sampling.prior import DOUBT, PriorStudy, aligned
from lrtune.sampling.scores import observe, transformed
from lrtune.sampling.surrogate import learn, sampled
from lrtune.space import Choice, Option, SearchSpace
from lrtune.space.dimensions import Real
from lrtune.space.trial import Trial, TrialState

SPACE = SearchSpace((Real("x", 0.0, 1.0, 0.5), Choice("kind", (Option("a"), Option("b")), "a")))
WARM = [name for name, each in STRATEGIES.items() if each.warm is not None]


def trial(number, x, *scores, kind="a", state=TrialState.COMPLETE):
    return Trial(number, {"x": x, "kind": kind}, state, scores)


def points(*places, kind="a"):
    return tuple({"x": each, "kind": kind} for each in places)


def test_a_study_is_moved_by_the_median_difference_at_common_points():
    study = PriorStudy(points(0.1, 0.2, 0.3, 0.4), (1.0, 2.0, 3.0, None))
    (found,) = aligned([study], points(0.1, 0.2, 0.3, 0.9), np.array([11.0, 12.5, -np.inf, 70.0]))
    np.testing.assert_allclose(found.scores, [11.25, 12.25, 13.25, -np.inf])  # by 10 and by 10.5
    assert found.doubt is None  # two points in common tell nothing of how much they scatter


def test_without_common_points_the_medians_are_put_upon_each_other():
    first, second = PriorStudy(points(0.1, 0.2, 0.3), (1.0, 2.0, 9.0)), PriorStudy(points(0.6, 0.1), (5.0, 4.0))
    found = aligned([first, second], [], np.empty(0))
    np.testing.assert_allclose(found[0].scores, [1.0, 2.0, 9.0])  # nothing else is known: it has the say
    np.testing.assert_allclose(found[1].scores, [2.0, 1.0])  # by -3 at 0.1
    (found,) = aligned([first], points(0.8, 0.9), np.array([20.0, 30.0]))
    np.testing.assert_allclose(found.scores, [24.0, 25.0, 32.0])


def test_the_doubt_is_how_much_common_points_scatter():
    places = [0.1, 0.2, 0.3, 0.4, 0.5]
    study = PriorStudy(points(*places), (0.0,) * 5)
    (found,) = aligned([study], points(*places), np.array([1.0, 1.2, 1.4, 1.5, 60.0]))
    np.testing.assert_allclose(found.scores, 1.4)
    assert found.doubt == pytest.approx((0.2 / 0.67449) ** 2, rel=1e-4)  # deviations 0.4, 0.2, 0, 0.1 and 58.6


def test_known_and_earlier_scores_are_standardised_together_and_earlier_ones_are_noisier():
    trials = [trial(0, 0.5, 0.7, 0.9), trial(1, 0.2, 0.9, 1.1), trial(2, 0.3, 0.5, 0.6)]
    study = PriorStudy(points(0.5, 0.9, 0.8), (0.4, 0.8, None))  # 0.8 is known at 0.5: moved by 0.4
    seen = observe(trials, [study])
    values, scale = transformed(np.array([0.8, 1.0, 0.55, 0.8, 1.2, -np.inf]))
    np.testing.assert_allclose(seen.values, values)
    noise = seen.noise * scale**2
    np.testing.assert_allclose(seen.spread[3:], 1.0 + DOUBT * scale**2 / noise)
    assert seen.is_own.tolist() == [True] * 3 + [False] * 3
    alone = observe(trials)
    assert alone.noise * transformed(np.array([0.8, 1.0, 0.55]))[1] ** 2 == pytest.approx(noise)


def test_a_surrogate_with_prior_knowledge_is_the_process_of_all_points_with_their_noise():
    rng = np.random.default_rng(3)
    trials = [trial(n, x, x - x**2 + 0.01, x - x**2 - 0.01) for n, x in enumerate([0.5, 0.1, 0.3, 0.9])]
    places = [0.15, 0.35, 0.55, 0.75, 0.95]
    study = PriorStudy(points(*places, kind="b"), tuple(x - x**2 for x in places))
    found = learn(SPACE, trials, rng, [study])
    known, x = found.hyperparameters, found.x
    kernel = ConstantKernel(gp.OFFSET) + ConstantKernel(known.signal) * Matern(
        known.lengths[found.encoding.scales], nu=2.5
    )
    matrix = kernel(x)
    noisy = matrix + np.diag(known.noise * found.spread)
    np.testing.assert_allclose(found.mean, matrix @ solve(noisy, found.values), atol=1e-6)
    assert (found.spread[~found.is_own] > 5 * found.spread[found.is_own].max()).all()
    best = sampled(found, 8, rng)
    np.testing.assert_array_equal(best.best, best.values[:4].max(axis=0))  # nothing else was tried on these rows


@pytest.mark.parametrize("name", STRATEGIES)
def test_an_empty_prior_changes_nothing(name):
    space = SearchSpace((Choice("x", tuple(Option(each) for each in range(40)), 0),))
    history = [Trial(n, {"x": n}, TrialState.COMPLETE, (0.1 * n, 0.1 * n + 0.05)) for n in range(12)]
    assert STRATEGIES[name](space, history, 5, 2) == STRATEGIES[name](space, history, 5, 2, ())


@pytest.mark.parametrize("name", WARM)
def test_a_prior_draws_the_proposals_to_where_earlier_studies_were_good(name):
    """With the default and one more trial, of which a cold search knows nothing."""
    rng = np.random.default_rng(1)
    places = [0.5, *rng.random(29).round(4).tolist()]
    known = (*points(*places), *points(*places, kind="b"))
    study = PriorStudy(known, tuple(-((each["x"] - 0.8) ** 2) - 0.1 * (each["kind"] == "b") for each in known))
    history = [trial(0, 0.5, -0.2, -0.21), trial(1, 0.05, -0.6, -0.61)]
    warm = STRATEGIES[name](SPACE, history, 6, 0, [study])
    cold = STRATEGIES[name](SPACE, history, 6, 0)
    distance = [np.median([abs(each["x"] - 0.8) for each in found]) for found in (warm, cold)]
    assert distance[0] < 0.5 * distance[1]
    assert warm == STRATEGIES[name](SPACE, history, 6, 0, [study])
    few = STRATEGIES[name](SPACE, history, 2, 0, [study])
    assert few == warm[:2]


@pytest.mark.parametrize("name", WARM)
def test_the_first_trial_is_the_default_whatever_is_known(name):
    study = PriorStudy(points(*(0.1 * each for each in range(10))), tuple(map(float, range(10))))
    assert STRATEGIES[name](SPACE, [], 1, 0, [study]) == [SPACE.default()]
