"""From validation losses against rates to an answer: arithmetic on curves, nothing else.

Every rule reads the *smoothed median* of the runs (folds x repetitions) on the logarithmic grid of rates. Which rule
recommends, and with which divisor, was chosen by the study in ``docs/finder.md``.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Doubles: TypeAlias = NDArray[np.float64]

OK, FALLING, FLAT, AT_START, FEW = "ok", "still_falling", "flat", "diverged_at_start", "too_few_points"
STATUSES = {
    OK: "the loss falls, has a minimum and rises again",
    FALLING: "the loss is still falling, or has not risen again, at the highest rate",
    FLAT: "no rate makes the loss clearly lower than predicting the shares of the classes, or the mean",
    AT_START: "the runs diverge, or the loss rises, from the lowest rates on",
    FEW: "too few rates have a loss",
}
"""What can be said of a curve. Only `OK` comes with rates."""

SMOOTHING = 0.15
"""Standard deviation of the Gaussian that smooths a curve (decades)."""

CAME_DOWN = 0.03
"""The loss counts as down when no more than this share of its fall is left."""

ROSE = 0.5
"""The loss has broken away when it has risen again by this share of its fall."""

LEAST_POINTS = 8
LEAST_GAIN = 0.02
"""Gains below this share of the loss of a constant prediction are none."""

SURE = 3.0
"""Standard errors of the folds by which a gain must differ from none."""

RESAMPLES = 200
INTERVAL = (5.0, 95.0)
"""Percentiles of the bootstrap's recommendations."""

BAND = (10.0, 90.0)
"""Percentiles of the runs that the band shows."""


class Marks(NamedTuple):
    """Rates that are read off one curve.

    Parameters
    ----------
    minimum
        Where the loss is lowest: the classic answer, and in truth the edge of what works.
    down
        The lowest rate at which the loss has come down, by all but `CAME_DOWN` of its fall.
    valley
        Where half of the fall, measured on the curve, is over.
    edge
        Where the loss has broken away or half of the runs have diverged; None if that was not seen.

    """

    minimum: float
    down: float
    valley: float
    edge: float | None


class Suggestion(NamedTuple):
    """The answer for one curve; every rate is None unless ``status`` is ``"ok"``.

    ``interval`` is where 90 % of the recommendations of resampled folds and repetitions lie; ``search_range`` is what a
    search should cover.
    """

    status: str
    recommended: float | None = None
    interval: tuple[float, float] | None = None
    minimum: float | None = None
    valley: float | None = None
    edge: float | None = None
    search_range: tuple[float, float] | None = None

    @property
    def sentence(self) -> str:
        """What the status means."""
        return STATUSES[self.status]


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
        _last_above(rates, curve, lowest, curve[lowest] + CAME_DOWN * fall),
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


def status(rates: Doubles, losses: Doubles, start: Doubles, constant: Doubles) -> str:
    """Judge the curves ``losses (R, K, n)`` of ``R`` repetitions of ``K`` folds.

    Parameters
    ----------
    rates, losses
        ``(n,)`` and ``(R, K, n)``.
    start
        ``(R, K)``: losses before the first update.
    constant
        ``(K,)``: losses of predictions that do not look at the features.

    """
    median = middle(losses)
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
    if not rises and curve[lowest] < begin:
        return FALLING  # even if it is no gain yet: higher rates may bring one
    if not _gains(losses[..., lowest], start, constant):
        return FLAT
    if count < LEAST_POINTS:
        return FEW
    return OK if rises and lowest < len(rates) - 1 else FALLING


def _gains(losses: Doubles, start: Doubles, constant: Doubles) -> bool:
    """Tell whether losses ``(R, K)`` are clearly lower than those of doing nothing, fold by fold."""
    gain = np.median(np.minimum(start, constant) - losses, axis=0)  # (K,)
    mean, error = gain.mean(), gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else 0.0
    return bool(mean > max(SURE * error, LEAST_GAIN * abs(constant.mean())))


def middle(losses: Doubles) -> Doubles:
    """Take the median over all runs of ``(..., R, K, n)``; infinite where half of them have diverged."""
    flat = losses.reshape(*losses.shape[:-3], -1, losses.shape[-1])
    ordered = np.sort(flat, axis=-2)  # no mean of a finite and an infinite loss, and no difference of two infinite ones
    count = flat.shape[-2]
    low, high = ordered[..., (count - 1) // 2, :], ordered[..., count // 2, :]
    return np.where(np.isfinite(high), 0.5 * (low + np.where(np.isfinite(high), high, 0.0)), np.inf)


def band(losses: Doubles) -> tuple[Doubles, Doubles]:
    """Find the 10 and 90 % quantiles ``(n,)`` of the runs ``(R, K, n)``: each the loss of a run, possibly infinite."""
    flat = losses.reshape(-1, losses.shape[-1])
    low, high = np.percentile(flat, BAND, axis=0, method="nearest")
    return low, high


def suggest(
    rates: Doubles, losses: Doubles, start: Doubles, constant: Doubles, *, divisor: float, rng: np.random.Generator
) -> Suggestion:
    """Answer for the runs of one optimizer; shapes as in `status`.

    Parameters
    ----------
    rates, losses, start, constant
        See `status`.
    divisor
        The recommended rate is `Marks.down` divided by it.
    rng
        Draws the resamples.

    """
    found = status(rates, losses, start, constant)
    if found != OK:
        return Suggestion(found)
    mark = marks(rates, smoothed(rates, middle(losses)), float(np.median(start)))
    recommended = mark.down / divisor
    interval = _interval(rates, losses, start, divisor, rng)
    return Suggestion(
        OK,
        recommended,
        (min(interval[0], recommended), max(interval[1], recommended)),
        mark.minimum,
        mark.valley,
        mark.edge,
        _search_range(recommended, mark.edge),
    )


def _interval(
    rates: Doubles, losses: Doubles, start: Doubles, divisor: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Resample folds and, independently, repetitions, and recommend anew each time."""
    repetitions, folds = start.shape
    some = rng.integers(repetitions, size=(RESAMPLES, repetitions, 1))
    others = rng.integers(folds, size=(RESAMPLES, 1, folds))
    curves = smoothed(rates, middle(losses[some, others]))
    begins = np.median(start[some, others], axis=(1, 2))
    found = [
        marks(rates, curve, float(begin)).down / divisor
        for curve, begin in zip(curves, begins, strict=True)
        if np.isfinite(curve).any()
    ]
    low, high = np.percentile(found, INTERVAL)
    return float(low), float(high)


def _search_range(recommended: float, edge: float | None) -> tuple[float, float]:
    """Cover a factor of 20 to each side, but not much of what diverges; ends with one digit."""
    high = recommended * 20.0 if edge is None else min(recommended * 20.0, max(edge, recommended * 5.0))
    return neat(recommended / 20.0), neat(high)


def neat(rate: float) -> float:
    """Round to one digit.

    >>> neat(0.000347), neat(0.96)
    (0.0003, 1.0)
    """
    return float(f"{rate:.0e}")
