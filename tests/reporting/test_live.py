"""Progress: what a search says while it goes on, on a terminal and without one."""

import io
from types import SimpleNamespace

import pytest

from lrtune.reporting import live
from lrtune.reporting.blocks import Headline
from lrtune.reporting.progress import Tally, climb
from lrtune.run.journal import Event
from lrtune.run.names import AT_WORK
from lrtune.run.study import RESULT, TRIAL, StudyState, result_body
from lrtune.space.trial import TrialState


class Clock:
    """Stands still."""

    now = 1e9

    def time(self):
        return self.now

    monotonic = time


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr(live, "time", Clock())


def tell(study, see, kind, body):
    study.add(Event(kind, body))
    see(body, study)


def run_events(study, see, last, first=0, ago=0.0):
    """Propose the trials from `first` to before `last`, and score them in one block."""
    clock = {"at": Clock.now - ago}
    for number in range(first, last):
        tell(study, see, TRIAL, {"trial": number, "configuration": {"learning_rate": 0.1}, "clock": clock})
    for number in range(first, last):
        scores = [None, 0.1] if number == 3 else [0.5 + 0.01 * number, 0.5]
        body = result_body(number, scores, [1, None] if number == 3 else [])
        tell(study, see, RESULT, body | {"clock": {"seconds": 10.0, **clock}})


def test_without_a_terminal_each_round_is_a_line(capsys):
    study = StudyState()
    with live.watch_search("accuracy", 20) as see:
        for first in range(0, 20, 5):
            run_events(study, see, first + 5, first)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "5 of 20 trials · 1 diverged · best accuracy 0.5200 (trial 4) · 2 m 30 s left",
        "10 of 20 trials · 1 diverged · best accuracy 0.5450 (trial 9) · 1 m 40 s left",
        "15 of 20 trials · 1 diverged · best accuracy 0.5700 (trial 14) · 50 s left",
        "20 of 20 trials · 1 diverged · best accuracy 0.5950 (trial 19)",
    ]


def test_a_search_of_very_many_rounds_prints_some_fifty_lines(capsys):
    study = StudyState()
    with live.watch_search("accuracy", 500) as see:
        for number in range(500):
            run_events(study, see, number + 1, number)
    lines = capsys.readouterr().err.splitlines()
    assert [each.split(" of ")[0] for each in lines] == [str(number) for number in range(10, 501, 10)]


def test_rounds_of_earlier_sessions_are_not_told_again(capsys):
    study = StudyState()
    with live.watch_search("accuracy", 20) as see:
        run_events(study, see, 5, ago=3600)
        run_events(study, see, 10, 5, ago=3600)
        run_events(study, see, 15, 10)
    assert [each.split(" of ")[0] for each in capsys.readouterr().err.splitlines()] == ["15"]


def test_a_finished_study_is_told_of_in_one_line(capsys):
    with live.watch_search("accuracy", 40) as see:
        run_events(StudyState(), see, 40, ago=3600)
    assert capsys.readouterr().err == "40 of 40 trials · 1 diverged · best accuracy 0.6950 (trial 39)\n"


def test_in_a_long_round_whole_blocks_are_told_of(capsys, monkeypatch):
    monkeypatch.setattr(live, "LINE_SECONDS", 0.0)
    study, now = StudyState(), Clock.now
    with live.watch_search("accuracy", 6) as see:
        for number in range(6):
            tell(study, see, TRIAL, {"trial": number, "configuration": {}, "clock": {"at": now}})
        for number in range(6):  # blocks of two trials: the first event of each has the time
            clock = {"clock": {"at": now, "seconds": 1.0}} if number % 2 == 0 else {}
            tell(study, see, RESULT, result_body(number, [0.5]) | clock)
    lines = capsys.readouterr().err.splitlines()
    assert [each.split(" · best")[0] for each in lines] == [
        "2 of 6 trials · 4 running",
        "4 of 6 trials · 2 running",
        "6 of 6 trials",
    ]


def test_a_search_that_is_stopped_still_says_how_far_it_was(capsys):
    def interrupted():
        with live.watch_search("accuracy", 10) as see:
            run_events(StudyState(), see, 3)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert capsys.readouterr().err.startswith("3 of 10 trials")


