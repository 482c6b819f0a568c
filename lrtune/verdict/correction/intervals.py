"""How sure a corrected score is: see ``w`` in the text of `lrtune.verdict.correction.core`."""

from __future__ import annotations

import math

import numpy as np

from lrtune.arrays import Doubles
from lrtune.training.metrics.catalogue import METRICS
from lrtune.verdict.comparison import Gain, t_quantile
from lrtune.verdict.correction.evidence import Evidence

LEVEL = 0.95

RETRAINING = 0.4
"""Variance that the delivered model adds, as a share of what other rows to be scored on add.

Another sample would have made another model, and of the models that one sample can give, one is delivered.
"""

_MANY = 1_000_000


def units_of(evidence: Evidence) -> int:
    """Count what is resampled as a whole: rows, groups or stretches of time."""
    assert evidence.observed is not None
    return len(np.unique(evidence.observed.units))


def narrowing_of(evidence: Evidence) -> float:
    """Give ``w`` of the module's text."""
    units = units_of(evidence)
    few = t_quantile(units - 1, LEVEL) / t_quantile(_MANY, LEVEL) * math.sqrt(units / (units - 1)) if units > 1 else 1.0
    return math.sqrt((1.0 + RETRAINING) / (math.e - 1.0)) * few


def no_narrower(evidence: Evidence, score: float, interval: tuple[float, float]) -> tuple[float, float]:
    """Widen the interval of a share to what it is at least: no resample has the errors that did not happen."""
    if not METRICS[evidence.metric].is_share:
        return interval
    assert evidence.observed is not None
    units = units_of(evidence) / evidence.observed.share
    low, high = wilson(score, units, t_quantile(_MANY, LEVEL) * math.sqrt(1.0 + RETRAINING))
    return min(interval[0], low), max(interval[1], high)


def wilson(share: float, count: float, quantile: float) -> tuple[float, float]:
    """Give the interval of a share that was seen among ``count`` (Wilson 1927, JASA 22).

    >>> [round(each, 4) for each in wilson(1.0, 100, 1.96)]
    [0.963, 1.0]
    """
    share, square = min(max(share, 0.0), 1.0), quantile**2
    middle = (share + square / (2.0 * count)) / (1.0 + square / count)
    half = quantile * math.sqrt(share * (1.0 - share) / count + square / (4.0 * count**2)) / (1.0 + square / count)
    return middle - half, middle + half


def _moved(narrow: Doubles, values: Doubles) -> Doubles:
    """Move numbers to the mean of others, where those are finite."""
    usable = np.isfinite(narrow) & np.isfinite(values)
    return np.asarray(narrow[usable] - narrow[usable].mean() + values[usable].mean())


def interval_of(narrow: Doubles, values: Doubles) -> tuple[float, float]:
    """Take the ends of the middle share of some numbers, moved to the mean of others."""
    moved = _moved(narrow, values)
    return float(np.quantile(moved, 0.5 - LEVEL / 2)), float(np.quantile(moved, 0.5 + LEVEL / 2))


def gain_of(narrow: Doubles, values: Doubles) -> Gain:
    """Put a gain together from one value for each resample, and the same narrowed."""
    low, high = interval_of(narrow, values)
    gains = values[np.isfinite(values)]
    probability = float(np.mean(gains > 0.0) + np.mean(gains == 0.0) / 2)
    return Gain(float(gains.mean()), low, high, probability)
