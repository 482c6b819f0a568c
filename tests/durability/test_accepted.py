"""Odd but legal experiments and tables: thirty here, 3,000 in `make torture`."""

import warnings

from accepted import attempts


def test_whatever_is_accepted_comes_to_an_end_with_every_command(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        seen, wrong = attempts(tmp_path / "odd", range(30))
    assert wrong == []
    assert seen["search", 0] > 30  # most are searched, and shown again as JSON
    assert seen["predict", 0] > 15
