"""The controlled pair: all but the decay equal, on folds that chose neither; and nothing else changes by it."""

import csv
import json
import math

import numpy as np
import polars as pl
import pytest
from scipy import stats

import lrtune
from lrtune.arrays import CONTROL
from lrtune.experiment import load_text
from lrtune.run.bodies import ControlledPair
from lrtune.run.journal import Journal, canonical
from lrtune.run.names import DATABASE
from lrtune.run.study import CONTROLLED, replay
from lrtune.space.trial import Trial, TrialState
from lrtune.trainers import population
from lrtune.trainers.contract import Work
from lrtune.trainers.preparation import prepare
from lrtune.training.registry import DECAYS, complete
from lrtune.tuning import controlled as pairing
from lrtune.tuning import core as tuning
from lrtune.tuning.confirming import fresh_setting
from lrtune.tuning.naming import run_folder
from lrtune.tuning.remarks import notes
from lrtune.verdict.controlled import control
from lrtune.verdict.making import result_of

TEXT = """
data: {path: sklearn:iris, test_size: 0.2}
model: {hidden: [8]}
training: {epochs: 4, batch_size: 16}
search: {strategy: random, trials: 4, folds: 4, round: 4, metric: log_loss}
space:
  learning_rate: {low: 1e-2, high: 0.3, scale: log}
  optimizer: [sgd, adam, momentum: {momentum: [0.8, 0.9]}]
  decay: [cosine: {final: [0.0, 0.1]}]
"""
CONSTANT = TEXT.replace("decay: [cosine: {final: [0.0, 0.1]}]", "decay: constant")
DIABETES = TEXT.replace("sklearn:iris", "sklearn:diabetes").replace("log_loss", "rmse")


def experiment(text=TEXT, **more):
    for key, value in more.items():
        text = text.replace("round: 4", f"round: 4, {key}: {value}")
    return load_text(text, name="case")


def events_of(folder, chosen, workers=1):
    return list(tuning.tune(chosen, prepare(chosen), folder, workers=workers))


def study_of(folder, chosen, workers=1):
    return replay(events_of(folder, chosen, workers))


def recorded(folder):
    with Journal(folder / DATABASE) as journal:
        return journal.events()


def kept(folder):
    return canonical(recorded(folder))


# --- which two


@pytest.mark.parametrize("decay", [each for each in DECAYS if each != "constant"])
def test_counterparts_keep_everything_but_decay_and_rate(decay):
    winner = complete(
        {
            "learning_rate": 0.3,
            "optimizer": "momentum",
            "optimizer.momentum": 0.8,
            "decay": decay,
            "warmup": 0.1,
            "weight_decay": 1e-3,
            "hidden": (7, 5),
            "batch_size": 8,
            "epochs": 9,
            "dropout": 0.2,
        }
    )
    others = pairing.counterparts(winner)
    assert [each["learning_rate"] for each in others] == pytest.approx([0.3, 0.15, 0.1])
    gone = {key for key in winner if key == "decay" or key.startswith("decay.")}
    for each in others:
        assert each["decay"] == "constant"
        assert not [key for key in each if key.startswith("decay.")]
        for key in winner.keys() - gone - {"learning_rate"}:
            assert each[key] == winner[key], key


def test_of_a_constant_rate_the_counterpart_is_linear_with_larger_rates():
    winner = complete({"learning_rate": 0.1, "optimizer": "adam", "decay": "constant", "warmup": 0.1})
    others = pairing.counterparts(winner)
    assert [each["learning_rate"] for each in others] == pytest.approx([0.1, 0.2, 0.3])
    for each in others:
        assert {**each, "learning_rate": 0.1} == complete({**winner, "decay": "linear"})
        assert each["decay.final"] == 0


# --- how it is trained


