"""A broken experiment file or table ends in a sentence: 150 here, 2,000 in `make torture`."""

import warnings

from fuzzing import GOOD, fuzz, run
from mutations import TABLE


def test_the_files_that_are_broken_are_good_before(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    for command in ("check", "search"):
        assert run(tmp_path / "good", GOOD, TABLE.encode(), command) == (None, 0)


def test_whatever_is_in_the_files_the_end_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    seen = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fuzz(tmp_path / "broken", 150, seen)
    assert {0, 2} <= set(seen)
