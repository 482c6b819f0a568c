"""Another table is read as the training table was written: numbers, dates and missing cells, whatever the format."""

from __future__ import annotations

import csv
import json

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lrtune.data.columns import arrays, arrays_for, data_hash, fit_levels
from lrtune.data.dataset import open_dataset
from lrtune.data.describe import describe
from lrtune.data.options import DataOptions, Skip
from lrtune.data.schema import Schema
from lrtune.data.tables import from_frame, load
from lrtune.text.errors import DataError, ModelError

N = 40


@pytest.fixture
def write(tmp_path):
    """Write a file of the test's folder and give its path."""

    def writer(name, header, *rows, separator=";"):
        with (tmp_path / name).open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, delimiter=separator)
            table.writerows([header, *rows] if header else rows)
        return tmp_path / name

    return writer


def learnt(path, options=None, **said):
    """Describe a training table; the schema goes through JSON, as that of a saved model."""
    table = load(path, options=options)
    schema = fit_levels(table, describe(table, **{"target": "y", **said}), np.arange(table.rows))
    return table, Schema.from_dict(json.loads(json.dumps(schema.to_dict())))


def numeric(source, schema):
    table = load(source, schema=schema) if not hasattr(source, "columns") else source
    return arrays_for(table, schema).numeric


def decimals(write):
    rows = [(f"{5 + i / 8:.3f}", f"{i / 10:.1f}".replace(".", ","), "uv"[i % 2]) for i in range(N)]
    return write("train.csv", ["area", "share", "y"], *rows)


def test_numbers_are_written_as_in_the_training_table(write):
    _, schema = learnt(decimals(write))
    assert [(column.decimal, column.thousands) for column in schema.columns[:2]] == [(",", "."), (",", None)]
    with_comma = write("a.csv", ["area", "share"], ["9.123", "1,0"], ["8.500", "2,5"])
    without = write("b.csv", ["area", "share"], ["9.123", "1"], ["8.500", "2,5"])
    np.testing.assert_array_equal(numeric(with_comma, schema), [[9123, 1], [8500, 2.5]])
    np.testing.assert_array_equal(numeric(without, schema), [[9123, 1], [8500, 2.5]])
    commas = write("c.csv", ["area", "share"], ["9.123", "1,0"], separator=",")
    np.testing.assert_array_equal(numeric(commas, schema), [[9123, 1]])


def test_a_test_table_is_read_like_the_training_table(write):
    train = decimals(write)
    rows = [("9.123", "1", "u"), ("8.500", "2", "v")]
    test = write("test.csv", ["area", "share", "y"], *rows)
    dataset = open_dataset(train, target="y", test=test)
    np.testing.assert_array_equal(dataset.columns.numeric[dataset.test_rows], [[9123, 1], [8500, 2]])


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("1.5", "column 'share' is '1.5' in row 2, where numbers are expected; the training table writes them with a"),
        ("1.234", "is '1.234' in row 2, .* with a decimal comma$"),
        ("much", "is 'much' in row 2"),
    ],
)
def test_a_cell_that_is_written_another_way_is_named(write, cell, message):
    _, schema = learnt(decimals(write))
    new = write("new.csv", ["area", "share"], ["9.123", "1,5"], ["9.123", cell])
    with pytest.raises(ModelError, match=message):
        numeric(new, schema)
    with pytest.raises(ModelError, match=message):
        numeric(from_frame(pl.read_csv(new, separator=";", infer_schema=False)), schema)


def test_what_cannot_be_misread_is_read(write):
    _, schema = learnt(decimals(write))
    new = write("new.csv", ["area", "share"], ["9.123.456", "1.234,5"], ["12", "-0,5"])
    np.testing.assert_array_equal(numeric(new, schema), [[9123456, 1234.5], [12, -0.5]])


def test_texts_of_a_frame_are_read_by_the_schema_too(write):
    _, schema = learnt(decimals(write))
    np.testing.assert_array_equal(numeric(from_frame({"area": ["9.123"], "share": ["1,0"]}), schema), [[9123, 1]])
    np.testing.assert_array_equal(numeric(from_frame({"area": [9123], "share": [1.0]}), schema), [[9123, 1]])


