"""What the page says of luck and worth, from results written by hand."""

from dataclasses import replace

import pytest
from results import result as written
from results import standing

from lrtune.reporting import judgements
from lrtune.space.trial import Trial, TrialState
from lrtune.tuning.remarks import on_correction
from lrtune.verdict.choice import ChosenTrial
from lrtune.verdict.choice.rules import Rule
from lrtune.verdict.comparison import Difference, Gain
from lrtune.verdict.correction import Correction
from lrtune.verdict.ensembles import Delivery
from lrtune.verdict.judging import Judgement
from lrtune.verdict.making import constant_rate, corrected, selection
from lrtune.verdict.result import Ahead, Control, Counts, Training, TriedRate


def scores(value):
    return "none" if value is None else f"{value:.3f}"


def trial(number, fold_scores, **configuration):
    return Trial(number, {"decay": "constant", **configuration}, TrialState.COMPLETE, tuple(fold_scores))


DEFAULT = trial(0, [0.90, 0.92, 0.94])
CHOSEN = trial(4, [0.95, 0.97, 0.99], decay="cosine")
CONSTANT = trial(2, [0.93, 0.96, 0.96])
GAIN = Gain(0.03, 0.01, 0.06, 0.98)
FOUND = Correction("bootstrap", 0.97, 0.02, 0.95, 0.90, 0.98, 1000, ((4, 0.62), (2, 0.38)), gain=GAIN)


def judged(correction=FOUND, rule=Rule("best"), best=CHOSEN, metric="accuracy"):  # noqa: B008
    """What a judgement adds to a result."""
    alone = Delivery((CHOSEN.number,), CHOSEN.fold_scores)
    judgement = Judgement(ChosenTrial(rule, CHOSEN, best, (CONSTANT,)), alone, correction)
    return {
        "corrected": corrected(judgement.correction, judgement.delivery, metric),
        "selection": selection(judgement.choice),
        "constant": constant_rate(CHOSEN, [DEFAULT, CONSTANT, CHOSEN], metric, lambda point: point),
    }


def result(entries=None, gain=Difference(0.05, 0.01, 3, 3, 0.03, 0.98), chosen=4, **more):  # noqa: B008
    return written(
        best=standing(chosen, mean=0.97, std=0.02, decay="cosine"),
        default=standing(0, mean=0.92, std=0.02),
        gain=gain,
        **{**(judged() if entries is None else entries), **more},
    )


def test_scores_are_in_the_metrics_own_sign():
    found = judged()["corrected"]
    assert (found.score, found.low, found.high, found.naive) == (0.95, 0.90, 0.98, 0.97)
    assert (found.share, found.gain.probability) == (0.62, 0.98)
    turned = Correction("folds", -0.20, 0.05, -0.25, -0.30, -0.22)
    found = judged(turned, metric="rmse")["corrected"]
    assert (found.score, found.low, found.high, found.naive) == (0.25, 0.22, 0.30, 0.20)
    assert (found.optimism, found.share, found.gain) == (0.05, None, None)


def test_the_best_constant_rate_is_named():
    found = judged()["constant"]
    assert (found.number, found.mean) == (2, pytest.approx(0.95))
    assert constant_rate(CONSTANT, [DEFAULT, CONSTANT], "accuracy", lambda point: point) is None  # it has one itself
    made = selection(ChosenTrial(Rule("best"), CONSTANT, CHOSEN, ()))
    assert (made.rule, made.best, made.rivals.count, made.rivals.numbers) == ("best", 4, 0, ())


def test_the_headline_is_the_corrected_score():
    text = judgements.headline(result(), scores)
    assert text == "accuracy 0.950 (corrected; 95 % interval 0.900 to 0.980); better than the default by 0.030"


