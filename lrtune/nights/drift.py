"""How far a score has moved from one night to the next, and how sure that is.

The scores of two nights are of rows that are partly the same, so that their errors go together. What the rows that both
nights have add to the two scores tells how much: with the influences ``a_i`` and ``b_i`` of the rows on the two means,

    r = sum over common rows of a_i * b_i / sqrt(sum of a_i^2 * sum of b_i^2)
    error^2 = e^2 + f^2 - 2 r e f

where ``e`` and ``f`` are the standard errors of the two scores. Nights without a row in common, and metrics that are no
mean over rows, have ``r = 0``: both uncertainties count in full.

That leaves out the luck of training, which all rows of a fold share. A common row is in a fold of tonight and in one of
the night before; the variance of a sum whose terms share clusters of two kinds is (Cameron, Gelbach and Miller 2011,
"Robust inference with multiway clustering", Journal of Business & Economic Statistics 29)::

    V = V_tonight + V_before - V_rows,    V_tonight = K / (K - 1) * sum over folds of (sum of d_i in the fold)^2

with ``d_i = a_i - b_i`` and ``V_rows`` the sum of all ``d_i^2``. ``V / V_rows`` is what tonight says of the luck
(`lrtune.nights.luck`), with ``K - 1`` degrees of freedom; a single night's may be below 1, or below 0.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lrtune.arrays import Array, Doubles
from lrtune.nights.luck import Luck
from lrtune.run.row_scores import MarkedRows

NORMAL = 1.959963985
"""Half of the width of a 95 % interval, in standard errors."""


class NightEstimate(NamedTuple):
    """An oriented score and its standard error."""

    score: float
    error: float


class Change(NamedTuple):
    """What a score gained since the night before (oriented), its 95 % interval and standard error."""

    mean: float
    low: float
    high: float
    error: float


class Common(NamedTuple):
    """What two nights have in common: so many of tonight's rows, and by how much their errors go together.

    ``luck`` is by how much more they differ than the rows say; None where fewer than two folds tell.
    """

    rows: int
    correlation: float
    luck: Luck | None = None


NOTHING_COMMON = Common(0, 0.0)


def estimate(score: float, low: float, high: float) -> NightEstimate:
    """Read a 95 % interval as that of a normal distribution.

    >>> estimate(0.9, 0.8, 1.0).error.__round__(4)
    0.051
    """
    return NightEstimate(score, (high - low) / (2.0 * NORMAL))


def change(
    now: NightEstimate,
    before: NightEstimate,
    correlation: float = 0.0,
    *,
    ratio: float = 1.0,
    width: float = NORMAL,
) -> Change:
    """Compare two nights.

    Parameters
    ----------
    now, before
        Their scores, with the errors that the rows say.
    correlation
        Of these errors.
    ratio
        By which the variance is larger for the luck of training.
    width
        Half of the width of the interval, in standard errors.

    >>> [round(each, 3) for each in change(NightEstimate(0.8, 0.03), NightEstimate(0.9, 0.04))]
    [-0.1, -0.198, -0.002, 0.05]
    """
    square = now.error**2 + before.error**2 - 2.0 * correlation * now.error * before.error
    error, mean = math.sqrt(max(square, 0.0) * ratio), now.score - before.score
    return Change(mean, mean - width * error, mean + width * error, error)


def common(now: MarkedRows, before: MarkedRows) -> Common:
    """Find the rows that two nights have in common; rows that are equal in all cells count together."""
    here, there = _Influences.of(now), _Influences.of(before)
    shared, mine, theirs = np.intersect1d(here.marks, there.marks, assume_unique=True, return_indices=True)
    whole = math.sqrt(float(np.square(here.sums).sum()) * float(np.square(there.sums).sum()))
    rows = int(np.isin(now.marks, shared).sum())
    if not rows or whole == 0.0:
        return Common(rows, 0.0)
    correlation = min(float(here.sums[mine] @ there.sums[theirs]) / whole, 1.0)
    return Common(rows, correlation, _luck(here, there, mine, theirs))


class _Influences(NamedTuple):
    """What rows add to a mean: each (n,), and those that are equal together, ``sums (M,)`` and ``counts (M,)``."""

    marks: Array
    places: Array
    single: Doubles
    sums: Doubles
    counts: Array
    folds: Array

    @classmethod
    def of(cls, rows: MarkedRows) -> _Influences:
        marks, places, counts = np.unique(rows.marks, return_inverse=True, return_counts=True)
        single = (rows.values - rows.values.mean()) / len(rows.values)
        return cls(marks, places, single, np.bincount(places, single).astype(np.float64), counts, rows.folds)


def _luck(here: _Influences, there: _Influences, mine: Array, theirs: Array) -> Luck | None:
    """Compare the variance between folds with that between rows."""
    other, others = np.zeros(len(here.marks)), np.zeros(len(there.marks))
    other[mine], others[theirs] = there.sums[theirs], here.sums[mine]
    found = [_excess(here, other), _excess(there, others)]
    by_rows = float(np.square(here.sums - other).sum() + np.square(np.delete(there.sums, theirs)).sum())
    excesses, freedoms = zip(*found, strict=True)
    if by_rows == 0.0 or not min(freedoms):
        return None
    return Luck(1.0 + sum(excesses) / by_rows, min(freedoms))


def _excess(own: _Influences, other: Doubles) -> tuple[float, int]:
    """Give by how much the variance between folds exceeds that of their rows, and its degrees of freedom.

    With repeats a row is in a fold of each. Its value is the mean over them, and has the luck of one by its share only;
    so has the score.
    """
    repeats = own.folds.shape[1]
    is_in = own.folds >= 0
    freedom = len(np.unique(own.folds[is_in])) - repeats
    if freedom < 1:
        return 0.0, 0
    differences = own.single - (other / own.counts)[own.places]
    each = np.broadcast_to(differences[:, None], is_in.shape)[is_in]
    between = float(np.square(np.bincount(own.folds[is_in], each)).sum())
    return between * (freedom + repeats) / freedom - float(np.square(each).sum()), freedom
