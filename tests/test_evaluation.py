"""How trials are cut into blocks: a matter of speed, so nothing may be lost, doubled or mixed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trainer_parts import replace_part

from lrtune.engines.local import Serial
from lrtune.trainers import population as evaluation
from lrtune.trainers.catalogue import expected_seconds, retraining_seconds
from lrtune.trainers.contract import Setting
from lrtune.training.evaluate import Fold, Problem, shape_key
from lrtune.training.registry import complete
from lrtune.tuning.blocks import blocks, scored
from lrtune.tuning.pace import Pace


def fold(index, rows=40):
    generator = np.random.default_rng(index)
    features = generator.normal(size=(rows + 10, 3)).astype(np.float32)
    labels = (features[:, 0] > 0).astype(np.int64)
    return Fold(index, features[:rows], labels[:rows], np.ones(rows), features[rows:], labels[rows:])


SETTING = Setting((fold(0), fold(1), fold(2)), Problem("logistic", 1, 2), "accuracy", 0, "float32")

configurations = st.lists(
    st.fixed_dictionaries(
        {
            "hidden": st.sampled_from([(4,), (8,), (4, 4)]),
            "batch_size": st.sampled_from([16, 32]),
            "epochs": st.sampled_from([1, 40]),
            "learning_rate": st.sampled_from([0.01, 0.1]),
        }
    ),
    min_size=1,
    max_size=40,
)


def numbered(drawn):
    return [(number, complete(each)) for number, each in enumerate(drawn)]


@given(configurations, st.integers(1, 4))
@settings(deadline=None, max_examples=50)
def test_every_trial_is_in_one_block_with_others_of_its_shape(drawn, slots):
    trials = numbered(drawn)
    cut = blocks(trials, SETTING, slots=slots)
    assert sorted(number for block in cut for number, _ in block) == list(range(len(trials)))
    for block in cut:
        assert len({shape_key(each) for _, each in block}) == 1


def test_a_block_takes_no_longer_than_a_kill_may_cost():
    trials = numbered([{"learning_rate": 0.1}] * 40)
    each = expected_seconds(trials[0][1], SETTING)
    assert max(len(block) for block in blocks(trials, SETTING, most=each * 3.5)) == 3
    assert [len(block) for block in blocks(trials, SETTING, most=each / 100)] == [1] * 40


def test_lanes_of_a_block_stay_within_what_trains_fast(monkeypatch):
    replace_part(monkeypatch, lanes=lambda *_: 12)
    cut = blocks(numbered([{"learning_rate": 0.1}] * 30), SETTING)
    assert max(len(block) for block in cut) * len(SETTING.folds) <= 12


def test_every_worker_gets_something_to_do():
    assert len(blocks(numbered([{"learning_rate": 0.1}] * 4), SETTING, slots=4)) == 4


def test_the_first_trial_comes_first_and_then_the_longest_blocks():
    cut = blocks(numbered([{"epochs": 5}, {"epochs": 1}, {"epochs": 40}, {"epochs": 10}]), SETTING)
    assert [block[0][1]["epochs"] for block in cut] == [5, 40, 10, 1]


def fail_for_small_batches(setting, work):
    if work.configurations[0]["batch_size"] == 16:
        raise ValueError("no")
    return evaluation.run_block(setting, work)


def test_a_failed_block_names_its_trials_and_the_reason():
    trials = numbered([{"batch_size": 16, "epochs": 1}, {"batch_size": 32, "epochs": 1}])
    ends = {
        each.number: each
        for block in scored(trials, SETTING, Serial(fail_for_small_batches, SETTING))
        for each in block
    }
    assert (ends[0].outcome, ends[0].failure, ends[0].predictions) == (None, "ValueError: no", None)
    assert ends[1].failure is None
    assert len(ends[1].outcome.scores) == 3
    assert [len(each) for each in ends[1].predictions] == [10, 10, 10]


RATES = [{"learning_rate": rate, "epochs": 2} for rate in (0.01, 0.1, 0.2, 0.3, 0.4)]


def ends_of(trials, function, pace=None):
    found = scored(trials, SETTING, Serial(function, SETTING), None, pace)
    return {each.number: each for block in found for each in block}


def fail_for_one_rate(setting, work):
    if any(each["learning_rate"] == 0.2 for each in work.configurations):
        raise ValueError("no")
    return evaluation.run_block(setting, work)


def test_in_a_block_that_fails_only_the_culprit_fails_and_the_others_get_what_they_get_anyway():
    trials = numbered(RATES)
    assert [len(block) for block in blocks(trials, SETTING)] == [5]
    alone = ends_of(trials, evaluation.run_block)
    ends = ends_of(trials, fail_for_one_rate)
    assert [number for number, each in ends.items() if each.failure] == [2]
    assert ends[2].failure == "ValueError: no"
    assert all(ends[number].outcome.scores == alone[number].outcome.scores for number in (0, 1, 3, 4))


def test_a_block_beyond_its_limit_fails_with_the_reason_and_the_search_goes_on():
    ends = ends_of(numbered(RATES), evaluation.run_block, Pace(block_seconds=1e-9))
    assert sorted(ends) == [0, 1, 2, 3, 4]
    assert {each.failure for each in ends.values()} == {"its block took longer than search.block_timeout (1e-09 s)"}


def test_what_cannot_end_in_time_is_not_started():
    executor = Serial(fail_for_small_batches, SETTING)
    assert list(scored(numbered(RATES), SETTING, executor, None, Pace(seconds=1e-3))) == []
    assert executor.next_done() is None


def test_what_is_too_long_for_the_time_that_is_left_does_not_keep_back_what_is_not(monkeypatch):
    trials = numbered([{"epochs": 40}, {"epochs": 1, "batch_size": 16}, {"epochs": 30}, {"epochs": 1}])
    short = Pace(seconds=30.0)
    short.saw(expected=expected_seconds(trials[0][1], SETTING, lanes=3), seconds=30.0)
    monkeypatch.setattr(Pace, "saw", lambda *_: None)
    assert sorted(ends_of(trials, evaluation.run_block, short)) == [1, 3]


def test_what_must_be_begun_is_begun_as_long_as_there_is_time():
    short = Pace(seconds=30.0)
    short.saw(expected=1e-9, seconds=60.0)
    trial = numbered(RATES[:1])
    assert not list(scored(trial, SETTING, Serial(evaluation.run_block, SETTING), None, short))
    (block,) = scored(trial, SETTING, Serial(evaluation.run_block, SETTING), None, short, in_any_case=True)
    assert [each.failure for each in block] == [None]
    over = Pace(seconds=0.0)
    assert not list(scored(trial, SETTING, Serial(evaluation.run_block, SETTING), None, over, in_any_case=True))


def test_what_runs_at_the_end_of_time_is_left_out_and_not_a_failure(monkeypatch):
    monkeypatch.setattr(evaluation, "time_is_up", lambda: True)
    monkeypatch.setattr(Pace, "is_over", True)
    assert ends_of(numbered(RATES), evaluation.run_block, Pace(seconds=30.0)) == {}


def test_retraining_on_all_rows_is_expected_to_take_longer_than_its_share_of_a_search():
    chosen = complete({"epochs": 10})
    rows = len(SETTING.folds[0].features)
    assert retraining_seconds(chosen, SETTING, rows) > expected_seconds(chosen, SETTING) / len(SETTING.folds)
    assert retraining_seconds(chosen, SETTING, 2 * rows) == pytest.approx(2 * retraining_seconds(chosen, SETTING, rows))


def test_twice_the_epochs_are_expected_to_take_twice_as_long():
    short, long = (complete({"epochs": epochs}) for epochs in (10, 20))
    assert expected_seconds(long, SETTING) == pytest.approx(2 * expected_seconds(short, SETTING))
