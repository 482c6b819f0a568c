"""Nights on the command line: --champions, --fail-if, history, champion."""

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest

SEARCH = ("search", "blobs.yaml", "-q", "--trials", "4", "--set", "search.control=false", "--no-report")
SKEWED = "\n".join(f"{i % 7 / 7:.4f},{i % 5 / 5:.4f},a,k{i % 3}" for i in range(90))


@pytest.fixture
def nights(run, folder):
    """Two nights of a growing table."""
    whole = (folder / "blobs.csv").read_text().splitlines()
    for rows in (61, 76):
        (folder / "blobs.csv").write_text("\n".join(whole[:rows]) + "\n")
        assert run(*SEARCH, "--champions", "champions").exit_code == 0
    return folder / "champions"


def test_the_first_night_passes_what_compares_and_a_bad_one_fails(run, folder, nights):
    bad = (folder / "blobs.csv").read_text() + SKEWED + "\n"
    (folder / "blobs.csv").write_text(bad)
    gates = ("--fail-if", "drift < -0.1", "--fail-if", "trained == 0", "--junit", "report.xml", "--summary", "page.md")
    found = run(*SEARCH, "--champions", "champions", *gates)
    assert found.exit_code == 3
    assert "gate fail-if drift < -0.1 failed" in found.stderr
    assert "Night" in found.stdout
    names = [each.get("name") for each in ET.parse("report.xml").iter("testcase")]
    assert names == ["search", "fail-if drift < -0.1", "fail-if trained == 0"]
    assert "drift \\< -0.1" in (folder / "page.md").read_text()
    first = run(*SEARCH, "--champions", "others", "--fail-if", "drift < 0")
    assert first.exit_code == 0
    assert nights.is_dir()
    assert "passed: the first night has nothing to be compared with" in first.stdout


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("drfit < 0", "unknown number 'drfit'; did you mean 'drift'?"),
        ("drift", "expected a name, one of <=, >=, ==, !=, <, >, and a number"),
        ("drift < low", "expected a number, got 'low'"),
        ("drift < nan", "expected a finite number, got 'nan'"),
        ("__import__('os') < 0", "expected a name"),
    ],
)
def test_a_condition_that_is_none_is_refused_before_anything_is_read(run, condition, said):
    found = run(*SEARCH, "--champions", "champions", "--fail-if", condition)
    assert found.exit_code == 2
    assert said in found.stderr
    assert found.stdout == ""


def test_a_condition_needs_a_night(run):
    found = run(*SEARCH, "--fail-if", "drift < 0")
    assert found.exit_code == 2
    assert "needs a night to be compared with, by --champions or --champion" in found.stderr


def test_a_night_in_which_nothing_has_changed_passes_what_compares(run, nights):
    found = run(*SEARCH, "--champions", nights.name, "--fail-if", "drift < -9", "--fail-if", "gain < 0")
    assert found.exit_code == 0
    assert "passed: nothing has changed: the table is that of the night before" in " ".join(found.stdout.split())
    assert "Nothing was trained" in found.stdout
    assert run(*SEARCH, "--champions", nights.name, "--fail-if", "trained == 0").exit_code == 3


def test_what_is_not_known_fails_with_its_reason(run, nights):
    best = nights / "0001" / "best.yaml"
    found = run(*SEARCH, "--champion", str(best), "--output", "other", "--fail-if", "drift < -9")
    assert found.exit_code == 3
    assert "this counts as a failure: drift is not known: " in " ".join(found.stdout.split())


def test_history_is_a_page_a_picture_and_json(run, folder, nights):
    page = run("history", nights, "-o", "history.svg", "--summary", "page.md")
    assert page.exit_code == 0
    assert "2 nights" in page.stdout
    assert "its accuracy is 0." in " ".join(page.stdout.split())
    assert (folder / "history.svg").read_text().startswith("<svg")
    assert "level" in (folder / "page.md").read_text()
    lines = [json.loads(line) for line in (nights / "history.jsonl").read_text().splitlines()]
    assert json.loads(run("history", nights, "--json").stdout) == {"nights": lines, "torn": None}
    (nights / "history.jsonl").write_text((nights / "history.jsonl").read_text()[:-9])
    assert "its last line was torn" in " ".join(run("history", nights).stdout.split())


def test_a_champion_is_shown_listed_and_rolled_back(run, nights):
    assert "trained in night 2" in run("champion", "show", nights).stdout
    assert json.loads(run("champion", "show", nights, "--json").stdout)["night"] == 2
    back = run("champion", "rollback", nights, "1")
    assert back.exit_code == 0
    assert json.loads((nights / "champion.json").read_text()) == {"night": 1, "elected": 1}
    assert "night 1 has the champion" in " ".join(run("champion", "history", nights).stdout.split())
    listed = json.loads(run("champion", "history", nights, "--json").stdout)
    assert [each["night"] for each in listed["champions"]] == [1, 2]
    assert (nights / "0002" / "model").is_dir()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("champion", "roolback", "champions"), "unknown value 'roolback'; did you mean 'rollback'?"),
        (("champion", "show", "champions", "2"), "N: goes with rollback, and not with show"),
        (("champion", "rollback", "champions", "7"), "has no folder of night 7; there are 1, 2"),
        (("champion", "show", "nowhere"), "there is no such folder"),
        (("history", "runs"), "is no folder of champions"),
        (("history", "champions", "-o", "history.txt"), "unknown kind of picture"),
    ],
)
def test_wrong_words_are_told_in_a_sentence(run, nights, words, said):
    found = run(*words)
    assert found.exit_code == 2
    assert said in found.stderr
    assert nights.is_dir()


def test_an_evaluation_says_how_many_rows_of_a_grown_table_the_model_has_seen(run, nights):
    """Before, it looked at the path of the table only, which is the same every night."""
    marked = len(np.load(nights / "0001" / "row_scores.npz")["marks"])
    found = run("evaluate", nights / "0001", "blobs.csv")
    assert f"the model was trained on at least {marked} of these 75 rows" in " ".join(found.stderr.split())
    assert json.loads(run("evaluate", nights / "0001", "blobs.csv", "--json").stdout)["known"] == marked
    whole = (nights.parent / "blobs.csv").read_text().splitlines()
    (nights.parent / "new.csv").write_text("\n".join([whole[0], *whole[61:]]) + "\n")
    new = run("evaluate", nights / "0001", "new.csv")
    assert new.exit_code == 0
    assert "trained on" not in new.stderr


def test_a_rollback_without_a_number_and_without_an_earlier_champion_names_the_nights(run, nights):
    """Before, it said that there was no champion before, where the same one had been trained on several nights."""
    assert run("champion", "rollback", nights, "1").exit_code == 0
    found = run("champion", "rollback", nights)
    assert found.exit_code == 2
    assert "to go back to the model of an earlier night, name the night (1, 2)" in " ".join(found.stderr.split())


def test_a_lost_name_of_the_champion_is_mended_by_a_rollback(run, nights):
    (nights / "champion.json").unlink()
    assert "is lost" in run(*SEARCH, "--champions", nights).stderr
    assert run("champion", "rollback", nights, "2").exit_code == 0
    assert run("champion", "show", nights).exit_code == 0


def test_the_schema_of_a_line_is_printed(run):
    assert "drift_error" in json.loads(run("schema", "history").stdout)["properties"]
