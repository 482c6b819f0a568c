"""Tables that a Python program holds: whatever holds them, the same columns come out as of a file."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from lrtune.data.cells import Texts
from lrtune.data.describe import describe
from lrtune.data.memory import table_in_memory
from lrtune.data.tables import load
from lrtune.text.errors import DataError, LrtuneError

COLUMNS = {"size": [1.5, None, 3.0, 4.0], "colour": ["red", "blue", None, "red"], "y": ["no", "yes", "no", "yes"]}
EXPECTED = "data: expected a path, a data frame or a mapping from names to columns"
FEATURES = {name: COLUMNS[name] for name in ("size", "colour")}


def cells(table):
    """The cells of a table, column by column, None where they are missing."""
    return {
        name: [None if code < 0 else raw.levels[code] for code in raw.codes]
        if isinstance(raw, Texts)
        else [None if np.isnan(value) else value for value in raw.values]  # noqa: PD011 - no frame of pandas
        for name, raw in table.columns.items()
    }


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame(COLUMNS),
        pl.DataFrame(COLUMNS).lazy(),
        pd.DataFrame(COLUMNS),
        pd.DataFrame(COLUMNS, index=[7, 7, 8, 9]).convert_dtypes(),
        pa.table(COLUMNS),
        COLUMNS,
        {name: pl.Series(values) for name, values in COLUMNS.items()},
        {name: np.array(values, dtype=object) for name, values in COLUMNS.items()},
    ],
    ids=["polars", "lazy", "pandas", "nullable", "arrow", "mapping", "series", "objects"],
)
def test_a_frame_is_read_like_a_file(frame, tmp_path):
    pl.DataFrame(COLUMNS).write_csv(tmp_path / "t.csv")
    assert cells(table_in_memory(frame)) == cells(load(tmp_path / "t.csv")) == COLUMNS


@pytest.mark.parametrize("make", [pl.DataFrame, pd.DataFrame, dict, pa.table])
@pytest.mark.parametrize(
    "target",
    [pl.Series("y", COLUMNS["y"]), pd.Series(COLUMNS["y"], name="y"), pl.DataFrame({"y": COLUMNS["y"]})],
    ids=["polars", "pandas", "frame"],
)
def test_features_and_a_target_with_a_name_are_one_table(make, target):
    table = table_in_memory(X=make(FEATURES), y=target)
    assert cells(table) == COLUMNS
    assert table.target == "y"


@pytest.mark.parametrize(
    "y", [[0, 1, 0], (0, 1, 0), np.array([0, 1, 0]), np.array([[0], [1], [0]]), pl.Series([0, 1, 0])]
)
def test_a_target_without_a_name_is_called_target(y):
    table = table_in_memory(X=np.arange(6.0).reshape(3, 2), y=y)
    assert cells(table) == {"x0": [0, 2, 4], "x1": [1, 3, 5], "target": [0, 1, 0]}
    assert table.target == "target"
    taken = table_in_memory(X={"target": [1, 2, 3]}, y=y)
    assert (taken.names, taken.target) == (("target", "target_"), "target_")


def test_rows_of_numbers_and_texts_keep_their_types():
    table = table_in_memory(X=[[1, "a"], [2.5, "b"]], y=[0, 1])
    assert cells(table) == {"x0": [1, 2.5], "x1": ["a", "b"], "target": [0, 1]}


def test_numbers_of_an_array_are_features_and_no_identifiers():
    rows = np.arange(20.0)
    as_array = describe(table_in_memory(X=np.column_stack([rows, rows % 3]), y=rows % 2))
    assert [each.name for each in as_array.features] == ["x0", "x1"]
    as_frame = describe(table_in_memory({"id": rows, "x": rows % 3, "y": rows % 2}), target="y")
    assert [each.name for each in as_frame.features] == ["x"]


@pytest.mark.parametrize("data", [None, "table.csv"])
def test_a_path_is_no_table_yet(data, tmp_path):
    assert table_in_memory(data) is None
    assert table_in_memory(tmp_path / "table.csv") is None


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"X": [[1]]}, "X is given without y; give X, the features, and y, what is to be predicted"),
        ({"y": [1]}, "y is given without X; give X, the features, and y, what is to be predicted"),
        ({"data": COLUMNS, "X": [[1]], "y": [1]}, "give data, or X and y, not both"),
    ],
)
def test_half_a_table_and_two_of_them_are_refused(given, sentence):
    with pytest.raises(LrtuneError) as caught:
        table_in_memory(**given)
    assert str(caught.value) == sentence


class OnAnotherDevice:
    def __array__(self, *_arguments, **_named):
        raise TypeError("can't convert cuda:0 device type tensor to numpy\nmore of it")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"X": [[1], [2]], "y": [1]}, "X has 2 rows, but y has 1 value"),
        ({"X": [1, 2], "y": [1, 2]}, "X has 1 dimension; it needs two, rows and columns"),
        ({"X": np.zeros((2, 2, 2)), "y": [1, 2]}, "X has 3 dimensions; it needs two, rows and columns"),
        ({"X": [[1], [2]], "y": [[1, 2], [3, 4]]}, "y has 2 dimensions; it needs one, a value for each row"),
        ({"X": [[1], [2, 3]], "y": [1, 2]}, "X cannot be made an array: setting an array element with a sequence."),
        (
            {"X": OnAnotherDevice(), "y": [1]},
            "X cannot be made an array: can't convert cuda:0 device type tensor to numpy",
        ),
        (
            {"X": sparse.eye(3, format="csr"), "y": [1, 2, 3]},
            "X is a sparse matrix, and lrtune trains on dense ones; give X.toarray()",
        ),
        (
            {"X": pl.DataFrame(COLUMNS), "y": pl.Series("y", COLUMNS["y"])},
            "X has a column 'y', and y is called so, too; leave it out of X, or give y another name",
        ),
        (
            {"X": [[1], [2]], "y": pd.DataFrame({"a": [1, 2], "b": [1, 2]})},
            "y has 2 columns; one is predicted, so it has one value for each row of X",
        ),
        (
            {"data": np.zeros((2, 2))},
            f"{EXPECTED}, got a value of type ndarray; arrays are given as X and y",
        ),
        (
            {"data": 7},
            "data: expected a path, a data frame or a mapping from names to columns, got a value of type int",
        ),
        ({"data": {}}, "data has no columns"),
        (
            {"data": {"a": [1, 2], "b": [[1, 2]] * 2}},
            "data: column 'b' has 2 dimensions; it needs one, a value for each row",
        ),
        ({"data": {"a": [1, 2], "b": [1]}}, "data: columns differ in length: a 2, b 1"),
        ({"data": pl.DataFrame({"a": []})}, "data has columns but no rows"),
    ],
)
def test_what_is_no_table_is_refused_in_a_sentence(given, sentence):
    with pytest.raises(DataError) as caught:
        table_in_memory(**given)
    assert str(caught.value).startswith(sentence)
