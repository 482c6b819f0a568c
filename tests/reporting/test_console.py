import io
import re
import time

import pytest

from lrtune.journal import Event
from lrtune.reporting import console
from lrtune.reporting.blocks import Facts, Grid, Headline, Lines, Remarks
from lrtune.reporting.progress import Tally
from lrtune.study import RESULT, TRIAL, Study, result_body
from lrtune.trial import TrialState

PAGE = [
    Headline("accuracy 0.97 ± 0.02"),
    Facts("best", [("rate", "3.2e-2"), ("column", "[red]price[/red] :smile: \x1b[31m")]),
    Grid("trials", ("trial", "mean", "what"), [("7", "0.97", "adam"), ("12", "0.9", "sgd")]),
    Remarks("notes", ["a long sentence " * 9]),
    Lines("next", ["lrtune predict " + "x" * 120]),
]


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch):
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


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


def run_events(study, see, last, first=0):
    """Propose and score the trials from `first` to before `last`."""
    for number in range(first, last):
        event = Event(TRIAL, {"trial": number, "configuration": {"learning_rate": 0.1}})
        study.add(event)
        see(event.body, study)
    for number in range(first, last):
        scores = [None, 0.1] if number == 3 else [0.5 + 0.01 * number, 0.5]
        body = result_body(number, scores, [1, None] if number == 3 else []) | {"clock": {"seconds": 10.0}}
        study.add(Event(RESULT, body))
        see(body, study)


def test_a_quick_search_without_a_terminal_is_one_line(capsys):
    with console.watch_search("accuracy", 40) as see:
        run_events(Study(), see, 40)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "40 of 40 trials · best accuracy 0.6950 (trial 39) · 1 diverged\n"


def test_a_long_search_without_a_terminal_prints_a_line_now_and_then(capsys, monkeypatch):
    monkeypatch.setattr(console, "LINE_SECONDS", 0.001)
    study, lines = Study(), []
    with console.watch_search("accuracy", 20) as see:
        for number in range(20):
            run_events(study, see, number + 1, first=number)
            deadline = time.monotonic() + 10
            while (number + 1) % 2 == 0 and not (new := capsys.readouterr().err) and time.monotonic() < deadline:
                time.sleep(0.001)
            lines += [new] if (number + 1) % 2 == 0 else []
    assert lines[0] == "2 of 20 trials · best accuracy 0.5050 (trial 1) · 3 m left\n"
    assert [each.split(" of ")[0] for each in lines] == [str(number) for number in range(2, 21, 2)]
    assert capsys.readouterr().err == ""


def test_a_search_that_is_stopped_still_says_how_far_it_was(capsys):
    def interrupted():
        with console.watch_search("accuracy", 10) as see:
            run_events(Study(), see, 3)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert capsys.readouterr().err.startswith("3 of 10 trials")


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


def test_on_a_terminal_the_bar_is_drawn_and_taken_away(monkeypatch):
    screen = io.StringIO()
    screen.isatty = lambda: True
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr("sys.stderr", screen)
    with console.watch_search("accuracy", 5) as see:
        run_events(Study(), see, 5)
    drawn = screen.getvalue()
    assert "5 of 5 trials · best accuracy 0.5200 (trial 4) · 1 diverged" in drawn
    assert "retraining the best" in drawn
    assert drawn.count("\x1b[?25l") == drawn.count("\x1b[?25h") == 1  # the cursor comes back


def test_a_tally_prefers_the_earlier_of_equal_trials():
    study, tally = Study(), Tally("rmse", 3)
    for number in (2, 0, 1):
        study.add(Event(TRIAL, {"trial": number, "configuration": {}}))
        event = Event(RESULT, result_body(number, [-2.0, -2.0]) | {"clock": {"seconds": 3.0}})
        study.add(event)
        tally.see(event.body, study)
    assert tally.best.number == 0
    assert tally.text() == "3 of 3 trials · best rmse 2.000 (trial 0)"
    assert tally.count(TrialState.COMPLETE) == 3
    assert tally.seconds_left() == 0


def test_the_time_left_is_unknown_until_a_trial_has_ended():
    assert Tally("accuracy", 10).seconds_left() is None
