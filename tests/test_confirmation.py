"""The first trials, scored again: fresh rows and seeds, the choice by the fresh scores, and the same bytes always."""

import dataclasses

import numpy as np
import pytest
from interruptions import interrupted_after
from trainer_parts import replace_part

from lrtune.data.folds import make_folds
from lrtune.experiment import load_text
from lrtune.model.fitting import encoded
from lrtune.run.journal import Event, Journal, canonical
from lrtune.run.names import DATABASE
from lrtune.run.study import CONFIRM, REFIT, RESULT, STUDY, TRIAL, replay, result_body
from lrtune.trainers import population as evaluation
from lrtune.trainers.preparation import prepare
from lrtune.training.evaluate import evaluate
from lrtune.tuning import core as tuning
from lrtune.tuning.confirming import fresh_setting
from lrtune.verdict import confirmation
from lrtune.verdict.choice import chosen
from lrtune.verdict.judging import choice
from lrtune.verdict.making import result_of, selection

EXPERIMENT = """
data: {path: sklearn:iris, test_size: 0.2}
model: {hidden: [8]}
training: {epochs: 3}
search: {strategy: random, trials: 8, folds: 3, round: 4, confirm: 3, metric: accuracy}
space:
  learning_rate: {low: 1e-3, high: 1.0, scale: log}
  optimizer: [sgd, adam]
  batch_size: [16, 32]
"""
WITHOUT = EXPERIMENT.replace(", confirm: 3", "")


def make(folder, text=EXPERIMENT, workers=1):
    chosen_experiment = load_text(text, name="iris")
    return list(tuning.tune(chosen_experiment, prepare(chosen_experiment), folder, workers=workers))


def content(folder):
    with Journal(folder / DATABASE) as journal:
        return canonical(journal.events()), (folder / "model" / "model.npz").read_bytes()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    return make(folder), content(folder)


# --- the choice


def study(means, fresh):
    """A study whose trials have these means, and some of them these fresh scores."""
    events = [Event(STUDY, {"metric": "accuracy"})]
    for number, mean in enumerate(means):
        events.append(Event(TRIAL, {"trial": number, "configuration": {}}))
        events.append(Event(RESULT, result_body(number, [mean - 0.1, mean + 0.1], [None, None])))
    for number, scores in fresh.items():
        events.append(Event(CONFIRM, {"trial": number, "scores": scores, "diverged": [None] * len(scores)}))
    return replay(events)


def test_the_choice_goes_by_the_fresh_scores_of_the_first_trials_alone():
    known = study([0.7, 0.9, 0.8, 0.6], {1: [0.7, 0.7], 2: [0.75, 0.75], 0: [0.74, 0.74], 3: [0.99, 0.99]})
    best = {count: max(confirmation.contenders(known, count), key=lambda each: each.mean).number for count in range(5)}
    assert best == {0: 1, 1: 1, 2: 2, 3: 2, 4: 3}


def test_what_diverges_or_fails_afresh_is_not_chosen():
    known = study([0.7, 0.9, 0.8], {1: [None, 0.9], 2: [], 0: [0.1, 0.1]})
    assert [each.number for each in confirmation.contenders(known, 3)] == [0]
    assert [each.number for each in confirmation.contenders(known, 2)] == [0, 1, 2]


def test_optimism_is_the_mean_excess_of_the_searchs_scores():
    known = study([0.7, 0.9, 0.8], {1: [0.7, 0.7], 2: [0.75, 0.85], 0: [None, 0.2]})
    found = confirmation.summary(known, 3)
    assert [each.number for each in found.trials] == [1, 2, 0]
    assert [each.confirmed for each in found.trials] == [pytest.approx(0.7), pytest.approx(0.8), None]
    assert found.optimism == pytest.approx((0.2 + 0.0) / 2)
    assert confirmation.summary(known, 0) is None
    assert confirmation.summary(study([0.7], {}), 5) is None


def test_fresh_scores_of_a_search_without_signal_show_its_optimism():
    """All trials are equally good: the first of 50 looks good by luck, and its fresh score does not."""
    rng = np.random.default_rng(0)
    gaps, excesses = [], []
    for _ in range(200):
        means = rng.normal(0.5, 0.02, 50)
        first = np.argsort(-means)[:5].tolist()
        found = confirmation.summary(study(means, {each: [rng.normal(0.5, 0.02)] * 2 for each in first}), 5)
        gaps.append(np.mean(means[first]) - 0.5)
        excesses.append(found.optimism)
    assert np.mean(excesses) == pytest.approx(np.mean(gaps), abs=4 * 0.02 / np.sqrt(5 * 200))
    assert np.mean(excesses) > 0.02


# --- in a search


def test_the_first_trials_are_scored_again_and_the_best_of_them_is_retrained(undisturbed):
    events, _ = undisturbed
    known = replay(events)
    first = sorted(known.in_order(), key=lambda each: (-each.mean, each.number))[:3]
    assert sorted(known.confirmed) == sorted(each.number for each in first)
    fresh = {number: np.mean(scores) for number, scores in known.confirmed.items()}
    expected = max(first, key=lambda each: (fresh[each.number], each.mean, -each.number)).number
    assert known.refit.trial == expected
    assert chosen(known).number == expected


