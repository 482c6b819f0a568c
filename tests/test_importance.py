import math

import numpy as np
import pytest
from scipy.stats import ks_2samp

from lrtune.sampling import gaussian_process as gp
from lrtune.sampling.encoding import Encoding, axis_key, place
from lrtune.sampling.scores import observe
from lrtune.sampling.surrogate import learn
from lrtune.space import Choice, Option, SearchSpace
from lrtune.space.dimensions import Integer, Ordinal, Real
from lrtune.space.trial import Trial, TrialState
from lrtune.text.errors import StudyError
from lrtune.verdict.explanation import FEWEST, explain
from lrtune.verdict.explanation.functions import drawn, explained
from lrtune.verdict.explanation.importance import GROUPS, between, bins, branches, decompose
from lrtune.verdict.explanation.points import points_of
from lrtune.verdict.explanation.slices import changed, scale, shown_values

INNER = Real("kind.m", 0.0, 1.0, 0.5)
KIND = Choice("kind", (Option("plain"), Option("odd", SearchSpace((INNER,)))), "plain")
SPACE = SearchSpace((Real("a", 0.0, 1.0, 0.5), Real("b", 0.0, 1.0, 0.5), Real("idle", 0.0, 1.0, 0.5), KIND))


def truth(point):
    """3 a + 2 b, and for the odd kind 1 + 2 m more."""
    return 3 * point["a"] + 2 * point["b"] + (1 + 2 * point["kind.m"] if point["kind"] == "odd" else 0.0)


# Variances of uniform numbers are width^2 / 12; the kinds' means differ by 2, and half of the points are odd.
PARTS = {"a": 9 / 12, "b": 4 / 12, "idle": 0.0, "kind": 0.25 * 2**2, "kind.m": 0.5 * 4 / 12}
TOTAL = sum(PARTS.values())
INSIDE_ODD = (4 / 12) / (9 / 12 + 4 / 12 + 4 / 12)


def exact(function):
    """Evaluate a function of points at rows of SPACE; undoes the encoding: a, b, idle, two kinds, an arc."""

    def evaluate(_, rows):
        inner = np.arctan2(rows[:, 6], rows[:, 5]) / (math.pi / 3)
        names = ({"a": r[0], "b": r[1], "kind": ["plain", "odd"][int(r[4])], "kind.m": m} for r, m in zip(rows, inner))  # noqa: B905
        return np.array([[function(each)] for each in names])

    return evaluate


def by_key(decomposition):
    return {each.key: each for each in decomposition.shares}


def test_shares_of_an_additive_function_are_those_of_its_parts():
    found = decompose(SPACE, exact(truth), np.random.default_rng(1))
    shares = by_key(found)
    assert set(shares) == set(PARTS)
    for key, part in PARTS.items():  # 8 x 1,024 points leave about 0.008 open
        assert shares[key].share == pytest.approx(part / TOTAL, abs=0.02), key
    assert [each.key for each in found.shares][:3] == ["kind", "a", "b"]
    assert shares["kind.m"].inside == pytest.approx(INSIDE_ODD, abs=0.04)
    assert (shares["kind.m"].probability, shares["a"].probability) == (0.5, 1.0)
    (branch,) = shares["kind.m"].branches
    assert (branch.where, branch.probability) == ((("kind", "odd"),), 0.5)
    assert branch.share == shares["kind.m"].inside
    assert shares["idle"].share < 0.01
    assert found.together < 0.02


def test_what_dimensions_do_only_together_is_told_apart():
    found = decompose(SPACE, exact(lambda each: (each["a"] - 0.5) * (each["b"] - 0.5)), np.random.default_rng(2))
    assert found.together == pytest.approx(1.0, abs=0.01)
    assert max(each.share for each in found.shares) < 0.01


