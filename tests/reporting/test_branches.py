"""The comparison of decay types, against numbers worked out by hand."""

import pytest

from lrtune.reporting import branches
from lrtune.space.trial import TrialState
from lrtune.verdict.making import kinds
from lrtune.verdict.result import KindDifference

CONSTANT = [0.90, 0.92, 0.94]


@pytest.fixture
def trials(trial):
    return [
        trial([0.5, 0.5, 0.5], 0, decay="constant"),
        trial(CONSTANT, 1, decay="constant"),
        trial([0.95, 0.98, 0.98], 2, decay="cosine"),
        trial([0.91, 0.91, 0.91], 3, decay="step"),
        trial([0.1, 0.1, 0.1], 4, decay="cosine"),
        trial([0.9, None, 0.9], 5, TrialState.DIVERGED, decay="rex"),
    ]


def test_the_best_of_each_decay_is_compared_with_the_best_constant(trials):
    found = kinds(trials, "decay", "constant", "accuracy")
    assert [(each.name, each.number) for each in found] == [("cosine", 2), ("constant", 1), ("step", 3)]
    cosine, constant, step = (each.difference for each in found)
    assert constant is None
    assert cosine == KindDifference(pytest.approx(0.05), 3, 3)  # 0.05, 0.06, 0.04
    assert (step.mean, step.wins) == (pytest.approx(-0.01), 1)


def test_the_table_says_how_many_trials_each_best_was_picked_from(trials):
    found = kinds(trials, "decay", "constant", "accuracy")
    cosine, constant, _ = branches.rows(found)
    assert cosine == ("2", "0.9700", "+0.0500", "3/3", "2", "cosine")
    assert constant == ("1", "0.9200", "-", "-", "2", "constant")
    assert len(branches.header("decay", "accuracy")) == len(cosine)


def test_errors_gain_where_they_fall(trial):
    trials = [trial([-2.0, -2.1, -2.2], 0, decay="constant"), trial([-3.0, -3.1, -3.2], 1, decay="step")]
    (_, step) = kinds(trials, "decay", "constant", "rmse")
    assert (step.mean, step.difference.mean) == (pytest.approx(3.1), pytest.approx(-1.0))
    assert branches.rows([step])[0][2] == "-1.000"


def test_without_a_control_or_another_there_is_nothing_to_compare(trials, trial):
    assert kinds(trials[2:], "decay", "constant", "accuracy") == ()
    assert kinds(trials[:2], "decay", "constant", "accuracy") == ()
    assert kinds([trial(CONSTANT, 0)], "optimizer", "None", "accuracy") == ()
