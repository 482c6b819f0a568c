"""What a search may still gain, against what its folds can tell apart.

With the process that Bayesian search fits, whatever strategy made the proposals, and ``beta_t`` for `t` trials in `d`
dimensions::

    gain = max over the space of (mean + sqrt(beta_t) * deviation)
           - max over the trials of (mean - sqrt(beta_t) * deviation)
    beta_t = 2 ln(d t^2 pi^2 / (6 delta)) / 5,  delta = 0.1
    error = s * sqrt(1 / K + validation rows / training rows)

Makarova et al. 2022, "Automatic termination for hyperparameter optimization" (the rule: stop when the gain is below
the error), after Srinivas et al. 2010 (beta, and its fifth) and Nadeau & Bengio 2003 (the error of a mean over folds
that share training rows). One thing is other than there: `s` is what the folds' scores deviate by when the effect of
each fold, which is the same for all configurations, has been taken away. It is smaller, so the search goes on longer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lrtune.arrays import SAMPLING, Doubles, stream
from lrtune.sampling import gaussian_process as gp
from lrtune.sampling.candidates import neighbour
from lrtune.sampling.scores import observe
from lrtune.sampling.surrogate import Surrogate, learn
from lrtune.space import SearchSpace
from lrtune.space.trial import Configuration, Trial, TrialState

DELTA = 0.1

_WHOLE, _POOL = 2000, 2000  # a space of at most so many points is looked through, of another so many are drawn
_NEAR, _BROOD, _WIDTHS = 8, 40, (0.2, 0.05, 0.0125)  # and so many around each of the best


def is_below_noise(space: SearchSpace, history: Sequence[Trial], *, rows_ratio: float, seed: int) -> bool:
    """Tell whether what may still be gained is less than the error of cross-validation.

    Parameters
    ----------
    space
        What is searched.
    history
        All trials, by number.
    rows_ratio
        Validation rows over training rows of a fold.
    seed
        The study's seed.

    Returns
    -------
    bool
        False as well where too little is known: no two different scores, or no noise that could be estimated.

    """
    rng = stream(seed, SAMPLING, len(history), 0, 1)
    noise = observe(history).noise
    surrogate = learn(space, history, rng)
    if surrogate is None or noise is None:
        return False
    folds = max(len(each.fold_scores) for each in history if each.state is TrialState.COMPLETE)
    error = math.sqrt(noise * (1.0 + folds * rows_ratio))  # `noise` is s^2 / K already
    return gain(surrogate, _pool(space, surrogate, rng), len(history)) < error


def gain(surrogate: Surrogate, points: Sequence[Configuration], trials: int) -> float:
    """Bound the difference between the best of some points, or of the trials, and the best trial; standardised."""
    process = gp.condition(surrogate.x, surrogate.spread, surrogate.encoding.scales, surrogate.hyperparameters)
    width = math.sqrt(beta(len(surrogate.hyperparameters.lengths), trials))
    seen, seen_width = _band(process, surrogate.x, surrogate.values, width)
    rows = surrogate.encoding.rows(points)
    unseen, unseen_width = _band(process, rows, surrogate.values, width)
    upper = max(float((seen + seen_width).max()), float((unseen + unseen_width).max()))
    return upper - float((seen - seen_width).max())


def _band(process: gp.Process, rows: Doubles, values: Doubles, width: float) -> tuple[Doubles, Doubles]:
    mean, variance = gp.predict(process, rows, values)
    return mean, width * np.sqrt(variance)


def beta(dimensions: int, trials: int) -> float:
    """Square of how many standard deviations the confidence bounds are away.

    >>> round(beta(3, 20), 3)
    3.956
    """
    return 2.0 * math.log(dimensions * trials**2 * math.pi**2 / (6.0 * DELTA)) / 5.0


def _pool(space: SearchSpace, surrogate: Surrogate, rng: np.random.Generator) -> list[Configuration]:
    if space.size <= _WHOLE:
        return [space.at(number) for number in range(int(space.size))]
    best = np.argsort(-surrogate.mean, kind="stable")[:_NEAR]
    around = [
        neighbour(space, surrogate.points[number], _WIDTHS[attempt % len(_WIDTHS)], rng)
        for number in best
        for attempt in range(_BROOD)
    ]
    return [*(space.sample(rng) for _ in range(_POOL)), *around]
