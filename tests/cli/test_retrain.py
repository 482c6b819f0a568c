"""lrtune retrain: any trial becomes a model, and nothing that is there is lost."""

import json

import pytest

from lrtune.run.folder import open_run


def content(folder):
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file() and "study" not in each.name}


def test_the_winner_retrained_is_the_runs_own_model(run, made_runs, folder):
    found = open_run(made_runs / "blobs-00000001")
    winner = found.study.refit
    result = run("retrain", "blobs", "--trial", winner.trial, "-o", "again", "--json")
    assert result.exit_code == 0, result.output
    written = json.loads(result.stdout)
    assert written["model"] == winner.model
    assert written["test"] == found.written["test"]
    assert written["configuration"] == found.written["best"]["configuration"]
    for name in ("model.json", "model.npz"):
        own = made_runs / "blobs-00000001" / "model" / name
        assert (folder / "again" / "model" / name).read_bytes() == own.read_bytes()


def test_another_trial_gets_a_folder_of_its_own_that_can_predict(run, made_runs):
    base = made_runs / "blobs-00000001"
    before, model = content(base), content(base / "model")
    other = (open_run(base).study.refit.trial + 1) % 6
    result = run("retrain", "blobs", "--trial", other)
    assert result.exit_code == 0, result.output
    assert f"lrtune predict runs/blobs-00000001/trial-{other} blobs.csv" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100
    assert (content(base), content(base / "model")) == (before, model)
    predicted = run("predict", f"blobs-00000001/trial-{other}", "blobs.csv")
    assert predicted.exit_code == 0
    assert len(predicted.stdout.splitlines()) == 91
    assert run("check", base / f"trial-{other}" / "experiment.yaml").exit_code == 0
    written = json.loads((base / f"trial-{other}" / "retrained.json").read_text())
    assert written["trial"] == other
    assert [each["state"] for each in json.loads(run("list", "--json").stdout)["runs"]] == ["stopped", "finished"]


def test_the_runs_own_model_is_replaced_only_when_told_so(run, made_runs):
    base = made_runs / "blobs-00000001"
    other = (open_run(base).study.refit.trial + 1) % 6
    before, model = content(base), content(base / "model")
    refused = run("retrain", "blobs", "--trial", other, "--output", base)
    assert refused.exit_code == 2
    assert "has a model already" in refused.stderr
    assert content(base / "model") == model
    assert run("retrain", "blobs", "--trial", other, "--output", base, "--force").exit_code == 0
    assert content(base / "model") != model
    after = content(base)
    assert after.pop("retrained.json")
    assert after == before


@pytest.mark.usefixtures("made_runs")
def test_trials_of_a_stopped_run_can_be_retrained(run):
    result = run("retrain", "stopped-00000002", "--trial", 1)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("trial 1 of blobs: trained on all 72 training rows\n")


@pytest.mark.usefixtures("made_runs")
def test_a_trial_that_is_not_there_is_said(run):
    result = run("retrain", "blobs", "--trial", 6)
    assert result.exit_code == 2
    assert "has no trial 6; its trials are 0 to 5" in result.stderr


def test_a_table_that_has_changed_is_refused(run, made_runs):
    table = made_runs.parent / "blobs.csv"
    table.write_text(table.read_text() + "1.0,1.0,a,k1\n")
    result = run("retrain", "blobs", "--trial", 0)
    assert result.exit_code == 2
    assert "its rows are not those that runs/blobs-00000001 was searched on" in result.stderr
