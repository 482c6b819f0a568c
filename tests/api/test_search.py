"""`lrtune.search` and `lrtune.search_steps`: what the command does, from Python."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from typer.testing import CliRunner

import lrtune
from lrtune.cli import app
from lrtune.text.errors import LrtuneError
from lrtune.tuning.steps import Begun, Ended, Part, Recorded
from lrtune.verdict.reading import from_json

SPACE = {"learning_rate": {"low": 0.01, "high": 1.0, "scale": "log"}, "decay": ["constant", "linear"]}
QUICK = {"trials": 4, "folds": 3, "seed": 1, "space": SPACE, "overrides": ["training.epochs=3"]}


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    return {"x": rng.normal(size=90), "color": rng.choice(["red", "blue"], 90), "y": rng.choice(["no", "yes"], 90)}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_function_gives_what_the_command_writes(rows):
    pl.DataFrame(rows).write_csv("table.csv")
    found = lrtune.search(data="table.csv", target="y", output="python", **QUICK)
    settings = ("--trials", "4", "--seed", "1", "--set", "search.folds=3", "--set", "training.epochs=3")
    table = ("--data", "table.csv", "--target", "y", "--set", f"space={json.dumps(SPACE)}")
    assert CliRunner().invoke(app, ["search", *table, *settings, "-o", "command", "-q"]).exit_code == 0
    for name in ("trials.csv", "best.yaml", "experiment.yaml", "out_of_fold.bin", "model/model.npz"):
        assert Path("python", name).read_bytes() == Path("command", name).read_bytes()
    written = json.loads(Path("command/result.json").read_text())
    assert {**found.to_json(), "seconds": None} == {**written, "seconds": None}
    assert from_json(json.loads(Path("python/result.json").read_text())) == found.plain()


@pytest.mark.parametrize("target", ["y", "x"])
def test_what_suits_a_table_is_one_experiment_whichever_way_it_comes(rows, target):
    rest = {key: rows[key] for key in rows if key != target}
    rows = {**rest, target: rows[target]}
    pl.DataFrame(rows).write_csv("table.csv")
    few = {"trials": 1, "overrides": ["training.epochs=2"]}
    ways = ({"data": "table.csv", "target": target}, {"data": pd.DataFrame(rows), "target": target})
    ways += ({"X": pl.DataFrame(rest), "y": pl.Series(target, rows[target])},)
    found = [lrtune.search(**way, **few, output=f"way-{number}") for number, way in enumerate(ways)]
    assert len({each.fingerprint for each in found}) == 1
    assert {each.metric for each in found} == {"log_loss" if target == "y" else "rmse"}
    written = CliRunner().invoke(app, ["init", "table.csv", "--target", target])
    assert written.exit_code == 0, written.output
    of_file = lrtune.search("config.yaml", trials=1, overrides=["training.epochs=2"], output="file")
    assert of_file.fingerprint == found[0].fingerprint
    assert len(of_file.best.fold_scores) == 20


def test_rows_in_memory_are_those_of_a_file(rows):
    pl.DataFrame(rows).write_csv("table.csv")
    of_file = lrtune.search(data="table.csv", target="y", output="file", **QUICK)
    for number, data in enumerate((rows, pl.DataFrame(rows), pd.DataFrame(rows))):
        found = lrtune.search(data=data, target="y", output=f"memory-{number}", **QUICK)
        assert found.best == of_file.best
        assert found.corrected == of_file.corrected
        assert type(found.trials) is (pd.DataFrame if number == 2 else pl.DataFrame)


def test_what_comes_back_is_worth_having(rows):
    features = pd.DataFrame({key: rows[key] for key in ("x", "color")})
    found = lrtune.search(X=features, y=rows["y"], output="run", **QUICK)
    assert list(found.trials["number"]) == [0, 1, 2, 3]
    assert found.trials["mean"].min() == pytest.approx(found.best.mean)  # of log losses
    assert set(found.model.predict(features)) <= {"no", "yes"}
    assert found.expected.low <= found.expected.score <= found.expected.high
    assert found.folder == Path("run")


def test_a_search_that_is_stopped_goes_on_with_the_same_call(rows):
    whole = lrtune.search(data=rows, target="y", output="whole", **QUICK)
    for step in lrtune.search_steps(data=rows, target="y", output="stopped", **QUICK):
        if isinstance(step, Recorded) and step.event.kind == "result":
            break
    assert not Path("stopped/result.json").exists()
    found = lrtune.search(data=rows, target="y", output="stopped", **QUICK)
    assert (found.best, found.corrected) == (whole.best, whole.corrected)
    assert Path("stopped/trials.csv").read_bytes() == Path("whole/trials.csv").read_bytes()


def test_the_steps_tell_the_parts_in_order_and_end_with_the_result(rows):
    steps = list(lrtune.search_steps(data=rows, target="y", output="run", **QUICK))
    assert [each.part for each in steps if isinstance(each, Begun)] == [Part.READING, Part.TRIALS, Part.JUDGING]
    assert isinstance(steps[-1], Ended)
    assert sum(isinstance(each, Recorded) and each.event.kind == "result" for each in steps) == 4


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"trials": 0}, "trials=0: "),
        ({"strategy": "bayesan"}, "did you mean 'bayesian'?"),
        ({"space": {"learning_rat": 1.0}}, "did you mean 'learning_rate'?"),
        ({"target": "z"}, "'z'"),
        ({"X": [[1.0]], "y": [1.0]}, "not both"),
        ({"timeout": "soon"}, "timeout='soon'"),
        ({"metric": "rmse"}, "metric='rmse': search.metric: 'rmse' is for regression"),
    ],
)
def test_wrong_arguments_are_one_sentence_before_anything_is_trained(rows, given, sentence):
    with pytest.raises(LrtuneError) as raised:
        lrtune.search(**{"data": rows, "target": "y", "output": "run", **QUICK, **given})
    assert sentence in str(raised.value)
    assert not Path("run").exists()


def test_an_experiment_is_complete(rows):
    pl.DataFrame(rows).write_csv("table.csv")
    Path("case.yaml").write_text("data: {path: table.csv, target: y}\nsearch: {trials: 2, folds: 2}\n")
    from lrtune.experiment import load

    found = lrtune.search(load(Path("case.yaml")), output="one")
    assert found.best == lrtune.search("case.yaml", output="two").best
    with pytest.raises(LrtuneError, match="is complete"):
        lrtune.search(load(Path("case.yaml")), trials=3)


def test_one_configuration_has_no_note_on_a_search_that_followed_scores(rows):
    asked = {**QUICK, "strategy": "bayesian", "data": pl.DataFrame(rows), "target": "y"}
    several = lrtune.search(output="several", **asked)
    alone = lrtune.search(output="alone", **{**asked, "trials": 1})
    assert any("the search that followed their scores" in each for each in several.notes)
    assert not any("the search that followed their scores" in each for each in alone.notes)


@pytest.mark.parametrize(
    ("trainer", "expected"),
    [
        (SVC, "trainer=SVC: an estimator is given by its name, .* trainer={'estimator': 'sklearn.svm.SVC'}"),
        (SVC(), r"trainer=SVC\(\): .* trainer={'estimator': 'sklearn.svm.SVC'}; its parameters stand in space"),
        (
            make_pipeline(StandardScaler(), SVC()),
            r"\[{'standardscaler': 'sklearn.preprocessing.StandardScaler'}, {'svc': 'sklearn.svm.SVC'}\]",
        ),
        ({"estimatr": "sklearn.svm.SVC"}, "got 'estimatr'; did you mean 'estimator'?"),
        ("sklearn.svm.SVC", "names no trainer; for a class write {estimator: sklearn.svm.SVC}"),
        (lambda _run: 1.0, "write it into a file, as a function of its own .*%%writefile train.py"),
    ],
)
def test_what_trains_is_given_by_name_and_a_hint_says_how(rows, trainer, expected):
    with pytest.raises(LrtuneError, match=expected):
        lrtune.search(data=rows, target="y", trainer=trainer, space={"C": [1, 2]}, output="run")


@pytest.mark.parametrize("file", ["<ipython-input-3-0123456789ab>", "ipykernel_12/3456.py"])
def test_a_function_of_a_notebook_ends_with_what_to_do(rows, file):
    """A cell is compiled under a name that no file has, and its functions are those of __main__."""
    cell = {"__name__": "__main__"}
    exec(compile("def train(run):\n    yield {'accuracy': run['a']}\n", file, "exec"), cell)
    with pytest.raises(LrtuneError) as caught:
        lrtune.search(data=rows, target="y", trainer=cell["train"], space={"a": [1, 2]}, output="run")
    assert "%%writefile train.py as the first line of its cell" in str(caught.value)
    assert "trainer='train.py:train'" in str(caught.value)
    with pytest.raises(LrtuneError, match=r"%%writefile train.py"):
        lrtune.search(data=rows, target="y", trainer="__main__:train", space={"a": [1, 2]}, output="run")
