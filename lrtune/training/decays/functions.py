"""Decay types as pure functions of time.

``name(epoch, horizon, *, factors) -> multiplier of the peak rate``. Epochs are counted from the end of the warm-up, as
floats; ``horizon`` is the number of epochs that is left then. Names and factors are those of the catalogue, where the
formulas and sources stand; of two factors of which one determines the other, exactly one is given.

The rate of a step is the value at the time before it, so the value at ``epoch == horizon`` belongs to the step that
would come next: the last step of a decay to zero still has a rate. Beyond the horizon a decay stays where it ended.
What follows the training itself is only half here: `plateau` without its cuts, `wall_clock` on time as its clock tells
it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from lrtune.arrays import Doubles
from lrtune.training.decays.plain import TOLERANCE

BoundDecay: TypeAlias = Callable[[Doubles, float], Doubles]


def constant(epoch: Doubles, _horizon: float) -> Doubles:
    """Stay at the peak."""
    return np.ones_like(epoch)


def linear(epoch: Doubles, horizon: float, *, final: float) -> Doubles:
    """Fall along a straight line.

    >>> linear(np.array([0.0, 15.0, 30.0]), 30.0, final=0.0)
    array([1. , 0.5, 0. ])
    """
    return 1.0 - (1.0 - final) * _progress(epoch, horizon)


def polynomial(epoch: Doubles, horizon: float, *, power: float, final: float) -> Doubles:
    """Fall along a power of the time that is left.

    >>> polynomial(np.array([0.0, 15.0, 30.0]), 30.0, power=2.0, final=0.0)
    array([1.  , 0.25, 0.  ])
    """
    return final + (1.0 - final) * (1.0 - _progress(epoch, horizon)) ** power


def step(
    epoch: Doubles,
    horizon: float,
    *,
    factor: float | None = None,
    drops: int | None = None,
    every: float | None = None,
    final: float | None = None,
) -> Doubles:
    """Drop by a factor at even distances; ``every = T / (drops + 1)`` and ``factor = final ^ (1 / drops)``.

    >>> step(np.array([0.0, 9.0, 10.0, 29.0]), 30.0, factor=0.5, every=10.0)
    array([1.  , 1.  , 0.5 , 0.25])
    """
    _exactly_one("step", drops=drops, every=every)
    length = horizon / (drops + 1) if drops is not None else every
    assert length is not None
    inside = math.ceil(horizon / length - TOLERANCE) - 1
    return _dropped("step", np.floor(epoch / length + TOLERANCE), inside, factor=factor, final=final)


def multistep(
    epoch: Doubles,
    horizon: float,
    *,
    factor: float | None = None,
    at: Sequence[float] | None = None,
    milestones: Sequence[float] | None = None,
    final: float | None = None,
) -> Doubles:
    """Drop by a factor at given times; a time that is given twice counts twice, and a time of 0 counts from the start.

    >>> multistep(np.array([0.0, 4.0, 5.0, 9.0]), 10.0, factor=0.1, milestones=[5.0])
    array([1. , 1. , 0.1, 0.1])
    """
    _exactly_one("multistep", at=at, milestones=milestones)
    times = np.asarray(milestones) if at is None else np.asarray(at) * horizon
    passed = np.searchsorted(times, epoch + TOLERANCE, side="right").astype(np.float64)
    inside = int(np.sum(times < horizon - TOLERANCE))
    return _dropped("multistep", passed, inside, factor=factor, final=final)


def exponential(
    epoch: Doubles,
    horizon: float,
    *,
    k: float | None = None,
    final: float | None = None,
    staircase: bool = False,
    floor: float = 0.0,
) -> Doubles:
    """Lose the same share in equal times, down to ``floor``; ``k = -ln(final) / T``.

    >>> exponential(np.array([0.0, 10.0]), 30.0, k=0.1).round(6)
    array([1.      , 0.367879])
    """
    _exactly_one("exponential", k=k, final=final)
    constant = -math.log(final) / horizon if final is not None else k
    assert constant is not None
    return np.maximum(np.exp(-constant * (np.floor(epoch + TOLERANCE) if staircase else epoch)), floor)


def inverse_time(
    epoch: Doubles, horizon: float, *, k: float | None = None, final: float | None = None, floor: float = 0.0
) -> Doubles:
    """Fall hyperbolically, down to ``floor``; ``k = (1 / final - 1) / T``.

    >>> inverse_time(np.array([0.0, 10.0]), 30.0, k=0.1)
    array([1. , 0.5])
    """
    _exactly_one("inverse_time", k=k, final=final)
    constant = (1.0 / final - 1.0) / horizon if final is not None else k
    assert constant is not None
    return np.maximum(1.0 / (1.0 + constant * epoch), floor)


def inverse_sqrt(
    epoch: Doubles, horizon: float, *, timescale: float | None = None, final: float | None = None
) -> Doubles:
    """Fall with the square root of time; ``timescale = T / (1 / final^2 - 1)``.

    >>> inverse_sqrt(np.array([0.0, 3.0, 15.0]), 30.0, timescale=1.0)
    array([1.  , 0.5 , 0.25])
    """
    _exactly_one("inverse_sqrt", timescale=timescale, final=final)
    if final is not None:
        speed = (1.0 / final**2 - 1.0) / horizon
    else:
        assert timescale is not None
        speed = 1.0 / timescale
    return 1.0 / np.sqrt(1.0 + speed * epoch)


def cosine(epoch: Doubles, horizon: float, *, final: float) -> Doubles:
    """Fall along half a cosine wave.

    >>> cosine(np.array([0.0, 15.0, 30.0]), 30.0, final=0.1)
    array([1.  , 0.55, 0.1 ])
    """
    return final + (1.0 - final) * _half_wave(_progress(epoch, horizon))


def cosine_restarts(
    epoch: Doubles,
    horizon: float,
    *,
    cycles: int | None = None,
    period: float | None = None,
    multiplier: float,
    peak_decay: float,
    final: float,
    rise: float = 0.0,
) -> Doubles:
    """Fall along half a cosine wave again and again, each time ``multiplier`` times longer.

    The first cycle takes ``period`` epochs, or as many as let ``cycles`` cycles end with the horizon. Starts of cycles
    are sums of lengths, never logarithms, so they are exact for whole periods and multipliers. In the first ``rise`` of
    each cycle the rate rises from ``final`` along a straight line.

    >>> cosine_restarts(np.array([0.0, 4.0, 5.0, 20.0]), 65.0, period=5.0, multiplier=3.0, peak_decay=0.5, final=0.0)
    array([1.       , 0.0954915, 0.5      , 0.25     ])
    """
    _exactly_one("cosine_restarts", cycles=cycles, period=period)
    if cycles is not None:
        period = horizon / sum(multiplier**index for index in range(cycles))
    assert period is not None
    lengths, starts = _cycles(period, multiplier, horizon)
    index = np.searchsorted(starts, epoch + TOLERANCE, side="right") - 1
    peaks = np.maximum(peak_decay ** np.arange(len(starts), dtype=np.float64), final)
    progress = np.clip((epoch - starts[index]) / lengths[index], 0.0, 1.0)
    height = _half_wave(_share(progress, rise, 1.0))
    if rise > 0.0:
        height = np.where(progress < rise, progress / rise, height)
    return final + (peaks[index] - final) * height


def cyclical(
    epoch: Doubles,
    horizon: float,
    *,
    low: float,
    cycles: float | None = None,
    period: float | None = None,
    rise: float,
    mode: str,
    gamma: float,
    **_momentum: float | bool,
) -> Doubles:
    """Swing between ``low`` and the peak.

    >>> cyclical(np.array([0.0, 2.5, 5.0]), 10.0, low=0.1, period=10.0, rise=0.5, mode="triangular", gamma=1.0)
    array([0.1 , 0.55, 1.  ])
    """
    height = _cycle_height(epoch, horizon, cycles=cycles, period=period, rise=rise, mode=mode, gamma=gamma)
    return low + (1.0 - low) * height


def one_cycle(
    epoch: Doubles,
    horizon: float,
    *,
    initial: float,
    rise: float,
    tail: float,
    shape: str,
    final: float,
    **_momentum: float | bool,
) -> Doubles:
    """Rise from ``initial`` to the peak and fall to ``final``, with a ``tail`` in two falls that meet at ``initial``.

    >>> one_cycle(np.array([0.0, 3.0, 10.0]), 10.0, initial=0.04, rise=0.3, tail=0.0, shape="linear", final=0.0)
    array([0.04, 1.  , 0.  ])
    """
    progress = _progress(epoch, horizon)
    floor = np.where(progress < rise, initial, final if tail == 0.0 else initial)
    values = floor + (1.0 - floor) * _one_cycle_height(epoch, horizon, rise=rise, tail=tail, shape=shape)
    if tail == 0.0:
        return values
    meeting = rise + (1.0 - rise) * (1.0 - tail)
    ending = final + (initial - final) * _anneal(_share(progress, meeting, 1.0), shape)
    return np.where(progress > meeting, ending, values)


def wsd(epoch: Doubles, horizon: float, *, cooldown: float, shape: str, final: float) -> Doubles:
    """Stay at the peak, then cool down to ``final`` in the last ``cooldown`` of the horizon.

    >>> wsd(np.array([0.0, 8.0, 9.0, 10.0]), 10.0, cooldown=0.2, shape="linear", final=0.0)
    array([1. , 1. , 0.5, 0. ])
    """
    share = _share(_progress(epoch, horizon), 1.0 - cooldown, 1.0)
    return final + (1.0 - final) * _anneal(share, shape)


def rex(epoch: Doubles, horizon: float, *, final: float) -> Doubles:
    """Fall slowly at first and fast at the end.

    >>> rex(np.array([0.0, 5.0, 10.0]), 10.0, final=0.0).round(6)
    array([1.      , 0.666667, 0.      ])
    """
    progress = _progress(epoch, horizon)
    return final + (1.0 - final) * (1.0 - progress) / (1.0 - 0.5 * progress)


def flat_cosine(epoch: Doubles, horizon: float, *, flat: float, final: float) -> Doubles:
    """Stay at the peak for a share of the horizon, then fall along half a cosine wave.

    >>> flat_cosine(np.array([0.0, 5.0, 7.5, 10.0]), 10.0, flat=0.5, final=0.0)
    array([1. , 1. , 0.5, 0. ])
    """
    return final + (1.0 - final) * _half_wave(_share(_progress(epoch, horizon), flat, 1.0))


def coslog4(epoch: Doubles, horizon: float) -> Doubles:
    """Rise and fall four times, each wave twice as long as the one before.

    >>> coslog4(np.array([0.0, 1.0, 3.0, 7.0, 15.0]), 15.0).round(6)
    array([0., 0., 0., 0., 0.])
    """
    return 0.5 * (1.0 - np.cos(2.0 * np.pi * np.log2(1.0 + 15.0 * _progress(epoch, horizon))))


def join(
    epoch: Doubles, horizon: float, *, first: BoundDecay, second: BoundDecay, at: float, scale: float = 1.0
) -> Doubles:
    """Run one decay up to a share of the horizon and then another, each with its own clock and horizon.

    At the boundary itself the second one is used, from its own peak times ``scale``.
    """
    boundary = at * horizon
    before = epoch < boundary - TOLERANCE
    late = np.maximum(epoch - boundary, 0.0)
    return np.where(before, first(epoch, boundary), scale * second(late, horizon - boundary))


def join_momentum(
    epoch: Doubles, horizon: float, *, first: BoundDecay, second: BoundDecay, at: float, **_rates: float
) -> Doubles:
    """Move the momentum as the parts of `join` do."""
    return join(epoch, horizon, first=first, second=second, at=at)


def plateau(epoch: Doubles, _horizon: float, **_rules: float) -> Doubles:
    """Stay at the peak; the cuts depend on the loss and multiply the rates while training (``feedback``)."""
    return np.ones_like(epoch)


def wall_clock(epoch: Doubles, horizon: float, *, shape: BoundDecay, **_clock: float | None) -> Doubles:
    """Run another decay; ``epoch / horizon`` is the share of the budget that has been spent.

    >>> shape = lambda epoch, horizon: linear(epoch, horizon, final=0.1)
    >>> wall_clock(np.array([0.0, 5.0, 25.0]), 10.0, shape=shape)
    array([1.  , 0.55, 0.1 ])
    """
    return shape(np.minimum(epoch, horizon), horizon)


def cyclical_momentum(
    epoch: Doubles,
    horizon: float,
    *,
    cycles: float | None = None,
    period: float | None = None,
    rise: float,
    mode: str,
    gamma: float,
    low_momentum: float,
    high_momentum: float,
    **_rates: float | bool,
) -> Doubles:
    """Swing the momentum against the rate of `cyclical`."""
    height = _cycle_height(epoch, horizon, cycles=cycles, period=period, rise=rise, mode=mode, gamma=gamma)
    return high_momentum - (high_momentum - low_momentum) * height


def one_cycle_momentum(
    epoch: Doubles,
    horizon: float,
    *,
    rise: float,
    tail: float,
    shape: str,
    low_momentum: float,
    high_momentum: float,
    **_rates: float | bool,
) -> Doubles:
    """Move the momentum against the rate of `one_cycle`."""
    height = _one_cycle_height(epoch, horizon, rise=rise, tail=tail, shape=shape)
    return high_momentum - (high_momentum - low_momentum) * height


def _progress(epoch: Doubles, horizon: float) -> Doubles:
    return np.minimum(epoch / horizon, 1.0)


def _share(progress: Doubles, begin: float, end: float) -> Doubles:
    """How much of the stretch from begin to end has passed; an empty one is passed at its end."""
    if end <= begin:
        return (progress >= end).astype(np.float64)
    return np.clip((progress - begin) / (end - begin), 0.0, 1.0)


def _half_wave(progress: Doubles) -> Doubles:
    return 0.5 * (1.0 + np.cos(np.pi * progress))


def _anneal(share: Doubles, shape: str) -> Doubles:
    """Go from 1 to 0."""
    if shape == "cosine":
        return _half_wave(share)
    return 1.0 - (np.sqrt(share) if shape == "1-sqrt" else share)


def _dropped(name: str, passed: Doubles, inside: int, *, factor: float | None, final: float | None) -> Doubles:
    """Drop as often as drops have passed; the ``inside`` ones, at least one, lead to ``final`` if given."""
    _exactly_one(name, factor=factor, final=final)
    if final is None:
        assert factor is not None
        return factor**passed
    share = passed / max(inside, 1)
    return np.asarray(final ** np.minimum(share, 1.0))


def _cycles(period: float, multiplier: float, horizon: float) -> tuple[Doubles, Doubles]:
    """List the lengths and the starts of all cycles that start before the horizon."""
    lengths, starts = [period], [0.0]
    while starts[-1] + lengths[-1] < horizon - TOLERANCE:
        starts.append(starts[-1] + lengths[-1])
        lengths.append(lengths[-1] * multiplier)
    return np.array(lengths), np.array(starts)


def _cycle_height(
    epoch: Doubles,
    horizon: float,
    *,
    cycles: float | None,
    period: float | None,
    rise: float,
    mode: str,
    gamma: float,
) -> Doubles:
    """How far up a triangular cycle the rate is, from 0 to 1 and scaled down as the mode says."""
    _exactly_one("cyclical", cycles=cycles, period=period)
    length = horizon / cycles if cycles is not None else period
    assert length is not None
    index = np.floor(epoch / length + TOLERANCE)
    inside = np.clip(epoch / length - index, 0.0, 1.0)
    height = np.where(inside < rise, _share(inside, 0.0, rise), 1.0 - _share(inside, rise, 1.0))
    if mode == "triangular2":
        return height * 0.5**index
    return height * gamma**epoch if mode == "exp_range" else height


def _one_cycle_height(epoch: Doubles, horizon: float, *, rise: float, tail: float, shape: str) -> Doubles:
    """How far up the cycle the rate is: from 0 to 1, then back to 0 where the tail begins."""
    progress = _progress(epoch, horizon)
    meeting = rise + (1.0 - rise) * (1.0 - tail)
    rising, falling = _share(progress, 0.0, rise), _share(progress, rise, meeting)
    return _anneal(np.where(progress < rise, 1.0 - rising, falling), shape)


def _exactly_one(name: str, **given: object) -> None:
    """Refuse two factors of which one determines the other, and none of them."""
    present = [factor for factor, value in given.items() if value is not None]
    if len(present) != 1:
        raise ValueError(f"{name}: give one of {' and '.join(given)}, got {' and '.join(present) or 'none'}")
