"""What is delivered: the mean of the best trials, of several seeds, or the best alone; and what it is trained on."""

import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    log_loss,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)
from typer.testing import CliRunner

import lrtune
from lrtune import model
from lrtune.cli import app
from lrtune.experiment import load_text
from lrtune.experiment.suited import suited
from lrtune.model import fitting
from lrtune.reporting import console
from lrtune.reporting.details import details_page
from lrtune.run import observed, out_of_fold
from lrtune.run.bodies import Recipe
from lrtune.run.folder import Run
from lrtune.run.journal import Journal, canonical
from lrtune.run.names import BEST, DATABASE, DESCRIPTION, MODEL, OBSERVED, PREDICTIONS, PROBABILITIES, WEIGHTS
from lrtune.run.study import replay
from lrtune.space.trial import ranking
from lrtune.text.errors import ExperimentError, NoUsableResultError
from lrtune.trainers.preparation import prepare
from lrtune.tuning import core as tuning
from lrtune.tuning import remarks
from lrtune.verdict.choice.rules import Rule
from lrtune.verdict.ensembles import candidate_sizes, delivery
from lrtune.verdict.examination import examine, examined
from lrtune.verdict.gates import behind_gate
from lrtune.verdict.judging import choice, judge
from lrtune.verdict.making import result_of

TEXT = """
data: {path: sklearn:breast_cancer, test_size: 0.2}
model: {hidden: [8]}
training: {epochs: 6, batch_size: 16}
search: {strategy: random, trials: 12, folds: 4, round: 12, metric: log_loss}
retrain: {ensemble: 1}
space:
  learning_rate: {low: 2e-2, high: 0.3, scale: log}
  optimizer: [sgd, adam]
"""
DIABETES = TEXT.replace("sklearn:breast_cancer", "sklearn:diabetes").replace("log_loss", "rmse")


def experiment(retrain="ensemble: auto", text=TEXT, **search):
    for key, value in search.items():
        text = text.replace("round: 12", f"round: 12, {key}: {value}")
    return load_text(text.replace("ensemble: 1", retrain), name="case")


def study_of(folder, chosen, workers=1):
    return replay(list(tuning.tune(chosen, prepare(chosen), folder, workers=workers)))


def events_of(folder):
    with Journal(folder / DATABASE) as journal:
        return journal.events()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    chosen = experiment()
    return chosen, study_of(folder, chosen), folder


def probabilities(study, folder, numbers):
    """Read the probabilities of the truth (n, R) that the folds' models gave."""
    layout = study.header.predictions
    return np.exp(-np.stack([out_of_fold.read(folder / PREDICTIONS, each, layout.like) for each in numbers]))


def test_the_mean_with_the_best_score_on_the_folds_is_delivered(run):
    chosen, study, folder = run
    found = judge(chosen.terms, study, folder).delivery
    ranked = [each.number for each in ranking(study.in_order())]
    folds = observed.read(folder / OBSERVED).folds
    scores = {}
    for size in (1, 3, 5, 10):
        mean = probabilities(study, folder, ranked[:size]).mean(axis=0)
        scores[size] = np.mean([np.log(mean[folds == fold]).mean() for fold in range(4)])
    best = max(scores, key=scores.get)
    assert best > 1
    assert found.numbers == tuple(ranked[:best])
    assert found.mean == pytest.approx(scores[best], rel=1e-5)
    assert study.refit.made_of == Recipe(found.numbers)


def test_its_members_are_the_trials_retrained_on_all_rows_of_the_search(run):
    chosen, study, folder = run
    prepared, saved = prepare(chosen), model.load(folder / MODEL)
    rows = prepared.dataset.test_rows
    alone = [
        prepared.refit(chosen.configuration(study.trials[each].configuration), copy=copy).outputs(
            prepared.dataset.columns, rows
        )
        for copy, each in enumerate(study.refit.made_of.trials)
    ]
    assert len(saved.members) == len(alone)
    np.testing.assert_allclose(saved.outputs(prepared.dataset.columns, rows), np.mean(alone, axis=0), rtol=1e-12)
    expected = log_loss(prepared.dataset.columns.target[rows], np.mean(alone, axis=0), labels=[0, 1])
    assert study.refit.test.score == pytest.approx(-expected)
    assert len({id(each.encoder) for each in saved.members}) == 1  # rows are encoded once


