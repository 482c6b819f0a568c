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

A configuration is dropped above `SURE`. The best has been picked from `m` configurations, though, and any of the others
might be the true best. To keep the chance that this one is dropped in one decision below `RISK`, the limit of each
comparison is at least ``1 - RISK / (m - 1)`` (Bonferroni); where a round is looked at `l` times, ``1 - RISK / l / (m -
1)``.

**Without rows** (F1, the area under the ROC curve: not means over rows) the folds speak: two-way analysis of variance,
``score = configuration + fold + noise``, with the same limit.

**Halving** keeps the best third.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lrtune.arrays import Doubles, Integers

Flags = npt.NDArray[np.bool_]

SURE = 0.99
"""Probability of being worse from which on a configuration is dropped, ..."""

RISK = 0.1
"""... as long as the chance that the true best of a round is dropped stays below this."""

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


def limit(rivals: int, looks: int = 1) -> float:
    """Probability above which a configuration is dropped in one of some looks at the best of `rivals`."""
    return max(SURE, 1.0 - RISK / looks / max(rivals - 1, 1))


def race_by_rows(rows: RowScores, *, rivals: int | None = None, best: int | None = None, looks: int = 1) -> Verdict:
    """Compare configurations with the best of them on the same rows.

    Parameters
    ----------
    rows
        Their scores.
    rivals
        How many configurations the best has been picked from, if there are more than these.
    best
        Its place, if it is known; else the one with the largest mean, of equal ones the earlier.
    looks
        How often they are looked at.

    Returns
    -------
    Verdict
        Nothing is dropped on fewer than `LEAST_UNITS` units.

    """
    values, units, exception = rows
    best = int(np.argmax(values.mean(axis=1))) if best is None else best
    bound = limit(len(values) if rivals is None else rivals, looks)
    sums, sizes = _by_unit(values[best] - values, units)
    if len(sizes) < LEAST_UNITS:
        return Verdict(best, np.zeros(len(values)), bound)
    against = np.zeros(len(values)) if exception is None else exception[best] - exception
    return Verdict(best, _positive(sums, sizes, against), bound)


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
    return np.array([0.5 * math.erfc(-each / math.sqrt(2.0)) if each else 0.0 for each in z.tolist()])


def race_by_folds(scores: Doubles, *, rivals: int | None = None, looks: int = 1) -> Verdict:
    """Compare configurations with the best of them by their scores on the same folds.

    The noise is that of the better half, because bad configurations are noisier and nobody asks about them.

    Parameters
    ----------
    scores
        Score of each configuration on each fold (C, K).
    rivals, looks
        As in `race_by_rows`.

    Returns
    -------
    Verdict
        Nothing is dropped on fewer than two folds, or of fewer than four configurations.

    """
    from scipy.special import stdtr

    means = scores.mean(axis=1)
    best = int(np.argmax(means))
    bound = limit(len(scores) if rivals is None else rivals, looks)
    nothing = Verdict(best, np.zeros(len(scores)), bound)
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
    return Verdict(best, worse, bound)


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
