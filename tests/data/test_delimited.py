"""Text files as people have them; the oracle for the regular ones is Python's own csv module."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from text_pieces import parse

from lrtune.data import records
from lrtune.data.delimited import DataOptions, repair_names
from lrtune.text.errors import DataError


def rows_of(data: bytes, **options):
    """Parse and give names and rows, as a reader of regular csv sees them."""
    found = parse(data, "t.csv", DataOptions(**options))
    reader = csv.reader(io.StringIO(found.body.decode(), newline=""), delimiter=found.separator)
    return found.names, [row or [""] for row in reader]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(separator):
    data = separator.join("abc") + "\n" + separator.join("123") + "\n"
    assert rows_of(data.encode()) == (("a", "b", "c"), [["1", "2", "3"]])


def test_decimal_commas_do_not_win_over_semicolons():
    assert rows_of(b"a;b;c\n1,5;2,5;3,5\n1,0;2,0;3,0\n")[1] == [["1,5", "2,5", "3,5"], ["1,0", "2,0", "3,0"]]


def test_separators_inside_quotes_do_not_count():
    assert rows_of(b'a;b\n"x,y,z";1\n"u,v,w";2\n')[0] == ("a", "b")


def test_a_single_column_needs_no_separator():
    assert rows_of(b"a\n1\n\n2\n\n") == (("a",), [["1"], [""], ["2"]])


def test_options_override_what_is_found():
    assert rows_of(b"a,b;c\n1,2;3\n", separator=";")[0] == ("a,b", "c")
    assert rows_of(b"a\tb\n1\t2\n", separator="tab")[0] == ("a", "b")


@pytest.mark.parametrize(
    ("encoding", "options"),
    [
        ("utf-8", {}),
        ("utf-8-sig", {}),
        ("latin-1", {}),
        ("utf-16", {}),
        ("utf-32", {}),
        ("cp1252", {}),
        ("utf-16-le", {"encoding": "utf-16-le"}),
        ("cp1250", {"encoding": "cp1250"}),
        ("utf-8-sig", {"encoding": "utf-8"}),
    ],
)
def test_encodings(encoding, options):
    assert rows_of("größe;b\nü;2\n".encode(encoding), **options) == (("größe", "b"), [["ü", "2"]])


@pytest.mark.parametrize("mark", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_byte_order_marks_of_both_orders_are_known(mark):
    assert rows_of("\ufeffgröße;b\nü;2\n".encode(mark)) == (("größe", "b"), [["ü", "2"]])


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", ["größe;b\nü;2\n", "a\r1\r", "年,大小\n一,二\n" * 20000, "a b\tc\n\u00a01\t𝄞\n"])
def test_wide_encodings_without_a_mark_are_proposed(encoding, text):
    with pytest.raises(DataError) as caught:
        rows_of(text.encode(encoding))
    assert str(caught.value) == (
        f"t.csv looks like {encoding} without a byte order mark: set data.encoding: {encoding}, or save it as UTF-8"
    )
    names, rows = rows_of(text.encode(encoding), encoding=encoding)
    assert names[0] in text
    assert rows


def test_latin_is_said():
    (note,) = parse("ä\nö\n".encode("latin-1"), "t.csv", DataOptions()).notes
    assert "not UTF-8" in note


def test_bytes_that_windows_does_not_use_are_read_as_latin():
    assert rows_of(b"a,b\n\x81,\xe9\n")[1] == [["\x81", "é"]]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends(newline):
    assert rows_of(newline.join(["a,b", "1,2", "3,4"]).encode()) == (("a", "b"), [["1", "2"], ["3", "4"]])


def test_blank_lines_are_skipped_in_tables_of_several_columns():
    assert rows_of(b"\n  \na,b\n\n1,2\n   \n3,4\n\n\n")[1] == [["1", "2"], ["3", "4"]]
    assert rows_of(b"a\tb\n1\t2\n\t\n3\t4\n")[1] == [["1", "2"], ["", ""], ["3", "4"]]


def test_quoted_fields_may_hold_anything():
    data = b'a,b\n1,"x\n\ny"\n2,"q ""z"", r"\n"",\n'
    assert rows_of(data)[1] == [["1", "x\n\ny"], ["2", 'q "z", r'], ["", ""]]


def test_a_lone_inch_mark_is_text():
    assert rows_of(b'a,b\n1,5" pipe\n2,"6"" pipe"\n')[1] == [["1", '5" pipe'], ["2", '6" pipe']]


def test_blanks_before_quotes_are_skipped():
    assert rows_of(b'a, "b"\n1, "x, y"\n') == (("a", "b"), [["1", "x, y"]])


@pytest.mark.parametrize(
    ("data", "line", "got"),
    [
        (b"a,b\n1,2\n3\n", 3, "1 field "),
        (b"a,b\n1,2,3\n", 2, "3 fields"),
        (b'a,b\n1,"x\ny"\n\n3,4,5\n', 5, "3 fields"),
        (b'\n\na,b\n1,"x\ny"\n3,4,5\n', 6, "3 fields"),
        (b'a,b\n1,5" x\n3,4,5\n', 3, "3 fields"),
    ],
)
def test_a_ragged_line_is_named(data, line, got):
    with pytest.raises(DataError, match=rf"t\.csv: line {line} has {got}.*header has 2"):
        rows_of(data)


def test_a_quote_that_never_ends_is_named():
    with pytest.raises(DataError, match="opens on line 3 is not closed"):
        rows_of(b'a,b\n1,2\n1,"x\n3,4\n')


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "binary"),
        (bytes(range(256)) * 4, "binary"),
        (b"a\x00b,c\x00\n1,2\n", "binary"),
        (bytes(range(128, 256)) + bytes(range(1, 32)), "binary"),
        (b"PK\x03\x04 workbook", "Excel"),
        (b"\x1f\x8b zipped", "gzip"),
        (b"\x80\x04\x95 pickled", "pickle"),
        (b"1.5,2.5\n2,3\n", "column names are expected"),
    ],
)
def test_what_is_no_table_is_refused(data, message):
    with pytest.raises(DataError, match=message):
        rows_of(data)


def test_wrong_encodings_are_refused():
    with pytest.raises(DataError, match="unknown encoding 'utf-9'"):
        rows_of(b"a\n1\n", encoding="utf-9")
    with pytest.raises(DataError, match=r"cannot be read as utf-8: the byte 0xff in line 2 is no text in it$"):
        rows_of(b"a\n\xff\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"cannot be read as punycode(: the byte 0x0a in line 1 is no text in it)?$"):
        rows_of(b"a\n1\n", encoding="punycode")


@pytest.mark.parametrize("options", [{"separator": ",,"}, {"separator": ""}, {"decimal": "'"}])
def test_wrong_options_are_refused(options):
    with pytest.raises(DataError, match=r"is one character|decimal sign"):
        DataOptions(**options)


def test_numbered_columns_are_names():
    assert rows_of(b"0,1,2\n5,6,7\n")[0] == ("0", "1", "2")


def test_names_are_made_unique_and_said():
    names, notes = repair_names(["a", "", "a", "a", "a_2", ""])
    assert names == ("a", "column_2", "a_2_", "a_3", "a_2", "column_6")
    assert len(notes) == 4
    assert "column 2 has no name" in notes[0]
    assert "'a' occurs twice" in notes[1]


def test_a_table_larger_than_a_chunk_is_counted_right(monkeypatch):
    monkeypatch.setattr(records, "_CHUNK", 7)
    data = b'a,b,c\n1,"x,\ny",3\n\n4,,6\n7,"8",""\n'
    assert rows_of(data)[1] == [["1", "x,\ny", "3"], ["4", "", "6"], ["7", "8", ""]]
    with pytest.raises(DataError, match="line 6 has 4 fields"):
        rows_of(data[:-1] + b",9\n")


CELL = st.text(st.sampled_from('ab1"\n ,;é'), max_size=6).map(lambda text: text.strip())


@settings(deadline=None, max_examples=150)
@given(
    rows=st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=6),
    separator=st.sampled_from([",", ";", "\t"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    newline=st.sampled_from(["\n", "\r\n"]),
)
@example(rows=[("", "", "")], separator=",", quoting=csv.QUOTE_ALL, newline="\n")
def test_what_pythons_writer_writes_is_read_back(rows, separator, quoting, newline):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator=newline)
    writer.writerow(["x", "y", "z"])
    writer.writerows(rows)
    names, read = rows_of(out.getvalue().encode(), separator=separator)
    assert names == ("x", "y", "z")
    assert read == [list(row) for row in rows]


def test_a_header_among_mixed_line_ends_is_a_sentence():
    with pytest.raises(DataError, match=r"t.csv:2: the header cannot be read"):
        parse(b"\na,b\r1\n5,6\n", "t.csv", DataOptions())
