"""From validation losses against rates to an answer: arithmetic on curves, nothing else.

A sweep says what happens at which rate: its rules read the *smoothed median* of the runs (folds x repetitions) on the
logarithmic grid of rates. Where the planned training begins (`lrtune.finder.planned`), and what a quick finder answers,
is the best rate of *short runs*, carried over:

    rate = best rate of the short runs * sqrt(their updates / planned updates) * (1/2) / mean multiplier

The root: the best peak of a run of ``T`` updates falls like ``1 / sqrt(T)`` (for rates that fall along a line: Defazio
et al. 2023, arXiv 2310.07831). The rest: short runs decay along a line, whose mean multiplier is one half, and another
decay gets the peak that gives it the same mean rate. Nothing in it is fitted;
``docs/research/finder.md`` says how good it is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lrtune.arrays import Doubles, Integers

OK, FALLING, FLAT, AT_START = "ok", "still_falling", "flat", "diverged_at_start"
FEW, UNCLEAR = "too_few_points", "unclear"
STATUSES = {
    OK: "the loss falls, has a minimum and rises again",
    FALLING: "the loss is still falling, or has not risen again, at the highest rate",
    FLAT: "no rate makes the loss clearly lower than predicting the shares of the classes, or the mean",
    AT_START: "the runs diverge, or the loss rises, from the lowest rates on",
    FEW: "too few rates have a loss",
    UNCLEAR: "short runs cannot tell: none ends clearly lower than predicting the shares of the classes, or the mean",
}
"""What can be said of a curve. Only `OK` comes with rates."""

SMOOTHING = 0.15
"""Standard deviation of the Gaussian that smooths a curve (decades)."""

ROSE = 0.5
"""The loss has broken away when it has risen again by this share of its fall."""

LEAST_POINTS = 6
LEAST_GAIN = 0.02
"""Gains below this share of the loss of a constant prediction are none."""

SURE = 3.0
"""Standard errors of the folds by which a gain must differ from none."""

SHORT_SMOOTHING = 0.2
"""The same as `SMOOTHING` for the few rates of short runs."""

BOTTOM = 0.05
"""Rates at which at most this share of the fall is given away count as equally good."""

PLACES = 50
"""Places per decade at which a smoothed curve of short runs is looked at."""

LINE = 0.5
"""Mean multiplier of the decay of short runs."""

UNSTABLE = 5.0
"""An answer whose interval is wider than this factor comes with a warning."""

NORMAL = 1.645
"""Quantile of the normal distribution for an interval of 90 %."""

RESAMPLES = 200
INTERVAL = (5.0, 95.0)
"""Percentiles of the bootstrap's recommendations."""

CARRYING = 0.45
"""Standard deviation of how far the best rate of short runs, carried over, is from that of the planned training
(decades). No fold can tell; other tables do (``docs/research/finder.md``)."""

BAND = (10.0, 90.0)
"""Percentiles of the runs that the band shows."""


class Marks(NamedTuple):
    """Rates that are read off one curve.

    Parameters
    ----------
    minimum
        Where the loss is lowest: the classic answer, and in truth the edge of what works.
    valley
        Where half of the fall, measured on the curve, is over.
    edge
        Where the loss has broken away or half of the runs have diverged; None if that was not seen.

    """

    minimum: float
    valley: float
    edge: float | None


class Suggestion(NamedTuple):
    """The answer for one curve; every rate is None unless ``status`` is ``"ok"``.

    ``interval`` has the rates that the folds cannot tell apart from the recommended one in trainings in full; of short
    runs alone, it is where resampled folds put 90 % of the recommendations, and what `CARRYING` adds. ``search_range``
    is what a search should cover, ``rises_from`` the epoch from which on the validation loss of the planned training
    rises, if it does. A ladder has no ``valley``: there, half of the fall only says that low rates train slowly.
    """

    status: str
    recommended: float | None = None
    interval: tuple[float, float] | None = None
    minimum: float | None = None
    valley: float | None = None
    edge: float | None = None
    search_range: tuple[float, float] | None = None
    rises_from: int | None = None

    @property
    def sentence(self) -> str:
        """What the status means."""
        return STATUSES[self.status]

    @property
    def unstable(self) -> bool:
        """Whether the folds and repetitions disagree by more than the factor `UNSTABLE`."""
        return self.interval is not None and self.interval[1] > UNSTABLE * self.interval[0]


