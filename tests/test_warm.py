"""A warm start: what earlier studies know is copied, mapped, and no score of tonight; equal fits are taken over."""

import json
import shutil

import numpy as np
import pytest
from interruptions import interrupted_after

import lrtune
from lrtune.run import out_of_fold
from lrtune.run.folder import open_run
from lrtune.run.journal import Journal
from lrtune.run.names import DATABASE, PREDICTIONS, TAKEN
from lrtune.run.study import RESULT
from lrtune.run.taken import NOTHING, read

RATE = {"low": 0.01, "high": 1.0, "scale": "log"}
SPACE = {"learning_rate": RATE, "optimizer": ["sgd", "adam", {"momentum": {"momentum": [0.8, 0.9]}}]}


def table(rows=90, seed=0):
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, 90))[:, :rows]
    return {"x": x.tolist(), "z": z.tolist(), "y": np.where(x + 0.5 * z > 0, "yes", "no").tolist()}


def searched(folder, data=None, **more):
    overrides = ("training.epochs=3", "model.hidden=[4]", "search.control=false", "search.metric=log_loss")
    asked = {"space": SPACE, "trials": 8, "strategy": "random", "folds": 3, "workers": 1, "report": False}
    return lrtune.search(data=data or table(), target="y", output=folder, **{**asked, "overrides": overrides, **more})


def points(folder):
    return [each.configuration for each in open_run(folder).trials]


def results(folder):
    with Journal(folder / DATABASE) as journal:
        return {each.body["trial"]: each.body for each in journal.events() if each.kind == RESULT}


def test_the_best_of_an_earlier_study_come_first_and_its_scores_are_no_scores_of_tonight(tmp_path):
    searched(tmp_path / "before", table(70), trials=12)
    ranked = [each.configuration for each in open_run(tmp_path / "before").ranked]
    warm = searched(tmp_path / "warm", warm_start=[tmp_path / "before"], trials=9)
    tried = points(tmp_path / "warm")
    assert tried[1:8] == [each for each in ranked if each != tried[0]][:7] or tried[1:7] == ranked[1:7]
    assert warm.counts.total == 9
    assert warm.trained.reused == 0
    cold = searched(tmp_path / "cold", trials=1)
    assert warm.default == cold.default
    assert any("12 trials of 1 earlier study" in each for each in warm.notes)
    assert warm.fingerprint != cold.fingerprint
    earlier = read(tmp_path / "warm").earlier[0]
    means = {tuple(each.configuration.items()): each.mean for each in open_run(tmp_path / "before").trials}
    assert dict(zip(map(tuple, map(dict.items, earlier.points)), earlier.scores, strict=True)) == pytest.approx(
        means, abs=0.05
    )  # without the effects of the folds


@pytest.mark.parametrize("strategy", ["random", "tpe", "bayesian"])
def test_a_run_goes_on_with_its_copy_whatever_becomes_of_the_source(tmp_path, monkeypatch, strategy):
    searched(tmp_path / "before", table(70), trials=10)
    asked = {"strategy": strategy, "trials": 14, "warm_start": [tmp_path / "before"]}
    whole = searched(tmp_path / "whole", **asked)
    with interrupted_after(monkeypatch, 4), pytest.raises(KeyboardInterrupt):
        searched(tmp_path / "run", **asked)
    copy = (tmp_path / "run" / TAKEN).read_bytes()
    shutil.rmtree(tmp_path / "before")
    found = searched(tmp_path / "run", **asked)
    assert (tmp_path / "run" / TAKEN).read_bytes() == copy
    assert found.but(seconds=whole.seconds, trained=whole.trained) == whole.but()
    assert points(tmp_path / "run") == points(tmp_path / "whole")
    cold = searched(tmp_path / "cold", strategy=strategy, trials=14)
    assert cold.fingerprint != whole.fingerprint


def test_a_changed_space_is_mapped_by_name_and_what_has_no_place_is_said(tmp_path):
    searched(tmp_path / "before", table(70), trials=20)
    there = [each.configuration for each in open_run(tmp_path / "before").trials]
    space = {"learning_rate": {**RATE, "high": 0.2}, "optimizer": ["sgd", "adam", "rmsprop"], "batch_size": [32, 64]}
    warm = searched(tmp_path / "warm", warm_start=[tmp_path / "before"], space=space)
    fit = [each for each in there if each["optimizer"] != "momentum" and each["learning_rate"] <= 0.2]
    taken = read(tmp_path / "warm").earlier[0]
    assert list(taken.points) == [{**each, "batch_size": 64} for each in fit]  # it was 16, and not searched
    said, other = taken.remarks
    assert "it was searched with other values of batch_size (here 64), which are passed over" in other
    momentum = sum(each["optimizer"] == "momentum" for each in there)
    assert f"{len(fit)} of its 20 trials are taken over; the space has no place for" in said
    absent = [each["learning_rate"] > 0.2 for each in there if each["optimizer"] == "momentum"]
    assert f"{momentum - sum(absent)} with optimizer momentum" in said
    assert said in warm.notes


