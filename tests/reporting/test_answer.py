"""The sentences of an answer, from results written by hand: what they say, and what stands beside what."""

from dataclasses import replace

import pytest
from results import result as written
from results import standing

from lrtune.reporting.answer import answer
from lrtune.reporting.in_words import decimal_rate
from lrtune.training.registry import DECAYS, OPTIMIZERS, complete
from lrtune.verdict.comparison import Difference, Gain
from lrtune.verdict.findings import HINT, WARNING, Finding
from lrtune.verdict.result import (
    Ahead,
    Anchor,
    Confirmation,
    Confirmed,
    ConstantRate,
    Control,
    Corrected,
    Counts,
    Delivered,
    HeldOut,
    Nested,
    OuterScore,
    Rivals,
    Selection,
)

CLEAR = Difference(0.05, 0.01, 3, 3, 0.01, 0.99)
LIKELY = Difference(0.05, 0.03, 2, 3, 0.1, 0.95)
CHANCE = Difference(0.05, 0.06, 2, 3, 0.5, 0.75)
BEHIND = Difference(-0.02, 0.01, 0, 3, 0.2, 0.1)
EQUAL = Difference(0.0, 0.0, 0, 3, 1.0, 0.5)
ONE_FOLD = Difference(0.05, None, 1, 1)


def corrected(score=0.96, low=0.94, high=0.98, gain=Gain(0.04, 0.02, 0.06, 0.99), optimism=0.01):  # noqa: B008
    return Corrected("bootstrap", score + optimism, optimism, score, low, high, 2000, 0.6, gain)


def result(gain=CLEAR, found=corrected(), scores=(0.95, 0.97, 0.99), **more):  # noqa: B008
    best = standing(4, scores, optimizer="adam", learning_rate=0.02231)
    usual = {"best": best, "default": standing(0, (0.90, 0.92, 0.94)), "gain": gain, "corrected": found}
    return written(**{**usual, **more})


def facts(found, searched=()):
    return dict(answer(found, searched).facts)


def test_what_to_expect_comes_first_with_no_more_digits_than_the_interval_can_tell():
    found = answer(result(test=HeldOut(0.95123, 360)), ())
    assert found.expectation == "Expect an accuracy of 0.960 on new rows like these (95 % interval 0.940 to 0.980)."
    assert found.test == "On the 360 test rows, which the search never saw, it is 0.951."
    assert found.headline == f"{found.expectation} {found.test}"


@pytest.mark.parametrize(
    ("metric", "score", "said"),
    [
        ("rmse", 41.237, "Expect an RMSE of 41.2, in the units of the target, on new rows like these"),
        ("log_loss", 0.2036, "Expect a log loss of 0.2"),
        ("roc_auc", 0.9, "Expect a ROC AUC of 0.9"),
        ("r2", 0.9, "Expect an R2 of 0.9"),
        ("mae", 0.9, "Expect an MAE of 0.9"),
    ],
)
def test_a_loss_says_that_lower_is_better(metric, score, said):
    told = answer(result(metric=metric, found=corrected(score, score * 0.9, score * 1.1)), ()).expectation
    assert told.startswith(said)
    assert ("lower is better" in told) is (metric in ("rmse", "mae", "log_loss"))


def test_a_metric_of_somebody_else_says_its_direction_once():
    found = result(found=corrected(20.0, 18.0, 22.0))
    for name, lower in (("perplexity (smaller is better)", True), ("bleu (larger is better)", False)):
        told = answer(found.but(metric=name), ()).expectation
        assert ("lower is better" in told) is lower
        assert "(smaller" not in told
        assert "(larger" not in told


@pytest.mark.parametrize("finished", [None, "trials"])
def test_a_score_that_is_not_corrected_says_so(finished):
    told = answer(result(found=None, finished=finished), ()).expectation
    assert told.startswith("So far the best, trial 4, has" if finished is None else "The best, trial 4, has")
    assert "0.9700" in told
    assert told.endswith("It is not corrected for having been picked.")


def test_an_interval_without_width_is_none():
    told = answer(result(found=corrected(0.9, 0.9, 0.9), scores=(0.9,)), ()).expectation
    assert told == "Expect an accuracy of 0.9000 on new rows like these."