def test_with_the_folds_and_the_seed_of_the_search_the_winner_has_its_own_scores(tmp_path, monkeypatch):
    """So nothing but splits and seed differs from what was searched."""
    monkeypatch.setattr(pairing, "fresh_setting", lambda _experiment, prepared, *_, **__: prepared.setting)
    study = study_of(tmp_path, experiment())
    (pair,) = study.controlled.values()
    assert pair.winner == study.trials[study.refit.trial].fold_scores
    assert pair.other == pair.scores[pair.chosen]


def test_the_folds_are_not_those_of_the_search_and_both_are_trained_with_the_same_seed(tmp_path):
    chosen = experiment()
    prepared, study = prepare(chosen), study_of(tmp_path, chosen)
    fresh, confirming = fresh_setting(chosen, prepared, CONTROL, folds=3), fresh_setting(chosen, prepared)
    parts = [
        {tuple(sorted(map(tuple, fold.validation_features.tolist()))) for fold in each.folds}
        for each in (fresh, confirming, prepared.setting)
    ]
    assert [len(each) for each in parts] == [3, 4, 4]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert len({fresh.seed, confirming.seed, prepared.setting.seed}) == 3
    winner = chosen.configuration(study.trials[study.refit.trial].configuration)
    others = pairing.counterparts(winner)
    pair = study.controlled[study.refit.trial]
    on_search = [each.scores for each in population.run_block(prepared.setting, Work(others))]
    assert list(pair.scores) == on_search
    assert pair.chosen == int(np.argmax([np.mean(each) for each in on_search]))
    assert pair.rates == tuple(each["learning_rate"] for each in others)
    own, other = population.run_block(fresh, Work([winner, others[pair.chosen]]))
    assert (pair.winner, pair.other) == (own.scores, other.scores)


@pytest.mark.parametrize("text", [TEXT, CONSTANT], ids=["decay", "constant"])
def test_workers_change_nothing(text, tmp_path):
    chosen = experiment(text)
    for workers in (1, 2):
        events_of(tmp_path / str(workers), chosen, workers)
    assert kept(tmp_path / "1") == kept(tmp_path / "2")
    assert [event.kind for event in recorded(tmp_path / "1")].count("controlled") == 1


@pytest.mark.parametrize("before", ["anchors", "controlled", "finished"])
def test_a_kill_costs_nothing(before, tmp_path, monkeypatch):
    chosen = experiment()
    events_of(tmp_path / "undisturbed", chosen)
    append = Journal.append

    def crash(journal, events):
        if any(event.kind == before for event in events):
            raise KeyboardInterrupt
        return append(journal, events)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", crash)
        with pytest.raises(KeyboardInterrupt):
            events_of(tmp_path / "killed", chosen)
    assert before not in [event.kind for event in recorded(tmp_path / "killed")]
    events_of(tmp_path / "killed", chosen)
    assert kept(tmp_path / "killed") == kept(tmp_path / "undisturbed")


def test_without_it_the_study_is_the_same_but_for_it_and_asking_for_it_goes_on(tmp_path, monkeypatch):
    without, with_it = experiment(control="false"), experiment()
    assert run_folder(without, prepare(without)) == run_folder(with_it, prepare(with_it))
    before = study_of(tmp_path / "run", without)
    assert before.controlled == {}
    events = events_of(tmp_path / "run", with_it)
    expected = events_of(tmp_path / "other", with_it)
    (one,), (other,) = ([e.body for e in each if e.kind == CONTROLLED] for each in (events, expected))
    assert {**one, "clock": 0} == {**other, "clock": 0}
    assert replay(events).in_order() == replay(expected).in_order() == before.in_order()
    monkeypatch.setattr(pairing, "scores_of", None)
    assert study_of(tmp_path / "run", without).controlled == replay(expected).controlled  # what is there stays


