"""A study by asking and telling: the samplers of a search, and a journal that loses nothing."""

import json
import math
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from typer.testing import CliRunner

import lrtune
from lrtune.cli import app
from lrtune.run.journal import Journal, canonical
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.text.errors import ExperimentError, LrtuneError, SpaceError, StudyError
from lrtune.training.metrics.catalogue import METRICS, foreign, plain_name
from lrtune.verdict.standing import larger_is_better, own_sign

SPACE = {
    "learning_rate": {"low": 0.001, "high": 1.0, "scale": "log"},
    "depth": {"low": 1, "high": 9},
    "booster": ["tree", {"dart": {"drop": [0.1, 0.2]}}],
}
FINITE = {"a": [1, 2, 3], "b": ["x", "y"]}


def loss(point, fold=0):
    return abs(math.log10(point["learning_rate"]) + 2) + abs(point["depth"] - 4) + 0.01 * fold


def opened(folder=None, **given):
    return lrtune.Study(SPACE, **{"metric": "loss", "larger_is_better": False, "folder": folder, **given})


def content(folder):
    with Journal(folder / "study.db") as journal:
        return canonical(journal.events())


@pytest.mark.parametrize("strategy", [each for each in STRATEGIES if each != "grid"])
@pytest.mark.parametrize("in_memory", [True, False])
def test_it_proposes_what_suggest_does(strategy, in_memory, tmp_path):
    history = []
    with opened(None if in_memory else tmp_path, strategy=strategy, seed=3) as study:
        for n in (1, 4, 5, 2):
            trials = study.ask(n)
            expected = lrtune.suggest(SPACE, history, n, 3, strategy)
            assert [each.configuration for each in trials] == expected
            assert [list(each.configuration) for each in trials] == [list(each) for each in expected]
            for trial in trials:
                scores = None if trial.number == 4 else [loss(trial.configuration, fold) for fold in range(3)]
                study.tell(trial, scores)
                turned = None if scores is None else [-each for each in scores]
                history.append((trial.configuration, turned))


def test_what_is_asked_and_not_told_counts_as_running():
    study = opened(strategy="bayesian")
    for trial in study.ask(8):
        study.tell(trial, loss(trial.configuration))
    told = [(each.configuration, -each.mean) for each in study.trials]
    waiting = study.ask(2)
    running = [*told, *((each.configuration, []) for each in waiting)]
    assert [each.configuration for each in study.ask(2)] == lrtune.suggest(SPACE, running, 2)


def test_scores_come_back_as_they_were_told():
    study = opened()
    first, second, third = study.ask(3)
    study.tell(first, [1.0, 2.0, 4.5])
    study.tell(second.number, np.array([1.0, 0.5, 0.0], dtype=np.float32))
    assert [each.number for each in study.pending] == [2]
    assert study.best == study.trials[1]
    assert (study.best.mean, study.best.std, study.best.fold_scores) == (0.5, 0.5, (1.0, 0.5, 0.0))
    assert (study.trials[0].mean, study.trials[0].state) == (2.5, "complete")
    assert study.trials[2] == third
    study.tell(third, None)
    assert study.pending == []


@pytest.mark.parametrize(
    ("metric", "best"), [({"metric": "accuracy"}, 1), ({"metric": "rmse"}, 0), ({"metric": "r2"}, 1)]
)
def test_a_metric_of_lrtune_knows_which_way_is_better(metric, best):
    study = lrtune.Study(FINITE, **metric)
    for trial, score in zip(study.ask(2), (0.5, 0.75), strict=True):
        study.tell(trial, score)
    assert study.best.number == best
    assert [each.mean for each in study.trials] == [0.5, 0.75]


def test_what_came_to_nothing_is_told_apart(tmp_path):
    with opened(tmp_path) as study:
        complete, failed, diverged, stopped, explained, whole = study.ask(6)
        assert study.best is None
        study.tell(complete, [0.5, 0.5, 0.5])
        study.tell(failed, None, reason="out of memory")
        study.tell(diverged, [0.1, math.nan, 10**400])
        study.tell(stopped, [0.1])
        study.tell(explained, [0.1, 0.1], reason="slow")
        study.tell(whole, [1, 2, 3])
        trials = study.trials
    assert [each.state for each in trials] == ["complete", "failed", "diverged", "pruned", "pruned", "complete"]
    assert trials[2].fold_scores == (0.1, None, None)
    with Journal(tmp_path / "study.db") as journal:
        reasons = [each.body["reason"] for each in journal.events() if "reason" in each.body]
    assert reasons == ["out of memory", "stopped after 1 of 3 folds", "slow"]