@pytest.mark.parametrize(
    ("test", "said"),
    [
        (HeldOut(None, 9, "only class 'a'"), "On the 9 test rows, which the search never saw, it has no score (only"),
        (HeldOut(0.9, 9, repeated=9), "all of which are training rows, too, it is 0.900."),
        (HeldOut(0.9, 9, repeated=1), "1 of which is a training row, too, it is 0.900."),
        (HeldOut(0.9, 1), "On the 1 test row, which the search never saw, it is 0.900."),
    ],
)
def test_what_is_odd_about_the_test_rows_is_said(test, said):
    assert said in answer(result(test=test), ()).test
    assert answer(result(), ()).test == ""


ANCHORS = tuple(Anchor(name, mean, (mean,) * 3, {}, None) for name, mean in (("majority", 0.5), ("linear", 0.93)))
DEFAULT = Anchor("default", 0.92, (0.90, 0.92, 0.94), {}, None)


def test_everything_in_the_table_is_a_plain_mean_over_the_same_folds():
    """The expected score and the gain are corrected: neither stands here."""
    found = answer(result(anchors=(*ANCHORS, DEFAULT)), ())
    table = found.beside
    assert table.rows == (
        ("the best, trial 4", "0.9700"),
        ("the default configuration, trial 0", "0.9200"),
        ("a linear model", "0.9300"),
        ("always the largest class", "0.5000"),
    )
    assert table.title == "Means over the same 3 folds (the first looks better by 0.0100 here, because it was picked)"
    assert table.line == "best 0.9700, default 0.9200, linear model 0.9300, largest class 0.5000 (raw, 3 folds)"
    assert answer(result(), ()).beside is None


def test_what_cannot_be_seen_in_the_digits_is_not_remarked():
    table = answer(result(found=corrected(optimism=0.00001), anchors=ANCHORS), ()).beside
    assert table.title == "Means over the same 3 folds"
    one = answer(result(found=corrected(optimism=0.0), anchors=ANCHORS, scores=(0.9,)), ()).beside
    assert one.title == "On the only fold"
    assert one.line.endswith(" (raw, the only fold)")


def test_the_shares_of_the_classes_are_called_so_where_probabilities_are_scored():
    table = answer(result(metric="log_loss", anchors=ANCHORS), ()).beside
    assert ("the shares of the classes", "0.5000") in table.rows


def test_a_mean_of_trials_is_what_the_table_begins_with():
    mean = Delivered((4, 7, 1), 0.98, (0.96, 0.98, 1.0), seeds=5, diverged=(7,))
    found = result(delivered=mean, anchors=ANCHORS)
    beside = answer(found, ()).beside
    assert beside.rows[:2] == (("the mean of the 3 best trials", "0.9800"), ("the best alone, trial 4", "0.9700"))
    assert beside.line.startswith("mean of 3 0.9800, linear model 0.9300, ")
    best = facts(found)["Best"]
    assert best.startswith(
        "mean of the 3 best trials, of 5 seeds each, without trial 7, which diverged on all rows; the first, trial 4:"
        " adam, learning rate 0.022"
    )
    seeds = result(delivered=Delivered((4,), 0.97, (0.95, 0.97, 0.99), seeds=5))
    assert facts(seeds)["Best"] == "trial 4: adam, learning rate 0.022, constant rate; mean of 5 seeds"


@pytest.mark.parametrize(
    ("gain", "left", "said"),
    [
        (
            CLEAR,
            Gain(0.04, 0.02, 0.06, 0.99),
            "worth it: 0.0500 better than the default (0.0400 corrected), on 3 of 3 folds.",
        ),
        (CLEAR, Gain(0.04, -0.01, 0.06, 0.95), "likely worth it: "),
        (CLEAR, Gain(0.04, -0.05, 0.06, 0.7), "not certain: "),
        (CLEAR, None, "worth it: "),
        (LIKELY, Gain(0.04, 0.02, 0.06, 0.99), "likely worth it: "),
        (CHANCE, Gain(0.04, 0.02, 0.06, 0.99), "not certain: "),
        (CLEAR, Gain(-0.01, -0.02, 0.06, 0.4), "not worth it: 0.0500 better than the default, but nothing of that"),
        (CLEAR, Gain(0.0, 0.0, 0.0, 0.5), "not worth it: 0.0500 better than the default, but nothing of that is left"),
        (BEHIND, Gain(0.01, -0.02, 0.06, 0.4), "not worth it: 0.0200 worse than the default. Prefer the default"),
        (EQUAL, None, "not worth it: no different from the default. Prefer the default, trial 0."),
        (ONE_FOLD, None, "0.0500 better than the default on the only fold; more search.folds say how sure that is."),
        (None, None, "nothing to compare with: "),
    ],
)
def test_tuning_is_worth_it_where_folds_and_resamples_agree(gain, left, said):
    found = result(gain, corrected(gain=left))
    assert facts(found)["Tuning"].startswith(said)


