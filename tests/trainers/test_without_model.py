"""A training on all rows that fails leaves the result of the search, without a model and with the reason."""

import json

import pytest
from typer.testing import CliRunner

import lrtune
from lrtune.cli import app
from lrtune.run.folder import open_run
from lrtune.run.journal import Journal
from lrtune.run.names import DATABASE
from lrtune.run.study import NO_MODEL
from lrtune.text.errors import ModelError, NoUsableResultError
from lrtune.verdict.reading import from_json

FUNCTION = """\
trainer: {{function: train.py:train{more}}}
data: {{path: trees.csv, target: kind, test_size: 0.2}}
search: {{strategy: grid, metric: accuracy, folds: 2, workers: 1}}
space: {{a: [1, 2, 3]}}
"""

CODE = """\
import os, time
import numpy as np


def train(run):
    if run.final:
        {ends}
    yield {{"accuracy": run["a"] / 10}}


def predict(run, X):
    return np.array(["ash"] * len(X))
"""

COMMAND = """\
trainer: {command: "{python} program.py {fold} {a}"}
data: {path: trees.csv, target: kind}
search: {strategy: grid, metric: accuracy, folds: 2, workers: 1}
space: {a: [1, 2, 3]}
"""

PROGRAM = """\
import json, os, sys

if sys.argv[1] == "0":
    sys.exit("no room")
with open(os.environ["LRTUNE_REPORT"], "w") as file:
    file.write(json.dumps({"accuracy": float(sys.argv[2]) / 10}) + "\\n")
"""

ESTIMATOR = """\
trainer: {estimator: only_folds.OnlyFolds}
data: {path: trees.csv, target: kind}
search: {strategy: grid, metric: accuracy, folds: 2, workers: 1}
space: {a: [1, 2]}
"""

ONLY_FOLDS = """\
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class OnlyFolds(ClassifierMixin, BaseEstimator):
    def __init__(self, a=1):
        self.a = a

    def fit(self, X, y):
        if len(X) > 60:
            raise ValueError("these are too many rows")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))
"""


def invoked(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "300"})


def events(folder):
    with Journal(folder / DATABASE) as journal:
        return [each.kind for each in journal.events()]


@pytest.mark.parametrize(
    ("ends", "more", "reason"),
    [
        ("raise ValueError('no room left')", "", "ValueError: no room left (train.py, line 7)"),
        ("time.sleep(1e9)", ", timeout: 0.5", "0.5 s"),
        ("os._exit(3)", "", "exit code 3"),
        ("raise SystemExit('enough')", "", "SystemExit: enough"),
    ],
)
def test_the_result_of_a_function_stands_without_its_model(ends, more, reason, folder):
    (folder / "file.yaml").write_text(FUNCTION.format(more=more))
    (folder / "train.py").write_text(CODE.format(ends=ends))
    run = folder / "run"

    made = invoked("search", "file.yaml", "--output", run)
    assert made.exit_code == 5
    assert "lrtune: there is no model" in made.stderr
    assert reason in made.stdout
    assert not (run / "model").exists()
    assert all((run / name).is_file() for name in ("trials.csv", "best.yaml", "result.json"))

    result = from_json(json.loads((run / "result.json").read_text()))
    assert result.best.configuration["a"] == 3
    assert "failed when it was trained on all" in result.no_model
    assert reason in result.no_model
    assert result.finished == "trials"
    assert result.anchors

    assert reason in invoked("health", run).stdout
    assert reason in invoked("show", run).stdout
    assert reason in invoked("status", run).stdout
    assert invoked("report", run, "--output", "page.html").exit_code == 0
    assert "lrtune predict" not in (folder / "page.html").read_text()
    predicted = invoked("predict", run, "trees.csv", "--trust")
    assert predicted.exit_code == 2
    assert reason in predicted.stderr


def test_the_same_command_tries_the_last_training_again_and_nothing_else(folder):
    (folder / "file.yaml").write_text(FUNCTION.format(more=""))
    (folder / "train.py").write_text(CODE.format(ends=f"if not os.path.exists('{folder}/room'): raise OSError('full')"))
    run = folder / "run"
    assert invoked("search", "file.yaml", "--output", run).exit_code == 5
    before = events(run)
    assert (before.count(NO_MODEL), before[-1]) == (1, "finished")
    assert invoked("search", "file.yaml", "--output", run).exit_code == 5
    assert events(run) == before  # the same failure is no news

    (folder / "room").touch()
    made = invoked("search", "file.yaml", "--output", run)
    assert made.exit_code == 0
    assert events(run) == [*before, "refit"]
    assert open_run(run).study.no_model is None
    assert from_json(json.loads((run / "result.json").read_text())).no_model is None
    assert invoked("predict", run, "trees.csv", "--trust").stdout.splitlines()[1].startswith("ash")


def test_a_command_an_estimator_and_reports_for_ci(folder):
    (folder / "only_folds.py").write_text(ONLY_FOLDS)
    (folder / "program.py").write_text(PROGRAM)
    for name, text, reason in (("command", COMMAND, "no room"), ("estimator", ESTIMATOR, "too many rows")):
        (folder / "file.yaml").write_text(text)
        made = invoked(
            "search", "file.yaml", "--output", name, "--junit", "report.xml", "--fail-under", "0.1", "--json"
        )
        assert made.exit_code == 5, made.output
        assert reason in json.loads(made.stdout)["no_model"]
        assert "lrtune: there is no model: " in made.stderr
        assert reason in (folder / "report.xml").read_text()
        assert '<error message="there is no model' in (folder / "report.xml").read_text()


def test_python_gets_the_result_and_a_sentence_for_its_model(folder):
    (folder / "only_folds.py").write_text(ONLY_FOLDS)
    (folder / "file.yaml").write_text(ESTIMATOR)
    result = lrtune.search("file.yaml", output="run")
    assert result.best.configuration["a"] in (1, 2)
    with pytest.raises(ModelError, match=r"there is no model: .* these are too many rows"):
        result.model  # noqa: B018
    with pytest.raises(ModelError, match=r"no model here .* these are too many rows"):
        lrtune.load("run")


def test_a_later_winner_without_a_model_leaves_none_of_an_earlier_one(folder):
    (folder / "train.py").write_text(CODE.format(ends="assert run['a'] < 3, 'three is too many'"))
    (folder / "file.yaml").write_text(FUNCTION.format(more=""))
    assert invoked("search", "file.yaml", "--output", "run", "--trials", "2").exit_code == 0
    assert invoked("predict", "run", "trees.csv", "--trust").exit_code == 0
    assert invoked("search", "file.yaml", "--output", "run", "--trials", "3").exit_code == 5
    assert json.loads((folder / "run" / "result.json").read_text())["best"]["configuration"]["a"] == 3
    assert "three is too many" in invoked("predict", "run", "trees.csv", "--trust").stderr


def test_an_outer_fold_without_a_model_has_no_score(folder):
    (folder / "only_folds.py").write_text(ONLY_FOLDS.replace("> 60", "== 36"))
    (folder / "file.yaml").write_text(ESTIMATOR)
    with pytest.raises(NoUsableResultError, match=r"outer fold 1 of 2: .*these are too many rows"):
        lrtune.search("file.yaml", overrides=["search.nested=2", "search.folds=5"], output="run")
