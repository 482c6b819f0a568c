"""Rules: how they are read, and what they choose, against definitions written out in loops."""

import math

import numpy as np
import pytest
from scipy import stats

from lrtune.experiment import load_text
from lrtune.text.errors import ExperimentError
from lrtune.verdict.choice.candidates import Candidates, Smoothing
from lrtune.verdict.choice.rules import SELECTION_RULES, Rule, rule, simplicity

TEXT = """
data: {{path: sklearn:iris}}
search: {{select: {select}}}
space: {{learning_rate: [0.1, 0.2]}}
"""


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("best", Rule("best")),
        ("one_se", Rule("one_se")),
        ("posterior_mean", Rule("posterior_mean")),
        ("within 1%", Rule("within", 0.01)),
        ("within: 2.5%", Rule("within", 0.025)),
        ("within=0.5%", Rule("within", 0.005)),
        ("within 0.03", Rule("within", 0.03)),
        ({"within": "1%"}, Rule("within", 0.01)),
        ({"within": 0.01}, Rule("within", 0.01)),
        ({"within": "0%"}, Rule("within", 0.0)),
    ],
)
def test_a_rule_is_read_and_written(value, wanted):
    assert rule(value) == wanted
    assert rule(str(wanted)) == wanted


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("bets", "unknown rule 'bets'; did you mean 'best'"),
        ("within", "needs a share"),
        ("within 100%", "needs a share"),
        ("within -1%", "not '-1%'"),
        ({"within": "lots"}, "not 'lots'"),
        ({"within": math.nan}, "needs a share"),
        ("one_se 2", "takes no value"),
        ({"best": 1}, "takes no value"),
        (3, "unknown rule '3'"),
    ],
)
def test_what_is_no_rule_is_refused_with_a_sentence(value, sentence):
    with pytest.raises(ValueError, match=sentence.replace("(", r"\(")):
        rule(value)


@pytest.mark.parametrize("select", ["one_se", "{within: 1%}", "within 1%", "posterior_mean"])
def test_the_rule_is_a_setting_that_does_not_make_another_study(select):
    chosen, plain = load_text(TEXT.format(select=select)), load_text(TEXT.format(select="best"))
    assert chosen.canonical() == plain.canonical()
    assert rule(chosen.search.select).name in SELECTION_RULES
    again = load_text(chosen.to_yaml())
    assert again.search.select == chosen.search.select


def test_a_wrong_rule_is_reported_with_its_place():
    with pytest.raises(ExperimentError, match=r"3: search.select: unknown rule 'one_sd'; did you mean 'one_se'"):
        load_text(TEXT.format(select="one_sd"))


ORDER = [
    {"learning_rate": 0.9, "decay": "constant", "model": "linear"},
    {"learning_rate": 0.1, "decay": "constant", "hidden": (8,), "warmup": 0.0},
    {"learning_rate": 0.2, "decay": "constant", "hidden": (8,)},
    {"learning_rate": 0.01, "decay": "constant", "hidden": (8,), "warmup": 0.1},
    {"learning_rate": 0.01, "decay": "cosine", "hidden": (8,), "decay.final": 0.0},
    {"learning_rate": 0.01, "decay": "step", "hidden": (8,), "decay.factor": 0.5, "decay.every": 5},
    {"learning_rate": 0.001, "decay": "constant", "hidden": (8, 8)},
]


def test_simpler_is_smaller_then_constant_then_fewer_factors_then_slower():
    shuffled = [ORDER[each] for each in (5, 2, 6, 0, 3, 1, 4)]
    assert sorted(shuffled, key=simplicity) == ORDER


def pick(rule, means, folds, order, smoothing=None):
    return rule.entry.pick(Candidates(means, folds, order, smoothing), rule.share)


def drawn(seed, configurations=12, folds=4):
    rng = np.random.default_rng(seed)
    scores = rng.normal(0.8, 0.02, (folds, configurations)) + rng.normal(0, 0.02, configurations)
    return scores, rng.permutation(configurations)


