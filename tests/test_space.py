"""The algebra of spaces against brute force: `itertools.product` lists every point and knows nothing of indices."""

import itertools
import json
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrtune.space import Choice, Option, SearchSpace
from lrtune.space.described import space_of
from lrtune.space.dimensions import LINEAR, LOG, REVERSED_LOG, SCALES, Integer, Ordinal, Real, spaced, unwarp, warp
from lrtune.space.tree import key_of
from lrtune.text.errors import SpaceError

RATE = Real("rate", 1e-4, 1.0, 0.01, LOG)


def everything(space):
    """List all points by brute force, the last dimension fastest."""
    return [
        {key: value for part in parts for key, value in part.items()}
        for parts in itertools.product(*(values_of(each) for each in space.dimensions))
    ]


def values_of(dimension):
    if isinstance(dimension, Choice):
        return [{dimension.name: each.value, **inner} for each in dimension.options for inner in everything(each.space)]
    numbers = dimension.values if isinstance(dimension, Ordinal) else range(dimension.low, dimension.high + 1)
    return [{dimension.name: each} for each in numbers]


@st.composite
def dimensions(draw, name, depth, ranges):
    kinds = ["ordinal", "integer"] + ["choice"] * (depth > 0) + ["real"] * ranges
    kind = draw(st.sampled_from(kinds))
    if kind == "ordinal":
        values = draw(st.lists(st.floats(-5, 5).map(lambda x: round(x, 2)), min_size=1, max_size=3, unique=True))
        return Ordinal(name, tuple(sorted(values)), draw(st.floats(-6, 6)), draw(st.sampled_from(SCALES)))
    if kind == "integer":
        low = draw(st.integers(1, 20))
        return Integer(name, low, low + draw(st.integers(1, 4)), draw(st.integers(-30, 30)), LOG)
    if kind == "real":
        low = draw(st.floats(1e-6, 0.5))
        scale = draw(st.sampled_from(SCALES))
        return Real(name, low, low + draw(st.floats(1e-9, 0.49)), draw(st.floats(-1, 2)), scale)
    values = draw(st.lists(st.sampled_from(["a", None, True, 1.5, (32,), "b"]), min_size=1, max_size=3, unique=True))
    options = [Option(each, draw(spaces(f"{name}.{number}", depth - 1, ranges))) for number, each in enumerate(values)]
    return Choice(name, tuple(options), draw(st.sampled_from(["a", "zzz", None])))


@st.composite
def spaces(draw, prefix="d", depth=2, ranges=False):
    count = draw(st.integers(0, 2 if depth < 2 else 3))
    return SearchSpace(tuple(draw(dimensions(f"{prefix}{number}", depth, ranges)) for number in range(count)))


@settings(deadline=None, max_examples=120)
@given(spaces())
def test_a_finite_space_has_exactly_the_points_that_brute_force_lists(space):
    listed = everything(space)
    assert space.size == len(listed)
    assert [space.at(number) for number in range(min(len(listed), 300))] == listed[:300]


@settings(deadline=None, max_examples=80)
@given(spaces())
def test_index_is_the_inverse_of_at_and_keys_are_all_different(space):
    points = [space.at(number) for number in range(min(space.size, 200))]
    assert [space.index(each) for each in points] == list(range(len(points)))
    assert len({space.key(each) for each in points}) == len(points)


@settings(deadline=None, max_examples=150)
@given(spaces(ranges=True), st.integers(0, 2**32 - 1))
def test_every_draw_and_the_default_are_contained(space, seed):
    rng = random.Random(seed)
    for point in [space.default(), *(space.sample(rng) for _ in range(5))]:
        assert space.contains(point)
        assert space.point({**point, "something else": 3}) == point
        assert key_of(point) == space.key({"something else": 3, **point})
        assert space.dimensions_of(point) == [each.dimension for each in space.active(point)]


@settings(deadline=None, max_examples=80)
@given(spaces(ranges=True))
def test_the_canonical_form_is_json_and_tells_spaces_apart(space):
    text = json.dumps(space.canonical(), allow_nan=False)
    more = SearchSpace((*space.dimensions, Ordinal("another", (1.0, 2.0), 1.0)))
    assert json.dumps(SearchSpace(space.dimensions).canonical()) == text
    assert json.dumps(more.canonical()) != text


@settings(deadline=None, max_examples=80)
@given(spaces(ranges=True))
def test_a_description_gives_the_space_back(space):
    again = space_of(json.loads(json.dumps(space.canonical())))
    assert again.canonical() == space.canonical()
    assert again.default() == space.default()
    if again.size < 200:
        assert everything(again) == everything(space)


def test_a_missing_or_illegal_key_is_not_contained():
    space = SearchSpace(
        (RATE, Choice("decay", (Option("step", SearchSpace((Ordinal("decay.every", (5, 10), 5),))),), ""))
    )
    point = {"rate": 0.1, "decay": "step", "decay.every": 5}
    assert space.contains(point)
    for key, value in [
        ("rate", 2.0),
        ("rate", True),
        ("rate", "0.1"),
        ("decay", "cosine"),
        ("decay.every", 7),
        ("rate", math.nan),
    ]:
        assert not space.contains({**point, key: value})
    for key in point:
        assert not space.contains({each: value for each, value in point.items() if each != key})
    with pytest.raises(SpaceError, match="is a range"):
        space.index(point)
    with pytest.raises(SpaceError, match="not a point"):
        SearchSpace((Integer("n", 1, 3, 1),)).index({"n": 4})


