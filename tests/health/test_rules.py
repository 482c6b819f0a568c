"""Every rule on a study made to show what it looks for, and on one that must not show it."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from lrtune.experiment import load_text, parse_space
from lrtune.space.trial import Curves, Trial, TrialState
from lrtune.training.declarations import check_value
from lrtune.verdict.comparison import Gain, between, difference
from lrtune.verdict.findings import HINT, WARNING
from lrtune.verdict.health import Case, findings
from lrtune.verdict.health.dimensions import beyond, legal, position, rank_test
from lrtune.verdict.health.rivals import anchors_win
from lrtune.verdict.health.rules import HEALTH_RULES
from lrtune.verdict.health.scores import concordance, diverging_rates
from lrtune.verdict.result import Anchor, ClassCounts, Unscored

SPACE = """
data: {path: sklearn:iris}
space:
  learning_rate: {low: 1e-3, high: 1e-1, scale: log}
  optimizer: [sgd, momentum: {momentum: [0.5, 0.8, 0.9]}]
  warmup: [0, 0.05, 0.1]
"""


def space(text=SPACE):
    return load_text(text, name="iris").space


def sampled(count, score, *, folds=5, noise=0.01, fold_effect=0.05, seed=0, text=SPACE):
    """A random search whose true score is a function of the configuration; noise as in cross-validation."""
    rng = np.random.default_rng(seed)
    chosen = space(text)
    effects = rng.normal(0.0, fold_effect, folds)
    trials = []
    for number in range(count):
        point = chosen.default() if number == 0 else chosen.sample(rng)
        scores = score(point) + effects + rng.normal(0.0, noise, folds)
        trials.append(Trial(number, point, TrialState.COMPLETE, tuple(float(each) for each in scores)))
    return trials


def case(trials, **more):
    best = max((each for each in trials if each.mean is not None), key=lambda each: (each.mean, -each.number))
    return Case(**{"trials": trials, "best": best, "space": space(), "rows": 400, "test_rows": 100} | more)


def names(trials, **more):
    return [each.name for each in findings(case(trials, **more))]


def found(name, trials, **more):
    (finding,) = [each for each in findings(case(trials, **more)) if each.name == name]
    return finding


def rate(point):
    return np.log10(point["learning_rate"])


def flat(_point):
    return 0.8


def peak_inside(point):
    """The best rate is in the middle, momentum helps, and warm-up by a little."""
    return 0.9 - 0.1 * (rate(point) + 2.0) ** 2 + 0.05 * (point["optimizer"] == "momentum") + 0.5 * point["warmup"]


HEALTHY = sampled(60, peak_inside, noise=0.002, seed=2)


def test_a_healthy_search_has_nothing_to_remark_about_its_scores():
    everything = findings(case(HEALTHY, test=case(HEALTHY).best.mean, interval=(0.8, 1.1)))
    assert {each.name for each in everything} <= {"edge"}  # warm-up helps: the best has the most there was


# --- the space


def test_the_best_at_the_end_of_a_range_and_the_range_to_try():
    finding = found("edge", sampled(60, lambda point: 0.5 + 0.2 * rate(point), noise=0.002))
    assert finding.severity == WARNING
    assert finding.numbers["dimension"] == "learning_rate"
    low, high = finding.numbers["try"]
    assert high / low == pytest.approx(100.0)
    assert np.sqrt(low * high) == pytest.approx(finding.numbers["value"])
    assert "upper end" in finding.sentence
    assert "scale: log" in finding.advice


def test_a_range_to_try_is_written_as_people_write_it():
    text = SPACE.replace("high: 1e-1", "high: 20", 1)
    finding = found("edge", sampled(60, lambda point: 0.5 + 0.2 * rate(point), noise=0.002, text=text))
    assert finding.numbers["try"][1] > 100
    assert "e+" not in finding.advice


def test_the_lower_end_too():
    finding = found("edge", sampled(60, lambda point: 0.5 - 0.2 * rate(point), noise=0.002))
    assert "lower end" in finding.sentence
    assert finding.numbers["try"][0] < 1e-3


def test_an_end_where_trials_do_worse_than_elsewhere_is_luck():
    trials = sampled(60, peak_inside, noise=0.002)
    lucky = Trial(60, {**trials[0].configuration, "learning_rate": 1e-1}, TrialState.COMPLETE, (2.0,) * 5)
    assert "edge" not in [
        each.name for each in findings(case([*trials, lucky])) if each.numbers.get("dimension") == "learning_rate"
    ]


def test_an_end_beyond_which_nothing_is_legal_is_no_edge():
    """No warm-up is the least there is, and a share of 1 the most."""
    trials = sampled(60, lambda point: 0.9 - point["warmup"] - 0.1 * (rate(point) + 2.0) ** 2, noise=0.002)
    assert case(trials).best.configuration["warmup"] == 0
    assert "edge" not in names(trials)


WIDE = """
data: {path: sklearn:iris}
space:
  learning_rate: {low: 0.1, high: 1.0}
  optimizer: {adam: {beta1: {low: 0.5, high: 0.99, scale: reversed_log}, beta2: [0.9, 0.99, 0.999]}}
  decay:
    - plateau: {factor: {low: 0.1, high: 0.9, scale: log}, patience: {low: 0, high: 5}}
    - step: {every: {low: 1, high: 9}, factor: [0.1, 0.3, 0.5]}
  warmup: {low: 0.0, high: 0.9}
  batch_size: [16, 32, 64]
  dropout: {low: 0.0, high: 0.5}
  weight_decay: {low: 1e-6, high: 1e-2, scale: log}