def test_targets_are_read_by_the_schema(write):
    rows = [(i, f"{i / 10:.1f}".replace(".", ",")) for i in range(N)]
    test = write("test.csv", ["x", "y"], [0, "1"], [3, "1.234,5"])
    _, regression = learnt(write("train.csv", ["x", "y"], *rows), features=["x"])
    assert arrays_for(load(test, schema=regression), regression, with_target=True).target.tolist() == [1.0, 1234.5]
    rows = [(i % 7, ["0,5", "1,0"][i % 2]) for i in range(N)]
    _, classes = learnt(write("train.csv", ["x", "y"], *rows), task="classification")
    assert classes.classes == (0.5, 1.0)
    test = write("test.csv", ["x", "y"], [0, "1"], [3, "0,50"])
    assert arrays_for(load(test, schema=classes), classes, with_target=True).target.tolist() == [1, 0]


def test_categories_of_numbers_are_found_by_number(write):
    rows = [(["0,5", "1,25"][i % 2], i % 7, "uv"[i % 2]) for i in range(N)]
    _, schema = learnt(write("train.csv", ["c", "x", "y"], *rows), categorical=["c"])
    new = write("new.csv", ["c", "x"], ["1,25", 1], ["1,250", 1], ["0,5", 1], ["9,5", 1])
    assert arrays_for(load(new, schema=schema), schema).codes[:, 0].tolist() == [1, 1, 0, -2]


REGIONS = ["NA", "EU", "AS"]


def test_missing_cells_are_spelled_as_in_the_training_table(tmp_path):
    frame = pl.DataFrame({"region": REGIONS * 10, "z": [0.5, None, 2.0] * 10, "y": ["u", "v"] * 15})
    frame.write_csv(tmp_path / "t.csv")
    frame.write_parquet(tmp_path / "t.parquet")
    for trained, codes in (("t.csv", [-1, 1, 0]), ("t.parquet", [2, 1, 0])):
        table, schema = learnt(tmp_path / trained)
        assert (schema.missing is None) == (trained == "t.parquet")
        expected = arrays(table, schema)
        assert expected.codes[:3, 0].tolist() == codes
        for new in (
            load(tmp_path / "t.csv", schema=schema),
            load(tmp_path / "t.parquet", schema=schema),
            from_frame(frame),
        ):
            found = arrays_for(new, schema)
            np.testing.assert_array_equal(found.codes, expected.codes)
            np.testing.assert_array_equal(found.numeric, expected.numeric)


def test_where_no_text_was_needed_for_missing_the_usual_ones_mean_it_among_numbers(tmp_path):
    pl.DataFrame({"x": [1.0, None] * 20, "c": ["u", "v"] * 20, "y": ["u", "v"] * 20}).write_parquet(
        tmp_path / "t.parquet"
    )
    _, schema = learnt(tmp_path / "t.parquet")
    (tmp_path / "new.csv").write_text("x,c\nNA,NA\n?,u\n2,\n")
    found = arrays_for(load(tmp_path / "new.csv", schema=schema), schema)
    np.testing.assert_array_equal(found.numeric[:, 0], [np.nan, np.nan, 2])
    assert found.codes[:, 0].tolist() == [-2, 0, -1]


def test_texts_that_were_named_for_missing_replace_the_usual_ones(write):
    rows = [(["-99", "3"][i % 2], ["?", "-", "unknown"][i % 3], "uv"[i % 2]) for i in range(N)]
    options = DataOptions(missing=("-99", "unknown"))
    table, schema = learnt(write("train.csv", ["x", "c", "y"], *rows), options)
    assert table.spelled == {"x": ("-99",), "c": ("unknown",)}
    assert schema.categorical[0].levels == ("-", "?")
    assert schema.features[0].missing
    new = write("new.csv", ["x", "c"], ["-99", "?"], ["", "unknown"], ["4", ""])
    found = arrays_for(load(new, schema=schema), schema)
    np.testing.assert_array_equal(found.numeric[:, 0], [np.nan, np.nan, 4])
    assert found.codes[:, 0].tolist() == [1, -1, -1]
    with pytest.raises(ModelError, match="'x' is '\\?' in row 1"):
        numeric(write("new.csv", ["x", "c"], ["?", "?"]), schema)


