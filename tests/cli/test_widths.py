"""No page breaks inside of a word, and no table loses what its rows are about, however narrow the terminal."""

import re

import pytest

COMMANDS = [
    ("show", "blobs-00000001"),
    ("show", "blobs-00000001", "--details", "--notes"),
    ("show", "stopped-00000002"),
    ("trials", "blobs-00000001"),
    ("status", "blobs-00000001"),
    ("list",),
    ("health", "blobs-00000001"),
    ("compare", "blobs-00000001", "blobs-00000001"),
    ("check", "blobs.yaml"),
    ("schedules",),
    ("schedules", "cosine_restarts"),
]

DROPPED = {
    "list": {"metric", "accuracy", "trials"},
    "show": {"log_loss", "roc_auc", "balanced_accuracy", "std"},
    "trials": {"std"},
}
"""Columns that tables leave out where there is no room: numbers, and what all rows have in common."""


def words(text):
    """Everything between blanks that has a letter and is no part of a picture."""
    return {each for each in text.split() if re.search(r"[a-z]", each) and not re.search(r"[┤│┊●█]", each)}


@pytest.fixture
def page(run, monkeypatch):
    def make(command, columns):
        monkeypatch.setenv("COLUMNS", str(columns))
        done = run(*command)
        assert done.exit_code in (0, 5), done.output
        return done.output

    return make


@pytest.mark.usefixtures("made_runs")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_word_of_a_wide_page_stands_whole_on_a_narrow_one(page, command):
    wide = words(page(command, 240))
    for columns in (100, 80, 60):
        narrow = page(command, columns)
        assert wide - words(narrow) <= DROPPED.get(command[0], set()), columns
        assert max(map(len, narrow.splitlines())) <= columns


def test_a_run_with_a_long_name_keeps_it_in_the_list(page, made_runs):
    name = "a-name-that-is-as-long-as-a-whole-sentence-that-somebody-wrote-01234567"
    (made_runs / "blobs-00000001").rename(made_runs / name)
    lines = [line.split()[0] for line in page(("list",), 60).splitlines() if line.strip()]
    assert name in "".join(lines)