def test_the_mean_of_values_is_in_their_units(tmp_path):
    chosen = experiment("ensemble: 3", DIABETES)
    study, prepared = study_of(tmp_path, chosen), prepare(chosen)
    rows = prepared.dataset.test_rows
    predicted = model.load(tmp_path).outputs(prepared.dataset.columns, rows)[:, 0]
    assert len(study.refit.made_of.trials) == 3
    assert study.refit.test.score == pytest.approx(
        -root_mean_squared_error(prepared.dataset.columns.target[rows], predicted)
    )


def test_one_gives_the_same_bytes_as_saying_nothing(tmp_path):
    nothing = load_text(TEXT.replace("retrain: {ensemble: 1}\n", ""), name="case")
    for name, chosen in (("a", experiment("ensemble: 1")), ("b", nothing)):
        study_of(tmp_path / name, chosen)
    contents = [canonical(events_of(tmp_path / name)) for name in ("a", "b")]
    assert contents[0] == contents[1]
    for name in (DESCRIPTION, WEIGHTS):
        assert (tmp_path / "a" / MODEL / name).read_bytes() == (tmp_path / "b" / MODEL / name).read_bytes()


def test_workers_and_a_second_session_change_nothing(run, tmp_path):
    chosen, _, folder = run
    study_of(tmp_path, chosen, workers=2)
    again = study_of(tmp_path, chosen)
    assert canonical(events_of(tmp_path)) == canonical(events_of(folder))
    assert again.refit.model == replay(events_of(folder)).refit.model


def test_asking_for_another_number_makes_the_model_anew_and_trains_no_fold(tmp_path):
    chosen = experiment("ensemble: 1")
    study_of(tmp_path, chosen)
    before = len(events_of(tmp_path))
    study = study_of(tmp_path, experiment("ensemble: 5"))
    assert [each.kind for each in events_of(tmp_path)][before:] == ["refit"]
    assert len(model.load(tmp_path).members) == len(study.refit.made_of.trials) == 5
    back = study_of(tmp_path, chosen)
    assert (back.refit.made_of, len(model.load(tmp_path).members)) == (Recipe((back.refit.trial,)), 1)


def test_seeds_are_other_models_of_the_same_and_their_gain_is_told(tmp_path):
    chosen = experiment("ensemble: 1, members: 3")
    study, prepared = study_of(tmp_path, chosen), prepare(chosen)
    saved, (trial,) = model.load(tmp_path), study.refit.made_of.trials
    configuration = chosen.configuration(study.trials[trial].configuration)
    copies = [prepared.refit(configuration, copy=copy).members[0] for copy in range(3)]
    for mine, theirs in zip(saved.members, copies, strict=True):
        np.testing.assert_array_equal(mine.layers[0][0], theirs.layers[0][0])
    assert len({each.layers[0][0].tobytes() for each in copies}) == 3
    assert (study.seeds.recipe.trials, study.seeds.recipe.seeds) == ((trial,), 3)
    assert len(study.seeds.scores) == 4
    assert study.seeds.scores != study.trials[trial].fold_scores
    before = len(events_of(tmp_path))
    study_of(tmp_path, chosen)
    assert len(events_of(tmp_path)) == before  # known seeds are not trained again


def test_a_model_of_all_rows_is_tested_before_it_has_seen_them(tmp_path):
    study = study_of(tmp_path / "all", experiment("rows: all"))
    usual = study_of(tmp_path / "usual", experiment("ensemble: 1"))
    assert study.refit.test == usual.refit.test
    chosen, prepared = experiment("rows: all"), prepare(experiment("rows: all"))
    configuration = chosen.configuration(study.trials[study.refit.trial].configuration)
    dataset = prepared.dataset
    everything = np.arange(569)
    np.testing.assert_array_equal(np.union1d(dataset.train_rows, dataset.test_rows), everything)
    expected = fitting.fit_model(dataset.columns, prepared.schema, everything, configuration, seed=0, dtype="float32")
    (member,) = model.load(tmp_path / "all").members
    np.testing.assert_array_equal(member.layers[0][0], expected.members[0].layers[0][0])
    assert study.refit.made_of.rows == "all"


