"""The strategies as a function of plain values."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest

import lrtune
from lrtune.experiment import load_text
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.space.trial import Trial, TrialState
from lrtune.text.errors import ExperimentError, SpaceError
from lrtune.tuning.suggestions.spaces import read_space

OWN = {
    "learning_rate": {"low": 1e-3, "high": 1.0, "scale": "log"},
    "optimizer": ["sgd", {"momentum": {"momentum": [0.8, 0.9]}}],
    "hidden": [[32], [64, 64]],
}
FOREIGN = {
    "depth": {"low": 1, "high": 9},
    "subsample": {"low": 0.5, "high": 1.0},
    "booster": ["tree", {"dart": {"drop": [0.1, 0.2], "skip": {"low": 0.0, "high": 0.5}}}],
    "seed": 7,
}

SMALL = {"rate": {"low": 0.0, "high": 1.0}, "n": {"low": 1, "high": 5}, "kind": ["a", {"b": {"x": [1, 2]}}]}
GOOD = {"rate": 0.1, "n": 2, "kind": "b", "kind.x": 1}
NO_POINT = "history, entry 0: not a point of the space"


def score(point):
    return -abs(point["depth"] - 3) - abs(point["subsample"] - 0.8)


def searched(strategy, rounds=(8, 4), scores=lambda point: (score(point),), seed=0):
    history = []
    for n in rounds:
        history += [(point, scores(point)) for point in lrtune.suggest(FOREIGN, history, n, seed, strategy)]
    return history


@pytest.mark.parametrize("strategy", ["bayesian", "quasirandom", "random", "tpe"])
def test_plain_values_go_in_and_come_out(strategy):
    history = searched(strategy)
    assert len({json.dumps(point) for point, _ in history}) == 12
    for point, _ in history:
        assert type(point) is dict
        assert type(point["depth"]) is int
        assert 1 <= point["depth"] <= 9
        assert 0.5 <= point["subsample"] <= 1.0
        assert ("booster.drop" in point) == ("booster.skip" in point) == (point["booster"] == "dart")
        assert point["seed"] == 7
    assert searched(strategy) == history


def test_the_suggestions_are_those_of_the_strategy_in_a_search():
    text = f"data: {{path: x.csv, target: y}}\nspace: {json.dumps(OWN)}\n"
    space = load_text(text).space
    history = [(point, (float(n), None if n == 4 else n + 0.5)) for n, point in enumerate(lrtune.suggest(OWN, [], 9))]
    trials = [
        Trial(n, point, TrialState.DIVERGED if n == 4 else TrialState.COMPLETE, scores)
        for n, (point, scores) in enumerate(history)
    ]
    assert lrtune.suggest(OWN, history, 3) == STRATEGIES["bayesian"](space, trials, 3, 0)
    assert lrtune.suggest(OWN, [], 1)[0]["learning_rate"] == space.default()["learning_rate"]


def test_lists_from_json_and_scores_of_numpy_are_taken():
    history = searched("bayesian", (8,))
    as_numpy = [(point, np.array(scores, dtype=np.float64)) for point, scores in history]
    alone = [(point, np.float64(scores[0])) for point, scores in history]
    by_fold = [(point, {0: scores[0]}) for point, scores in history]
    expected = lrtune.suggest(FOREIGN, history, 2)
    assert all(lrtune.suggest(FOREIGN, each, 2) == expected for each in (as_numpy, alone, by_fold))
    own = json.loads(json.dumps([(point, 0.5) for point in lrtune.suggest(OWN, [], 3)]))
    assert len(lrtune.suggest(OWN, own, 2)) == 2


def test_what_came_to_nothing_and_what_still_runs_is_told_apart():
    first = lrtune.suggest(FOREIGN, [], 9)
    lost, nan, running = (
        lrtune.suggest(FOREIGN, [*((point, score(point)) for point in first[:8]), (first[8], last)], 2)
        for last in (None, float("nan"), [])
    )
    assert lost == nan != running


def test_a_space_that_is_exhausted_gives_fewer():
    assert len(lrtune.suggest({"a": [1, 2, 3]}, [], 9)) == 3


@pytest.mark.parametrize(("low", "more"), [(3, {}), (0.5, {"scale": "log", "points": 4}), (0.0, {"scale": "log"})])
def test_a_range_of_one_point_is_a_scalar(low, more):
    assert read_space({"a": {"low": low, "high": low, **more}}) == read_space({"a": low})


@pytest.mark.parametrize(
    ("space", "problem"),
    [
        ({"a": {"low": 0, "hihg": 1}}, "unknown key of a range 'hihg'; did you mean 'high'?"),
        ({"a": {"low": 2, "high": 1}}, "low below high; got 2 and 1"),
        ({"a": {"low": 0, "high": 1, "scale": "log"}}, "a log scale does not reach from 0 to 1"),
        ({"a": {"low": 1, "high": 9, "scale": "lgo"}}, "unknown scale 'lgo'; did you mean 'log'?"),
        ({"a": {"low": 1, "high": 9, "points": 1}}, "points is a whole number of at least 2; got 1"),
        ({"a": []}, "space: a: an empty list offers nothing to pick"),
        ({"a": [1, 1]}, "space: a: a number is listed twice"),
        ({"a": ["x", "x"]}, "space: a: an option is listed twice"),
        ({"a": ["x", {"y": {}, "z": {}}]}, "a branch is a mapping with one key, got 2 keys"),
        ({"a": [{"x": {"b": []}}, "y"]}, "space: a.x.b: an empty list"),
        ({"a": [{"x": 3}, "y"]}, "space: a.x: expected a mapping of the branch's factors, got 3"),
        ({"a": [{"x": {"b": [1, 2]}}], "a.b": [3, 4]}, "space: a.b: 'a.b' is there twice"),
        ({"a": [math.nan, 1]}, "space: a: a value is a finite number, a text, true, false or null; got nan"),
        ({"a": {1, 2}}, "space: a: a value is a finite number, a text, true, false or null; got {1, 2}"),
        ([1], "space: expected a mapping from names to what may be tried, got a value of type list"),
        (None, "space: expected a mapping from names to what may be tried, got None"),
    ],
)
def test_mistakes_in_a_foreign_space_are_named(space, problem):
    with pytest.raises(SpaceError) as caught:
        read_space(space)
    assert problem in str(caught.value)


def test_mistakes_in_the_experiment_files_own_keys_are_named():
    with pytest.raises(ExperimentError, match="unknown"):
        lrtune.suggest({"optimizer": ["adma"]}, [])


@pytest.mark.parametrize(
    ("history", "strategy", "problem"),
    [
        ([], "bayes", "unknown strategy 'bayes'; did you mean 'bayesian'?"),
        ([], None, "unknown strategy 'None'"),
        ([], "grid", "a grid needs finite dimensions, but rate is a range"),
        (None, "random", "history: expected a list of (configuration, scores), got None"),
        ([{"a": 1}], "random", "history, entry 0: expected (configuration, scores), got {'a': 1}"),
        ([(GOOD, 1.0), ("x", 1.0)], "random", "history, entry 1: expected (configuration, scores), got ('x', 1.0)"),
        ([({**GOOD, "rate": 5}, 1.0)], "random", f"{NO_POINT}: rate is 5; a number from 0.0 to 1.0"),
        ([({**GOOD, "n": 2.5}, 1.0)], "random", f"{NO_POINT}: n is 2.5; a whole number from 1 to 5"),
        ([({**GOOD, "kind": "c"}, 1.0)], "random", f"{NO_POINT}: kind is 'c'; allowed: 'a', 'b'"),
        ([({**GOOD, "kind.x": 3}, 1.0)], "random", f"{NO_POINT}: kind.x is 3; allowed: 1, 2"),
        ([({"rate": 0.1, "nn": 1, "kind": "a"}, 1.0)], "random", f"{NO_POINT}: 'n' is missing; there is 'nn'"),
        ([({**GOOD, "rat": 1}, 1.0)], "random", f"{NO_POINT}: unknown 'rat'; did you mean 'rate'?"),
        ([({**GOOD, "kind": "a"}, 1.0)], "random", f"{NO_POINT}: 'kind.x' does not go with the rest"),
        ([(GOOD, "good")], "random", "history, entry 0: a score is a number or None; got 'good'"),
        ([(GOOD, True)], "random", "history, entry 0: a score is a number or None; got True"),
        ([(GOOD, 1j)], "random", "history, entry 0: a score is a number or None; got 1j"),
        ([(GOOD, np.zeros((2, 2)))], "random", "history, entry 0: a score is a number or None; got [0.0, 0.0]"),
        ([(GOOD, {"fold": 1.0})], "random", "history, entry 0: folds are numbered from 0; got 'fold'"),
        ([(GOOD, {-1: 1.0})], "random", "history, entry 0: folds are numbered from 0; got -1"),
    ],
)
def test_other_mistakes_are_named(history, strategy, problem):
    with pytest.raises(SpaceError) as caught:
        lrtune.suggest(SMALL, history, 1, 0, strategy)
    assert str(caught.value).startswith(problem)


@pytest.mark.parametrize("name", ["n", "seed"])
@pytest.mark.parametrize("value", [-1, 1.5, "3", None, True])
def test_numbers_that_are_none_are_named(name, value):
    with pytest.raises(SpaceError) as caught:
        lrtune.suggest(SMALL, [], **{name: value})
    assert str(caught.value) == f"{name}: expected a whole number of at least 0, got {value!r}"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_nothing_asked_for_is_nothing_and_more_than_there_is_is_everything(strategy):
    space = {"a": [1, 2, 3], "b": ["x", {"y": {"c": [0, 1]}}]}
    assert lrtune.suggest(space, [], 0, 0, strategy) == []
    everything = lrtune.suggest(space, [], 50, 0, strategy)
    assert len({tuple(each.items()) for each in everything}) == len(everything) == 9
    assert lrtune.suggest(space, [(each, 0.5) for each in everything], 5, 0, strategy) == []
    assert lrtune.suggest({}, [], 2, 0, strategy) == [{}]


def test_numbers_and_arrays_of_numpy_are_taken_and_plain_ones_come_out():
    as_numpy = {"rate": {"low": np.float64(0.0), "high": np.float64(1.0)}, "n": {"low": np.int64(1), "high": 5}}
    plain = {"rate": {"low": 0.0, "high": 1.0}, "n": {"low": 1, "high": 5}, "kind": [1, 2]}
    points = lrtune.suggest(plain, [], 9)
    assert lrtune.suggest({**as_numpy, "kind": np.array([1, 2])}, [], np.int64(9), np.uint8(0)) == points
    assert {type(each) for point in points for each in point.values()} == {int, float}
    history = [({key: np.asarray(each)[()] for key, each in point.items()}, np.float32(0.5)) for point in points]
    assert lrtune.suggest(plain, history, 3) == lrtune.suggest(plain, [(point, 0.5) for point in points], 3)


def test_infinite_scores_count_as_nothing():
    points = lrtune.suggest(SMALL, [], 9)
    known = [(point, float(number)) for number, point in enumerate(points[:8])]
    lost = [lrtune.suggest(SMALL, [*known, (points[8], each)], 3) for each in (None, math.inf, -math.inf, math.nan)]
    assert all(each == lost[0] for each in lost)


def test_it_stays_a_function_after_it_was_called():
    """A module of the same name would take its place in the package."""
    code = "import lrtune; lrtune.suggest({'a': [1]}, []); print(lrtune.suggest({'a': [1]}, []))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[{'a': 1}]\n"


def test_the_example_in_the_docstring_is_true():
    space = {"learning_rate": {"low": 0.001, "high": 1.0, "scale": "log"}, "depth": [1, 2, 3]}
    assert lrtune.suggest(space, []) == [{"learning_rate": 0.03162, "depth": 2}]
