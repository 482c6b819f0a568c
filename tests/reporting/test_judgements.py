"""What the page says of luck and worth, from results written by hand."""

import pytest

from lrtune.reporting import judgements
from lrtune.space.trial import Trial, TrialState
from lrtune.verdict.choice import Choice
from lrtune.verdict.choice.rules import Rule
from lrtune.verdict.correction import Correction, Gain
from lrtune.verdict.judging import Judgement


def scores(value):
    return "none" if value is None else f"{value:.3f}"


def trial(number, fold_scores, **configuration):
    return Trial(number, {"decay": "constant", **configuration}, TrialState.COMPLETE, tuple(fold_scores))


DEFAULT = trial(0, [0.90, 0.92, 0.94])
CHOSEN = trial(4, [0.95, 0.97, 0.99], decay="cosine")
CONSTANT = trial(2, [0.93, 0.96, 0.96])
GAIN = Gain(0.03, 0.01, 0.06, 0.98)
FOUND = Correction("bootstrap", 0.97, 0.02, 0.95, 0.90, 0.98, 1000, ((4, 0.62), (2, 0.38)), GAIN)


def judged(correction=FOUND, rule=Rule("best"), best=CHOSEN, metric="accuracy"):  # noqa: B008
    judgement = Judgement(Choice(rule, CHOSEN, best, (CONSTANT,)), correction)
    return judgements.entries(judgement, [DEFAULT, CONSTANT, CHOSEN], metric, lambda point: point, rows_ratio=0.5)


def result(entries=None, gain=None, chosen=4):
    entries = judged() if entries is None else entries
    gain = (
        {"mean": 0.05, "error": 0.01, "wins": 3, "folds": 3, "p": 0.03, "probability": 0.98} if gain is None else gain
    )
    return {
        "metric": "accuracy",
        "best": {"number": chosen, "mean": 0.97, "std": 0.02, "configuration": {"decay": "cosine"}},
        "default": {"number": 0, "mean": 0.92, "std": 0.02},
        "gain": gain,
        **entries,
    }


def test_entries_are_in_the_metrics_own_sign():
    found = judged()["corrected"]
    assert (found["score"], found["low"], found["high"], found["naive"]) == (0.95, 0.90, 0.98, 0.97)
    assert (found["share"], found["gain"]["probability"]) == (0.62, 0.98)
    turned = Correction("folds", -0.20, 0.05, -0.25, -0.30, -0.22)
    found = judged(turned, metric="rmse")["corrected"]
    assert (found["score"], found["low"], found["high"], found["naive"]) == (0.25, 0.22, 0.30, 0.20)
    assert (found["optimism"], found["share"], found["gain"]) == (0.05, None, None)


def test_the_choice_is_compared_with_the_best_constant_rate():
    found = judged()["constant"]
    assert (found["number"], found["mean"]) == (2, pytest.approx(0.95))
    assert found["gain"]["mean"] == pytest.approx(0.02)
    judgement = Judgement(Choice(Rule("best"), CONSTANT, CHOSEN, ()), FOUND)
    entries = judgements.entries(judgement, [DEFAULT, CONSTANT], "accuracy", lambda point: point)
    assert entries["constant"] is None  # it has one itself
    assert entries["selection"] == {"rule": "best", "best": 4, "rivals": {"count": 0, "numbers": []}}


def test_the_headline_is_the_corrected_score():
    text = judgements.headline(result(), scores)
    assert text == "accuracy 0.950 (corrected; 95 % interval 0.900 to 0.980); better than the default by 0.030"


@pytest.mark.parametrize(
    ("gain", "corrected_gain", "said"),
    [
        ({"mean": 0.05, "error": 0.05, "wins": 2, "folds": 3}, GAIN, "not clearly better than the default (by 0.030)"),
        (
            {"mean": 0.05, "error": 0.001, "wins": 3, "folds": 3},
            GAIN._replace(mean=-0.01),
            "no better than the default (behind by 0.010)",
        ),
    ],
)
def test_a_default_that_is_as_good_is_in_the_headline(gain, corrected_gain, said):
    entries = judged(FOUND._replace(gain=corrected_gain))
    assert judgements.headline(result(entries, gain), scores).endswith(f"; {said}")


def test_the_headline_compares_like_with_like():
    """Without out-of-fold predictions the gain is that of the folds; a raw score stands beside a raw one."""
    folds = judged(FOUND._replace(gain=None, method="folds"))
    assert judgements.headline(result(folds), scores).endswith("; better than the default by 0.050")
    raw = result(judged() | {"corrected": None})
    assert judgements.headline(raw, scores) == "accuracy 0.970 ± 0.020; the default configuration has 0.920 ± 0.020"


