import math

import numpy as np
import pytest
from results import result, standing
from scipy import stats

from lrtune.reporting.junit import gate_cases
from lrtune.text.written import to_json
from lrtune.verdict import gates
from lrtune.verdict.anchored import ASKED
from lrtune.verdict.conditions import State
from lrtune.verdict.result import Ahead, Anchor, Corrected, DataHashes, Rivals, Selection, Unscored


@pytest.mark.parametrize(
    ("larger", "limit", "state", "sentence"),
    [
        (True, 0.8, State.PASSED, "mean accuracy 0.9 is not under 0.8"),
        (True, 0.9, State.PASSED, "mean accuracy 0.9 is not under 0.9"),
        (True, 0.91, State.FAILED, "mean accuracy 0.9 is under 0.91"),
        (True, 0.900001, State.FAILED, "mean accuracy 0.9 is under 0.900001"),
        (False, 0.8, State.FAILED, "mean rmse 0.9 is over 0.8"),
        (False, 0.9, State.PASSED, "mean rmse 0.9 is not over 0.9"),
        (False, 1.0, State.PASSED, "mean rmse 0.9 is not over 1"),
    ],
)
def test_a_limit_is_the_least_score_or_the_largest_error(larger, limit, state, sentence):
    gate = gates.limit_gate(result([0.9], "accuracy" if larger else "rmse"), limit)
    assert (gate.name, gate.state, gate.sentence) == ("fail-under" if larger else "fail-over", state, sentence)
    assert not gate.is_worse
    assert to_json(gate) == {
        "name": gate.name,
        "state": str(state),
        "sentence": sentence,
        "numbers": {"judged": "mean", "score": 0.9, "limit": limit},
    }


def test_a_gate_says_on_which_folds_it_judged():
    unscored = Unscored(4, ((2, "only class 'p'"), (4, "only class 'n'")))
    words = "; judged on 2 of 4 folds; fold 2 has only class 'p', fold 4 has only class 'n'"
    found = result([0.9, 0.9], unscored=unscored)
    assert gates.limit_gate(found, 0.8).sentence == "mean accuracy 0.9 is not under 0.8" + words
    assert gates.baseline_gate(found, [0.9, 0.9]).sentence.endswith("equal on the same 2 folds" + words)
    assert gates.limit_gate(result([0.9], unscored=None), 0.8).sentence == "mean accuracy 0.9 is not under 0.8"


def test_a_limit_applies_to_the_corrected_score_where_there_is_one():
    corrected = Corrected("bootstrap", 0.96, 0.02, 0.94, 0.9, 0.98, 1000, 0.5, None)
    gate = gates.limit_gate(result([0.97, 0.95], corrected=corrected), 0.95)
    assert (gate.state, gate.sentence) == (State.FAILED, "corrected accuracy 0.94 is under 0.95")
    assert gates.limit_gate(result([0.97, 0.95]), 0.95).passed


OURS, THEIRS = [0.91, 0.90, 0.93, 0.92, 0.90], [0.95, 0.93, 0.95, 0.96, 0.95]


def reference_p(ours, theirs, tolerance, ratio):
    """One-sided p of the corrected resampled t-test, from its formula and SciPy's distribution."""
    gaps = np.subtract(ours, theirs) + tolerance
    t = gaps.mean() / math.sqrt((1 / len(gaps) + ratio) * gaps.var(ddof=1))
    return stats.t.cdf(t, len(gaps) - 1)


@pytest.mark.parametrize("tolerance", [0.0, 0.01, 0.03, 0.05])
@pytest.mark.parametrize("ratio", [0.25, 0.5])
def test_p_is_that_of_the_corrected_test_against_the_tolerance(tolerance, ratio):
    gate = gates.baseline_gate(result(OURS), THEIRS, tolerance=tolerance, rows_ratio=ratio)
    expected = reference_p(OURS, THEIRS, tolerance, ratio)
    assert gate.numbers["p"] == pytest.approx(expected, rel=1e-5)
    assert gate.passed == (expected >= gates.ALPHA)
    assert gate.numbers["difference"] == pytest.approx(-0.036)
    assert gate.numbers["baseline"] == pytest.approx(0.948)


def test_errors_are_worse_when_they_are_larger():
    as_scores = gates.baseline_gate(result(OURS), THEIRS)
    as_errors = gates.baseline_gate(result([-each for each in OURS], "rmse"), [-each for each in THEIRS])
    assert as_scores.is_worse
    assert as_errors.is_worse
    assert as_errors.numbers["p"] == as_scores.numbers["p"]
    assert as_errors.numbers["difference"] == as_scores.numbers["difference"]
    assert as_errors.numbers["baseline"] == -as_scores.numbers["baseline"]


