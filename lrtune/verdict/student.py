"""Student's t without a library: what a p-value or an interval of a comparison needs, and nothing to load for it.

The distribution function is a regularised incomplete beta function, ``F(t) = 1 - I_x(n / 2, 1 / 2) / 2`` for ``t >= 0``
with ``x = n / (n + t^2)``; that is computed by its continued fraction (DLMF 8.17.22) with the method of Lentz, to about
twelve digits.
"""

from __future__ import annotations

import math
from functools import cache

_TINY = 1e-300
_STEPS = 10_000
_ENOUGH = 1e-15


def cdf(t: float, freedom: float) -> float:
    """Give the probability of a value below ``t``, with ``freedom`` degrees of freedom.

    >>> cdf(0.0, 4), round(cdf(2.776, 4), 4), round(cdf(-2.776, 4), 4)
    (0.5, 0.975, 0.025)
    """
    if math.isinf(t):
        return float(t > 0)
    square = t * t
    tail = _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + square), square / (freedom + square)) / 2
    return 1.0 - tail if t > 0 else tail


@cache  # a command asks for the same one for each of its comparisons, and it takes fifty steps
def quantile(share: float, freedom: float) -> float:
    """Give the value below which lies a share of the distribution, 0 < share < 1.

    >>> round(quantile(0.975, 4), 3), round(quantile(0.5, 7), 3)
    (2.776, 0.0)
    """
    if share < 0.5:
        return -quantile(1.0 - share, freedom)
    low, high = 0.0, 1.0
    while cdf(high, freedom) < share:
        low, high = high, 2.0 * high
    while True:
        middle = (low + high) / 2
        if not low < middle < high:
            return middle
        low, high = (middle, high) if cdf(middle, freedom) < share else (low, middle)


def _incomplete_beta(a: float, b: float, x: float, complement: float) -> float:
    """Compute the regularised ``I_x(a, b)``; ``complement`` is ``1 - x``, which a subtraction would make inexact."""
    if complement <= 0.0 or x <= 0.0:
        return float(complement <= 0.0)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(complement))
    if x < (a + 1) / (a + b + 2):  # where the fraction converges quickly
        return front * _fraction(a, b, x) / a
    return 1.0 - front * _fraction(b, a, complement) / b


def _fraction(a: float, b: float, x: float) -> float:
    """Evaluate the continued fraction by Lentz's method."""
    c, d = 1.0, 1.0 / _away(1.0 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _STEPS):
        for factor in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / _away(1.0 + factor * d)
            c = _away(1.0 + factor / c)
            value *= d * c
        if abs(d * c - 1.0) < _ENOUGH:
            break
    return value


def _away(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
