"""Night after night: champion first, drift, gain and promotion, and a folder of champions that survives every crash."""

import json
from dataclasses import astuple

import numpy as np
import pytest
from scipy import stats

import lrtune
from lrtune.data.memory import table_in_memory
from lrtune.experiment import load_text
from lrtune.nights import folder as champions
from lrtune.nights import history as histories
from lrtune.nights.history import UNTRIED
from lrtune.reporting.night_words import night_words
from lrtune.run import observed, out_of_fold
from lrtune.run.folder import open_run
from lrtune.run.lock import Lock
from lrtune.run.names import OBSERVED, PREDICTIONS, TAKEN
from lrtune.run.taken import Champion, TakenOver
from lrtune.space.trial import Trial, TrialState
from lrtune.text.errors import StudyError
from lrtune.trainers.preparation import prepare
from lrtune.tuning import core as tuning
from lrtune.tuning.drifting import rows_of
from lrtune.tuning.pace import Pace
from lrtune.verdict.comparison import Gain
from lrtune.verdict.conditions import State
from lrtune.verdict.contest import KEPT, PROMOTED, SAME, WITHOUT_SCORE, champion_trials, contested
from lrtune.verdict.correction import Correction
from lrtune.verdict.ensembles import Delivery
from lrtune.verdict.judging import judge
from lrtune.verdict.night_gates import night_gate, read_condition
from lrtune.verdict.reading import from_json

TEXT = """
data: {path: sklearn:breast_cancer, test_size: 0.2}
model: {hidden: [8]}
training: {epochs: 5, batch_size: 32}
search: {strategy: random, trials: 8, folds: 4, round: 4, metric: METRIC, control: false}
retrain: {ensemble: ENSEMBLE, promote_if: LEAST}
space:
  learning_rate: {low: 1e-4, high: 0.3, scale: log}
  optimizer: [sgd, adam]
"""


def experiment(metric="accuracy", ensemble="1", least="0.0", pruning="none", repeats=1):
    text = TEXT.replace("METRIC", metric).replace("ENSEMBLE", ensemble).replace("LEAST", least)
    return load_text(text.replace("round: 4", f"round: 4, pruning: {pruning}, repeats: {repeats}"), name="case")


def night(folder, *configurations, **more):
    chosen = experiment(**more)
    taken = TakenOver((Champion("old", tuple(configurations)),))
    for _ in tuning.tune(chosen, prepare(chosen), folder, workers=1, taken=taken):
        pass
    return chosen, open_run(folder).study


GOOD = {"learning_rate": 0.02, "optimizer": "adam"}
POOR = {"learning_rate": 1.01e-4, "optimizer": "sgd"}
WILD = {"learning_rate": 0.3, "optimizer": "sgd"}


def test_a_champion_that_is_beaten_for_sure_loses_its_place(tmp_path):
    chosen, study = night(tmp_path, POOR)
    found = judge(chosen.terms, study, tmp_path)
    assert champion_trials(study) == (1,)
    assert found.contest.outcome == PROMOTED
    assert found.contest.gain.low > 0
    assert found.choice.trial.number == study.refit.trial != 1
    naive = study.trials[found.choice.trial.number].mean - study.trials[1].mean
    assert 0 < found.contest.gain.mean < naive + 0.02


def test_one_that_is_not_stays_and_is_trained_anew(tmp_path):
    chosen, study = night(tmp_path, GOOD, least="0.5")
    found = judge(chosen.terms, study, tmp_path)
    assert found.contest.outcome in (KEPT, SAME)
    assert found.choice.trial.number == study.refit.trial == 1
    assert found.delivery.scores == study.trials[1].fold_scores
    assert found.correction.score == pytest.approx(study.trials[1].mean, abs=1e-9)
    assert found.correction.optimism == pytest.approx(0.0, abs=1e-9)
    assert found.correction.low < found.correction.score < found.correction.high


def test_the_gain_over_a_champion_that_is_the_default_is_the_gain_over_the_default(tmp_path):
    """Two roads to one number: the default as a column of the choice, and the champion as fixed predictions."""
    chosen = experiment(metric="log_loss")
    chosen, study = night(tmp_path, chosen.space.default(), metric="log_loss", least="-9.0")
    found = judge(chosen.terms, study, tmp_path)
    assert champion_trials(study) == (0,)
    assert found.contest.outcome == PROMOTED
    assert astuple(found.correction.over_champion) == pytest.approx(astuple(found.correction.gain), abs=1e-6)
    assert found.contest.gain.mean == found.correction.over_champion.mean


