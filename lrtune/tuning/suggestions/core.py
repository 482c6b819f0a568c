"""The search strategies as a function of plain values, for other programs.

>>> suggest({"learning_rate": {"low": 0.001, "high": 1.0, "scale": "log"}, "depth": [1, 2, 3]}, [], 1)
[{'learning_rate': 0.03162, 'depth': 2}]
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from lrtune.experiment.reading.document import Values
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.space import Choice, SearchSpace
from lrtune.space.dimensions import Dimension, Integer, Ordinal, Real
from lrtune.space.trial import Configuration, Trial, TrialState, Value, frozen
from lrtune.text.errors import SpaceError, nearest
from lrtune.tuning.suggestions.spaces import kind_of, plain, read_space

Scores: TypeAlias = float | Sequence[float | None] | Mapping[int, float | None] | None
"""One score, or one for each fold, or some folds' by their numbers; None or NaN where the training came to nothing."""


def suggest(
    space: Values,
    history: Iterable[tuple[Values, Scores]],
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
        Every configuration suggested so far with its score, in the order of suggestion: larger is better; None, NaN or
        an infinity where the training came to nothing. With fold scores, a configuration that was not run on all folds
        has a shorter list, or a mapping from fold number to score, and an empty list if it is still running.
    n
        How many come next; 0 or more.
    seed
        A whole number of at least 0; equal arguments give equal suggestions.
    strategy
        A name in `lrtune.sampling.catalogue.STRATEGIES`.

    Returns
    -------
    list[dict[str, Any]]
        Flat configurations, such as ``{"optimizer": "momentum", "optimizer.momentum": 0.9}``. The first of a search is
        the default configuration.

    Raises
    ------
    ExperimentError, SpaceError
        If an argument is wrong: where, and what would be right.

    """
    if strategy not in STRATEGIES:
        raise SpaceError(f"unknown strategy '{strategy}'; {nearest(str(strategy), STRATEGIES)}")
    count, start = _whole("n", n), _whole("seed", seed)
    tree = read_space(space)
    return [dict(each) for each in STRATEGIES[strategy](tree, read_history(history, tree), count, start)]


def _whole(name: str, value: Any) -> int:
    found = plain(value)
    if type(found) is not int or found < 0:
        raise SpaceError(f"{name}: expected a whole number of at least 0, got {value!r}")
    return found


def read_history(history: Iterable[tuple[Values, Scores]], space: SearchSpace) -> list[Trial]:
    """Read configurations with their scores as trials.

    Raises
    ------
    SpaceError
        If an entry is no pair, not a point of the space, has a key too many, or scores that are no numbers.

    """
    if isinstance(history, Mapping | str) or not isinstance(history, Iterable):
        raise SpaceError(f"history: expected a list of (configuration, scores), got {kind_of(history)}")
    trials = []
    for number, entry in enumerate(history):
        where = f"history, entry {number}"
        if not isinstance(entry, list | tuple) or len(entry) != 2 or not isinstance(entry[0], Mapping):
            raise SpaceError(f"{where}: expected (configuration, scores), got {entry!r}")
        point = {key: frozen(value) for key, value in plain(entry[0]).items()}
        wrong = next(_objections(space, point), None)
        if wrong:
            raise SpaceError(f"{where}: not a point of the space: {wrong}")
        trials.append(_trial(number, where, point, entry[1]))
    return trials


def _objections(space: SearchSpace, point: Mapping[str, Value]) -> Iterator[str]:
    """Say what keeps a configuration from being a point of a space, and which of its keys do not belong there."""
    found = space.point(point)
    if found is None:
        yield from _faults(space, point)
    for key in point:
        if found is not None and key not in found:
            known = set(space.names())
            yield f"'{key}' does not go with the rest" if key in known else f"unknown '{key}'; {nearest(key, found)}"


def _faults(space: SearchSpace, point: Mapping[str, Value]) -> Iterator[str]:
    for each in space.dimensions:
        if each.name not in point:
            others = [key for key in point if key not in space.names()]
            hint = f"; there is '{others[0]}'" if others else ""
            yield f"'{each.name}' is missing{hint}"
        elif isinstance(each, Choice) and (option := each.option(point[each.name])):
            yield from _faults(option.space, point)
        elif each.point(point) is None:
            yield f"{each.name} is {point[each.name]!r}; {_allowed(each)}"


def _allowed(dimension: Dimension) -> str:
    if isinstance(dimension, Choice):
        return "allowed: " + ", ".join(repr(each.value) for each in dimension.options)
    if isinstance(dimension, Ordinal):
        return "allowed: " + ", ".join(map(repr, dimension.values))
    assert isinstance(dimension, Real | Integer)
    return (
        f"a {'whole number' if isinstance(dimension, Integer) else 'number'} from {dimension.low} to {dimension.high}"
    )


def _trial(number: int, where: str, point: Configuration, scores: Any) -> Trial:
    listed = _by_fold(where, plain(scores))
    finite = {fold: float(each) for fold, each in listed.items() if each is not None and math.isfinite(each)}
    folds = tuple(finite.get(fold) for fold in range(max(listed, default=-1) + 1))
    if not listed:
        return Trial(number, point)
    if len(finite) < len(listed):
        return Trial(number, point, TrialState.DIVERGED, folds, reason="not finite")
    return Trial(number, point, TrialState.COMPLETE if None not in folds else TrialState.PRUNED, folds)


def _by_fold(where: str, scores: Any) -> dict[int, float | None]:
    if isinstance(scores, Mapping):
        listed: dict[Any, Any] = dict(scores)
    elif isinstance(scores, Iterable) and not isinstance(scores, str):
        listed = dict(enumerate(scores))
    else:
        listed = {0: scores}
    for fold, each in listed.items():
        if type(fold) is not int or fold < 0:
            raise SpaceError(f"{where}: folds are numbered from 0; got {fold!r}")
        if each is not None and (type(each) is bool or not isinstance(each, numbers.Real)):
            raise SpaceError(f"{where}: a score is a number or None; got {each!r}")
    return listed
