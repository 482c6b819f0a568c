import json

import pytest

from lrtune.run.bodies import CLOCK, Header
from lrtune.run.journal import Event, canonical
from lrtune.run.study import (
    ANCHORED,
    FINISHED,
    PRUNED,
    REFIT,
    RESULT,
    SEEDS,
    SPEED,
    STUDY,
    TRIAL,
    replay,
    result_body,
)
from lrtune.space.trial import TrialState, ranking
from lrtune.text.errors import NoUsableResultError
from lrtune.trainers.calibration import speed_key
from lrtune.training.registry import complete
from lrtune.verdict.choice import best


def proposed(number, **configuration):
    return Event(TRIAL, {"trial": number, "configuration": configuration})


def result(number, scores, diverged=(), **more):
    seconds = more.pop("seconds", 0.5)
    return Event(RESULT, result_body(number, scores, diverged, **more) | {"clock": {"seconds": seconds}})


EVENTS = [
    Event(STUDY, {"metric": "accuracy", "folds": "0a"}),
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
    assert study.header == Header(metric="accuracy", folds="0a")
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


def test_stages_add_up_to_a_trial_that_is_over_after_the_last():
    first = [*EVENTS, result(3, [0.5], more=True)]
    assert [each.number for each in replay(first).unfinished()] == [3]
    trial = replay(first).trials[3]
    assert (trial.fold_scores, trial.stage, trial.is_over, trial.mean) == ((0.5,), 0, False, None)
    trial = replay([*first, result(3, [0.75], stage=1)]).trials[3]
    assert (trial.fold_scores, trial.stage, trial.state, trial.mean) == ((0.5, 0.75), 1, TrialState.COMPLETE, 0.625)
    trial = replay([*first, result(3, [None], [4], stage=1)]).trials[3]
    assert (trial.fold_scores, trial.state) == ((0.5, None), TrialState.DIVERGED)


def test_a_pruned_trial_keeps_what_it_was_scored_with_and_why_it_was_pruned():
    why = Event(PRUNED, {"trial": 3, "stage": 0, "reason": "worse than trial 1"})
    trial = replay([*EVENTS, result(3, [0.1], more=True), why]).trials[3]
    assert (trial.state, trial.reason, trial.fold_scores) == (TrialState.PRUNED, "worse than trial 1", (0.1,))
    assert trial.mean is None
    assert [each.number for each in ranking(replay([*EVENTS, result(3, [0.1], more=True), why]).in_order())] == [0, 1]


def test_scores_of_short_horizons_are_kept_apart():
    short = [result(3, [0.2, 0.3], more=True, shorter=9), result(3, [0.4, 0.5], stage=1, more=True, shorter=3)]
    trial = replay([*EVENTS, *short]).trials[3]
    assert trial.horizon_scores == ((9, (0.2, 0.3)), (3, (0.4, 0.5)))
    assert (trial.fold_scores, trial.stage, trial.is_over) == ((), 1, False)
    diverged = replay([*EVENTS, result(3, [None, 0.3], [2, None], more=True, shorter=9)]).trials[3]
    assert diverged.state is TrialState.DIVERGED
    assert diverged.reason == "diverged on 1 of its folds, first in epoch 2 of a horizon 9 times shorter"


def test_a_new_trial_reopens_a_finished_study():
    finished = replay([*EVENTS, Event(FINISHED, {"reason": "trials"})])
    assert finished.finished == "trials"
    assert replay([*EVENTS, Event(FINISHED, {"reason": "trials"}), proposed(4)]).finished is None


def test_the_last_refit_counts_and_so_do_its_seconds():
    clocks = [{"seconds": 2.0, "retraining": 2.0}, {"seconds": 6.0, "retraining": 1.0}]
    study = replay([Event(REFIT, {"trial": 1 - place, "clock": clock}) for place, clock in enumerate(clocks)])
    assert (study.refit.trial, study.retrain_seconds) == (0, 1.0)
    assert study.search_seconds == 5.0  # of blocks that were stopped, and left no event of their own


def test_scales_come_back_as_they_were_and_are_written_as_runs():
    scales = ((1.0, 1.0, 0.1, 0.1 * 0.1), (1.0, 1.0, 1.0, 0.1))
    event = result(3, [0.1, 0.2], scales=scales)
    assert event.body["scales"] == [[[1.0, 2], [0.1, 1], [0.1 * 0.1, 1]], [[1.0, 3], [0.1, 1]]]
    stored = Event(RESULT, json.loads(json.dumps(event.body)))
    assert replay([*EVENTS, stored]).trials[3].scales == scales
    assert "scales" not in result(3, [0.1, 0.2], scales=((), ())).body
    assert replay(EVENTS).trials[0].scales == ()


def test_curves_of_stages_are_averaged_over_all_their_folds():
    first = {"epochs": [3, 6], "train": [1.0, 0.5]} | {key: [2.0, None] for key in ("validation", "low", "high")}
    others = {"epochs": [3, 6], "train": [3.0, 1.0], "validation": [4.0, 1.0], "low": [3.0, 0.5], "high": [5.0, 1.5]}
    shorter = {"epochs": [2]} | {key: [9.0] for key in ("train", "validation", "low", "high")}
    events = [
        result(3, [0.1], more=True, stage=0, shorter=2, curves=shorter),
        result(3, [0.1], more=True, stage=1, curves=first),
        result(3, [0.1, 0.2, 0.3], stage=2, curves=others),
    ]
    curves = [replay([*EVENTS, *events[:count]]).trials[3].curves for count in (0, 1, 2, 3)]
    assert curves[:2] == [None, None]
    assert curves[2] == ((3, 6), (1.0, 0.5), (2.0, None), (2.0, None), (2.0, None))
    assert curves[3] == ((3, 6), (2.5, 0.875), (3.5, None), (2.0, None), (5.0, None))


def test_curves_of_a_journal_without_those_of_single_folds_stay_known():
    events = [
        result(3, [0.1], more=True, curves={"epochs": [3], "train": [1.0], "validation": [2.0]}),
        result(3, [0.1], stage=1, curves={key: [4.0] for key in ("epochs", "train", "validation", "low", "high")}),
    ]
    assert replay([*EVENTS, *events]).trials[3].curves == ((3,), (2.5,), (3.0,), (), ())


def test_speeds_are_found_by_what_the_time_depends_on():
    shared = {"batch_size": 16, "optimizer": "adam", "numbers": "standard"}
    mlp = {"model": "mlp", "hidden": [64, 32], "activation": "relu", "embedding": "none", **shared}
    linear = {"model": "linear", **shared}
    study = replay([Event(SPEED, {**mlp, "step_seconds": 1e-4}), Event(SPEED, {**linear, "step_seconds": 1e-5})])
    keys = [speed_key(complete({**each, "hidden": (64, 32)})) for each in (mlp, linear)]
    assert [study.speeds[each] for each in keys] == [1e-4, 1e-5]


def test_what_the_real_clock_decided_about_a_refit_is_not_part_of_the_content():
    made = [{"test": {"score": score, "rows": 9}, "model": digest} for score, digest in ((0.5, "a"), (0.6, "b"))]
    events = [Event(REFIT, {"trial": 1, "clock": {"seconds": 2.0, **each}}) for each in made]
    assert canonical(events[:1]) == canonical(events[1:])
    refit = replay(events[:1]).refit
    assert (refit.test.score, refit.model) == (0.5, "a")


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


def test_only_the_last_retraining_counts_with_the_score_of_its_seeds():
    seeds = {"trials": [0], "seeds": 3, "scores": [0.9], CLOCK: {"seconds": 4.0}}
    made = {"trial": 0, CLOCK: {"seconds": 1.5, "retraining": 1.0}}
    again = {"trial": 0, "seeds": 3, CLOCK: {"seconds": 2.5, "retraining": 2.5}}
    study = replay([Event(REFIT, made), Event(SEEDS, seeds), Event(REFIT, again)])
    assert (study.retrain_seconds, study.search_seconds) == (6.5, 0.5)
    study.add(Event(REFIT, made))  # one seed once more
    assert study.retrain_seconds == 1.0


def test_what_trials_are_compared_with_is_no_training_of_trials():
    trial = proposed(0)
    scored = Event(RESULT, {**result_body(0, [0.9]), CLOCK: {"seconds": 3.0}})
    anchors = Event(ANCHORED, {"anchors": {}, CLOCK: {"seconds": 2.0}})
    study = replay([trial, scored, anchors])
    assert (study.trials_seconds, study.search_seconds) == (3.0, 5.0)
