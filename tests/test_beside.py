"""Scores by other metrics and counts of classes through a whole study: the same however it came about."""

import csv
import io
import itertools

import numpy as np
import pytest
from interruptions import interrupted_after
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from lrtune.experiment import load_text
from lrtune.run import observed, out_of_fold
from lrtune.run.folder import open_run
from lrtune.run.names import OBSERVED, PREDICTIONS
from lrtune.run.study import replay
from lrtune.space.trial import TrialState
from lrtune.trainers.preparation import prepare
from lrtune.tuning import core as tuning
from lrtune.verdict.examination import with_classes
from lrtune.verdict.making import result_of
from lrtune.verdict.trials_table import trials_text

TEXT = """
data: {path: sklearn:iris, test_size: 0.2}
model: {hidden: [8]}
training: {epochs: 9}
search: {strategy: random, trials: 8, folds: 3, round: 4, metric: accuracy, pruning: none}
space:
  learning_rate: {low: 1e-5, high: 1.0, scale: log}
  optimizer: [sgd, adam]
"""
KINDS = ("none", "race", "futility", "halving")


def study_of(folder, pruning="none", text=TEXT):
    chosen = load_text(text.replace("pruning: none", f"pruning: {pruning}"), name="iris")
    return replay(tuning.tune(chosen, prepare(chosen), folder, workers=1))


def said(study):
    return [(each.number, each.fold_scores, each.beside, each.predicted) for each in study.in_order()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return folder, study_of(folder)


def test_they_are_those_of_the_predictions_that_are_kept(whole):
    folder, study = whole
    seen = observed.read(folder / OBSERVED)
    ends = np.cumsum([0, *seen.sizes])
    for trial in study.in_order():
        record = out_of_fold.read(folder / PREDICTIONS, trial.number, ("float16", (len(seen.targets), 3)))
        labels = record.argmax(axis=1)
        assert list(trial.predicted) == np.bincount(labels, minlength=3).tolist()
        for name, function in (("accuracy", accuracy_score), ("balanced_accuracy", balanced_accuracy_score)):
            expected = [function(seen.targets[a:b], labels[a:b]) for a, b in itertools.pairwise(ends)]
            assert trial.beside[name] == pytest.approx(expected)
        assert trial.beside["accuracy"] == trial.fold_scores
        assert trial.beside.keys() == {"accuracy", "balanced_accuracy", "log_loss", "roc_auc"}


@pytest.mark.parametrize("pruning", ["race", "futility", "halving"])
def test_stages_add_up_to_what_a_search_without_them_has(pruning, whole, tmp_path):
    study = study_of(tmp_path, pruning)
    pruned = [each for each in study.in_order() if each.state is TrialState.PRUNED]
    finished = [each for each in study.in_order() if each.state is TrialState.COMPLETE]
    assert pruned
    for trial in finished:
        other = whole[1].trials[trial.number]
        assert (trial.beside, trial.predicted) == (other.beside, other.predicted)
    for trial in pruned:  # what a shorter horizon says is not put together with the whole one
        other, folds = whole[1].trials[trial.number], len(trial.fold_scores)
        assert trial.beside == ({name: each[:folds] for name, each in other.beside.items()} if folds else {})
        assert trial.mean_beside("log_loss") is None
    rows = list(csv.DictReader(io.StringIO(trials_text(study.in_order(), "accuracy"))))
    assert {row["state"]: row["log_loss"] == "" for row in rows} == {"pruned": True, "complete": False}


@pytest.mark.parametrize("pruning", KINDS)
def test_a_search_that_was_killed_anywhere_has_the_same(pruning, tmp_path, monkeypatch):
    expected = said(study_of(tmp_path / "undisturbed", pruning))
    for allowed in (2, 3, 4, 5):
        with interrupted_after(monkeypatch, allowed), pytest.raises(KeyboardInterrupt):
            study_of(tmp_path / str(allowed), pruning)
        assert said(study_of(tmp_path / str(allowed), pruning)) == expected


@pytest.mark.parametrize("metric", ["accuracy", "log_loss", "roc_auc"])
@pytest.mark.parametrize("repeats", [1, 2])
def test_a_result_counts_every_class_whatever_is_kept_of_predictions(metric, repeats, tmp_path):
    text = TEXT.replace("metric: accuracy", f"metric: {metric}, repeats: {repeats}")
    study = study_of(tmp_path, text=text.replace("trials: 8", "trials: 3"))
    chosen = load_text(text, name="iris")
    prepared = prepare(chosen)
    found = with_classes(open_run(tmp_path), result_of(study, chosen.configuration), ["a", "b", "c"])
    targets = np.concatenate([fold.validation_targets for fold in prepared.setting.folds])
    assert [each.name for each in found.classes] == ["a", "b", "c"]
    once = np.bincount(prepared.dataset.columns.target[prepared.dataset.train_rows])
    assert [each.rows for each in found.classes] == once.tolist() == (np.bincount(targets) // repeats).tolist()
    predicted = np.divide(study.trials[found.best.number].predicted, repeats)
    assert [each.predicted for each in found.classes] == predicted.tolist()
    assert sum(each.predicted for each in found.classes) == len(targets) / repeats == 120
    assert [each.name for each in with_classes(open_run(tmp_path), found, ()).classes] == ["0", "1", "2"]


def test_of_values_there_are_no_classes(tmp_path):
    text = TEXT.replace("sklearn:iris", "sklearn:diabetes").replace("metric: accuracy", "metric: mae")
    study = study_of(tmp_path, text=text.replace("trials: 8", "trials: 2"))
    found = result_of(study, load_text(text, name="iris").configuration)
    assert with_classes(open_run(tmp_path), found, ()).classes == ()
    assert found.best.beside.keys() == {"rmse", "mae", "r2"}
    assert found.best.beside["mae"] == pytest.approx(found.best.mean)
    assert found.best.beside["rmse"] > found.best.beside["mae"] > 0
