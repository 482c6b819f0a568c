"""From a run's folder to the choice and its correction: the same numbers always, and less where files are lost."""

import json
import shutil

import numpy as np
import pytest

from lrtune.experiment import load_text
from lrtune.run import observed, out_of_fold
from lrtune.run.journal import Journal
from lrtune.run.names import DATABASE, OBSERVED, PREDICTIONS
from lrtune.run.study import REFIT, StudyState
from lrtune.space.trial import TrialState
from lrtune.text.errors import StudyError
from lrtune.trainers.catalogue import expected_seconds
from lrtune.trainers.preparation import prepare
from lrtune.training.metrics.scoring import score
from lrtune.tuning import core as tuning
from lrtune.verdict import judging
from lrtune.verdict.correction import Evidence
from lrtune.verdict.making import result_of

TEXT = """
data: {path: sklearn:iris, test_size: 0.2}
model: {hidden: [8]}
training: {epochs: 4}
search: {strategy: random, trials: 16, folds: 4, round: 8, metric: METRIC, pruning: PRUNING, select: best}
space:
  learning_rate: {low: 1e-5, high: 1.0, scale: log}
  optimizer: [sgd, adam]
  decay: [constant, cosine]
"""


def searched(folder, metric="accuracy", pruning="none", text=TEXT):
    experiment = load_text(text.replace("METRIC", metric).replace("PRUNING", pruning), name="iris")
    study = StudyState()
    for event in tuning.tune(experiment, prepare(experiment), folder, workers=1):
        study.add(event)
    return experiment, study


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return *searched(folder), folder


def test_what_is_kept_gives_the_reported_scores_again(run):
    experiment, study, folder = run
    prepared = prepare(experiment)
    seen = observed.read(folder / OBSERVED)
    assert seen.sizes.tolist() == [len(validation) for _, validation in prepared.splits]
    assert (
        seen.units.tolist()
        == np.unique(np.concatenate([validation for _, validation in prepared.splits]), return_inverse=True)[1].tolist()
    )
    trial = study.trials[0]
    kept = out_of_fold.read(folder / PREDICTIONS, 0, ("float16", (len(seen.targets), 3))).argmax(axis=1)
    for fold, reported in enumerate(trial.fold_scores):
        rows = seen.folds == fold
        assert score("accuracy", kept[None, rows], seen.targets[rows], 3)[0] == pytest.approx(reported)


@pytest.mark.parametrize("metric", ["accuracy", "log_loss", "roc_auc", "f1_macro"])
def test_a_search_is_judged_by_its_predictions(metric, run, tmp_path):
    experiment, study, folder = (*searched(tmp_path, metric), tmp_path) if metric != "accuracy" else run
    choice, _, found, _ = judging.judge(experiment.terms, study, folder)
    assert found.method == "bootstrap"
    assert choice.trial is choice.best
    assert found.naive == pytest.approx(choice.trial.mean)
    assert found.low < found.score <= found.naive + 1e-9
    assert found.low < found.score < found.high or metric != "log_loss"
    assert found.share([choice.trial.number]) > 0
    assert judging.judge(experiment.terms, study, folder).correction == found


