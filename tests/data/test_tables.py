"""Files, frames and arrays in; the oracle for numbers is Python's float, for files pandas."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import datasets

from lrtune.data.cells import Dates, Numbers, Texts
from lrtune.data.tables import DataOptions, from_array, from_frame, load, with_column
from lrtune.text.errors import DataError

pd = pytest.importorskip("pandas")


def plain(raw):
    """Give a raw column as a list, None where missing."""
    if isinstance(raw, Texts):
        return [None if code < 0 else raw.levels[code] for code in raw.codes]
    values = raw.values if isinstance(raw, Numbers) else raw.days
    return [None if np.isnan(value) else value for value in values]


@pytest.fixture
def read(tmp_path):
    def reader(text, name="t.csv", **options):
        (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return load(name, base=tmp_path, options=DataOptions(**options))

    return reader


def test_numbers_and_texts(read):
    table = read("a,b,c\n1,x,1e-4\n2.5,y,-3\n")
    assert table.names == ("a", "b", "c")
    assert table.rows == 2
    assert plain(table.columns["a"]) == [1.0, 2.5]
    assert plain(table.columns["b"]) == ["x", "y"]
    assert plain(table.columns["c"]) == [1e-4, -3.0]


@pytest.mark.parametrize(
    "missing", ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?", "-", ".", " NA ", '""', '"?"']
)
def test_the_usual_spellings_of_missing(read, missing):
    table = read(f"a,b\n1,x\n{missing},{missing}\n")
    assert plain(table.columns["a"]) == [1.0, None]
    assert plain(table.columns["b"]) == ["x", None]


def test_further_spellings_of_missing(read):
    table = read("a,b\n1,x\n-999,unknown\n", missing=("-999", "unknown"))
    assert plain(table.columns["a"]) == [1.0, None]
    assert plain(table.columns["b"]) == ["x", None]
    assert table.missing == ("-999", "unknown")


def test_the_type_is_decided_by_all_rows(read):
    table = read("a,b\n" + "1,2\n" * 5000 + "x,2.5\n")
    assert isinstance(table.columns["a"], Texts)
    assert not table.columns["b"].whole


def test_identifiers_keep_their_zeros_and_digits(read):
    table = read("zip,long,small\n007,12345678901234567890,0\n123,12345678901234567891,0.5\n")
    assert plain(table.columns["zip"]) == ["007", "123"]
    assert plain(table.columns["long"]) == ["12345678901234567890", "12345678901234567891"]
    assert plain(table.columns["small"]) == [0.0, 0.5]


def test_long_numbers_with_an_exponent_are_numbers(read):
    assert plain(read("a\n1e30\n-inf\n").columns["a"]) == [1e30, -np.inf]


@pytest.mark.parametrize("cell", ["1_000", "0x10", "1e", "1.2.3", "12:30", "5 kg", "10%", "\u0661"])
def test_what_is_no_number_is_text(read, cell):
    assert plain(read(f"a,b\n1,1\n{cell},1\n").columns["a"]) == ["1", cell]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_numbers_are_read_to_the_last_bit(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("floats") / "t.csv"
    path.write_text("a,b\n" + "".join(f"{value!r},{value:.17e}\n" for value in values))
    table = load(path)
    for name in "ab":
        column = table.columns[name]
        if isinstance(column, Numbers):
            assert column.values.tolist() == values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a;b\n1,5;x\n2;y\n", [1.5, 2.0]),
        ("a;b\n1,500;x\n3,234;y\n", [1.5, 3.234]),  # could part thousands, but nothing else says so
        ("a;b\n1.234,5;x\n-2;y\n", [1234.5, -2.0]),
        ("a\tb\n1,5\tx\n,5\ty\n", [1.5, 0.5]),
        ('a,b\n"1,5",x\n"2,25",y\n', [1.5, 2.25]),
        ("a;b\n1.5;2,5\n2;3,5\n", [1.5, 2.0]),  # a column with points in a table with commas
        ("a;b\n1.234;2,5\n2.000;3,5\n", [1234.0, 2000.0]),
        ("a;b\n1,234;2.5\n2,000;3.5\n", [1234.0, 2000.0]),
        ('a,b\n"1,234",x\n"2,000",y\n', [1234.0, 2000.0]),
        ('a,b\n"1,234.5",x\n"2",y\n', [1234.5, 2.0]),
        ("a;b\n1,5e-3;x\n2e2;y\n", [1.5e-3, 200.0]),
    ],
)
def test_decimal_commas_and_thousands(read, text, expected):
    table = read(text)
    assert plain(table.columns["a"]) == expected
    if "," in text.replace("a,b", ""):
        assert any("comma" in note for note in table.notes)


def test_decimal_can_be_said(read):
    text = 'a,b\n"1,234",x\n"2,000",y\n'
    assert plain(read(text, decimal=",").columns["a"]) == [1.234, 2.0]
    assert plain(read("a;b\n1,500;x\n", decimal=".").columns["a"]) == [1500.0]


def test_lists_in_cells_are_no_decimal_commas(read):
    assert plain(read("a;b\n1,2,3;x\n4,5;y\n").columns["a"]) == ["1,2,3", "4,5"]


def test_repaired_names_are_noted(read):
    table = read("a,,a\n1,2,3\n")
    assert table.names == ("a", "column_2", "a_2")
    assert len(table.notes) == 2


def test_a_header_alone_is_refused(read):
    with pytest.raises(DataError, match="no rows"):
        read("a,b\n")


def test_pandas_reads_the_bundled_tables_the_same(bundled):
    for path in bundled:
        ours, theirs = load(path), pd.read_csv(path)
        assert list(ours.names) == list(theirs.columns)
        for name, raw in ours.columns.items():
            if isinstance(raw, Numbers):
                np.testing.assert_array_equal(raw.values, theirs[name].to_numpy(dtype=float))
            else:
                assert plain(raw) == [None if pd.isna(value) else value for value in theirs[name]]


def test_a_file_that_is_not_there_names_the_nearest(tmp_path):
    (tmp_path / "penguins.csv").write_text("a\n1\n")
    (tmp_path / "picture.png").touch()
    with pytest.raises(DataError, match=r"pengiuns\.csv does not exist; did you mean 'penguins\.csv'\?"):
        load("pengiuns.csv", base=tmp_path)
    with pytest.raises(DataError, match=r"is a folder; the folder has 'penguins\.csv'$"):
        load(tmp_path)
    with pytest.raises(DataError, match="there is no folder"):
        load("nowhere/x.csv", base=tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="the folder has no tables"):
        load("empty/x.csv", base=tmp_path)


def test_a_path_may_be_absolute_whatever_the_base(tmp_path):
    (tmp_path / "t.csv").write_text("a\n1\n")
    assert load(tmp_path / "t.csv", base=tmp_path / "elsewhere").rows == 1


FRAME = pl.DataFrame(
    {
        "whole": [1, None, 3],
        "real": [0.5, float("nan"), None],
        "text": ["007", "", None],
        "flag": [True, None, False],
        "day": [dt.date(2020, 1, 2), None, dt.date(1969, 12, 31)],
        "time": pl.Series(["2020-01-02T12:00", None, "2020-01-03T00:00"]).str.to_datetime(),
        "long": [2**60 + 1, 1, None],
        "kind": pl.Series(["x", "y", "x"], dtype=pl.Categorical),
        "price": pl.Series([Decimal("1.50"), None, Decimal(2)], dtype=pl.Decimal(10, 2)),
        "void": pl.Series([None, None, None], dtype=pl.Null),
        "nested": [[1], [2], []],
    }
)
EXPECTED = {
    "whole": [1.0, None, 3.0],
    "real": [0.5, None, None],
    "text": ["007", None, None],
    "flag": ["true", None, "false"],
    "day": [18263.0, None, -1.0],
    "time": [18263.5, None, 18264.0],
    "long": [str(2**60 + 1), "1", None],
    "kind": ["x", "y", "x"],
    "price": [1.5, None, 2.0],
    "void": [None, None, None],
}


def check_frame(table):
    assert {name: plain(raw) for name, raw in table.columns.items()} == EXPECTED
    assert "nested" in table.notes[0]
    assert table.columns["time"].clock
    assert not table.columns["day"].clock


def test_parquet_keeps_types(tmp_path):
    FRAME.write_parquet(tmp_path / "t.parquet")
    check_frame(load("t.parquet", base=tmp_path))
    FRAME.write_parquet(tmp_path / "named.dat")
    check_frame(load("named.dat", base=tmp_path))


def test_missing_texts_apply_to_typed_tables(tmp_path):
    pl.DataFrame({"a": [1, -999], "b": ["x", "unknown"]}).write_parquet(tmp_path / "t.parquet")
    table = load("t.parquet", base=tmp_path, options=DataOptions(missing=("-999", "unknown")))
    assert [plain(raw) for raw in table.columns.values()] == [[1.0, None], ["x", None]]


def test_a_damaged_parquet_file_is_refused(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1 and then nothing of the kind")
    with pytest.raises(DataError, match="damaged parquet"):
        load("t.parquet", base=tmp_path)


def test_polars_frames():
    check_frame(from_frame(FRAME))
    check_frame(from_frame(FRAME.lazy()))


def test_pandas_frames():
    frame = pd.DataFrame(
        {
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "real": [0.5, np.nan, np.nan],
            "text": ["007", "", None],
            "flag": pd.array([True, None, False], dtype="boolean"),
            "day": pd.Series([dt.date(2020, 1, 2), None, dt.date(1969, 12, 31)], dtype=object),
            "time": pd.to_datetime(["2020-01-02 12:00", None, "2020-01-03 00:00"]),
            "long": pd.Series([2**60 + 1, 1, None], dtype=object),
            "kind": pd.Categorical(["x", "y", "x"]),
            "price": pd.Series([Decimal("1.50"), None, Decimal(2)], dtype=object),
            "void": pd.Series([None, None, None], dtype=object),
            "nested": pd.Series([[1], [2], []], dtype=object),
        }
    )
    check_frame(from_frame(frame))


def test_pandas_times_with_a_zone_and_numbered_columns():
    frame = pd.DataFrame(
        {0: pd.to_datetime(["2020-01-02 12:00"]).tz_localize("Europe/Berlin"), 1: pd.array([7], dtype="Int64")}
    )
    table = from_frame(frame)
    assert table.names == ("0", "1")
    assert plain(table.columns["0"]) == [18263 + 11 / 24]
    assert plain(table.columns["1"]) == [7.0]


def test_mappings_and_lists():
    table = from_frame({"a": [1, 2], "b": np.array(["x", "y"]), "c": [True, False], "d": np.array([b"u", b"v"])})
    assert [plain(raw) for raw in table.columns.values()] == [[1, 2], ["x", "y"], ["true", "false"], ["u", "v"]]


def test_arrays():
    table = from_array(np.arange(6).reshape(3, 2))
    assert table.names == ("x0", "x1")
    assert plain(table.columns["x1"]) == [1.0, 3.0, 5.0]
    mixed = from_array(np.array([[1, "u"], [2.5, None]], dtype=object), ["n", "t"])
    assert [plain(raw) for raw in mixed.columns.values()] == [[1.0, 2.5], ["u", None]]
    with pytest.raises(DataError, match="1 dimensions"):
        from_array([1, 2, 3])


def test_a_target_that_comes_apart_can_be_added():
    table = with_column(from_array([[1], [2]]), "y", ["a", "b"])
    assert plain(table.columns["y"]) == ["a", "b"]
    with pytest.raises(DataError, match="already"):
        with_column(table, "x0", [1, 2])
    with pytest.raises(DataError, match="2 rows, but 'z' has 3"):
        with_column(table, "z", [1, 2, 3])


def test_frames_without_rows_or_columns_are_refused():
    with pytest.raises(DataError, match="no rows"):
        from_frame(pl.DataFrame({"a": []}))
    with pytest.raises(DataError, match="no columns"):
        from_frame(pl.DataFrame({"a": [[1]]}))


def test_npz_archives(tmp_path):
    np.savez(tmp_path / "t.npz", X=np.eye(2), y=np.array(["u", "v"]), feature_names=np.array(["f", "g"]))
    table = load("t.npz", base=tmp_path)
    assert table.names == ("f", "g", "y")
    assert table.target == "y"
    assert plain(table.columns["g"]) == [0.0, 1.0]
    np.savez(
        tmp_path / "named.npz",
        age=np.array([1, 2]),
        pixels=np.eye(2),
        day=np.array(["2020-01-02", "NaT"], dtype="datetime64[D]"),
    )
    table = load("named.npz", base=tmp_path)
    assert table.names == ("age", "pixels_0", "pixels_1", "day")
    assert table.target is None
    assert isinstance(table.columns["day"], Dates)
    assert plain(table.columns["day"]) == [18263.0, None]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": np.eye(2), "y": np.arange(3)}, "differ in length: X_0 2, X_1 2, y 3"),
        ({"X": np.zeros((2, 2, 2))}, "shape .2, 2, 2.*reshape"),
        ({"a": np.array(1.0)}, r"shape \(\)"),
        ({"X": np.eye(2), "feature_names": np.array(["a"])}, "1 feature_names for the 2 columns"),
        ({"a": np.array([{}], dtype=object)}, "pickled objects are never loaded"),
        ({"a": np.array([1j])}, "no columns that can be read"),
        ({}, "holds no arrays"),
    ],
)
def test_npz_archives_that_are_no_tables(tmp_path, arrays, message):
    np.savez(tmp_path / "t.npz", **arrays)
    with pytest.raises(DataError, match=message):
        load("t.npz", base=tmp_path)


def test_zip_archives_that_are_no_npz(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "book.xlsx", "w") as archive:
        archive.writestr("sheet.xml", "<x/>")
    with pytest.raises(DataError, match="Excel"):
        load("book.xlsx", base=tmp_path)
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(DataError, match="cannot be read as an npz archive"):
        load("cut.npz", base=tmp_path)
    (tmp_path / "cut.xlsx").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(DataError, match="Excel"):
        load("cut.xlsx", base=tmp_path)


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits", "diabetes"])
def test_scikit_learns_sets(name):
    table = load(f"sklearn:{name}")
    bunch = getattr(datasets, f"load_{name}")()
    assert table.target == "target"
    assert table.rows == len(bunch.target)
    values = np.column_stack([table.columns[feature].values for feature in table.names[:-1]])
    np.testing.assert_array_equal(values, bunch.data)
    expected = bunch.target if name in {"digits", "diabetes"} else bunch.target_names[bunch.target]
    assert plain(table.columns["target"]) == expected.tolist()


def test_an_unknown_set_names_the_nearest():
    with pytest.raises(DataError, match="did you mean 'digits'"):
        load("sklearn:digit")


def test_nothing_heavy_is_imported_before_it_is_needed():
    modules = "tables, archives, delimited, describe, columns, encoding, folds, dataset, schema, targets"
    check = "assert not {'polars', 'sklearn', 'pandas', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", f"import sys; from lrtune.data import {modules}; {check}"], check=True)


@pytest.mark.parametrize("kind", ["Int8", "Int16", "Int32", "Int64", "UInt8", "UInt32", "UInt64", "Float32"])
def test_numbers_of_every_width_are_numbers(tmp_path, kind):
    frame = pl.DataFrame({"n": pl.Series([1, None, 100], dtype=getattr(pl, kind)), "none": [None] * 3})
    frame.write_parquet(tmp_path / "table.parquet")
    read = load(tmp_path / "table.parquet").columns["n"]
    assert read.missing.tolist() == [False, True, False]
    assert read.values[[0, 2]].tolist() == [1.0, 100.0]
