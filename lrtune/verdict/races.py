"""Which configurations go no further: arithmetic on scores, nothing else. Scores are oriented: larger is better.

**Racing over folds** (Tsamardinos et al. 2018, "Bootstrapping the out-of-sample predictions for efficient and accurate
cross-validation", there called BBCD-CV). A configuration is dropped if the rows of the folds seen so far say with high
probability that it is worse than the best. The probability is that of a bootstrap over these rows: ``d`` are the
differences best - configuration, row by row, ``P(worse)`` is the share of the resamples in which their mean is
positive. It is computed and not drawn, as the normal distribution that the bootstrap mean has in all but tiny samples,
so that a bootstrap over whole studies can replay a race at the cost of two sums::

    P(worse) = Phi(sum d / sqrt(sum (d - mean)^2))

Rows that belong together (a group, neighbours in time) are added up first, so that they are resampled together. Two
rows are added that have not been seen, one for the best and one against it, each of the typical size of differences
where there are any. Seven rows that differ and all speak for the best are then as convincing as the exact sign test has
them, where the bootstrap alone would see no doubt at all. With the log loss the row against the best is one of another
class than all predictions have it (`surprise`): a configuration that is sure of everything has the smallest loss as
long as no row is an exception, and its exception may well be in another fold.

**Beyond doubt.** A configuration is dropped above `SURE`. The best has been picked from `m` configurations, though, and
any of the others might be the true best. To keep the chance that this one is dropped in one decision below `RISK`, the
limit of each comparison is at least ``1 - RISK / (m - 1)`` (Bonferroni); where a round is looked at `l` times,
``1 - RISK / l / (m - 1)``.

**Futility**, as clinical trials stop for it (Snapinn et al. 2006, "Assessment of futility in clinical trials"). A
configuration is dropped when too little can be gained by going on. Behind by `z` standard errors, the gain to expect is
``E max(0, gain) = error * (phi(z) - z * (1 - Phi(z)))``, the expected improvement of Bayesian optimization. It is too
little below `WORTH` of the standard error that the comparison will have in the end: ``error * sqrt(seen)``, after a
share `seen` of the folds.

**Without rows** (F1, the area under the ROC curve: not means over rows) the folds speak: two-way analysis of variance,
``score = configuration + fold + noise``, with the same limit.

**Halving** keeps the best third.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lrtune.arrays import Doubles, Integers

Flags = npt.NDArray[np.bool_]

SURE = 0.99
"""Probability of being worse from which on a configuration is dropped, ..."""

RISK = 0.1
"""... as long as the chance that the true best of a round is dropped stays below this."""

WORTH = 0.1
"""Gain that makes another fold worth it, in standard errors of the difference on all folds."""

LEAST_UNITS = 10
"""Fewer rows, or groups of rows, than this say nothing."""

ETA = 3
"""Halving keeps one of so many, and divides the horizon by it."""

LEAST_EPOCHS = 3
"""The shortest horizon that a decay can be judged on."""


class Verdict(NamedTuple):
    """What a race says after a stage.

    Attributes
    ----------
    best
        Place of the configuration that the others were compared with.
    worse
        Probability that each is worse than it (C,); 0 for the best.
    limit
        What a configuration is dropped above.

    """

    best: int
    worse: Doubles
    limit: float

    @property
    def dropped(self) -> Flags:
        """Which configurations go no further (C,)."""
        return self.worse > self.limit


class RowScores(NamedTuple):
    """What a race by rows is decided on.

    Attributes
    ----------
    values
        Score of each row, larger is better (C, n); see `lrtune.training.metrics.scoring.row_values`.
    units
        Number of the group, or of the stretch of time, that each row belongs to (n,); None: all rows stand alone.
    exception
        Score of a row that is not what the others are (C,); see `lrtune.training.metrics.scoring.surprise`. None: no
        larger than any error.

    """

    values: Doubles
    units: Integers | None = None
    exception: Doubles | None = None


class RaceLook(NamedTuple):
    """A look at a race: what its limit follows from.

    Attributes
    ----------
    rivals
        How many configurations the best has been picked from.
    looks
        How often the race is looked at.
    seen
        Share of the folds that are over.

    """

    rivals: int
    looks: int = 1
    seen: float = 1.0


RaceLimit = Callable[[RaceLook], float]
"""Gives the probability of being worse above which a configuration is dropped."""


def beyond_doubt(look: RaceLook) -> float:
    """Drop what is worse than the best even if luck picked that one.

    >>> beyond_doubt(RaceLook(rivals=5)), beyond_doubt(RaceLook(rivals=51))
    (0.99, 0.998)
    """
    return max(SURE, 1.0 - RISK / look.looks / max(look.rivals - 1, 1))


def futile(look: RaceLook) -> float:
    """Drop what promises too little.

    >>> [round(futile(RaceLook(24, 4, seen)), 2) for seen in (0.2, 0.4, 0.6, 0.8)]
    [0.9, 0.87, 0.85, 0.83]
    """
    return _normal(_lead(WORTH * math.sqrt(look.seen)))


@cache
def _lead(gain: float) -> float:
    """Find the lead, in standard errors, that leaves so much to gain: Newton's method on a convex function."""
    lead = 0.0
    for _ in range(20):
        expected = math.exp(-0.5 * lead * lead) / math.sqrt(2.0 * math.pi) - lead * _normal(-lead)
        lead += (expected - gain) / _normal(-lead)
    return lead