def test_branches_are_parts_of_the_tree_with_whole_points():
    deep = Choice("kind.way", (Option("left", SearchSpace((INNER,))), Option("right")), "left")
    space = SearchSpace(
        (Choice("kind", (Option("x"), Option("y", SearchSpace((deep,))), Option("z")), "x"), Integer("n", 1, 3, 2))
    )
    found = {each.where: each for each in branches(space)}
    left = (("kind", "y"), ("kind.way", "left"))
    assert set(found) == {
        (),
        (("kind", "x"),),
        (("kind", "y"),),
        (("kind", "z"),),
        left,
        (*left[:1], ("kind.way", "right")),
    }
    assert found[left].probability == pytest.approx(1 / 6)
    rng = np.random.default_rng(3)
    for branch in found.values():
        for _ in range(20):
            point = branch.space.sample(rng)
            assert space.point(point) == point
            assert all(point[key] == value for key, value in branch.where)
            assert {each.name for each in branch.dimensions} <= set(point)
    assert found[left].space.contains({"kind": "y", "kind.way": "left", "kind.m": 0.5, "n": 1})
    assert not found[left].space.contains({"kind": "y", "kind.way": "right", "n": 1})


def test_the_variance_between_groups_is_unbiased():
    rng = np.random.default_rng(4)
    means, sizes = np.array([0.0, 1.0, 3.0]), [20, 30, 50]
    groups = np.repeat([0, 2, 5], sizes)
    noise = rng.normal(0.0, 2.0, (100, 4000))
    expected = np.average((means - np.average(means, weights=sizes)) ** 2, weights=sizes)
    assert between(np.repeat(means, sizes)[:, None], groups)[0] == pytest.approx(expected)
    found = between(np.repeat(means, sizes)[:, None] + noise, groups)
    assert found.mean() == pytest.approx(expected, abs=4 * found.std() / math.sqrt(4000))
    assert between(noise, groups).mean() == pytest.approx(0.0, abs=0.01)
    assert between(noise, np.zeros(100, int)).tolist() == [0.0] * 4000


def test_values_fall_into_bins_of_equal_probability():
    values = (1e-4, 1.01e-4, 1e-2, 0.99, 1.0)
    real, few = Real("r", 1e-4, 1.0, 0.1, "log"), Ordinal("r", values, 1.0)
    assert bins(real, np.array([place(real, each) for each in values])).tolist() == [0, 0, 8, 15, 15]
    assert bins(few, np.array([place(few, each) for each in values])).tolist() == [0, 1, 2, 3, 4]
    kinds = Choice("r", (Option(True), Option(1)), True)
    assert bins(kinds, np.array([1.0, 0.0])).tolist() == [1, 0]


WAYS = Choice("kind.way", (Option("x"), Option("y", SearchSpace((INNER,)))), "x")
DEEP = SearchSpace(
    (
        Real("rate", 1e-3, 1.0, 0.1, "log"),
        Integer("units", 1, 40, 8, "log"),
        Ordinal("fixed", (2.0,), 2.0),
        Choice(
            "kind",
            (
                Option("plain"),
                Option("odd", SearchSpace((INNER, Ordinal("kind.n", (1.0, 2.0, 5.0), 1.0)))),
                Option(
                    "even", SearchSpace((Choice("kind.way", (Option("x"), Option("y", SearchSpace((INNER,)))), "x"),))
                ),
            ),
            "plain",
        ),
    )
)


def test_points_drawn_together_are_those_that_are_drawn_one_by_one():
    encoding, count = Encoding(DEEP), 4000
    found = points_of(DEEP, encoding, count, np.random.default_rng(1))
    alone = [DEEP.sample(np.random.default_rng([2, number])) for number in range(count)]
    rows, expected = found.rows, encoding.rows(alone)
    for column in range(encoding.columns):  # the same distributions, column by column and of any two together
        assert ks_2samp(rows[:, column], expected[:, column]).pvalue > 1e-3
    np.testing.assert_allclose(np.cov(rows.T), np.cov(expected.T), atol=0.02)
    for row, *places in zip(rows[:300], *(each[:300] for each in found.places.values()), strict=True):
        known = dict(zip(found.places, places, strict=True))
        assert encoding.rows([configured(DEEP, known)])[0] == pytest.approx(row, abs=1e-3)


def configured(space, places):
    """Turn places back into a point."""
    point = {}
    for each in space.dimensions:
        found = places[axis_key(each)]
        if isinstance(each, Choice):
            option = each.options[int(found)]
            point |= {each.name: option.value, **configured(option.space, places)}
        elif isinstance(each, Ordinal):
            point[each.name] = each.values[round(found * (len(each.values) - 1))]
        else:
            point[each.name] = each.value(found)
    return point


