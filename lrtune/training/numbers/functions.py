"""What encoders of numbers fit, and what they compute: values ``(N, n)`` of ``N`` rows, without missing ones.

Columns are brought to about 1 by a power of two before anything is computed, which is exact, so that squares and
differences neither overflow nor vanish.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from lrtune.arrays import Floats, Integers
from lrtune.training.numbers import BINS

Parts: TypeAlias = Mapping[str, Floats]
"""What was fitted, by name; the first axis of each array has the ``n`` numbers."""

FARTHEST = 1e9
"""Units of spread at which a number ends: farther ones would overflow in single precision and take the scores of all
rows with them. Training rows never come near."""

LIMIT = 3.0
"""What numbers that are pulled in never reach."""

_EPSILON, _LEAST = np.finfo(np.float64).eps, np.finfo(np.float64).tiny  # the inverse of less overflows


def standard(values: Floats) -> Parts:
    """Fit mean and inverse standard deviation of each column, 0 for the inverse where there is no spread.

    "No spread" allows for what rounding the mean leaves behind, as in scikit-learn's `StandardScaler`.
    """
    if not values.size:
        return _nothing(values)
    small, exponents = _near_one(values)
    mean = small.mean(axis=0)
    variance = np.square(small - mean).mean(axis=0)
    rounding = len(values) * _EPSILON * variance + np.square(len(values) * mean * _EPSILON)
    spread = np.where(variance > rounding, np.sqrt(variance), np.inf)
    return _shift_and_factor(mean, 1.0 / spread, exponents)


def robust(values: Floats) -> Parts:
    """Fit the median and the inverse interquartile range of each column.

    Where that range is zero, the inverse is that of half the whole range; where that is zero too, it is 0.
    """
    if not values.size:
        return _nothing(values)
    small, exponents = _near_one(values)
    low, first, median, third, high = np.quantile(small, (0.0, 0.25, 0.5, 0.75, 1.0), axis=0)
    middle, half = _length(first, third), _length(low, high) / 2.0
    spread = np.where(middle > _LEAST, middle, np.where(half > _LEAST, half, np.inf))
    return _shift_and_factor(median, 1.0 / spread, exponents)


def scaled(values: Floats, parts: Parts) -> Floats:
    """Compute ``(x - shift) * factor``, ended at `FARTHEST`."""
    result = values - parts["shift"]
    with np.errstate(over="ignore"):
        result *= parts["factor"]
    return np.clip(result, -FARTHEST, FARTHEST, out=result)


def pulled_in(values: Floats, parts: Parts) -> Floats:
    """Scale, then ``z / sqrt(1 + (z / 3)^2)``: hardly anything happens near 0, and nothing goes beyond 3."""
    result = scaled(values, parts)
    result /= np.sqrt(1.0 + np.square(result / LIMIT))
    return result


def piecewise(values: Floats) -> Parts:
    """Fit `standard`, and the edges of `BINS` bins on that scale: quantiles, or all values where they are few.

    Quantiles that are equal make no bin; edges are filled up with the last one.
    """
    parts = standard(values)
    edges = [_edges(column) for column in scaled(values, parts).T] if len(values) else []
    return {**parts, "edges": np.array(edges).reshape(values.shape[1], BINS + 1)}


def progress(values: Floats, parts: Parts) -> Floats:
    """Compute how far each number has come through each bin: 0 below it, 1 above, ``(N, n, BINS)``."""
    low, high = parts["edges"][:, :-1], parts["edges"][:, 1:]
    come = scaled(values, parts)[..., None] - low
    come /= np.where(high > low, high - low, np.inf)
    return np.clip(come, 0.0, 1.0, out=come)


def nothing_more(values: Floats, _parts: Parts) -> Floats:
    """Add no features."""
    return np.empty((*values.shape, 0))


def _edges(column: Floats) -> Floats:
    edges = np.unique(column)
    if len(edges) > BINS + 1:
        edges = np.unique(np.quantile(column, np.linspace(0.0, 1.0, BINS + 1)))
    return np.pad(edges, (0, BINS + 1 - len(edges)), mode="edge")


def _near_one(values: Floats) -> tuple[Floats, Integers]:
    """Divide each column by a power of two; give its exponent as well."""
    _, exponents = np.frexp(np.abs(values).max(axis=0))
    return np.ldexp(values, -exponents), exponents


def _length(low: Floats, high: Floats) -> Floats:
    """Measure ranges; what rounding may have made is none."""
    length = high - low
    return np.where(length > 4.0 * _EPSILON * np.maximum(np.abs(low), np.abs(high)), length, 0.0)


def _shift_and_factor(shift: Floats, factor: Floats, exponents: Integers) -> Parts:
    """Bring what was fitted back to the size of the values."""
    with np.errstate(over="ignore"):
        factor = np.ldexp(factor, -exponents)
    return {  # a spread below all numbers is none
        "shift": np.ldexp(shift, exponents),
        "factor": np.where(np.isfinite(factor), factor, 0.0),
    }


def _nothing(values: Floats) -> Parts:
    return {"shift": np.zeros(values.shape[1]), "factor": np.zeros(values.shape[1])}