def test_a_space_that_is_exhausted_gives_fewer():
    study = lrtune.Study(FINITE, metric="accuracy", strategy="grid")
    assert len(study.ask(4)) == 4
    assert len(study.ask(4)) == 2
    assert study.ask() == study.ask(0) == []


@pytest.mark.parametrize("every", [1, 3])
def test_the_same_asks_and_tells_are_the_same_content_however_often_it_is_interrupted(tmp_path, every):
    def run(folder, sessions):
        for _ in range(sessions):
            with opened(folder) as study:
                for _ in range(12 // sessions):
                    (trial,) = study.ask()
                    study.tell(trial, [loss(trial.configuration, fold) for fold in range(2)])
                found = study.trials
        return found

    whole, parts = run(tmp_path / "whole", 1), run(tmp_path / "parts", 12 // every)
    assert whole == parts
    assert content(tmp_path / "whole") == content(tmp_path / "parts")


def test_a_resumed_study_neither_loses_a_trial_nor_asks_it_again(tmp_path):
    with opened(tmp_path) as study:
        asked = study.ask(3)
        study.tell(asked[1], 0.5)
    with opened(tmp_path) as study:
        assert study.pending == [asked[0], asked[2]]
        more = study.ask(2)
        assert [each.number for each in more] == [3, 4]
        points = [tuple(each.configuration.items()) for each in study.trials]
        assert len(set(points)) == 5
        study.tell(asked[0], 0.25)
        assert study.best.number == 0


KILLED = """
import os, sys
import lrtune
study = lrtune.Study({space!r}, metric="loss", larger_is_better=False, folder={folder!r})
for trial in study.pending or study.ask(2):
    study.tell(trial, trial.configuration["learning_rate"])
    print(trial.number, flush=True)
(lost,) = study.ask()
print("asked", lost.number, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills a process")
def test_what_was_told_survives_a_kill(tmp_path):
    code = KILLED.format(space=SPACE, folder=str(tmp_path))
    told = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr
        told += [int(line) for line in done.stdout.splitlines() if line.isdigit()]
        (asked,) = (int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("asked"))
        with opened(tmp_path) as study:
            assert [each.number for each in study.trials if each.state == "complete"] == told
            assert [each.number for each in study.pending] == [asked]
            assert all(each.mean == each.configuration["learning_rate"] for each in study.trials if each.mean)
    assert told == [0, 1, 2, 3]


def test_one_process_holds_a_folder_until_it_lets_go(tmp_path):
    code = f"import lrtune; lrtune.Study({SPACE!r}, metric='loss', larger_is_better=False, folder={str(tmp_path)!r})"
    with opened(tmp_path):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "another lrtune process works in this folder" in done.stderr.splitlines()[-1]
        with pytest.raises(StudyError, match="another lrtune process works in this folder"):
            opened(tmp_path)
    subprocess.run([sys.executable, "-c", code], check=True)
    opened(tmp_path).close()
    opened(tmp_path)  # nobody keeps it, so that it is closed
    opened(tmp_path).close()


def test_a_closed_study_says_so(tmp_path):
    study = opened(tmp_path)
    (trial,) = study.ask()
    study.close()
    study.close()
    for call in (study.ask, lambda: study.tell(trial, 0.5)):
        with pytest.raises(StudyError, match="this study is closed"):
            call()
    assert study.trials == [trial]


def test_threads_take_turns(tmp_path):
    study = opened(tmp_path, strategy="random")
    barrier = threading.Barrier(4)

    def work(_):
        barrier.wait()
        for _ in range(5):
            (trial,) = study.ask()
            study.tell(trial, loss(trial.configuration))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    study.close()
    with opened(tmp_path, strategy="random") as again:
        assert [each.number for each in again.trials] == list(range(20))
        assert all(each.mean == pytest.approx(loss(each.configuration)) for each in again.trials)


def test_a_damaged_study_is_kept_aside_and_goes_on(tmp_path):
    with opened(tmp_path) as study:
        for trial in study.ask(6):
            study.tell(trial, loss(trial.configuration))
    whole = (tmp_path / "study.db").read_bytes()
    at = whole.index(b'"trial":4')
    (tmp_path / "study.db").write_bytes(whole[:at] + b'"trial":7' + whole[at + 9 :])
    with opened(tmp_path) as study:
        assert 0 < len([each for each in study.trials if each.state == "complete"]) < 6
        assert (tmp_path / "study.db.damaged-1").is_file()
        for trial in study.pending:
            study.tell(trial, loss(trial.configuration))
        assert study.ask(1)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 1}, "experiment.search.seed (0 there, 1 here)"),
        ({"strategy": "tpe"}, 'experiment.search.strategy ("bayesian" there, "tpe" here)'),
        ({"metric": "rmse", "larger_is_better": None}, 'metric ("loss (smaller is better)" there, "rmse" here)'),
        ({"larger_is_better": True}, '"loss (larger is better)" here'),
        ({"folds": 3}, "experiment.search.folds (null there, 3 here)"),
    ],
)
def test_another_study_is_refused(tmp_path, change, named):
    opened(tmp_path).close()
    with pytest.raises(StudyError) as caught:
        opened(tmp_path, **change)
    assert named in str(caught.value)
    opened(tmp_path).close()  # and nothing holds the folder


def test_another_space_and_a_search_are_refused(tmp_path):
    opened(tmp_path / "told").close()
    with pytest.raises(StudyError, match=r"different are experiment\.space"):
        lrtune.Study(FINITE, metric="loss", larger_is_better=False, folder=tmp_path / "told")
    lrtune.search(data="sklearn:iris", trials=1, output=tmp_path / "searched")
    with pytest.raises(StudyError, match="holds a search of `lrtune search`"):
        opened(tmp_path / "searched")
    with pytest.raises(StudyError, match="holds the study of another experiment"):
        lrtune.search(data="sklearn:iris", trials=1, output=tmp_path / "told")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"metric": "accurcy"}, "metric: unknown 'accurcy'; did you mean 'accuracy'?; of a metric of your own say"),
        ({"metric": "bleu"}, "metric: unknown 'bleu'; lrtune knows accuracy, "),
        ({"metric": 3}, "metric: expected a name, got 3"),
        ({"metric": "rmse", "larger_is_better": True}, "larger_is_better: of rmse, smaller is better"),
        ({"metric": "bleu", "larger_is_better": "yes"}, "larger_is_better: expected True or False, got 'yes'"),
        ({"metric": "rmse", "strategy": "bayes"}, "strategy: unknown 'bayes'; did you mean 'bayesian'?"),
        ({"metric": "rmse", "strategy": []}, "strategy: unknown '[]'; allowed: "),
        ({"metric": "rmse", "seed": -1}, "seed: expected a whole number of at least 0, got -1"),
        ({"metric": "rmse", "folds": 0}, "folds: expected a whole number of at least 1, got 0"),
        ({"metric": "rmse", "strategy": "grid"}, "a grid needs finite dimensions, but learning_rate is a range"),
        ({"metric": "rmse", "space": {"a": []}}, "space: a: an empty list offers nothing to pick"),
        ({"metric": "rmse", "space": None}, "space: expected a mapping from names to what may be tried, got None"),
    ],
)
def test_wrong_arguments_are_a_sentence(given, sentence, tmp_path):
    with pytest.raises(ExperimentError) as caught:
        lrtune.Study(**{"space": SPACE, **given}, folder=tmp_path / "new")
    assert str(caught.value).startswith(sentence)
    assert not (tmp_path / "new").exists()


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(ExperimentError) as caught:
        lrtune.Study({"optimizer": ["adma"], "epochs": 0}, metric="x", strategy="y", seed=0.5, folds="z")
    assert [each.partition(":")[0] for each in caught.value.problems] == [
        *("metric", "strategy", "seed", "folds", "space", "space")
    ]


@pytest.mark.parametrize(
    ("trial", "scores", "more", "sentence"),
    [
        (7, 1.0, {}, "this study has no trial 7; its trials are 0 to 3"),
        ("a", 1.0, {}, "this study has no trial 'a'; its trials are 0 to 3"),
        (True, 1.0, {}, "this study has no trial True; its trials are 0 to 3"),
        ([], 1.0, {}, "this study has no trial []; its trials are 0 to 3"),
        (0, 1.0, {}, "trial 0 was told before, and is complete; what was told stays"),
        (1, "good", {}, "trial 1: a score is a number or None; got 'good'"),
        (1, [1.0, True], {}, "trial 1: a score is a number or None; got True"),
        (1, np.zeros((2, 2)), {}, "trial 1: a score is a number or None; got [0.0, 0.0]"),
        (1, [], {}, "trial 1: an empty list tells nothing; None tells that it failed"),
        (1, [1.0, 2.0, 3.0], {}, "trial 1: 3 scores, but this study has 2 folds"),
        (
            1,
            [1.0, 2.0],
            {"reason": "x"},
            "trial 1: a reason is told of what failed or was stopped; this has its scores",
        ),
    ],
)
def test_what_cannot_be_told_is_a_sentence_and_changes_nothing(tmp_path, trial, scores, more, sentence):
    with opened(tmp_path) as study:
        study.tell(study.ask(4)[0], [0.5, 0.5])
        before = study.trials
        with pytest.raises(StudyError) as caught:
            study.tell(trial, scores, **more)
        assert str(caught.value) == sentence
        assert study.trials == before


@pytest.mark.parametrize("n", [-1, 1.5, "3", None, True])
def test_a_number_of_trials_that_is_none_is_refused(n):
    with pytest.raises(StudyError) as caught:
        opened().ask(n)
    assert str(caught.value) == f"n: expected a whole number of at least 0, got {n!r}"


def test_the_number_of_folds_can_be_said_before():
    study = opened(folds=3)
    study.tell(study.ask()[0], 0.1)
    assert study.trials[0].state == "pruned"


@pytest.fixture
def told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with opened("runs/mine") as study:
        for number, trial in enumerate(study.ask(5)):
            if number < 4:
                study.tell(trial, [loss(trial.configuration, fold) for fold in range(2)])
        return study.best


def run(*words):
    return CliRunner().invoke(app, list(words))


def test_the_command_line_looks_at_such_a_folder(told):
    shown = json.loads(run("show", "mine", "--json").stdout)
    assert shown["status"]["trials"]["done"] == 4
    assert (shown["status"]["metric"], shown["status"]["larger_is_better"]) == ("loss (smaller is better)", False)
    assert shown["top"][0]["mean"] == pytest.approx(told.mean)
    assert shown["top"][0]["configuration"] == told.configuration
    for words in (("show", "mine"), ("status", "mine"), ("status", "mine", "--json"), ("trials", "mine")):
        result = run(*words)
        assert result.exit_code == 0, result.output
    assert "stopped after 4 of 5 trials" in run("status", "mine").stdout
    assert "lrtune.Study(..., folder='runs/mine')" in run("show", "mine").stdout
    (listed,) = json.loads(run("list", "--json").stdout)["runs"]
    assert (listed["problem"], listed["best"]["number"]) == (None, told.number)
    rows = run("export", "mine", "--to", "csv").stdout.splitlines()
    assert rows[0].startswith("number,state,mean,std,fold_1,fold_2,learning_rate")
    assert len(rows) == 6
    assert json.loads(run("export", "mine", "--to", "json").stdout)["experiment"]["trainer"] == "ask and tell"


def test_the_command_line_sees_who_works_on_it(told):
    with opened("runs/mine"):
        assert json.loads(run("status", "mine", "--json").stdout)["state"] == "running"
        assert "to go on" not in run("status", "mine").stdout
    assert told.number in range(4)


@pytest.mark.parametrize(
    "words",
    [
        *(
            ("health", "mine"),
            ("importance", "mine"),
            ("retrain", "mine", "--trial", "1"),
            ("predict", "mine", "x.csv"),
        ),
        *(("schedules", "--run", "mine"), ("search", "--data", "sklearn:iris", "-o", "runs/mine")),
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("told")
def test_what_needs_more_than_scores_ends_in_a_sentence(words):
    result = run(*words)
    assert isinstance(result.exception, SystemExit | LrtuneError | SpaceError), result.exception
    assert result.exit_code != 0


def test_a_name_of_the_space_may_be_anything(tmp_path):
    space = {"layers": [[1, 2], [3]], "on": [True, False], "what": ["a", None], "x y": {"low": 0.5, "high": 0.75}}
    with lrtune.Study(space, metric="accuracy", folder=tmp_path) as study:
        asked = study.ask(6)
    with lrtune.Study(space, metric="accuracy", folder=tmp_path) as study:
        assert study.trials == asked
        assert {type(each.configuration["layers"]) for each in asked} == {tuple}


@pytest.mark.parametrize("larger", [True, False])
def test_the_written_name_of_a_metric_of_ones_own_says_which_way_is_better(larger):
    name = foreign("bleu", larger_is_better=larger)
    assert (larger_is_better(name), plain_name(name), own_sign(name, 0.5)) == (larger, "bleu", 0.5 if larger else -0.5)
    assert [plain_name(each) for each in METRICS] == list(METRICS)