"""


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_what_is_suggested_is_legal_and_goes_further(fraction):
    suggested = 0
    for number in range(40):
        chosen = space(WIDE)
        point = chosen.sample(np.random.default_rng(number))
        for _, dimension in chosen.active(point):
            name = dimension.name
            if position(dimension, point[name]) is None:
                continue
            value = dimension.values[-int(fraction)] if hasattr(dimension, "values") else dimension.value(fraction)
            wider = beyond(dimension, value, legal(name, point), upper=fraction == 1.0)
            if wider is not None:
                suggested += 1
                assert wider[0] < value < wider[1]
                for end in wider:
                    assert check_value(legal(name, point), type(value)(end)) is None, (name, wider)
    assert suggested > 100


def test_the_best_in_the_middle_is_no_edge():
    trials = sampled(60, lambda point: 0.9 - (rate(point) + 2.0) ** 2 - 5.0 * abs(point["warmup"] - 0.05), noise=0.002)
    assert "edge" not in names(trials)


def test_a_dimension_without_effect():
    finding = found("no_effect", sampled(80, lambda point: 0.5 + 0.2 * rate(point), noise=0.002, seed=4))
    assert "learning_rate" not in finding.numbers["dimensions"]
    assert set(finding.numbers["dimensions"]) <= {"optimizer", "warmup"}
    assert finding.severity == HINT


def test_dimensions_with_an_effect_are_not_named():
    def score(point):
        return 0.2 * rate(point) + 0.5 * (point["optimizer"] == "momentum") + 10.0 * point["warmup"]

    assert "no_effect" not in names(sampled(80, score, noise=0.002))


def test_a_few_trials_say_nothing_about_effects():
    assert "no_effect" not in names(sampled(19, lambda point: 0.2 * rate(point)))


def test_the_rank_test_is_that_of_scipy():
    rng = np.random.default_rng(0)
    for _ in range(20):
        parts = [rng.integers(0, 12, rng.integers(4, 15)).astype(float).tolist() for _ in range(rng.integers(2, 5))]
        assert rank_test(parts) == pytest.approx(stats.kruskal(*parts).pvalue, abs=1e-12)


# --- scores


def with_default(score):
    """The other trials, and a default configuration of that score."""
    trials = sampled(30, peak_inside, noise=0.002)
    return [Trial(0, trials[0].configuration, TrialState.COMPLETE, score), *trials[1:]]


def test_the_default_wins():
    finding = found("default", with_default((2.0,) * 5))
    assert "beat all 29 others" in finding.sentence
    assert finding.severity == WARNING


@pytest.mark.parametrize(("count", "expected"), [(2, "the other one is no"), (6, "none of 5 others is")])
def test_a_default_that_others_equal_did_not_beat_them(count, expected):
    trials = sampled(count, flat, noise=0.0)
    trials = [replace(each, fold_scores=trials[0].fold_scores) for each in trials]
    assert found("default", trials).sentence == f"{expected} better than the default: this search found nothing better"


def test_a_default_that_a_rule_chose_is_told_from_one_that_is_the_best():
    trials = with_default((0.5,) * 5)
    first = max(trials, key=lambda each: each.mean)
    finding = found("default", trials, best=trials[0], how="the rule within 20%")
    assert finding.severity == HINT
    assert finding.sentence.startswith(
        f"the default configuration was chosen by the rule within 20%; trial {first.number} has the best mean, ahead by"
    )
    assert finding.numbers["first"] == first.number
    assert finding.numbers["gain"] == pytest.approx(first.mean - 0.5)


def test_a_trial_that_a_rule_chose_is_not_called_the_best():
    trials = sampled(40, flat, noise=0.05)
    second = sorted(trials, key=lambda each: -each.mean)[1]
    text = " ".join(each.sentence for each in findings(case(trials, best=second)))
    assert f"cannot be told apart from trial {second.number}:" in text
    assert "cannot be told apart from the best" in " ".join(each.sentence for each in findings(case(trials)))


@pytest.mark.parametrize(("probability", "severity"), [(0.93, HINT), (0.7, WARNING)])
def test_a_gain_of_which_luck_may_be_all_is_not_clear(probability, severity):
    trials = with_default((0.1,) * 5)
    finding = found("default", trials, gain=Gain(0.02, -0.01, 0.05, probability))
    assert finding.severity == severity
    assert "without the luck of having been picked, the best cannot be told from the default" in finding.sentence
    assert "default" not in names(trials, gain=Gain(0.02, 0.01, 0.05, 0.99))


def test_the_default_is_as_good():
    trials = with_default((0.5,) * 5)
    best = max(trials, key=lambda each: each.mean)
    close = tuple(score + gap for score, gap in zip(best.fold_scores, (0.02, -0.03, 0.01, -0.02, 0.0), strict=True))
    finding = found("default", with_default(close))
    assert "the default is as good" in finding.sentence
    assert 0.5 < finding.numbers["probability"] < 0.95


def test_the_default_is_likely_worse():
    """Twice the standard error with five folds: Student's t of 4 degrees of freedom gives 0.942."""
    trials = with_default((0.5,) * 5)
    best = max(trials, key=lambda each: each.mean)
    centred = np.array([-0.02, -0.01, 0.0, 0.01, 0.02])
    gaps = centred + 2.0 * np.sqrt((1 / 5 + 1 / 4) * centred.var(ddof=1))
    finding = found("default", with_default(tuple(np.subtract(best.fold_scores, gaps).tolist())))
    assert finding.severity == HINT
    assert finding.numbers["probability"] == pytest.approx(stats.t.cdf(2.0, 4))
    assert "likely better than the default" in finding.sentence


