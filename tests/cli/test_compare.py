"""lrtune compare: paired where the folds are the same, and nothing pretended where they are not."""

import csv
import json

import numpy as np
import pytest
from scipy import stats

from lrtune.cli.runs import RUNS
from lrtune.run import observed
from lrtune.run.names import OBSERVED


@pytest.fixture
def scores(made_runs):
    """Fold scores of each trial of the finished run."""
    with (made_runs / "blobs-00000001" / "trials.csv").open(newline="") as file:
        return [[float(row[f"fold_{fold}"]) for fold in (1, 2, 3)] for row in csv.DictReader(file)]


def search(run, name, *settings):
    words = [word for each in settings for word in ("--set", each)]
    result = run("search", "blobs.yaml", "-q", "-o", f"runs/{name}", "--trials", "3", *words)
    assert result.exit_code == 0, result.output


def test_trials_are_compared_by_the_corrected_t_test(run, scores):
    found = json.loads(run("compare", "blobs-00000001:1", "blobs-00000001:4", "--json").stdout)
    gaps = np.subtract(scores[1], scores[4])
    folds = len(gaps)
    ratio = np.mean([24 / 48] * 3)  # 72 training rows in three folds
    error = np.sqrt((1 / folds + ratio) * gaps.var(ddof=1))
    reference = stats.t(folds - 1, loc=gaps.mean(), scale=error)
    gap = found["difference"]
    assert gap["mean"] == pytest.approx(gaps.mean())
    assert gap["error"] == pytest.approx(error)
    assert (gap["low"], gap["high"]) == pytest.approx(reference.interval(0.95))
    assert gap["p"] == pytest.approx(2 * stats.t.sf(abs(gaps.mean() / error), folds - 1))
    assert gap["probability"] == pytest.approx(reference.sf(0.0))
    assert gap["wins"] == (gaps > 0).sum()
    turned = json.loads(run("compare", "blobs-00000001:4", "blobs-00000001:1", "--json").stdout)["difference"]
    assert turned["mean"] == -gap["mean"]
    assert turned["p"] == pytest.approx(gap["p"])


def test_the_best_of_two_runs_of_the_same_folds_are_paired(run, made_runs):
    search(run, "other", "space.optimizer=[sgd]", "training.epochs=2")
    shown = run("compare", "blobs", "other")
    assert shown.exit_code == 0, shown.output
    found = json.loads(run("compare", "blobs", "other", "--json").stdout)
    results = [json.loads((made_runs / name / "result.json").read_text()) for name in ("blobs-00000001", "other")]
    assert found["paired"]
    for side, result in zip((found["first"], found["second"]), results, strict=True):
        assert side["number"] == result["best"]["number"]
        assert side["fold_scores"] == result["best"]["fold_scores"]
        assert side["test"] == result["test"]["score"]
    assert found["configuration"]["epochs"] == [5, 2]
    assert found["configuration"]["optimizer"][1] == "sgd"
    assert found["experiment"]["space.optimizer"] == ["adam, momentum", "sgd"]
    assert found["experiment"]["trials"] == [6, 3]
    assert max(map(len, shown.stdout.splitlines())) <= 100
    assert "corrected t-test" in shown.stdout
    assert "here 6 and 3" in shown.stdout


@pytest.mark.usefixtures("made_runs")
@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("search.folds=4", "their folds differ (folds 3 and 4)"),
        ("search.seed=7", "their folds differ (seed 0 and 7)"),
        ("data.test_size=0.4", "their folds differ (72 and 54 rows)"),
        ("search.metric=log_loss", "their metrics differ (accuracy and log_loss)"),
    ],
)
def test_what_cannot_be_paired_is_shown_without_a_test(run, setting, reason):
    search(run, "other", setting)
    found = json.loads(run("compare", "blobs", "other", "--json").stdout)
    assert (found["paired"], found["difference"], found["reason"]) == (False, None, reason)
    shown = " ".join(run("compare", "blobs", "other").stdout.split())
    assert reason in shown
    assert "t-test" not in shown
    assert f"{found['first']['mean']:.4f}" in shown


@pytest.mark.usefixtures("made_runs")
def test_the_same_rows_with_other_columns_are_still_paired(run):
    search(run, "other", "data.ignore=[x]")

    def compared():
        return json.loads(run("compare", "blobs", "other", "--json").stdout)

    rows = [np.arange(24) + 24 * fold for fold in range(3)]
    targets = [each % 3 for each in rows]
    seen = observed.observe(targets, rows, rows=rows, kept=np.arange(72), classes=3)
    for name in ("blobs-00000001", "other"):
        observed.write(RUNS / name / OBSERVED, seen)
    assert compared()["paired"]
    assert compared()["experiment"]["data.ignore"] == [[], ["x"]]
    others = observed.observe([each[::-1] for each in targets], rows, rows=rows, kept=np.arange(72), classes=3)
    observed.write(RUNS / "other" / OBSERVED, others)
    assert compared()["reason"] == "their data differ"
    (RUNS / "other" / OBSERVED).unlink()  # nothing shows now that the rows are the same
    assert compared()["reason"] == "their data differ"


def test_another_table_of_as_many_rows_is_not_paired(run, made_runs):
    table = made_runs.parent / "blobs.csv"
    head, *rows = table.read_text().splitlines()
    table.write_text("\n".join([head, *(each.replace("k2", "k1") for each in rows)]) + "\n")
    search(run, "other", "search.splitter=kfold")
    assert not json.loads(run("compare", "blobs", "other", "--json").stdout)["paired"]


@pytest.mark.usefixtures("made_runs")
def test_a_trial_beside_itself_is_equal(run):
    shown = run("compare", "latest:0", "stopped:0").stdout
    assert "none: the scores are equal on every fold" in shown
    assert "differ in" not in shown


@pytest.mark.usefixtures("made_runs")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("blobs:6", "blobs"), "runs/blobs-00000001: has no trial 6; its trials are 0 to 5"),
        (("blobs-0000001", "blobs"), "no run 'blobs-0000001'; did you mean 'blobs-00000001'?"),
    ],
)
def test_what_is_not_there_is_said(run, words, said):
    result = run("compare", *words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_runs_that_deliver_a_mean_say_so_and_are_compared_by_it(run, made_runs):
    search(run, "single", "search.metric=log_loss")
    search(run, "mean", "search.metric=log_loss", "retrain.ensemble=3", "retrain.members=2")
    whole = json.loads((made_runs / "mean" / "result.json").read_text())
    best, mean = whole["best"], whole["delivered"]
    found = json.loads(run("compare", "single", "mean", "--json").stdout)
    assert found["difference"]["mean"] == 0.0  # the trials are the same
    assert found["delivered"]["mean"] == pytest.approx(mean["mean"] - best["mean"])
    assert found["second"]["test_of"] == "the mean of the 3 best trials, of 2 seeds each"
    assert found["first"]["test_of"] == f"trial {best['number']}"
    shown = " ".join(run("compare", "single", "mean").stdout.split())
    assert (
        f"{best['mean']:.4f} (trial {best['number']}) and {mean['mean']:.4f} (the mean of the 3 best trials)" in shown
    )
    assert f"{whole['test']['score']:.4f} by the mean of the 3 best trials, of 2 seeds each" in shown
    trials = json.loads(run("compare", "single", f"mean:{best['number']}", "--json").stdout)
    assert trials["delivered"] is None