@pytest.mark.parametrize(
    ("gain", "corrected_gain", "said"),
    [
        (Difference(0.05, 0.05, 2, 3), GAIN, "not told apart from the default (ahead by 0.030)"),
        (
            Difference(0.05, 0.001, 3, 3, 0.001, 0.999),
            replace(GAIN, low=-0.01),
            "likely better than the default by 0.030",
        ),
        (
            Difference(0.05, 0.001, 3, 3, 0.001, 0.999),
            replace(GAIN, low=-0.01, probability=0.8),
            "not told apart from the default (ahead by 0.030)",
        ),
        (Difference(0.05, 0.001, 3, 3), replace(GAIN, mean=0.0), "no better than the default"),
        (
            Difference(0.05, 0.001, 3, 3),
            replace(GAIN, mean=-0.01),
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
    raw = result(corrected=None)
    assert judgements.headline(raw, scores) == "accuracy 0.970 ± 0.020; the default configuration has 0.920 ± 0.020"


def test_a_default_that_is_likely_worse_is_not_called_as_good():
    gain = Difference(0.05, 0.02, 3, 3, 0.13, 0.94)
    assert judgements.headline(result(gain=gain), scores).endswith("; likely better than the default by 0.030")
    text = judgements.gain_sentence(result(gain=gain), scores)
    assert "probability 94 %: likely, not certain; corrected for having been picked" in text
    luck = judged(FOUND._replace(gain=replace(GAIN, mean=-0.001)))
    assert judgements.headline(result(luck, gain), scores).endswith("; no better than the default (behind by 0.001)")


@pytest.mark.parametrize(
    ("state", "said"), [("diverged", "diverged"), ("failed", "failed"), ("proposed", "has not been scored yet")]
)
def test_a_default_without_a_score_is_in_the_headline(state, said):
    lost = result(gain=None).but(default=standing(0, state=state))
    assert judgements.headline(lost, scores).endswith(f"; the default configuration {said}")


def test_a_default_that_won_is_in_the_headline():
    assert judgements.headline(result(chosen=0), scores).endswith(
        ": the default configuration is the best that was tried"
    )


def test_rows_say_what_was_luck_and_how_the_choice_was_made():
    assert judgements.corrected_rows(result(), scores) == [
        (
            "mean of folds",
            "0.970, which looks better by 0.020, because it was picked; 62 % of 1,000 resamples choose the same",
        )
    ]
    entries = judged(Correction("folds", 0.97, -0.01, 0.98, 0.9, 1.0), Rule("one_se"), CONSTANT)
    first = Ahead(2, 0.98, Difference(0.01, 0.02, 2, 3, 0.6, 0.7))
    assert judgements.corrected_rows(result(entries, ahead=first), scores) == [
        ("mean of folds", "0.970, which looks worse by 0.010"),
        ("chosen by", "the rule one_se: trial 4; trial 2 has the best mean, ahead by 0.010"),
    ]
    same = judgements.corrected_rows(result(judged(rule=Rule("within", 0.01))), scores)
    assert same[1] == ("chosen by", "the rule within 1%: trial 4; it has the best mean as well")


def test_a_choice_by_fresh_scores_is_told_apart_from_one_by_means():
    """The correction repeats the choice without the confirmation: the row says so."""
    entries = judged()
    entries["selection"] = replace(entries["selection"], fresh=True)
    first = Ahead(2, 0.98, Difference(0.01, 0.02, 2, 3, 0.6, 0.7))
    rows = dict(judgements.corrected_rows(result(entries, ahead=first), scores))
    assert rows["mean of folds"].endswith(
        "of 1,000 resamples, which repeat the choice without the fresh scores, choose the same"
    )
    assert rows["chosen by"].startswith("its score on fresh splits: trial 4; trial 2 has the best mean")
    text = judgements.headline(result(entries, chosen=0, ahead=first), scores)
    assert text.endswith(
        ": the default configuration, chosen by its score on fresh splits; trial 2 has the best mean, ahead by 0.010"
    )
    assert "chosen by" not in dict(judgements.corrected_rows(result(entries), scores))  # nothing was passed over


def test_no_difference_is_said_in_words_and_a_small_one_with_its_digits():
    rows = dict(judgements.corrected_rows(result(judged(FOUND._replace(optimism=0.0))), scores))
    assert rows["mean of folds"].startswith("0.970, no different from the corrected score; 62 %")
    rows = dict(judgements.corrected_rows(result(judged(FOUND._replace(optimism=-3.4e-6))), scores))
    assert rows["mean of folds"].startswith("0.970, which looks worse by less than 0.001; 62 %")
    tiny = judgements.decay_sentence(pair(gain=-2e-6), scores)
    assert tiny.startswith("all else equal, cosine loses 2.0e-6 to a constant rate")
    nothing = judgements.decay_sentence(pair(gain=0.0), scores)
    assert nothing.startswith("all else equal, there is no difference between cosine and a constant rate of 5.0e-2 on")
    same = result(gain=Difference(0.0, 0.0, 0, 3, 1.0, 0.5), entries=judged(FOUND._replace(gain=Gain(0, 0, 0, 0.5))))
    assert judgements.gain_sentence(same, scores) == "none: the scores are equal on every fold"


def test_rows_say_whether_tuning_was_worth_it():
    rows = dict(judgements.worth_rows(result(), scores))
    assert rows["difference"] == (
        "better by 0.050 ± 0.010 (standard error), on 3 of 3 folds; probability 98 %; "
        "corrected for having been picked +0.030 (+0.010 to +0.060)"
    )
    assert rows["decay"] == "trial 2 has 0.950, the best with a constant rate; rate and optimizer may differ, too"
    worse = Difference(-0.01, 0.02, 1, 3, 0.6, 0.3)
    text = judgements.gain_sentence(result(gain=worse), scores)
    assert text.startswith(
        "worse by 0.010 ± 0.020 (standard error), on 1 of 3 folds; probability 30 %: the folds cannot"
    )


def test_without_a_constant_rate_and_a_pair_nothing_is_said_of_decay():
    assert list(dict(judgements.worth_rows(result(constant=None), scores))) == ["difference"]


def test_equal_scores_are_called_equal():
    same = Difference(0.0, 0.0, 0, 3, 1.0, 0.5)
    rows = dict(judgements.worth_rows(result(gain=same), scores))
    assert rows["difference"].startswith("none: the scores are equal on every fold")


def pair(decay="cosine", counterpart="constant", gain=0.02, half=0.03, fresh=(0.9, 0.9, 0.9)):
    ends = (None, None, None) if half is None else (0.01, gain - half, gain + half)
    rates = (TriedRate(0.1, 0.9), TriedRate(0.05, 0.95))
    return Control(4, decay, counterpart, 0.05, rates, True, fresh, fresh, gain, *ends)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (
            pair(),
            (
                "all else equal, cosine gains 0.020 over a constant rate of 5.0e-2 on 3 fresh folds"
                " (90 % interval -0.010 to +0.050); an effect below 0.030 could not be seen"
            ),
        ),
        (
            pair(half=0.01),
            (
                "all else equal, cosine gains 0.020 over a constant rate of 5.0e-2 on 3 fresh folds"
                " (90 % interval +0.010 to +0.030)"
            ),
        ),
        (
            pair(gain=-0.02, half=0.01),
            (
                "all else equal, cosine loses 0.020 to a constant rate of 5.0e-2 on 3 fresh folds"
                " (90 % interval -0.030 to -0.010)"
            ),
        ),
        (
            pair("linear", "linear", half=0.01),
            (
                "all else equal, linear decay from 5.0e-2 gains 0.020 over the constant rate of trial 4"
                " on 3 fresh folds (90 % interval +0.010 to +0.030)"
            ),
        ),
        (
            pair(half=None, fresh=(0.9,)),
            (
                "all else equal, cosine gains 0.020 over a constant rate of 5.0e-2 on 1 fresh fold,"
                " which cannot say how sure that is"
            ),
        ),
        (
            replace(pair(half=None), gain=None),
            "cosine cannot be compared with a constant rate of 5.0e-2: one of the two diverged on 3 fresh folds",
        ),
        (
            pair(half=None, gain=0.0),
            (
                "all else equal, there is no difference between cosine and a constant rate of 5.0e-2 on 3 fresh folds,"
                " as if both predict the same: what decay is worth cannot be told"
            ),
        ),
        (
            replace(pair(half=None), counterpart_scores=(0.88, 0.88, 0.88)),
            (
                "all else equal, cosine gains 0.020 over a constant rate of 5.0e-2 on 3 fresh folds,"
                " the same on each, which cannot say how sure that is"
            ),
        ),
    ],
    ids=["unseen", "gains", "loses", "constant winner", "one fold", "diverged", "same predictions", "same gaps"],
)
def test_a_sentence_says_what_decay_is_worth(made, said):
    assert judgements.decay_sentence(made, scores) == said
    assert dict(judgements.worth_rows(result(control=made), scores))["decay"] == said


def test_a_number_says_how_large_the_trainings_were():
    words = judgements.corrected_rows(result(training=Training(1000, 800)), scores)[0][1]
    assert words.startswith("0.970 by models of 800 rows (of 1,000), which looks better by 0.020")


def test_what_cannot_be_compared_is_told():
    lost = result(gain=None)
    assert judgements.gain_sentence(lost, scores).startswith("unknown")
    alone = Difference(0.01, None, 1, 1)
    assert "on the only fold" in judgements.gain_sentence(result(gain=alone), scores)
    assert judgements.worth_rows(result(chosen=0), scores)[0] == (
        "difference",
        "none: the default configuration is the best that was tried",
    )


def test_a_result_without_a_judgement_shows_the_raw_scores():
    old = result({})
    assert judgements.headline(old, scores) == "accuracy 0.970 ± 0.020; the default configuration has 0.920 ± 0.020"
    assert judgements.corrected_rows(old, scores) == []
    assert [name for name, _ in judgements.worth_rows(old, scores)] == ["difference"]


def test_notes_say_how_far_the_correction_holds():
    found = judged()["corrected"]
    assert on_correction("random", "none", found) == ()
    assert "repeats the races" in on_correction("random", "race", found)[0]
    for strategy, pruning in (("bayesian", "none"), ("tpe", "race"), ("grid", "halving")):
        (sentence,) = on_correction(strategy, pruning, found)
        assert "not the search that followed" in sentence
        assert "intervals held the truth in 90 % and more (docs/honesty.md)" in sentence
    assert "missing or damaged" in on_correction("grid", "none", replace(found, method="folds"))[0]
    assert on_correction("bayesian", "none", None) == ()


def test_resamples_that_say_nothing_are_counted_on_the_page():
    few = judged(FOUND._replace(resamples=1003, drawn=2000))
    (row,) = [each for name, each in judgements.corrected_rows(result(few), scores) if name == "mean of folds"]
    assert row.endswith(
        "; 62 % of 1,003 resamples (2,000 were drawn; the others leave out nothing that has a score) choose the same"
    )
    (row,) = [each for name, each in judgements.corrected_rows(result(), scores) if name == "mean of folds"]
    assert row.endswith("; 62 % of 1,000 resamples choose the same")


def test_of_one_configuration_nothing_is_said_of_a_choice():
    alone = {"counts": Counts(1, 1, 0, 0, 0), "chosen": 0}
    found = judged(FOUND._replace(gain=None))
    assert judgements.headline(result(found, **alone), scores).endswith(
        ": the default configuration, the only one that was tried"
    )
    (row,) = [
        each for name, each in judgements.corrected_rows(result(found, **alone), scores) if name == "mean of folds"
    ]
    assert "choose the same" not in row


@pytest.mark.parametrize(
    ("optimism", "said"),
    [
        (5.5e-5, "which looks better by less than 0.001"),
        (-5.5e-5, "which looks worse by less than 0.001"),
        (0.0, "no different from the corrected score"),
        (-0.002, "which looks worse by 0.002"),
    ],
)
def test_luck_has_the_digits_that_are_shown(optimism, said):
    found = judged(FOUND._replace(optimism=optimism))
    (row,) = [each for name, each in judgements.corrected_rows(result(found), scores) if name == "mean of folds"]
    assert f", {said}" in row