def test_dates_are_written_as_in_the_training_table(write):
    rows = [(f"{1 + i % 12}/{13 + i % 10}/2020", "uv"[i % 2]) for i in range(N)]
    _, schema = learnt(write("train.csv", ["day", "y"], *rows), dates="encode")
    assert numeric(write("new.csv", ["day"], ["3/4/2020"]), schema)[0, 1] == 3
    with pytest.raises(ModelError, match=r"'25/12/2020' in row 2.*writes them month/day/year"):
        numeric(write("new.csv", ["day"], ["3/4/2020"], ["25/12/2020"]), schema)


def test_typed_dates_are_expected_in_the_order_of_the_standard(tmp_path, write):
    days = pl.date_range(pl.date(2020, 1, 1), pl.date(2020, 2, 9), eager=True)
    pl.DataFrame({"day": days, "y": ["u", "v"] * 20}).write_parquet(tmp_path / "t.parquet")
    _, schema = learnt(tmp_path / "t.parquet", dates="encode")
    assert numeric(write("new.csv", ["day"], ["2020-03-04"]), schema)[0, 1] == 3
    with pytest.raises(ModelError, match="year-month-day"):
        numeric(write("new.csv", ["day"], ["3/4/2020"]), schema)


def test_truths_of_another_format_are_the_same_classes(tmp_path):
    frame = pl.DataFrame({"c": [True, False] * 20, "x": [float(i % 7) for i in range(N)], "y": [True, False] * 20})
    (tmp_path / "t.csv").write_text(frame.write_csv().replace("true", "True").replace("false", "False"))
    frame.write_parquet(tmp_path / "t.parquet")
    _, schema = learnt(tmp_path / "t.csv", categorical=["c"])
    found = arrays_for(load(tmp_path / "t.parquet", schema=schema), schema, with_target=True)
    assert found.target.tolist() == [1, 0] * 20
    assert found.codes[:, 0].tolist() == [1, 0] * 20


def test_blanks_around_a_category_do_not_matter(tmp_path, write):
    rows = [(["red", "green"][i % 2], i % 7, "uv"[i % 2]) for i in range(N)]
    _, schema = learnt(write("train.csv", ["c", "x", "y"], *rows))
    assert arrays_for(from_frame({"c": [" red", "green "], "x": [1, 2]}), schema).codes[:, 0].tolist() == [1, 0]
    pl.DataFrame({"c": ["red ", "green "] * 20, "x": range(N), "y": ["u", "v"] * 20}).write_parquet(
        tmp_path / "t.parquet"
    )
    _, schema = learnt(tmp_path / "t.parquet", features=["c", "x"])
    new = write("new.csv", ["c", "x"], ["red", 1], ["green", 1])
    assert arrays_for(load(new, schema=schema), schema).codes[:, 0].tolist() == [1, 0]


def test_what_was_said_about_reading_holds_for_other_tables(write):
    rows = [(i % 7, f"{i},5", "uv"[i % 2]) for i in range(N)]
    options = DataOptions(separator="|", header=False, comment="%", skip=Skip(1, 1))
    train = write("train.csv", None, ["title"], *rows, ["end"], separator="|")
    _, schema = learnt(train, options, target="column_3", numeric=["column_1"])
    assert schema.options == options
    with_target = write(
        "a.csv", None, ["title"], [3, "1,5", "u"], ["% no row"], [4, "2,5", "u"], ["end"], separator="|"
    )
    without = write("b.csv", None, ["title"], [3, "1,5"], [4, "2,5"], ["end"], separator="|")
    for new in (with_target, without):
        np.testing.assert_array_equal(numeric(new, schema), [[3, 1.5], [4, 2.5]])
    with pytest.raises(DataError, match="1 field in a line where 3 or 2 are expected, without a header"):
        load(write("c.csv", None, ["title"], ["3;1,5"], ["end"], separator="|"), schema=schema)


