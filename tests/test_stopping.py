"""When a search is content: the best complete trial against a target; when the question of gains is asked at all."""

import pytest

from lrtune.space import SearchSpace
from lrtune.space.trial import Trial, TrialState
from lrtune.tuning import stopping
from lrtune.tuning.stopping import has_no_gain, is_reached


def trial(number, *scores, state=TrialState.COMPLETE):
    return Trial(number, {}, state, fold_scores=scores)


@pytest.mark.parametrize(("target", "reached"), [(0.8, True), (0.85, True), (0.86, False)])
def test_a_target_is_reached_by_the_mean_of_the_best_complete_trial(target, reached):
    trials = [trial(0, 0.5, 0.5), trial(1, 0.8, 0.9), trial(2, 0.99, state=TrialState.PRUNED)]
    assert is_reached(trials, target) == reached


def test_nothing_complete_reaches_no_target():
    assert not is_reached([trial(0, None, state=TrialState.DIVERGED)], -1e9)


def test_errors_are_oriented_so_that_a_smaller_one_reaches_the_target():
    assert is_reached([trial(0, -2.0, -4.0)], -3.0)
    assert not is_reached([trial(0, -2.0, -4.0)], -2.9)


def test_the_surrogate_is_asked_from_the_least_number_of_trials_on(monkeypatch):
    asked = []
    monkeypatch.setattr("lrtune.sampling.regret.is_below_noise", lambda *_, **__: asked.append(1) or True)
    trials = [trial(number, 0.5, 0.5) for number in range(8)]
    given = {"rows_ratio": 0.25, "seed": 0}
    assert not has_no_gain(SearchSpace(), trials, min_trials=9, **given)
    assert not has_no_gain(SearchSpace(), [trial(0, None, state=TrialState.DIVERGED)], min_trials=1, **given)
    assert not asked
    assert has_no_gain(SearchSpace(), trials, min_trials=8, **given)
    assert (stopping.TARGET, stopping.NO_GAIN) == ("target", "no_gain")