def test_the_default_is_worse():
    assert "default" not in names(with_default((0.1,) * 5))


def test_noise_hides_the_differences():
    finding = found("noise", sampled(40, flat, noise=0.05))
    assert finding.numbers["alike"] > 20
    assert "more trials will not tell them apart" in finding.advice
    assert "noise" not in names(sampled(40, rate, noise=0.001))


def test_the_noise_is_counted_by_the_test_of_comparisons():
    trials = sampled(40, rate, noise=0.5)
    best = case(trials).best
    found_by_test = [between(best, each, 0.3).is_clear for each in trials if each is not best]
    finding = found("noise", trials, rows_ratio=0.3)
    assert found_by_test.count(True) > 0
    assert finding.numbers["alike"] == found_by_test.count(False)


def test_a_winner_that_seldom_wins():
    assert found("winner", HEALTHY, share=0.12).sentence.startswith(f"trial {case(HEALTHY).best.number} is chosen")
    assert "winner" not in names(HEALTHY, share=0.6)
    assert "winner" not in names(HEALTHY)


def test_few_trials_for_the_dimensions():
    """Learning rate, optimizer, its momentum, warm-up: four, so that 20 trials are the least."""
    assert found("trials", HEALTHY[:19]).numbers == {"trials": 19, "dimensions": 4}
    early = sorted(HEALTHY[:20], key=lambda each: -each.mean)
    renumbered = [Trial(place, each.configuration, each.state, each.fold_scores) for place, each in enumerate(early)]
    assert "trials" not in names(renumbered)


