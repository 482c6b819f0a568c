"""Densities of groups of configurations: they are densities, and what is drawn has them."""

import itertools

import numpy as np
import pytest
from scipy import stats

from lrtune.sampling import tpe
from lrtune.sampling.encoding import Encoding
from lrtune.space import Choice, Option, SearchSpace
from lrtune.space.dimensions import LOG, Integer, Real
from lrtune.space.trial import Trial, TrialState

RANGE = SearchSpace((Real("x", 0.0, 1.0, 0.5),))
TREE = SearchSpace(
    (
        Choice(
            "a", (Option("deep", SearchSpace((Real("a.x", 1e-4, 1.0, 0.1, LOG),))), Option("flat"), Option("n")), "n"
        ),
        Integer("n", 1, 4, 2),
    )
)
GOOD = [{"a": "deep", "a.x": 0.9, "n": 1}, {"a": "deep", "a.x": 0.7, "n": 1}, {"a": "flat", "n": 4}]
FINE = 400


def density(space, group, points):
    axes = Encoding(space).axes
    return np.exp(tpe.log_density(tpe.parzen(space, axes, group), axes, *tpe.located(space, axes, points)))


def cells():
    """Cut the tree into parts, each with a point in its middle and its share of what random search draws."""
    for option, n in itertools.product(TREE.dimensions[0].options, range(1, 5)):
        middles = ((np.arange(FINE) + 0.5) / FINE).tolist() if option.space.dimensions else [0.5]
        for middle in middles:
            inside = {each.name: each.value(middle) for each in option.space.dimensions}
            yield {"a": option.value, "n": n, **inside}, 1 / 12 / len(middles)


@pytest.mark.parametrize("group", [GOOD, GOOD[:1], []], ids=["three", "one", "none"])
def test_a_density_has_the_mass_of_one(group):
    points, shares = zip(*cells(), strict=True)
    assert np.array(shares) @ density(TREE, group, points) == pytest.approx(1.0, rel=1e-3)


def test_what_is_drawn_has_the_density():
    parzen, rng = tpe.parzen(TREE, Encoding(TREE).axes, GOOD), np.random.default_rng(0)
    drawn = [tpe._draw(TREE, parzen, rng) for _ in range(20_000)]
    points, shares = zip(*cells(), strict=True)
    mass = np.array(shares) * density(TREE, GOOD, points)

    def kind(point):
        return point["a"], point["n"], point.get("a.x", 0.0) > 0.1

    expected, found = {}, dict.fromkeys(map(kind, points), 0)
    for point, share in zip(points, mass.tolist(), strict=True):
        expected[kind(point)] = expected.get(kind(point), 0.0) + share
    for point in drawn:
        found[kind(point)] += 1
    scale = 20_000 / sum(expected.values())
    assert stats.chisquare(list(found.values()), [scale * expected[each] for each in found]).pvalue > 1e-3


@pytest.mark.parametrize("count", [4, 16])
@pytest.mark.parametrize("space", [RANGE, SearchSpace((*RANGE.dimensions, Real("y", 0.0, 1.0, 0.5)))])
def test_components_get_narrower_by_scotts_rule(space, count):
    points = [space.sample(np.random.default_rng(number)) for number in range(count)]
    axes = Encoding(space).axes
    scott = stats.gaussian_kde(np.random.default_rng(0).random((len(axes), count))).scotts_factor()
    ratio = tpe.parzen(space, axes, points).width / tpe.parzen(space, axes, points[:1]).width
    assert ratio == pytest.approx(scott, rel=1e-12)


def history(count):
    """Score random points of a range by how near they are to its upper end."""
    places = np.random.default_rng(1).random(count).round(4).tolist()
    return [Trial(number, {"x": each}, TrialState.COMPLETE, (each,)) for number, each in enumerate(places)]


@pytest.mark.parametrize(("count", "good"), [(16, 4), (17, 5), (100, 10), (900, 25)])
def test_the_good_ones_are_the_best_by_the_root_of_all(count, good):
    trials = history(count)
    best, rest = tpe._groups(RANGE, trials)
    assert (len(best), len(rest)) == (good, count - good)
    assert min(each["x"] for each in best) >= max(each["x"] for each in rest)


def test_what_a_round_has_proposed_counts_among_the_rest(monkeypatch):
    groups, log_density = [], tpe.log_density

    def watched(density, *where):
        groups.append([each["x"] for each in density.points])
        return log_density(density, *where)

    monkeypatch.setattr(tpe, "log_density", watched)
    proposed = [each["x"] for each in tpe.propose(RANGE, history(30), 5, 0)]
    thin = groups[1::2]  # for each proposal the good ones, and the rest
    assert [len(each) for each in thin] == [24, 25, 26, 27, 28]
    assert thin[-1][24:] == proposed[:4]


def test_a_density_that_is_joined_by_a_point_is_that_of_all():
    points = [each.configuration for each in history(12)]
    axes = Encoding(RANGE).axes
    joined = tpe.joined(RANGE, axes, tpe.parzen(RANGE, axes, points[:-1]), points[-1])
    whole = tpe.parzen(RANGE, axes, points)
    assert (joined.points, joined.width) == (whole.points, whole.width)
    np.testing.assert_array_equal(joined.places, whole.places)
