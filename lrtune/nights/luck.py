"""By how much more two scores differ than their rows say: the luck of training.

A fold's model is one draw: of its initial weights, of the order of its rows, of the rows that it is trained on. What
that draw is worth all rows of the fold have in common, so that no resampling of rows shows it; that the folds differ by
more than their rows does. For one night that is known from a few folds only. So what was seen is pooled, as variances
of linear models of many genes are (Smyth 2004, "Linear models and empirical Bayes methods for assessing differential
expression in microarray experiments", Statistical Applications in Genetics and Molecular Biology 3)::

    ratio = max(1, (nu_0 * ratio_0 + sum of nu_n * ratio_n) / (nu_0 + sum of nu_n))

with ``nu_n`` degrees of freedom of each ``ratio_n``, and what is known before any night, ``nu_0`` and ``ratio_0``. An
error is larger by the root of the ratio, and what is divided by it follows Student's t with the sum of all degrees.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple


class Luck(NamedTuple):
    """Variance of a difference as the folds show it, over what the rows say, and its degrees of freedom."""

    ratio: float
    freedom: int


BEFORE = Luck(2.0, 12)
"""What gains of eight tables came to (maximum likelihood, with an F distribution), and drifts about as well.

The tables are california_housing, contraceptive, german, hotel_rates, phoneme, spambase, star_math3 and vowel; of three
folds and five epochs each.
"""


def pooled(seen: Iterable[Luck], before: Luck = BEFORE) -> Luck:
    """Put together what was seen; never less than what the rows say.

    >>> pooled([]), pooled([Luck(5.0, 2), Luck(4.0, 2)])
    (Luck(ratio=2.0, freedom=12), Luck(ratio=2.625, freedom=16))
    >>> pooled([Luck(0.0, 30)])
    Luck(ratio=1.0, freedom=42)
    """
    known = [before, *seen]
    freedom = sum(each.freedom for each in known)
    return Luck(max(1.0, math.fsum(each.freedom * each.ratio for each in known) / freedom), freedom)
