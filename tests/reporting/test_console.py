import re

import pytest

from lrtune.reporting import console
from lrtune.reporting.blocks import Facts, Grid, Headline, Lines, Remarks

PAGE = [
    Headline("accuracy 0.97 ± 0.02"),
    Facts("best", [("rate", "3.2e-2"), ("column", "[red]price[/red] :smile: \x1b[31m")]),
    Grid("trials", ("trial", "mean", "what"), [("7", "0.97", "adam"), ("12", "0.9", "sgd")]),
    Remarks("notes", ["a long sentence " * 9]),
    Lines("next", ["lrtune predict " + "x" * 120]),
]


def test_a_page_without_a_terminal_is_plain_text(capsys):
    console.show(PAGE)
    assert capsys.readouterr().out.splitlines() == [
        "accuracy 0.97 ± 0.02",
        "",
        "best",
        "  rate    3.2e-2",
        "  column  [red]price[/red] :smile: \\x1b[31m",
        "",
        "trials",
        "  trial  mean  what",
        "      7  0.97  adam",
        "     12   0.9  sgd",
        "",
        "notes",
        "  -  a long sentence a long sentence a long sentence a long sentence a long sentence a long sentence",
        "     a long sentence a long sentence a long sentence",
        "",
        "next",
        "  lrtune predict " + "x" * 120,
    ]


@pytest.mark.parametrize("columns", ["40", "60", "100"])
def test_columns_are_respected(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    console.show([Facts("", [("best", "word " * 60)]), Grid("", ("trial", "what"), [("7", "momentum 0.9 · " * 10)])])
    lines = capsys.readouterr().out.splitlines()
    assert max(len(each) for each in lines) <= int(columns)
    assert max(len(each) for each in lines) > int(columns) - 20


def test_a_terminal_gets_styles_but_never_foreign_codes(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    console.show(PAGE)
    out = capsys.readouterr().out
    assert "\x1b[1m" in out
    assert "[red]price[/red]" in out
    assert "\x1b[31m" not in out


def test_no_color_means_no_colour(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    console.fail("it failed")
    assert re.search(r"\x1b\[[\d;]*31m", capsys.readouterr().err)
    monkeypatch.setenv("NO_COLOR", "1")
    console.fail("it failed")
    assert not re.search(r"\x1b\[[\d;]*3\dm", capsys.readouterr().err)


def test_errors_and_notes_go_to_standard_error(capsys):
    console.fail("2 mistakes", ["a.yaml:1: [bold]x", "a.yaml:2: y"])
    console.note("read 10 rows")
    console.warn("a column looks like an identifier")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "a.yaml:1: [bold]x",
        "a.yaml:2: y",
        "lrtune: 2 mistakes",
        "read 10 rows",
        "a column looks like an identifier",
    ]


def test_what_takes_a_while_is_announced_on_a_terminal_only(capsys, monkeypatch):
    with console.working("reading a.csv"):
        pass
    assert capsys.readouterr() == ("", "")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    with console.working("reading [b]a.csv"):
        pass
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "reading [b]a.csv" in captured.err


def test_a_table_may_have_words_before_its_last_column(capsys):
    console.show([Grid("", ("run", "trials", "what"), [("wine-00000001", "7", "x"), ("a", "12", "y")], left=(0,))])
    assert capsys.readouterr().out.splitlines() == [
        "  run            trials  what",
        "  wine-00000001       7  x",
        "  a                  12  y",
    ]