def test_a_space_that_was_tried_out_needs_no_more_trials():
    text = SPACE.replace("{low: 1e-3, high: 1e-1, scale: log}", "[0.01, 0.1]").replace("[0, 0.05, 0.1]", "0")
    trials = sampled(8, flat, text=text)
    assert "trials" not in names(trials, space=space(text))


def test_a_search_that_was_still_getting_better():
    late = sorted(HEALTHY, key=lambda each: each.mean)
    gap = (0.05, 0.06, 0.05, 0.04, 0.05)
    top = tuple(score + extra for score, extra in zip(late[-2].fold_scores, gap, strict=True))
    late = [Trial(place, each.configuration, each.state, each.fold_scores) for place, each in enumerate(late)]
    finding = found("trials", [*late[:-2], Trial(59, late[-1].configuration, TrialState.COMPLETE, top)])
    assert "still getting better" in finding.sentence


def diverging(limits, count=60):
    """Trials that diverge from a rate on, of each optimizer."""
    rng = np.random.default_rng(1)
    own = {"sgd": {}, "momentum": {"optimizer.momentum": 0.9}}
    start = {"learning_rate": 1e-3, "optimizer": "sgd", "warmup": 0.0}
    trials = [Trial(0, start, TrialState.COMPLETE, (0.5,) * 5)]
    for number in range(1, count):
        name, value = ("sgd", "momentum")[number % 2], float(10 ** rng.uniform(-3, -1))
        state = TrialState.DIVERGED if value >= limits[name] else TrialState.COMPLETE
        scores = (None,) * 5 if state is TrialState.DIVERGED else tuple((0.4 + rng.normal(0, 0.01, 5)).tolist())
        point = {"learning_rate": value, "optimizer": name, "warmup": 0.0, **own[name]}
        trials.append(Trial(number, point, state, scores))
    return trials


def failing(*reasons, of=10):
    """Make trials of which the last ones failed, with these reasons."""
    trials = sampled(of, peak_inside)
    kept = trials[: of - len(reasons)]
    lost = [
        Trial(each.number, each.configuration, TrialState.FAILED, reason=why)
        for each, why in zip(trials[len(kept) :], reasons, strict=True)
    ]
    return [*kept, *lost]


def test_many_trials_fail_and_what_most_of_them_say():
    finding = found("failed", failing("no memory; see fits/8/log.txt", "no memory; see fits/9/log.txt", "odd", of=12))
    assert finding.sentence == "3 of 12 trials failed, 2 of them with: no memory"
    assert finding.numbers == {"failed": 3, "share": 0.25, "reason": "no memory"}
    assert found("failed", failing("a", "a", "a")).sentence == "3 of 10 trials failed, all of them with: a"
    assert "failed" not in names(failing("a", "a"))
    assert "failed" not in names(failing("a", "a", "a", of=16))
    assert len(found("failed", failing(*["word " * 200] * 3)).numbers["reason"]) <= 120


def test_many_trials_diverge_and_from_which_rate_on():
    trials = diverging({"sgd": 0.05, "momentum": 0.005})
    finding = found("diverged", trials)
    for name, limit in (("sgd", 0.05), ("momentum", 0.005)):
        own = [each for each in trials if each.configuration["optimizer"] == name]
        below = max(each.configuration["learning_rate"] for each in own if each.state is TrialState.COMPLETE)
        assert below < finding.numbers["rates"][name]
        assert finding.numbers["rates"][name] == pytest.approx(limit, rel=0.6)
    assert "diverged" not in names(diverging({"sgd": 1.0, "momentum": 0.09}))