def _normal(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def race_by_rows(rows: RowScores, limit: float, *, best: int | None = None) -> Verdict:
    """Compare configurations with the best of them on the same rows.

    Parameters
    ----------
    rows
        Their scores.
    limit
        Probability of being worse above which one is dropped.
    best
        Place of the best, if it is known; else the one with the largest mean, of equal ones the earlier.

    Returns
    -------
    Verdict
        Nothing is dropped on fewer than `LEAST_UNITS` units.

    """
    values, units, exception = rows
    best = int(np.argmax(values.mean(axis=1))) if best is None else best
    sums, sizes = _by_unit(values[best] - values, units)
    if len(sizes) < LEAST_UNITS:
        return Verdict(best, np.zeros(len(values)), limit)
    against = np.zeros(len(values)) if exception is None else exception[best] - exception
    return Verdict(best, _positive(sums, sizes, against), limit)


def _by_unit(differences: Doubles, units: Integers | None) -> tuple[Doubles, Doubles]:
    """Add up the differences of rows that belong together (C, U), and count these rows (U,)."""
    if units is None:
        return differences, np.ones(differences.shape[1])
    _, place = np.unique(units, return_inverse=True)
    sizes = np.bincount(place).astype(np.float64)
    return np.stack([np.bincount(place, each) for each in differences]), sizes


def _positive(sums: Doubles, sizes: Doubles, against: Doubles) -> Doubles:
    """Probability that a resample of the units, and of one for and one against, has a positive mean difference (C,)."""
    typical = np.sqrt(np.square(sums).sum(axis=1) / np.maximum((sums != 0).sum(axis=1), 1))
    unseen = np.stack([typical, np.minimum(against, -typical)], axis=1)
    everything = np.hstack([sums, unseen])
    weights = np.append(sizes, [sizes.mean()] * 2)
    total = everything.sum(axis=1)
    error = np.sqrt(np.square(everything - total[:, None] / weights.sum() * weights).sum(axis=1))
    z = np.divide(total, error, out=np.zeros_like(total), where=error > 0)
    return np.array([_normal(each) if each else 0.0 for each in z.tolist()])


def race_by_folds(scores: Doubles, limit: float) -> Verdict:
    """Compare configurations with the best of them by their scores on the same folds.

    The noise is that of the better half, because bad configurations are noisier and nobody asks about them.

    Parameters
    ----------
    scores
        Score of each configuration on each fold (C, K).
    limit
        As in `race_by_rows`.

    Returns
    -------
    Verdict
        Nothing is dropped on fewer than two folds, or of fewer than four configurations.

    """
    from scipy.special import stdtr

    means = scores.mean(axis=1)
    best = int(np.argmax(means))
    nothing = Verdict(best, np.zeros(len(scores)), limit)
    count, folds = scores.shape
    if folds < 2 or count < 4:
        return nothing
    better = scores[np.argsort(-means, kind="stable")[: max(4, count // 2)]]
    residuals = better - better.mean(axis=1, keepdims=True) - better.mean(axis=0) + better.mean()
    freedom = (folds - 1) * (len(better) - 1)
    error = math.sqrt(2.0 * float(np.square(residuals).sum()) / freedom / folds)
    if error == 0.0:
        return nothing
    worse = stdtr(freedom, (means[best] - means) / error)
    worse[best] = 0.0
    return Verdict(best, worse, limit)


def halved(scores: Sequence[float | None]) -> Flags:
    """Choose which of a rung's configurations go no further (C,): all but the best third, rounded up.

    Of equal scores the earlier one goes on. None, a run that diverged, never does.
    """
    values = np.array([-math.inf if each is None else each for each in scores])
    going = np.argsort(-values, kind="stable")[: -(-len(values) // ETA)]
    dropped = np.ones(len(values), dtype=bool)
    dropped[going] = False
    return dropped | np.isneginf(values)


def rungs(epochs: int) -> tuple[int, ...]:
    """List what a horizon is divided by at each stage of halving, the last time by 1.

    >>> rungs(30), rungs(10), rungs(4)
    ((9, 3, 1), (3, 1), (1,))
    """
    return tuple(each for each in (ETA**2, ETA, 1) if each == 1 or epochs >= LEAST_EPOCHS * each)
