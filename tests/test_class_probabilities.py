"""Probabilities of all classes beside a log loss: the true ones, the same bytes, and no other number moves."""

import json

import numpy as np
import pytest
from sklearn import metrics

import lrtune
from lrtune.reporting.html.catalogue import FIGURES
from lrtune.reporting.html.subject import subject
from lrtune.run import observed, out_of_fold
from lrtune.run.folder import open_run
from lrtune.run.names import OBSERVED, PREDICTIONS, PROBABILITIES, RESULT
from lrtune.training.evaluate import fit, predict_outputs
from lrtune.training.metrics.scoring import MOST_CLASSES, whole

EXPERIMENT = """
data: {path: "sklearn:iris"}
model: {hidden: [8]}
training: {epochs: 6, batch_size: 16}
search: {trials: 8, folds: 3, pruning: race, round: 4}
retrain: {ensemble: 1}
space:
  learning_rate: {low: 1e-3, high: 1.0, scale: log}
  optimizer: [sgd, adam]
"""


def searched(folder, **more):
    """Search in a folder; returns the result."""
    folder.mkdir(exist_ok=True)
    (folder / "iris.yaml").write_text(EXPERIMENT)
    return lrtune.search(str(folder / "iris.yaml"), output=str(folder / "run"), report=False, **more)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    searched(folder)
    return folder / "run"


def shares_of(folder):
    """Read what is kept of every trial, by its number."""
    run = open_run(folder)
    layout = run.study.header.probabilities
    return run, {each.number: out_of_fold.read(folder / PROBABILITIES, each.number, layout.like) for each in run.trials}


def test_they_are_what_a_network_predicts_that_was_trained_alone(undisturbed):
    run, found = shares_of(undisturbed)
    experiment = lrtune.experiment.load(str(undisturbed.parent / "iris.yaml"))
    setting = lrtune.trainers.preparation.prepare(experiment).setting
    complete = [each for each in run.trials if len(each.fold_scores) == 3]
    assert len(complete) >= 2
    for trial in complete:
        configuration = experiment.configuration(trial.configuration)
        alone = [
            predict_outputs(
                fit(configuration, fold, setting.problem, seed=setting.seed, dtype=setting.dtype),
                fold.validation_features,
                activation=configuration["activation"],
                loss=setting.problem.loss,
            )
            for fold in setting.folds
        ]
        np.testing.assert_allclose(found[trial.number], np.concatenate(alone), atol=1e-3)


def test_those_of_the_true_classes_are_what_the_losses_say(undisturbed):
    run, found = shares_of(undisturbed)
    seen, like = observed.read(undisturbed / OBSERVED), run.study.header.predictions.like
    assert seen.whole.tolist() == list(range(120))
    for trial in run.trials:
        done = seen.folds < len(trial.fold_scores)
        losses = out_of_fold.read(undisturbed / PREDICTIONS, trial.number, like)[done]
        truth = found[trial.number][done, seen.targets[done].astype(int)]
        np.testing.assert_allclose(truth, np.exp(-losses), atol=1e-3)
        np.testing.assert_allclose(found[trial.number][done].sum(axis=1), 1.0, atol=3e-3)
        assert not found[trial.number][~done].any()


@pytest.mark.parametrize("way", ["workers", "stopped", "lost", "damaged"])
def test_the_file_is_the_same_however_it_came_about(undisturbed, tmp_path, way):
    if way == "workers":
        searched(tmp_path, workers=2)
    else:
        searched(tmp_path, **({"trials": 3} if way == "stopped" else {}))
        path = tmp_path / "run" / PROBABILITIES
        if way == "lost":
            path.unlink()
        if way == "damaged":
            content = bytearray(path.read_bytes())
            content[5] ^= 1
            path.write_bytes(content)
        searched(tmp_path)
    for name in (PROBABILITIES, PREDICTIONS, OBSERVED):
        assert (tmp_path / "run" / name).read_bytes() == (undisturbed / name).read_bytes()


