"""Decisions on whole rounds: who is compared with whom, who is spared, and that asking again changes nothing."""

import dataclasses

import numpy as np
import pytest

from lrtune.space.trial import Stage, Trial, TrialState
from lrtune.verdict import stages
from lrtune.verdict.pruning import PRUNINGS
from lrtune.verdict.races import RowScores, beyond_doubt, futile
from lrtune.verdict.stages import StageEnd, fold_by_fold, lagging
from lrtune.verdict.stages import raced as raced_within

FIRST = Stage(0, 1)


def raced(end, limit=beyond_doubt):
    """Race as `pruning: race` does."""
    return raced_within(limit, end)


def entrants(*scores, start=0):
    """Make trials that have been scored on the first fold; None: diverged there."""
    return [
        Trial(number, {}, TrialState.DIVERGED if score is None else TrialState.PROPOSED, fold_scores=(score,), stage=0)
        for number, score in enumerate(scores, start)
    ]


def rows_of(trials, spread=0.05):
    """Give every row of a trial its score, and a little that differs."""
    noise = np.random.default_rng(0).normal(size=(100, 200)) * spread
    noise -= noise.mean(axis=1, keepdims=True)
    scores = {each.number: each.fold_scores[0] for each in trials}
    return lambda numbers, _: RowScores(np.array([scores[each] + noise[each] for each in numbers]))


def numbers(dropped):
    return [each.number for each in dropped]


def test_stages_cover_every_fold_once_and_end_with_the_whole_horizon():
    for metric in ("accuracy", "roc_auc"):
        for folds in (2, 5):
            parts = PRUNINGS["race"].stages(metric, folds, 30)
            assert [fold for each in parts for fold in range(each.first, each.end)] == list(range(folds))
    assert PRUNINGS["race"].stages("accuracy", 5, 30) == (Stage(0, 1), Stage(1, 5))
    assert PRUNINGS["race"].stages("f1", 5, 30) == (Stage(0, 2), Stage(2, 5))
    assert PRUNINGS["none"].stages("f1", 5, 30) == (Stage(0, 5),)
    assert PRUNINGS["halving"].stages("f1", 5, 30) == (Stage(0, 5, 9), Stage(0, 5, 3), Stage(0, 5))


def test_brackets_of_halving_begin_one_stage_later_each_round():
    assert [PRUNINGS["halving"].first(3, each) for each in range(5)] == [0, 1, 2, 0, 1]
    assert [PRUNINGS["race"].first(2, each) for each in range(5)] == [0] * 5


def test_a_race_compares_with_the_best_of_the_round_and_says_why():
    trials = entrants(0.9, 0.5, 0.91, 0.4)
    dropped = raced(StageEnd(trials, [], FIRST, 5, rows_of(trials)))
    assert numbers(dropped) == [1, 3]
    assert dropped[0].reason == "after 1 of 5 folds worse than trial 2 with probability above 0.9999"
    assert dropped[0].numbers["against"] == 2
    assert dropped[0].numbers["probability"] > dropped[0].numbers["limit"] == 0.99


def test_a_race_compares_with_earlier_complete_trials_and_with_no_others():
    trials = entrants(0.5, 0.55, start=8)
    complete = Trial(3, {}, TrialState.COMPLETE, fold_scores=(0.9, 0.8))
    diverged = Trial(4, {}, TrialState.DIVERGED, fold_scores=(0.95, None))
    pruned = Trial(5, {}, TrialState.PRUNED, fold_scores=(0.97,))
    known = [complete, diverged, pruned]
    dropped = raced(StageEnd(trials, known, FIRST, 2, rows_of([*known, *trials])))
    assert numbers(dropped) == [8, 9]
    assert {each.numbers["against"] for each in dropped} == {3}
    assert numbers(raced(StageEnd(trials, known[1:], FIRST, 2, rows_of([*known, *trials])))) == [8]


def test_of_equals_the_earlier_one_is_the_best():
    trials = entrants(0.5, 0.9, 0.4, 0.9, 0.9)
    assert {each.numbers["against"] for each in raced(StageEnd(trials, [], FIRST, 5, rows_of(trials)))} == {1}


def test_what_is_complete_is_not_dropped_by_a_later_race():
    worse = [Trial(number, {}, TrialState.COMPLETE, fold_scores=(0.2, 0.21, 0.2)) for number in (1, 2)]
    running = [Trial(number, {}, fold_scores=(0.9, 0.91 + number / 1000), stage=0) for number in (3, 4, 5, 6)]
    lost = Trial(7, {}, fold_scores=(0.3, 0.3), stage=0)
    assert numbers(raced(StageEnd([*running, lost], worse, Stage(0, 2), 3, None))) == [7]