def test_without_the_table_and_with_fewer_files_it_is_judged_all_the_same(run, tmp_path):
    experiment, study, folder = run
    for damage in ("lost", "short", "changed", "unobserved"):
        copy = tmp_path / damage
        shutil.copytree(folder, copy)
        if damage == "unobserved":
            (copy / OBSERVED).unlink()
        elif damage == "lost":
            (copy / PREDICTIONS).unlink()
        else:
            content = bytearray((copy / PREDICTIONS).read_bytes())
            content[len(content) // 3] ^= 1
            (copy / PREDICTIONS).write_bytes(content if damage == "changed" else content[:100])
        choice, _, found, _ = judging.judge(experiment.terms, study, copy)
        assert found.method == "folds"
        assert choice == judging.choice(experiment.terms, study)


@pytest.mark.parametrize("damage", ["lost", "short", "changed"])
def test_a_lost_or_damaged_file_of_what_was_observed_is_written_again(run, tmp_path, damage):
    folder = tmp_path / "copy"
    shutil.copytree(run[2], folder)
    before = (folder / OBSERVED).read_bytes()
    if damage == "lost":
        (folder / OBSERVED).unlink()
    elif damage == "short":
        (folder / OBSERVED).write_bytes(before[:-30])
    else:
        (folder / OBSERVED).write_bytes(before[:200] + bytes([before[200] ^ 1]) + before[201:])
    searched(folder)
    assert (folder / OBSERVED).read_bytes() == before


def test_another_rule_on_a_finished_study_trains_no_fold_again(run, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(run[2], folder)
    trials = len([each for each in run[1].trials.values() if each.state is TrialState.COMPLETE])
    assert trials > 8
    text = TEXT.replace("select: best", "select: within 60%, control: false")
    with Journal(folder / DATABASE) as journal:
        before = len(journal.events())
    experiment, study = searched(folder, text=text)
    with Journal(folder / DATABASE) as journal:
        assert [each.kind for each in journal.events()[before:]] == [REFIT]
    choice, _, found, _ = judging.judge(experiment.terms, study, folder)
    assert choice.trial.number == study.refit.trial != run[1].refit.trial
    assert choice.best.number == run[1].refit.trial
    assert choice.trial.configuration["decay"] == "constant"
    assert found.naive == pytest.approx(choice.trial.mean)


def test_posterior_mean_chooses_and_is_repeated(run, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(run[2], folder)
    experiment, study = searched(folder, text=TEXT.replace("select: best", "select: posterior_mean"))
    choice, _, found, _ = judging.judge(experiment.terms, study, folder)
    assert study.refit.trial == choice.trial.number
    assert found.naive == pytest.approx(choice.trial.mean)
    assert found.share([choice.trial.number]) > 0


@pytest.mark.parametrize("metric", ["accuracy", "f1_macro"])
def test_a_raced_search_is_judged_with_its_races(metric, tmp_path):
    experiment, study = searched(tmp_path, metric, "race")
    assert study.count(TrialState.PRUNED) > 0
    choice, _, found, _ = judging.judge(experiment.terms, study, tmp_path)
    assert found.method == "bootstrap"
    candidates = judging._candidates(study, choice)
    assert {each.state for each in candidates} == {TrialState.COMPLETE, TrialState.PRUNED}
    race = judging._race(experiment.terms, study, candidates)
    assert race.looks == ((1,) if metric == "accuracy" else (2,))
    assert race.rounds.tolist() == [each.number // 8 for each in candidates]
    assert found.score <= found.naive + 1e-9


def test_more_cells_than_there_is_time_for_are_thinned(run, monkeypatch):
    experiment, study, folder = run
    whole = judging.judge(experiment.terms, study, folder).correction
    monkeypatch.setattr(judging, "MOST_CELLS", 16 * 60)
    part = judging.judge(experiment.terms, study, folder).correction
    assert part.naive == whole.naive
    assert part.score == pytest.approx(whole.score, abs=0.05)


def test_what_a_correction_may_take_follows_from_the_study_and_not_from_a_clock(run, monkeypatch):
    experiment, study, folder = run
    seen, real = [], judging.effort

    def counted(*given, training, more):
        seen.append((given, training, more))
        return real(*given, training=training, more=more)

    monkeypatch.setattr(judging, "effort", counted)
    assert judging.judge(experiment.terms, study, folder).correction.resamples == 2000
    setting = prepare(experiment).setting
    expected = expected_seconds(experiment.configuration(experiment.space.default()), setting)
    trained = sum(len(each.fold_scores) for each in study.in_order())
    assert seen == [((120, 16, 1.0), pytest.approx(expected * trained / 4, rel=5e-3), 0.0)]


def test_thinned_rows_are_resampled_as_a_sample_of_their_own():
    units = np.array([5, 9, 5, 2, 7, 9])
    seen = observed.Observed(np.arange(6), np.array([0, 0, 0, 1, 1, 1]), units, np.array([3, 3]), 0)
    scores = np.zeros((2, 1))
    whole = Evidence("mse", np.arange(1), scores, np.arange(1), np.arange(6.0)[None], seen, 0.5)
    part = judging.thinned(whole, 3)
    rows = part.predictions[0].astype(int)
    assert len(rows) == 3
    assert (part.observed.targets.tolist(), part.observed.folds.tolist()) == (rows.tolist(), seen.folds[rows].tolist())
    assert sorted(set(part.observed.units.tolist())) == list(range(len(set(units[rows]))))
    assert part.observed.share == 0.5
    assert judging.thinned(whole, 6) is whole


def test_only_the_best_thousand_are_looked_at(run, monkeypatch):
    experiment, study, folder = run
    monkeypatch.setattr(judging, "MOST_CANDIDATES", 3)
    choice, _, found, _ = judging.judge(experiment.terms, study, folder)
    numbers = {each.number for each in judging._candidates(study, choice)}
    assert {0, choice.trial.number} <= numbers
    assert len(numbers) <= 4
    assert found.method == "bootstrap"


def test_records_of_other_rows_are_refused(run):
    _, study, folder = run
    seen = observed.read(folder / OBSERVED)
    fewer = observed.Observed(seen.targets[1:], seen.folds[1:], seen.units[1:], seen.sizes, seen.classes)
    with pytest.raises(StudyError, match="rows of this study"):
        judging.records(study, folder, study.in_order()[:1], fewer)


def test_the_result_says_all_of_it_in_the_metrics_own_sign(tmp_path):
    experiment, study = searched(tmp_path, "log_loss")
    found = judging.judge(experiment.terms, study, tmp_path)
    entry = result_of(study, experiment.configuration, judgement=found).to_json()
    json.dumps(entry, allow_nan=False)
    corrected = entry["corrected"]
    assert corrected["score"] == pytest.approx(-found.correction.score)
    assert (corrected["low"], corrected["high"]) == (-found.correction.high, -found.correction.low)
    assert corrected["naive"] + corrected["optimism"] == pytest.approx(corrected["score"])
    assert corrected["naive"] == pytest.approx(entry["best"]["mean"])
    assert entry["selection"]["rule"] == "best"
    assert entry["selection"]["rivals"]["count"] == len(found.choice.rivals)


def table(folder, rows=60):
    rng = np.random.default_rng(0)
    lines = ["x,who,day,y"]
    lines += [f"{rng.normal():.3f},g{row % 9},{row // 3},{rng.normal():.3f}" for row in range(rows)]
    (folder / "table.csv").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("data", "search"),
    [("group: who", "folds: 3, repeats: 2"), ("order: day", "folds: 3"), ("", "folds: 3, splitter: time_series")],
)
def test_what_belongs_together_is_resampled_together(data, search, tmp_path):
    table(tmp_path)
    text = f"""
data: {{path: table.csv, target: y, test_size: 0, task: regression, {data}}}
model: {{type: linear}}
training: {{epochs: 2}}
search: {{trials: 3, {search}}}
space: {{learning_rate: [0.01, 0.02, 0.03]}}
"""
    experiment = load_text(text.replace(", }", "}"), base=tmp_path)
    prepared, study = prepare(experiment), StudyState()
    for event in tuning.tune(experiment, prepared, tmp_path / "run", workers=1):
        study.add(event)
    seen = observed.read(tmp_path / "run" / OBSERVED)
    rows = np.concatenate([validation for _, validation in prepared.splits])
    if "group" in data:
        assert len(set(zip(seen.units.tolist(), (rows % 9).tolist(), strict=True))) == 9
        assert len(seen.units) == 2 * 60
    else:  # stretches of neighbours within a fold, about as many as there are rows in each
        for fold, (_, validation) in enumerate(prepared.splits):
            units = seen.units[seen.folds == fold]
            assert (np.diff(units) >= 0).all()
            assert np.bincount(units - units[0]).max() == int(len(validation) ** 0.5)
    assert judging.judge(experiment.terms, study, tmp_path / "run").correction.method == "bootstrap"
