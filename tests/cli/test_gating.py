import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from lrtune.cli import exits
from lrtune.experiment import load
from lrtune.run import observed
from lrtune.run.names import OBSERVED, PREDICTIONS
from lrtune.tuning import demands, finishing

SEARCH = ("search", "blobs.yaml")
REPORTS = ("--junit", "reports/junit.xml", "--summary", "reports/summary.md")


@pytest.fixture
def base(run):
    """The result of a search, in a file of its own."""
    assert run(*SEARCH, "--output", "before").exit_code == 0
    Path("base.json").write_text(Path("before/result.json").read_text())
    return json.loads(Path("base.json").read_text())


def cases():
    return {each.get("name"): [inner.tag for inner in each] for each in ET.parse("reports/junit.xml").iter("testcase")}


def gates(folder="now"):
    return json.loads((Path(folder) / "result.json").read_text())["gates"]


def without(base, key):
    return {name: each for name, each in base.items() if name != key}


def with_best(base, **more):
    return json.dumps({**base, "best": {**base["best"], **more}})


def worse(base):
    """A baseline that no search can keep up with."""
    base["best"]["fold_scores"] = [each + 0.5 + index / 100 for index, each in enumerate(base["best"]["fold_scores"])]
    return base


def test_without_gates_nothing_is_said_of_them(run):
    result = run(*SEARCH, "--output", "now")
    assert "gates" not in result.stdout
    assert gates() == []


def test_a_score_under_the_limit_ends_with_three_and_writes_every_file(run):
    result = run(*SEARCH, "--output", "now", "--fail-under", "1.01", *REPORTS)
    assert result.exit_code == exits.GATE == 3
    (gate,) = gates()
    assert (gate["name"], gate["state"], gate["numbers"]["limit"]) == ("fail-under", "failed", 1.01)
    assert gate["sentence"] in " ".join(result.stdout.split())
    assert result.stderr.splitlines()[-1] == "lrtune: gate fail-under failed"  # why stands on the page, once
    assert result.stdout.count("is under") == 1
    assert cases() == {"search": ["system-out"], "fail-under": ["failure"]}
    assert f"| fail-under | failed: {gate['sentence']} |" in Path("reports/summary.md").read_text()
    assert {"model", "trials.csv", "best.yaml"} <= {each.name for each in Path("now").iterdir()}


def test_a_finished_study_is_judged_again_without_training(run):
    run(*SEARCH, "--output", "now")
    before = (Path("now/model/model.json").stat().st_mtime_ns, Path("now/trials.csv").read_bytes())
    passed = run(*SEARCH, "--output", "now", "--fail-under", "0.5")
    assert (passed.exit_code, gates()[0]["state"]) == (0, "passed")
    assert run(*SEARCH, "--output", "now", "--fail-under", "1.01").exit_code == exits.GATE
    assert (Path("now/model/model.json").stat().st_mtime_ns, Path("now/trials.csv").read_bytes()) == before


