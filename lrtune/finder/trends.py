"""How the best rate goes with a size: arithmetic on the losses of trainings in full, nothing else.

At each size the planned training is done on all folds at rates a factor of two apart, until the best of them is not
near an end. The *best rate* of a size is the lowest place of the logarithm of the mean loss, smoothed by a Gaussian: a
rate that forgives being somewhat off, because whoever goes to another size will be.

Through the logarithms of the best rates goes a line against the logarithm of the size, weighted by how well each is
known. Its slope is the *exponent*: twice the size takes ``2 ** exponent`` times the rate. What is known of it comes
from the folds, which are the same at every size: the mean losses are drawn again as folds would have them, all sizes
together, and where the points lie farther from the line than these draws say, the error grows by as much. Nor is a
trend the same at all sizes, which `BEND` stands for::

    losses drawn = mean + sum_k g_k (losses of fold k - mean) / sqrt(K (K - 1))        g_k standard normal
    interval     = exponent +- sqrt((t(0.95, K - 1) * standard error of the slope) ^ 2 + (1.645 * BEND) ^ 2)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lrtune.arrays import Doubles
from lrtune.finder.planned import PlannedRuns, student
from lrtune.finder.rules import NORMAL

STEP = 2.0
"""Between rates that are tried at a size."""

MARGIN = 2
"""So many rates are tried to each side of the best one."""

COARSE = 2
"""The cheapest size is searched in steps of `STEP` to this power at first."""

MOST_RATES = 24
"""At one size; where the best one is at an end even then, it has no answer."""

SMOOTHING = 0.7
"""Standard deviation of the Gaussian (steps)."""

LEAST_SHARE = 1e-3
"""No loss counts as less than this share of that of the best prediction without features."""

DRAWS = 400
GRAIN = 0.25
"""Standard deviation of a best rate that no draw shows (steps): rates are tried at some places only."""

BEND = 0.15
"""Standard deviation of an exponent from one range of sizes to the next: no trend is quite straight, and folds cannot
tell (``docs/research/finder.md``)."""

UNKNOWN = 0.5
"""An exponent that may be zero and is not known to this amount tells nothing."""

FALLS, RISES, STAYS, UNTOLD = "falls", "rises", "stays", "untold"


class SizeRuns(NamedTuple):
    """The planned training of one size at some rates, on all folds."""

    size: int
    runs: PlannedRuns

    @property
    def is_inside(self) -> bool:
        """Tell whether the best rate is not at an end of those tried."""
        return 0 < self.runs.best < len(self.runs.rates) - 1

    @property
    def best(self) -> float:
        """The best rate."""
        return float(STEP ** self._lowest(self.runs.bounded.mean(axis=0)))

    def drawn(self, draws: Doubles) -> Doubles:
        """Find the best places (steps) in losses as other folds ``draws (n, K)`` would have them ``(n,)``."""
        losses = self.runs.bounded
        count, mean = len(losses), losses.mean(axis=0)
        return self._lowest(mean + draws @ (losses - mean) / math.sqrt(count * max(count - 1, 1)))

    def _lowest(self, losses: Doubles) -> Doubles:
        """Find the best places of mean losses ``(..., m)``, among the rates around the best one that have no gap."""
        places = np.round(np.log(self.runs.rates) / math.log(STEP))
        stretch = np.cumsum(np.append(0, np.diff(places) > 1.0))
        near = stretch == stretch[self.runs.best]
        return _lowest(places[near], losses[..., near], LEAST_SHARE * float(self.runs.constant.mean()))


class PredictedRate(NamedTuple):
    """What a trend says of a size: the rate, and where it lies nine times out of ten."""

    size: int
    rate: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Trend:
    """How the best rate goes with a size.

    Attributes
    ----------
    exponent, interval
        Twice the size takes ``2 ** exponent`` times the rate; the ends of its 90 % interval.
    centre, rate
        The line goes through this rate at this size, where it is known best.
    half_at_centre, half
        Half of the 90 % intervals of the logarithm of that rate, and of the exponent.

    """

    exponent: float
    interval: tuple[float, float]
    centre: float
    rate: float
    half_at_centre: float
    half: float

    @property
    def verdict(self) -> str:
        """Tell whether the best rate `FALLS`, `RISES` or `STAYS` with the size, or whether that is `UNTOLD`."""
        low, high = self.interval
        if high < 0.0:
            return FALLS
        if low > 0.0:
            return RISES
        return STAYS if max(-low, high) <= UNKNOWN else UNTOLD

    def at(self, size: float) -> PredictedRate:
        """Predict the best rate of a size; the interval grows with the distance from those that were measured."""
        away = math.log(size / self.centre)
        place = math.log(self.rate) + self.exponent * away
        half = math.hypot(self.half_at_centre, self.half * away)
        return PredictedRate(round(size), math.exp(place), (math.exp(place - half), math.exp(place + half)))

    def agrees(self, exponent: float) -> bool:
        """Tell whether an exponent cannot be told apart from this one."""
        return self.interval[0] <= exponent <= self.interval[1]


def trend(found: Sequence[SizeRuns], rng: np.random.Generator) -> Trend:
    """Put a line through the best rates of three sizes or more, each with the same folds."""
    folds = len(found[0].runs.losses)
    draws = rng.normal(size=(DRAWS, folds))
    unit = math.log(STEP)
    places = np.log([each.best for each in found])  # (n,)
    noise = np.stack([each.drawn(draws) for each in found], axis=1) * unit  # (DRAWS, n)
    known = np.cov(noise.T) + np.square(GRAIN * unit) * np.eye(len(found))
    sizes = np.log([float(each.size) for each in found])
    weights = 1.0 / np.diag(known)
    middle = float(np.average(sizes, weights=weights))
    design = np.stack([np.ones_like(sizes), sizes - middle], axis=1)
    solve = np.linalg.solve(design.T * weights @ design, design.T * weights)  # (2, n)
    level, slope = (float(each) for each in solve @ places)
    off = places - design @ np.array([level, slope])
    scatter = float(off @ np.linalg.solve(known, off)) / max(len(found) - 2, 1)
    errors = np.sqrt(np.diag(solve @ known @ solve.T) * max(1.0, scatter))
    at_centre, of_slope = (student(max(folds - 1, 1)) * float(each) for each in errors)
    half = math.hypot(of_slope, NORMAL * BEND)
    return Trend(
        slope,
        (slope - half, slope + half),
        math.exp(middle),
        math.exp(level),
        at_centre,
        half,
    )


def tried(
    train: Callable[[Sequence[float]], PlannedRuns], near: float | None, around: tuple[float, float]
) -> PlannedRuns:
    """Train at rates a step apart until the best one has `MARGIN` others on each side.

    Parameters
    ----------
    train
        Trains in full at some rates; gives all that has been seen.
    near
        Where the best rate probably is; None: nobody knows, and the whole range is looked at coarsely.
    around
        That range.

    """
    low, high = (round(math.log(end) / math.log(STEP)) for end in around)
    if near is None:
        places = list(range(low, high + 1, COARSE))
    else:
        middle = round(math.log(near) / math.log(STEP))
        places = list(range(middle - MARGIN, middle + MARGIN + 1))
    seen: set[int] = set()
    while places and len(seen) < MOST_RATES:
        found = train([STEP**each for each in places])
        seen |= set(places)
        best = round(math.log(found.rates[found.best]) / math.log(STEP))
        reach = COARSE if near is None and not {best - COARSE, best + COARSE} <= seen else 1
        wanted = range(best - MARGIN, best + MARGIN + 1) if reach == 1 else (best - COARSE, best + COARSE)
        places = [each for each in wanted if each not in seen]
    return found


def _lowest(places: Doubles, losses: Doubles, floor: float) -> Doubles:
    """Find where smoothed logarithms of losses ``(..., m)`` at places ``(m,)``, one step apart, are lowest."""
    logs = np.log(np.maximum(losses, floor))
    steps = np.square((places[:, None] - places) / SMOOTHING)
    weights = np.exp(-0.5 * steps)
    smooth = logs @ (weights / weights.sum(axis=0))
    last = len(places) - 1
    place = np.clip(np.argmin(smooth, axis=-1), 1, last - 1)[..., None]
    before, here, after = (np.take_along_axis(smooth, place + each, -1)[..., 0] for each in (-1, 0, 1))
    bend = before - 2.0 * here + after
    away = np.where(bend > 0.0, 0.5 * (before - after) / np.where(bend > 0.0, bend, 1.0), 0.0)
    return np.asarray(places[place[..., 0]] + np.clip(away, -1.0, 1.0))