def history(count, seed, noise=0.05, space=SPACE, function=truth):
    rng = np.random.default_rng(seed)
    points = [space.sample(rng) for _ in range(count)]
    return [
        Trial(number, point, TrialState.COMPLETE, tuple((function(point) + rng.normal(0, noise, 3)).tolist()))
        for number, point in enumerate(points)
    ]


@pytest.fixture(scope="module")
def studied():
    """A history of 40 trials, what it teaches, and functions drawn from that."""
    trials = history(40, 5)
    surrogate = learn(SPACE, trials, np.random.default_rng(6))
    return trials, surrogate, drawn(surrogate, 3000, np.random.default_rng(7))


def test_drawn_functions_have_the_posterior_mean_and_covariance(studied):
    _, surrogate, functions = studied
    rng = np.random.default_rng(8)
    rows = surrogate.encoding.rows([SPACE.sample(rng) for _ in range(60)])
    groups, hyperparameters = surrogate.encoding.scales, surrogate.hyperparameters
    values = functions(rows)
    process = gp.condition(surrogate.x, surrogate.spread, groups, hyperparameters)
    mean, variance = gp.predict(process, rows, surrogate.values)
    assert np.abs(values.mean(axis=1) - mean).max() < 0.1 * np.sqrt(variance).max()
    ratios = values.std(axis=1) / np.sqrt(variance)
    assert np.median(ratios) == pytest.approx(1.0, abs=0.1)
    assert ((ratios > 0.6) & (ratios < 1.6)).mean() > 0.9  # few cosines do worst close to the observations
    prior = gp.covariance(rows, rows, groups, hyperparameters)
    # 512 cosines: errors of about signal / sqrt(512), and as much again by the number of draws
    assert np.cov(functions.prior(rows)) == pytest.approx(prior, abs=0.25 * (hyperparameters.signal + gp.OFFSET))


def test_explained_is_what_is_predicted_of_each_trial_when_it_is_left_out(studied):
    _, surrogate, _ = studied
    groups, missed = surrogate.encoding.scales, []
    for left_out in range(len(surrogate.x)):
        rest = np.arange(len(surrogate.x)) != left_out
        process = gp.condition(surrogate.x[rest], surrogate.spread[rest], groups, surrogate.hyperparameters)
        mean, _ = gp.predict(process, surrogate.x[[left_out]], surrogate.values[rest])
        missed.append(surrogate.values[left_out] - mean[0])
    assert explained(surrogate) == pytest.approx(1 - np.mean(np.square(missed)) / np.var(surrogate.values), abs=1e-6)


@pytest.fixture(scope="module")
def explanation(studied):
    return explain(SPACE, studied[0], 0)


def test_forty_trials_tell_the_shares_within_their_errors(studied, explanation):
    """The truth: the known function, on the scale that the strategies measure its scores on."""
    seen = observe(studied[0])
    means = np.array([each.mean for each in seen.trials])
    order = np.argsort(means)

    def measured(point):
        return np.interp(truth(point), means[order], seen.values[order])

    expected = by_key(decompose(SPACE, exact(measured), np.random.default_rng(9)))
    for key, found in by_key(explanation.parts).items():
        assert abs(found.share - expected[key].share) < 3 * found.error + 0.01, key
        assert abs(found.inside - expected[key].inside) < 3 * found.inside_error + 0.01, key
        assert found.error < 0.06
    assert by_key(explanation.parts)["idle"].share < 0.01
    assert explanation.explained > 0.9
    assert explanation.trials == 40


def test_slices_follow_the_function_from_the_best_point(explanation):
    best = max(truth(each) for each in ({**explanation.slices[0].start},))
    assert best > 6  # of at most 8
    for each in explanation.slices:
        for row in each.rows:
            point = changed(next(d for d in (*SPACE.dimensions, INNER) if d.name == each.key), row.value, each.start)
            assert row.low <= row.score <= row.high
            if truth(point) > 4.5:  # half of the trials are better; worse ones count by their ranks
                assert row.score == pytest.approx(truth(point), abs=0.4), each.key
    rows = {row.value: row for each in explanation.slices if each.key == "a" for row in each.rows}
    assert list(rows) == [step / 8 for step in range(9)]
    averages = [row.average for row in rows.values()]
    assert averages == sorted(averages)