def test_a_member_that_diverges_on_all_rows_is_left_out_and_told(tmp_path, monkeypatch):
    chosen = experiment("ensemble: 3")
    prepared = prepare(chosen)
    usual, calls = type(prepared).refit, []

    def refit(self, *given, **more):
        calls.append(given)
        if len(calls) == 2:
            raise NoUsableResultError("diverged")
        return usual(self, *given, **more)

    monkeypatch.setattr(type(prepared), "refit", refit)
    study = replay(list(tuning.tune(chosen, prepared, tmp_path, workers=1)))
    assert study.refit.diverged == (study.refit.made_of.trials[1],)
    assert len(model.load(tmp_path).members) == 2
    monkeypatch.setattr(
        type(prepared), "refit", lambda *_given, **_more: (_ for _ in ()).throw(NoUsableResultError("x"))
    )
    study = replay(list(tuning.tune(chosen, prepared, tmp_path / "none", workers=1)))
    assert (study.refit, study.no_model.reason) == (None, "x")
    assert study.no_model.recipe.trials[0] == ranking(study.in_order())[0].number
    assert study.finished == "trials"


def _never(*_given, **_more):
    raise NoUsableResultError("never")


@pytest.mark.parametrize(
    ("retrain", "search", "reason"),
    [
        ("ensemble: auto", {"trials": 2}, "too few complete trials"),
    ],
)
def test_where_there_is_no_mean_the_reason_is_told(retrain, search, reason, tmp_path):
    text = TEXT
    for key, value in search.items():
        text = text.replace({"metric": "metric: log_loss", "trials": "trials: 12"}[key], f"{key}: {value}")
    chosen = experiment(retrain, text)
    study = study_of(tmp_path, chosen)
    found = judge(chosen.terms, study, tmp_path).delivery
    assert found.numbers == (study.refit.trial,)
    assert reason in found.why_single


def test_labels_of_the_mean_probabilities_are_scored(tmp_path):
    chosen = experiment("ensemble: 5, members: 2", TEXT.replace("log_loss", "balanced_accuracy"))
    study = study_of(tmp_path, chosen)
    found, seen = judge(chosen.terms, study, tmp_path).delivery, observed.read(tmp_path / OBSERVED)
    layout = study.header.predictions
    assert layout.dtype == "float16"
    kept = [out_of_fold.read(tmp_path / PREDICTIONS, each, layout.like) for each in found.numbers]
    labels = np.mean(kept, axis=0, dtype=float) > 0.5
    expected = [
        balanced_accuracy_score(seen.targets[seen.folds == fold], labels[seen.folds == fold]) for fold in range(4)
    ]
    assert len(found.numbers) == 5
    assert found.scores == pytest.approx(expected)
    assert len(study.seeds.scores) == 4
    again = study_of(tmp_path / "again", chosen, workers=2)
    assert (tmp_path / "again" / PREDICTIONS).read_bytes() == (tmp_path / PREDICTIONS).read_bytes()
    assert again.refit.model == study.refit.model


def test_where_probabilities_have_no_room_there_is_no_mean(tmp_path, monkeypatch):
    monkeypatch.setattr(out_of_fold, "TOTAL_BYTES", 455 * 12)
    chosen = experiment("ensemble: auto, members: 2", TEXT.replace("log_loss", "accuracy"))
    study = study_of(tmp_path, chosen)
    found = judge(chosen.terms, study, tmp_path).delivery
    assert study.header.predictions.dtype == "uint8"
    assert found.numbers == (study.refit.trial,)
    assert found.why_single == "the table is too large to keep all out-of-fold predictions"
    assert study.seeds is None