def test_divergence_that_has_nothing_to_do_with_the_rate_names_none():
    trials = [
        Trial(number, {"learning_rate": 0.01 * (1 + number // 2), "optimizer": "sgd"}, state, scores)
        for number, (state, scores) in enumerate(
            [(TrialState.COMPLETE, (0.5, 0.5)), (TrialState.DIVERGED, (None, None))] * 6
        )
    ]
    assert diverging_rates(trials) == {}


def test_the_test_score_is_outside():
    """Half of the interval is 0.05; with 400 rows and 100 more for the test it is sqrt(5) times as wide."""
    edge = 0.85 - 0.05 * np.sqrt(5.0)
    assert found("test", HEALTHY, interval=(0.8, 0.9), test=edge - 1e-6).severity == WARNING
    assert found("test", HEALTHY, interval=(0.8, 0.9), test=1.7 - edge + 1e-6).severity == HINT
    for inside in (edge + 1e-6, 0.85, 1.7 - edge - 1e-6, None):
        assert "test" not in names(HEALTHY, interval=(0.8, 0.9), test=inside)
    assert "test" not in names(HEALTHY, test=0.1)


def test_a_handful_of_test_rows_says_nothing():
    assert "test" not in names(HEALTHY, interval=(0.8, 0.9), test=-9.0, test_rows=9)
    assert "test" in names(HEALTHY, interval=(0.8, 0.9), test=-9.0, test_rows=10)


def test_what_is_settled_is_not_advised():
    def advice(*settled):
        return found("test", HEALTHY, interval=(0.8, 0.9), test=0.1, settled=frozenset(settled)).advice

    assert advice().endswith("look for time, groups or duplicates (data.order, data.group)")
    assert advice("data.order").endswith("changed with time: look for groups or duplicates (data.group)")
    assert advice("data.group").endswith("look for time or duplicates (data.order)")
    assert advice("data.order", "data.group").endswith("look for duplicates")


def test_one_fold_stands_apart():
    worse = np.array([0.0, 0.0, 1.0, 0.0, 0.0])
    spoiled = [
        Trial(each.number, each.configuration, each.state, tuple((np.array(each.fold_scores) - worse).tolist()))
        for each in sampled(30, peak_inside, noise=0.002)
    ]
    finding = found("folds", spoiled)
    assert finding.numbers["fold"] == 3
    assert "much worse" in finding.sentence
    calm = [names(sampled(30, peak_inside, noise=0.002, seed=seed)).count("folds") for seed in range(40)]
    assert np.mean(calm) <= 0.1


def test_a_fold_is_called_by_its_number_and_one_without_a_score_is_told_of():
    worse = np.array([0.0, 0.0, 1.0, 0.0, 0.0])
    spoiled = [
        Trial(each.number, each.configuration, each.state, tuple((np.array(each.fold_scores) - worse).tolist()))
        for each in sampled(30, peak_inside, noise=0.002)
    ]
    unscored = Unscored(7, ((2, "only class 'p'"), (6, "only class 'n'")))
    assert found("folds", spoiled, unscored=unscored).numbers["fold"] == 4  # of 1, 3, 4, 5 and 7 the third
    finding = found("unscored", spoiled, unscored=unscored)
    assert finding.severity == WARNING
    assert finding.sentence == "judged on 5 of 7 folds; fold 2 has only class 'p', fold 6 has only class 'n'"
    assert "unscored" not in names(spoiled)


def test_folds_that_put_the_trials_into_different_orders():
    assert "folds_disagree" in names(sampled(40, flat, noise=0.05))
    assert "folds_disagree" not in names(HEALTHY)


def test_concordance_is_that_of_friedmans_test():
    """W = Q / (K (C - 1)), with Q of Friedman's test corrected for ties."""
    rng = np.random.default_rng(3)
    for _ in range(10):
        scores = rng.integers(0, 6, (8, 5)).astype(float)
        statistic = stats.friedmanchisquare(*scores).statistic
        assert concordance(scores.tolist()) == pytest.approx(statistic / (5 * 7))


def test_classes_that_are_never_predicted():
    counts = (ClassCounts("a", 50, 60), ClassCounts("b", 10, 0), ClassCounts("c", 0, 0))
    finding = found("classes", HEALTHY, classes=counts)
    assert finding.numbers["classes"] == {"b": 10}
    assert "'b' (10 rows)" in finding.sentence
    assert finding.sentence.endswith("; 60 of 400 rows are validated")
    assert "validated" not in found("classes", HEALTHY, classes=counts, rows=60).sentence
    assert "classes" not in names(HEALTHY, classes=(ClassCounts("a", 50, 59), ClassCounts("b", 10, 1)))


def anchored(gaps, name="linear", **more):
    """A healthy search whose best is ahead of an anchor by so much on each fold."""
    best = case(HEALTHY).best
    other = [score - gap for score, gap in zip(best.fold_scores, gaps, strict=True)]
    gain = difference(best.fold_scores, other, case(HEALTHY).ratio)
    made = Anchor(name, float(np.mean(other)), tuple(other), {}, gain)
    return [each for each in findings(case(HEALTHY, anchors=(made,), **more)) if each.name == "anchors"]


@pytest.mark.parametrize("name", ["majority", "mean", "linear"])
def test_what_was_not_tuned_and_is_as_good(name):
    (finding,) = anchored([-0.01, 0.02, -0.03, 0.01, -0.01], name)
    assert (finding.severity, finding.numbers["anchor"]) == (WARNING, name)
    assert finding.numbers["gain"] == finding.numbers["left"] == pytest.approx(-0.004)
    assert finding.sentence.startswith("the best does not beat ")
    (finding,) = anchored([0.04, 0.05, 0.06, 0.05, 0.05], name, optimism=0.06)  # luck is all there is
    assert (finding.severity, finding.numbers["left"]) == (WARNING, pytest.approx(-0.01))
    gaps = [0.03, -0.02, 0.02, -0.01, 0.01]
    (finding,) = anchored(gaps, name)
    error = np.sqrt((1 / 5 + case(HEALTHY).ratio) * np.var(gaps, ddof=1))
    probability = stats.t.cdf(np.mean(gaps) / error, 4)
    assert finding.severity == HINT
    assert finding.numbers["probability"] == pytest.approx(probability, abs=1e-6)
    assert f"probability {probability:.2f} that it does" in finding.sentence


def test_a_linear_model_is_no_simpler_than_what_is_linear_itself():
    (finding,) = anchored([-0.01, 0.02, -0.03, 0.01, -0.01], is_linear=True)
    assert (finding.severity, finding.numbers["left"]) == (HINT, pytest.approx(-0.004))
    assert finding.sentence.startswith(
        "the best is linear, and no better than a linear model that was not tuned: behind"
    )
    assert "take the linear model" not in finding.advice
    assert anchored([0.03, -0.02, 0.02, -0.01, 0.01], is_linear=True) == []
    (finding,) = anchored([-0.01, 0.02, -0.03, 0.01, -0.01], "mean", is_linear=True)
    assert finding.severity == WARNING


@pytest.mark.parametrize(
    ("searched", "more"), [({}, ", or search space.model: [linear, mlp]"), ({"model": ["mlp"]}, "")]
)
def test_a_linear_model_is_no_advice_to_search_where_it_was(searched, more):
    best = case(HEALTHY).best
    better = [score + 0.01 for score in best.fold_scores]
    made = Anchor("linear", float(np.mean(better)), tuple(better), {}, difference(best.fold_scores, better, 0.25))
    (finding,) = anchors_win(case(HEALTHY, anchors=(made,), space=parse_space(searched)))
    assert finding.advice == f"take the linear model: it is simpler{more}"


@pytest.mark.parametrize(("linear", "told"), [(-0.02, ["mean", "linear"]), (0.01, ["mean"]), (-0.01, ["mean"])])
def test_a_linear_model_that_is_no_better_than_the_mean_is_no_advice(linear, told):
    best = case(HEALTHY).best
    made = []
    for name, gap in (("mean", -0.01), ("linear", linear)):
        other = [score - gap - 0.001 * (place % 2) for place, score in enumerate(best.fold_scores)]
        gain = difference(best.fold_scores, other, case(HEALTHY).ratio)
        made.append(Anchor(name, float(np.mean(other)), tuple(other), {}, gain))
    found = findings(case(HEALTHY, anchors=tuple(made), optimism=0.02))
    assert [each.numbers["anchor"] for each in found if each.name == "anchors"] == told


def test_an_anchor_that_is_as_good_to_the_last_digit_is_no_gap():
    (finding,) = anchored([0.0] * 5, "majority")
    assert finding.sentence == (
        "the best does not beat the shares of the classes: there is no difference on the same folds"
    )
    (finding,) = anchored([-3e-7, -1e-7, -2e-7, -2e-7, -2e-7])
    assert finding.sentence.endswith("behind by 2.0e-7 on the same folds")


def test_what_is_clearly_beaten_is_not_remarked():
    ahead = [0.04, 0.05, 0.06, 0.05, 0.05]
    for name in ("majority", "mean", "linear"):
        assert anchored(ahead, name) == []
        assert anchored(ahead, name, optimism=0.01) == []
    behind = [-each for each in ahead]
    assert anchored(behind, "default") == []  # a rule of its own
    assert (
        anchored(behind)[0].severity == anchored(behind, optimism=-1.0)[0].severity == WARNING
    )  # bad luck is no merit
    lost = Anchor("linear", None, (None,) * 5, {}, None)
    assert "anchors" not in names(HEALTHY, anchors=(lost,))


# --- learning curves

EPOCHS = tuple(range(3, 31, 3))


def fitted(validation):
    trials = list(HEALTHY)
    best = case(trials).best
    curves = Curves(EPOCHS, tuple(0.9**epoch for epoch in EPOCHS), tuple(validation))
    changed = Trial(best.number, best.configuration, best.state, best.fold_scores, curves=curves)
    trials[best.number] = changed
    return trials


def test_validation_loss_that_rises_again():
    finding = found("overfitting", fitted([1.0, 0.6, 0.4, 0.3, 0.32, 0.33, 0.35, 0.36, 0.38, 0.4]))
    assert (finding.numbers["epoch"], finding.numbers["epochs"]) == (12, 30)
    assert "about 12 epochs" in finding.advice
    assert "33 %" in finding.sentence


@pytest.mark.parametrize("metric", ["log_loss", "rmse", "accuracy", "roc_auc"])
def test_a_loss_that_rises_is_no_fault_where_another_metric_was_tuned(metric):
    trials = fitted([1.0, 0.6, 0.4, 0.3, 0.32, 0.33, 0.35, 0.36, 0.38, 0.4])
    finding = found("overfitting", trials, metric=metric)
    told = f"need not harm the {metric} that was tuned" in finding.sentence
    assert told is (metric in ("accuracy", "roc_auc"))
    assert told is ("if the probabilities matter, tune log_loss" in finding.advice)


@pytest.mark.parametrize(
    "validation",
    [
        [1.0, 0.6, 0.4, 0.3, 0.3, 0.31, 0.3, 0.31, 0.32, 0.31],
        [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.4, 0.3, 0.4],
        [1.0, 0.6, 0.4, 0.3, None, None, None, None, None, None],
    ],
    ids=["flat", "too late to tell", "diverged"],
)
def test_validation_loss_that_does_not_rise(validation):
    assert "overfitting" not in names(fitted(validation))


def test_validation_loss_that_still_falls():
    finding = found("underfitting", fitted([1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.45, 0.4, 0.35, 0.3]))
    assert finding.advice == "train longer: epochs: 60"
    for validation in ([1.0, 0.6, 0.4, 0.35, 0.32, 0.31, 0.305, 0.303, 0.301, 0.3], [0.3] * 9 + [0.31]):
        assert "underfitting" not in names(fitted(validation))


def test_warnings_come_first():
    severities = [each.severity for each in findings(case(sampled(40, flat, noise=0.05), share=0.01))]
    assert severities == sorted(severities, key=[WARNING, HINT].index)
    assert HINT in severities


def test_findings_have_the_name_of_their_rule():
    for name, rule in HEALTH_RULES.items():
        assert rule.name == name
    one = case(sampled(12, flat, folds=5, noise=0.1), share=0.1, unscored=Unscored(6, ((6, "only one value"),)))
    for rule in HEALTH_RULES.values():
        assert {each.name for each in rule.judge(one)} <= {rule.name}


def test_a_search_without_a_model_says_so_first_and_why():
    first = findings(case(HEALTHY, no_model="train.py:train failed: no room"))[0]
    assert (first.name, first.severity) == ("model", WARNING)
    assert first.sentence == "there is no model: train.py:train failed: no room"
    assert "the same `lrtune search`" in first.advice


OWN_WORDS = ("space.model", "clip_norm", "dropout", "weight_decay", "class_weight", "hidden")


def sick(**more):
    """A study about which there is a lot to say."""
    rising = Curves((1, 5, 10, 15, 20), (0.5,) * 5, (0.9, 0.3, 0.5, 0.6, 0.7))
    trials = [replace(each, curves=rising) for each in sampled(40, flat, noise=0.05)]
    trials += [Trial(40 + n, trials[n].configuration, TrialState.DIVERGED, (None,) * 5) for n in range(20)]
    return findings(
        case(
            trials,
            anchors=[Anchor("linear", 0.99, (0.99,) * 5, {}, difference((0.7, 0.71, 0.7, 0.72, 0.7), (0.99,) * 5))],
            classes=[ClassCounts("a", 50, 60.0), ClassCounts("b", 10, 0.0)],
            **more,
        )
    )


@pytest.mark.parametrize("scheduled", [True, False])
def test_advice_of_other_trainers_is_not_about_networks_of_lrtune(scheduled):
    odd = sick(trained_by="estimator", scheduled=scheduled)
    assert {"anchors", "classes", "diverged", "overfitting"} <= {each.name for each in odd}
    assert not [each for each in odd if any(word in each.advice for word in OWN_WORDS)]
    assert [word for word in OWN_WORDS[:4] if any(word in each.advice for each in sick())] == list(OWN_WORDS[:4])


FOREST = """
trainer: {estimator: sklearn.svm.SVC}
data: {path: sklearn:iris}
space:
  C: {low: 0.1, high: 10, scale: log}
  dropout: {low: 0.01, high: 1.0}
"""


def test_parameters_of_other_trainers_have_ends_and_no_limits_of_lrtunes_own():
    trials = sampled(60, lambda p: 0.5 + 0.2 * np.log10(p["C"]) + 0.1 * p["dropout"], noise=0.001, text=FOREST)
    settled = {"space": space(FOREST), "trained_by": "estimator", "scheduled": False}
    (edge,) = [each for each in findings(case(trials, **settled)) if each.name == "edge"]
    assert edge.numbers["dimension"] == "C"
    low, high = edge.numbers["try"]
    assert high / low == pytest.approx(100.0)
    assert high > 10.0


def test_the_documentation_tells_of_every_rule():
    page = (Path(__file__).parents[2] / "docs" / "health.md").read_text(encoding="utf-8")
    told = [line.split("`")[1].replace(" ", "_") for line in page.splitlines() if re.match(r"\| `[\w ]+` \(", line)]
    assert sorted(told) == sorted(HEALTH_RULES)


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        (
            [0.88, 0.90, 0.89],
            "worse than the best alone, by 0.0133 on the folds (probability 0.94 that it is)",
        ),
        ([0.90, 0.91, 0.90], None),
        ([0.91, 0.92, 0.91], None),
    ],
)
def test_a_mean_that_loses_to_the_best_alone_is_told(scores, sentence):
    point = space().default()
    best = Trial(1, {**point, "learning_rate": 0.01}, TrialState.COMPLETE, (0.90, 0.91, 0.90))
    trials = [Trial(0, point, TrialState.COMPLETE, (0.5, 0.5, 0.6)), best]
    odd = {each.name: each for each in findings(case(trials, averaged=5, delivered=scores))}
    assert ("ensemble" in odd) == (sentence is not None)
    if sentence is not None:
        gaps = np.subtract(best.fold_scores, scores)
        t = gaps.mean() / np.sqrt((1 / 3 + 1 / 2) * gaps.var(ddof=1))  # two parts to train on, one to validate
        assert f"(probability {stats.t.cdf(t, 2):.2f} that it is)" in odd["ensemble"].sentence
        assert odd["ensemble"].sentence == f"the mean of the 5 best trials is {sentence}"
        assert "retrain.ensemble: auto" in odd["ensemble"].advice
    assert "ensemble" not in names(trials, delivered=[0.8, 0.8, 0.8])  # one trial, whatever its score


@pytest.mark.parametrize(
    ("units", "settled", "words"),
    [
        (2, {"data.group"}, "2 groups"),
        (9, {"data.order"}, "9 stretches of time"),
        (9, set(), "9 rows"),
        (1, {"data.group"}, "1 group"),
        (10, {"data.group"}, None),
        (None, {"data.group"}, None),
    ],
)
def test_an_interval_that_rests_on_few_units_is_told(units, settled, words):
    trials = sampled(12, lambda point: point["learning_rate"])
    odd = {each.name: each for each in findings(case(trials, units=units, settled=frozenset(settled)))}
    assert ("interval" in odd) == (words is not None)
    if words:
        assert odd["interval"].sentence.startswith(f"the 95 % interval rests on {words}: ")
