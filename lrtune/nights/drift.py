"""How far a score has moved from one night to the next, and how sure that is.

The scores of two nights are of rows that are partly the same, so that their errors go together. What the rows that both
nights have add to the two scores tells how much: with the influences ``a_i`` and ``b_i`` of the rows on the two means,

    r = sum over common rows of a_i * b_i / sqrt(sum of a_i^2 * sum of b_i^2)
    error^2 = e^2 + f^2 - 2 r e f

where ``e`` and ``f`` are the standard errors of the two scores. Nights without a row in common, and metrics that are no
mean over rows, have ``r = 0``: both uncertainties count in full.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lrtune.arrays import Array, Doubles
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
    """What two nights have in common: so many of tonight's rows, and by how much their errors go together."""

    rows: int
    correlation: float


NOTHING_COMMON = Common(0, 0.0)


def estimate(score: float, low: float, high: float) -> NightEstimate:
    """Read a 95 % interval as that of a normal distribution.

    >>> estimate(0.9, 0.8, 1.0).error.__round__(4)
    0.051
    """
    return NightEstimate(score, (high - low) / (2.0 * NORMAL))


def change(now: NightEstimate, before: NightEstimate, correlation: float = 0.0) -> Change:
    """Compare two nights.

    >>> [round(each, 3) for each in change(NightEstimate(0.8, 0.03), NightEstimate(0.9, 0.04))]
    [-0.1, -0.198, -0.002, 0.05]
    """
    square = now.error**2 + before.error**2 - 2.0 * correlation * now.error * before.error
    error, mean = math.sqrt(max(square, 0.0)), now.score - before.score
    return Change(mean, mean - NORMAL * error, mean + NORMAL * error, error)


def common(now: MarkedRows, before: MarkedRows) -> Common:
    """Find the rows that two nights have in common; rows that are equal in all cells count together."""
    (mine, ours), (marks, theirs) = (_influences(each) for each in (now, before))
    shared, here, there = np.intersect1d(mine, marks, assume_unique=True, return_indices=True)
    whole = math.sqrt(float(np.square(ours).sum()) * float(np.square(theirs).sum()))
    rows = int(np.isin(now.marks, shared).sum())
    if not rows or whole == 0.0:
        return Common(rows, 0.0)
    return Common(rows, min(float(ours[here] @ theirs[there]) / whole, 1.0))


def _influences(rows: MarkedRows) -> tuple[Array, Doubles]:
    marks, places = np.unique(rows.marks, return_inverse=True)
    influence = (rows.values - rows.values.mean()) / len(rows.values)
    return marks, np.bincount(places, influence).astype(np.float64)
