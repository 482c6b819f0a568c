"""Tables that are read in pieces; the oracle is the same table, read at once."""

from __future__ import annotations

import errno
import gzip
import io
import os
import tempfile

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrtune.data import archives, compressed, frames, scratch, tables
from lrtune.data.cells import Numbers, Texts
from lrtune.data.dataset import open_dataset
from lrtune.data.describe import describe
from lrtune.data.options import DataOptions, Skip
from lrtune.data.rare import without_dropped
from lrtune.data.stored import StoredColumns, part
from lrtune.text.errors import DataError

MODULES = (tables, frames, compressed, archives)


@pytest.fixture
def pieces(monkeypatch):
    """Let everything be large from now on, and pieces be small."""

    def shrink(size=200):
        for module in MODULES:
            monkeypatch.setattr(module, "PIECES_FROM", 0)
        for module in (tables, compressed):
            monkeypatch.setattr(module, "PIECE", size)
        monkeypatch.setattr(scratch, "PIECES_FROM", size)
        monkeypatch.setattr(frames, "_SMALL", 0)

    return shrink


def plain(raw):
    cells = raw.codes if isinstance(raw, Texts) else raw.values if isinstance(raw, Numbers) else raw.days
    others = {each: getattr(raw, each) for each in type(raw).__slots__ if each not in ("codes", "values", "days")}
    return type(raw).__name__, str(cells.dtype), cells.tobytes(), others


def content(table):
    """Give all there is in a table."""
    kept = {name: list(each.read(0, each.rows)) for name, each in table.kept.items()}
    own = (table.source, table.notes, table.missing, dict(table.spelled), table.form, table.target, table.options)
    return list(table.columns), {name: plain(raw) for name, raw in table.columns.items()}, kept, own


def outcome(load):
    try:
        return content(load())
    except DataError as error:
        return str(error)


