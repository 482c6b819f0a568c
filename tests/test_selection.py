"""Which trial is chosen, and which others the folds cannot tell from it."""

import numpy as np
import pytest
from scipy import stats

from lrtune.space.trial import Trial, TrialState
from lrtune.text.errors import NoUsableResultError
from lrtune.verdict.choice import choose, complete, in_order_of_simplicity
from lrtune.verdict.choice.candidates import Smoothing
from lrtune.verdict.choice.rules import Rule


def trial(number, scores, state=TrialState.COMPLETE, **configuration):
    return Trial(number, configuration, state, tuple(scores))


TRIALS = [
    trial(0, [0.80, 0.90, 0.85], learning_rate=0.3, decay="cosine"),
    trial(1, [0.79, 0.90, 0.86], learning_rate=0.1, decay="constant"),
    trial(2, [0.60, 0.70, 0.65], learning_rate=0.01, decay="constant"),
    trial(3, [0.99], TrialState.PRUNED, learning_rate=0.001, decay="constant"),
    trial(4, [0.99, None, 0.99], TrialState.DIVERGED, learning_rate=0.001, decay="constant"),
    trial(5, [0.82, 0.92, 0.87], learning_rate=0.2, decay="cosine"),
]


def test_the_choice_follows_the_rule_and_remembers_the_best():
    chosen = {name: choose(TRIALS, Rule(name, 0.05)) for name in ("best", "one_se", "within")}
    assert {name: each.trial.number for name, each in chosen.items()} == {"best": 5, "one_se": 5, "within": 1}
    assert {each.best.number for each in chosen.values()} == {5}
    assert choose(TRIALS).rule == Rule("best")


def test_one_standard_error_is_that_of_the_paired_difference():
    # Trial 5 is better than trial 0 by 0.02 on every fold: no doubt, however much the folds differ.
    assert choose(TRIALS[:1] + TRIALS[5:], Rule("one_se")).trial.number == 5
    noisy = trial(7, [0.95, 0.80, 0.83], learning_rate=0.05, decay="constant")
    gaps = np.subtract(TRIALS[5].fold_scores, noisy.fold_scores)
    assert gaps.mean() < stats.sem(gaps)
    assert choose([*TRIALS, noisy], Rule("one_se")).trial.number == 7


def test_the_posterior_mean_is_asked_about_complete_trials_in_order():
    smoothing = Smoothing(np.zeros(4), np.array([0.0, 0.0, 1.0, 0.0]), np.zeros((4, 4)))
    assert [each.number for each in complete(TRIALS)] == [0, 1, 2, 5]
    assert choose(TRIALS, Rule("posterior_mean"), smoothing=smoothing).trial.number == 2


def test_rivals_are_those_that_the_corrected_test_cannot_tell_apart():
    rng = np.random.default_rng(0)
    trials = [trial(n, rng.normal(0.8 + 0.01 * n, 0.03, 5)) for n in range(8)]
    found = choose(trials, rows_ratio=0.3)
    wanted = []
    for each in sorted(trials, key=lambda each: -each.mean):
        gaps = np.subtract(found.trial.fold_scores, each.fold_scores)
        error = np.sqrt((1 / 5 + 0.3) * gaps.var(ddof=1))
        if each is not found.trial and abs(gaps.mean()) <= stats.t.ppf(0.975, 4) * error:
            wanted.append(each.number)
    assert [each.number for each in found.rivals] == wanted
    assert wanted


def test_one_fold_has_no_rivals():
    assert choose([trial(0, [0.9]), trial(1, [0.9])]).rivals == ()


def test_places_in_the_order_of_simplicity():
    assert in_order_of_simplicity(TRIALS[:3]) == [2, 1, 0]
    assert in_order_of_simplicity([TRIALS[1], TRIALS[1]]) == [0, 1]


def test_nothing_to_choose_from_is_told():
    with pytest.raises(NoUsableResultError, match="none of the 2 trials"):
        choose(TRIALS[3:5], Rule("one_se"))


def test_where_nothing_is_over_yet_nothing_has_failed():
    with pytest.raises(NoUsableResultError, match=r"^no trial is over yet, 2 are begun: there is no score"):
        choose([Trial(0, {}), Trial(1, {})])
    with pytest.raises(NoUsableResultError, match=r"^no trial is over yet: there is no score"):
        choose([])
