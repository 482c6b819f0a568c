"""What the Gaussian process thinks of the trials themselves, and how that depends on their scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lrtune.arrays import SAMPLING, Doubles, stream
from lrtune.sampling import gaussian_process as gp
from lrtune.sampling.scores import transformed
from lrtune.sampling.surrogate import Surrogate, learn
from lrtune.space import SearchSpace
from lrtune.space.trial import Trial


class Posterior(NamedTuple):
    """The process at some trials.

    Attributes
    ----------
    means
        Their mean scores (C,).
    values
        Posterior means of the function there (C,), on the standardised scale of the process.
    weights
        How much each value changes for a change of each mean score (C, C). The hyperparameters are taken as given, and
        so is the compression of the worse half: of those scores only the ranks count.

    """

    means: Doubles
    values: Doubles
    weights: Doubles


def posterior(space: SearchSpace, history: Sequence[Trial], trials: Sequence[Trial], seed: int) -> Posterior | None:
    """Ask the process that a history teaches about some of its complete trials; None if it teaches nothing.

    Rasmussen & Williams 2006, eq. 2.25: the posterior mean is a linear function of the observations.
    """
    surrogate = learn(space, history, stream(seed, SAMPLING, len(history), 1))
    points = [space.point(each.configuration) for each in trials]
    if surrogate is None or any(each is None for each in points):
        return None
    rows = surrogate.encoding.rows([each for each in points if each is not None])
    process = gp.condition(surrogate.x, surrogate.spread, surrogate.encoding.scales, surrogate.hyperparameters)
    cross = gp.covariance(surrogate.x, rows, process.groups, process.hyperparameters)
    on_values = process.weights(cross).T
    means = np.array([each.mean for each in trials], dtype=np.float64)
    changes = _changes(space, surrogate, trials, means)
    return Posterior(means, on_values @ surrogate.values, on_values @ changes)


def _changes(space: SearchSpace, surrogate: Surrogate, trials: Sequence[Trial], means: Doubles) -> Doubles:
    """Tell how the process's observations change with the trials' mean scores (N, C)."""
    places: dict[object, list[int]] = {}
    for place, point in enumerate(surrogate.points):
        places.setdefault(space.key(point), []).append(place)
    _, scale = transformed(means)
    better = means >= np.median(means)
    changes = np.zeros((len(surrogate.points), len(trials)))
    for column, each in enumerate(trials):
        if better[column] and (found := places.get(space.key(each.configuration))):
            changes[found.pop(0), column] = 1.0 / scale
    return changes