def in_pieces(load, size):
    """Read a table in pieces of a size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "PIECES_FROM", 0)
        patch.setattr(tables, "PIECE", size)
        return outcome(load)


CELLS = st.sampled_from(
    [
        *("1", "2.5", "-3", "1e3", "007", "1,5", "1.234,5", "1 234", "0,5", "inf", "-", "9007199254740993", "NA", ""),
        *(" x ", "ä", "ß;", 'a "b"', "x\ny", "a\rb", "2020-01-31", "12:30", "yes", "no", "true", "'", "#1"),
    ]
)


@st.composite
def files(draw):
    """Write a table in one of the ways that people do, now and then with a mistake in it."""
    separator, end = draw(st.sampled_from(",;\t|")), draw(st.sampled_from(["\n", "\r\n", "\r"]))
    width = draw(st.integers(1, 4))
    columns = [draw(st.lists(CELLS, min_size=1, max_size=3)) for _ in range(width)]
    lines = [separator.join("abcd"[:width])]
    for _ in range(draw(st.integers(0, 30))):
        cells = [draw(st.sampled_from(column)) for column in columns]
        lines.append(separator.join(_quoted(cell, separator, draw) for cell in cells))
    for _ in range(draw(st.integers(0, 2))):
        odd = draw(st.sampled_from(["", "   ", "# comment", '5" pipe', '"open', f"1{separator}2{separator}3", "title"]))
        lines.insert(draw(st.integers(0, len(lines))), odd)
    text = end.join(lines) + draw(st.sampled_from(["", end, end * 3, "\x1a"]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "latin-1", "utf-16"]))
    skip = Skip(draw(st.sampled_from([0, 0, 1])), draw(st.sampled_from([0, 0, 2])))
    comment, header = draw(st.sampled_from([None, "#"])), draw(st.sampled_from([None, None, False, True]))
    return text.encode(encoding), DataOptions(skip=skip, comment=comment, header=header)


def _quoted(cell, separator, draw):
    if set(cell) & {'"', "\n", "\r", separator} and draw(st.integers(0, 9)):
        return '"' + cell.replace('"', '""') + '"'
    return cell


@settings(deadline=None, max_examples=150)
@given(files(), st.sampled_from([3, 50, 200]))
def test_any_file_is_read_in_pieces_as_it_is_at_once(tmp_path_factory, file, size):
    path = tmp_path_factory.getbasetemp() / "pieces.csv"
    data, options = file
    path.write_bytes(data)

    def load():
        return tables.load(path, options=options, keep=["a"] if options.header is None else [])

    assert in_pieces(load, size) == outcome(load)


def test_the_bundled_tables_are_read_in_pieces_as_they_are_at_once(bundled):
    for path in bundled:
        at_once = outcome(lambda path=path: tables.load(path))
        assert not isinstance(at_once, str)
        assert in_pieces(lambda path=path: tables.load(path), 5_000) == at_once


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16", "utf-16-le", "shift_jis", "utf-7"])
def test_an_encoding_that_was_named_is_decoded_in_pieces(encoding, tmp_path):
    path = tmp_path / "t.csv"
    letters = "日本" if encoding == "shift_jis" else "äß"
    path.write_bytes(("a,b\n" + f"1,{letters}\n" * 50).encode(encoding))
    options = DataOptions(encoding=encoding)
    at_once = outcome(lambda: tables.load(path, options=options))
    assert not isinstance(at_once, str)
    for size in (3, 64):
        assert in_pieces(lambda: tables.load(path, options=options), size) == at_once


def test_a_byte_that_is_no_text_has_its_line_in_any_piece(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n" + b"1,\xc3\xa4\n" * 40 + b"2,\xc3\n" + b"3,x\n" * 40)
    for size in (1, 7, 200):
        said = in_pieces(lambda: tables.load(path, options=DataOptions(encoding="utf-8")), size)
        assert said == f"{path} cannot be read as utf-8: the byte 0xc3 in line 42 is no text in it"


def test_lines_that_do_not_fit_have_their_numbers_in_any_piece(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + '1,"x\ny"\n' * 100 + "\n\n1,2,3\n" + "4,5\n" * 50)
    for size in (1, 7, 200):
        assert f"{path}: line 204 has 3 fields where the header has 2" in in_pieces(lambda: tables.load(path), size)


def columns_of(count):
    random = np.random.default_rng(count)
    return {
        "number": [None if each < 0.1 else float(each) for each in random.random(count)],
        "whole": [int(each) for each in random.integers(9, size=count)],
        "text": [f"t{each}" for each in random.integers(30, size=count)],
        "class": ["yes" if each < 0.5 else "no" for each in random.random(count)],
    }


@pytest.fixture
def frame():
    days = pl.Series("day", range(300), dtype=pl.Int32).cast(pl.Date)
    rows = [[each] for each in range(300)]
    return pl.DataFrame(columns_of(300)).with_columns(days, pl.Series("rows", rows)).rename({"whole": "^.*$"})


def test_a_parquet_file_is_read_column_by_column(frame, tmp_path, pieces):
    path = tmp_path / "t.parquet"
    frame.write_parquet(path)
    path_in = {"options": DataOptions(missing=("t3",)), "keep": ["text", "day", "number", "^.*$"]}
    at_once = tables.load(path, **path_in)
    pieces()
    table = tables.load(path, **path_in)
    assert isinstance(table.columns, StoredColumns)
    assert content(table) == content(at_once)
    assert at_once.notes == ("left out because their cells are not numbers, texts or dates: 'rows'",)
    assert table.spelled == {"text": ("t3",)}


def test_a_damaged_column_is_a_sentence_where_it_is_read(frame, tmp_path, pieces):
    path = tmp_path / "t.parquet"
    frame.select("number", "class").write_parquet(path, compression="uncompressed", statistics=False)
    data = bytearray(path.read_bytes())
    data[4:60] = bytes(56)
    path.write_bytes(data)
    pieces()
    with pytest.raises(DataError, match="is a damaged parquet file"):
        tables.load(path)


def test_what_cannot_be_read_in_pieces_says_so(frame, tmp_path, pieces):
    packed = tmp_path / "t.parquet.gz"
    whole = io.BytesIO()
    frame.write_parquet(whole)
    packed.write_bytes(gzip.compress(whole.getvalue()))
    np.savez(tmp_path / "t.npz", X=np.ones((9, 3)), y=np.arange(9))
    frame.select("number", "class").lazy().sink_csv(tmp_path / "t.csv.zst", compression="zstd")
    pieces()
    whys = {"t.parquet.gz": "it is no file", "t.npz": "its arrays hold several", "t.csv.zst": "compressed with zstd"}
    for name, why in whys.items():
        notes = tables.load(tmp_path / name).notes
        assert [note for note in notes if note.startswith(f"{tmp_path / name} is read whole") and why in note], notes


def test_packed_texts_are_read_in_pieces(tmp_path, pieces):
    text = "a,b\n" + "".join(f"{each},x{each % 7}\n" for each in range(2_000))
    (tmp_path / "t.csv").write_text(text)
    (tmp_path / "t.gz").write_bytes(gzip.compress(text.encode()))
    at_once = tables.load(tmp_path / "t.csv")
    pieces(1_000)
    table = tables.load(tmp_path / "t.gz")
    assert isinstance(table.columns, StoredColumns)
    assert not table.notes
    assert content(table)[1] == content(at_once)[1]


def test_a_dataset_of_a_large_table_is_that_of_a_small_one(tmp_path, pieces):
    path = tmp_path / "t.csv"
    pl.DataFrame(columns_of(400)).with_columns(rare=pl.int_range(400) // 3 % 3 == 0).write_csv(path)
    at_once = open_dataset(path, target="class")
    pieces()
    assert open_dataset(path, target="class").hash == at_once.hash


def test_dropped_classes_are_left_out_of_a_large_table(tmp_path, pieces):
    path = tmp_path / "t.csv"
    kinds = ["a"] * 50 + ["b"] * 50 + ["c"] * 3
    pl.DataFrame({"x": range(103), "name": [f"n{each % 11}" for each in range(103)], "y": kinds}).write_csv(path)

    def left():
        table = tables.load(path)
        schema = describe(table, target="y", rare="drop")
        return without_dropped(table, schema)

    at_once = left()
    pieces()
    assert content(left()) == content(at_once)
    assert at_once.rows == 100


def test_a_part_of_a_column_has_the_levels_that_are_in_it(tmp_path, pieces):
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n1,x,1\n2,y,2\n3,,3\n2.5,z,4\n")
    at_once = tables.load(path)
    pieces(5)
    table = tables.load(path)
    for columns in (table.columns, at_once.columns):
        found = part(columns, "b", 1, 3)
        assert (found.codes.tolist(), found.levels) == ([0, -1], ("y",))
        assert part(columns, "a", 2, 9).values.tolist() == [3.0, 2.5]
        assert not part(columns, "a", 1, 3).whole


def test_nothing_is_left_of_a_large_table(tmp_path, pieces, monkeypatch):
    path, folder = tmp_path / "t.csv", tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    path.write_text("a,b\n" + "1,x\n" * 1_000)
    (tmp_path / "t.gz").write_bytes(gzip.compress(path.read_bytes() + b"1,2,3\n"))
    pieces()
    table = tables.load(path)
    with pytest.raises(DataError, match="line 1002 has 3 fields"):
        tables.load(tmp_path / "t.gz")
    assert table.rows == 1_000
    del table
    assert not list(folder.iterdir())


def test_a_full_disk_is_a_sentence(tmp_path, pieces, monkeypatch):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,x\n" * 1_000)

    class Full(io.BytesIO):
        def write(self, _):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "TemporaryFile", Full)
    pieces()
    with pytest.raises(
        DataError, match=r": the folder for temporary files cannot be used \(No space left on device\), and what"
    ):
        tables.load(path)
