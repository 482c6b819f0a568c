"""Damaged files end in one sentence: nothing that a library raises, and nothing that it prints, gets through."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import polars as pl
import pytest

from lrtune.data.tables import Table, from_frame, load
from lrtune.text.errors import DataError


@pytest.fixture
def read(tmp_path):
    def reader(content, name):
        (tmp_path / name).write_bytes(content)
        return load(name, base=tmp_path)

    return reader


def tried(read, content, name):
    """Read what may be damaged: a table or a sentence of one line."""
    try:
        assert isinstance(read(content, name), Table)
    except DataError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both ends are fine


def parquet():
    out = io.BytesIO()
    rows = 60
    days = pl.date_range(pl.date(2020, 1, 1), pl.date(2020, 2, 29), eager=True)
    columns = {"a": [i / 7 for i in range(rows)], "c": ["u", "v", None] * 20, "n": range(rows), "day": days}
    pl.DataFrame(columns).write_parquet(out)
    return out.getvalue()


def npz():
    out = io.BytesIO()
    np.savez_compressed(out, X=np.arange(60.0).reshape(20, 3), y=np.array(["u", "v"] * 10))
    return out.getvalue()


@pytest.mark.parametrize("kind", [parquet, npz])
def test_flipped_bits_and_cuts_are_sentences(read, kind, capfd):
    content, name = kind(), f"t.{kind.__name__}"
    for place in range(0, len(content), max(1, len(content) // 150)):
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        tried(read, bytes(flipped), name)
        tried(read, content[:place], name)
    assert capfd.readouterr() == ("", "")


def test_a_panic_is_a_sentence(read, monkeypatch, capfd):
    def panic(_):
        raise pl.exceptions.PanicException("index out of bounds\nnote: run with RUST_BACKTRACE=1")

    monkeypatch.setattr(pl, "read_parquet", panic)
    with pytest.raises(DataError, match=r"^t\.parquet is a damaged parquet file: its parts contradict each other$"):
        read(parquet(), "t.parquet")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("day", [2**31 - 1, -(2**31), 2_932_897, -719_163])
def test_a_date_that_no_calendar_has_is_a_sentence(day, tmp_path):
    days = pl.Series([0, None, day], dtype=pl.Int32).cast(pl.Date)
    frame = pl.DataFrame({"a": [1.0, 2.0, 3.0], "when": days})
    frame.write_parquet(tmp_path / "t.parquet")
    message = "column 'when' has a date outside of the years 1 to 9999 in row 3"
    for source in (lambda: load(tmp_path / "t.parquet"), lambda: from_frame(frame)):
        with pytest.raises(DataError, match=message):
            source()
    np.savez(tmp_path / "t.npz", when=np.array([0, "NaT", day], dtype="datetime64[D]"))
    with pytest.raises(DataError, match=message):
        load(tmp_path / "t.npz")


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_moments_are_days_whatever_their_unit(unit):
    moments = pl.Series([0, 43_200_000, None, -86_400_000]).cast(pl.Datetime("ms")).cast(pl.Datetime(unit))
    column = from_frame(pl.DataFrame({"t": moments})).columns["t"]
    np.testing.assert_array_equal(column.days, [0, 0.5, np.nan, -1])
    assert column.clock


@pytest.mark.parametrize("unit", ["Y", "M", "W", "D", "h", "s", "ms", "us", "ns"])
def test_numpys_dates_are_days_whatever_their_unit(unit, tmp_path):
    moments = np.array(["1970-01-01", "NaT", "2001-01-01"], dtype="datetime64[D]").astype(f"datetime64[{unit}]")
    np.savez(tmp_path / "t.npz", t=moments)
    expected = moments.astype("datetime64[D]").astype(float)
    expected[1] = np.nan
    np.testing.assert_array_equal(load(tmp_path / "t.npz").columns["t"].days, expected)


def test_units_without_a_calendar_are_left_out(tmp_path):
    np.savez(
        tmp_path / "t.npz",
        a=[1, 2],
        t=np.array([1, 2], dtype="datetime64[as]"),
        g=np.full(2, np.iinfo(np.int64).min).view("M8"),
    )
    table = load(tmp_path / "t.npz")
    assert table.names == ("a",)
    assert "'t', 'g'" in table.notes[0]


def test_what_is_no_array_is_left_out_of_an_archive(tmp_path):
    np.savez(tmp_path / "t.npz", X=np.eye(2), y=np.array(["u", "v"]))
    with zipfile.ZipFile(tmp_path / "t.npz", "a") as archive:
        archive.writestr("readme.txt", "what the arrays are")
    table = load(tmp_path / "t.npz")
    assert table.names == ("X_0", "X_1", "y")
    assert table.notes == ("left out because they are no arrays: 'readme.txt'",)


def test_names_that_are_patterns_elsewhere_are_names(tmp_path, monkeypatch):
    frame = pl.DataFrame({"^.*$": ["1", "2"], "*": ["x", "y"], "a": [0.5, 1.5]})
    for name in ("t[1].csv", "~t.csv", "*.csv"):
        frame.write_csv(tmp_path / "plain")
        (tmp_path / "plain").rename(tmp_path / name)
        assert load(name, base=tmp_path).names == ("^.*$", "*", "a")
    for name in ("t[1].parquet", "~t.parquet", "y=1.parquet"):
        frame.write_parquet(tmp_path / "plain")
        (tmp_path / "plain").rename(tmp_path / name)
        assert load(name, base=tmp_path).names == ("^.*$", "*", "a")
    (tmp_path / "home").mkdir()
    frame.write_csv(tmp_path / "home" / "t.csv")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert load("~/t.csv", base=tmp_path).rows == 2
