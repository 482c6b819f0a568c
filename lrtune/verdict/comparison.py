"""Whether one configuration is better than another, from scores on the same folds.

Folds of cross-validation share training rows, so that their scores are not independent and the ordinary paired t-test
finds differences where there are none. The corrected resampled t-test of Nadeau and Bengio (2003, "Inference for the
generalization error", Machine Learning 52) takes the variance of the mean of ``J`` paired differences to be

    (1 / J + rows_ratio) * s^2,    rows_ratio = validation rows / training rows of a fold,

with ``J - 1`` degrees of freedom, whether the ``J`` are folds or repeats of folds. Read the Bayesian way (Corani and
Benavoli 2015, "A Bayesian approach for comparing cross-validated algorithms", Machine Learning 100), the same Student's
t, centred on the mean, is what is believed about the difference; its mass above zero is the probability of being
better.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lrtune.space.trial import Trial
from lrtune.verdict.student import cdf, quantile

LIKELY = 0.9
"""From this probability on one configuration is likely to be better, even where it is not certain."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What one configuration gained over another on the same folds.

    Attributes
    ----------
    mean
        Mean of the oriented differences: positive where the first is better, whatever the metric's sign.
    error
        Standard error of that mean, corrected for folds that share training rows; None for one fold.
    wins, folds
        On how many folds the first is better, of how many.
    p
        Of the two-sided corrected resampled t-test that both are equally good; None for one fold.
    probability
        That the first is better; None for one fold.

    """

    mean: float
    error: float | None
    wins: int
    folds: int
    p: float | None = None
    probability: float | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the difference; None for one fold."""
        if self.error is None:
            return None
        half = t_quantile(self.folds - 1) * self.error
        return self.mean - half, self.mean + half

    @property
    def is_clear(self) -> bool:
        """Whether the folds can tell the two apart: the 95 % interval of the difference lies above zero."""
        found = self.interval
        return found is not None and found[0] > 0

    @property
    def is_likely(self) -> bool:
        """Whether the first is better with a probability of at least `LIKELY`, clear or not."""
        return self.probability is not None and self.probability >= LIKELY


@dataclass(frozen=True, slots=True)
class Gain:
    """What the choice gained over the default configuration, without the luck of having been chosen.

    Attributes
    ----------
    mean, low, high
        Oriented: positive where the choice is better; with the 95 % interval.
    probability
        Share of the resamples in which it is better; those in which both are equal count half.

    """

    mean: float
    low: float
    high: float
    probability: float


def difference(
    better: Sequence[float | None], other: Sequence[float | None], rows_ratio: float | None = None
) -> Difference | None:
    """Compare two configurations fold by fold.

    Parameters
    ----------
    better, other
        Their oriented scores on the same folds in the same order.
    rows_ratio
        Validation rows over training rows of a fold; by default ``1 / (K - 1)``, as in k-fold cross-validation that is
        not repeated.

    Returns
    -------
    Difference or None
        None unless both have a score on each of the same number of folds.

    >>> found = difference([0.90, 0.92, 0.91], [0.88, 0.89, 0.89])
    >>> round(found.mean, 4), round(found.error, 4), round(found.p, 4), round(found.probability, 4)
    (0.0233, 0.0053, 0.0474, 0.9763)
    """
    gaps = [first - second for first, second in zip(better, other, strict=False) if None not in (first, second)]  # type: ignore[operator]
    folds = len(gaps)
    if not folds or len({folds, len(better), len(other)}) > 1:
        return None
    mean, wins = math.fsum(gaps) / folds, sum(each > 0 for each in gaps)
    if folds == 1:
        return Difference(mean, None, wins, folds)
    error = corrected_error(gaps, 1 / (folds - 1) if rows_ratio is None else rows_ratio)
    below = _mass_below(mean, error, folds - 1)
    return Difference(mean, error, wins, folds, 2 * min(below, 1 - below), 1 - below)


def between(better: Trial, other: Trial, rows_ratio: float | None = None) -> Difference | None:
    """Compare two trials: `difference` of their fold scores."""
    return difference(better.fold_scores, other.fold_scores, rows_ratio)


def corrected_error(values: Sequence[float], rows_ratio: float) -> float:
    """Give the standard error of the mean of values from overlapping folds; see the module's formula."""
    mean = math.fsum(values) / len(values)
    variance = math.fsum((each - mean) ** 2 for each in values) / (len(values) - 1)
    return math.sqrt((1 / len(values) + rows_ratio) * variance)


def t_quantile(freedom: int, level: float = 0.95) -> float:
    """Give half of the width of a two-sided interval, in standard errors, from Student's t.

    >>> round(t_quantile(4), 3), round(t_quantile(9), 2), round(t_quantile(99), 2)
    (2.776, 2.26, 1.98)
    """
    return quantile(0.5 + level / 2, freedom)


def _mass_below(mean: float, error: float, freedom: int) -> float:
    """Give the probability that a difference of this mean and error is truly below zero."""
    if error == 0.0:
        return 0.5 if mean == 0.0 else float(mean < 0.0)
    return cdf(-mean / error, freedom)
