"""Searches with scikit-learn's estimators, beside scikit-learn itself."""

import json

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score, log_loss, root_mean_squared_error
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor
from typer.testing import CliRunner

import lrtune
from lrtune.cli import app
from lrtune.experiment import load_text
from lrtune.model import load as load_model
from lrtune.text.errors import ExperimentError, LrtuneError, ModelError
from lrtune.trainers.preparation import prepare

SVM = """\
trainer: {estimator: sklearn.svm.SVC}
data: {path: trees.csv, target: kind}
search: {strategy: grid, metric: accuracy, folds: 3, workers: 1}
space:
  C: [0.1, 1]
  kernel: [linear, {rbf: {gamma: [0.1, 1]}}]
"""
HEAD = SVM[SVM.index("data:") : SVM.index("space:")]
STEPS = """\
space:
  {}
trainer:
  estimator: [scaler: sklearn.preprocessing.StandardScaler, svm: sklearn.svm.SVC]
"""


def searched(text, tmp_path, **settings):
    (tmp_path / "file.yaml").write_text(text)
    return lrtune.search("file.yaml", output=tmp_path / "run", **settings)


def test_every_trial_scores_as_scikit_learn_on_the_same_folds(folder):
    found = searched(SVM, folder)
    setting = prepare(load_text(SVM, base=folder)).setting
    assert found.counts.complete == 6
    for row in found.trials.iter_rows(named=True):
        parameters = {key: row[key] for key in ("C", "kernel", "gamma") if row[key] is not None}
        for number, fold in enumerate(setting.folds, 1):
            peer = SVC(**parameters).fit(fold.features, fold.targets)
            expected = accuracy_score(fold.validation_targets, peer.predict(fold.validation_features))
            assert row[f"fold_{number}"] == pytest.approx(expected, abs=1e-12)


def test_the_model_is_fitted_to_all_training_rows_and_predicts_labels_alone(folder):
    found = searched(SVM, folder)
    prepared = prepare(load_text(SVM, base=folder))
    model = load_model(found.folder)
    (member,) = model.members
    rows = prepared.dataset.train_rows
    features = member.encoder.transform(prepared.dataset.columns, rows).astype(np.float32)
    parameters = {key: member.configuration[key] for key in ("C", "kernel", "gamma") if key in member.configuration}
    peer = SVC(**parameters).fit(features, prepared.dataset.columns.target[rows])
    table = pl.read_csv(folder / "trees.csv")
    everything = member.encoder.transform(prepared.dataset.columns, None).astype(np.float32)
    names = np.array(prepared.schema.classes)
    assert found.model.predict(table).tolist() == names[peer.predict(everything)].tolist()
    printed = CliRunner().invoke(app, ["predict", str(found.folder), "trees.csv"]).stdout.splitlines()
    assert printed[0] == "kind"
    assert printed[1:] == names[peer.predict(everything)].tolist()
    test = prepared.dataset.test_rows
    own = accuracy_score(prepared.dataset.columns.target[test], peer.predict(everything[test]))
    assert found.test.score == pytest.approx(own)


def test_probabilities_of_all_classes_are_used_where_there_are_some(folder):
    text = SVM.replace("sklearn.svm.SVC", "sklearn.tree.DecisionTreeClassifier").replace(
        "metric: accuracy", "metric: log_loss"
    )
    text = text[: text.index("space:")] + "space: {max_depth: [1, 2], random_state: [3]}\n"
    found = searched(text, folder)
    assert set(found.best.beside) == {"accuracy", "balanced_accuracy", "log_loss", "roc_auc"}
    outputs = found.model.predict_proba(pl.read_csv(folder / "trees.csv"))
    assert outputs.shape == (90, 3)
    assert np.allclose(outputs.sum(axis=1), 1.0)


def test_values_are_in_their_own_units(folder):
    text = """\
trainer: {estimator: sklearn.tree.DecisionTreeRegressor}
data: {path: values.csv, target: height}
search: {strategy: grid, folds: 3, workers: 1}
space: {max_depth: [1, 3]}
"""
    found = searched(text, folder)
    setting = prepare(load_text(text, base=folder)).setting
    for row in found.trials.iter_rows(named=True):
        for number, (fold, (train, _)) in enumerate(zip(setting.folds, setting.foreign.rows, strict=True), 1):
            y = setting.foreign.targets[train]
            seed = int(np.random.default_rng([0, 61, fold.index]).integers(2**31))
            peer = DecisionTreeRegressor(max_depth=row["max_depth"], random_state=seed).fit(fold.features, y)
            expected = root_mean_squared_error(fold.validation_targets, peer.predict(fold.validation_features))
            assert row[f"fold_{number}"] == pytest.approx(expected, rel=1e-9)