def test_lost_predictions_leave_the_best_alone(run, tmp_path):
    chosen, study, _ = run
    found = delivery(chosen.terms, study, tmp_path, choice(chosen.terms, study))
    assert (found.numbers, found.why_single) == ((study.refit.trial,), "out-of-fold predictions are missing")


def test_a_rule_that_looks_for_something_simple_stays_alone(run):
    chosen, study, folder = run
    terms = chosen.terms._replace(rule=Rule("one_se"))
    found = delivery(terms, study, folder, choice(terms, study))
    assert (len(found.numbers), found.sizes) == (1, ())
    assert found.why_single == "search.select: one_se chooses a single trial"
    alone = terms._replace(averaged=1)
    assert delivery(alone, study, folder, choice(alone, study)).why_single is None  # nothing else was asked for


@pytest.mark.parametrize(
    ("retrain", "trials", "seeds", "networks"),
    [
        ("ensemble: auto, members: auto", 1, 5, 10),
        ("ensemble: auto, members: auto", 3, 2, 10),
        ("ensemble: auto, members: auto", 10, 1, 10),
        ("ensemble: 1, members: auto", 1, 5, 5),
        ("ensemble: 3, members: 4", 3, 4, 12),
        ("ensemble: auto, members: 2, rows: all", 10, 2, 40),
        ("ensemble: 1", 1, 1, 1),
    ],
)
def test_so_many_seeds_that_there_are_five_networks(retrain, trials, seeds, networks):
    chosen = experiment(retrain)
    assert (chosen.seeds(trials), chosen.networks) == (seeds, networks)


@pytest.mark.parametrize(
    ("averaged", "complete", "expected"),
    [(None, 2, ()), (None, 9, (3, 5)), (None, 10, (3, 5, 10)), (4, 9, (4,)), (4, 3, (3,)), (4, 1, ()), (1, 9, ())],
)
def test_a_mean_has_no_more_members_than_there_are(averaged, complete, expected):
    assert candidate_sizes(averaged, complete) == expected