@pytest.mark.parametrize(
    ("theirs", "tolerance", "passed", "ending"),
    [
        ([0.9, 0.8, 0.7], 0.0, True, "equal on the same 3 folds"),
        ([0.8, 0.7, 0.6], 0.0, True, "better by 0.1 on the same 3 folds"),
        ([0.91, 0.81, 0.71], 0.02, True, "worse by 0.01 on the same 3 folds, within the tolerance of 0.02"),
        ([0.91, 0.81, 0.71], 0.01, True, "worse by 0.01 on the same 3 folds, within the tolerance of 0.01"),
        ([0.91, 0.81, 0.71], 0.0, False, "worse by 0.01 on the same 3 folds (p < 0.001)"),
        (
            [0.92, 0.82, 0.72],
            0.01,
            False,
            "worse by 0.02 on the same 3 folds, more than the tolerance of 0.01 (p < 0.001)",
        ),
        (
            [0.89, 0.87, 0.70],
            0.0,
            True,
            "worse by 0.02 on the same 3 folds (p = 0.33): the folds cannot tell that from chance",
        ),
    ],
)
def test_every_outcome_has_its_sentence(theirs, tolerance, passed, ending):
    gate = gates.baseline_gate(result([0.9, 0.8, 0.7]), theirs, tolerance=tolerance)
    assert gate.sentence == f"accuracy 0.8000 against {sum(theirs) / 3:.4f} of the baseline: {ending}"
    assert gate.passed == passed


def test_where_the_loss_is_just_the_tolerance_one_in_twenty_fails():
    rng = np.random.default_rng(7)
    theirs = rng.normal(0.9, 0.02, (4000, 5))
    ours = theirs + rng.normal(-0.01, 0.005, theirs.shape)  # the folds' differences are independent: a ratio of 0
    failed = [
        not gates.baseline_gate(result(one), other, tolerance=0.01, rows_ratio=0.0).passed
        for one, other in zip(ours.tolist(), theirs.tolist(), strict=True)
    ]
    assert np.mean(failed) == pytest.approx(0.05, abs=0.012)  # 3.5 standard errors


def test_one_fold_has_no_test_and_the_tolerance_decides():
    assert gates.baseline_gate(result([0.9]), [0.92], tolerance=0.03).passed
    gate = gates.baseline_gate(result([0.9]), [0.92], tolerance=0.01)
    assert gate.is_worse
    assert gate.sentence.endswith("worse by 0.02 on the same fold, more than the tolerance of 0.01")


def test_a_baseline_trained_again_is_told_with_what_it_had_before():
    gate = gates.baseline_gate(result([0.9, 0.8]), [0.8, 0.7], before=0.6)
    assert gate.sentence == (
        "accuracy 0.8500 against 0.7500 of the baseline's configuration, trained on these folds (on its own: 0.6000): "
        "better by 0.1 on the same 2 folds"
    )
    lost = gates.baseline_gate(result([0.9, 0.8]), [0.8, None], before=0.6)
    assert (lost.state, lost.passed, lost.is_worse) == (State.UNKNOWN, False, False)
    assert "diverges on these folds" in lost.sentence


@pytest.mark.parametrize(
    ("baseline", "reason"),
    [
        (result([0.9], "f1"), "its metric is f1, not accuracy"),
        (result(best=standing(1, [0.9, None])), "it has no score on every fold"),
        (result(best=standing(1, [])), "it has no score on every fold"),
        (result([0.9]), None),
    ],
)
def test_what_cannot_be_compared_says_why(baseline, reason):
    assert gates.why_not_comparable(result([0.9]), baseline) == reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (DataHashes("d", "f"), None),
        (DataHashes(None, None), "it does not say what data and folds it is of"),
        (DataHashes("x", "f"), "its data are not the same"),
        (DataHashes("d", "x"), "its folds are not the same"),
    ],
)
def test_folds_are_the_same_if_data_and_rows_are(data, reason):
    assert gates.not_same_folds(result([0.9]), result([0.9], data=data)) == reason


def test_another_number_of_folds_is_not_comparable():
    gate = gates.baseline_gate(result([0.9, 0.8]), [0.9, 0.8, 0.7])
    assert gate.state is State.UNKNOWN
    assert "another number of folds" in gate.sentence
    assert "counts as a failure" in gate.sentence


