"""The contract of every strategy that walks any space: legal, untried, repeatable, whatever the space and history."""

import math

import numpy as np
import pytest

from lrtune.sampling.catalogue import STRATEGIES
from lrtune.space import Choice, Option, SearchSpace
from lrtune.space.dimensions import LOG, REVERSED_LOG, Integer, Ordinal, Real
from lrtune.space.trial import Trial, TrialState

NAMES = sorted(set(STRATEGIES) - {"grid"})

RATE = Real("learning_rate", 1e-4, 1.0, 0.01, LOG)
NESTED = Choice(
    "decay",
    (
        Option("constant"),
        Option(
            "join",
            SearchSpace(
                (
                    Choice(
                        "decay.first",
                        (
                            Option("linear", SearchSpace((Real("decay.first.final", 0.0, 0.5, 0.0),))),
                            Option("step", SearchSpace((Integer("decay.first.every", 1, 30, 10, LOG),))),
                        ),
                        "linear",
                    ),
                )
            ),
        ),
        Option("step", SearchSpace((Ordinal("decay.every", (5, 10), 10), Real("decay.factor", 0.05, 0.95, 0.1)))),
    ),
    "constant",
)
OPTIMIZER = Choice(
    "optimizer",
    (
        Option(
            "adam", SearchSpace((Real("learning_rate", 1e-5, 1e-1, 1e-3, LOG), Ordinal("optimizer.beta1", (0.9,), 0.9)))
        ),
        Option(
            "momentum",
            SearchSpace((RATE, Real("optimizer.momentum", 0.5, 0.99, 0.9, REVERSED_LOG))),
        ),
    ),
    "adam",
)
SPACES = {
    "one range": SearchSpace((RATE,)),
    "one integer": SearchSpace((Integer("n", 1, 40, 7),)),
    "one choice": SearchSpace((Choice("activation", tuple(map(Option, ("relu", "tanh", "gelu"))), "relu"),)),
    "all fixed": SearchSpace((Ordinal("learning_rate", (0.1,), 0.1), Choice("decay", (Option("constant"),), ""))),
    "nothing": SearchSpace(),
    "booleans, numbers and null": SearchSpace(
        (Choice("a", (Option(True), Option(1), Option(None), Option((64, 32)), Option("x")), True), RATE)
    ),
    "deep": SearchSpace((OPTIMIZER, NESTED, Ordinal("warmup", (0.0, 0.05), 0.0))),
    "a key of two kinds": SearchSpace(
        (
            Choice(
                "a",
                (
                    Option("number", SearchSpace((Real("a.x", 0.0, 1.0, 0.5),))),
                    Option("name", SearchSpace((Choice("a.x", (Option(None), Option("y")), None),))),
                ),
                "number",
            ),
        )
    ),
    "40 dimensions": SearchSpace(tuple(Real(f"x{number}", 0.0, 1.0, 0.5) for number in range(40))),
    "ordinals": SearchSpace(tuple(Ordinal(f"n{number}", tuple(range(2, 13)), 3) for number in range(5))),
    "finite": SearchSpace((Ordinal("a", (1, 2, 4), 1), Ordinal("b", (0.0, 0.1, 0.2, 0.3), 0.0))),
}


def score(point):
    """A smooth function of whatever numbers a point has, so that there is something to learn."""
    numbers = [each for each in point.values() if isinstance(each, int | float)]
    return -sum((each - 0.3) ** 2 for each in numbers) / (1 + len(numbers))


def complete(number, point, folds=3):
    rng = np.random.default_rng(number)
    scores = tuple((score(point) + 0.01 * rng.standard_normal(folds)).tolist())
    return Trial(number, point, TrialState.COMPLETE, scores)


def diverged(number, point):
    return Trial(number, point, TrialState.DIVERGED, (0.5, None, 0.4), reason="diverged")


def failed(number, point):
    return Trial(number, point, TrialState.FAILED, reason="the worker died")


def pruned(number, point):
    return Trial(number, point, TrialState.PRUNED, (score(point),), reason="worse than the best")


def gapped(number, point):
    return Trial(number, point, TrialState.PRUNED, (None, score(point), None), reason="worse than the best")


def shortened(number, point):
    scores = (score(point) - 0.2,) * 3
    return Trial(number, point, TrialState.PRUNED, horizon_scores=((3, scores),), reason="not among the best third")


def lengthened(number, point):
    short = ((9, (score(point) - 0.4,) * 3), (3, (score(point) - 0.2,) * 3))
    return Trial(number, point, TrialState.COMPLETE, (score(point),) * 3, horizon_scores=short)


def broken_off(number, point):
    return Trial(number, point, TrialState.DIVERGED, horizon_scores=((3, (0.5, None, 0.4)),), reason="diverged")


HISTORIES = {
    "complete": complete,
    "tied": lambda number, point: Trial(number, point, TrialState.COMPLETE, (float(number % 2),) * 3),
    "constant": lambda number, point: Trial(number, point, TrialState.COMPLETE, (0.7, 0.8)),
    "one score each": lambda number, point: complete(number, point, folds=1),
    "huge": lambda number, point: Trial(number, point, TrialState.COMPLETE, (-(10.0 ** (number * 20)),)),
    "all failed": failed,
    "all diverged": diverged,
    "waiting": Trial,
    "all pruned": pruned,
    "all on short horizons": shortened,
    "a race": lambda number, point: (complete, pruned, pruned, diverged)[number % 4](number, point),
    "horizons": lambda number, point: (lengthened, shortened, shortened, broken_off)[number % 4](number, point),
    "mixed": lambda number, point: (complete, diverged, complete, failed, pruned, gapped, Trial)[number % 7](
        number, point
    ),
}