def test_true_is_not_one():
    space = SearchSpace((Choice("flag", (Option(True), Option(1.5)), True), Integer("n", 0, 1, 0)))
    assert not space.contains({"flag": 1, "n": 1})
    assert not space.contains({"flag": True, "n": True})
    assert space.point({"flag": True, "n": 1.0}) == {"flag": True, "n": 1}


def test_the_grid_of_a_range_is_refused_with_a_hint():
    space = SearchSpace((Choice("o", (Option("adam", SearchSpace((RATE,))), Option("sgd")), "sgd"),))
    assert space.size == math.inf
    with pytest.raises(SpaceError, match=r"rate is a range; add `points: 5`"):
        space.at(0)


def test_huge_spaces_are_counted_exactly_and_never_listed():
    space = SearchSpace(tuple(Integer(f"n{number}", 1, 10**9, 1) for number in range(50)))
    assert space.size == 10**450
    last = space.at(space.size - 1)
    assert set(last.values()) == {10**9}
    assert space.index(last) == space.size - 1
    with pytest.raises(SpaceError, match="no number"):
        space.at(space.size)


@pytest.mark.parametrize(
    ("dimension", "expected"),
    [
        (Real("x", 1e-4, 1e-2, 0.1, LOG), 1e-2),
        (Real("x", 1e-4, 1e-2, 1e-3, LOG), 1e-3),
        (Integer("x", 10, 20, 3), 10),
        # |log(0.3 / 1)| < |log(0.3 / 0.05)|, although 0.05 is linearly nearer
        (Ordinal("x", (0.05, 1.0), 0.3, LOG), 1.0),
        (Ordinal("x", (0.05, 1.0), 0.3, LINEAR), 0.05),
        # 1 - x: 0.1 against 0.02 and 0.5; log distances 1.61 and 1.61 -> slightly off centre
        (Ordinal("x", (0.5, 0.981), 0.9, REVERSED_LOG), 0.5),
        (Ordinal("x", (0.5, 0.979), 0.9, REVERSED_LOG), 0.979),
        # zero has no logarithm: the distance is linear then
        (Ordinal("x", (0.0, 1.0), 0.3, LOG), 0.0),
        (Ordinal("x", (0.1, 1.0), 0.0, LOG), 0.1),
        (Choice("x", (Option("a"), Option("b")), "b"), "b"),
        (Choice("x", (Option("a"), Option("b")), "c"), "a"),
        (Choice("x", (Option(None), Option(1.0)), None), None),
    ],
)
def test_the_default_is_the_documented_one_or_the_nearest_legal_value(dimension, expected):
    assert dimension.default() == {"x": expected}


def test_draws_are_uniform_on_their_scale():
    rng = random.Random(1)
    logs = np.log10([RATE.sample(rng)["rate"] for _ in range(4000)])
    assert np.histogram(logs, 4, (-4, 0))[0] == pytest.approx(1000, rel=0.12)
    reversed_log = Real("m", 0.0, 0.999, 0.9, REVERSED_LOG)
    tails = np.log10([1 - reversed_log.sample(rng)["m"] for _ in range(4000)])
    assert np.histogram(tails, 3, (-3, 0))[0] == pytest.approx(1333, rel=0.12)
    whole = Integer("n", 1, 4, 1)
    counts = np.bincount([whole.sample(rng)["n"] for _ in range(4000)])
    assert counts[1:] == pytest.approx(1000, rel=0.12)


def test_a_numpy_generator_is_a_source_of_numbers():
    point = SearchSpace((RATE,)).sample(np.random.default_rng([1, 2]))
    assert type(point["rate"]) is float


@settings(deadline=None, max_examples=100)
@given(st.floats(1e-6, 0.4), st.floats(1e-12, 0.5), st.floats(0, 1), st.sampled_from(SCALES))
def test_drawn_values_are_short_but_never_far_from_exact(low, width, fraction, scale):
    high = low + width
    dimension = Real("x", low, high, low, scale)
    exact = unwarp(warp(low, scale) + fraction * (warp(high, scale) - warp(low, scale)), scale)
    value = dimension.value(fraction)
    assert low <= value <= high
    tolerance = 1e-3 * min(width, {LINEAR: width, LOG: exact, REVERSED_LOG: 1 - exact}[scale])
    assert value == pytest.approx(exact, abs=tolerance + 4e-15)


def test_drawn_values_have_four_digits():
    rng = random.Random(3)
    for _ in range(200):
        value = RATE.sample(rng)["rate"]
        assert float(f"{value:.3e}") == value


@settings(deadline=None, max_examples=60)
@given(st.floats(1e-3, 0.9), st.sampled_from(SCALES))
def test_warp_and_unwarp_undo_each_other(value, scale):
    assert unwarp(warp(value, scale), scale) == pytest.approx(value, rel=1e-12)


@settings(deadline=None, max_examples=60)
@given(st.floats(1e-5, 1.0), st.floats(1.5, 1000), st.integers(2, 30))
def test_spaced_points_agree_with_numpy(low, ratio, points):
    assert spaced(low, low * ratio, points, scale=LOG) == pytest.approx(
        np.geomspace(low, low * ratio, points), rel=2e-3
    )
    linear = spaced(low, low * ratio, points)
    assert linear == pytest.approx(np.linspace(low, low * ratio, points), abs=1e-3 * low * ratio)
    assert (linear[0], linear[-1]) == (low, low * ratio)


def test_spaced_whole_numbers_appear_once():
    assert spaced(1, 3, 10, whole=True) == (1, 2, 3)
    assert spaced(16, 256, 5, scale=LOG, whole=True) == (16, 32, 64, 128, 256)


def test_points_of_a_range_too_narrow_for_four_digits_stay_apart():
    values = spaced(0.1, 0.1 + 1e-9, 5)
    assert len(set(values)) == 5
