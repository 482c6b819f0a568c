"""``lrtune evaluate``: scikit-learn and a bootstrap written here are the oracles."""

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn import metrics
from typer.testing import CliRunner

from lrtune import load
from lrtune.cli import app

DATASETS = Path(__file__).parents[2] / "datasets"
SETTINGS = ["--set", "search.folds=3", "--set", "training.epochs=8", "--trials", "3", "--set", "search.pruning=none"]


def invoke(*words):
    return CliRunner().invoke(app, [str(each) for each in words], prog_name="lrtune")


def _halves(folder, name, rows):
    frame = pl.read_csv(DATASETS / f"{name}.csv")
    order = np.random.default_rng(5).permutation(len(frame))
    paths = folder / "known.csv", folder / "new.csv"
    for path, part in zip(paths, (order[:rows], order[rows:]), strict=True):
        frame[part].write_csv(path)
    return paths


@pytest.fixture(scope="module")
def species(tmp_path_factory):
    folder = tmp_path_factory.mktemp("species")
    known, new = _halves(folder, "penguins", 200)
    done = invoke("search", "--data", known, "--target", "species", "--output", folder / "run", *SETTINGS)
    assert done.exit_code == 0, done.output
    return folder / "run", new


@pytest.fixture(scope="module")
def strength(tmp_path_factory):
    folder = tmp_path_factory.mktemp("strength")
    known, new = _halves(folder, "concrete", 500)
    done = invoke("search", "--data", known, "--target", "compressive_strength", "--output", folder / "run", *SETTINGS)
    assert done.exit_code == 0, done.output
    return folder / "run", new