def test_without_a_header_the_target_may_stand_first(write):
    rows = [("uv"[i % 2], i % 7, i / 4) for i in range(N)]
    train = write("train.csv", None, *rows, separator=",")
    _, schema = learnt(train, DataOptions(header=False), target="column_1")
    new = write("new.csv", None, [3, 0.5], [4, 0.75], separator=",")
    np.testing.assert_array_equal(numeric(new, schema), [[3, 0.5], [4, 0.75]])


def test_a_separator_that_was_said_is_named_where_it_does_not_fit(write):
    rows = [(i % 7, i / 4, "uv"[i % 2]) for i in range(N)]
    _, schema = learnt(write("train.csv", ["a", "b", "y"], *rows), DataOptions(separator=";"))
    new = write("new.csv", ["a", "b"], [1, 2], separator=",")
    with pytest.raises(ModelError, match=r"lacks the columns 'a', 'b'; .*data\.separator ';'"):
        numeric(new, schema)


def test_the_hash_does_not_know_how_a_table_is_written(tmp_path):
    frame = pl.DataFrame({"x": [i / 4 for i in range(N)], "day": [f"2020-01-{1 + i % 28:02d}" for i in range(N)]})
    frame = frame.with_columns(y=pl.Series(["u", "v"] * 20))
    frame.write_csv(tmp_path / "a.csv")
    frame.write_csv(tmp_path / "b.csv", separator=";", decimal_comma=True)
    frame.with_columns(pl.col("day").str.to_date()).write_parquet(tmp_path / "c.parquet")
    tables = [load(tmp_path / name) for name in ("a.csv", "b.csv", "c.parquet")]
    schemas = [describe(table, target="y", dates="encode") for table in tables]
    hashes = {data_hash(schema, arrays(table, schema)) for table, schema in zip(tables, schemas, strict=True)}
    assert len(hashes) == 1


SIGNS = st.sampled_from(
    ["1.5", "2,5", "1,234", "1.234", "12", "1.234,5", "1,234.5", "0,123", "-7", "1e-3", "007", "1 234"]
)
WORDS = st.sampled_from(
    ["a", "b", "NA", "-", "", "?", "yes", "no", "True", "3/4/2020", "13/4/2020", "2020-01-02", " a", "inf"]
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_every_table_is_read_by_its_own_schema_as_it_was_learnt(tmp_path, data):
    """Whatever was inferred, it is what the schema says: cells of all sorts, in columns of one sort or of two."""
    columns = []
    for _ in range(3):
        kind = data.draw(st.sampled_from([SIGNS, WORDS, SIGNS | WORDS]))
        pool = data.draw(st.lists(kind, min_size=1, max_size=4))
        columns.append([data.draw(st.sampled_from(pool)) for _ in range(12)])
    separator = data.draw(st.sampled_from([",", ";", "\t"]))
    with (tmp_path / "t.csv").open("w", newline="") as file:
        rows = zip(*columns, [0.5 * i for i in range(12)], "uvuvuvuvuvuv", strict=True)
        csv.writer(file, delimiter=separator).writerows([["a", "b", "c", "d", "y"], *rows])
    options = DataOptions(
        decimal=data.draw(st.sampled_from([None, ".", ","])),
        thousands=data.draw(st.sampled_from([None, " ", "none"])),
        missing=data.draw(st.sampled_from([None, (), ("a", "12", "?")])),
    )
    table, schema = learnt(tmp_path / "t.csv", options, dates="encode")
    expected = arrays(table, schema)
    found = arrays_for(load(tmp_path / "t.csv", schema=schema), schema, with_target=True)
    np.testing.assert_array_equal(found.numeric, expected.numeric)
    np.testing.assert_array_equal(found.codes, expected.codes)
    frame = from_frame(pl.read_csv(tmp_path / "t.csv", separator=separator, infer_schema=False))
    as_frame = arrays_for(frame, schema)
    np.testing.assert_array_equal(as_frame.numeric, expected.numeric)
    np.testing.assert_array_equal(as_frame.codes, expected.codes)