@pytest.mark.parametrize("seed", range(10))
def test_rules_choose_as_they_are_defined(seed):
    folds, order = drawn(seed)
    means = folds.mean(axis=0)
    best = int(np.argmax(means))

    def simplest(allowed):
        return min(allowed, key=lambda each: order[each])

    def paired_error(each):
        return np.std(folds[:, best] - folds[:, each], ddof=1) / math.sqrt(len(folds))

    within = [each for each in range(12) if means[each] >= means[best] * 0.98]
    near = [each for each in range(12) if means[best] - means[each] <= paired_error(each)]
    assert pick(Rule("best"), means, folds, order) == best
    assert pick(Rule("within", 0.02), means, folds, order) == simplest(within)
    assert pick(Rule("one_se"), means, folds, order) == simplest(near)
    assert pick(Rule("posterior_mean"), means, folds, order) == best  # nothing has been learned


@pytest.mark.parametrize("folds", [2, 3, 5])
@pytest.mark.parametrize(("share", "chosen"), [(0.99, 1), (1.01, 0)])
def test_one_standard_error_of_few_folds_is_that_of_a_sample(folds, share, chosen):
    centred = np.linspace(-0.03, 0.03, folds)
    gaps = centred + share * stats.sem(centred)
    scores = np.stack([np.full(folds, 0.9), 0.9 - gaps], axis=1)
    assert pick(Rule("one_se"), scores.mean(axis=0), scores, np.array([1, 0])) == chosen


def test_what_is_out_does_not_move_the_values_of_the_others():
    smoothing = Smoothing(
        np.array([0.7, 0.5, 0.6]), np.array([9.0, 1.0, 2.0]), np.array([[1.0, 0, 0], [-4, 1, 0], [3, 0, 1]])
    )
    means = np.array([-np.inf, 0.5, 0.7])
    assert pick(Rule("posterior_mean"), means, np.zeros((2, 3)), np.arange(3), smoothing) == 2  # 2.1 against 1.0


def test_within_a_share_of_an_error_is_that_much_more_of_it():
    means, folds = np.array([-1.0, -1.009, -1.02]), np.zeros((2, 3))
    order = np.array([2, 1, 0])
    assert pick(Rule("within", 0.01), means, folds, order) == 1
    assert pick(Rule("within", 0.03), means, folds, order) == 2


@pytest.mark.parametrize("name", SELECTION_RULES)
def test_many_choices_at_once_are_each_the_one_alone(name):
    drawings = [drawn(seed) for seed in range(8)]
    folds, order = np.stack([each for each, _ in drawings]), drawings[0][1]
    means = folds.mean(axis=1)
    smoothing = Smoothing(means[0], np.linspace(0, 1, 12), np.random.default_rng(0).normal(size=(12, 12)))
    found = pick(Rule(name, 0.02), means, folds, order, smoothing)
    alone = [int(pick(Rule(name, 0.02), *each, order, smoothing)) for each in zip(means, folds, strict=True)]
    assert found.tolist() == alone


@pytest.mark.parametrize("name", SELECTION_RULES)
def test_what_is_out_is_never_chosen(name):
    folds, order = drawn(3)
    means = np.where(np.arange(12) == 5, folds.mean(axis=0), -np.inf)
    smoothing = Smoothing(np.zeros(12), np.arange(12.0), np.zeros((12, 12)))
    assert pick(Rule(name, 0.5), means, folds, order, smoothing) == 5


def test_folds_that_are_missing_count_for_nothing():
    folds = np.array([[0.9, 0.80, 0.9], [0.9, np.nan, 0.7], [0.9, np.nan, 0.7]])
    means, order = np.array([0.9, 0.89, 0.77]), np.array([2, 1, 0])
    assert pick(Rule("one_se"), means, folds, order) == 0  # one common fold tells no error; the third is far away


def test_a_smoothing_is_linear_in_the_scores():
    smoothing = Smoothing(np.array([1.0, 2.0]), np.array([5.0, 6.0]), np.array([[1.0, 0.5], [0.0, 2.0]]))
    assert smoothing(np.array([1.0, 2.0])).tolist() == [5.0, 6.0]
    assert smoothing(np.array([[3.0, 2.0], [1.0, 3.0]])).tolist() == [[7.0, 6.0], [5.5, 8.0]]