def test_json_stays_json_whatever_the_gates_say(run, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = run(*SEARCH, "--output", "now", "--fail-under", "1.01", "--json")
    assert result.exit_code == exits.GATE
    assert json.loads(result.stdout)["gates"] == gates()
    assert result.stdout == Path("now/result.json").read_text()
    assert f"::error title=lrtune%3A blobs%3A fail-under::{gates()[0]['sentence']}" in result.stderr.splitlines()
    assert result.stderr.splitlines()[-1] == f"lrtune: gate fail-under failed: {gates()[0]['sentence']}"


def test_annotations_are_for_github_only(run, monkeypatch):
    assert "::notice" not in run(*SEARCH, "--fail-under", "0").output
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    lines = run(*SEARCH, "--fail-under", "0").stdout.splitlines()
    assert [each for each in lines if each.startswith("::")] == [
        f"::notice title=lrtune%3A blobs%3A fail-under::{lines[-2].split('passed: ')[1]}"
    ]


def test_what_was_not_tuned_must_be_beaten(run):
    behind = ("--fail-behind", "constant", "--fail-behind", "default", "--fail-behind", "constant")
    result = run(*SEARCH, "--output", "now", "--set", "training.epochs=30", *behind, *REPORTS)
    found = json.loads(Path("now/result.json").read_text())
    assert [each["numbers"]["anchor"] for each in gates()] == ["constant", "default"]  # each is asked once
    constant, default = gates()
    score = found["corrected"]["score"]
    assert constant["numbers"]["score"] == score
    assert constant["numbers"]["limit"] == pytest.approx(1 / 3, abs=0.02)  # three classes of equal size
    assert constant["state"] == "passed"
    is_ahead = found["best"]["number"] != 0 and score > found["default"]["mean"]
    assert default["state"] == ("passed" if is_ahead else "failed")
    assert result.exit_code == (0 if is_ahead else exits.GATE)
    assert default["sentence"] in " ".join(result.stdout.split())
    assert cases() == {
        "search": ["system-out"],
        "fail-behind constant": ["system-out"],
        "fail-behind default": ["system-out" if is_ahead else "failure"],
    }


def test_an_anchor_that_is_not_beaten_ends_with_three(run):
    rates = "space={learning_rate: [1e-9, 2e-9], optimizer: sgd, decay: constant}"  # nothing is learned
    result = run(*SEARCH, "--output", "now", "--set", rates, "--fail-behind", "linear", *REPORTS)
    assert result.exit_code == exits.GATE
    (gate,) = gates()
    assert (gate["name"], gate["state"], gate["numbers"]["anchor"]) == ("fail-behind", "failed", "linear")
    assert gate["numbers"]["limit"] > 0.8 > gate["numbers"]["score"]
    assert result.stderr.splitlines()[-1] == "lrtune: gate fail-behind linear failed"
    assert cases() == {"search": ["system-out"], "fail-behind linear": ["failure"]}
    assert f"| fail-behind linear | failed: {gate['sentence']} |" in Path("reports/summary.md").read_text()


def test_an_anchor_for_which_there_was_no_time_is_a_failure(run, monkeypatch):
    monkeypatch.setattr(finishing, "anchor_seconds", lambda _: 1e9)
    result = run(*SEARCH, "--output", "now", "--timeout", "10m", "--fail-behind", "linear", *REPORTS)
    assert result.exit_code == exits.GATE
    (gate,) = gates()
    reason = "there is no score of a linear model here: there was no time for it"
    assert gate["sentence"] == f"this counts as a failure: {reason}"
    assert gate["sentence"] in " ".join(result.stdout.split())
    assert cases() == {"search": ["system-out"], "fail-behind linear": ["error"]}


def test_an_equal_baseline_is_held_and_a_better_one_ends_with_four(run, base):
    equal = run(*SEARCH, "--output", "now", "--baseline", "base.json")
    assert (equal.exit_code, gates()[0]["state"]) == (0, "passed")
    assert "of the baseline: equal on the same 3 folds" in " ".join(equal.stdout.split())
    Path("base.json").write_text(json.dumps(worse(base)))
    result = run(*SEARCH, "--output", "now", "--baseline", "base.json", "--fail-under", "1.01", *REPORTS)
    assert result.exit_code == exits.WORSE == 4
    assert [each["state"] for each in gates()] == ["failed", "failed"]
    assert cases() == {"search": ["system-out"], "fail-under": ["failure"], "baseline": ["failure"]}
    assert run(*SEARCH, "--output", "now", "--baseline", "base.json", "--tolerance", "0.6").exit_code == 0


def test_a_baseline_may_be_the_run_itself_as_it_was_before(run):
    run(*SEARCH, "--trials", "1")
    (folder,) = Path("runs").iterdir()
    first = json.loads((folder / "result.json").read_text())["best"]["fold_scores"]
    result = run(*SEARCH, "--trials", "6", "--baseline", "latest")
    assert result.exit_code == 0
    assert gates(folder)[0]["numbers"]["baseline"] == pytest.approx(sum(first) / 3)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda _: None, "there is no such file"),
        (lambda _: "{", "is no JSON"),
        (lambda _: "[]", "is no result of a search"),
        (lambda _: "{}", "is no result of a search"),
        (lambda base: json.dumps({**base, "metric": "f1_macro"}), "its metric is f1_macro, not accuracy"),
        (lambda base: with_best(base, fold_scores=[1, None, 1]), "it has no score on every fold"),
        (lambda base: with_best(base, mean="high"), "'best.mean' input should be a valid number"),
        (lambda base: json.dumps({**base, "schema": 99}), "a newer lrtune wrote it (schema 99, this one reads"),
        (lambda base: json.dumps(without(base, "data")), "it does not say what data and folds it is of"),
        (lambda base: json.dumps({**base, "data": {**base["data"], "hash": "x"}}), "its data are not the same"),
        (lambda base: json.dumps({**base, "data": {**base["data"], "folds": "x"}}), "its folds are not the same"),
    ],
)
def test_a_comparison_that_cannot_be_made_is_a_failure_with_its_reason(run, base, change, reason):
    text = change(base)
    Path("base.json").unlink() if text is None else Path("base.json").write_text(text)
    result = run(*SEARCH, "--output", "before", "--baseline", "base.json", *REPORTS)
    assert result.exit_code == exits.GATE
    assert gates("before")[0]["state"] == "not comparable"
    assert reason in gates("before")[0]["numbers"]["reason"]
    assert reason in " ".join(result.stdout.split())
    assert cases()["baseline"] == ["error"]