def test_where_they_have_no_room_fewer_rows_are_kept_and_no_number_moves(undisturbed, tmp_path, monkeypatch):
    monkeypatch.setattr(out_of_fold, "SHOWN_BYTES", 50 * 3 * 2 * 8)
    searched(tmp_path)
    folder = tmp_path / "run"
    assert (folder / PREDICTIONS).read_bytes() == (undisturbed / PREDICTIONS).read_bytes()
    told, before = (json.loads((each / RESULT).read_text()) for each in (folder, undisturbed))
    assert (told["best"], told["corrected"], told["anchors"]) == (
        before["best"],
        before["corrected"],
        before["anchors"],
    )
    run, found = shares_of(folder)
    seen = observed.read(folder / OBSERVED)
    assert run.study.header.probabilities.rows == len(seen.whole) == 50
    _, every = shares_of(undisturbed)
    for number, shares in found.items():
        np.testing.assert_array_equal(shares, every[number][seen.whole])
    said = FIGURES["confusion"].make(subject(folder)).sentence
    assert "They are of 50 of 120 rows, drawn by chance" in said
    assert "Of 50 rows" in said
    assert "drawn by chance" not in FIGURES["certainty"].make(subject(folder)).sentence


def test_its_pictures_show_what_scikit_learn_computes(undisturbed):
    about = subject(undisturbed)
    run, found = shares_of(undisturbed)
    shares, targets = found[about.best].astype(float), observed.read(undisturbed / OBSERVED).targets
    confusion = FIGURES["confusion"].make(about)
    counts = [[int(each) for each in row[1:]] for row in confusion.rows]
    np.testing.assert_array_equal(counts, metrics.confusion_matrix(targets, shares.argmax(axis=1)))
    for kind, of in (("roc", metrics.roc_auc_score), ("pr", metrics.average_precision_score)):
        areas = [float(row[1]) for row in FIGURES[kind].make(about).rows]
        assert areas == pytest.approx([of(targets == each, shares[:, each]) for each in range(3)], abs=1e-4)
    rows = FIGURES["calibration"].make(about).rows
    assert sum(int(row[-1]) for row in rows) == len(targets)
    hits = sum(round(float(row[1]) * int(row[-1])) for row in rows)
    assert hits == (shares.argmax(axis=1) == targets).sum()
    assert run.metric == "log_loss"


def test_of_two_classes_or_very_many_nothing_is_kept_beside():
    rng = np.random.default_rng(0)
    for classes, there in ((1, False), (3, True), (MOST_CLASSES, True), (MOST_CLASSES + 1, False)):
        prediction = rng.dirichlet(np.ones(classes + 1), (2, 5)).swapaxes(1, 2)[:, :classes]
        kept = whole("log_loss", prediction)
        assert (kept is not None) is there
        if kept is not None:
            assert kept.dtype == np.float16
            np.testing.assert_allclose(kept, prediction.swapaxes(1, 2), atol=1e-3)
        assert whole("accuracy", prediction) is None


def test_labels_alone_are_no_probabilities(tmp_path):
    (tmp_path / "svm.yaml").write_text(
        'data: {path: "sklearn:iris"}\ntrainer: {estimator: sklearn.svm.LinearSVC}\n'
        "search: {trials: 3, folds: 3, metric: accuracy}\nspace: {C: {low: 0.1, high: 1.0}}\n"
    )
    found = lrtune.search(str(tmp_path / "svm.yaml"), output=str(tmp_path / "run"), report=False)
    about = subject(found.folder)
    assert FIGURES["roc"].make(about) == FIGURES["calibration"].make(about)
    assert "tells labels only" in FIGURES["roc"].make(about)
    counts = np.array([[int(each) for each in row[1:]] for row in FIGURES["confusion"].make(about).rows])
    assert np.trace(counts) / counts.sum() == pytest.approx(found.best.mean)
