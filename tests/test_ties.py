"""Trials of equal means: the one with the better log loss is chosen, by whichever rule, and in resamples."""

from dataclasses import replace

import numpy as np
import pytest

from lrtune.run.observed import Observed
from lrtune.space.trial import Trial, TrialState, ranking
from lrtune.training.metrics.scoring import score
from lrtune.verdict.choice import choose, in_order_of_simplicity, in_order_of_ties
from lrtune.verdict.choice.candidates import Smoothing
from lrtune.verdict.choice.rules import Rule
from lrtune.verdict.correction import Choosing, Evidence, corrected

RULES = [Rule("best"), Rule("one_se"), Rule("within", 0.01), Rule("posterior_mean")]


def trial(number, scores, loss, **configuration):
    """A complete trial; the loss is in its own sign on every fold, None where it is not known."""
    beside = {} if loss is None else {"log_loss": tuple(-each for each in loss)}
    chosen = {"learning_rate": 0.1, "decay": "cosine", **configuration}
    return Trial(number, chosen, TrialState.COMPLETE, tuple(scores), beside=beside)


WORSE, BETTER = trial(0, [0.8, 0.9], [0.6, 0.5], optimizer="sgd"), trial(1, [0.9, 0.8], [0.4, 0.6], optimizer="adam")


def test_a_tie_breaker_is_the_mean_of_the_oriented_loss():
    assert WORSE.tie_breaker == pytest.approx(-0.55)
    assert BETTER.tie_breaker == pytest.approx(-0.5)
    assert BETTER.mean_beside("log_loss") == BETTER.tie_breaker
    assert trial(0, [0.8], None).tie_breaker == -np.inf
    assert replace(BETTER, beside={"log_loss": (-0.4,)}).tie_breaker == -np.inf  # not of every fold
    assert replace(BETTER, beside={"log_loss": (-0.4, None)}).tie_breaker == -np.inf
    assert replace(BETTER, state=TrialState.PRUNED).tie_breaker == -np.inf


@pytest.mark.parametrize(
    ("trials", "numbers"),
    [
        ([WORSE, BETTER], [1, 0]),
        ([BETTER, WORSE], [1, 0]),
        ([WORSE, replace(WORSE, number=2)], [0, 2]),  # equal in everything: the earlier
        ([trial(0, [0.8, 0.9], None), BETTER, WORSE], [1, 0, 0]),  # without a loss comes last
        ([WORSE, trial(2, [0.81, 0.9], [9.0, 9.0])], [2, 0]),  # a better mean is a better mean
    ],
)
def test_ranking_goes_by_mean_then_loss_then_number(trials, numbers):
    assert [each.number for each in ranking(trials)] == numbers


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("turned", [False, True])
def test_every_rule_chooses_the_better_loss_of_equal_means(rule, turned):
    pair = [replace(WORSE, number=int(turned)), replace(BETTER, number=int(not turned))]
    flat = Smoothing(np.zeros(2), np.zeros(2), np.zeros((2, 2)))
    for smoothing in (None, flat) if rule.entry.smooths else (None,):
        found = choose(pair, rule, smoothing=smoothing)
        assert found.trial.configuration["optimizer"] == "adam"
        assert found.best is found.trial


def test_simpler_is_still_simpler_whatever_the_loss():
    simple = replace(WORSE, configuration={**WORSE.configuration, "decay": "constant"})
    assert choose([simple, BETTER], Rule("one_se")).trial is simple
    assert choose([simple, BETTER]).trial is BETTER
    assert in_order_of_simplicity([BETTER, simple]) == [1, 0]


def test_places_are_an_order():
    several = [trial(place, [0.5, 0.5], [loss, loss]) for place, loss in enumerate([0.5, 0.3, 0.4, 0.3])]
    assert in_order_of_ties(several) == [3, 0, 2, 1]
    assert in_order_of_ties([trial(0, [0.5], None), trial(1, [0.5], None)]) == [0, 1]


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy", "f1_macro"])
@pytest.mark.parametrize(("first", "second"), [(0, 1), (2, 7), (7, 2), (8, 0), (5, 6)])
def test_resamples_choose_the_same_of_two_that_are_equal_everywhere(rule, metric, first, second):
    """Two of nine predict the same and nearly everything right; the one before in ties is chosen in each resample."""
    rng = np.random.default_rng(1)
    rows, count, configurations = 90, 3, 9
    targets, folds = rng.integers(3, size=rows), np.arange(rows) * count // rows
    kept = np.where(rng.random((configurations, rows)) < 0.4, targets, (targets + 1) % 3).astype(np.uint8)
    kept[first] = kept[second] = np.where(rng.random(rows) < 0.95, targets, (targets + 2) % 3)
    scores = np.array([score(metric, kept[:, folds == k], targets[folds == k], 3) for k in range(count)])
    ties = np.arange(configurations)
    ties[first], ties[second] = sorted((first, second))
    observed = Observed(targets, folds, np.arange(rows), np.bincount(folds), 3)
    numbers = np.arange(configurations)
    evidence = Evidence(metric, numbers, scores, ties, kept, observed, 0.5, ties)
    smoothing = Smoothing(scores.mean(axis=0), scores.mean(axis=0), np.eye(configurations))
    asked = Choosing(rule=rule, smoothing=smoothing if rule.entry.smooths else None, seed=0, resamples=300)
    found = corrected(evidence, first, asked)
    assert found.method == "bootstrap"
    assert dict(found.shares) == {first: 1.0}
