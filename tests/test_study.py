import pytest

from lrtune.errors import NoUsableResultError
from lrtune.journal import Event
from lrtune.selection import best, ranking
from lrtune.study import FINISHED, REFIT, RESULT, STUDY, TRIAL, replay, result_body
from lrtune.trial import TrialState


def proposed(number, **configuration):
    return Event(TRIAL, {"trial": number, "configuration": configuration})


def result(number, scores, diverged=(), **more):
    seconds = more.pop("seconds", 0.5)
    return Event(RESULT, result_body(number, scores, diverged, **more) | {"clock": {"seconds": seconds}})


EVENTS = [
    Event(STUDY, {"folds": 2}),
    proposed(0, learning_rate=0.1),
    proposed(1, learning_rate=0.2, hidden=[64, 32]),
    proposed(2, learning_rate=9.0),
    proposed(3, learning_rate=0.3),
    result(1, [0.5, 0.75]),
    result(0, [0.5, 0.75]),
    result(2, [None, 0.1], [3, None]),
]


def test_replay_rebuilds_what_happened():
    study = replay(EVENTS)
    assert study.header == {"folds": 2}
    assert [each.number for each in study.in_order()] == [0, 1, 2, 3]
    assert [each.number for each in study.unfinished()] == [3]
    assert study.trials[1].configuration == {"learning_rate": 0.2, "hidden": (64, 32)}
    assert study.trials[1].mean == 0.625
    assert study.trials[2].state is TrialState.DIVERGED
    assert study.trials[2].reason == "diverged on 1 of its folds, first in epoch 3"
    assert study.search_seconds == 1.5
    assert study.finished is None


def test_a_failed_trial_keeps_its_reason():
    study = replay([*EVENTS, result(3, [], reason="out of memory")])
    assert (study.trials[3].state, study.trials[3].reason) == (TrialState.FAILED, "out of memory")
    assert study.count(TrialState.FAILED) == 1


def test_a_new_trial_reopens_a_finished_study():
    finished = replay([*EVENTS, Event(FINISHED, {"reason": "trials"})])
    assert finished.finished == "trials"
    assert replay([*EVENTS, Event(FINISHED, {"reason": "trials"}), proposed(4)]).finished is None


def test_the_last_refit_counts_and_its_seconds_add_up():
    study = replay(
        [Event(REFIT, {"trial": 1, "clock": {"seconds": 2.0}}), Event(REFIT, {"trial": 0, "clock": {"seconds": 1.0}})]
    )
    assert (study.refit["trial"], study.retrain_seconds) == (0, 3.0)


def test_an_event_of_a_later_version_is_passed_over():
    assert replay([*EVENTS, Event("confetti", {})]) == replay(EVENTS)


def test_ties_go_to_the_earlier_trial_and_unfinished_ones_never_win():
    study = replay(EVENTS)
    assert [each.number for each in ranking(study.in_order())] == [0, 1]
    assert best(study.in_order()).number == 0


def test_without_a_usable_score_the_reasons_are_named():
    study = replay([proposed(0), proposed(1), result(0, [None], [1]), result(1, [], reason="out of memory")])
    with pytest.raises(
        NoUsableResultError, match=r"none of the 2 trials .* 1 diverged; failed: out of memory; try smaller"
    ):
        best(study.in_order())