@pytest.mark.parametrize(
    ("gaps", "is_promoted"), [((0.02, 0.02, 0.02, 0.02), True), ((0.08, -0.04, 0.06, -0.02), False)]
)
def test_a_gain_on_which_the_folds_do_not_agree_is_no_promotion(gaps, is_promoted):
    """The rows say the same in both cases; the interval by the formulas of the module, with SciPy's quantiles."""
    by_rows = Gain(0.02, 0.01, 0.032, 0.999)
    champion = Delivery((1,), (0.8, 0.7, 0.9, 0.8))
    challenger = Delivery((5,), tuple(score + gap for score, gap in zip(champion.scores, gaps, strict=True)))
    correction = Correction("bootstrap", 0.83, 0.01, 0.82, 0.8, 0.84, over_champion=by_rows)
    found = contested(
        champion, [Trial(1, {})], challenger, standing=None, correction=correction, rows_ratio=1 / 3, least=0.0
    )
    assert found.outcome == (PROMOTED if is_promoted else KEPT)
    said = (0.032 - 0.01) / 2 / stats.norm.ppf(0.975)
    ratio = max(1.0, (12 * 2.0 + 3 * np.var(gaps, ddof=1) / 4 / said**2) / 15)
    factor = np.sqrt(ratio) * stats.t.ppf(0.975, 15) / stats.norm.ppf(0.975)
    ends = 0.02 - factor * 0.01, 0.02 + factor * 0.012
    probability = stats.t.cdf(0.02 / said / np.sqrt(ratio), 15)
    assert astuple(found.gain) == pytest.approx((0.02, *ends, probability), rel=1e-6)


def test_a_mean_is_a_champion_and_what_it_scores_is_the_mean_of_its_probabilities(tmp_path):
    other = {"learning_rate": 0.03, "optimizer": "adam"}
    chosen, study = night(tmp_path, GOOD, other, metric="log_loss", least="0.5")
    found = judge(chosen.terms, study, tmp_path)
    assert champion_trials(study) == (1, 2)
    seen, layout = observed.read(tmp_path / OBSERVED), study.header.predictions
    truth = np.exp(-np.stack([out_of_fold.read(tmp_path / PREDICTIONS, each, layout.like) for each in (1, 2)]))
    scores = [np.log(truth.mean(axis=0)[seen.folds == fold]).mean() for fold in range(4)]
    assert found.contest.is_kept
    assert sorted(found.delivery.numbers) == [1, 2]
    assert found.delivery.scores == pytest.approx(scores, rel=1e-5)
    assert sorted(study.refit.made_of.trials) == [1, 2]


@pytest.mark.parametrize("pruning", ["race", "futility", "halving"])
def test_no_pruning_ends_a_champion(tmp_path, pruning):
    _, study = night(tmp_path, POOR, pruning=pruning)
    assert study.trials[1].mean is not None
    assert len(study.trials[1].fold_scores) == 4


def test_what_single_rows_add_is_the_score_and_marks_are_of_the_rows(tmp_path):
    chosen, study = night(tmp_path, GOOD)
    prepared = prepare(chosen)
    found = rows_of(study, prepared, tmp_path, (1,))
    assert found.values.mean() == pytest.approx(
        sum(score * len(rows) for score, (_, rows) in zip(study.trials[1].fold_scores, prepared.splits, strict=True))
        / prepared.rows
    )
    assert len(found.marks) == prepared.rows
    assert set(found.marks.tolist()) <= set(prepared.marks.tolist())
    assert len(np.unique(prepared.marks)) == 569
    for fold, (_, rows) in enumerate(prepared.splits):
        assert sorted(found.marks[found.folds[:, 0] == fold].tolist()) == sorted(prepared.marks[rows].tolist())