def test_an_estimator_with_a_rate_is_trained_batch_by_batch_with_the_rates_of_the_schedule(folder):
    text = """\
trainer: {estimator: sklearn.linear_model.SGDClassifier}
data: {path: trees.csv, target: kind}
training: {epochs: 3, batch_size: 16}
search: {strategy: grid, folds: 3, workers: 1}
space: {loss: log_loss, learning_rate: [0.05], decay: [linear], alpha: [1e-4]}
"""
    found = searched(text, folder)
    setting = prepare(load_text(text, base=folder)).setting
    rates = lrtune.Schedule("linear", learning_rate=0.05, epochs=3, steps_per_epoch=3).rates
    for number, fold in enumerate(setting.folds):
        peer = SGDClassifier(loss="log_loss", alpha=1e-4, learning_rate="constant", eta0=1.0, random_state=0)
        places = iter(rates.tolist())
        for epoch in range(3):
            order = np.random.default_rng([0, 2, fold.index, epoch]).permutation(len(fold.features))
            for start in range(0, len(order), 16):
                rows = order[start : start + 16]
                peer.set_params(eta0=next(places)).partial_fit(
                    fold.features[rows], fold.targets[rows], classes=[0, 1, 2]
                )
        expected = log_loss(fold.validation_targets, peer.predict_proba(fold.validation_features))
        assert found.best.fold_scores[number] == pytest.approx(
            expected, rel=0.05
        )  # it shuffles within a batch by its seed
    assert found.control is not None


def test_trial_0_has_the_estimators_own_values(folder):
    found = searched(SVM, folder)
    assert found.default.configuration["C"] == 1.0
    assert found.default.configuration["kernel"] == "rbf"
    assert any("the default of gamma, 'scale', is not in the space" in each for each in found.notes)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (("kernel:", "kernl:"), "space.kernl: sklearn.svm.SVC has no such parameter; did you mean 'kernel'?"),
        (
            (SVM, HEAD + STEPS.format("scaler__with_mena: [true, false]")),
            "sklearn.preprocessing.StandardScaler has no parameter 'with_mena'; did you mean 'scaler__with_mean'?",
        ),
        (
            (SVM, HEAD + STEPS.format("svm__kernl: [linear]")),
            "sklearn.svm.SVC has no parameter 'kernl'; did you mean 'svm__kernel'?",
        ),
        (
            (SVM, HEAD + STEPS.format("scalar__with_mean: [true, false]")),
            "the pipeline of scaler and svm has no such parameter; did you mean 'scaler__with_mean'?",
        ),
        (("sklearn.svm.SVC", "sklearn.svm.SVCC"), "trainer: sklearn.svm has no class 'SVCC'; did you mean 'SVC'?"),
        (("sklearn.svm.SVC", "nowhere.to.Be"), "trainer: nowhere.to.Be cannot be imported: No module named 'nowhere'"),
        (("sklearn.svm.SVC", "sklearn.svm.SVR"), "trainer: sklearn.svm.SVR is a regressor, and the target is a class"),
        (
            ("metric: accuracy", "metric: log_loss"),
            "trainer: log_loss needs probabilities, and sklearn.svm.SVC gives none",
        ),
        (("sklearn.svm.SVC", "datetime.date"), "trainer: datetime.date cannot be made without arguments: "),
    ],
)
def test_what_the_estimator_would_not_train_is_said_before_anything_is(changed, expected, folder):
    with pytest.raises(ExperimentError) as caught:
        searched(SVM.replace(*changed), folder)
    assert any(expected in each for each in caught.value.problems), caught.value.problems
    assert not (folder / "run" / "study.db").exists()


def test_a_value_that_the_estimator_refuses_costs_its_trial(folder):
    found = searched(SVM.replace("C: [0.1, 1]", "C: [-1.0, 1.0]"), folder)
    assert (found.counts.complete, found.counts.failed) == (3, 3)
    assert "The 'C' parameter of SVC must be" in found.trials.filter(pl.col("state") == "failed")["reason"][0]


def test_the_same_bytes_come_out_of_one_worker_and_of_two(folder):
    results = []
    for workers in (1, 2):
        (folder / "file.yaml").write_text(SVM)
        found = lrtune.search("file.yaml", output=folder / f"run-{workers}", workers=workers)
        model = json.loads((found.folder / "model" / "model.json").read_text())
        results.append(((found.folder / "trials.csv").read_bytes(), model["members"], found.corrected))
    assert results[0] == results[1]


def test_a_model_of_types_beyond_scikit_learn_is_read_by_those_who_trust_it(folder, monkeypatch):
    (folder / "mine.py").write_text(
        "from sklearn.tree import DecisionTreeClassifier\n\n\nclass Mine(DecisionTreeClassifier):\n    pass\n"
    )
    text = SVM.replace("sklearn.svm.SVC", "mine.Mine")
    text = text[: text.index("space:")] + "space: {max_depth: [1, 2]}\n"
    (folder / "file.yaml").write_text(text)
    found = lrtune.search("file.yaml", output=folder / "run")
    monkeypatch.syspath_prepend(folder)
    with pytest.raises(ModelError, match=r"reading 'mine\.Mine'.* in it may run code of the file; add --trust"):
        lrtune.load(found.folder).predict(pl.read_csv(folder / "trees.csv"))
    assert len(lrtune.load(found.folder, trust=True).predict(pl.read_csv(folder / "trees.csv"))) == 90


def test_only_what_takes_a_rate_has_a_finder(folder):
    (folder / "file.yaml").write_text(SVM)
    with pytest.raises(LrtuneError, match="SVC takes no rate from lrtune: it is trained by a method of its own"):
        lrtune.find_learning_rate("file.yaml")


def test_a_search_without_a_file_takes_an_estimator(folder):
    found = lrtune.search(
        data="trees.csv",
        target="kind",
        trainer={"estimator": "sklearn.neighbors.KNeighborsClassifier"},
        space={"n_neighbors": [3, 9]},
        strategy="grid",
        workers=1,
        output=folder / "run",
    )
    assert found.counts.complete == 2