def _json(*words):
    done = invoke("evaluate", *words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_scores_of_classes_are_scikit_learns(species):
    run, new = species
    found = _json(run, new)["evaluation"]
    frame, model = pl.read_csv(new), load(run)
    truth, shares = frame["species"].to_numpy(), model.predict_proba(frame)
    guess = np.array(model.classes_)[shares.argmax(axis=1)]
    assert found["rows"] == len(frame)
    assert found["scores"]["accuracy"]["score"] == pytest.approx(metrics.accuracy_score(truth, guess))
    assert found["scores"]["balanced_accuracy"]["score"] == pytest.approx(metrics.balanced_accuracy_score(truth, guess))
    assert found["scores"]["log_loss"]["score"] == pytest.approx(metrics.log_loss(truth, shares), rel=1e-6)
    area = metrics.roc_auc_score(truth, shares, multi_class="ovr")
    assert found["scores"]["roc_auc"]["score"] == pytest.approx(area)
    recall = metrics.recall_score(truth, guess, average=None, labels=model.classes_)
    precision = metrics.precision_score(truth, guess, average=None, labels=model.classes_)
    shown = {each["name"]: each["scores"] for each in found["classes"]}
    for name, one, other in zip(model.classes_, recall, precision, strict=True):
        assert shown[name]["recall"]["score"] == pytest.approx(one)
        assert shown[name]["precision"]["score"] == pytest.approx(other)


def test_intervals_are_those_of_a_bootstrap_over_rows(strength):
    run, new = strength
    found = _json(run, new)["evaluation"]["scores"]["rmse"]
    frame = pl.read_csv(new)
    squares = (load(run).predict(frame) - frame["compressive_strength"].to_numpy()) ** 2
    assert found["score"] == pytest.approx(np.sqrt(squares.mean()), rel=1e-6)
    draws = np.random.default_rng(8).integers(len(squares), size=(4000, len(squares)))
    low, high = np.quantile(np.sqrt(squares[draws].mean(axis=1)), [0.025, 0.975])
    assert found["low"] == pytest.approx(low, rel=0.02)
    assert found["high"] == pytest.approx(high, rel=0.02)


def test_rows_are_told_apart_by_a_column(species):
    run, new = species
    found = _json(run, new, "--by", "island")["evaluation"]
    frame = pl.read_csv(new)
    truth, guess = frame["species"].to_numpy(), load(run).predict(frame)
    assert {each["name"]: each["rows"] for each in found["groups"]} == dict(frame["island"].value_counts().iter_rows())
    for each in found["groups"]:
        rows = (frame["island"] == each["name"]).to_numpy()
        assert each["scores"]["accuracy"]["score"] == pytest.approx(metrics.accuracy_score(truth[rows], guess[rows]))


def test_numbers_are_put_into_ranges_that_hold_every_row_once(strength):
    run, new = strength
    groups = _json(run, new, "--by", "cement")["evaluation"]["groups"]
    assert len(groups) == 4
    assert sum(each["rows"] for each in groups) == len(pl.read_csv(new))


def test_the_page_sets_the_score_beside_what_the_search_expected(species):
    run, new = species
    page = invoke("evaluate", run, new).stdout
    expected = json.loads((run / "result.json").read_text())["corrected"]
    assert "log_loss" in page.splitlines()[0]
    assert "no worse than the search expected" in page
    assert f"{expected['score']:.4f}"[:5] in page
    table = page.partition("all rows")[2].partition("by class")[0]
    numbers = re.findall(r"\d+\.(\d+)", table)
    assert len(numbers) > 6
    assert {len(each) for each in numbers} == {len(numbers[0])}  # one column, one number of digits


def test_gates_end_with_their_exit_codes(species, tmp_path):
    run, new = species
    assert invoke("evaluate", run, new, "--fail-over", "9").exit_code == 0
    failed = invoke("evaluate", run, new, "--fail-over", "1e-9")
    assert failed.exit_code == 3
    assert "gate fail-over failed" in failed.stderr
    frame = pl.read_csv(new)
    wrong = tmp_path / "wrong.csv"
    frame.with_columns(frame["species"].shuffle(seed=1)).write_csv(wrong)
    assert invoke("evaluate", run, new, "--fail-worse").exit_code == 0
    worse = invoke("evaluate", run, wrong, "--fail-worse")
    assert worse.exit_code == 4
    assert "worse than the search expected" in worse.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--by", "iland"], "has no column 'iland'; did you mean 'island'?"),
        (["--fail-under", "0.9"], "of log_loss, smaller is better; use --fail-over 0.9"),
        (["--fail-over", "nan"], "--fail-over: expected a number, got nan"),
    ],
)
def test_wrong_words_end_in_a_sentence(species, words, said):
    done = invoke("evaluate", *species, *words)
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frame: frame.drop("species"), "lacks the column 'species'"),
        (lambda frame: frame.with_columns(species=pl.lit("Emperor")), "a class that the training table does not have"),
        (lambda frame: frame.with_columns(species=pl.lit(None, pl.String)), "the target 'species' is missing in row 1"),
    ],
)
def test_rows_without_a_known_label_end_in_a_sentence(species, tmp_path, change, said):
    run, new = species
    path = tmp_path / "table.csv"
    change(pl.read_csv(new)).write_csv(path)
    done = invoke("evaluate", run, path)
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())


def test_rows_of_one_class_have_no_area_under_the_curve(species, tmp_path):
    run, new = species
    path = tmp_path / "one.csv"
    pl.read_csv(new).filter(pl.col("species") == "Adelie").write_csv(path)
    scores = _json(run, path)["evaluation"]["scores"]
    assert scores["roc_auc"] == {"score": None, "low": None, "high": None}
    assert scores["accuracy"]["score"] is not None


def test_a_stream_is_evaluated_like_a_file(species):
    run, new = species
    done = CliRunner().invoke(app, ["evaluate", str(run), "-", "--json"], input=new.read_bytes())
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["evaluation"] == _json(run, new)["evaluation"]


def test_of_a_few_rows_there_is_a_score_and_no_interval(species, tmp_path):
    run, new = species
    few = tmp_path / "few.csv"
    pl.read_csv(new).head(3).write_csv(few)
    assert _json(run, few)["evaluation"]["scores"]["log_loss"]["low"] is None
    assert "too few for an interval" in " ".join(invoke("evaluate", run, few).stdout.split())
    assert invoke("evaluate", run, few, "--fail-worse").exit_code == 3
