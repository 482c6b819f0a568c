"""Pruning and stopping as people see them: options, the page, the table of trials, mistakes."""

import csv
import json
import re
from pathlib import Path

import pytest

SEARCH = ("search", "blobs.yaml", "--trials", "12")


def files():
    (folder,) = Path("runs").iterdir()
    with (folder / "trials.csv").open() as file:
        return json.loads((folder / "result.json").read_text()), list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("race", r"after 1 of 3 folds worse than trial \d+ with probability (0\.99\d\d|above 0\.9999)"),
        ("halving", r"on 1/3 of the epochs number \d+ of 12, 4 went on"),
    ],
)
def test_a_pruned_trial_says_why_and_the_page_what_was_saved(run, kind, reason):
    low = ("--set", "space.learning_rate={low: 1e-6, high: 1.0, scale: log}", "--set", "training.epochs=9")
    result = run(*SEARCH, *low, "--pruning", kind, "--details")
    assert result.exit_code == 0, result.output
    found, trials = files()
    pruned = [each for each in trials if each["state"] == "pruned"]
    assert len(pruned) == found["pruning"]["pruned"] == found["trials"]["pruned"] >= 1
    assert all(re.fullmatch(reason, each["reason"]) and not each["mean"] for each in pruned)
    assert [bool(pruned[0][f"fold_{fold}"]) for fold in (1, 2, 3)] == [kind == "race", False, False]
    assert trials[0]["state"] == "complete"
    page = " ".join(result.stdout.split())
    ended = f"pruning {kind}: {len(pruned)} trial{'s' * (len(pruned) != 1)} ended early (trial {pruned[0]['number']} "
    assert ended + pruned[0]["reason"] in page
    assert 0 < found["pruning"]["saved"] < 1
    assert f"{len(pruned)} pruned" in result.stderr


def test_a_target_is_said_to_be_reached_and_its_lack_goes_on(run):
    result = run(*SEARCH, "--set", "search.round=4", "--set", "search.target=0.1")
    assert files()[0]["trials"]["total"] == 4
    assert "the target was reached before all trials" in " ".join(result.stdout.split())
    assert files()[0]["finished"] == "target"
    assert files()[0]["pruning"] is None
    run(*SEARCH, "--set", "search.round=4")
    assert files()[0]["trials"]["total"] == 12


def test_the_plan_knows_of_pruning(run):
    assert "pruning" not in run("check", "blobs.yaml").stdout
    assert (
        "race: what is below is the most it can be" in run("check", "blobs.yaml", "--set", "search.pruning=race").stdout
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--pruning", "racing"), "--pruning racing: search.pruning: unknown value 'racing'; did you mean"),
        (("--set", "search.target=high"), "search.target: expected a number, got 'high'"),
        (("--set", "search.stop=never"), "search.stop: unknown value 'never'; allowed: 'none', 'no_gain'"),
        (("--set", "search.min_trials=0"), "search.min_trials"),
    ],
)
def test_mistakes_are_sentences(run, options, words):
    result = run("search", "blobs.yaml", *options)
    assert result.exit_code == 2
    assert words in result.stderr
