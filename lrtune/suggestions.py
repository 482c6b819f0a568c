"""The search strategies as a function of plain values, for other programs.

>>> suggest({"learning_rate": {"low": 0.001, "high": 1.0, "scale": "log"}, "depth": [1, 2, 3]}, [], 1)
[{'learning_rate': 0.03162, 'depth': 2}]
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from lrtune.dimensions import LINEAR, LOG, SCALES, Dimension, Integer, Ordinal, Real, spaced
from lrtune.errors import SpaceError, nearest
from lrtune.experiment import parse_space
from lrtune.experiment.vocabulary import KEYS
from lrtune.sampling import STRATEGIES
from lrtune.space import Choice, Option, SearchSpace
from lrtune.trial import Trial, TrialState, Value

Scores: TypeAlias = float | Sequence[float | None] | Mapping[int, float | None] | None
"""One score, or one for each fold, or some folds' by their numbers; None or NaN where the training came to nothing."""


def suggest(
    space: Mapping[str, Any],
    history: Iterable[tuple[Mapping[str, Any], Scores]],
    n: int = 1,
    seed: int = 0,
    strategy: str = "bayesian",
) -> list[dict[str, Any]]:
    """Suggest the next `n` configurations of a search; fewer if nothing is left to try.

    Parameters
    ----------
    space
        What may be tried, in the form of the experiment file: a scalar is fixed, a list means pick one,
        ``{"low": .., "high": .., "scale": "log"}`` is a range (of whole numbers if both ends are), and an item of a
        list that is a mapping with one key is a branch with factors of its own. If all keys are lrtune's own, they are
        checked as in the file; otherwise names and values are taken as they are.
    history
        Every configuration suggested so far with its score, in the order of suggestion: larger is better. With fold
        scores, a configuration that was not run on all folds has a shorter list, or a mapping from fold number to
        score, and an empty list if it is still running.
    n
        How many come next.
    seed
        Equal arguments give equal suggestions.
    strategy
        A name in `lrtune.sampling.STRATEGIES`.

    Returns
    -------
    list[dict[str, Any]]
        Flat configurations, such as ``{"optimizer": "momentum", "optimizer.momentum": 0.9}``. The first of a search is
        the default configuration.

    Raises
    ------
    ExperimentError, SpaceError
        If the space, the strategy or the history is wrong.

    """
    if strategy not in STRATEGIES:
        raise SpaceError(f"unknown strategy '{strategy}'; {nearest(strategy, STRATEGIES)}")
    tree = read_space(space)
    trials = [_trial(number, *each) for number, each in enumerate(history)]
    for each in trials:
        if not tree.contains(each.configuration):
            raise SpaceError(f"history, entry {each.number}: not a point of the space: {dict(each.configuration)}")
    return [dict(each) for each in STRATEGIES[strategy](tree, trials, n, seed)]


def read_space(space: Mapping[str, Any]) -> SearchSpace:
    """Read a space in the form of the experiment file; one with foreign names is taken as it is.

    Raises
    ------
    ExperimentError, SpaceError
        If it is wrong.

    """
    if all(each in KEYS for each in space):
        return parse_space(space)
    return SearchSpace(tuple(_dimension(str(key), key, value) for key, value in space.items()))


_RANGE = ("low", "high", "scale", "points")


def _dimension(name: str, where: str, value: Any) -> Dimension:
    if isinstance(value, Mapping):
        return _range(name, where, value)
    items = list(value) if isinstance(value, list | tuple) else [value]
    if not items:
        raise SpaceError(f"space: {where}: an empty list offers nothing to pick")
    numbers = sorted(each for each in items if isinstance(each, int | float) and not isinstance(each, bool))
    if len(numbers) == len(items):
        if len(set(numbers)) < len(numbers):
            raise SpaceError(f"space: {where}: a number is listed twice")
        return Ordinal(name, tuple(numbers), numbers[len(numbers) // 2])
    options = tuple(_option(name, where, each) for each in items)
    if len({(isinstance(each.value, bool), each.value) for each in options}) < len(options):
        raise SpaceError(f"space: {where}: an option is listed twice")
    return Choice(name, options, options[0].value)


def _option(name: str, where: str, item: Any) -> Option:
    if not isinstance(item, Mapping):
        return Option(_frozen(item))
    if len(item) != 1:
        raise SpaceError(f"space: {where}: a branch is a mapping with one key, got {len(item)} keys")
    ((value, factors),) = item.items()
    inner = dict(factors or {})
    return Option(
        value, SearchSpace(tuple(_dimension(f"{name}.{key}", f"{where}.{value}.{key}", inner[key]) for key in inner))
    )


def _range(name: str, where: str, value: Mapping[str, Any]) -> Dimension:
    unknown = [str(each) for each in value if each not in _RANGE]
    if unknown:
        raise SpaceError(f"space: {where}: unknown key of a range '{unknown[0]}'; {nearest(unknown[0], _RANGE)}")
    low: Any = value.get("low")
    high: Any = value.get("high")
    scale, points = value.get("scale", LINEAR), value.get("points")
    if scale not in SCALES:
        raise SpaceError(f"space: {where}: unknown scale '{scale}'; {nearest(str(scale), SCALES)}")
    if not _is_number(low) or not _is_number(high) or not low < high:
        raise SpaceError(f"space: {where}: a range needs numbers, low below high; got {low} and {high}")
    if scale != LINEAR and (low <= 0 if scale == LOG else high >= 1):
        raise SpaceError(f"space: {where}: a {scale} scale does not reach from {low} to {high}; `scale: linear` does")
    whole = isinstance(low, int) and isinstance(high, int)
    if points is not None:
        if type(points) is not int or points < 2:
            raise SpaceError(f"space: {where}: points is a whole number of at least 2; got {points}")
        values = spaced(low, high, points, scale=scale, whole=whole)
        return Ordinal(name, values, values[len(values) // 2], scale)
    if whole:
        dimension = Integer(name, low, high, low, scale)
        return Integer(name, low, high, dimension.value(0.5), scale)
    return Real(name, low, high, Real(name, low, high, low, scale).value(0.5), scale)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _trial(number: int, configuration: Mapping[str, Any], scores: Scores) -> Trial:
    point = {key: _frozen(value) for key, value in configuration.items()}
    listed: dict[int, Any] = dict(scores) if isinstance(scores, Mapping) else dict(enumerate(_several(scores)))
    for each in listed.values():
        if each is not None and not isinstance(each, numbers.Real):
            raise SpaceError(f"history, entry {number}: a score is a number or None; got {each!r}")
    finite = {fold: float(each) for fold, each in listed.items() if each is not None and math.isfinite(each)}
    folds = tuple(finite.get(fold) for fold in range(max(listed, default=-1) + 1))
    if not listed:
        return Trial(number, point)
    if len(finite) < len(listed):
        return Trial(number, point, TrialState.DIVERGED, folds, reason="not finite")
    return Trial(number, point, TrialState.COMPLETE if None not in folds else TrialState.PRUNED, folds)


def _several(scores: Any) -> Iterable[Any]:
    alone = scores is None or isinstance(scores, numbers.Real | str)
    return (scores,) if alone else scores


def _frozen(value: Any) -> Value:
    return tuple(value) if isinstance(value, list) else value