@pytest.mark.parametrize(
    ("retrain", "search", "sentence"),
    [
        ("ensemble: 0", {}, "expected 'auto' or a whole number from 1 to 20, got 0"),
        ("ensemble: many", {}, "expected 'auto' or a whole number from 1 to 20, got 'many'"),
        ("members: 0", {}, "expected 'auto' or a whole number from 1 to 20, got 0"),
        ("rows: everything", {}, "unknown value 'everything'"),
        ("membrs: 3", {}, "unknown key; did you mean 'members'?"),
        ("ensemble: 3", {"confirm": 2}, "cannot be told beside search.confirm"),
        ("ensemble: 3", {"select": "one_se"}, "search.select: one_se chooses a single trial"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(retrain, search, sentence):
    with pytest.raises(ExperimentError, match="retrain") as caught:
        experiment(retrain, **search)
    assert sentence in str(caught.value)


def test_the_result_and_the_files_of_a_run(tmp_path):
    found = lrtune.search(experiment("ensemble: 3"), output=tmp_path)
    written = json.loads((tmp_path / "result.json").read_text())
    assert len(written["delivered"]["trials"]) == 3
    assert written["delivered"]["trials"][0] == written["best"]["number"]
    assert written["corrected"]["naive"] == pytest.approx(written["delivered"]["mean"])
    assert found.corrected.score >= found.delivered.mean  # an error, and the luck is taken off
    assert "ensemble: 3" in (tmp_path / "experiment.yaml").read_text()
    assert (tmp_path / BEST).is_file()
    assert len(found.model.model_.members) == 3
    assert lrtune.load(tmp_path).predict_proba(np.zeros((2, 30))).sum(axis=1) == pytest.approx(1.0)


def test_what_is_handed_over_is_what_has_to_beat_the_default(run):
    chosen, study, folder = run
    judgement = judge(chosen.terms, study, folder)
    found = result_of(study, chosen.configuration, rows_ratio=0.25, judgement=judgement)
    default = next(each for each in found.anchors if each.name == "default")
    scores = np.array(study.trials[0].fold_scores)
    assert default.gain.mean == pytest.approx(np.mean(np.array(judgement.delivery.scores) - scores))
    gate = behind_gate(found.but(best=found.default), "default")  # a mean whose first trial is the default
    assert gate.numbers["limit"] == pytest.approx(-scores.mean())


def test_what_a_mean_predicts_is_told_where_the_predictions_tell_it(run):
    chosen, study, folder = run
    found = judge(chosen.terms, study, folder).delivery
    seen = observed.read(folder / OBSERVED)
    truth = probabilities(study, folder, found.numbers).mean(axis=0)
    positive = np.where(seen.targets == 1, truth, 1.0 - truth)
    parts = [seen.folds == fold for fold in range(4)]
    areas = [roc_auc_score(seen.targets[each], positive[each]) for each in parts]
    assert found.beside["roc_auc"] == pytest.approx(areas)
    hits = [accuracy_score(seen.targets[each], positive[each] > 0.5) for each in parts]
    assert found.beside["accuracy"] == pytest.approx(hits)
    assert found.predicted == (int((positive <= 0.5).sum()), int((positive > 0.5).sum()))
    result = examined(Run(folder, study), judged_result(run), chosen.space, ["no", "yes"])
    assert [each.predicted for each in result.classes] == list(found.predicted)
    assert result.classes_of_mean
    assert result.delivered.beside["accuracy"] == pytest.approx(np.mean(hits))


def judged_result(run):
    chosen, study, folder = run
    judgement = judge(chosen.terms, study, folder)
    return result_of(study, chosen.configuration, rows_ratio=1 / 3, judgement=judgement)


@pytest.mark.parametrize("has_room", [True, False])
def test_three_classes_are_told_by_the_probabilities_of_all_because_a_loss_does_not_tell_them(
    has_room, tmp_path, monkeypatch
):
    if not has_room:
        monkeypatch.setattr(out_of_fold, "SHOWN_BYTES", 50 * 3 * 2 * 8)
    chosen = experiment("ensemble: 3", TEXT.replace("sklearn:breast_cancer", "sklearn:wine"))
    study = study_of(tmp_path, chosen)
    found = examined(Run(tmp_path, study), judged_result((chosen, study, tmp_path)), chosen.space, list("abc"))
    seen = observed.read(tmp_path / OBSERVED)
    assert found.is_mean
    assert sum(each.predicted for each in found.classes) == pytest.approx(len(seen.folds))
    if not has_room:
        assert (found.classes_of_mean, found.delivered.beside) == (False, {})
        return
    layout = study.header.probabilities
    kept = [out_of_fold.read(tmp_path / PROBABILITIES, each, layout.like) for each in found.delivered.trials]
    mean = np.mean(np.array(kept, dtype=float), axis=0)
    parts = [seen.folds == fold for fold in range(4)]
    hits = [accuracy_score(seen.targets[each], mean[each].argmax(axis=1)) for each in parts]
    assert found.delivered.beside["accuracy"] == pytest.approx(np.mean(hits))
    areas = [roc_auc_score(seen.targets[each] == one, mean[each, one]) for each in parts for one in range(3)]
    assert found.delivered.beside["roc_auc"] == pytest.approx(np.mean(areas))
    assert [each.predicted for each in found.classes] == np.bincount(mean.argmax(axis=1), minlength=3).tolist()


def test_values_of_a_mean_have_all_other_metrics(tmp_path):
    chosen = experiment("ensemble: 3", DIABETES)
    study = study_of(tmp_path, chosen)
    found, seen = judge(chosen.terms, study, tmp_path).delivery, observed.read(tmp_path / OBSERVED)
    layout = study.header.predictions
    mean = np.mean([out_of_fold.read(tmp_path / PREDICTIONS, each, layout.like) for each in found.numbers], axis=0)
    parts = [seen.folds == fold for fold in range(4)]
    assert found.beside["mae"] == pytest.approx([-np.abs(mean - seen.targets)[each].mean() for each in parts])
    assert found.beside["r2"] == pytest.approx([r2_score(seen.targets[each], mean[each]) for each in parts])


def test_each_row_of_the_page_says_whether_it_is_of_the_mean_or_of_the_best(run):
    chosen, study, folder = run
    found = examined(Run(folder, study), judged_result(run), chosen.space, ["no", "yes"])
    mean = np.array(found.delivered.fold_scores)
    default = np.array([-each for each in study.trials[0].fold_scores])
    assert found.gain.mean == pytest.approx((default - mean).mean())  # of a loss, less is better
    text = page_text(found, study, folder)
    called = f"the mean of the {len(found.delivered.trials)} best trials"
    assert f"difference of {called}: better by" in text
    assert f"mean, by fold {mean[0]:.4f}" in text
    assert "decay of the best trial alone: " in text
    itself = page_text(found.but(best=found.default), study, folder)  # a mean whose first trial is the default
    assert f"difference of {called}: better by" in itself


def page_text(found, study, folder):
    page = details_page(found, ranking(study.in_order()), {}, folder=folder, run="case")
    return " ".join(console.page_text(Console(width=100), page).split())


def test_the_health_report_judges_the_mean_beside_the_default(run):
    chosen, study, folder = run
    found = judged_result(run)
    odd = {each.name: each.sentence for each in examine(Run(folder, study), found, chosen.space)}
    called = f"the mean of the {len(found.delivered.trials)} best trials"
    assert "default" not in odd or called in odd["default"]
    alike = found.but(best=found.default, delivered=replace(found.delivered, fold_scores=found.default.fold_scores))
    (default,) = [each for each in examine(Run(folder, study), alike, chosen.space) if each.name == "default"]
    assert f"the default is as good ({called} is better with probability 0.50)" in default.sentence


def test_confirmed_trials_are_delivered_alone_with_their_seeds(tmp_path):
    found = lrtune.search(experiment("ensemble: auto, members: 2", confirm=2), output=tmp_path)
    assert len(found.delivered.trials) == 1
    assert found.delivered.seeds == len(found.model.model_.members) == 2
    assert any("no mean of several: search.confirm scores single trials again" in each for each in found.notes)


@pytest.mark.parametrize("metric", ["accuracy", "log_loss"])
def test_seeds_have_a_score_on_the_folds_by_every_metric(metric, tmp_path):
    chosen = experiment("ensemble: 1, members: 2", TEXT.replace("metric: log_loss", f"metric: {metric}"))
    found = lrtune.search(chosen, output=tmp_path)
    assert found.delivered.of_seeds is not None
    assert not [each for each in found.notes if each.startswith("the 2 seeds that the model has of each trial")]
    with Journal(tmp_path / DATABASE) as journal:
        text = page_text(found.plain(), replay(journal.events()), tmp_path)
    assert "with all seeds" in text


def test_seeds_for_which_there_was_no_time_say_so(tmp_path):
    chosen = experiment("ensemble: 1, members: 2", timeout="10m")
    found = lrtune.search(chosen, output=tmp_path)
    lost = found.plain().but(delivered=replace(found.delivered, of_seeds=None))
    said = remarks.notes(lost, study_of(tmp_path, chosen), chosen, prepare(chosen), None)
    assert any(each.endswith("there was no time to train them on the folds") for each in said)


@pytest.mark.parametrize(
    ("repeated", "said"),
    [
        (0, "9 rows that the search never saw (scored before these rows joined the training of the model"),
        (1, "9 rows, 1 of which is a training row, too (scored before the others joined the training of the model"),
        (
            9,
            "9 rows, all of which are training rows, too (the model that is handed over was trained on them once more)",
        ),
    ],
)
def test_test_rows_that_are_training_rows_are_not_called_unseen(repeated, said, tmp_path):
    rng = np.random.default_rng(3)
    rows = [f"{x:.4f},{y:.4f},{'ab'[int(x > y)]}" for x, y in rng.normal(size=(69, 2))]
    train, test = rows[:60], [*rows[:repeated], *rows[60 : 69 - repeated]]
    for name, part in (("train.csv", train), ("test.csv", test)):
        (tmp_path / name).write_text("\n".join(["x,y,kind", *part]) + "\n")
    text = TEXT.replace(
        "path: sklearn:breast_cancer, test_size: 0.2", "path: train.csv, test_path: test.csv, target: kind"
    )
    chosen = load_text(text.replace("ensemble: 1", "rows: all"), base=tmp_path)
    found = lrtune.search(chosen, output=tmp_path / "run")
    assert found.test.repeated == repeated
    with Journal(tmp_path / "run" / DATABASE) as journal:
        assert said in page_text(found.plain(), replay(journal.events()), tmp_path)


# --- a bag


BAG = "bag: true"


@pytest.mark.parametrize("text", [TEXT, DIABETES])
def test_a_bag_is_the_mean_of_the_models_that_were_scored_on_the_folds(text, tmp_path):
    chosen = experiment(BAG, text)
    study, prepared = study_of(tmp_path, chosen), prepare(chosen)
    saved, dataset = model.load(tmp_path), prepared.dataset
    alone = [replace(saved, members=(each,)) for each in saved.members]
    assert study.refit.made_of == Recipe((study.refit.trial,), bag=True)
    assert len(alone) == len(prepared.splits) == 4
    for fold, ((_, validation), mine) in enumerate(zip(prepared.splits, alone, strict=True)):
        outputs, targets = mine.outputs(dataset.columns, validation), dataset.columns.target[validation]
        loss = log_loss(targets, outputs) if text is TEXT else root_mean_squared_error(targets, outputs[:, 0])
        assert study.trials[study.refit.trial].fold_scores[fold] == pytest.approx(-loss, rel=1e-5)
    rows = dataset.test_rows
    mean = np.mean([each.outputs(dataset.columns, rows) for each in alone], axis=0)
    np.testing.assert_allclose(saved.outputs(dataset.columns, rows), mean, rtol=1e-12)
    targets = dataset.columns.target[rows]
    loss = log_loss(targets, mean) if text is TEXT else root_mean_squared_error(targets, mean[:, 0])
    assert study.refit.test.score == pytest.approx(-loss)
    study_of(tmp_path / "again", chosen, workers=2)
    assert canonical(events_of(tmp_path / "again")) == canonical(events_of(tmp_path))


def test_a_bag_is_made_of_a_finished_search_and_has_the_numbers_of_the_single_model(tmp_path):
    single = lrtune.search(experiment("ensemble: 1"), output=tmp_path)
    before = len(events_of(tmp_path))
    found = lrtune.search(experiment(BAG), output=tmp_path)
    assert [each.kind for each in events_of(tmp_path)][before:] == ["refit"]
    assert (found.corrected, found.best) == (single.corrected, single.best)
    assert json.loads((tmp_path / "result.json").read_text())["delivered"]["bag"]
    assert found.delivered == replace(single.delivered, bag=True)
    assert len(lrtune.load(tmp_path).model_.members) == 4
    page = CliRunner().invoke(app, ["show", str(tmp_path)], env={"COLUMNS": "300"}).stdout
    assert f"mean of the 4 models of the folds of trial {found.best.number}; scores on the folds are of one of" in page
    details = CliRunner().invoke(app, ["show", str(tmp_path), "--details"], env={"COLUMNS": "300"}).stdout
    assert "scores on the folds are of one of them: their mean has none of its own" in details


@pytest.mark.parametrize("others", ["ensemble: auto", "members: 3", "rows: all", "members: auto, rows: all"])
def test_a_bag_is_refused_beside_what_else_is_trained(others):
    with pytest.raises(ExperimentError) as caught:
        experiment(f"{BAG}, {others}")
    named = ", ".join(f"retrain.{each.partition(':')[0]}" for each in others.split(", "))
    assert f"delivers the models of one trial's folds as they are; leave {named} out" in str(caught.value)
    with pytest.raises(ExperimentError, match=r"retrain\.bag"):
        experiment("bag: maybe")


def test_without_a_file_a_bag_takes_the_place_of_what_is_suggested():
    chosen = suited("sklearn:wine", ["retrain.bag=true"])[0]
    assert (chosen.retrain.bag, chosen.retrain.ensemble, chosen.retrain.members) == (True, 1, 1)
    assert chosen.networks == chosen.search.folds * chosen.search.repeats == 20