MEAN = (*SEARCH, "--set", "search.metric=log_loss", "--set", "retrain.ensemble=3")


def test_what_both_deliver_is_compared_where_one_is_a_mean(run):
    single = ("--set", "search.metric=log_loss", "--set", "retrain.ensemble=1")
    assert run(*SEARCH, *single, "--output", "before").exit_code == 0
    assert run(*MEAN, "--output", "now", "--baseline", "before").exit_code in (0, exits.WORSE)
    before, now = (json.loads((Path(name) / "result.json").read_text()) for name in ("before", "now"))
    numbers, mean = now["gates"][0]["numbers"], now["delivered"]["mean"]
    assert now["best"]["mean"] == before["best"]["mean"] != mean
    assert numbers["difference"] == pytest.approx(before["best"]["mean"] - mean)  # of a loss, less is better
    assert "(the mean of the 3 best trials) against" in now["gates"][0]["sentence"]
    assert f"of the baseline (trial {before['best']['number']})" in now["gates"][0]["sentence"]
    assert run(*MEAN, "--output", "again", "--baseline", "now").exit_code == 0
    assert "equal on the same" in gates("again")[0]["sentence"]


def test_a_mean_is_trained_again_as_a_whole(run):
    assert run(*MEAN, "--output", "before").exit_code == 0
    base = json.loads(Path("before/result.json").read_text())
    other = (*MEAN, "--seed", "4", "--output", "now", "--baseline", "base.json", "--remeasure")
    Path("base.json").write_text(json.dumps(base))
    assert run(*other).exit_code in (0, exits.WORSE)
    kept = json.loads(Path("now/baseline.json").read_text())
    assert kept["configurations"] == base["delivered"]["configurations"]
    (gate,) = gates()
    assert gate["numbers"]["before"] == base["delivered"]["mean"]
    shown = "of the baseline (the mean of the 3 best trials), trained on these folds (on its own:"
    assert shown in gate["sentence"]
    probabilities = []
    for place, each in enumerate(base["delivered"]["configurations"]):  # each alone, as a search of its own
        name = f"alone{place}"
        Path(f"{name}.yaml").write_text(load("blobs.yaml", ["search.metric=log_loss"]).dump(each, Path()))
        assert run("search", f"{name}.yaml", "--seed", "4", "--output", name).exit_code == 0
        probabilities.append(np.exp(-np.fromfile(f"{name}/{PREDICTIONS}", np.float32)))
    folds = observed.read(Path("alone0") / OBSERVED).folds
    losses = -np.log(np.mean(probabilities, axis=0, dtype=np.float64))
    assert kept["scores"] == pytest.approx([losses[folds == fold].mean() for fold in range(3)], rel=1e-5)


