import dataclasses
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrtune.space.trial import Trial, TrialState


def complete(*scores):
    return Trial(3, {"learning_rate": 0.1}, TrialState.COMPLETE, scores)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=12))
def test_mean_and_std_agree_with_the_standard_library(scores):
    trial = complete(*scores)
    assert trial.mean == pytest.approx(statistics.fmean(scores), rel=1e-12, abs=1e-12)
    assert trial.std == pytest.approx(statistics.stdev(scores), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("scores", [(), (0.5, None), (float("nan"), 0.5), (float("-inf"), 0.5)])
def test_an_unusable_fold_leaves_no_mean(scores):
    assert complete(*scores).mean is None
    assert complete(*scores).std is None


@pytest.mark.parametrize("state", [each for each in TrialState if each is not TrialState.COMPLETE])
def test_only_complete_trials_have_a_mean(state):
    assert Trial(0, {}, state, (0.5, 0.6)).mean is None


def test_one_fold_has_a_mean_and_no_spread():
    assert complete(0.25).mean == 0.25
    assert complete(0.25).std is None


def test_a_new_trial_is_proposed_and_frozen():
    trial = Trial(0, {"decay": "linear"})
    assert trial.state is TrialState.PROPOSED
    assert trial.state == "proposed"
    with pytest.raises(dataclasses.FrozenInstanceError):
        trial.number = 1