def smoothed(rates: Doubles, losses: Doubles) -> Doubles:
    """Smooth ``losses (..., n)`` with a Gaussian over log rates; infinite ones stay so and do not spread."""
    places = np.log10(rates)
    weights = np.exp(-0.5 * ((places[:, None] - places) / SMOOTHING) ** 2)
    finite = np.isfinite(losses)
    with np.errstate(all="ignore"):
        means = (np.where(finite, losses, 0.0) @ weights) / (finite @ weights)
    return np.where(finite, means, np.inf)


def marks(rates: Doubles, curve: Doubles, start: float) -> Marks:
    """Read the rates off a smoothed curve ``(n,)`` that begins at the loss ``start`` and is not everywhere infinite."""
    lowest = int(np.argmin(curve))
    fall = max(start - curve[lowest], 0.0)
    return Marks(
        float(rates[lowest]),
        _last_above(rates, curve, lowest, curve[lowest] + 0.5 * fall),
        _first_above(rates, curve, lowest, curve[lowest] + ROSE * fall),
    )


def _last_above(rates: Doubles, curve: Doubles, lowest: int, limit: float) -> float:
    """Find where the curve goes below the limit for the last time before its minimum."""
    above = np.flatnonzero(curve[: lowest + 1] > limit)
    return _crossing(rates, curve, int(above[-1]), limit) if len(above) else float(rates[0])


def _first_above(rates: Doubles, curve: Doubles, lowest: int, limit: float) -> float | None:
    above = np.flatnonzero(curve[lowest:] > limit)
    if not len(above):
        return None
    place = lowest + int(above[0])
    return _crossing(rates, curve, place - 1, limit) if np.isfinite(curve[place]) else float(rates[place])


def _crossing(rates: Doubles, curve: Doubles, place: int, limit: float) -> float:
    """Interpolate between a point and the next, in log rate; next to an infinite loss, take the next."""
    ends = curve[place : place + 2]
    if not np.isfinite(ends).all():
        return float(rates[place + 1])
    share = (limit - ends[0]) / (ends[1] - ends[0])
    return float(rates[place] * (rates[place + 1] / rates[place]) ** share)


def status(rates: Doubles, losses: Doubles, start: Doubles) -> str:
    """Judge the shape of the curves ``losses (R, K, n)`` of ``R`` repetitions of ``K`` folds.

    Whether what looks like a minimum is a gain at all, short runs say better (`is_gain`).

    Parameters
    ----------
    rates, losses
        ``(n,)`` and ``(R, K, n)``.
    start
        ``(R, K)``: losses before the first update.

    """
    median = until_divergence(middle(losses))
    count = int(np.isfinite(median).sum())
    if len(rates) < LEAST_POINTS:
        return FEW
    if count < 2 or not np.isfinite(median[0]):
        return AT_START
    curve = smoothed(rates, median)
    lowest = int(np.argmin(curve))
    begin = float(np.median(start))
    rises = bool((curve[lowest:] > curve[lowest] + ROSE * max(begin - curve[lowest], 0.0)).any()) or count < len(rates)
    if lowest == 0 and rises:
        return AT_START
    if not rises or lowest == len(rates) - 1:
        return FALLING if curve[lowest] < begin else FLAT
    return OK if count >= LEAST_POINTS else FEW


def is_gain(losses: Doubles, start: Doubles, constant: Doubles) -> bool:
    """Tell whether losses ``(R, K)`` are clearly lower than those of doing nothing, fold by fold.

    A run that has diverged, or ends worse than it began, counts as if it had not moved.

    Parameters
    ----------
    losses, start
        ``(R, K)``.
    constant
        ``(K,)``: losses of predictions that do not look at the features.

    """
    gain = np.median(np.minimum(start, constant) - np.minimum(losses, start), axis=0)  # (K,)
    mean, error = gain.mean(), gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else 0.0
    return bool(mean > max(SURE * error, LEAST_GAIN * abs(constant.mean())))


