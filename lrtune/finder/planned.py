"""Which rates the planned training is done at, and what it says: arithmetic on losses, nothing else.

Short runs cannot see what the whole horizon makes of a rate: that training overfits, or that a schedule goes on to
lower the loss for hundreds of updates. So the planned training itself is done (`lrtune.finder.in_full`): at the rate
that short runs suggest, a third and three times of it. The first folds tell whether the best rate is at an end, and
then the next one joins; the best rate, and its neighbours unless they are hopeless, are trained on the other folds as
well. The answer is the lowest place of a parabola through these three.

What is done next is decided by what was seen (`next_runs`), within a budget: `BUDGET` trainings on all folds, less what
the sweep and the short runs have cost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lrtune.arrays import Doubles, Integers
from lrtune.finder.rules import NORMAL
from lrtune.training.tasks import Flags

STEP = 3.0
"""Between rates that are trained in full."""

FIRST_FOLDS = 3
"""So many folds tell which rates are trained on all of them."""

BUDGET, LEAST = 4.2, 2.6
"""Trainings on all folds that the whole finder may do, 60 % of a grid of seven rates; and planned ones in any case."""

HOPELESS = 1.15
"""A rate is, where it is worse on every one of the first folds and its loss is so many times the lowest."""

MOST = 2.0
"""No run counts as worse than so many times the loss of the best prediction without features."""

BETWEEN = 0.35
"""What lies beyond a rate that cannot be told apart cannot either: so far towards the next one, a share of the way."""

RISE = 0.02
"""The validation loss rises where it ends so much above its minimum, as a share of the loss without features."""

LATE = 0.8
"""A minimum behind this share of the epochs is no sign of overfitting."""


class RateAnswer(NamedTuple):
    """What planned runs say: the best rate, and the rates that cannot be told apart from it."""

    recommended: float
    interval: tuple[float, float]


@dataclass(frozen=True, eq=False)
class PlannedRuns:
    """The planned training at some rates.

    Attributes
    ----------
    rates
        ``(m,)``, rising.
    losses
        ``(K, m)``: validation losses at the end, infinite where a run has diverged, NaN where there was none.
    constant
        ``(K,)``: those of the best prediction without features.
    signals
        ``(K, m)``: whether predictions have the right order: how far the area under the ROC curve is above one half, or
        the correlation of values; NaN where there is none.
    epochs, curves
        ``(e,)`` and ``(m, e)``: mean validation losses after so many epochs; NaN where a run has diverged.
    updates
        Of each run.

    """

    rates: Doubles
    losses: Doubles
    constant: Doubles
    signals: Doubles
    epochs: Integers
    curves: Doubles
    updates: int

    @property
    def is_whole(self) -> Flags:
        """Which rates were trained on all folds ``(m,)``."""
        return np.asarray(np.logical_not(np.isnan(self.losses).any(axis=0)))

    @property
    def bounded(self) -> Doubles:
        """The losses, none of them worse than `MOST` allows ``(K, m)``."""
        return np.asarray(np.minimum(self.losses, MOST * self.constant[:, None]))

    @property
    def means(self) -> Doubles:
        """Mean losses ``(m,)`` on all folds; where some are missing, by the difference to the best on the others."""
        losses, whole = self.bounded, self.is_whole
        if not whole.any():
            return np.asarray(np.nanmean(losses, axis=0))
        reference = losses[:, int(np.argmin(np.where(whole, losses.mean(axis=0), np.inf)))]
        return np.asarray(reference.mean() + np.nanmean(losses - reference[:, None], axis=0))

    @property
    def best(self) -> int:
        """The place of the lowest mean among the rates that were trained on all folds."""
        return int(np.argmin(np.where(self.is_whole, self.means, np.inf)))

    @property
    def trained(self) -> tuple[int, ...]:
        """On how many folds each rate was trained."""
        return tuple((~np.isnan(self.losses)).sum(axis=0).tolist())

    @property
    def spent(self) -> float:
        """Trainings on all folds that were done."""
        return sum(self.trained) / len(self.losses)

    @property
    def answer(self) -> RateAnswer:
        """The lowest place between the best rate and its neighbours, and what cannot be told apart from the best.

        Where lower rates are hardly worse the answer moves towards them: they are safer, and as good for all we know.
        """
        best, places, means = self.best, np.log(self.rates), self.means
        place = places[best]
        if 0 < best < len(places) - 1:
            place = lowest(
                places[best - 1 : best + 2], np.log(np.maximum(means[best - 1 : best + 2], np.finfo(float).tiny))
            )
            if np.isinf(self.losses[:, best + 1]).any():  # towards a rate that breaks runs there is nothing to gain
                place = min(place, places[best])
        behind = np.array([self._behind(each) for each in range(best)])  # standard errors
        weights = np.append(np.exp(-0.5 * np.square(behind)), 1.0)
        place = float(np.average([*places[:best], place], weights=weights))
        alike = [
            best,
            *(each for each in range(len(places)) if each != best and self._behind(each) <= self._told(each)),
        ]
        beyond = BETWEEN * math.log(STEP)
        low, high = min(places[min(alike)] - beyond, place), max(places[max(alike)] + beyond, place)
        return RateAnswer(math.exp(place), (math.exp(low), math.exp(high)))

    def _behind(self, rate: int) -> float:
        """Say by how many standard errors of the folds a rate is worse than the best one; at least 0."""
        differences = self._differences(rate)
        error = float(differences.std(ddof=1)) / math.sqrt(len(differences)) if len(differences) > 1 else 0.0
        mean = max(float(differences.mean()), 0.0)
        return mean / error if error > 0.0 else (math.inf if mean > 0.0 else 0.0)

    def _told(self, rate: int) -> float:
        """Say how many standard errors tell a rate apart from the best one."""
        return student(max(len(self._differences(rate)) - 1, 1))

    def _differences(self, rate: int) -> Doubles:
        """Compare a rate with the best one, on the folds that have both."""
        both = ~np.isnan(self.losses[:, rate])
        return np.asarray((self.bounded[:, rate] - self.bounded[:, self.best])[both])

    def is_gain(self, sure: float) -> bool:
        """Tell whether the best rate learns anything, by the loss or by the order of its predictions.

        By so many standard errors of the folds its loss is below that of the best prediction without features, or the
        order of its predictions is better than chance.
        """
        gains = (self.constant - self.bounded[:, self.best], self.signals[:, self.best])
        return any(_is_above(each[~np.isnan(each)], sure) for each in gains)

    @property
    def rises_from(self) -> int | None:
        """The epoch at which some rate was clearly better than the best is in the end; None where there is none.

        From then on the validation loss rises: the training overfits, and the best rate is the one that does so least.
        """
        curves = self.curves[self.is_whole]
        if not curves.size or np.isnan(self.curves[self.best]).any():
            return None
        lowest_yet = np.min(np.where(np.isnan(curves), np.inf, curves), axis=0)
        place = int(np.argmin(lowest_yet))
        early = self.epochs[place] <= LATE * self.epochs[-1]
        rise = self.curves[self.best, -1] - lowest_yet[place]
        return int(self.epochs[place]) if early and rise > RISE * self.constant.mean() else None


def student(freedom: int) -> float:
    """Approximate the quantile of Student's t that belongs to `NORMAL` (Abramowitz and Stegun, 26.7.5, three terms).

    `lrtune.verdict` has the exact one; the finder does without that room, and two digits are enough here.

    >>> round(student(4), 2), round(student(9), 2)
    (2.11, 1.83)
    """
    z = NORMAL
    first, second = (z**3 + z) / 4.0, (5.0 * z**5 + 16.0 * z**3 + 3.0 * z) / 96.0
    return z + first / freedom + second / freedom**2


def _is_above(values: Doubles, sure: float) -> bool:
    """Tell whether the mean of some values is above zero by so many standard errors."""
    if not len(values):
        return False
    error = values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return bool(values.mean() > sure * error)


def lowest(places: Doubles, losses: Doubles) -> float:
    """Find the lowest place of the parabola through three points that are equally far apart.

    It lies no farther from the middle one than half of the way to its neighbours.

    >>> round(lowest(np.array([-1.0, 0.0, 1.0]), np.array([2.25, 0.25, 0.25])), 3)
    0.5
    """
    before, here, after = losses
    bend = before - 2.0 * here + after
    if not bend > 0.0:
        return float(places[1])
    step = places[1] - places[0]
    return float(places[1] + step * np.clip(0.5 * (before - after) / bend, -0.5, 0.5))


def next_runs(
    found: PlannedRuns, ends: tuple[float, float] = (0.0, math.inf), budget: float = BUDGET
) -> tuple[tuple[float, ...], slice] | None:
    """Decide what is trained next: rates between the ends, and on which folds.

    None where enough is known, or the budget is spent.
    """
    count = len(found.losses)
    first, rest = slice(0, min(FIRST_FOLDS, count)), slice(min(FIRST_FOLDS, count), count)
    share = (rest.stop - rest.start) / count
    left = budget - found.spent + 1e-9
    whole, means = found.is_whole, found.means
    place = int(np.argmin(means))
    below, above = place == 0, place == len(means) - 1
    outer = tidy(found.rates[0] / STEP if below else found.rates[-1] * STEP)
    is_open = (below or above) and ends[0] <= outer <= ends[1]
    if not whole.any():
        if is_open and (1.0 - share) + 2.0 * share <= left:
            return (outer,), first
        return (float(found.rates[place]),), rest
    if not whole[place]:
        return ((float(found.rates[place]),), rest) if share <= left else None
    beside = [each for each in (place - 1, place + 1) if 0 <= each < len(means) and not whole[each]]
    hopeful = sorted((each for each in beside if not _is_hopeless(found, each, place)), key=lambda each: means[each])
    if hopeful:
        return ((float(found.rates[hopeful[0]]),), rest) if share <= left else None
    return ((outer,), first) if is_open and 1.0 - share <= left else None


def _is_hopeless(found: PlannedRuns, rate: int, best: int) -> bool:
    seen = ~np.isnan(found.losses[:, rate])
    worse = found.bounded[seen, rate] > found.bounded[seen, best]
    return bool(worse.all() and found.means[rate] > HOPELESS * found.means[best])


def tidy(rate: float) -> float:
    """Round to two digits: no rate that is tried needs more."""
    return float(f"{rate:.2g}")
