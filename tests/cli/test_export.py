"""lrtune export: what other programs read is what the study knows."""

import csv
import io
import json
import sys

import pytest


def test_csv_is_that_of_the_run(run, made_runs):
    written = (made_runs / "blobs-00000001" / "trials.csv").read_text()
    assert run("export", "blobs", "--to", "csv").stdout == written
    assert run("export", "blobs", "--to", "csv", "-o", "mine.csv").stdout == ""
    assert (made_runs.parent / "mine.csv").read_text() == written


def test_json_has_all_that_the_study_knows(run, made_runs):
    result = json.loads((made_runs / "blobs-00000001" / "result.json").read_text())
    found = json.loads(run("export", "blobs", "--to", "json").stdout)
    rows = list(csv.DictReader(io.StringIO(run("export", "blobs", "--to", "csv").stdout)))
    assert [each["mean"] for each in found["trials"]] == [float(each["mean"]) for each in rows]
    assert found["refit"] == {
        "trial": result["best"]["number"],
        "model": found["refit"]["model"],
        "test": result["test"],
    }
    assert found["fingerprint"] == result["fingerprint"]
    assert found["rows"] == {"train": 72, "test": 18}
    assert [each["name"] for each in found["experiment"]["space"]]
    stopped = json.loads(run("export", "runs/stopped-00000002", "--to", "json").stdout)
    assert (stopped["state"], stopped["refit"], len(stopped["trials"])) == ("stopped", None, 4)


@pytest.mark.usefixtures("made_runs")
@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("jsn", "--to jsn: unknown format; did you mean 'json'?"),
        ("optuna", "--to optuna needs Optuna, which is not installed here: pip install 'lrtune[optuna]'"),
        ("mlflow", "--to mlflow needs MLflow, which is not installed here: pip install 'lrtune[mlflow]'"),
    ],
)
def test_what_cannot_be_exported_is_said(run, monkeypatch, form, said):
    for name in ("optuna", "mlflow"):
        monkeypatch.setitem(sys.modules, name, None)
    result = run("export", "blobs", "--to", form)
    assert result.exit_code == 2
    assert said in result.stderr
