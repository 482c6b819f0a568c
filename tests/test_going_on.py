"""A study goes on: over sessions with their own time, and by more trials than were asked for."""

import csv
import math

import pytest
from interruptions import interrupted_after
from patience import PATIENCE

import lrtune
from lrtune.experiment import load_text
from lrtune.run.bodies import Trained
from lrtune.run.journal import Journal, canonical
from lrtune.run.names import DATABASE
from lrtune.run.study import MORE, replay
from lrtune.text.errors import LrtuneError
from lrtune.trainers.preparation import prepare
from lrtune.tuning.allowance import Allowance, first_limit, read_allowance
from lrtune.tuning.core import tune
from lrtune.tuning.pace import Pace

EXPERIMENT = """
data: {path: sklearn:iris, test_size: 0.2}
model: {hidden: [4]}
training: {epochs: 2}
search: {strategy: random, trials: 7, folds: 3, metric: accuracy, control: false}
space:
  learning_rate: {low: 1e-3, high: 1.0, scale: log}
  optimizer: [sgd, adam]
  batch_size: [16, 32]
"""
TEXTS = {
    "random": EXPERIMENT,
    "tpe": EXPERIMENT.replace("random", "tpe"),
    "bayesian": EXPERIMENT.replace("random", "bayesian"),
    "halving": EXPERIMENT.replace("random,", "random, pruning: halving, round: 9,").replace("epochs: 2", "epochs: 9"),
}
GRID = EXPERIMENT.replace("random, trials: 7", "grid").replace("{low: 1e-3, high: 1.0, scale: log}", "[0.01, 0.1]")


def session(folder, text=EXPERIMENT, *, workers=1, **allowed):
    """One session to its end: what the study says, and what was trained."""
    chosen = load_text(text, name="iris")
    events, steps = [], tune(chosen, prepare(chosen), folder, workers=workers, allowance=Allowance(**allowed))
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return replay(events), end.value


def content(folder, *, apart=()):
    with Journal(folder / DATABASE) as journal:
        return canonical(each for each in journal.events() if each.kind not in apart)


@pytest.mark.parametrize("name", TEXTS)
def test_more_trials_are_those_of_a_larger_budget(name, tmp_path):
    """The oracle is a study that was asked for all of them at once; of races and halving the round is whole."""
    text = TEXTS[name]
    session(tmp_path / "run", text)
    study, trained = session(tmp_path / "run", text, more_trials=6)
    whole, _ = session(tmp_path / "whole", text.replace("trials: 7", "trials: 13"))
    assert [each.configuration for each in study.in_order()] == [each.configuration for each in whole.in_order()]
    assert (study.asked, study.finished, len(study.trials)) == (13, "trials", 13)
    assert trained.trials >= 6
    assert trained.added == 6
    if name != "halving":  # a round that a budget has cut short was raced without the rest
        assert study.in_order() == whole.in_order()
        assert study.refit == whole.refit
        assert trained.fits == 6 * 3
        apart = ("finished", "more", "refit")
        assert content(tmp_path / "run", apart=apart) == content(tmp_path / "whole", apart=apart)
    again, nothing = session(tmp_path / "run", text)
    assert (again, nothing) == (study, Trained())
    twice, _ = session(tmp_path / "run", text, more_trials=2)
    assert len(twice.trials) == 15


@pytest.mark.parametrize("writes", range(1, 6))
def test_what_was_interrupted_goes_on_to_what_was_asked_for_and_no_further(writes, tmp_path, monkeypatch):
    text = TEXTS["tpe"]
    session(tmp_path / "run", text)
    with interrupted_after(monkeypatch, writes), pytest.raises(KeyboardInterrupt):
        session(tmp_path / "run", text, more_trials=10)
    study, _ = session(tmp_path / "run", text, more_trials=10) if writes % 2 else session(tmp_path / "run", text)
    assert len(study.trials) == 17
    assert len([each for each in content(tmp_path / "run") if each.startswith(f'["{MORE}"')]) == 1
    session(tmp_path / "whole", text)
    session(tmp_path / "whole", text, more_trials=10, workers=2)
    assert content(tmp_path / "run") == content(tmp_path / "whole")


def test_a_study_that_is_not_finished_goes_on_to_its_own_budget_first(tmp_path, monkeypatch):
    with interrupted_after(monkeypatch, 2), pytest.raises(KeyboardInterrupt):
        session(tmp_path / "run")
    study, trained = session(tmp_path / "run", more_trials=5)
    assert (len(study.trials), study.asked, trained.added) == (7, 0, 0)