def test_how_many_are_in_memory_at_a_time_does_not_matter(monkeypatch):
    trials = entrants(*np.random.default_rng(2).uniform(0.5, 0.7, size=80).tolist())
    expected = raced(StageEnd(trials, [], FIRST, 5, rows_of(trials, spread=0.3)))
    assert 5 < len(expected) < 75
    for together in (1, 7, 1000):
        monkeypatch.setattr(stages, "_TOGETHER", together)
        assert raced(StageEnd(trials, [], FIRST, 5, rows_of(trials, spread=0.3))) == expected


def test_the_default_is_never_dropped():
    trials = entrants(0.1, 0.9, 0.95)
    assert 0 not in numbers(raced(StageEnd(trials, [], FIRST, 5, rows_of(trials))))
    short = [dataclasses.replace(each, horizon_scores=((3, each.fold_scores),), fold_scores=()) for each in trials]
    assert numbers(lagging(short, Stage(0, 1, 3))) == [1]


def test_a_trial_that_diverged_takes_no_part_and_a_round_of_such_ends_without_a_race():
    trials = entrants(0.9, None, 0.5)
    assert numbers(raced(StageEnd(trials, [], FIRST, 5, rows_of(trials)))) == [2]
    assert raced(StageEnd(entrants(None, None), [], FIRST, 5, None)) == []


@pytest.mark.parametrize("later", [TrialState.PRUNED, TrialState.COMPLETE, TrialState.DIVERGED, TrialState.FAILED])
def test_asking_again_later_gives_the_same_answer(later):
    """When a study goes on, some of the round are over already: the same ones were compared then."""
    trials = entrants(0.9, 0.5, 0.91, 0.4)
    expected = raced(StageEnd(trials, [], FIRST, 2, rows_of(trials)))
    more = {TrialState.COMPLETE: (0.2,), TrialState.DIVERGED: (None,)}.get(later, ())
    again = [
        dataclasses.replace(each, state=later, fold_scores=each.fold_scores + more) if place in (1, 2) else each
        for place, each in enumerate(trials)
    ]
    assert raced(StageEnd(again, [], FIRST, 2, rows_of(trials))) == expected


def test_without_rows_two_folds_are_compared():
    rng = np.random.default_rng(1)
    trials = [
        Trial(number, {}, fold_scores=tuple(level + 0.01 * rng.normal(size=2)), stage=0)
        for number, level in enumerate([0.8, 0.9, 0.9, 0.9, 0.9, 0.5, 0.6])
    ]
    dropped = raced(StageEnd(trials, [], Stage(0, 2), 5, None))
    assert numbers(dropped) == [5, 6]
    assert dropped[0].reason.startswith("after 2 of 5 folds worse than trial ")


def test_halving_drops_by_place_and_says_it():
    trials = [
        Trial(number, {}, horizon_scores=((9, (score, score)),), stage=0)
        for number, score in enumerate([0.5, 0.9, 0.8, 0.7, None, 0.6, 0.65])
    ]
    dropped = lagging(trials, Stage(0, 2, 9))
    assert numbers(dropped) == [5, 6]  # three of seven go on, the default does anyway, and what diverged is over
    assert dropped[0].reason == "on 1/9 of the epochs number 5 of 7, 3 went on"


def test_where_folds_are_trained_one_by_one_they_are_looked_at_one_by_one():
    assert fold_by_fold([Stage(0, 1), Stage(1, 5)]) == tuple(Stage(each, each + 1) for each in range(5))
    assert fold_by_fold([Stage(0, 2), Stage(2, 4)]) == (Stage(0, 2), Stage(2, 3), Stage(3, 4))
    assert fold_by_fold([Stage(0, 2)]) == (Stage(0, 2),)


def test_who_looks_often_is_more_certain_each_time():
    trials = entrants(*[0.9] * 30)
    end = StageEnd(trials, [], FIRST, 5, rows_of(trials))
    (one,), (four,) = (
        {
            each.numbers["limit"]
            for each in raced(
                end._replace(
                    entrants=[*trials, *entrants(0.1, start=30)],
                    rows=rows_of([*trials, *entrants(0.1, start=30)]),
                    looks=looks,
                )
            )
        }
        for looks in (1, 4)
    )
    assert one == pytest.approx(1 - 0.1 / 30)
    assert four == pytest.approx(1 - 0.1 / 4 / 30)


def test_futility_drops_earlier_the_fewer_folds_are_left():
    trials = entrants(*[0.9] * 30)
    end = StageEnd([*trials, *entrants(0.1, start=30)], [], FIRST, 5, rows_of([*trials, *entrants(0.1, start=30)]))
    (after_one,) = (each.numbers["limit"] for each in raced(end, futile))
    (after_more,) = (each.numbers["limit"] for each in raced(end._replace(folds=2), futile))
    assert 0.8 < after_more < after_one < 0.95
