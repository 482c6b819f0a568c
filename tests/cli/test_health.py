"""The health report of real runs, for people and for programs."""

import json

import numpy as np
import pytest
from results import result

from lrtune.reporting import health
from lrtune.reporting.blocks import Facts, Headline, Remarks
from lrtune.run.journal import Journal
from lrtune.verdict.findings import HINT, WARNING, Finding
from lrtune.verdict.health import in_own_sign

NOISE = """\
data: {path: noise.csv, target: kind, task: classification}
model: {type: linear}
training: {epochs: 4, batch_size: 32}
search: {trials: 6, folds: 3, metric: METRIC}
space:
  learning_rate: {low: 1e-3, high: 1e-2, scale: log}
"""


def write_noise(folder, metric):
    """Features that say nothing, and a class of one row in ten."""
    rng = np.random.default_rng(0)
    kinds = ["rare" if place % 10 == 0 else "usual" for place in range(200)]
    rows = [f"{x:.3f},{y:.3f},{kind}" for kind, (x, y) in zip(kinds, rng.normal(size=(200, 2)), strict=True)]
    (folder / "noise.csv").write_text("\n".join(["x,y,kind", *rows]) + "\n")
    (folder / "noise.yaml").write_text(NOISE.replace("METRIC", metric))


def test_the_report_is_that_of_the_result(run, folder):
    search = run("search", "blobs.yaml", "-o", "out")
    assert search.exit_code == 0, search.output
    result = json.loads((folder / "out" / "result.json").read_text())
    shown = json.loads(run("health", "out", "--json").stdout)
    assert shown == {"schema": 1, "name": "blobs", "health": result["health"]}
    assert result["health"]
    for each in result["health"]:
        assert set(each) == {"name", "severity", "sentence", "advice", "numbers"}
        assert each["severity"] in (WARNING, HINT)
    page = " ".join(run("health", "out").stdout.split())
    for each in result["health"]:
        assert each["sentence"] in page
        assert each["advice"] in page
        assert each["name"].replace("_", " ") in page


@pytest.mark.parametrize("metric", ["balanced_accuracy", "roc_auc", "log_loss"])
def test_a_class_that_is_never_predicted_is_named(run, folder, metric):
    write_noise(folder, metric)
    assert run("search", "noise.yaml", "-o", "out").exit_code == 0
    found = json.loads(run("health", "out", "--json").stdout)["health"]
    (finding,) = [each for each in found if each["name"] == "classes"]
    assert finding["numbers"]["classes"] == {"rare": 16}  # a tenth of the 160 rows that are not for the test
    assert "class_weight: balanced" in finding["advice"]


def test_a_run_that_was_stopped_is_examined_as_far_as_it_came(run, monkeypatch):
    append, left = Journal.append, iter(range(4))

    def crash(journal, events):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return append(journal, events)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", crash)
        assert run("search", "blobs.yaml", "-o", "out", "--set", "search.round=2", "--workers", "1").exit_code == 130
    shown = run("health", "out")
    assert shown.exit_code == 0, shown.output
    assert "trials are few" in " ".join(shown.stdout.split())


def test_without_a_complete_trial_there_is_nothing_to_examine(run):
    settings = ("--set", "space={learning_rate: 1e30, optimizer: sgd, decay: constant}", "--target", "x")
    settings += ("--set", "search.metric=rmse")
    assert run("search", "blobs.yaml", "-o", "out", *settings).exit_code == 5
    result = run("health", "out")
    assert result.exit_code == 5
    assert "nothing to examine" in result.stderr


# --- pages


def finding(name, severity=HINT, **numbers):
    return Finding(name, severity, f"the sentence of {name}", f"what to do about {name}", numbers)


def test_scores_behind_findings_have_the_sign_of_the_metric():
    found = [
        finding("test", test=-0.5, interval=[-0.4, -0.2], widened=[-0.45, -0.15]),
        finding("folds", medians=[-0.1, -0.9, -0.5], fold=2),
    ]
    one, two = (in_own_sign(each, "log_loss") for each in found)
    assert one.numbers == {"test": 0.5, "interval": [0.2, 0.4], "widened": [0.15, 0.45]}
    assert two.numbers == {"medians": [0.1, 0.9, 0.5], "fold": 2}
    assert in_own_sign(found[0], "accuracy").numbers["interval"] == [-0.4, -0.2]


def test_the_end_of_a_search_has_no_more_than_three_of_them():
    found = tuple(finding(each) for each in "abcde")
    (block,) = health.block(result(health=found), "run")
    assert isinstance(block, Remarks)
    assert block.sentences[:3] == [f"the sentence of {each}" for each in "abc"]
    assert block.sentences[3:] == ["2 more findings, and what to do: lrtune health run"]
    assert health.block(result(health=found[:3]), "run")[0].sentences[3:] == ["what to do: lrtune health run"]
    (block,) = health.block(result(health=found), "run", 0)
    assert block.sentences == ["5 findings, and what to do: lrtune health run"]
    assert health.block(result(), "run") == []


def test_the_page_counts_warnings_and_hints():
    found = [finding("a", WARNING), finding("b_c"), finding("d")]
    head, *others = health.page("run", found)
    assert head == Headline("run: 1 warning and 2 hints")
    assert others[1] == Facts("hint: b c", [("found", "the sentence of b_c"), ("next", "what to do about b_c")])
    assert health.page("run", found[1:])[0] == Headline("run: 2 hints")
    assert "nothing to remark" in health.page("run", [])[0].text