def middle(losses: Doubles) -> Doubles:
    """Take the median over all runs of ``(..., R, K, n)``; infinite where half of them have diverged."""
    flat = losses.reshape(*losses.shape[:-3], -1, losses.shape[-1])
    ordered = np.sort(flat, axis=-2)  # no mean of a finite and an infinite loss, and no difference of two infinite ones
    count = flat.shape[-2]
    low, high = ordered[..., (count - 1) // 2, :], ordered[..., count // 2, :]
    return np.where(np.isfinite(high), 0.5 * (low + np.where(np.isfinite(high), high, 0.0)), np.inf)


def until_divergence(median: Doubles) -> Doubles:
    """Make a curve ``(n,)`` infinite from its first infinite loss on.

    Beyond rates that break most runs, those of a ladder may end anywhere, even at a loss of zero: that is luck.
    """
    return np.where(np.logical_or.accumulate(~np.isfinite(median)), np.inf, median)


def band(losses: Doubles) -> tuple[Doubles, Doubles]:
    """Find the 10 and 90 % quantiles ``(n,)`` of the runs ``(R, K, n)``: each the loss of a run, possibly infinite."""
    flat = losses.reshape(-1, losses.shape[-1])
    low, high = np.percentile(flat, BAND, axis=0, method="nearest")
    return low, high


def best_of_short_runs(rates: Doubles, losses: Doubles, start: Doubles) -> Doubles:
    """Find the middle of the rates whose smoothed mean loss is next to the lowest, on a logarithmic scale.

    Around a minimum the loss is flat, and where exactly it is lowest there is luck; where it begins to rise is not.

    A run that ends worse than it began counts as if it had not moved: one fold that breaks must count, but not for
    everything. The mean, not the median, is what a training in full is scored by.

    Parameters
    ----------
    rates
        ``(n,)``.
    losses
        ``(..., R, K, n)``, infinite where a run has diverged.
    start
        ``(..., R, K)``: losses before the first update.

    Returns
    -------
    array (...)

    """
    means = np.minimum(losses, start[..., None]).mean(axis=(-3, -2))
    places = np.log10(rates)
    fine = np.linspace(places[0], places[-1], max(2, round(PLACES * (places[-1] - places[0])) + 1))
    weights = np.exp(-0.5 * ((places[:, None] - fine) / SHORT_SMOOTHING) ** 2)
    curve = means @ (weights / weights.sum(axis=0))
    low, high = _bottom(curve, start.mean(axis=(-2, -1)))
    found: Doubles = 10.0 ** ((fine[low] + fine[high]) / 2)
    return found


def _bottom(curve: Doubles, start: Doubles) -> tuple[Integers, Integers]:
    """Find the first and the last place (...) around the minima of curves (..., m) where next to nothing is lost."""
    lowest, place = curve.min(axis=-1), np.argmin(curve, axis=-1)[..., None]
    limit = lowest + BOTTOM * np.maximum(start - lowest, 0.0)
    above, places = curve > limit[..., None], np.arange(curve.shape[-1])
    low = np.where(above & (places < place), places, -1).max(axis=-1) + 1
    high = np.where(above & (places > place), places, len(places)).min(axis=-1) - 1
    return low, high


def carried_over(share: float, mean_multiplier: float) -> float:
    """Find the factor from the best rate of short runs to the peak of the planned training; it never raises a rate.

    Parameters
    ----------
    share
        Updates of a short run, over those of the planned training.
    mean_multiplier
        Mean of the planned rates, over their peak.

    >>> carried_over(0.25, 0.5), carried_over(0.25, 1.0), carried_over(0.25, 0.01)
    (0.5, 0.25, 1.0)
    """
    return min(1.0, float(np.sqrt(share)) * LINE / mean_multiplier)


def bootstrap(rates: Doubles, losses: Doubles, start: Doubles, rng: np.random.Generator) -> tuple[float, float]:
    """Resample folds and, independently, repetitions of short runs: an interval for their best rate.

    The parameters are those of `best_of_short_runs`, ``losses (R, K, n)``; ``rng`` draws the resamples.
    """
    repetitions, folds = start.shape
    some = rng.integers(repetitions, size=(RESAMPLES, repetitions, 1))
    others = rng.integers(folds, size=(RESAMPLES, 1, folds))
    low, high = np.percentile(best_of_short_runs(rates, losses[some, others], start[some, others]), INTERVAL)
    return float(low), float(high)


def carried_interval(recommended: float, ends: tuple[float, float]) -> tuple[float, float]:
    """Widen an interval of short runs by what they do not see of the planned training.

    >>> low, high = carried_interval(0.1, (0.1, 0.1))
    >>> round(low, 3), round(high, 2)
    (0.018, 0.55)
    """
    unseen = NORMAL * CARRYING * np.log(10.0)
    below, above = (max(each, 0.0) for each in (np.log(recommended / ends[0]), np.log(ends[1] / recommended)))
    return (
        recommended * float(np.exp(-np.hypot(below, unseen))),
        recommended * float(np.exp(np.hypot(above, unseen))),
    )


def search_range(recommended: float, edge: float | None) -> tuple[float, float]:
    """Cover a factor of 20 to each side, but not much of what diverges; ends with one digit."""
    high = recommended * 20.0 if edge is None else min(recommended * 20.0, max(edge, recommended * 5.0))
    return neat(recommended / 20.0), neat(high)


def neat(rate: float) -> float:
    """Round to one digit.

    >>> neat(0.000347), neat(0.96)
    (0.0003, 1.0)
    """
    return float(f"{rate:.0e}")
