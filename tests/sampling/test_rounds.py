"""What is proposed together lies apart, however sure a strategy is of where the best is."""

import itertools
import math

import numpy as np
import pytest

from lrtune import suggest
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.space import Choice, Option, SearchSpace
from lrtune.space.dimensions import LINEAR, LOG, Ordinal, Real
from lrtune.space.trial import Trial, TrialState

APART = 0.019  # of a range; an arc's chord is a little shorter than the arc

LOW, HIGH = 1e-4, 1.0
RATE = Real("learning_rate", LOW, HIGH, 1e-2, LOG)


def branches(name, *spaces):
    return Choice(name, tuple(Option(f"{name}{place}", SearchSpace(each)) for place, each in enumerate(spaces)), "")


def other_ranges(rng):
    """Draw branches that share a name, each with a range of its own, some with a second number in it."""
    spaces = []
    for _ in range(int(rng.integers(2, 4))):
        low = float(10 ** rng.uniform(-4, -1))
        own = [Real("learning_rate", low, low * float(10 ** rng.uniform(1, 3)), low, LOG)]
        if rng.random() < 0.4:
            own.append(Real("momentum", 0.0, float(rng.uniform(0.5, 1.0)), 0.0, LINEAR))
        spaces.append(tuple(own))
    return SearchSpace((branches("optimizer", *spaces),))


SPACES = {
    "one range": SearchSpace((RATE,)),
    "branches that share a range": SearchSpace((branches("optimizer", (RATE,), (RATE,)),)),
    "a range beside branches": SearchSpace((RATE, branches("optimizer", (), ()))),
    "a range in some branches": SearchSpace((branches("optimizer", (RATE,), (RATE,), ()),)),
    "branches in branches": SearchSpace((branches("a", (branches("b", (RATE,), (RATE,)),), (RATE,)),)),
    "a range and a list": SearchSpace((RATE, Ordinal("factor", (0.1, 0.3, 0.5), 0.1))),
    **{f"drawn {seed}": other_ranges(np.random.default_rng(seed)) for seed in range(2)},
}


def place(dimension, value):
    """Work out where a number lies in its range, from 0 to 1."""
    if isinstance(dimension, Ordinal):
        return dimension.values.index(value) / (len(dimension.values) - 1)
    low, high = dimension.low, dimension.high
    if dimension.scale == LOG:
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)


def distance(space, one, other):
    """Work out how far apart two points are: the largest difference in any range; infinite if they chose otherwise."""
    found = 0.0
    for each in space.dimensions:
        if isinstance(each, Choice):
            if one[each.name] != other[each.name]:
                return math.inf
            found = max(found, distance(each.option(one[each.name]).space, one, other))
        else:
            found = max(found, abs(place(each, one[each.name]) - place(each, other[each.name])))
    return found


def closest(space, points):
    return min(distance(space, one, other) for one, other in itertools.combinations(points, 2))


def rate_of(point):
    return math.log(point.get("learning_rate", 1e-3) / LOW) / math.log(HIGH / LOW)


WORTH = {
    "best at the end": lambda point, rng: rate_of(point) + 0.01 * rng.normal(),
    "best in the middle": lambda point, rng: -((rate_of(point) - 0.4) ** 2) + 0.001 * rng.normal(),
    "all alike": lambda _, rng: rng.normal(),
    "lost beyond": lambda point, rng: rate_of(point) + 0.01 * rng.normal() if rate_of(point) < 0.8 else None,
}


def told(number, point, worth, rng):
    score = worth(point, rng)
    if score is None:
        return Trial(number, point, TrialState.DIVERGED, (None,))
    return Trial(number, point, TrialState.COMPLETE, (score, score + 0.01 * rng.normal()))


