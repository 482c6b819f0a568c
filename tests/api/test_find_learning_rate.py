"""The finder as a function: the same table gives the same answer, however a program holds it."""

import inspect

import numpy as np
import pandas as pd
import polars as pl
import pytest

import lrtune
from lrtune.experiment import load_text
from lrtune.experiment.suited import suited
from lrtune.text.errors import DataError, ExperimentError, LrtuneError

RNG = np.random.default_rng(0)
X = np.round(RNG.normal(size=(240, 3)), 5)
Y = np.where(X @ [1.0, -1.0, 0.5] > 0, "yes", "no")
FRAME = pl.DataFrame({**{f"x{i}": X[:, i] for i in range(3)}, "target": Y})
SHORT = {
    "overrides": ["training={epochs: 8}", "model.hidden=[8]", "search.folds=5"],
    "optimizers": ["momentum"],
    "updates": 30,
}


@pytest.fixture(scope="module")
def of_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "t.csv"
    FRAME.write_csv(path)
    return path, lrtune.find_learning_rate(data=path, target="target", **SHORT)


@pytest.mark.parametrize(
    "table",
    [
        {"X": X, "y": Y},
        {"X": FRAME.drop("target"), "y": FRAME["target"]},
        {"X": pd.DataFrame(X, columns=["x0", "x1", "x2"]), "y": list(Y)},
        {"data": FRAME, "target": "target"},
        {"data": FRAME.to_pandas(), "target": "target"},
    ],
    ids=["arrays", "polars", "pandas and a list", "frame", "frame of pandas"],
)
def test_a_table_in_memory_gives_what_its_file_gives(table, of_file):
    _, expected = of_file
    (curve,) = lrtune.find_learning_rate(**table, **SHORT).curves
    assert curve.suggestion == expected.curves[0].suggestion
    assert np.array_equal(curve.losses, expected.curves[0].losses)


def test_arrays_take_the_place_of_the_table_of_an_experiment(of_file, tmp_path):
    path, expected = of_file
    file = tmp_path / "experiment.yaml"
    file.write_text("data: {path: nowhere.csv, target: nothing}\ntraining: {epochs: 8}\nmodel: {hidden: [8]}\n")
    given = {"optimizers": "momentum", "updates": 30}
    assert lrtune.find_learning_rate(file, X=X, y=Y, **given).suggestions == expected.suggestions
    assert lrtune.find_learning_rate(file, data=path, target="target", **given).suggestions == expected.suggestions


def test_a_table_alone_is_swept_as_the_file_of_init_says(of_file, tmp_path):
    path, _ = of_file
    found = suited(path, target="target")[0]
    file = tmp_path / "of_init.yaml"
    file.write_text(found.to_yaml(tmp_path))
    given = {"optimizers": "momentum", "updates": 30}
    alone = lrtune.find_learning_rate(data=path, target="target", **given)
    assert alone.folds == 10
    assert alone.suggestions == lrtune.find_learning_rate(file, **given).suggestions


def test_every_keyword_is_spelled():
    kinds = {each.kind for each in inspect.signature(lrtune.find_learning_rate).parameters.values()}
    assert kinds == {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}


EXPERIMENT = load_text("data: {path: t.csv, target: y}\n")


@pytest.mark.parametrize(
    ("given", "kind", "sentence"),
    [
        ({}, ExperimentError, "give an experiment file, or a table"),
        ({"X": X}, LrtuneError, "X is given without y"),
        ({"X": X, "y": Y, "target": "y"}, LrtuneError, "target='y' names a column of data; beside X, y is the target"),
        (
            {"data": FRAME},
            LrtuneError,
            "say which column of data is to be predicted, target=...; it has 'x0', 'x1', 'x2', ",
        ),
        ({"data": FRAME, "target": "tarte"}, DataError, "data.target: data has no column 'tarte'; did you mean"),
        ({"experiment": EXPERIMENT, "X": X, "y": Y}, LrtuneError, "an Experiment is complete; data, target, X, y and"),
        ({"experiment": EXPERIMENT, "overrides": ["search.seed=1"]}, LrtuneError, "an Experiment is complete"),
        ({"X": X, "y": Y, "low": 1, "high": 0.5}, LrtuneError, "low must be below high, got 1 and 0.5"),
    ],
)
def test_wrong_arguments_are_one_sentence(given, kind, sentence):
    with pytest.raises(kind) as caught:
        lrtune.find_learning_rate(**given)
    assert str(caught.value).startswith(sentence)


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(LrtuneError) as caught:
        lrtune.find_learning_rate(X=X, y=Y, optimizers=["adm"], method="rump", updates=1.5, low="a", high=-1)
    ends = "must be above 0 and finite, got"
    assert str(caught.value).split("; ") == [
        *("unknown optimizer 'adm'", "did you mean 'adam'?", "unknown method 'rump'", "did you mean 'ramp'?"),
        *("updates must be at least 1 and whole, got 1.5", f"low {ends} 'a'", f"high {ends} -1"),
    ]
