"""What a study says about its space: which dimensions mattered, and what to expect of their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lrtune.arrays import IMPORTANCE, one_blas_thread, stream
from lrtune.sampling.scores import observe
from lrtune.sampling.surrogate import Surrogate, learn
from lrtune.space import SearchSpace
from lrtune.space.dimensions import Dimension
from lrtune.space.trial import Configuration, Trial
from lrtune.text.errors import StudyError
from lrtune.verdict.explanation.functions import drawn, explained
from lrtune.verdict.explanation.importance import GROUPS, Branch, Decomposition, branches, decompose
from lrtune.verdict.explanation.slices import Scale, Slice, scale, sliced

FEWEST = 8
"""Trials without which nothing is said."""

MOST = 120
"""Trials that the model sees: half are the best ones, half others at even steps of their ranks. More take seconds, and
move no share by more than what is said to be its error."""

_FUNCTIONS = 8  # of each group


class Explanation(NamedTuple):
    """Which dimensions mattered.

    Attributes
    ----------
    trials
        How many of them the model has seen.
    explained
        Share of the differences between trials that the model predicts for each from the others; at most 1, and
        negative for a model that is worse than none.
    parts
        Every dimension's share of the predicted scores' variance.
    slices
        Predictions along each dimension, in the same order.

    """

    trials: int
    explained: float
    parts: Decomposition
    slices: tuple[Slice, ...]


def explain(space: SearchSpace, history: Sequence[Trial], seed: int) -> Explanation:
    """Fit the model of Bayesian search to a history, whoever proposed it, and look at its predictions.

    Parameters
    ----------
    space
        What was searched.
    history
        The trials, in whatever state.
    seed
        The study's.

    Raises
    ------
    StudyError
        If there are too few trials to learn from, or none that differ.

    """
    rng = stream(seed, IMPORTANCE, len(history))
    with one_blas_thread():
        surrogate = _learned(space, history, rng)
        functions = [drawn(surrogate, _FUNCTIONS, rng) for _ in range(GROUPS)]
        parts = decompose(space, lambda group, rows: functions[group](rows), rng)
        scores = _scale(history)
        by_key = {
            key: sliced(*place, functions=functions, encoding=surrogate.encoding, scores=scores, rng=rng)
            for key, place in _starts(space, surrogate).items()
        }
    slices = tuple(by_key[each.key] for each in parts.shares if each.key in by_key)
    return Explanation(len(surrogate.points), explained(surrogate), parts, slices)


def _learned(space: SearchSpace, history: Sequence[Trial], rng: np.random.Generator) -> Surrogate:
    if not any(each.size > 1 for branch in branches(space) for each in branch.dimensions):
        raise StudyError("nothing was searched: the space has one point only")
    known = len(observe(history).trials)
    if known < FEWEST:
        raise StudyError(f"{known} of {FEWEST} scored trials, which are needed to tell what mattered")
    found = learn(space, history, rng, most=MOST)
    if found is None:
        raise StudyError("all trials have the same score, so that nothing mattered")
    return found


def _scale(history: Sequence[Trial]) -> Scale:
    """Pair what the model is fitted to with the scores of the trials that have one."""
    seen = observe(history)
    pairs = [(value, each.mean) for each, value in zip(seen.trials, seen.values, strict=True) if each.mean is not None]
    if not pairs:
        raise StudyError("no trial is complete, so that predictions have no scale")
    values, scores = np.array(pairs, dtype=float).T
    return scale(values, scores)


def _starts(space: SearchSpace, surrogate: Surrogate) -> dict[str, tuple[Branch, Dimension, Configuration]]:
    """Find for each dimension the best observed point that has it, and the branch that this point is in."""
    order = np.argsort(-surrogate.mean, kind="stable")
    best: dict[str, int] = {}
    found: dict[str, tuple[Branch, Dimension, Configuration]] = {}
    for branch in branches(space):
        ranked = ((rank, surrogate.points[number]) for rank, number in enumerate(order))
        rank, point = next(((rank, point) for rank, point in ranked if branch.space.contains(point)), (len(order), {}))
        for each in branch.dimensions if point else ():
            if each.size > 1 and rank < best.get(each.name, len(order)):
                best[each.name], found[each.name] = rank, (branch, each, point)
    return found
