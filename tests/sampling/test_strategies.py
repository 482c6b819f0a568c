"""What every strategy promises, then what each promises beyond that."""

import itertools
import math
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrtune.arrays import SAMPLING
from lrtune.sampling import grid, quasirandom, random_search
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.space import Choice, Option, SearchSpace
from lrtune.space.dimensions import LOG, Integer, Ordinal, Real
from lrtune.space.trial import Trial
from lrtune.text.errors import SpaceError

RATES = Ordinal("learning_rate", (0.001, 0.01, 0.1), 0.02, LOG)
DECAY = Choice(
    "decay",
    (
        Option("constant"),
        Option("step", SearchSpace((Ordinal("decay.every", (5, 10), 10), Ordinal("decay.factor", (0.1, 0.5), 0.1)))),
        Option("cosine", SearchSpace((Ordinal("decay.final", (0.0, 0.01), 0.0),))),
    ),
    "linear",
)
FINITE = SearchSpace((RATES, DECAY))  # 3 x (1 + 4 + 2)
INFINITE = SearchSpace((Real("learning_rate", 1e-4, 1.0, 0.01, LOG), DECAY))
LOPSIDED = SearchSpace(
    (
        Choice(
            "a",
            (*(Option(f"fixed {n}") for n in range(30)), Option("range", SearchSpace((INFINITE.dimensions[0],)))),
            "",
        ),
    )
)
ONE = SearchSpace((Ordinal("learning_rate", (0.1,), 0.1),))

by_strategy = pytest.mark.parametrize("name", sorted(STRATEGIES))
memoryless = pytest.mark.parametrize("name", ["grid", "quasirandom", "random"])


def trials(points):
    return [Trial(number, point) for number, point in enumerate(points)]


def rounds(name, space, sizes, seed=0):
    """Propose in rounds, each knowing the trials of those before."""
    points = []
    for size in sizes:
        points += STRATEGIES[name](space, trials(points), size, seed)
    return points


def names(points):
    return [tuple(each.items()) for each in points]


@by_strategy
def test_trial_0_is_the_default_configuration(name):
    assert STRATEGIES[name](FINITE, [], 1, 5) == [{"learning_rate": 0.01, "decay": "constant"}]


@by_strategy
def test_a_finite_space_is_tried_completely_and_nothing_twice(name):
    points = rounds(name, FINITE, [7, 7, 7, 7, 7])
    assert len(points) == FINITE.size == 21
    assert len(set(names(points))) == 21


@memoryless
@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), sizes=st.lists(st.integers(1, 6), min_size=1, max_size=5))
def test_the_size_of_rounds_changes_nothing(name, seed, sizes):
    assert rounds(name, FINITE, sizes, seed) == rounds(name, FINITE, [sum(sizes)], seed)


@by_strategy
def test_a_space_of_one_point_ends_after_it(name):
    assert rounds(name, ONE, [5, 5]) == [{"learning_rate": 0.1}]
    assert rounds(name, SearchSpace(), [5, 5]) == [{}]


@by_strategy
def test_complete_configurations_in_the_history_count_as_their_points(name):
    points = rounds(name, FINITE, [10])
    complete = [Trial(number, {"epochs": 3, **each, "hidden": (4,)}) for number, each in enumerate(points)]
    assert STRATEGIES[name](FINITE, complete, 20, 0) == STRATEGIES[name](FINITE, trials(points), 20, 0)


@by_strategy
def test_proposals_are_points_of_the_space(name):
    assert all(FINITE.point(each) == each for each in rounds(name, FINITE, [21]))


def test_every_seed_has_a_sequence_of_its_own():
    first = [
        tuple(each.values()) for seed in range(5) for each in itertools.islice(quasirandom.points(INFINITE, seed, 1), 1)
    ]
    assert len(set(first)) == 5


