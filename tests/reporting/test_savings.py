"""What pruning saved, counted by hand."""

import pytest

from lrtune.reporting.savings import savings_row
from lrtune.run.journal import Event
from lrtune.run.study import PRUNED, RESULT, STUDY, TRIAL, replay, result_body
from lrtune.verdict.making import savings


def study(pruning, results, epochs=(10, 10, 20)):
    """Write events: `results` are bodies of results and of pruned trials."""
    header = {"metric": "accuracy", "experiment": {"search": {"pruning": pruning}}}
    events = [Event(STUDY, header)]
    events += [Event(TRIAL, {"trial": number, "configuration": {"epochs": each}}) for number, each in enumerate(epochs)]
    events += [Event(RESULT if "scores" in each else PRUNED, each | {"clock": {"seconds": 1.0}}) for each in results]
    return replay(events)


def dropped(number):
    return {"trial": number, "stage": 0, "reason": "after 1 of 4 folds"}


def test_a_race_saves_the_folds_of_dropped_trials_weighted_by_their_epochs():
    bodies = [result_body(number, [0.5], more=True) for number in range(3)]
    found = savings(
        study("race", [*bodies, dropped(2), result_body(0, [0.5] * 3, stage=1), result_body(1, [0.5] * 3, stage=1)]),
        dict,
    )
    assert found.saved == pytest.approx(3 * 20 / (4 * 40))
    assert found.seconds == pytest.approx(5.0 * 60 / 100)  # five results of a second each did 100 of 160 epochs
    assert (found.kind, found.pruned) == ("race", 1)
    assert savings_row(found) == [
        (
            "pruning",
            "race: 1 trial ended early (trial 2 after 1 of 4 folds), which saved about 38 % of the training, 3.0 s",
        )
    ]


def test_short_horizons_cost_their_part():
    short = [result_body(number, [0.5] * 4, more=True, shorter=3) for number in range(3)]
    found = savings(study("halving", [*short, dropped(1), dropped(2), result_body(0, [0.5] * 4, stage=1)]), dict)
    assert found.saved == pytest.approx(1 - (40 / 3 + 10) / 40, abs=1e-4)


def test_a_halving_that_costs_more_than_it_spares_says_so():
    short = [result_body(number, [0.5] * 4, more=True, shorter=3) for number in range(3)]
    whole = [result_body(number, [0.5] * 4, stage=1) for number in range(3)]
    found = savings(study("halving", [*short, *whole]), dict)
    assert found.saved < 0
    assert found.first is None
    assert savings_row(found) == [("pruning", "halving: 0 trials ended early, which saved nothing")]


def test_without_pruning_there_is_nothing_to_say():
    assert savings(study("none", [result_body(number, [0.5]) for number in range(3)]), dict) is None
    assert savings_row(None) == []