def test_the_same_history_gives_the_same_explanation(studied, explanation):
    assert explain(SPACE, studied[0], 0) == explanation


def test_trials_that_came_to_nothing_are_told_from_others():
    def lost(trial):
        return Trial(trial.number, trial.configuration, TrialState.DIVERGED, (None, None, None), reason="diverged")

    trials = [lost(each) if each.configuration["b"] > 0.6 else each for each in history(40, 10)]
    shares = by_key(explain(SPACE, trials, 0).parts)
    assert max(shares.values(), key=lambda each: each.share).key == "b"


@pytest.mark.parametrize(
    ("trials", "space", "sentence"),
    [
        (history(FEWEST - 1, 1), SPACE, "7 of 8 scored trials"),
        ([], SPACE, "0 of 8 scored trials"),
        (history(20, 1, noise=0, function=lambda _: 1.0), SPACE, "all trials have the same score"),
        (history(20, 1), SearchSpace((Ordinal("a", (1.0,), 1.0),)), "the space has one point only"),
    ],
)
def test_too_little_to_tell_is_said(trials, space, sentence):
    with pytest.raises(StudyError, match=sentence):
        explain(space, trials, 0)


def test_values_become_scores_along_the_trials_and_straight_on_beyond_the_best():
    found = scale(np.array([0.0, 2.0, -1.0, 1.0, 1.0]), np.array([0.5, 0.9, 0.2, 0.7, 0.6]))
    assert found.score(np.array([-5.0, -1.0, 0.0, 0.5, 2.0, 3.0])) == pytest.approx([0.2, 0.2, 0.5, 0.6, 0.9, 1.1])
    noisy = scale(np.array([0.0, 1.0, 2.0]), np.array([0.3, 0.2, 0.4]))
    assert noisy.score(np.array([1.0])) == pytest.approx([0.3])


@pytest.mark.parametrize(
    ("dimension", "values"),
    [
        (KIND, ["plain", "odd"]),
        (Real("r", 1e-4, 1.0, 0.1, "log"), [1e-4, 3.162e-4, 1e-3, 3.162e-3, 1e-2, 3.162e-2, 0.1, 0.3162, 1.0]),
        (Integer("n", 3, 6, 3), [3, 4, 5, 6]),
        (Integer("n", 0, 80, 3), [0, 10, 20, 30, 40, 50, 60, 70, 80]),
        (Ordinal("o", (0.0, 0.5), 0.0), [0.0, 0.5]),
        (Ordinal("o", tuple(range(17)), 0.0), [0, 2, 4, 6, 8, 10, 12, 14, 16]),
    ],
)
def test_slices_show_options_and_up_to_nine_numbers(dimension, values):
    assert shown_values(dimension) == values


def test_another_option_keeps_what_it_can_of_the_point():
    rate = {"kind.rate": 0.5}
    own = SearchSpace((Real("kind.rate", 0.0, 1.0, 0.1), INNER))
    other = SearchSpace((Real("kind.rate", 0.0, 2.0, 0.2), Real("kind.k", 0.0, 1.0, 0.7)))
    choice = Choice("kind", (Option("one", own), Option("two", other), Option("none")), "one")
    point = {"a": 1, "kind": "one", **rate, "kind.m": 0.3}
    assert changed(choice, "two", point) == {"a": 1, "kind": "two", **rate, "kind.k": 0.7}
    assert changed(choice, "none", point) == {"a": 1, "kind": "none"}
    assert changed(choice, "one", point) == point
    far = {"a": 1, "kind": "two", "kind.rate": 1.5, "kind.k": 0.1}
    assert changed(choice, "one", far) == {"a": 1, "kind": "one", "kind.rate": 0.1, "kind.m": 0.5}
    assert changed(INNER, 0.9, point) == {**point, "kind.m": 0.9}


def test_each_group_of_functions_sees_points_of_its_own():
    seen = {}

    def evaluate(group, rows):
        seen.setdefault(group, []).append(rows)
        return rows[:, :1]

    decompose(SPACE, evaluate, np.random.default_rng(11))
    assert sorted(seen) == list(range(GROUPS))
    firsts = [rows[0] for rows in seen.values()]
    assert len({each.tobytes() for each in firsts}) == GROUPS
    assert Encoding(SPACE).columns == firsts[0].shape[1]
