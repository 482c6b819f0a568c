"""Which dimensions mattered: how the predicted scores vary over the space, and what that variation comes from.

The functions that a study leaves possible (`lrtune.verdict.explanation.functions`) are split by functional analysis of
variance (Hutter et al. 2014, "An efficient approach for assessing hyperparameter importance"), over all points of the
space: options all alike, numbers uniform on their scale. A dimension ``d`` that every point has accounts for

    Var(E[f | x_d]) / Var(f),

and one that exists only in a branch ``b``, which a share ``p_b`` of the points takes, for

    p_b Var(E[f | b, x_d] | b) / Var(f),

where the branch's own effect is not counted: it belongs to the choice. These parts are uncorrelated, so that they add
up to at most one; the rest is what dimensions do only together. Inside its branches a dimension accounts for
``sum_b p_b Var(E[f | b, x_d] | b) / sum_b p_b Var(f | b)``. A key that several branches have is one dimension.

Scores are taken as the strategies take them (`lrtune.sampling.scores`): at their distances above the median, by their
ranks below, because the depth of a disaster is no information about what to choose.

Each group of functions sees points of its own, so that the errors, standard deviations over the functions, hold what
the study does not know and what the points leave open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from lrtune.arrays import Array
from lrtune.sampling.encoding import Encoding, axis_key
from lrtune.space import Choice, Option, SearchSpace, Where
from lrtune.space.dimensions import Dimension
from lrtune.verdict.explanation.points import points_of

Evaluate = Callable[[int, Array], Array]
"""Evaluates the functions of a group, by its number, at encoded points (M, columns): (M, functions)."""

GROUPS = 8
_ROOT_POINTS, _BRANCH_POINTS = 1024, 384  # of each group
_BINS = 16


class Inside(NamedTuple):
    """What a dimension accounts for inside one branch: the options that lead there, their probability, the share."""

    where: Where
    probability: float
    share: float
    error: float


class Share(NamedTuple):
    """What a dimension accounts for.

    Attributes
    ----------
    key
        Its name.
    share, error
        Of the variance over the whole space, and the standard deviation of that.
    inside, inside_error
        Of the variance over those points that have it.
    branches
        The same, branch by branch.

    """

    key: str
    share: float
    error: float
    inside: float
    inside_error: float
    branches: tuple[Inside, ...]

    @property
    def probability(self) -> float:
        """Share of the points that have this dimension."""
        return sum(each.probability for each in self.branches)


class Decomposition(NamedTuple):
    """Every dimension's share, the largest first, and what dimensions do only together."""

    shares: tuple[Share, ...]
    together: float
    together_error: float


class Branch(NamedTuple):
    """A part of the tree: how to get there, how likely that is, the points that are there, and its own dimensions."""

    where: Where
    probability: float
    space: SearchSpace
    dimensions: tuple[Dimension, ...]


def branches(space: SearchSpace) -> Iterator[Branch]:
    """List the root and every option's space; a branch's points are whole points of the space that take its options."""
    return _branches(space, (), 1.0, lambda inner: inner)


def _branches(
    space: SearchSpace, where: Where, probability: float, whole: Callable[[SearchSpace], SearchSpace]
) -> Iterator[Branch]:
    yield Branch(where, probability, whole(space), space.dimensions)
    for each in space.dimensions:
        if not isinstance(each, Choice):
            continue
        for option in each.options:
            yield from _branches(
                option.space,
                (*where, (each.name, option.value)),
                probability / len(each.options),
                _taking(space, each, option, whole),
            )


def _taking(
    space: SearchSpace, choice: Choice, option: Option, whole: Callable[[SearchSpace], SearchSpace]
) -> Callable[[SearchSpace], SearchSpace]:
    """Put a space in the place of an option's own, and leave that option as the only one."""

    def narrowed(inner: SearchSpace) -> SearchSpace:
        only = Choice(choice.name, (Option(option.value, inner),), option.value)
        return whole(SearchSpace(tuple(only if each is choice else each for each in space.dimensions)))

    return narrowed


