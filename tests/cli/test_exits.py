import pytest
import typer

from lrtune.cli import exits, signals
from lrtune.text.errors import DataError, ExperimentError, NoUsableResultError, StudyError


def ended(error):
    """The exit code that an exception becomes."""
    with pytest.raises(typer.Exit) as caught, exits.handled():
        raise error
    return caught.value.exit_code


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    monkeypatch.delenv(exits.DEBUG, raising=False)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (DataError("a.csv: no column 'x'; did you mean 'y'?"), 2, "lrtune: a.csv: no column 'x'; did you mean 'y'?\n"),
        (StudyError("runs/a: busy"), 2, "lrtune: runs/a: busy\n"),
        (NoUsableResultError("nothing"), 5, "lrtune: nothing\n"),
        (ExperimentError(["a.yaml:3: one", "a.yaml:7: two"]), 2, "a.yaml:3: one\na.yaml:7: two\nlrtune: 2 mistakes\n"),
        (ExperimentError(["a.yaml:3: one"]), 2, "a.yaml:3: one\nlrtune: 1 mistake\n"),
        (PermissionError(13, "Permission denied", "/nowhere/x"), 2, "lrtune: /nowhere/x: Permission denied\n"),
        (OSError(28, "No space left on device"), 2, "lrtune: No space left on device\n"),
        (MemoryError(), 2, "lrtune: out of memory\n"),
        (
            OSError(24, "Too many open files", "a.db"),
            2,
            "lrtune: a.db: Too many open files; raise the limit of open files (ulimit -n)\n",
        ),
        (
            BlockingIOError(11, "Resource temporarily unavailable"),
            2,
            "lrtune: Resource temporarily unavailable; raise the limit of processes (ulimit -u), or use --workers 1\n",
        ),
        (
            RuntimeError("can't start new thread"),
            2,
            "lrtune: no thread could be started; raise the limit of processes (ulimit -u), or use --workers 1\n",
        ),
        (KeyboardInterrupt(), 130, "lrtune: stopped\n"),
        (signals.Terminated(), 143, "lrtune: stopped\n"),
    ],
)
def test_what_is_raised_becomes_a_sentence_and_a_code(capsys, error, code, text):
    assert ended(error) == code
    assert capsys.readouterr() == ("", text)


def test_of_very_many_mistakes_the_first_are_listed(capsys):
    assert ended(ExperimentError([f"a.yaml:{line}: wrong" for line in range(1, 5001)])) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[99:] == ["a.yaml:100: wrong", "and 4,900 more", "lrtune: 5,000 mistakes"]


def test_a_defect_asks_to_be_reported_and_shows_its_traceback_on_request(capsys, monkeypatch):
    assert ended(KeyError("oops")) == 1
    err = capsys.readouterr().err
    assert "defect" in err
    assert "KeyError: 'oops'" in err
    assert "Traceback" not in err
    monkeypatch.setenv(exits.DEBUG, "1")
    with pytest.raises(KeyError), exits.handled():
        raise KeyError("oops")


@pytest.mark.parametrize("error", [typer.Exit(7), typer.Abort(), typer.BadParameter("no")])
def test_what_typer_handles_is_left_to_typer(error):
    with pytest.raises(type(error)), exits.handled():
        raise error


def test_an_interruption_says_how_to_go_on(capsys, tmp_path):
    with pytest.raises(typer.Exit), exits.handled(), signals.resumable(tmp_path / "run"):
        raise KeyboardInterrupt
    err = capsys.readouterr().err
    assert str(tmp_path / "run") in err
    assert "run the same command again" in err


def test_how_to_go_on_with_a_run_that_was_begun_afresh(capsys, tmp_path):
    with pytest.raises(typer.Exit), exits.handled(), signals.resumable(tmp_path / "run", fresh=True):
        raise KeyboardInterrupt
    assert capsys.readouterr().err.endswith("run the same command again without --fresh\n")


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt, 130), (signals.Terminated, 143)])
def test_a_search_that_is_stopped_before_it_has_a_folder_says_how_to_go_on(run, monkeypatch, error, code):
    def stopped(*_, **__):
        raise error

    monkeypatch.setattr("lrtune.tuning.search.prepare", stopped)
    result = run("search", "blobs.yaml")
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr == "lrtune: stopped; to go on, run the same command again\n"


def test_of_two_words_on_how_to_go_on_the_inner_one_is_said(capsys, tmp_path):
    with pytest.raises(typer.Exit), exits.handled(), signals.resumable(), signals.resumable(tmp_path):
        raise KeyboardInterrupt
    assert capsys.readouterr().err == (
        f"lrtune: stopped; everything finished so far is kept in {tmp_path}; to go on, run the same command again\n"
    )


def test_the_code_tells_even_if_nobody_can_be_told(monkeypatch):
    def gone(*_):
        raise BrokenPipeError

    monkeypatch.setattr("lrtune.reporting.console.fail", gone)
    monkeypatch.setattr(exits, "_silence_output", lambda: None)
    assert ended(KeyboardInterrupt()) == 130


def test_messages_carry_no_foreign_codes(capsys):
    ended(DataError("no column '[red]\x1b[31mx'"))
    assert capsys.readouterr().err == "lrtune: no column '[red]\\x1b[31mx'\n"