def test_an_older_mean_cannot_be_trained_again(run):
    assert run(*MEAN, "--output", "before").exit_code == 0
    base = json.loads(Path("before/result.json").read_text())
    base["delivered"] = without(base["delivered"], "configurations")
    Path("base.json").write_text(json.dumps(base))
    other = (*MEAN, "--seed", "4", "--output", "now", "--baseline", "base.json", "--remeasure")
    assert run(*other).exit_code == exits.GATE
    assert "it does not say of which configurations its mean is" in gates()[0]["numbers"]["reason"]


def test_a_baseline_that_cannot_be_read_is_told_before_the_search(run):
    stderr = run(*SEARCH, "--baseline", "nowhere", "--trials", "2").stderr
    assert stderr.startswith("--baseline nowhere: no run 'nowhere'")
    assert "the search goes on, and this gate will fail" in stderr.splitlines()[0]


def test_other_folds_are_compared_after_training_the_baseline_on_them_once(run, base, monkeypatch):
    other = (*SEARCH, "--seed", "4", "--output", "now", "--baseline", "base.json")
    refused = run(*other)
    assert refused.exit_code == exits.GATE
    assert "--remeasure" in refused.stdout
    result = run(*other, "--remeasure")
    assert result.exit_code == 0, result.output
    kept = json.loads(Path("now/baseline.json").read_text())
    assert kept["configurations"] == [base["best"]["configuration"]]
    same = json.loads(run("search", "before/best.yaml", "--seed", "4", "--output", "alone", "--json").stdout)
    assert kept["scores"] == same["best"]["fold_scores"]  # as if it had been searched for there
    assert gates()[0]["numbers"]["before"] == pytest.approx(base["best"]["mean"])
    monkeypatch.setattr(demands, "_fold_scores", lambda *_: pytest.fail("it was trained already"))
    assert run(*other, "--remeasure").exit_code == 0


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        ({"learning_rate": -1}, "learning_rate: "),
        ({"decay": "wall_clock"}, "its rates follow the clock"),
    ],
)
def test_a_baseline_that_cannot_be_trained_here_is_a_failure(run, base, configuration, reason):
    best = base["best"]
    whole = {**best["configuration"], **configuration}
    if configuration.get("decay"):
        whole = {**without(whole, "decay.final"), "decay.step_seconds": None}
    Path("base.json").write_text(json.dumps({**base, "best": {**best, "configuration": whole}}))
    result = run(*SEARCH, "--seed", "4", "--output", "now", "--baseline", "base.json", "--remeasure")
    assert result.exit_code == exits.GATE
    assert f"its configuration cannot be trained here: {reason}" in gates()[0]["numbers"]["reason"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--fail-over", "0.1"), "--fail-over 0.1: of accuracy, larger is better; use --fail-under 0.1"),
        (
            ("--fail-under", "0.1", "--set", "search.metric=log_loss"),
            "--fail-under 0.1: of log_loss, smaller is better; use --fail-over 0.1",
        ),
        (("--fail-under", "nan"), "--fail-under: expected a number, got nan"),
        (
            ("--fail-behind", "liner"),
            "--fail-behind: unknown value 'liner'; did you mean 'linear'? allowed: 'constant', 'linear', 'default'",
        ),
        (("--tolerance", "0.1"), "--tolerance: needs a --baseline to compare with"),
        (("--remeasure",), "--remeasure: needs a --baseline to compare with"),
        (("--baseline", "base.json", "--tolerance", "-1"), "--tolerance: expected a loss of at least 0, got -1"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_anything_is_trained(run, options, sentence):
    result = run(*SEARCH, "--output", "now", *options)
    assert result.exit_code == exits.WRONG
    assert result.stderr == f"lrtune: {sentence}\n"
    assert not Path("now").exists()


def test_without_a_usable_result_the_reports_say_why(run, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    divergent = ("--set", "space={learning_rate: [1e30, 2e30], optimizer: sgd, decay: constant}")
    result = run(*SEARCH, *divergent, "--fail-under", "0.5", "--baseline", "latest", *REPORTS)
    assert result.exit_code == exits.UNUSABLE == 5
    assert cases() == {"search": ["error"], "fail-under": ["error"], "baseline": ["error"]}
    assert "2 diverged" in Path("reports/junit.xml").read_text()
    assert "2 diverged" in Path("reports/summary.md").read_text()
    assert result.stdout.startswith("::error title=lrtune%3A blobs::none of the 2 trials")


def test_a_wrong_experiment_is_in_the_reports_too(run):
    result = run(*SEARCH, "--set", "search.folds=1", *REPORTS)
    assert result.exit_code == exits.WRONG
    assert cases() == {"search": ["error"]}
    assert "folds" in Path("reports/summary.md").read_text()


def test_a_report_that_cannot_be_written_is_said(run, folder):
    (folder / "file").write_text("")
    result = run(*SEARCH, "--junit", "file/junit.xml", "--fail-under", "0")
    assert result.exit_code == exits.WRONG
    assert result.stderr.splitlines()[-1].startswith("lrtune: file/junit.xml: cannot be written")
    both = run(*SEARCH, "--set", "search.folds=1", "--junit", "file/junit.xml")
    assert "file/junit.xml: cannot be written" in both.stderr
    assert both.stderr.splitlines()[-1] == "lrtune: 1 mistake"


def test_the_step_summary_of_github_is_added_to_and_others_are_replaced(run, monkeypatch):
    for name in ("step.md", "own.md"):
        Path(name).write_text("# before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(Path("step.md").absolute()))
    for name in ("step.md", "own.md"):
        assert run(*SEARCH, "--trials", "2", "--summary", name).exit_code == 0
    step, own = Path("step.md").read_text(), Path("own.md").read_text()
    assert own.startswith("## lrtune: blobs\n\n**This session trained nothing: the study was finished, with 2 trials.")
    idle = "This session trained nothing: the study was finished, with 2 trials. "  # the first one trained them
    assert step == "# before\n\n" + own.replace(idle, "")


def test_help_names_the_exit_codes(run):
    text = " ".join(run("search", "--help").stdout.split())
    assert "3 a gate failed; 4 worse than the baseline; 5 no usable result" in text


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("nonsense", "unknown value 'nonsense'; allowed: 'constant', 'linear', 'default'"),
        ("linaer", "unknown value 'linaer'; did you mean 'linear'? allowed: 'constant', 'linear', 'default'"),
    ],
)
def test_what_cannot_be_beaten_is_refused_with_what_can(run, value, said):
    result = run(*SEARCH, "--fail-behind", value)
    assert (result.exit_code, result.stderr) == (exits.WRONG, f"lrtune: --fail-behind: {said}\n")


def test_without_a_result_every_gate_that_was_asked_is_a_case(run):
    """A search that cannot begin leaves a report in which no gate is missing."""
    behind = ("--fail-behind", "linear", "--fail-behind", "default", "--fail-behind", "linear")
    result = run("search", "blobs.yaml", "--set", "data.target=nothing", "--fail-under", "0.5", *behind, *REPORTS)
    assert result.exit_code == exits.WRONG
    names = ("search", "fail-under", "fail-behind linear", "fail-behind default")
    assert cases() == {name: ["error"] for name in names}