def test_what_blocks_have_done_counts_up_to_what_is_running():
    study, tally = StudyState(), Tally("accuracy", 20)
    run_events(study, tally.see, 4)
    assert tally.done(0.0) == tally.done(3.0) == 4.0  # nothing runs
    for number in range(4, 10):
        tell(study, tally.see, TRIAL, {"trial": number, "configuration": {"learning_rate": 0.1}})
    assert [tally.done(each) for each in (0.0, 2.5, 6.0, 99.0)] == [4.0, 6.5, 10.0, 10.0]
    tell(study, tally.see, RESULT, result_body(4, [0.5], [], stage=0, more=True))  # one fold of two
    assert tally.done(2.0) == 6.5
    tell(study, tally.see, RESULT, result_body(4, [0.5], [], stage=1))
    assert tally.done(2.0) == 7.0


def test_the_bar_moves_with_the_blocks_and_never_back(tmp_path):
    study, tally = StudyState(), Tally("accuracy", 10)
    for number in range(10):
        tell(study, tally.see, TRIAL, {"trial": number, "configuration": {"learning_rate": 0.1}})
    bar = live._Bar(tally, tmp_path)
    task = SimpleNamespace(total=10)
    (tmp_path / AT_WORK).mkdir()
    seen = []
    for text in ("0.5", "2.5", "1.0", "99"):
        (tmp_path / AT_WORK / "0").write_text(text)
        seen.append(bar.render(task).completed)
    assert seen == [0.5, 2.5, 2.5, 10.0]
    assert live._Bar(tally, None).render(task).completed == 0.0


@pytest.mark.parametrize("columns", [60, 100])
def test_on_a_terminal_the_bar_is_drawn_and_taken_away(columns, monkeypatch):
    screen = io.StringIO()
    screen.isatty = lambda: True
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("sys.stderr", screen)
    with live.watch_search("accuracy", 5) as see:
        run_events(StudyState(), see, 5)
    drawn = screen.getvalue()
    assert "5/5 · best accuracy 0.5200 · 1 diverged" in drawn
    assert (climb([0.5, 0.505, 0.51, 0.51, 0.52]) in drawn) is (columns >= 80)  # the score has the room
    assert "retraining the best" in drawn
    assert drawn.count("\x1b[?25l") == drawn.count("\x1b[?25h") == 1  # the cursor comes back


def test_a_tally_prefers_the_earlier_of_equal_trials():
    study, tally = StudyState(), Tally("rmse", 3)
    for number in (2, 0, 1):
        study.add(Event(TRIAL, {"trial": number, "configuration": {}}))
        event = Event(RESULT, result_body(number, [-2.0, -2.0]) | {"clock": {"seconds": 3.0}})
        study.add(event)
        tally.see(event.body, study)
    assert tally.best.number == 0
    assert tally.text() == "3 of 3 trials · best RMSE 2.000 (trial 0)"
    assert tally.count(TrialState.COMPLETE) == 3
    assert tally.seconds_left() == 0


def test_the_time_left_is_unknown_until_a_trial_has_ended():
    assert Tally("accuracy", 10).seconds_left() is None


def test_the_picture_rises_from_the_first_to_the_last_best_score():
    picture = climb([0.0] * 50 + [1.0] * 50)
    assert len(picture) == 12
    assert picture == "▁" * 6 + "█" * 6
    assert climb([-3.0, -2.0, -1.0]) == "▁▄█"
    assert climb([]) == climb([0.3]) == climb([0.3, 0.3]) == ""


def test_running_trials_are_those_proposed_and_not_over():
    study, tally = StudyState(), Tally("accuracy", 9)
    for number in range(4):
        tell(study, tally.see, TRIAL, {"trial": number, "configuration": {}})
    tell(study, tally.see, RESULT, result_body(2, [0.5, 0.7]))
    assert (tally.ended, tally.running, tally.round_is_over) == (1, 3, False)
    assert tally.text() == "1 of 9 trials · 3 running · best accuracy 0.6000 (trial 2)"


def test_pages_that_follow_each_other_are_printed_when_they_change(capsys):
    live.follow(iter([[Headline("1 of 2")], [Headline("1 of 2")], [Headline("2 of 2")]]))
    assert capsys.readouterr().out == "1 of 2\n\n2 of 2\n"


def test_on_a_terminal_pages_follow_each_other_in_place(monkeypatch):
    screen = io.StringIO()
    screen.isatty = lambda: True
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr("sys.stdout", screen)
    live.follow(iter([[Headline("1 of 2")], [Headline("2 of 2")]]))
    drawn = screen.getvalue()
    assert drawn.count("1 of 2") == 1
    assert drawn.index("1 of 2") < drawn.index("\x1b[2K") < drawn.index("2 of 2")  # the old line goes first
    assert drawn.count("\x1b[?25l") == drawn.count("\x1b[?25h") == 1