def test_what_is_left_of_a_gain_is_called_corrected():
    told = facts(result())["Tuning"]
    assert told == "worth it: 0.0500 better than the default (0.0400 corrected), on 3 of 3 folds."
    assert "corrected" not in facts(result(found=corrected(gain=Gain(0.05, 0.02, 0.06, 0.99))))["Tuning"]


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        (0.004, "once corrected, a linear model is as good"),
        (0.0, "a linear model is as good"),
        (-0.01, "a linear model is better"),
    ],
)
def test_a_linear_model_that_is_as_good_is_what_tuning_was_not_worth(gain, said):
    """However far the best is ahead of the default; and health tells the next finding."""
    linear = Finding("anchors", WARNING, "", "", {"anchor": "linear", "gain": gain, "left": -0.01})
    found = facts(result(CLEAR, health=(linear, finding("edge"))))
    assert found["Tuning"] == f"not worth it: {said}. Take that: it is simpler."
    assert found["Health"] == "Edge is odd. Look at it."
    perhaps = replace(linear, severity=HINT, numbers={"anchor": "linear", "gain": gain, "left": 0.01})
    assert facts(result(CLEAR, health=(perhaps,)))["Tuning"].startswith("worth it: ")


def test_a_linear_model_that_is_no_better_than_one_that_was_not_tuned_says_so():
    untuned = Finding("anchors", HINT, "", "", {"anchor": "linear", "gain": 0.004, "left": -0.01})
    told = facts(result(CLEAR, health=(untuned,)))["Tuning"]
    assert told.startswith("worth it: ")
    assert told.endswith(", on 3 of 3 folds. A linear model that was not tuned is as good.")


@pytest.mark.parametrize(("gain", "said"), [(0.004, "once corrected, it is"), (0.0, "it is"), (-0.01, "it is")])
@pytest.mark.parametrize(("anchor", "called"), [("majority", "the shares of the classes"), ("mean", "the mean of the")])
def test_nothing_was_worth_it_where_no_features_are_as_good(anchor, called, gain, said):
    found = Finding("anchors", WARNING, "", "", {"anchor": anchor, "gain": gain, "left": -0.01})
    linear = Finding("anchors", WARNING, "", "", {"anchor": "linear", "gain": gain, "left": -0.01})
    told = facts(result(CLEAR, health=(found, linear)))["Tuning"]
    assert told.startswith(f"not worth it: {said} no better than {called}")
    assert told.endswith(". The columns may not say anything about the target.")


@pytest.mark.parametrize("state", ["diverged", "failed", "pruned", "proposed"])
def test_a_default_without_a_score_is_said(state):
    told = facts(result(None, default=standing(0, state=state)))["Tuning"]
    assert ("has not been scored yet" if state == "proposed" else state) in told


def test_a_default_that_is_delivered_is_said():
    best = standing(0, (0.9, 0.92, 0.94))
    told = facts(result(None, best=best, default=best))["Tuning"]
    assert told.startswith("not worth it: no other trial is better than the default, which is")
    alone = facts(result(None, best=best, default=best, counts=Counts(1, 1, 0, 0, 0)))["Tuning"]
    assert alone == "only the default configuration was tried."
    passed = facts(result(None, best=best, default=best, ahead=Ahead(7, 0.95, CLEAR)))
    assert passed["Tuning"] == "the default configuration was chosen, so nothing was gained."
    assert passed["Best"].endswith("; chosen by a rule (trial 7 is 0.0500 ahead)")


def test_the_rule_that_chose_another_trial_than_the_best_is_named():
    rule = Selection("one_se", 7, Rivals(2, (7, 4)))
    best = facts(result(ahead=Ahead(7, 0.98, CLEAR), selection=rule))["Best"]
    assert best.endswith("; chosen by the rule one_se (trial 7 is 0.0500 ahead)")
    assert "chosen" not in facts(result(selection=rule))["Best"]