def test_a_default_that_is_likely_worse_is_not_called_as_good():
    gain = {"mean": 0.05, "error": 0.02, "wins": 3, "folds": 3, "p": 0.13, "probability": 0.94}
    assert judgements.headline(result(gain=gain), scores).endswith("; likely better than the default by 0.030")
    text = judgements.gain_sentence(result(gain=gain), scores)
    assert "probability 94 %: likely, not certain; without luck" in text
    luck = judged(FOUND._replace(gain=GAIN._replace(mean=-0.001)))
    assert judgements.headline(result(luck, gain), scores).endswith("; no better than the default (behind by 0.001)")


@pytest.mark.parametrize(
    ("state", "said"), [("diverged", "diverged"), ("failed", "failed"), ("proposed", "has not been scored yet")]
)
def test_a_default_without_a_score_is_in_the_headline(state, said):
    lost = result()
    lost["default"] |= {"mean": None, "state": state}
    lost["gain"] = None
    assert judgements.headline(lost, scores).endswith(f"; the default configuration {said}")


def test_a_default_that_won_is_in_the_headline():
    assert judgements.headline(result(chosen=0), scores).endswith(
        ": the default configuration is the best that was tried"
    )


def test_rows_say_what_was_luck_and_how_the_choice_was_made():
    assert judgements.corrected_rows(result(), scores) == [
        ("mean of folds", "0.970, too good by 0.020; chosen in 62 % of 1,000 resamples")
    ]
    entries = judged(Correction("folds", 0.97, -0.01, 0.98, 0.9, 1.0), Rule("one_se"), CONSTANT)
    assert judgements.corrected_rows(result(entries), scores) == [
        ("mean of folds", "0.970, too bad by 0.010"),
        ("chosen by", "one_se: trial 4; trial 2 has the best mean"),
    ]
    same = judgements.corrected_rows(result(judged(rule=Rule("within", 0.01))), scores)
    assert same[1] == ("chosen by", "within 1%: trial 4; it has the best mean as well")


def test_rows_say_whether_tuning_was_worth_it():
    rows = dict(judgements.worth_rows(result(), scores))
    assert rows["difference"] == (
        "better by 0.050 ± 0.010 (standard error), on 3 of 3 folds; probability 98 %; "
        "without luck +0.030 (+0.010 to +0.060)"
    )
    assert rows["constant rate"].startswith("trial 2 has 0.950; decay is better by 0.020 ± 0.0")
    worse = {"mean": -0.01, "error": 0.02, "wins": 1, "folds": 3, "p": 0.6, "probability": 0.3}
    text = judgements.gain_sentence(result(gain=worse), scores)
    assert text.startswith(
        "worse by 0.010 ± 0.020 (standard error), on 1 of 3 folds; probability 30 %: the folds cannot"
    )


def test_a_search_without_a_constant_rate_says_so():
    lost = result() | {"constant": None}
    assert dict(judgements.worth_rows(lost, scores))["constant rate"].startswith("no trial with one is complete")
    lost["best"]["configuration"] = {"decay": "constant"}
    assert "constant rate" not in dict(judgements.worth_rows(lost, scores))


def test_equal_scores_are_called_equal():
    same = {"mean": 0.0, "error": 0.0, "wins": 0, "folds": 3, "p": 1.0, "probability": 0.5}
    found = result(judged() | {"constant": {"number": 2, "mean": 0.97, "gain": same}}, same)
    rows = dict(judgements.worth_rows(found, scores))
    assert rows["difference"].startswith("none: the scores are equal on every fold")
    assert rows["constant rate"] == "trial 2 has 0.970; equal on every fold"


def test_what_cannot_be_compared_is_told():
    lost = result()
    lost["gain"] = None
    assert judgements.gain_sentence(lost, scores).startswith("unknown")
    alone = {"mean": 0.01, "error": None, "wins": 1, "folds": 1, "p": None, "probability": None}
    assert "on the only fold" in judgements.gain_sentence(result(gain=alone), scores)
    assert judgements.worth_rows(result(chosen=0), scores)[0][0] == "constant rate"


def test_a_result_of_an_older_version_is_shown_as_it_was():
    old = {key: each for key, each in result().items() if key not in ("corrected", "selection", "constant")}
    assert judgements.headline(old, scores) == "accuracy 0.970 ± 0.020; the default configuration has 0.920 ± 0.020"
    assert judgements.corrected_rows(old, scores) == []
    assert [name for name, _ in judgements.worth_rows(old, scores)] == ["difference"]


def test_notes_say_how_far_the_correction_holds():
    found = judged()["corrected"]
    assert judgements.remarks("random", "none", found) == ()
    assert "repeats the races" in judgements.remarks("random", "race", found)[0]
    for strategy, pruning in (("bayesian", "none"), ("tpe", "race"), ("grid", "halving")):
        (sentence,) = judgements.remarks(strategy, pruning, found)
        assert "not the search that followed" in sentence
        assert "intervals held the truth in 92 % and more (docs/honesty.md)" in sentence
    assert "missing or damaged" in judgements.remarks("grid", "none", {**found, "method": "folds"})[0]
    assert judgements.remarks("bayesian", "none", None) == ()
