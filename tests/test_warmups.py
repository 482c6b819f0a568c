"""Is warm-up needed? The winner with and without it on folds that chose neither; and the rates that either bears."""

import json

import numpy as np
import pytest
from scipy import stats

import lrtune
from lrtune.arrays import CONTROL
from lrtune.experiment import load_text
from lrtune.reporting.warmups import stable, warmup
from lrtune.run.bodies import AnchorScores, ControlledPair, WarmupPair, warmup_pair
from lrtune.run.journal import Journal, canonical
from lrtune.run.names import DATABASE
from lrtune.run.study import replay
from lrtune.space.trial import Trial, TrialState
from lrtune.trainers import population
from lrtune.trainers.contract import Work
from lrtune.trainers.preparation import prepare
from lrtune.training.registry import complete
from lrtune.tuning import core as tuning
from lrtune.tuning.confirming import fresh_setting
from lrtune.tuning.warmups import STEEPER, without_or_with
from lrtune.verdict.result import WarmupControl
from lrtune.verdict.warmups import stable_up_to, warmup_control

TEXT = """
data: {path: sklearn:iris, test_size: 0.2}
model: {hidden: [8]}
training: {epochs: 10, batch_size: 16}
search: {strategy: random, trials: 3, folds: 4, round: 3, metric: log_loss, warmup_control: true}
space:
  learning_rate: {low: 1e-2, high: 0.3, scale: log}
  optimizer: [adam]
  decay: [cosine]
  warmup: [0.1]
"""


def experiment(text=TEXT):
    return load_text(text, name="case")


def study_of(folder, chosen, workers=1):
    return replay(list(tuning.tune(chosen, prepare(chosen), folder, workers=workers)))


@pytest.mark.parametrize(("share", "others", "rates"), [(0.2, 0.0, (1, 1 / 2, 1 / 3)), (0.0, 0.1, (1, 2, 3))])
def test_the_counterpart_differs_in_warm_up_and_rate_alone(share, others, rates):
    winner = complete({"learning_rate": 0.3, "optimizer": "momentum", "decay": "step", "warmup": share, "epochs": 9})
    found = without_or_with(winner)
    assert [each["learning_rate"] for each in found] == pytest.approx([0.3 * each for each in rates])
    for each in found:
        assert {**each, "warmup": share, "learning_rate": 0.3} == winner
        assert each["warmup"] == others


def test_both_are_trained_on_the_same_fresh_folds_and_on_steeper_rates(tmp_path):
    chosen = experiment()
    prepared, study = prepare(chosen), study_of(tmp_path, chosen)
    winner = chosen.configuration(study.trials[study.refit.trial].configuration)
    found = study.warmed[study.refit.trial]
    others = without_or_with(winner)
    fresh = fresh_setting(chosen, prepared, CONTROL, folds=3)
    own, other = population.run_block(fresh, Work([winner, others[found.pair.chosen]]))
    assert (found.pair.winner, found.pair.other) == (own.scores, other.scores)
    assert found.rates == tuple(winner["learning_rate"] * each for each in STEEPER)
    for one, scores in zip((winner, others[0]), found.scores, strict=True):
        steeper = [complete({**one, "learning_rate": each}) for each in found.rates]
        assert [each.scores for each in population.run_block(prepared.setting, Work(steeper))] == list(scores)
    assert study.trials[study.refit.trial].fold_scores == found.scores[0][0]


def test_workers_change_nothing_and_the_same_command_adds_it_to_a_finished_study(tmp_path):
    def kept(folder):
        with Journal(folder / DATABASE) as journal:
            return canonical(each for each in journal.events() if each.kind != "finished")

    study_of(tmp_path / "1", experiment())
    study_of(tmp_path / "2", experiment(), workers=2)
    assert kept(tmp_path / "1") == kept(tmp_path / "2")
    without = experiment(TEXT.replace(", warmup_control: true", ""))
    assert study_of(tmp_path / "3", without).warmed == {}
    later = study_of(tmp_path / "3", experiment())
    assert kept(tmp_path / "3") == kept(tmp_path / "1")
    assert len(later.trials) == 3


def test_it_is_on_the_page_in_the_result_and_in_the_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.yaml").write_text(TEXT)
    result = lrtune.search("file.yaml", output=tmp_path / "run")
    found = result.warmup
    assert (found.warmup, found.counterpart) == (0.1, 0.0)
    assert found.steeper[0] == result.best.configuration["learning_rate"]
    written = json.loads((tmp_path / "run" / "result.json").read_text())["warmup"]
    assert written["gain"] == found.gain
    assert written["stable_without"] == found.stable_without
    page = (tmp_path / "run" / "report.html").read_text() if (tmp_path / "run" / "report.html").exists() else None
    shown = result.plot("warmup")
    assert shown.sentence.startswith("Warm-up: ")
    assert page is None or "Is warm-up needed?" in page


