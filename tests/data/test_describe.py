"""What columns are taken for, and every message about options that do not fit."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from lrtune.data.cells import numbers
from lrtune.data.describe import describe
from lrtune.data.options import DataOptions
from lrtune.data.schema import Schema, encoded_names
from lrtune.data.tables import Table, from_frame, load
from lrtune.data.targets import Target, describe_target
from lrtune.text.errors import DataError

N = 40
RNG = np.random.default_rng(0)
COLUMNS = {
    "real": RNG.normal(size=N).tolist(),
    "whole": RNG.integers(0, 9, N).tolist(),
    "flag": ["Yes", "no"] * (N // 2),
    "colour": ["red", "green", "blue", "blue"] * (N // 4),
    "day": [f"2020-01-{1 + i % 28:02d}" for i in range(N)],
    "same": [7] * N,
    "void": [None] * N,
    "counter": list(range(5, 5 + N)),
    "customer_id": RNG.permutation(N * 3)[:N].tolist(),
    "uuid": [f"{i:x}-{i * i}" for i in range(N)],
    "remark": [f"remark {i // 1.5}" for i in range(N)],
    "zip": ["007", "123"] * (N // 2),
    "y": ["a", "b"] * (N // 2),
}


def table_of(**columns) -> Table:
    return from_frame({**COLUMNS, **columns}, "t.csv")


def kinds(schema: Schema) -> dict[str, tuple[str, str]]:
    return {column.name: (column.kind, column.role) for column in schema.columns}


def test_kinds():
    schema = describe(table_of(), target="y")
    assert kinds(schema) == {
        "real": ("numeric", "feature"),
        "whole": ("numeric", "feature"),
        "flag": ("boolean", "feature"),
        "colour": ("categorical", "feature"),
        "day": ("date", "left out"),
        "same": ("constant", "left out"),
        "void": ("empty", "left out"),
        "counter": ("identifier", "left out"),
        "customer_id": ("identifier", "left out"),
        "uuid": ("identifier", "left out"),
        "remark": ("text", "left out"),
        "zip": ("categorical", "feature"),
        "y": ("categorical", "target"),
    }
    assert schema.kinds == {"numeric": 2, "boolean": 1, "categorical": 2}


def test_what_is_left_out_is_said():
    schema = describe(table_of(), target="y")
    assert schema.warnings == ("the date column 'day' is ignored; set data.dates: encode to use it",)
    notes = "\n".join(schema.notes)
    assert "left out, since they look like identifiers: 'counter', 'customer_id', 'uuid'" in notes
    assert "left out, since they hold one value only: 'same'" in notes
    assert "left out, since they are empty: 'void'" in notes
    assert "hardly ever repeat: 'remark'" in notes
    assert "leading zeros or very many digits are identifiers: 'zip'" in notes


def test_dates_are_encoded_when_asked_for():
    for options in ({"dates": "encode"}, {"features": ["day"]}):
        schema = describe(table_of(), target="y", **options)
        assert kinds(schema)["day"] == ("date", "feature")
        assert not schema.warnings
        assert set(encoded_names(schema)) >= {"day.day", "day.month", "day.weekday"}
    stamped = describe(table_of(day=[f"2020-01-02 {i % 24}:00" for i in range(N)]), target="y", features=["day"])
    assert encoded_names(stamped)[-1] == "day.hour"


def test_an_ambiguous_date_order_is_said():
    schema = describe(table_of(day=[f"{1 + i % 12}/{1 + i % 5}/2020" for i in range(N)]), target="y", dates="encode")
    assert "dates read as day, month, year: 'day'" in schema.notes
    clear = describe(table_of(day=[f"{1 + i % 12}.{1 + i % 5}.2020" for i in range(N)]), target="y", dates="encode")
    assert not any("dates read" in note for note in clear.notes)


def test_listing_a_counter_in_features_asks_for_it():
    schema = describe(table_of(), target="y", features=["counter", "real"])
    assert kinds(schema)["counter"] == ("numeric", "feature")
    assert kinds(schema)["whole"] == ("numeric", "left out")


def test_kinds_can_be_forced():
    schema = describe(table_of(), target="y", categorical=["whole", "uuid"], numeric=["counter", "same", "zip"])
    forced = kinds(schema)
    assert forced["whole"] == forced["uuid"] == ("categorical", "feature")
    assert forced["counter"] == forced["same"] == forced["zip"] == ("numeric", "feature")


def test_ignored_columns_are_left_out_without_a_word():
    schema = describe(table_of(), target="y", ignore=["day", "same"])
    assert kinds(schema)["same"] == ("constant", "left out")
    assert not schema.warnings
    assert not any("'same'" in note for note in schema.notes)


def test_a_permutation_is_kept_and_pointed_out():
    schema = describe(table_of(rank=RNG.permutation(N)), target="y")
    assert kinds(schema)["rank"] == ("numeric", "feature")
    assert any("'rank'" in note and "identifier" in note for note in schema.notes)


def test_small_tables_have_no_identifiers():
    table = from_frame({"a": ["x", "y", "z", "u"], "n": [1, 2, 3, 4], "y": [0, 1, 0, 1]})
    assert kinds(describe(table, target="y"))["a"] == ("categorical", "feature")
    assert kinds(describe(table, target="y"))["n"] == ("numeric", "feature")


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([True, False], "boolean"),
        (["TRUE", "False"], "boolean"),
        (["Y", "n"], "boolean"),
        (["t", "f"], "boolean"),
        (["on", "off"], "boolean"),
        (["yes", "false"], "categorical"),
        (["yes", None], "categorical"),
        ([0, 1], "numeric"),
        ([3, None], "numeric"),
    ],
)
def test_booleans(cells, kind):
    assert kinds(describe(table_of(x=cells * (N // 2)), target="y"))["x"][0] == kind


def test_a_few_stray_cells_are_warned_of():
    schema = describe(table_of(x=[str(i % 7) for i in range(N - 1)] + ["abc"]), target="y")
    (warning,) = [each for each in schema.warnings if "'x'" in each]
    assert "1 of its 40 cells is no number (first: 'abc' in row 40)" in warning
    assert "data.missing" in warning
    distinct = describe(table_of(x=[str(i / 7) for i in range(N - 1)] + ["abc"]), target="y")
    assert kinds(distinct)["x"] == ("identifier", "left out")
    assert any("'abc' in row 40" in each for each in distinct.warnings)


def test_infinite_numbers_are_said():
    schema = describe(table_of(x=[np.inf, *range(N - 1)]), target="y")
    assert "infinite numbers are treated as missing: 'x'" in schema.notes


def test_group_and_order_are_no_features():
    schema = describe(table_of(), target="y", group="zip", order="day")
    assert kinds(schema)["zip"][1] == "group"
    assert kinds(schema)["day"][1] == "order"
    assert (schema.group, schema.order) == ("zip", "day")
    assert not schema.warnings
    both = describe(table_of(), target="y", order="whole", features=["whole", "real"])
    assert kinds(both)["whole"] == ("numeric", "feature")
    assert both.order == "whole"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "yy"}, r"data\.target: t\.csv has no column 'yy'"),
        ({"target": "colours"}, "did you mean 'colour'"),
        ({"target": None}, "say which column is the target; 'real', 'whole'.* and 1 more"),
        ({"features": ["rael"]}, r"data\.features: t\.csv has no column 'rael'; did you mean 'real'"),
        ({"ignore": ["colr"]}, r"data\.ignore.*did you mean 'colour'"),
        ({"categorical": ["nope"]}, r"data\.categorical: t\.csv has no column 'nope'; 'real'"),
        ({"group": "zipp"}, r"data\.group.*did you mean 'zip'"),
        ({"order": "dya"}, r"data\.order.*did you mean 'day'"),
        ({"features": ["y", "real"]}, r"data\.features lists 'y', which is the target column"),
        ({"ignore": ["y"]}, r"data\.ignore lists 'y', which is the target"),
        ({"numeric": ["y"]}, r"data\.numeric lists 'y', which is the target"),
        ({"group": "zip", "features": ["zip", "real"]}, r"data\.features lists 'zip', which is the group column"),
        ({"group": "y"}, "'y' cannot be target and group at once"),
        ({"features": ["real"], "ignore": ["real"]}, r"data\.features and data\.ignore both list 'real'"),
        ({"numeric": ["zip"], "categorical": ["zip"]}, r"data\.categorical and data\.numeric both list 'zip'"),
        ({"features": ["same", "void"]}, "no column is left to learn from; .*'same'.*'void'"),
        ({"features": ["real"], "task": "clasification"}, "unknown task.*did you mean 'classification'"),
        ({"dates": "yes"}, r"data\.dates is 'ignore' or 'encode'"),
        ({"task": "regression"}, "needs numbers, but the target 'y' is 'a' in row 1"),
        ({"target": "void"}, "the target 'void' is empty"),
        ({"target": "same", "task": "classification"}, "has only one class, '7'"),
        ({"target": "uuid"}, "40 distinct values in 40 rows: these are no classes"),
        ({"target": "real", "task": "classification"}, "these are no classes"),
        ({"positive": "c"}, r"no class 'c'; allowed: 'a', 'b'"),
        ({"target": "colour", "positive": "red"}, "has 3 classes; a positive class needs exactly two"),
        ({"target": "real", "positive": "1"}, "the task is regression and has no classes"),
    ],
)
def test_messages(options, message):
    with pytest.raises(DataError, match=message):
        describe(table_of(), **{"target": "y", **options})


def test_a_constant_regression_target_is_refused():
    with pytest.raises(DataError, match="7 in every row"):
        describe(table_of(), target="same", task="regression")


def test_a_date_is_no_target():
    with pytest.raises(DataError, match="is a date"):
        describe(table_of(d=np.array(["2020-01-01"] * N, dtype="datetime64[D]")), target="d")


def test_missing_targets_are_counted():
    cells = ["a", None, "b", None] * (N // 4)
    with pytest.raises(DataError, match="missing in 20 of 40 rows, first in row 2"):
        describe(table_of(z=cells), target="z")


@pytest.mark.parametrize(
    ("cells", "advice"),
    [
        (["+", "-"], """'-' means missing: if it is a class, set data.missing: ["?"], else remove these rows"""),
        (["None", "NA", "x"], """'NA', 'None' mean missing: if they are classes, set data.missing: ["?"], else"""),
        (["?", "x"], """set data.missing: [] ('?' is then a text in column 'b' too), else remove these rows"""),
        (["", "x"], "remove these rows, nothing can be learnt from them"),
    ],
)
def test_a_text_that_usually_means_missing_may_be_a_class(tmp_path, cells, advice):
    rows = [f"{i % 7},{'?' if i == 5 else i},{cells[i % len(cells)]}" for i in range(N)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,y", *rows]) + "\n")
    with pytest.raises(DataError, match=re.escape(advice)) as caught:
        describe(load(tmp_path / "t.csv"), target="y")
    if "data.missing" in advice:
        missing = tuple(json.loads(re.search(r"\[.*?\]", str(caught.value))[0]))
        table = load(tmp_path / "t.csv", options=DataOptions(missing=missing))
        assert set(describe(table, target="y").classes) == set(cells)
        assert (table.columns["b"].missing.sum() == 1) == ("?" in missing)


def test_a_target_of_nothing_but_missing_texts(tmp_path):
    (tmp_path / "t.csv").write_text("a,y\n1,-\n2,-\n")
    with pytest.raises(DataError, match=r"the target 'y' is empty; '-' means missing: if it is a class"):
        describe(load(tmp_path / "t.csv"), target="y")


@pytest.mark.parametrize("sign", [" ", "\u202f", "'"])
def test_what_parts_thousands_is_proposed(tmp_path, sign):
    (tmp_path / "t.csv").write_text(
        "a;b;y\n" + "".join(f"{i}{sign}234,5;{i % 7};{'uv'[i % 2]}\n" for i in range(1, 21))
    )
    (warning,) = describe(load(tmp_path / "t.csv"), target="y").warnings
    assert "column 'a' is read as text" in warning
    thousands = json.loads(re.search("set data.thousands: (.*)$", warning)[1])
    table = load(tmp_path / "t.csv", options=DataOptions(thousands=thousands))
    assert table.columns["a"].values[:2].tolist() == [1234.5, 2234.5]


def test_a_warning_about_stray_cells_gives_the_whole_setting(tmp_path):
    rows = [f"{'abc' if i == 3 else '?' if i == 5 else i},{'NA' if i == 1 else i / 4},{'uv'[i % 2]}" for i in range(N)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,y", *rows]) + "\n")
    (warning,) = describe(load(tmp_path / "t.csv"), target="y").warnings
    missing = tuple(json.loads(re.search(r"set data.missing: (.*)$", warning)[1]))
    assert missing == ("?", "NA", "abc")
    schema = describe(load(tmp_path / "t.csv", options=DataOptions(missing=missing)), target="y")
    assert not schema.warnings
    assert [column.kind for column in schema.features] == ["numeric", "numeric"]


def test_numbers_that_are_written_in_two_ways_are_text(tmp_path):
    rows = [f"{i}{',' if i == 3 else '.'}5;{i % 7};{'uv'[i % 2]}" for i in range(N)]
    (tmp_path / "t.csv").write_text("\n".join(["a;b;y", *rows]) + "\n")
    (warning,) = describe(load(tmp_path / "t.csv"), target="y").warnings
    assert "(first: '3,5' in row 4); decimal points and decimal commas are mixed in it" in warning


def test_a_target_that_is_not_there_may_want_for_a_header(tmp_path):
    (tmp_path / "t.csv").write_text("1.5,2.5,x\n2.5,3.5,y\n")
    with pytest.raises(DataError, match=r"if its first line is a row, set data\.header: false"):
        describe(load(tmp_path / "t.csv"), target="class")


def test_infinite_targets_are_refused():
    with pytest.raises(DataError, match="infinite in row 3"):
        describe_target(numbers([1.5, 2, np.inf]), "y")


@pytest.mark.parametrize(("unit", "words"), [(1e31, "as large as 4.5e[+]31"), (1e-31, "over 4e-31 only")])
def test_targets_whose_errors_cannot_be_computed_are_refused(unit, words):
    with pytest.raises(DataError, match=f"{words}.*another unit"):
        describe_target(numbers([0.5 * unit, 1.5 * unit, 4.5 * unit]), "y")
    describe_target(numbers([0.5e30, -1e30, 1e30]), "y", "regression")


def test_a_table_of_a_target_alone():
    with pytest.raises(DataError, match="no column is left to learn from; the target 'y' is the only one"):
        describe(from_frame({"y": COLUMNS["y"]}, "t.csv"), target="y")


@pytest.mark.parametrize(
    ("options", "reasons"),
    [
        ({"features": []}, "data.features lists none"),
        ({"ignore": ["real", "zip", "same"]}, "data.ignore lists 'real', 'zip', 'same'"),
        (
            {"ignore": ["real", "zip"]},
            "data.ignore lists 'real', 'zip'; left out, since they hold one value only: 'same'",
        ),
        ({"features": ["same"]}, "data.features lists 'same'; left out, since they hold one value only: 'same'"),
        ({"ignore": ["real", "same"], "group": "zip"}, "data.ignore lists 'real', 'same'; data.group takes 'zip'"),
    ],
)
def test_a_setting_that_leaves_no_column_is_named(options, reasons):
    table = from_frame({name: COLUMNS[name] for name in ("real", "zip", "same", "y")}, "t.csv")
    with pytest.raises(DataError) as caught:
        describe(table, target="y", **options)
    assert str(caught.value) == f"t.csv: no column is left to learn from; {reasons}"


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        ([0, 1] * 5, "classification", (0, 1)),
        ([2.0, 10.0, -1.0] * 5, "classification", (-1, 2, 10)),
        (list(range(20)) * 5, "classification", tuple(range(20))),
        (list(range(21)) * 50, "regression", ()),
        (list(range(20)) * 4, "regression", ()),
        ([0.5, 1.5] * 20, "regression", ()),
        ([1, 2], "classification", (1, 2)),
    ],
)
def test_the_task_is_found(values, task, classes):
    found = describe_target(numbers(values), "y")
    assert (found.task, found.classes) == (task, classes)
    assert all(isinstance(label, int) for label in found.classes)
    assert f"task: {task}, since" in found.notes[0]


def test_the_task_can_be_said():
    assert describe_target(numbers([0, 1] * 5), "y", "regression") == Target("regression", (), ())
    found = describe_target(numbers([0.5, 1.5, 2.5] * 20), "y", "classification")
    assert found.classes == (0.5, 1.5, 2.5)


@pytest.mark.parametrize(
    ("cells", "positive", "classes"),
    [
        (["yes", "no"], "no", ("yes", "no")),
        (["yes", "no"], "yes", ("no", "yes")),
        (["yes", "no"], True, ("no", "yes")),
        (["yes", "no"], False, ("yes", "no")),
        ([0, 1], 0, (1, 0)),
        ([0, 1], "0", (1, 0)),
        ([0, 1], 1.0, (0, 1)),
        ([0, 1], False, (1, 0)),
        (["1.0", "2.0"], 1, ("2.0", "1.0")),
        (["01", "02"], "01", ("02", "01")),
        ([True, False], True, ("false", "true")),
    ],
)
def test_the_positive_class_is_the_last(cells, positive, classes):
    raw = table_of(z=cells * (N // 2)).columns["z"]
    assert describe_target(raw, "z", "classification", positive).classes == classes


def test_an_unsaid_positive_class_is_the_last_and_said():
    found = describe_target(table_of(z=["no", "yes"] * (N // 2)).columns["z"], "z")
    assert found.classes == ("no", "yes")
    assert "positive class of 'z': 'yes'" in found.notes[1]


def test_a_schema_survives_json():
    schema = describe(table_of(), target="y", dates="encode", group="zip")
    again = Schema.from_dict(json.loads(json.dumps(schema.to_dict())))
    assert again == schema


def test_the_sources_target_is_the_default(tmp_path):
    np.savez(tmp_path / "t.npz", X=RNG.normal(size=(20, 2)), y=np.arange(20) % 2)
    assert describe(load("t.npz", base=tmp_path)).target == "y"
