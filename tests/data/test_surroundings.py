"""What stands around a table: what is taken for what it is, what can be said, and what a sentence proposes."""

from __future__ import annotations

import re

import pytest
import yaml
from text_pieces import parse

from lrtune.data.options import DataOptions, Skip
from lrtune.text.errors import DataError

ROWS = "".join(f"{i},x{i},{i / 2}\n" for i in range(1, 7))
TABLE = "a,b,c\n" + ROWS
NAMES, FIRST, LAST = ("a", "b", "c"), b"1,x1,0.5\n", b"6,x6,3.0\n"


def parsed(text, **options):
    return parse(text.encode(), "t.csv", DataOptions(**options))


def problem(text, **options):
    with pytest.raises(DataError) as caught:
        parsed(text, **options)
    return str(caught.value)


def is_table(found):
    return found.names == NAMES and found.body.startswith(FIRST) and found.body.endswith(LAST)


@pytest.mark.parametrize(
    ("line", "separator"),
    [("sep=;", ";"), ("SEP=|", "|"), ('"sep=;"', ";"), ("sep=\t", "\t"), ("sep=~", "~"), ("\ufeffsep=;", ";")],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_that_names_the_separator_is_heeded(line, separator, end):
    found = parsed(line + end + "a,b\n1,2\n3,4\n".replace(",", separator).replace("\n", end))
    assert (found.names, found.separator) == (("a", "b"), separator)
    assert found.body.splitlines() == [f"1{separator}2".encode(), f"3{separator}4".encode()]


def test_what_is_said_goes_before_the_line_that_names_the_separator():
    assert parsed("sep=;\na,b\n1,2\n", separator=",").names == ("a", "b")
    assert parsed("sep=;\na;b\n1;2\n", skip=Skip(1)).names == ("a", "b")
    assert "line 4 has 3 fields" in problem("sep=;\na;b\n1;2\n1;2;3\n")
    assert parsed("sep=;,b\n1,2\n").names == ("sep=;", "b")


def test_lines_above_and_below_can_be_skipped():
    assert is_table(parsed("Report, 2024\n\n" + TABLE, skip=Skip(2)))
    assert is_table(parsed(TABLE + "\nTotal\n(end)\n\n", skip=Skip(0, 2)))
    assert is_table(parsed("x\ny\n" + TABLE + "z", skip=Skip(2, 1)))
    assert is_table(parsed("\n\n" + TABLE, skip=Skip(1)))
    assert "line 5 has 2 fields" in problem("x\n\na,b,c\n1,2,3\n1,2\n1,2,3\n", skip=Skip(1))


@pytest.mark.parametrize("skip", [Skip(7), Skip(0, 7), Skip(4, 4), Skip(10**9), Skip(0, 10**9)])
def test_nothing_left_is_said(skip):
    assert problem(TABLE, skip=skip) == "t.csv: the file is empty but for what data.skip and data.comment leave out"


def test_lines_that_are_comments_can_be_left_out():
    text = '# one, two\n# 5" pipe\n' + TABLE.replace("\n2,", "\n# between\n2,") + "#"
    assert is_table(parsed(text, comment="#"))
    assert is_table(parsed("//x\n" + TABLE, comment="//"))
    assert parsed("#a,b\n1,2\n").names == ("#a", "b")
    assert "line 6 has 2 fields" in problem("#\n\na,b,c\n#\n1,2,3\n1,2\n#\n", comment="#")
    assert "line 5 has 2 fields" in problem("a,b,c\n#\n#\n1,2,3\n1,2\n", comment="#")


SURROUNDED = {
    "a title": ("Report of 2024\n\n" + TABLE, "if the first 2 lines are no part of the table, set data.skip: 2"),
    "a title with a comma": ("Report, 2024\n" + TABLE, "if the first line is no part of the table, set data.skip: 1"),
    "another separator": ("Title\n" + TABLE.replace(",", ";"), "if the first line is no part"),
    "a footer": (TABLE + "(6 rows)\n", "if the last line is no part of the table, set data.skip: {tail: 1}"),
    "a footer behind a line": (TABLE + "\nTotal, 6\nend\n", "if the last 3 lines are no part of the table"),
    "both": ("T\n" + TABLE + "x,y\n", "if the first line and the last line are no part of the table"),
    "comments": (
        "# a, b\n#\n" + TABLE + "# end\n",
        "if lines that begin with '#' are comments, set data.comment: \"#\"",
    ),
    "a comment in the middle": (TABLE.replace("\n2,", "\n% x\n2,"), "if lines that begin with '%' are comments"),
    "a line of another sort": (TABLE.replace("\n2,", "\n2;"), None),
}


@pytest.mark.parametrize("what", SURROUNDED)
def test_a_line_that_does_not_fit_proposes_the_setting_that_helps(what):
    text, proposed = SURROUNDED[what]
    said = problem(text)
    assert re.search(r"line \d+ has \d field", said)
    if proposed is None:
        assert "data." not in said
        return
    assert proposed in said
    key, value = re.search(r"set data\.(\w+): (.*)$", said).groups()
    value = yaml.safe_load(value)
    skip = value if isinstance(value, dict) else {"head": value}
    options = {"comment": value} if key == "comment" else {"skip": Skip(**skip)}
    found = parsed(text, **options)
    assert found.names == NAMES
    assert found.body.splitlines()[-1].replace(b";", b",") + b"\n" == LAST


def test_a_proposal_adds_to_what_is_skipped_already():
    assert "data.skip: {head: 3, tail: 2}" in problem("a\nb\nc\n" + TABLE + "x\ny\n", skip=Skip(1, 1))


def test_a_table_without_a_header_is_read_if_that_is_said():
    found = parsed("1,2.5,x\n3,4.5,y\n", header=False)
    assert found.names == ("column_1", "column_2", "column_3")
    assert found.body == b"1,2.5,x\n3,4.5,y\n"
    named = parse(b"1,2\n", "t.csv", DataOptions(header=False), [("a", "b", "y"), ("a", "b")])
    assert named.names == ("a", "b")


@pytest.mark.parametrize(
    "header", ["1.5,2.5", "5.1,3.5,1.4,0.2,setosa", "39,State,77516,Bachelors,13", "vhigh,2,2,small", "1,0,1", "5,3,9"]
)
def test_a_header_that_looks_like_a_row_is_refused_with_the_settings(header):
    said = problem(f"{header}\n{header}\n")
    assert "data.header: false" in said
    assert "column_1, column_2" in said
    assert parsed(f"{header}\n{header}\n", header=True).names[0] == header.split(",")[0]
    assert parsed(f"{header}\n{header}\n", header=False).names[0] == "column_1"


FALLING = ",".join(["x", *(f"{400 - i / 2}" for i in range(20))])


@pytest.mark.parametrize(
    "header", ["0,1,2", "name,1990,1991,1995", "2020,2019,x", "1,10,2,y", "x,400.5,401.5", "a,7", FALLING]
)
def test_numbers_in_order_are_names(header):
    assert parsed(f"{header}\n{header}\n").names == tuple(header.split(","))
