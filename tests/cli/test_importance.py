import json
import re

import pytest

SEARCH = ("search", "blobs.yaml", "--output", "now", "--quiet", "--json")
KEYS = {"learning_rate", "optimizer", "optimizer.momentum", "decay", "decay.final"}


@pytest.mark.parametrize("strategy", ["bayesian", "grid", "tpe"])
def test_whoever_proposed_the_trials_every_dimension_has_its_share(run, strategy):
    space = "space={learning_rate: [0.001, 0.01, 0.1], optimizer: [adam, momentum: {momentum: [0.8, 0.9]}]}"
    assert run(*SEARCH, "--strategy", strategy, "--trials", "9", "--set", space).exit_code == 0
    result = run("importance", "now", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert {each["key"] for each in found["dimensions"]} == {"learning_rate", "optimizer", "optimizer.momentum"}
    assert found["trials"] == 9
    shares = [each["share"] for each in found["dimensions"]]
    assert shares == sorted(shares, reverse=True)
    assert all(0 <= each["error"] < 1 for each in found["dimensions"])
    (momentum,) = (each for each in found["dimensions"] if each["key"] == "optimizer.momentum")
    assert momentum["probability"] == 0.5
    assert [each["where"] for each in momentum["branches"]] == [{"optimizer": "momentum"}]
    assert {each["key"] for each in found["slices"]} == {each["key"] for each in found["dimensions"]}
    (rates,) = (each["rows"] for each in found["slices"] if each["key"] == "learning_rate")
    assert [row["value"] for row in rates] == [0.001, 0.01, 0.1]
    assert all(row["low"] <= row["score"] <= row["high"] for row in rates)


def test_the_page_names_what_mattered_and_where_it_exists(run):
    run(*SEARCH, "--trials", "12", "--set", "search.metric=log_loss")
    result = run("importance", "now")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert re.fullmatch(r"[a-z. ]+ mattered most: [\d.]+ % ± [\d.]+ % of the variation .*, by 12 trials", lines[0])
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 100
    assert any(each.endswith("optimizer.momentum (momentum)") for each in lines)
    assert any(each.endswith("decay.final (cosine)") for each in lines)
    assert "lrtune importance now --slices" in result.stdout
    assert "average" not in result.stdout


def test_slices_are_in_the_sign_of_the_metric(run):
    run(*SEARCH, "--trials", "12", "--set", "search.metric=log_loss")
    page = run("importance", "now", "--slices").stdout
    for key in KEYS:
        assert re.search(rf"^{key.replace(chr(95), chr(32))}( of [a-z ]+)?, all else as in: ", page, re.MULTILINE)
    assert max(map(len, page.splitlines())) <= 100
    for each in json.loads(run("importance", "now", "--json").stdout)["slices"]:
        assert set(each["start"]) <= KEYS
        assert each["key"] in each["start"]
        for row in each["rows"]:
            assert 0 < row["low"] <= row["score"] <= row["high"]


def test_too_few_trials_are_told(run):
    run(*SEARCH, "--trials", "3")
    result = run("importance", "now")
    assert result.exit_code == 2
    assert result.stderr == "lrtune: 3 of 8 scored trials, which are needed to tell what mattered\n"