def test_other_metrics_and_missing_or_damaged_studies_are_told_and_nothing_fails(tmp_path):
    searched(tmp_path / "runs" / "other", overrides=("training.epochs=2", "search.metric=accuracy"), trials=2)
    (tmp_path / "runs" / "damaged").mkdir()
    (tmp_path / "runs" / "damaged" / DATABASE).write_bytes(b"x" * 5000)
    found = searched(tmp_path / "warm", warm_start=[tmp_path / "runs", tmp_path / "nowhere"], trials=2)
    said = " ".join(found.notes)
    assert f"there is no earlier study in {tmp_path / 'nowhere'}" in said
    assert "its scores are its accuracy, and this search goes by log_loss" in said
    assert "damaged is passed over: " in said
    assert found.fingerprint == searched(tmp_path / "cold", trials=2).fingerprint  # nothing was taken over
    assert read(tmp_path / "cold") == NOTHING


def test_equal_fits_are_taken_over_with_the_study_that_made_them_and_count_in_the_correction(tmp_path):
    """The oracle trains all of it: a reused fit is the same to the last bit, predictions included."""
    first = searched(tmp_path / "first", trials=6)
    wider = {**SPACE, "optimizer": [*SPACE["optimizer"], "rmsprop"]}
    found = searched(tmp_path / "second", space=wider, trials=4, warm_start=[tmp_path / "first"])
    assert (found.trained.reused, found.trained.trials, found.counts.total) == (6, 4, 10)
    study = open_run(tmp_path / "second")
    assert study.study.reused == dict.fromkeys(range(6), first.fingerprint)
    before = open_run(tmp_path / "first").study
    for number in range(6):
        mine, theirs = study.trials[number], before.trials[number]
        assert mine == theirs
        assert {**results(tmp_path / "second")[number], "reused": 0, "clock": 0} == {
            **results(tmp_path / "first")[number],
            "reused": 0,
            "clock": 0,
        }
        layouts = (study.study.header.predictions.like, before.header.predictions.like)
        records = [
            out_of_fold.read(tmp_path / name / PREDICTIONS, number, like)
            for name, like in zip(("second", "first"), layouts, strict=True)
        ]
        np.testing.assert_array_equal(*records)
    assert found.corrected.method == "bootstrap"
    (tmp_path / "second" / PREDICTIONS).unlink()  # what is lost is trained again, and is the same
    again = searched(tmp_path / "second", space=wider, trials=4, warm_start=[tmp_path / "first"])
    assert again.corrected == found.corrected
    assert again.trained.fits >= 10 * 3


def test_a_chain_of_studies_names_the_one_that_trained(tmp_path):
    first = searched(tmp_path / "1", trials=3)
    second = searched(tmp_path / "2", trials=3, strategy="quasirandom", warm_start=[tmp_path / "1"])
    searched(tmp_path / "3", trials=2, strategy="tpe", warm_start=[tmp_path / "2"])
    reused = open_run(tmp_path / "3").study.reused
    assert sorted(reused.values()) == sorted([first.fingerprint] * 3 + [second.fingerprint] * 3)


@pytest.mark.parametrize(
    "changed",
    [{"seed": 1}, {"folds": 4}, {"data": table(89)}, {"overrides": ("training.epochs=3", "data.test_size=0.3")}],
    ids=["seed", "folds", "rows", "split"],
)
def test_nothing_is_reused_of_other_rows_folds_or_seeds(tmp_path, changed):
    searched(tmp_path / "first", trials=3)
    found = searched(tmp_path / "second", trials=3, warm_start=[tmp_path / "first"], **changed)
    assert found.trained.reused == 0


def test_what_was_trained_for_longer_is_another_fit(tmp_path):
    searched(tmp_path / "first", trials=3)
    overrides = ("training.epochs=4", "model.hidden=[4]", "search.control=false", "search.metric=log_loss")
    found = searched(tmp_path / "second", trials=3, warm_start=[tmp_path / "first"], overrides=overrides)
    assert (found.trained.reused, found.trained.trials) == (0, 3)


@pytest.mark.parametrize("strategy", ["random", "bayesian"])
def test_a_second_night_on_unchanged_data_trains_nothing_and_says_so(tmp_path, monkeypatch, strategy):
    monkeypatch.chdir(tmp_path)

    def night(data, **more):
        asked = {"warm_start": ["runs"], "strategy": strategy, "trials": 6, **more}
        return searched(None, data, **asked)

    first = night(table(80))
    assert first.trained.trials == 6
    second = night(table(80))
    assert (second.trained.trials, second.trained.fits, second.trained.models) == (0, 0, 0)
    assert second.folder == first.folder
    assert second.but(trained=first.trained) == first.but()
    more = night(table(80), more_trials=3)
    assert (more.folder, more.trained.trials, more.counts.total) == (first.folder, 3, 9)
    third = night(table(90))
    assert third.folder != first.folder
    assert third.trained.trials == 6
    assert json.loads((third.folder / TAKEN).read_text())["earlier"][0]["called"] == str(first.folder)
    fourth = night(table(90))
    assert (fourth.folder, fourth.trained.trials) == (third.folder, 0)
    other = night(table(90), seed=5)
    assert other.folder not in (first.folder, third.folder)
    assert other.trained.trials == 6