def test_what_ended_early_is_tried_further_by_as_many_as_are_asked_for(tmp_path):
    text = EXPERIMENT.replace("trials: 7", "trials: 9, round: 3, target: 0.1")
    study, _ = session(tmp_path / "run", text)
    assert (study.finished, len(study.trials)) == ("target", 3)
    study, _ = session(tmp_path / "run", text, more_trials=4)
    assert (study.finished, len(study.trials)) == ("target", 7)


def test_of_a_grid_that_is_exhausted_there_is_no_more(tmp_path):
    asked = {"overrides": ("training.epochs=2", "model.hidden=[4]", "search.control=false"), "report": False}
    given = {"data": {"x": [0.0, 1.0] * 30, "y": ["a", "b"] * 30}, "target": "y", "strategy": "grid", "folds": 3}
    given |= {"space": {"learning_rate": [0.01, 0.1], "optimizer": ["sgd", "adam"]}, "output": tmp_path / "run"}
    first = lrtune.search(**given, **asked)
    assert (first.trained.trials, first.counts.total) == (4, 4)
    steps = list(lrtune.search_steps(**given, **asked, more_trials=3))
    assert steps[-1].idle == "This session trained nothing: all 4 configurations of the space have been tried."
    assert steps[-1].result.trained == type(first.trained)(0, 0, 0)
    session(tmp_path / "grid", GRID)
    before = content(tmp_path / "grid")
    session(tmp_path / "grid", GRID, more_trials=3)
    assert content(tmp_path / "grid") == before


def with_blocks(monkeypatch, blocks):
    """Let time allow so many blocks in this session."""
    left = iter(range(blocks))
    monkeypatch.setattr(Pace, "allows", lambda *_: next(left, None) is not None)


def test_every_session_has_its_own_time_and_the_study_goes_on(tmp_path, monkeypatch):
    """Three nights: what earlier ones have spent is not counted, and the last finds what is missing."""
    text = EXPERIMENT.replace("trials: 7", "trials: 12, round: 4")
    done = []
    for _ in range(3):
        with monkeypatch.context() as patch:
            with_blocks(patch, 1)
            study, trained = session(tmp_path / "run", text, timeout=PATIENCE)
        done.append(trained.trials)
    assert study.finished == "timeout"
    assert all(done)
    study, _ = session(tmp_path / "run", text)
    whole, _ = session(tmp_path / "whole", text)
    assert study.in_order() == whole.in_order()


def test_whichever_time_ends_first_ends_the_session():
    night, both = Allowance(timeout=100.0), 250.0
    assert first_limit(night, None, 1e6)[:2] == ("--timeout", 100.0)
    assert first_limit(night, both, 0.0).left == 100.0
    assert first_limit(night, both, 200.0) == ("search.timeout", 250.0, 200.0)
    assert first_limit(night, both, 200.0).left == 50.0
    assert not first_limit(Allowance(), None, 5.0).is_set
    assert first_limit(Allowance(), None, 5.0).left == math.inf


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"timeout": "soon"}, "timeout='soon': expected a duration such as 90s, 10m or 1h30m"),
        ({"timeout": -1}, "timeout=-1: expected a duration above 0"),
        ({"more_trials": 0}, "more_trials=0: expected a whole number of at least 1"),
        ({"more_trials": "5"}, "more_trials='5': expected a whole number"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_read(given, problem):
    with pytest.raises(LrtuneError, match=problem):
        read_allowance(**given)
    with pytest.raises(LrtuneError, match=problem):
        lrtune.search(data={"x": [0.0, 1.0] * 30, "y": ["a", "b"] * 30}, target="y", **given)


def rows_of(folder):
    return list(csv.reader((folder / "trials.csv").read_text().splitlines()))


def test_the_table_of_trials_has_the_first_ones_as_they_were(tmp_path):
    asked = {"overrides": ("training.epochs=2", "model.hidden=[4]", "search.control=false"), "report": False}
    given = {"data": {"x": [0.0, 1.0] * 30, "y": ["a", "b"] * 30}, "target": "y", "trials": 4, "folds": 3}
    given |= {"space": {"learning_rate": {"low": 0.01, "high": 1.0, "scale": "log"}, "optimizer": ["sgd", "adam"]}}
    lrtune.search(**given, **asked, output=tmp_path / "run")
    before = rows_of(tmp_path / "run")
    found = lrtune.search(**given, **asked, output=tmp_path / "run", more_trials=3)
    after = rows_of(tmp_path / "run")
    assert after[: len(before)] == before
    assert len(after) == 8
    assert found.counts.total == 7
    assert found.trained.trials == 3