def test_a_row_is_in_a_fold_of_each_repeat_and_has_one_value(tmp_path):
    chosen, study = night(tmp_path, GOOD, repeats=2)
    prepared = prepare(chosen)
    found = rows_of(study, prepared, tmp_path, (1,))
    assert found.folds.shape == (prepared.rows, 2)
    places = {mark: place for place, mark in enumerate(found.marks.tolist())}
    for fold, (_, rows) in enumerate(prepared.splits):
        at = [places[mark] for mark in prepared.marks[rows].tolist()]
        assert set(found.folds[at, fold // 4].tolist()) == {fold}
    assert found.values.mean() == pytest.approx(
        np.average(study.trials[1].fold_scores, weights=[len(rows) for _, rows in prepared.splits])
    )


def test_the_marks_of_rows_stay_when_the_table_grows_or_is_turned_round():
    rng = np.random.default_rng(2)
    x, level = rng.normal(size=200), np.array(["a", "b", "c", "d"])[rng.integers(4, size=200)]
    y = np.where(rng.random(200) < 0.5, "no", "yes")

    def marks(order):
        table = table_in_memory({"x": x[order], "level": level[order], "y": y[order]}, X=None, y=None)
        text = "data: {path: t.csv, target: y}\nsearch: {trials: 1}\nspace: {learning_rate: [0.1]}"
        return prepare(load_text(text), table=table).marks

    whole = marks(np.arange(200))
    assert marks(np.arange(120)).tolist() == whole[:120].tolist()
    assert marks(np.arange(200)[::-1]).tolist() == whole[::-1].tolist()
    assert len(set(whole.tolist())) == 200


TABLE = np.random.default_rng(6).normal(size=(400, 3))
TRUTH = np.where(TABLE @ [1.0, 0.7, 0.0] + 0.5 * np.random.default_rng(7).normal(size=400) > 0, "yes", "no")
SETTINGS = {
    "space": {"learning_rate": {"low": 1e-3, "high": 0.3, "scale": "log"}},
    "metric": "accuracy",
    "folds": 3,
    "workers": 1,
    "report": False,
    "overrides": ("training.epochs=4", "training.batch_size=32", "model.hidden=[4]", "search.control=false"),
}


def one_night(rows, trials=5, **more):
    table = {"a": TABLE[:rows, 0], "b": TABLE[:rows, 1], "c": TABLE[:rows, 2], "y": TRUTH[:rows]}
    return lrtune.search(data=table, target="y", trials=trials, nights="champions", **{**SETTINGS, **more})


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "champions"


def test_three_nights(here):
    results = [one_night(rows) for rows in (200, 260, 320)]
    first, second, third = (each.nightly for each in results)
    assert (first.outcome, first.promoted, first.drift, first.night) == ("first", True, None, 1)
    assert second.drift.rows > 100
    assert 0 < second.drift.correlation < 1
    assert second.before.elected
    assert second.before.score == results[0].expected.score
    assert second.drift.mean == pytest.approx(second.standing.score - second.before.score)
    assert third.chart is not None
    assert [each.drift.freedom for each in (second, third)] == [SETTINGS["folds"] - 1] * 2
    for seen in ([second], [second, third]):
        said = [(each.drift.freedom, each.drift.luck) for each in seen]
        whole = 24.0 + sum(freedom * ratio for freedom, ratio in said)
        ratio = max(1.0, whole / (12 + sum(freedom for freedom, _ in said)))
        assert seen[-1].drift.widened == pytest.approx(np.sqrt(ratio))
    assert champions.nights(here) == [1, 2, 3]
    assert champions.current(here).night == 3
    lines = histories.read(here).nights
    assert [each.night for each in lines] == [1, 2, 3]
    assert [each.seed for each in lines] == [0, 1, 2]
    assert [each.trained for each in lines] == [5, 5, 5]
    assert champions.begun(here) is None
    for each in results:
        assert from_json(json.loads(json.dumps(each.to_json()))).nightly == each.nightly
    model = lrtune.load(here / "0003" / "model")
    assert set(model.predict(TABLE[:5])) <= {"yes", "no"}


def test_drift_of_a_smaller_is_better_metric_is_positive_where_tonight_is_better(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one_night(200, metric="log_loss")
    found = one_night(300, metric="log_loss").nightly
    assert found.drift.mean == pytest.approx(found.before.score - found.standing.score)


def test_the_same_table_trains_nothing_and_a_larger_budget_goes_on(here):
    one_night(200)
    again = one_night(200)
    assert (again.nightly.outcome, again.nightly.trained, again.nightly.promoted) == ("unchanged", 0, False)
    assert again.nightly.no_drift == "the table is that of night 1"
    assert champions.nights(here) == [1]
    longer = one_night(200, trials=8)
    assert longer.nightly.trained == 3
    assert [each.night for each in histories.read(here).nights] == [1, 2, 3]
    assert [each.seed for each in histories.read(here).nights] == [0, 0, 0]
    assert one_night(260).nightly.night == 4
    longer = one_night(260, trials=6)
    assert (longer.nightly.trained, longer.nightly.drift) == (1, None)
    gate = night_gate(longer.nightly, read_condition("drift < -0.02"))
    assert (gate.state, gate.sentence) == (State.PASSED, "there is no drift: the table is that of the night before")


def test_a_new_seed_searches_the_same_table_anew_and_that_is_no_drift(here):
    whole = {"overrides": (*SETTINGS["overrides"], "data.test_size=0")}
    one_night(200, **whole)
    other = one_night(200, seed=5, **whole)
    assert (other.nightly.trained, other.nightly.drift) == (5, None)
    assert other.nightly.no_drift == "the table is that of night 1"
    assert one_night(200, seed=5, **whole).nightly.outcome == "unchanged"
    assert one_night(200, seed=5, trials=7, **whole).nightly.trained == 2
    lines = histories.read(here).nights
    assert [(each.seed, each.repeats) for each in lines] == [(0, False), (6, True), (6, True), (6, True)]
    assert one_night(260, seed=5, **whole).nightly.drift is not None


def test_after_a_rollback_the_same_table_is_searched_anew_because_its_run_delivers_another(here):
    """Before, the history gave the score of the one that was rolled back to the champion."""
    least = {"overrides": (*SETTINGS["overrides"], "retrain.promote_if=-1.0")}
    one_night(200, trials=1, **least)
    assert one_night(260, **least).nightly.outcome == PROMOTED
    champions.name(here, champions.Current(1, 1))
    found = one_night(260, **least).nightly
    assert (found.night, found.trained) == (3, 5)
    assert found.outcome != "unchanged"
    assert histories.read(here).last.since == 1


@pytest.mark.parametrize("rows", [200, 260])
@pytest.mark.parametrize("step", ["publish", "append", "name", "end"])
def test_a_night_that_dies_between_two_steps_is_finished_by_the_same_command(here, monkeypatch, step, rows):
    if rows == 260:
        one_night(200)
    before = champions.nights(here)

    class Died(BaseException):
        """As a process does: nothing is cleaned up by those who catch errors."""

    def die(*_arguments, **_more):
        raise Died

    where = histories if step == "append" else champions
    monkeypatch.setattr(where, step, die)
    with pytest.raises(Died):
        one_night(rows)
    monkeypatch.undo()
    monkeypatch.chdir(here.parent)
    if before:
        assert champions.path_of(here, champions.current(here).night).is_dir()
    result = one_night(rows)
    number = len(before) + 1
    assert champions.nights(here) == [*before, number]
    assert [each.night for each in histories.read(here).nights] == list(range(1, number + 1))
    assert champions.current(here).night == number
    assert champions.begun(here) is None
    assert result.nightly.trained == 0


def test_a_night_that_died_at_its_last_step_counts_although_the_next_one_has_other_rows(here, monkeypatch):
    one_night(200, overrides=(*SETTINGS["overrides"], "retrain.promote_if=-9"))
    monkeypatch.setattr(champions, "name", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        one_night(260, overrides=(*SETTINGS["overrides"], "retrain.promote_if=-9"))
    monkeypatch.undo()
    monkeypatch.chdir(here.parent)
    assert champions.current(here).night == 1
    third = one_night(320)
    assert third.nightly.champion == str(champions.path_of(here.relative_to(here.parent), 2))


def test_two_nights_at_once_are_one_and_a_sentence(here):
    with Lock(here), pytest.raises(StudyError, match="another lrtune process works in this folder"):
        one_night(200)
    assert champions.nights(here) == []


def test_a_champion_of_another_space_is_said_and_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one_night(200)
    other = one_night(260, space={"learning_rate": {"low": 0.5, "high": 0.9, "scale": "log"}})
    assert other.nightly.outcome == "refused"
    assert other.nightly.promoted
    assert any("is not tried: this search's space does not have it: learning_rate" in each for each in other.notes)
    third = one_night(320, space={"learning_rate": {"low": 0.5, "high": 0.9, "scale": "log"}})
    assert third.nightly.drift is not None


def test_a_champion_without_a_score_is_replaced(tmp_path):
    chosen, study = night(tmp_path, {"learning_rate": 0.25, "optimizer": "sgd"})
    study.trials[1] = Trial(1, study.trials[1].configuration, champion=0, state=TrialState.FAILED)
    found = judge(chosen.terms, study, tmp_path)
    assert found.contest.outcome == WITHOUT_SCORE
    assert found.choice.trial.number != 1


def test_a_champion_that_the_time_was_too_short_for_stays_and_the_next_session_makes_up_for_it(here, monkeypatch):
    """Before, the default took its place, which nobody had compared with it."""
    limit = {"timeout": 3600}
    one_night(200, **limit)
    monkeypatch.setattr(Pace, "allows", lambda *_: False)
    short = one_night(260, **limit)
    assert (short.nightly.outcome, short.nightly.promoted, short.nightly.trained) == (UNTRIED, False, 1)
    assert night_words(short) == (
        "The time was over before the champion was trained; it stays, and the same command goes on."
    )
    assert champions.current(here) == champions.Current(1, 1)
    assert champions.nights(here) == [1]
    gates = [night_gate(short.nightly, read_condition(each)) for each in ("drift < 0", "promoted == 1")]
    assert [each.state for each in gates] == [State.UNKNOWN, State.PASSED]
    assert "the time was over before the champion was trained" in gates[0].sentence
    monkeypatch.undo()
    monkeypatch.chdir(here.parent)
    longer = one_night(260, **limit)
    assert longer.nightly.trained == 4
    assert longer.nightly.drift.mean == pytest.approx(longer.nightly.standing.score - longer.nightly.before.score)
    last = histories.read(here).last
    assert (last.night, last.since, last.repeats, last.seed) == (3, 1, False, 1)
    assert (last.level is None, champions.current(here).night) == (False, 3)
    assert one_night(260, trials=7, **limit).nightly.trained == 2
    assert histories.read(here).last.seed == 1


def test_where_time_is_short_the_champion_is_trained_right_after_the_default(here, monkeypatch):
    limit = {"timeout": 3600}
    one_night(200, **limit)
    answers = iter([True])
    monkeypatch.setattr(Pace, "allows", lambda *_: next(answers, False))
    short = one_night(260, **limit)
    assert short.nightly.standing is not None
    assert short.nightly.drift is not None
    assert champions.current(here).night == 2


def test_a_run_and_its_files_are_champions(tmp_path):
    settings = {key: each for key, each in SETTINGS.items() if key != "report"}
    table = {"a": TABLE[:200, 0], "b": TABLE[:200, 1], "y": TRUTH[:200]}
    first = lrtune.search(data=table, target="y", trials=4, output=tmp_path / "first", report=False, **settings)
    for name in ("", "result.json", "best.yaml"):
        folder = tmp_path / f"by-{name}"
        found = lrtune.search(
            data=table, target="y", trials=3, seed=5, output=folder, report=False,
            champions=[tmp_path / "first" / name], **settings,
        )  # fmt: skip
        (said,) = json.loads((folder / TAKEN).read_text())["champions"]
        assert said["configurations"] == [{"learning_rate": first.best.configuration["learning_rate"]}]
        assert (said["reference"] is None) is (name == "best.yaml")
        assert found.nightly.no_drift == (
            "an experiment file says no score" if name == "best.yaml" else "the table is that of the night before"
        )
        assert found.nightly.night is None


def test_the_report_of_a_night_has_the_nights_before_it(here):
    """What stands beside a run is the history as it was when the run's night was over."""
    runs = [one_night(rows, report=True).folder for rows in (200, 260)]
    whole = (here / "history.jsonl").read_text()
    assert [(each / "history.jsonl").read_text() for each in runs] == [whole.splitlines(keepends=True)[0], whole]
    pages = [(each / "report.html").read_text() for each in runs]
    assert all("Night after night" in each for each in pages)
    assert all("The champion was elected in night 1" in each for each in pages)