@pytest.mark.parametrize("strategy", ["bayesian", "tpe"])
@pytest.mark.parametrize("worth", WORTH)
@pytest.mark.parametrize("name", SPACES)
def test_what_is_proposed_together_lies_apart(name, worth, strategy):
    space, rng, history = SPACES[name], np.random.default_rng(1), []
    for start in range(0, 32, 8):
        points = STRATEGIES[strategy](space, history, 8, 1)
        assert len(points) == 8
        if start >= 16:  # both have learned by then
            assert closest(space, points) >= APART
        history += [told(start + place, point, WORTH[worth], rng) for place, point in enumerate(points)]


@pytest.mark.parametrize("strategy", ["bayesian", "tpe"])
def test_it_lies_apart_from_what_still_runs(strategy):
    space, rng = SPACES["one range"], np.random.default_rng(2)
    known = [told(number, space.sample(rng), WORTH["best at the end"], rng) for number in range(24)]
    running = [Trial(24, {"learning_rate": 1.0}), Trial(25, {"learning_rate": 0.8})]
    points = STRATEGIES[strategy](space, [*known, *running], 6, 0)
    assert closest(space, [*points, *(each.configuration for each in running)]) >= APART


@pytest.mark.parametrize("strategy", ["bayesian", "tpe"])
def test_a_large_round_in_a_small_range_comes_closer_and_no_closer_than_it_must(strategy):
    space, rng = SPACES["one range"], np.random.default_rng(2)
    known = [told(number, space.sample(rng), WORTH["best at the end"], rng) for number in range(24)]
    points = STRATEGIES[strategy](space, known, 48, 0)
    assert len({each["learning_rate"] for each in points}) == 48
    if strategy == "bayesian":  # TPE draws, and may have drawn nothing that lies apart
        assert closest(space, points) >= 0.99 * 0.5 / 48


def test_a_list_of_many_values_is_still_tried_completely():
    """Neighbours in it are closer than points of a round are kept apart."""
    space = SearchSpace((Ordinal("learning_rate", tuple(range(1, 121)), 1),))
    rng, history = np.random.default_rng(0), []
    for start in range(0, 120, 40):
        points = STRATEGIES["bayesian"](space, history, 40, 0)
        history += [
            Trial(start + place, point, TrialState.COMPLETE, (point["learning_rate"] + rng.normal(),))
            for place, point in enumerate(points)
        ]
    assert sorted(each.configuration["learning_rate"] for each in history) == list(range(1, 121))


def test_suggestions_for_branches_with_one_range_cover():
    rate = {"low": 1e-4, "high": 1.0, "scale": "log"}
    space = {"optimizer": [{"sgd": {"learning_rate": rate}}, {"adam": {"learning_rate": rate}}]}
    history = []
    for start in range(0, 24, 8):
        points = suggest(space, history, 8, seed=0)
        if start:
            pairs = itertools.combinations(points, 2)
            same = [(a, b) for a, b in pairs if a["optimizer"] == b["optimizer"]]
            assert min(abs(rate_of(a) - rate_of(b)) for a, b in same) >= APART
        history += [(point, math.log10(point["learning_rate"])) for point in points]


CROWD = 0.025  # of the range
MANY = {
    "optimizer": ["adam", {"momentum": {"momentum": [0.9, 0.95]}}],
    "learning_rate": {"low": LOW, "high": HIGH, "scale": "log"},
    "decay": ["constant", {"linear": {"final": [0, 0.1]}}, {"cosine": {"final": [0, 0.1]}}, "exponential"],
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("best", [0.45, 0.99, None])
def test_branches_that_share_a_range_do_not_all_get_the_rate_of_its_end(best, seed):
    """The first round that has learned knows too little of any branch to be sure of one rate."""
    rng = np.random.default_rng(seed)
    first = suggest(MANY, [], 8, seed=seed)
    history = [(each, rng.normal() if best is None else -((rate_of(each) - best) ** 2)) for each in first]
    rates = sorted(rate_of(each) for each in suggest(MANY, history, 8, seed=seed))
    assert max(sum(0 <= other - each <= CROWD for other in rates) for each in rates) <= 5
