"""Arrays of the training table and of others: names, spellings, formats and errors."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from lrtune.data.columns import arrays, arrays_for, concatenate, data_hash, fit_levels
from lrtune.data.describe import describe
from lrtune.data.tables import DataOptions, from_array, from_frame, load
from lrtune.text.errors import DataError, ModelError

N = 60
COLUMNS = {
    "size": [float(i % 7) for i in range(N)],
    "old": ["yes", "no", None] * (N // 3),
    "colour": ["red", "green", "blue"] * (N // 3),
    "day": ["2020-01-31 12:00", "1969-12-31 18:00", None] * (N // 3),
    "y": ["a", "b"] * (N // 2),
}


def prepared(columns, **options):
    table = from_frame(columns, "t.csv")
    schema = fit_levels(table, describe(table, **{"target": "y", "dates": "encode", **options}), np.arange(table.rows))
    return table, schema


def test_arrays_of_the_training_table():
    table, schema = prepared(COLUMNS)
    columns = arrays(table, schema)
    assert [name for _, name in schema.numeric] == ["size", "old", "day.day", "day.month", "day.weekday", "day.hour"]
    np.testing.assert_array_equal(columns.numeric[0], [0, 1, 18292, 1, 5, 12])  # a Friday
    np.testing.assert_array_equal(columns.numeric[1], [1, 0, -1, 12, 3, 18])  # a Wednesday
    np.testing.assert_array_equal(columns.numeric[2], [2] + [np.nan] * 5)
    assert columns.codes.dtype == np.int32
    assert [schema.categorical[0].levels[code] for code in columns.codes[:3, 0]] == ["red", "green", "blue"]
    assert columns.target.tolist() == [0, 1] * (N // 2)
    assert columns.groups is None
    assert columns.order is None


def test_weekdays_and_months_are_the_calendars():
    days = pl.date_range(pl.date(1899, 12, 25), pl.date(2101, 1, 7), interval="17d", eager=True)
    table = from_frame(pl.DataFrame({"day": days, "y": [i % 2 for i in range(len(days))]}))
    numeric = arrays(table, describe(table, target="y", dates="encode")).numeric
    np.testing.assert_array_equal(numeric[:, 0], days.to_physical())
    np.testing.assert_array_equal(numeric[:, 1], days.dt.month())
    np.testing.assert_array_equal(numeric[:, 2], days.dt.weekday())


def test_other_tables_are_matched_by_name():
    _, schema = prepared(COLUMNS)
    other = from_frame({"more": [1], "colour": ["mauve"], "day": ["2020-01-31"], "old": ["No"], "size": [3]})
    columns = arrays_for(other, schema)
    np.testing.assert_array_equal(columns.numeric, [[3, 0, 18292, 1, 5, 0]])
    assert columns.codes.tolist() == [[-2]]
    assert columns.target is None


def test_missing_columns_are_all_named():
    _, schema = prepared(COLUMNS)
    with pytest.raises(ModelError, match=r"new\.csv lacks the columns 'old', 'colour' \(did you mean 'color'\?\)$"):
        arrays_for(from_frame({"size": [1], "day": ["2020-01-01"], "color": ["x"]}, "new.csv"), schema)
    wide = prepared({f"x{i:02d}": np.arange(N) % (i + 2) for i in range(30)} | {"y": [0, 1] * (N // 2)})[1]
    with pytest.raises(ModelError, match=r"'x20' .* and 9 more"):
        arrays_for(from_frame({"x00": [1]}), wide)


@pytest.mark.parametrize(
    ("column", "cells", "message"),
    [
        ("size", ["1", "2.5", "big"], "'size' is 'big' in row 3, where numbers are expected"),
        ("size", np.array(["2020-01-01"] * 3, dtype="datetime64[D]"), "'size' holds dates where numbers"),
        ("old", ["yes", "perhaps", "no"], "'old' is 'perhaps' in row 2, where true and false are expected"),
        ("old", [0, 1, 2], "'old' is 2 in row 3, not true or false"),
        ("day", ["2020-01-01", "soon", ""], "'day' is 'soon' in row 2, where dates are expected"),
        ("day", [1, 2, 3], "'day' holds numbers where dates"),
        (
            "day",
            ["31.12.2020", "12/31/2020", ""],
            "'31.12.2020' in row 1, .*; the training table writes them year-month",
        ),
    ],
)
def test_cells_that_do_not_fit_are_named(column, cells, message):
    _, schema = prepared(COLUMNS)
    other = {name: values[:3] for name, values in COLUMNS.items()} | {column: cells}
    with pytest.raises(ModelError, match=message):
        arrays_for(from_frame(other), schema)


def test_a_forced_number_that_is_text_is_refused_while_training():
    columns = COLUMNS | {"size": ["1"] * (N - 1) + ["big"]}
    with pytest.raises(DataError, match="'size' is 'big' in row 60, where numbers"):
        prepared(columns, numeric=["size"])
    assert arrays(*prepared(COLUMNS | {"size": ["007", "1.5"] * (N // 2)}, numeric=["size"])).numeric[0, 0] == 7.0


def test_numbers_may_come_as_text_and_missing_in_any_spelling():
    _, schema = prepared(COLUMNS)
    other = {
        "size": ["1.5", "?", "NA"],
        "old": ["TRUE", "0", "NaN"],
        "colour": ["NA", "?", ""],
        "day": ["?", None, "NA"],
    }
    columns = arrays_for(from_frame(other), schema)
    np.testing.assert_array_equal(columns.numeric[:, :2], [[1.5, 1], [np.nan, 0], [np.nan, np.nan]])
    assert np.isnan(columns.numeric[:, 2:]).all()
    assert columns.codes.tolist() == [[-2], [-2], [-1]]  # the frame had missing cells of its own: texts are levels


def test_an_empty_column_may_be_predicted():
    _, schema = prepared(COLUMNS)
    columns = arrays_for(from_frame({"size": [None], "old": [None], "colour": [None], "day": [None]}), schema)
    assert np.isnan(columns.numeric).all()
    assert columns.codes.tolist() == [[-1]]


def test_the_date_order_of_the_training_table_is_kept():
    american = [f"{1 + i % 12}/{1 + i % 28}/2020" for i in range(N)]
    _, schema = prepared(COLUMNS | {"day": american})
    other = from_frame({"size": [1], "old": ["yes"], "colour": ["red"], "day": ["3/4/2020"]})
    assert arrays_for(other, schema).numeric[0, 3] == 3.0  # March, although day first is tried first elsewhere


def test_infinite_numbers_are_missing():
    columns = arrays(*prepared(COLUMNS | {"size": [np.inf, -np.inf, *range(N - 2)]}))
    assert np.isnan(columns.numeric[:2, 0]).all()


def test_categories_are_found_by_text_then_by_number():
    _, schema = prepared(COLUMNS | {"colour": ["1.50", "007", "x"] * (N // 3)})
    others = {name: values[:4] for name, values in COLUMNS.items()}
    as_text = arrays_for(from_frame(others | {"colour": ["1.50", "1.5", "007", "7"]}), schema)
    levels = [schema.categorical[0].levels[code] if code >= 0 else code for code in as_text.codes[:, 0]]
    assert levels == ["1.50", "1.50", "007", -2]
    as_numbers = arrays_for(from_frame(others | {"colour": [1.5, 7.0, 1.5, None]}), schema)
    assert as_numbers.codes[:, 0].tolist() == [levels_of(schema).index("1.50"), -2, levels_of(schema).index("1.50"), -1]


def levels_of(schema):
    return list(schema.categorical[0].levels)


def test_numbers_and_dates_can_be_categories():
    _, schema = prepared(
        COLUMNS
        | {"year": [2007, 2008, 2010] * (N // 3), "when": np.array(["2020-01-01", "2019-01-01"] * (N // 2), "M8[D]")},
        categorical=["year", "when", "size"],
    )
    year, when, size = (
        next(each for each in schema.categorical if each.name == name) for name in ("year", "when", "size")
    )
    assert year.levels == ("2007", "2008", "2010")
    assert when.levels == ("2019-01-01", "2020-01-01")
    assert size.levels == tuple("0123456")
    other = table_like(year=["2007", "2008.0", "1999"])
    codes = arrays_for(other, schema).codes[:, [c.name for c in schema.categorical].index("year")]
    assert codes.tolist() == [0, 1, -2]


def table_like(**columns):
    base = {name: values[:3] for name, values in COLUMNS.items()} | {"when": ["2019-01-01", "2020-01-01", "?"]}
    return from_frame(base | columns)


@pytest.mark.parametrize(("rows", "needed"), [(60, 2), (150, 2), (240, 3), (900, 9), (3000, 10)])
def test_rare_categories_share_a_feature(rows, needed):
    cells = ["often"] * (rows - 2 * needed + 1) + ["enough"] * needed + ["rare"] * (needed - 1)
    table, schema = prepared({"c": cells, "y": [0, 1] * (rows // 2)})
    (column,) = schema.categorical
    assert column.levels == ("enough", "often")
    assert column.grouped
    assert schema.min_count == needed
    assert np.unique(arrays(table, schema).codes).tolist() == [-2, 0, 1]


def test_at_most_a_hundred_levels_the_most_frequent():
    cells = [f"l{i:03d}" for i in range(120) for _ in range(10 + (i % 3 == 0))]
    _, schema = prepared({"c": cells, "y": np.arange(len(cells)) % 2})
    expected = sorted([f"l{i:03d}" for i in range(0, 120, 3)] + [f"l{i:03d}" for i in range(120) if i % 3][:60])
    assert list(schema.categorical[0].levels) == expected


def test_levels_come_from_the_training_rows_alone():
    cells = ["a", "b"] * 25 + ["test"] * 10
    table = from_frame({"c": cells, "x": [1.0, 2.0] * 25 + [np.nan] * 10, "y": [0, 1] * 30})
    schema = fit_levels(table, describe(table, target="y"), np.arange(50))
    assert [(column.levels, column.grouped, column.missing) for column in schema.features] == [
        (("a", "b"), False, False),
        ((), False, False),
    ]
    assert arrays(table, schema).codes[50:].tolist() == [[-2]] * 10


def test_groups_and_times():
    table, schema = prepared(COLUMNS, group="colour", order="day")
    with pytest.raises(DataError, match="time column 'day' is missing in 20 rows, first in row 3"):
        arrays(table, schema)
    days = [f"2020-01-{1 + i % 28:02d}" for i in range(N)]
    columns = arrays(*prepared(COLUMNS | {"day": days}, group="colour", order="day"))
    assert [len(set(columns.groups[i::3])) for i in range(3)] == [1, 1, 1]
    assert len(set(columns.groups)) == 3
    assert columns.order[:2].tolist() == [18262.0, 18263.0]
    assert arrays(*prepared(COLUMNS, order="size")).order.tolist() == COLUMNS["size"]
    with pytest.raises(DataError, match="neither numbers nor dates"):
        arrays(*prepared(COLUMNS, order="colour"))
    with pytest.raises(DataError, match="group column 'old' is missing in 20 rows, first in row 3"):
        arrays(*prepared(COLUMNS, group="old"))
    typed = np.array(days, dtype="datetime64[D]")
    assert arrays(*prepared(COLUMNS | {"day": typed}, order="day")).order[0] == 18262.0


def test_a_test_table_brings_its_target():
    table, schema = prepared(COLUMNS)
    other = arrays_for(table_like(y=["b", "a", "b"]), schema, with_target=True)
    assert other.target.tolist() == [1, 0, 1]
    both = concatenate(arrays(table, schema), other)
    assert both.rows == N + 3
    with pytest.raises(
        ModelError, match="is 'c' in row 2, a class that the training table does not have; allowed: 'a', 'b'"
    ):
        arrays_for(table_like(y=["b", "c", "b"]), schema, with_target=True)
    with pytest.raises(ModelError, match="target 'y' is missing in row 3"):
        arrays_for(table_like(y=["b", "a", None]), schema, with_target=True)


def test_regression_targets_of_a_test_table():
    _, schema = prepared(COLUMNS | {"y": np.linspace(0, 1, N)})
    assert arrays_for(table_like(y=["1.5", "2", "3"]), schema, with_target=True).target.tolist() == [1.5, 2.0, 3.0]
    with pytest.raises(ModelError, match="infinite in row 2"):
        arrays_for(table_like(y=[1.0, np.inf, 2.0]), schema, with_target=True)


def test_the_users_missing_texts_travel_with_the_schema(tmp_path):
    (tmp_path / "t.csv").write_text("x,c,y\n" + "1,u,a\n-99,v,b\n" * 10 + "2,unknown,a\n3,w,b\n" * 10)
    table = load("t.csv", base=tmp_path, options=DataOptions(missing=("-99", "unknown")))
    schema = fit_levels(table, describe(table, target="y"), np.arange(40))
    assert all(column.missing for column in schema.features)
    columns = arrays_for(from_frame({"x": [-99, 1], "c": ["unknown", "u"]}), schema)
    assert np.isnan(columns.numeric[:, 0]).tolist() == [True, False]
    assert columns.codes[:, 0].tolist() == [-1, 0]
    assert np.isnan(arrays_for(from_frame({"x": ["-99", "1"], "c": ["u", "u"]}), schema).numeric[0, 0])


def test_arrays_predict_by_position():
    x = np.random.default_rng(1).normal(size=(20, 3))
    table = from_frame({f"x{i}": x[:, i] for i in range(3)} | {"y": [0, 1] * 10})
    schema = describe(table, target="y")
    np.testing.assert_array_equal(arrays_for(from_array(x), schema).numeric, x)


def test_the_hash_is_of_the_content(tmp_path):
    frame = pl.DataFrame(COLUMNS)
    frame.write_csv(tmp_path / "one.csv")
    frame.write_csv(tmp_path / "two.tsv", separator="\t", quote_style="always")
    frame.write_parquet(tmp_path / "three.parquet")
    hashes = set()
    for name in ("one.csv", "two.tsv", "three.parquet"):
        table = load(name, base=tmp_path)
        schema = fit_levels(table, describe(table, target="y"), np.arange(N))
        hashes.add(data_hash(schema, arrays(table, schema)))
    assert len(hashes) == 1
    for changed in (
        {"size": [*COLUMNS["size"][:-1], 6.5]},
        {"colour": ["green", "red", "blue"] * (N // 3)},
        {"y": ["b", "a"] * (N // 2)},
    ):
        table, schema = prepared(COLUMNS | changed, dates="ignore")
        hashes.add(data_hash(schema, arrays(table, schema)))
    renamed = frame.rename({"size": "sizes"})
    table, schema = prepared(renamed.to_dict(as_series=False), dates="ignore")
    hashes.add(data_hash(schema, arrays(table, schema)))
    assert len(hashes) == 5
