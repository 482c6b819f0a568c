import re
import shlex

import pytest

from lrtune.reporting import console
from lrtune.reporting.blocks import Facts, Grid, Headline, Lines, Remarks, Words, word_lines

PAGE = [
    Headline("accuracy 0.97 ± 0.02"),
    Facts("best", [("rate", "3.2e-2"), ("column", "[red]price[/red] :smile: \x1b[31m")]),
    Grid("trials", ("trial", "mean", "what"), [("7", "0.97", "adam"), ("12", "0.9", "sgd")]),
    Remarks("notes", ["a long sentence " * 9]),
    Lines("next", ["lrtune predict " + "x" * 120]),
]

ANCHORS = Grid(
    "beside what was not tuned",
    ("log_loss", "accuracy", "balanced_accuracy", "roc_auc", ""),
    [("0.032", "0.9890", "0.9872", "1.0000", "trial 7, the best"), ("1", "2", "3", "4", "the shares of the classes")],
)
NEXT = Words(
    "", [("files", "runs/a: result.json, trials.csv"), ("next", "lrtune predict a data.csv -o predictions.csv")]
)


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


@pytest.mark.parametrize("columns", [30, 40, 60, 80, 100])
def test_nothing_breaks_inside_a_word_and_every_row_keeps_its_name(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    console.show([ANCHORS, NEXT])
    out = capsys.readouterr().out
    assert max(len(each) for each in out.splitlines()) <= columns
    words = set(out.split())
    assert words >= {"trial", "best", "shares", "classes", "log_loss", "0.032", "result.json,", "predictions.csv"}
    assert words <= set(
        " ".join((ANCHORS.title, *ANCHORS.header, *sum(ANCHORS.rows, ()), *sum(NEXT.rows, ()))).split()
    ) | {"\\"}


def test_a_command_that_is_broken_is_one_command_for_a_shell(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "36")
    console.show([NEXT])
    _, _, command = capsys.readouterr().out.partition("next ")
    assert "\\\n" in command
    assert shlex.split(command.replace("\\\n", " ")) == NEXT.rows[1][1].split()


def test_what_is_to_be_copied_is_whole_where_nobody_says_how_wide_the_page_is(capsys):
    long = "lrtune predict " + "x " * 100
    console.show([Words("next", [("", long.strip())])])
    assert capsys.readouterr().out.splitlines()[1] == f"  {long.strip()}"


@pytest.mark.parametrize("columns", range(30, 70))
def test_a_number_and_its_unit_stand_in_one_line(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    text = "on 10 of 10 folds; probability 87 %: better by 0.5 ± 0.1, chosen in 8 % of 2,000 resamples"
    console.show(
        [Headline(text), Facts("", [("row", text)]), Remarks("notes", [text]), Grid("", ("a", "b"), [("1", text)])]
    )
    lines = capsys.readouterr().out.splitlines()
    assert not [each for each in lines if re.match(r"\s*%", each) or each.endswith("±")]
    assert " ".join(" ".join(lines).split()).count("87 %: better by 0.5 ± 0.1, chosen in 8 %") == 4


@pytest.mark.parametrize("columns", range(52, 100, 4))
def test_the_last_column_of_a_table_has_room_for_more_than_a_word(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    console.show([ANCHORS])
    lines = capsys.readouterr().out.splitlines()
    names = [row[-1] for row in ANCHORS.rows]
    for name in names:  # whole, or after two dozen columns
        first = next(line for line in lines if f"  {name[:12]}" in line).rstrip()
        assert first.endswith(name) or len(first) - first.index(name[:12]) + len(name.split()[-1]) >= 24


def test_a_command_is_typed_as_it_was_where_the_path_does_not_find_it(tmp_path, monkeypatch):
    there, other = tmp_path / "on the path" / "lrtune", tmp_path / "venv" / "lrtune"
    for each in (there, other):
        each.parent.mkdir()
        each.write_text("#!/bin/sh\n")
        each.chmod(0o755)
    page = [Words("", [("next", "lrtune show run"), ("files", "lrtuned: a")])]

    def typed(program, path):
        monkeypatch.setattr("sys.argv", [str(program), "search"])
        monkeypatch.setenv("PATH", str(path))
        return console.page_text(console.console(), page).splitlines()

    assert typed(there, there.parent) == ["  next   lrtune show run", "  files  lrtuned: a"]
    assert typed(other, tmp_path) == [f"  next   {other} show run", "  files  lrtuned: a"]
    assert typed(other, there.parent)[0] == f"  next   {other} show run"  # the path has another one
    assert typed(there, tmp_path)[0] == f"  next   '{there}' show run"
    assert typed("/usr/bin/pytest", tmp_path)[0] == "  next   lrtune show run"
    link = tmp_path / "bin" / "lrtune"
    link.parent.mkdir()
    link.symlink_to(other)
    assert typed(other, link.parent)[0] == "  next   lrtune show run"


def test_a_command_is_never_broken_within_quotes():
    block = Words("", [("next", "lrtune predict 'my runs/a long name of a folder' data.csv -o predictions.csv")])
    lines = word_lines(block, 50)
    whole = " ".join(line.removesuffix(" \\").strip() for line in lines)
    assert len(lines) > 1
    assert "'my runs/a long name of a folder'" in whole
    assert all(line.count("'") in (0, 2) for line in lines)