def test_a_result_says_that_fresh_scores_chose_and_which_trial_was_passed_over(undisturbed):
    known, experiment = replay(undisturbed[0]), load_text(EXPERIMENT, name="iris")
    first = min(known.in_order(), key=lambda each: (-each.mean, each.number))
    picked = choice(experiment.terms, known)
    assert selection(picked, confirmation.summary(known, 3)).fresh
    assert not selection(picked, confirmation.summary(known, 0)).fresh
    found = result_of(known, experiment.configuration, confirm=3)
    assert found.best.number == picked.trial.number
    if first.number == picked.trial.number:
        assert found.ahead is None
    else:
        assert (found.ahead.number, found.ahead.mean) == (first.number, first.mean)
        assert found.ahead.gain.mean == pytest.approx(first.mean - found.best.mean)


def test_fresh_scores_come_from_other_splits_and_seeds(undisturbed):
    """Computed once more here, from splits with a seed drawn as documented."""
    events, _ = undisturbed
    known, experiment = replay(events), load_text(EXPERIMENT, name="iris")
    prepared = prepare(experiment)
    seed = int(np.random.default_rng([0, 51]).integers(2**31))
    dataset = prepared.dataset
    splits = make_folds(dataset.columns, dataset.schema, dataset.train_rows, folds=3, seed=seed)
    folds = [
        encoded(dataset.columns, dataset.schema, *split, index=index, dtype="float32")[1]
        for index, split in enumerate(splits)
    ]
    own = [set(validation.tolist()) for _, validation in prepared.splits]
    assert all(set(validation.tolist()) not in own for _, validation in splits)
    for number, scores in known.confirmed.items():
        whole = experiment.configuration(known.trials[number].configuration)
        (outcome,) = evaluate([whole], folds, prepared.setting.problem, "accuracy", seed=seed, dtype="float32")
        assert outcome.scores == scores


def test_an_earlier_time_is_not_shuffled_into_a_later_one():
    text = EXPERIMENT.replace("sklearn:iris", "sklearn:diabetes").replace(
        "confirm: 3, metric: accuracy", "splitter: time_series"
    )
    experiment = load_text(text, name="diabetes")
    prepared = prepare(experiment)
    setting = fresh_setting(experiment, prepared)
    assert setting.seed != prepared.setting.seed
    for one, other in zip(setting.folds, prepared.setting.folds, strict=True):
        np.testing.assert_array_equal(one.validation_features, other.validation_features)


def test_confirm_is_a_budget(undisturbed, tmp_path):
    """Asked for afterwards, only the confirmation runs, and the study is the same; left out again, the choice too."""
    before = make(tmp_path, WITHOUT)
    after = make(tmp_path)
    new = [each.kind for each in after[len(before) :]]
    assert set(new) <= {CONFIRM, REFIT}
    assert new.count(CONFIRM) == 3
    assert replay(after).refit.trial == replay(undisturbed[0]).refit.trial
    assert content(tmp_path)[1] == undisturbed[1][1]
    again = make(tmp_path, WITHOUT)
    assert replay(again).refit.trial == replay(before).refit.trial
    assert sum(each.kind == CONFIRM for each in again) == 3


def test_a_finished_confirmation_is_not_done_again(undisturbed, tmp_path, monkeypatch):
    events = make(tmp_path)
    replace_part(monkeypatch, run=None)
    assert make(tmp_path) == events
    assert content(tmp_path) == undisturbed[1]


def test_workers_change_nothing(undisturbed, tmp_path):
    make(tmp_path, workers=2)
    assert content(tmp_path) == undisturbed[1]


def test_a_crash_after_any_event_costs_nothing(undisturbed, tmp_path, monkeypatch):
    crashes = 0
    for allowed in range(3, 40):
        with interrupted_after(monkeypatch, allowed):
            try:
                make(tmp_path / str(allowed))
            except KeyboardInterrupt:
                crashes += 1
            else:
                break
        make(tmp_path / str(allowed))
        assert content(tmp_path / str(allowed)) == undisturbed[1]
    assert crashes >= 5


def test_a_failed_block_is_recorded_and_the_others_are_confirmed(tmp_path, monkeypatch):
    make(tmp_path, WITHOUT)
    run_block = evaluation.run_block

    def failing(setting, work):
        if work.configurations[0]["batch_size"] == 16:
            raise MemoryError
        return run_block(setting, work)

    replace_part(monkeypatch, run=failing)
    known = replay(make(tmp_path, EXPERIMENT.replace("confirm: 3", "confirm: 8")))
    sizes = {number: known.trials[number].configuration["batch_size"] for number in known.confirmed}
    assert {sizes[number] for number, scores in known.confirmed.items() if not scores} == {16}
    assert sizes[known.refit.trial] == 32


def test_a_trial_is_what_it_was_but_for_its_scores():
    known = study([0.7, 0.9], {1: [0.6, 0.7]})
    (again,) = confirmation.contenders(known, 1)
    assert dataclasses.replace(again, fold_scores=known.trials[1].fold_scores) == known.trials[1]
