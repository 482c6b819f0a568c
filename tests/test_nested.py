"""Nested cross-validation: each turn is the search that somebody without the outer fold's rows would have run."""

import json
import math

import numpy as np
import polars as pl
import pytest
from trainer_parts import replace_part
from typer.testing import CliRunner

from lrtune.cli import app
from lrtune.experiment import load_text
from lrtune.reporting.nested import rows
from lrtune.run import observed, out_of_fold
from lrtune.run.journal import Journal, canonical
from lrtune.run.names import DATABASE, OBSERVED, PREDICTIONS
from lrtune.run.study import RESULT, replay
from lrtune.text.errors import DataError, ExperimentError
from lrtune.trainers.preparation import prepare
from lrtune.tuning import core as tuning
from lrtune.tuning.nested import OuterFold, outer_folds, search_inside, summary

SETTINGS = """
model: {{hidden: [6]}}
training: {{epochs: 3, batch_size: 16}}
search: {{trials: 4, folds: 3, {search}}}
space:
  learning_rate: {{low: 1e-2, high: 1.0, scale: log}}
  optimizer: [sgd, adam]
"""


def experiment(folder, data, search="nested: 3"):
    return load_text(f"data: {{{data}}}" + SETTINGS.format(search=search), name="case", base=folder)


@pytest.fixture
def table(tmp_path):
    """Sixty rows of two classes in ten groups, with a categorical column that has rare levels, and a time."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    frame = pl.DataFrame(
        {
            "x": x,
            "kind": rng.choice(["a", "b", "c", "d", "e"], 60, p=[0.4, 0.3, 0.2, 0.05, 0.05]),
            "group": [f"g{each}" for each in rng.permutation(np.arange(60) % 10)],
            "day": np.arange(60),
            "y": np.where(x + rng.normal(size=60) > 0, "yes", "no"),
        }
    )
    frame.write_csv(tmp_path / "table.csv")
    return frame


USUAL = "path: table.csv, target: y, ignore: [group, day]"


def folds_of(folder, data=USUAL, **more):
    known = experiment(folder, data, **more)
    prepared = prepare(known)
    return known, prepared, outer_folds(known, prepared, folder / "run")


# --- the outer folds


@pytest.mark.parametrize("data", [USUAL, USUAL.replace("ignore: [group, day]", "group: group, ignore: day")])
def test_the_outer_folds_part_the_training_rows(table, tmp_path, data):
    _, prepared, folds = folds_of(tmp_path, data)
    assert [each.number for each in folds] == [1, 2, 3]
    outside = np.concatenate([each.rows[1] for each in folds])
    assert sorted(outside.tolist()) == prepared.dataset.train_rows.tolist()
    for fold in folds:
        assert sorted(np.concatenate(fold.rows).tolist()) == prepared.dataset.train_rows.tolist()
        if "group: group" in data:
            groups = [set(table["group"].gather(rows).to_list()) for rows in fold.rows]
            assert not groups[0] & groups[1]


def test_the_future_is_never_before_the_past(table, tmp_path):
    _, prepared, folds = folds_of(tmp_path, USUAL.replace("ignore: [group, day]", "order: day, ignore: group"))
    for fold in folds:
        assert table["day"].gather(fold.rows[0]).max() < table["day"].gather(fold.rows[1]).min()
        assert set(np.concatenate(fold.rows).tolist()) <= set(prepared.dataset.train_rows.tolist())


@pytest.mark.usefixtures("table")
def test_outer_folds_are_not_the_folds_of_the_search(tmp_path):
    _, prepared, folds = folds_of(tmp_path)
    own = [set(validation.tolist()) for _, validation in prepared.splits]
    assert all(set(each.rows[1].tolist()) not in own for each in folds)


@pytest.mark.usefixtures("table")
def test_without_nested_there_are_none(tmp_path):
    without, _, folds = folds_of(tmp_path, search="nested: 0")
    assert folds == []
    assert without.canonical() == folds_of(tmp_path)[0].canonical()  # so that it may be asked for afterwards
    with pytest.raises(ExperimentError, match=r"search\.nested: expected a whole number from 2 to 1000, or 0"):
        experiment(tmp_path, USUAL, "nested: 1")


@pytest.mark.usefixtures("table")
def test_too_many_outer_folds_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"^search\.nested: "):
        folds_of(tmp_path, search="nested: 60")


@pytest.mark.usefixtures("table")
def test_rows_that_are_too_few_inside_are_told_with_the_outer_fold(tmp_path):
    known, _, folds = folds_of(tmp_path)
    few = OuterFold(2, folds[0].folder, (folds[0].rows[0][:2], folds[0].rows[1]))
    with pytest.raises(DataError, match=r"^outer fold 2 of 3: "):
        list(search_inside(known, few, workers=1))


# --- the searches inside


def content(folder):
    with Journal(folder / DATABASE) as journal:
        return canonical(journal.events()), (folder / "model" / "model.npz").read_bytes()


def scores_of(events):
    return [{**each.body, "clock": None} for each in events if each.kind == RESULT]


def test_a_turn_is_the_search_of_somebody_who_has_only_its_rows(table, tmp_path):
    """The same rows in files of their own: one to search on, and the outer fold as test file."""
    known, _, folds = folds_of(tmp_path)
    for fold in folds:
        inside = list(search_inside(known, fold, workers=1))
        table[fold.rows[0].tolist()].write_csv(tmp_path / "own.csv")
        table[fold.rows[1].tolist()].write_csv(tmp_path / "outer.csv")
        theirs = experiment(tmp_path, USUAL.replace("table.csv", "own.csv, test_path: outer.csv"), "nested: 0")
        own = list(tuning.tune(theirs, prepare(theirs), tmp_path / f"own{fold.number}", workers=1))
        assert scores_of(inside) == scores_of(own)
        one, two = replay(inside).refit, replay(own).refit
        assert (one.trial, one.test) == (two.trial, two.test)
        assert content(fold.folder)[1] == content(tmp_path / f"own{fold.number}")[1]


def test_the_rows_outside_have_no_say_inside(table, tmp_path):
    known, _, folds = folds_of(tmp_path, search="nested: 3, metric: log_loss")
    expected = list(search_inside(known, folds[0], workers=1))
    outside = pl.Series(np.isin(np.arange(60), folds[0].rows[1]))
    poisoned = table.with_columns(x=pl.when(outside).then(table["x"] * 100.0 - 7.0).otherwise(table["x"]))
    poisoned.write_csv(tmp_path / "table.csv")
    found = list(search_inside(known, folds[0]._replace(folder=tmp_path / "other"), workers=1))
    assert scores_of(found) == scores_of(expected)
    assert replay(found).refit.model == replay(expected).refit.model
    assert replay(found).refit.test != replay(expected).refit.test


@pytest.mark.usefixtures("table")
def test_an_interrupted_turn_goes_on_where_it_was(tmp_path, monkeypatch):
    known, _, folds = folds_of(tmp_path)
    list(search_inside(known, folds[1], workers=1))
    left, append = iter(range(2)), Journal.append

    def crash(journal, events):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return append(journal, events)

    again = folds[1]._replace(folder=tmp_path / "again")
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", crash)
        with pytest.raises(KeyboardInterrupt):
            list(search_inside(known, again, workers=1))
    list(search_inside(known, again, workers=1))
    assert content(again.folder) == content(folds[1].folder)


@pytest.mark.usefixtures("table")
def test_the_summary_is_about_the_scores_outside(tmp_path):
    known, _, folds = folds_of(tmp_path)
    studies = [replay(search_inside(known, each, workers=1)) for each in folds]
    found = summary(folds, 3, "accuracy")
    scores = [each.refit.test.score for each in studies]
    inner = [each.trials[each.refit.trial].mean for each in studies]
    assert [each.score for each in found.folds] == scores
    assert [each.rows for each in found.folds] == [len(each.rows[1]) for each in folds]
    assert [each.trained for each in found.folds] == [len(each.rows[0]) for each in folds]
    sizes = sorted({len(each.rows[0]) for each in folds})
    ends = " to ".join(map(str, (sizes[0], sizes[-1])[: len(sizes)]))
    ((_, said),) = rows(found, str)
    assert f"for the whole search by models of {ends} rows, on 3 outer folds; inside" in said
    assert found.mean == pytest.approx(np.mean(scores))
    assert found.std == pytest.approx(np.std(scores, ddof=1))
    assert found.optimism == pytest.approx(np.mean(inner) - np.mean(scores))
    assert found.of == 3
    assert summary([], 0, "accuracy") is None


# --- the command


@pytest.mark.usefixtures("table")
def test_the_search_tells_of_it_and_a_second_one_trains_nothing(tmp_path, monkeypatch):
    text = f"data: {{{USUAL}}}" + SETTINGS.format(search="nested: 3, metric: log_loss")
    (tmp_path / "case.yaml").write_text(text)
    arguments = ["search", str(tmp_path / "case.yaml"), "-o", str(tmp_path / "run"), "--workers", "1", "--details"]
    shown = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
    assert shown.exit_code == 0, shown.output
    assert "nested" in shown.stdout
    assert "on 3 outer folds; inside" in shown.stdout
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    nested = result["nested"]
    assert nested["mean"] == pytest.approx(math.fsum(each["score"] for each in nested["folds"]) / 3)
    assert min(each["score"] for each in nested["folds"]) > 0  # a loss, in its own sign
    inner = math.fsum(each["inner"] for each in nested["folds"]) / 3
    assert nested["optimism"] == pytest.approx(nested["mean"] - inner)  # of a loss, too low is too good
    replace_part(monkeypatch, run=None)
    again = CliRunner().invoke(app, [*arguments, "--json"])
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout)["nested"] == nested


@pytest.mark.usefixtures("table")
def test_a_mean_that_an_inner_search_delivers_is_set_beside_its_own_score_inside(tmp_path):
    text = f"data: {{{USUAL}}}" + SETTINGS.format(search="nested: 3, metric: log_loss") + "retrain: {ensemble: 3}\n"
    known = load_text(text, name="case", base=tmp_path)
    prepared = prepare(known)
    folds = outer_folds(known, prepared, tmp_path / "run")
    for each in folds:
        list(search_inside(known, each, workers=1))
    found = summary(folds, 3, prepared.metric)
    for fold, row in zip(folds, found.folds, strict=True):
        with Journal(fold.folder / DATABASE) as journal:
            study = replay(journal.events())
        layout, seen = study.header.predictions, observed.read(fold.folder / OBSERVED)
        members = study.refit.made_of.trials
        kept = [out_of_fold.read(fold.folder / PREDICTIONS, each, layout.like) for each in members]
        losses = -np.log(np.mean(np.exp(-np.array(kept, dtype=np.float64)), axis=0))
        assert len(members) == 3
        assert row.inner == pytest.approx(np.mean([losses[seen.folds == each].mean() for each in range(3)]))
    outer = [each.score for each in found.folds]
    assert found.optimism == pytest.approx(np.mean(outer) - np.mean([each.inner for each in found.folds]))