PAIR = Control(4, "step", "constant", 0.02231, (), True, (0.9,) * 3, (0.9,) * 3, 0.01, 0.002, 0.004, 0.016)


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        (PAIR, "helps: 0.01 better than a constant rate of 0.022, all else equal, on 3 fresh folds."),
        (replace(PAIR, gain=-0.01, low=-0.016, high=-0.004), "hurts: 0.01 worse than a constant rate of 0.022, all"),
        (replace(PAIR, gain=0.0, low=-0.006, high=0.006), "no clear difference: as good as a constant rate, and up"),
        (replace(PAIR, gain=0.0, low=-0.006, high=0.006), "and up to 0.006 may be chance."),
        (replace(PAIR, gain=0.00297, low=-0.00005, high=0.00599), "no clear difference: 0.00297 better than"),
        (replace(PAIR, gain=0.00297, low=-0.00005, high=0.00599), ", and up to 0.00302 may be chance."),
        (replace(PAIR, low=None, high=None), "not known: 0.01 better than"),
        (replace(PAIR, gain=None), "not known: one of the two diverged on 3 fresh folds."),
        (replace(PAIR, fresh=False), "on the last 3 folds"),
        (
            replace(PAIR, decay="linear", counterpart="linear"),
            "helps: linear decay from 0.022 is 0.01 better than the constant rate, all else equal",
        ),
    ],
)
def test_decay_is_judged_by_the_pair_that_differs_in_nothing_else(pair, said):
    assert said in facts(result(control=pair))["Decay"]


def test_without_a_pair_little_is_said_of_decay_and_without_decay_nothing():
    assert facts(result(constant=ConstantRate(7, 0.95)))["Decay"].startswith(
        "not measured: the best constant rate, trial 7, has 0.9500"
    )
    assert "Decay" not in facts(result())


def finding(name, severity=HINT):
    return Finding(name, severity, f"{name} is odd", "look at it", {})


def test_the_first_finding_is_told_with_its_remedy_unless_tuning_has_told_it():
    health = (finding("default", WARNING), finding("edge"), finding("noise"))
    found = answer(result(health=health), ())
    assert dict(found.facts)["Health"] == "Edge is odd. Look at it."
    assert found.findings == 2
    assert "Health" not in facts(result(health=health[:1]))
    assert facts(result(health=(*health, finding("defect"))))["Health"].startswith("Defect is odd.")
    assert "Health" not in facts(result())


@pytest.mark.parametrize("finished", [None, "trials", "target", "no_gain", "exhausted", "timeout"])
def test_a_search_that_ended_before_its_last_trial_says_why(finished):
    said = facts(result(finished=finished)).get("Search", "")
    assert said.endswith("; the same command goes on, unless search.timeout is spent.") is (finished == "timeout")
    assert bool(said) is (finished in {"timeout", "target", "no_gain"})


def test_second_opinions_are_told_where_they_were_asked():
    again = Confirmation((Confirmed(4, 0.97, 0.94, (0.94,)), Confirmed(7, 0.96, 0.93, (0.93,))), 0.03)
    outer = Nested(0.93, 0.02, 0.04, 3, (OuterScore(0.93, 9, 4, 0.97),) * 3)
    told = facts(result(confirmation=again, nested=outer))
    assert told["Fresh folds"] == "trial 4 has 0.9400 on splits and seeds that chose nothing."
    assert told["Nested"] == "0.9300 ± 0.0200 for the whole search, repeated on 3 outer folds."
    lost = facts(
        result(confirmation=Confirmation((Confirmed(4, 0.97, None, ()),), None), nested=replace(outer, mean=None))
    )
    assert "diverged" in lost["Fresh folds"]
    assert "no score" in lost["Nested"]


PAIRS = [*((each, "linear") for each in OPTIMIZERS), *(("adam", each) for each in DECAYS)]


@pytest.mark.parametrize(("optimizer", "decay"), PAIRS)
def test_every_configuration_is_said_in_words(optimizer, decay):
    """All keys and factors are searched here, and each is named."""
    whole = complete({"optimizer": optimizer, "decay": decay})
    told = facts(result(best=replace(result().best, configuration=whole)), set(whole))["Best"]
    assert told.startswith(f"trial 4: {optimizer}")
    for key in (each for each in whole if each.startswith(("decay.", "optimizer."))):
        assert key.rpartition(".")[2].replace("_", " ") in told


def test_parameters_of_somebody_else_keep_their_names():
    best = standing(4, (0.9,)).configuration | {"svc__C": 3.2, "ccp_alpha": 0.1}
    best.pop("decay")
    told = facts(result(best=replace(result().best, configuration=best)), {"svc__C", "ccp_alpha"})["Best"]
    assert told == "trial 4: ccp_alpha 0.1, svc__C 3.2"


@pytest.mark.parametrize(("rate", "said"), [(0.00031, "0.00031"), (0.1, "0.1"), (3e-6, "0.000003"), (25.0, "25")])
def test_rates_are_decimals(rate, said):
    assert decimal_rate(rate) == said
    assert float(said) == rate