def decompose(space: SearchSpace, evaluate: Evaluate, rng: np.random.Generator) -> Decomposition:
    """Split the variance of functions over a space.

    Parameters
    ----------
    space
        What they are functions of.
    evaluate
        The functions, in `GROUPS` groups.
    rng
        Draws the points.

    """
    encoding = Encoding(space)
    total = np.empty(0)
    parts: dict[str, list[tuple[Branch, Array, Array]]] = defaultdict(list)  # effects and variances inside (S,)
    for branch in branches(space):
        varied = [each for each in branch.dimensions if each.size > 1]
        if not varied and branch.where:
            continue
        effects, variance = _effects(branch, varied, encoding, evaluate, rng)
        total = total if branch.where else variance
        for dimension, effect in zip(varied, effects, strict=True):
            parts[dimension.name].append((branch, effect, variance))
    shares = [_share(key, each, total) for key, each in parts.items()]
    all_shares = sum(
        (branch.probability * effect for each in parts.values() for branch, effect, _ in each), np.zeros(len(total))
    )
    together = 1.0 - all_shares / total
    ordered = sorted(shares, key=lambda each: -each.share)
    return Decomposition(tuple(ordered), max(0.0, float(together.mean())), float(together.std()))


def _share(key: str, parts: Sequence[tuple[Branch, Array, Array]], total: Array) -> Share:
    weighted = np.asarray(sum(branch.probability * effect for branch, effect, _ in parts))
    around = np.asarray(sum(branch.probability * variance for branch, _, variance in parts))
    found = tuple(Inside(branch.where, branch.probability, *_summary(effect, own)) for branch, effect, own in parts)
    return Share(key, *_summary(weighted, total), *_summary(weighted, around), found)


def _summary(effect: Array, variance: Array) -> tuple[float, float]:
    """Mean (not negative, as an unbiased estimate of nothing may be) and standard deviation of a share."""
    shares = effect / np.maximum(variance, 1e-300)
    return max(0.0, float(shares.mean())), float(shares.std())


def _effects(
    branch: Branch,
    dimensions: Sequence[Dimension],
    encoding: Encoding,
    evaluate: Evaluate,
    rng: np.random.Generator,
) -> tuple[list[Array], Array]:
    """Estimate Var(E[f | x_d]) of each dimension, and Var(f), over the points of a branch; (S,) each."""
    count = _BRANCH_POINTS if branch.where else _ROOT_POINTS
    effects: list[list[Array]] = [[] for _ in dimensions]
    variances = []
    for group in range(GROUPS):
        points = points_of(branch.space, encoding, count, rng)
        values = evaluate(group, points.rows)
        variances.append(values.var(axis=0, ddof=1))
        for found, dimension in zip(effects, dimensions, strict=True):
            found.append(between(values, bins(dimension, points.places[axis_key(dimension)])))
    return [np.concatenate(each) for each in effects], np.concatenate(variances)


def bins(dimension: Dimension, places: Array) -> np.ndarray:
    """Sort points by their places in a dimension (M,): options and few numbers as they are, else 16 bins."""
    if isinstance(dimension, Choice):
        return places.astype(int)
    if dimension.size <= _BINS:
        return np.unique(places, return_inverse=True)[1]
    return np.asarray(np.minimum((places * _BINS).astype(int), _BINS - 1))


def between(values: Array, groups: np.ndarray) -> Array:
    """Estimate the variance of the groups' expectations (S,) from values (M, S), without bias.

    The sum of squares between ``B`` groups expects ``M`` times that variance, plus ``B - 1`` times the variance within
    the groups (one-way analysis of variance).
    """
    member = (np.unique(groups)[:, None] == groups).astype(float)
    sizes = member.sum(axis=1)
    if len(sizes) < 2:
        return np.zeros(values.shape[1])
    sums = member @ values
    means, mean = sums / sizes[:, None], values.mean(axis=0)
    square = sizes @ (means - mean) ** 2
    inner = ((values - mean) ** 2).sum(axis=0) - square
    within = inner / (len(values) - len(sizes))
    return np.asarray((square - (len(sizes) - 1) * within) / len(values))
