"""What samplers learn from trials that were pruned on a short horizon."""

import numpy as np
import pytest

from lrtune.sampling.scores import observe
from lrtune.space.trial import Trial, TrialState

FOLDS = 4


def scored(count, *, offset, doubt, pruned, seed=0):
    """Make trials whose short horizon scores `offset` less than the whole one, give or take `doubt`."""
    rng = np.random.default_rng(seed)
    levels = rng.normal(size=count)
    trials = []
    for number, level in enumerate(levels.tolist()):
        noise = 0.05 * rng.normal(size=(2, FOLDS))
        short = ((3, tuple((level - offset + doubt * rng.normal() + noise[0]).tolist())),)
        whole = () if number in pruned else tuple((level + noise[1]).tolist())
        state = TrialState.PRUNED if number in pruned else TrialState.COMPLETE
        trials.append(Trial(number, {}, state, fold_scores=whole, horizon_scores=short))
    return levels, trials


@pytest.mark.parametrize("offset", [-3.0, 0.0, 5.0])
def test_the_offset_is_estimated_so_that_pruned_trials_stand_where_they_belong(offset):
    levels, trials = scored(40, offset=offset, doubt=0.0, pruned=range(30, 40))
    seen = observe(trials)
    assert seen.trials == tuple(trials)
    better = levels >= np.median(levels)
    slope, start = np.polyfit(levels[better], seen.values[better], 1)
    np.testing.assert_allclose(seen.values[better], start + slope * levels[better], atol=0.2)
    assert np.corrcoef(np.argsort(np.argsort(levels)), np.argsort(np.argsort(seen.values)))[0, 1] > 0.99


def test_the_doubt_is_the_variance_of_what_the_whole_horizon_adds():
    _, trials = scored(400, offset=1.0, doubt=0.3, pruned=range(300, 400))
    seen = observe(trials)
    np.testing.assert_array_equal(seen.spread[:300], 1.0)
    noise = 0.05**2 / FOLDS
    assert seen.spread[300] == pytest.approx(1.0 + (0.3**2 + 2 * noise) / noise, rel=0.25)


def test_with_few_to_compare_the_doubt_is_as_wide_as_the_scores():
    _, sure = scored(40, offset=1.0, doubt=0.0, pruned=range(10, 40))
    _, unsure = scored(40, offset=1.0, doubt=0.0, pruned=range(2, 40))
    assert observe(unsure).spread[-1] > 20 * observe(sure).spread[-1]


def test_what_diverged_on_a_short_horizon_ranks_last():
    _, trials = scored(6, offset=0.0, doubt=0.0, pruned=range(0))
    lost = Trial(6, {}, TrialState.DIVERGED, horizon_scores=((3, (None, 0.9, 0.9, 0.9)),))
    seen = observe([*trials, lost])
    assert seen.values.argmin() == 6
    assert seen.spread[6] == 1.0


def test_longer_of_two_short_horizons_counts():
    _, trials = scored(10, offset=1.0, doubt=0.0, pruned=range(0))
    both = [
        Trial(
            each.number,
            {},
            each.state,
            each.fold_scores,
            horizon_scores=((9, (each.number * 7.0,) * 4), *each.horizon_scores),
        )
        for each in trials
    ]
    lagging = Trial(10, {}, TrialState.PRUNED, horizon_scores=((9, (0.0,) * 4), both[5].horizon_scores[1]))
    seen = observe([*both, lagging])
    assert seen.values[10] == pytest.approx(seen.values[5], abs=0.1)