def trial(scores):
    return Trial(0, {"learning_rate": 0.1}, TrialState.COMPLETE, fold_scores=tuple(scores))


def pair_of(winner, other, inside):
    return ControlledPair("cosine", (0.1, 0.05), (tuple(inside), tuple(inside)), 0, tuple(winner), tuple(other))


@pytest.mark.parametrize("own", [0.1, 0.0])
def test_the_gain_is_what_warm_up_gains_whoever_won_with_the_pooled_error_of_all_folds(own):
    winner, other = [-0.30, -0.20, -0.25], [-0.35, -0.22, -0.36]
    searched, inside = [-0.3, -0.2, -0.4, -0.3], [-0.31, -0.25, -0.41, -0.38]
    told = WarmupPair(0.0 if own else 0.1, pair_of(winner, other, inside), (), ())
    found = warmup_control(told, trial(searched), own, {}, "log_loss")
    sign = 1.0 if own else -1.0
    fresh, old = (np.subtract(*each) for each in ((winner, other), (searched, inside)))
    error = np.sqrt((2 * fresh.var(ddof=1) + 3 * old.var(ddof=1)) / 5 / 3)
    assert found.gain == pytest.approx(sign * fresh.mean())
    half = stats.t.ppf(0.95, 5) * error
    assert (found.low, found.high) == pytest.approx((found.gain - half, found.gain + half))
    assert found.fold_scores == pytest.approx([0.30, 0.20, 0.25])  # in the metric's own sign


@pytest.mark.parametrize("own", [0.1, 0.0])
def test_a_rate_is_stable_where_most_of_the_lead_is_left_and_no_fold_diverges(own):
    anchors = {"majority": AnchorScores((0.5, 0.5), {}, None)}
    bears_more = ((0.9, 0.9), (0.9, 0.88), (0.9, 0.5))
    bears_less = ((0.9, 0.9), (0.9, None), (0.9, 0.9))
    told = WarmupPair(
        0.0 if own else 0.1, pair_of([0.9] * 2, [0.9] * 2, [0.9] * 2), (1.0, 2.0, 4.0), (bears_more, bears_less)
    )
    found = warmup_control(told, trial([0.9, 0.9]), own, anchors, "accuracy")
    assert (found.stable_with, found.stable_without) == ((2.0, 1.0) if own else (1.0, 2.0))
    assert stable_up_to((1.0,), ((None, 0.9),), None) is None


def test_an_event_is_read_as_it_was_written():
    told = WarmupPair(0.1, pair_of([0.9, None], [0.8, 0.7], [0.9, 0.9]), (1.0, 2.0), (((0.9, 0.9), (0.9, None)),) * 2)
    assert warmup_pair(json.loads(json.dumps(told.body(3)))) == told


def control(**other):
    usual = {
        "number": 4,
        "warmup": 0.1,
        "counterpart": 0.0,
        "learning_rate": 0.01,
        "rates": (),
        "fresh": True,
        "fold_scores": (0.9, 0.9, 0.9),
        "counterpart_scores": (0.8, 0.8, 0.8),
        "gain": 0.1,
        "error": 0.01,
        "low": 0.05,
        "high": 0.15,
        "steeper": (0.01, 0.02, 0.04),
        "stable_with": 0.04,
        "stable_without": 0.01,
    }
    return WarmupControl(**{**usual, **other})


def test_sentences():
    assert warmup(None) == ""
    assert warmup(control()) == (
        "helps: a warm-up of 10 % is 0.1 better than none at a rate of 0.01, all else equal, on 3 fresh folds. Training"
        " with it is stable up to a rate of 0.04, the highest that was tried, without it up to a rate of 0.01."
    )
    assert warmup(control(low=-0.05)).startswith(
        "no clear difference: a warm-up of 10 % is 0.1 better than none, and up to 0.1 "
    )
    assert warmup(control(gain=-0.1, low=-0.2, high=-0.05)).startswith("hurts: ")
    assert warmup(control(gain=None, low=None, high=None)).startswith("not known: ")
    assert stable(control(stable_with=None, stable_without=None)).endswith("neither is stable at a rate of 0.01.")
    assert stable(control(stable_with=0.04, stable_without=0.04)) == (
        "Both train stably at rates up to 0.04, the highest that was tried."
    )
    turned = warmup(control(warmup=0.0, counterpart=0.1, learning_rate=0.02))
    assert "a warm-up of 10 % to a rate of 0.02 is 0.1 better than none, all else equal" in turned