def test_each_option_gets_an_even_share_of_the_range_that_is_in_it():
    """A Sobol sequence of two coordinates has one point of 16 in each cell of 4 x 4."""
    ranges = [SearchSpace((Real(f"a.{name}", 0.0, 1.0, 0.5),)) for name in "pqrs"]
    space = SearchSpace((Choice("a", tuple(map(Option, "pqrs", ranges)), "p"),))
    points = itertools.islice(quasirandom.points(space, 3, 64), 64)
    cells = Counter((each["a"], int(4 * each[f"a.{each['a']}"])) for each in points)
    assert set(cells.values()) == {4}
    assert len(cells) == 16


def test_the_grid_keeps_its_order_with_the_default_in_front():
    space = SearchSpace((Ordinal("a", (1, 2, 3), 2), Ordinal("b", (1, 2), 2)))
    listed = [{"a": a, "b": b} for a, b in itertools.product((1, 2, 3), (1, 2))]
    listed.remove({"a": 2, "b": 2})
    assert grid.propose(space, [], 100, 0) == [{"a": 2, "b": 2}, *listed]


def test_a_grid_over_ranges_is_refused_with_a_hint():
    with pytest.raises(SpaceError, match="learning_rate is a range; add `points: 5`"):
        grid.propose(INFINITE, [], 3, 0)


def test_a_grid_is_never_listed_as_a_whole():
    space = SearchSpace(tuple(Integer(f"n{number}", 1, 10**6, 1) for number in range(20)))
    first = grid.propose(space, [], 3, 0)
    assert [each["n19"] for each in first] == [1, 2, 3]


def test_random_draws_come_from_the_stream_of_their_trial():
    points = random_search.propose(INFINITE, [], 6, seed=42)
    for number in range(1, 6):
        assert points[number] == INFINITE.sample(np.random.default_rng([42, SAMPLING, number]))


def test_a_repeated_draw_is_drawn_again_from_its_attempt():
    space = SearchSpace((Ordinal("a", (1, 2), 1), Ordinal("b", tuple(range(20)), 0)))
    points = random_search.propose(space, [], 25, seed=7)
    seen = [points[0]]
    again = 0
    for number in range(1, 25):
        for attempt in itertools.count():
            stream = [7, SAMPLING, number, attempt] if attempt else [7, SAMPLING, number]
            point = space.sample(np.random.default_rng(stream))
            if point not in seen:
                break
            again += 1
        assert points[number] == point
        seen.append(point)
    assert again > 0


def test_streams_of_other_trials_and_seeds_are_different():
    draws = {seed: names(random_search.propose(INFINITE, [], 20, seed)[1:]) for seed in range(5)}
    assert len({each for part in draws.values() for each in part}) == 5 * 19


def test_the_last_points_of_a_large_finite_space_are_found():
    space = SearchSpace((Integer("n", 1, 500, 1), Ordinal("m", (0, 1), 0)))
    untried = [{"n": 17, "m": 0}, {"n": 400, "m": 1}]
    history = trials([space.at(number) for number in range(1000) if space.at(number) not in untried])
    found = random_search.propose(space, history, 5, seed=1)
    assert sorted(each["n"] for each in found) == [17, 400]


def test_leftovers_are_chosen_alike():
    space = SearchSpace((Integer("n", 1, 2000, 1),))
    untried = (3, 900, 1700)
    history = trials([{"n": number} for number in range(1, 2001) if number not in untried])
    first = [random_search.propose(space, history, 1, seed)[0]["n"] for seed in range(90)]
    assert all(first.count(each) > 15 for each in untried)


def test_an_infinite_space_goes_on_when_its_finite_options_are_used_up():
    points = random_search.propose(LOPSIDED, [], 200, seed=0)
    assert len(points) == len(set(names(points))) == 200
    assert sum(each["a"] == "range" for each in points) == 170


def test_a_range_without_a_second_number_in_it_ends():
    space = SearchSpace((Real("x", 1.0, math.nextafter(1.0, 2.0), 1.0),))
    points = random_search.propose(space, [], 10, seed=0)
    assert 1 <= len(points) <= 2


def test_any_source_of_numbers_will_do_for_a_space():
    assert INFINITE.contains(INFINITE.sample(random.Random(0)))