def test_another_winner_of_a_finished_study_gets_a_pair_of_its_own(tmp_path):
    text = TEXT.replace("trials: 4", "trials: 8")
    first = study_of(tmp_path, experiment(text))
    second = study_of(tmp_path, experiment(text, select="within 60%"))
    winners = [first.refit.trial, second.refit.trial]
    assert winners[0] != winners[1]
    assert list(second.controlled) == winners
    assert second.controlled[winners[0]] == first.controlled[winners[0]]
    assert result_of(second, experiment(text).configuration).control.number == winners[1]
    count = len(recorded(tmp_path))
    assert study_of(tmp_path, experiment(text)).refit.trial == winners[0]
    assert [event.kind for event in recorded(tmp_path)][count:] == ["refit"]  # its pair is known


def test_without_time_it_is_left_out_and_comes_when_there_is_more(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(pairing, "controlled_seconds", lambda *_: 1e9)
        study = study_of(tmp_path, experiment(timeout=600))
    assert (study.finished, study.controlled) == ("trials", {})
    assert study.anchors
    short = experiment(timeout=600)
    result = result_of(study, short.configuration)
    assert result.control is None
    assert "there was no time to compare the best with the same training with another decay" in notes(
        result, study, short, prepare(short), None
    )
    assert len(study_of(tmp_path, experiment()).controlled) == 1


def test_time_that_is_over_in_the_middle_leaves_nothing_behind(tmp_path, monkeypatch):
    run = pairing.scores_of
    monkeypatch.setattr(pairing, "scores_of", lambda *given, **more: run(*given, **more) and None)
    assert study_of(tmp_path, experiment()).controlled == {}


# --- winners of every kind


def test_a_counterpart_that_diverges_at_every_rate_is_told_and_not_trained_again(tmp_path, monkeypatch):
    chosen = experiment(DIABETES)
    usual = pairing.counterparts
    with monkeypatch.context() as patch:
        patch.setattr(pairing, "counterparts", lambda _: [{**each, "learning_rate": 1e30} for each in usual(_)])
        study = study_of(tmp_path, chosen)
    (pair,) = study.controlled.values()
    assert (pair.chosen, set(pair.other), {len(each) for each in pair.scores}) == (0, {None}, {4})
    found = result_of(study, chosen.configuration).control
    assert (found.gain, found.error, found.low, found.high) == (None,) * 4
    assert found.counterpart_scores == (None,) * 3
    assert [each.mean for each in found.rates] == [None] * 3
    monkeypatch.setattr(pairing, "scores_of", None)
    assert study_of(tmp_path, chosen).controlled == study.controlled


@pytest.mark.parametrize(
    "decay",
    [
        "[plateau: {factor: [0.1, 0.5], patience: [0, 1]}]",
        "[wall_clock: {budget: [0.001, 0.01], shape: [linear, cosine]}]",
        "[wall_clock: {step_seconds: 5e-4, budget: [0.001, 0.01], shape: linear}]",
    ],
    ids=["plateau", "measured clock", "fixed clock"],
)
def test_decays_that_follow_the_training_have_a_pair(decay, tmp_path, monkeypatch):
    monkeypatch.setattr(tuning, "measured_step_seconds", lambda *_: 5e-4)
    text = DIABETES[: DIABETES.index("  decay:")] + f"  decay: {decay}\n"
    chosen = experiment(text)
    study, prepared = study_of(tmp_path, chosen), prepare(chosen)
    winner = study.trials[study.refit.trial]
    pair = study.controlled[winner.number]
    assert None not in (*pair.winner, *pair.other)
    known = {"decay.step_seconds": 5e-4} if "wall_clock" in decay else {}
    own = {**chosen.configuration(winner.configuration), **known}
    (outcome,) = population.run_block(fresh_setting(chosen, prepared, CONTROL, folds=3), Work([own]))
    assert outcome.scores == pair.winner
    assert result_of(study, chosen.configuration).control.decay == winner.configuration["decay"]


def table(folder, rows=80):
    rng = np.random.default_rng(0)
    x = rng.normal(size=rows)
    y = np.where(x + rng.normal(size=rows) > 0, "yes", "no")
    frame = pl.DataFrame({"x": x, "g": [f"g{each % 9}" for each in range(rows)], "day": np.arange(rows), "y": y})
    frame.write_csv(folder / "table.csv")


@pytest.mark.parametrize("more", ["order: day, ignore: g", "group: g, ignore: day"], ids=["time", "groups"])
def test_rows_in_time_and_in_groups_have_a_pair(more, tmp_path):
    table(tmp_path)
    text = TEXT.replace("path: sklearn:iris", f"path: table.csv, target: y, {more}")
    chosen = load_text(text, name="case", base=tmp_path)
    study = study_of(tmp_path / "run", chosen)
    (pair,) = study.controlled.values()
    assert (len(pair.winner), len(pair.other), len(pair.scores)) == (3, 3, 3)
    winner = study.trials[study.refit.trial]
    assert pair.winner not in (winner.fold_scores[:3], winner.fold_scores[-3:])
    assert pair.fresh == more.startswith("group")


def test_fewer_folds_than_are_fresh(tmp_path):
    chosen = experiment(TEXT.replace("folds: 4", "folds: 2"))
    study = study_of(tmp_path, chosen)
    (pair,) = study.controlled.values()
    assert len(pair.winner) == 2
    assert result_of(study, chosen.configuration).control.error > 0


# --- the verdict


def trial(scores, number=7):
    return Trial(number, {"decay": "cosine"}, TrialState.COMPLETE, tuple(scores))


PAIR = ControlledPair(
    "constant", (0.3, 0.1), ((0.5, 0.5, 0.5, 0.5), (0.80, 0.82, 0.79, 0.85)), 1, (0.9, 0.8, 0.85), (0.85, 0.8, 0.81)
)
WINNER = trial([0.83, 0.84, 0.85, 0.86])


def by_hand(inside, fresh):
    """Mean, error and interval of the fresh differences, with the variance pooled over both."""
    freedom = len(inside) + len(fresh) - 2
    squares = np.var(inside) * len(inside) + np.var(fresh) * len(fresh)
    error = math.sqrt(squares / freedom / len(fresh))
    mean = np.mean(fresh)
    return mean, error, *(mean + side * stats.t.ppf(0.95, freedom) * error for side in (-1, 1))


def numbers(found):
    return found.gain, found.error, found.low, found.high


def test_the_gain_is_that_of_the_fresh_folds_and_its_error_that_of_all():
    found = control(PAIR, WINNER, "cosine", "accuracy")
    inside, fresh = [0.03, 0.02, 0.06, 0.01], [0.05, 0.0, 0.04]
    assert numbers(found) == pytest.approx(by_hand(inside, fresh), rel=1e-6)
    # worked out: the mean is 0.03; squares 0.0014 around 0.03 and 0.0014 around 0.03; 5 degrees; t is 2.015
    assert found.gain == pytest.approx(0.03)
    assert found.error == pytest.approx(math.sqrt(0.0028 / 5 / 3))
    assert found.high - found.gain == pytest.approx(2.015048 * found.error, rel=1e-5)
    assert (found.number, found.decay, found.counterpart, found.learning_rate) == (7, "cosine", "constant", 0.1)
    assert [(each.learning_rate, each.mean) for each in found.rates] == [(0.3, 0.5), (0.1, pytest.approx(0.815))]
    assert (found.fold_scores, found.counterpart_scores) == (PAIR.winner, PAIR.other)
    assert control(None, WINNER, "cosine", "accuracy") is None


def test_of_errors_and_of_a_constant_winner_the_gain_is_still_that_of_decay():
    as_scores = control(PAIR, WINNER, "cosine", "accuracy")
    turned = control(PAIR, WINNER, "cosine", "rmse")
    assert numbers(turned) == numbers(as_scores)  # recorded scores are oriented
    assert turned.fold_scores == tuple(-each for each in PAIR.winner)
    assert turned.rates[0].mean == -0.5
    linear = PAIR._replace(decay="linear")
    found = control(linear, WINNER, "constant", "accuracy")
    assert (found.decay, found.counterpart) == ("linear", "linear")
    assert found.gain == pytest.approx(-as_scores.gain)
    assert (found.low, found.high) == (pytest.approx(-as_scores.high), pytest.approx(-as_scores.low))


def test_where_one_diverged_there_is_no_gain_and_inside_only_an_error_of_fewer_folds():
    for lost in (PAIR._replace(winner=(0.9, None, 0.85)), PAIR._replace(other=(None, None, None))):
        assert numbers(control(lost, WINNER, "cosine", "accuracy")) == (None,) * 4
    lost = PAIR._replace(scores=((None,) * 4, (0.8, None, 0.8, 0.8)))
    found = control(lost, WINNER, "cosine", "accuracy")
    fresh = np.array([0.05, 0.0, 0.04])
    error = fresh.std(ddof=1) / math.sqrt(3)
    low, high = stats.t.interval(0.9, 2, loc=fresh.mean(), scale=error)
    assert numbers(found) == pytest.approx((fresh.mean(), error, low, high), rel=1e-6)
    assert [each.mean for each in found.rates] == [None, None]


def test_one_fresh_fold_has_the_error_of_the_others_and_two_single_ones_none():
    single = PAIR._replace(winner=(0.9,), other=(0.85,))
    found = control(single, WINNER, "cosine", "accuracy")
    assert found.error == pytest.approx(np.std([0.03, 0.02, 0.06, 0.01], ddof=1))
    alone = single._replace(scores=((0.5,), (0.8,)))
    assert numbers(control(alone, trial([0.83]), "cosine", "accuracy")) == (pytest.approx(0.05), None, None, None)


@pytest.mark.parametrize("gap", [0.0, 0.1], ids=["same predictions", "same difference"])
def test_differences_that_are_all_the_same_have_no_interval(gap):
    """An interval without width would say that nothing else is possible."""
    inside, fresh = (0.5, 0.6, 0.7, 0.8), (0.7, 0.8, 0.9)
    same = PAIR._replace(
        scores=((0.1,) * 4, tuple(each - gap for each in inside)),
        winner=fresh,
        other=tuple(each - gap for each in fresh),
    )
    found = control(same, trial(inside), "cosine", "accuracy")
    assert numbers(found) == (pytest.approx(gap), None, None, None)
    unlike = same._replace(scores=((0.1,) * 4, (0.5, 0.6, 0.7, 0.7)))  # the others say how sure it is
    assert control(unlike, trial(inside), "cosine", "accuracy").error > 0.0


# --- what it must not change


def test_a_pair_that_is_not_wanted_is_not_shown_though_it_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(TEXT)
    (tmp_path / "b.yaml").write_text(TEXT.replace("round: 4", "round: 4, control: false"))
    shown = [lrtune.search(tmp_path / name, output=tmp_path / "run").control for name in ("a.yaml", "b.yaml", "a.yaml")]
    assert shown[0] is not None
    assert shown == [shown[0], None, shown[0]]


def test_nothing_else_changes_by_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = TEXT.replace("metric: log_loss", "metric: accuracy")
    found = {}
    for name in ("true", "false"):
        (tmp_path / f"{name}.yaml").write_text(text.replace("round: 4", f"round: 4, control: {name}"))
        found[name] = lrtune.search(tmp_path / f"{name}.yaml", output=tmp_path / name).to_json()
    assert (found["true"]["control"] is None, found["false"]["control"] is None) == (False, True)
    assert (tmp_path / "true/trials.csv").read_bytes() == (tmp_path / "false/trials.csv").read_bytes()
    ignored = {"name", "control", "seconds", "trained"}
    assert {key: each for key, each in found["true"].items() if key not in ignored} == {
        key: each for key, each in found["false"].items() if key not in ignored
    }
    assert found["true"]["trials"]["total"] == 4
    with (tmp_path / "true/trials.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 4
    assert json.loads((tmp_path / "true/result.json").read_text())["control"] == found["true"]["control"]