def run(name, space, make, rounds, seed=3):
    """Search in rounds; the trials of each are known to the next."""
    history = []
    for size in rounds:
        points = STRATEGIES[name](space, history, size, seed)
        assert len(points) <= size
        history += [make(number, point) for number, point in enumerate(points, len(history))]
    return history


def keys(space, history):
    return [space.key(each.configuration) for each in history]


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
@pytest.mark.parametrize("name", NAMES)
def test_every_proposal_is_a_point_of_the_space_and_new(name, space):
    history = run(name, space, complete, [12, 3, 1])
    assert all(space.point(each.configuration) == each.configuration for each in history)
    assert len(set(keys(space, history))) == len(history) == min(space.size, 16)


@pytest.mark.parametrize("make", HISTORIES.values(), ids=HISTORIES)
@pytest.mark.parametrize("name", NAMES)
def test_any_history_is_taken(name, make):
    space = SPACES["deep"]
    history = run(name, space, make, [10, 4, 1])
    assert all(space.point(each.configuration) == each.configuration for each in history)
    assert len(set(keys(space, history))) == 15
    first, second = (STRATEGIES[name](space, history, 2, 3) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("make", HISTORIES.values(), ids=HISTORIES)
@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_whatever_becomes_of_the_trials_a_finite_space_is_tried_once_and_completely(name, make):
    space = SPACES["finite"]
    history = run(name, space, make, [9, 2, 5])
    assert sorted(space.index(each.configuration) for each in history) == list(range(12))


@pytest.mark.parametrize("space", [each for each in SPACES.values() if math.isfinite(each.size)])
def test_a_grid_keeps_the_contract_where_it_may(space):
    history = run("grid", space, complete, [12, 3, 1])
    assert all(space.point(each.configuration) == each.configuration for each in history)
    assert len(set(keys(space, history))) == len(history) == min(space.size, 16)


@pytest.mark.parametrize("name", NAMES)
def test_equal_arguments_give_equal_proposals_and_other_seeds_others(name):
    space = SPACES["deep"]
    history = run(name, space, complete, [12])
    again = [STRATEGIES[name](space, history, 4, seed) for seed in (3, 3, 4)]
    assert again[0] == again[1] != again[2]


@pytest.mark.parametrize("name", NAMES)
def test_the_first_proposals_do_not_depend_on_how_many_are_asked_for(name):
    for space, done in ((SPACES["deep"], [12]), (SPACES["finite"], [9]), (SPACES["one range"], [])):
        history = run(name, space, complete, done)
        few, many = (STRATEGIES[name](space, history, n, 3) for n in (3, 7))
        assert few == many[:3]


@pytest.mark.parametrize("name", NAMES)
def test_the_last_points_of_a_space_too_large_to_list_are_found(name):
    space = SearchSpace((Integer("a", 1, 3000, 7),))
    rng = np.random.default_rng(0)
    history = [complete(number, {"a": int(each)}) for number, each in enumerate(rng.permutation(3000)[:2998] + 1)]
    proposed = STRATEGIES[name](space, history, 4, 3)
    assert {each["a"] for each in proposed} == set(range(1, 3001)) - {each.configuration["a"] for each in history}
    assert len(proposed) == 2


@pytest.mark.parametrize("name", NAMES)
def test_a_finite_space_is_exhausted_and_then_nothing_comes(name):
    space = SPACES["finite"]
    history = run(name, space, complete, [9, 2, 5, 5])
    assert len(set(keys(space, history))) == len(history) == 12
    assert STRATEGIES[name](space, history, 3, 3) == []


@pytest.mark.parametrize("name", NAMES)
def test_trials_that_are_still_running_are_not_proposed_again(name):
    space = SPACES["finite"]
    history = run(name, space, complete, [9])
    running = [Trial(number, point) for number, point in enumerate(STRATEGIES[name](space, history, 2, 3), 9)]
    more = STRATEGIES[name](space, [*history, *running], 5, 3)
    assert len(more) == 1
    assert len({space.key(each) for each in [*more, *(each.configuration for each in [*history, *running])]}) == 12


@pytest.mark.parametrize("name", ["bayesian", "tpe"])
def test_learning_beats_chance(name):
    space = SearchSpace((RATE, Real("x", 0.0, 1.0, 0.5), Choice("a", tuple(map(Option, "abc")), "a")))

    def make(number, point):
        distance = abs(math.log10(point["learning_rate"]) + 1) + 3 * abs(point["x"] - 0.2) + (point["a"] != "c")
        return Trial(number, point, TrialState.COMPLETE, (-distance,))

    best = {
        strategy: np.mean(
            [max(each.fold_scores for each in run(strategy, space, make, [8] * 4, seed)) for seed in (1, 2, 3)]
        )
        for strategy in (name, "random")
    }
    assert best[name] > best["random"] + 0.1