# --- what must be beaten


def anchored(score=0.9, metric="accuracy", corrected=None, **means):
    """A result whose best has a score, beside anchors with these means."""
    anchors = tuple(Anchor(name, mean, (mean,), {}, None) for name, mean in means.items())
    return result([score], metric, anchors=anchors, corrected=corrected)


@pytest.mark.parametrize(
    ("name", "found", "state", "sentence"),
    [
        (
            "constant",
            anchored(majority=0.6),
            State.PASSED,
            "mean accuracy 0.9 is better than the shares of the classes on the same folds, 0.6",
        ),
        (
            "constant",
            anchored(5.0, "rmse", mean=4.0),
            State.FAILED,
            "mean rmse 5 is no better than the mean of the targets on the same folds, 4",
        ),
        (
            "linear",
            anchored(3.0, "rmse", mean=4.0, linear=3.5),
            State.PASSED,
            "mean rmse 3 is better than a linear model on the same folds, 3.5",
        ),
        (
            "linear",
            anchored(majority=0.6, linear=0.9),
            State.FAILED,
            "mean accuracy 0.9 is no better than a linear model on the same folds, 0.9",
        ),
        (
            "default",
            anchored(majority=0.6, default=0.8999999),
            State.PASSED,
            "mean accuracy 0.9 is better than the default configuration on the same folds, 0.8999999",
        ),
    ],
)
def test_an_anchor_must_be_beaten(name, found, state, sentence):
    gate = gates.behind_gate(found, name)
    assert (gate.name, gate.state, gate.sentence) == ("fail-behind", state, sentence)
    limit = found.anchors[0 if name == "constant" else -1].mean
    assert to_json(gate.numbers) == {"judged": "mean", "anchor": name, "score": found.best.mean, "limit": limit}
    assert not gate.is_worse


def test_the_corrected_score_must_beat_the_anchors_own():
    corrected = Corrected("bootstrap", 0.96, 0.06, 0.9, 0.8, 0.98, 1000, 0.5, None)
    gate = gates.behind_gate(anchored(0.96, corrected=corrected, linear=0.92), "linear")
    assert (gate.state, gate.numbers["judged"], gate.numbers["score"]) == (State.FAILED, "corrected", 0.9)


@pytest.mark.parametrize("name", ASKED)
def test_an_anchor_without_a_score_is_a_failure(name):
    known = {"constant": "majority", "linear": "linear", "default": "default"}[name]
    called = {"constant": "the shares of the classes", "linear": "a linear model", "default": ASKED["default"]}[name]
    for found, reason in (
        (anchored(), f"there is no score of {ASKED[name]} here: there was no time for it"),
        (anchored(**{known: None}), f"there is no score of {called}"),
    ):
        gate = gates.behind_gate(found, name)
        assert (gate.state, gate.passed, gate.is_worse) == (State.UNKNOWN, False, False)
        assert gate.sentence.startswith("this counts as a failure: ")
        assert gate.sentence.endswith(reason)


def test_the_default_cannot_beat_itself():
    found = result([0.9], best=standing(0, [0.9]))
    gate = gates.behind_gate(found, "default")
    assert (gate.state, gate.sentence) == (State.FAILED, "the default configuration is the best itself")


def test_a_default_that_a_rule_chose_is_not_called_the_best():
    first = Ahead(7, 0.95, None)
    found = result([0.9], best=standing(0, [0.9]), ahead=first, selection=Selection("within 20%", 7, Rivals(0, ())))
    gate = gates.behind_gate(found, "default")
    assert gate.state == State.FAILED
    assert gate.sentence == (
        "the default configuration itself was chosen by the rule within 20%; trial 7 has the best mean"
    )


def test_gates_of_one_kind_are_told_apart():
    found = [gates.behind_gate(anchored(majority=0.6, linear=0.8), each) for each in ("constant", "linear")]
    assert [each.called for each in found] == ["fail-behind constant", "fail-behind linear"]
    assert [each.name for each in gate_cases(found)] == ["fail-behind constant", "fail-behind linear"]
    assert gates.limit_gate(result([0.9]), 0.8).called == "fail-under"


def test_large_scores_and_limits_are_written_out():
    gate = gates.limit_gate(result([117_749.6], "rmse"), 1e5)
    assert gate.sentence == "mean rmse 117,700 is over 100,000"
    assert "117,749.6 is over 117,749.5" in gates.limit_gate(result([117_749.6], "rmse"), 117_749.5).sentence
