"""Decays in plain Python on one number: exported code is made of the text of these functions.

``t`` is the time since the warm-up ended and ``T`` the horizon that was left then, both in epochs; a function takes
what it needs of the two, and then its factors. Of two factors of which one determines the other it takes the one in the
formula (``resolved`` computes it). Tests compare every function with that of the same name in ``functions``.
"""

from __future__ import annotations

import math

TOLERANCE = 1e-9
"""By how much a jump comes early, so that rounding never delays it by an update."""


def share(u: float, begin: float, end: float) -> float:
    """Tell how much of the way from begin to end is done, from 0 to 1."""
    if end <= begin:
        return 1.0 if u >= end else 0.0
    return min(max((u - begin) / (end - begin), 0.0), 1.0)


def fall(u: float, shape: str) -> float:
    """Go from 1 to 0."""
    if shape == "cosine":
        return (1.0 + math.cos(math.pi * u)) / 2.0
    if shape == "1-sqrt":
        return 1.0 - math.sqrt(u)
    return 1.0 - u


def constant() -> float:
    """Stay at the peak."""
    return 1.0


def linear(t: float, T: float, *, final: float) -> float:
    """Fall along a straight line."""
    return 1.0 - (1.0 - final) * min(t / T, 1.0)


def polynomial(t: float, T: float, *, power: float, final: float) -> float:
    """Fall along a power of the time that is left."""
    value: float = final + (1.0 - final) * (1.0 - min(t / T, 1.0)) ** power
    return value


def step(t: float, *, factor: float, every: float) -> float:
    """Multiply by factor every so many epochs."""
    value: float = factor ** math.floor(t / every + TOLERANCE)
    return value


def multistep(t: float, *, factor: float, milestones: tuple[float, ...]) -> float:
    """Multiply by factor at each milestone."""
    return factor ** sum(t >= each - TOLERANCE for each in milestones)


def exponential(t: float, *, k: float, staircase: bool, floor: float) -> float:
    """Lose the same share in equal times, down to the floor."""
    return max(math.exp(-k * (math.floor(t + TOLERANCE) if staircase else t)), floor)


def inverse_time(t: float, *, k: float, floor: float) -> float:
    """Fall hyperbolically, down to the floor."""
    return max(1.0 / (1.0 + k * t), floor)


def inverse_sqrt(t: float, *, timescale: float) -> float:
    """Fall with the square root of time."""
    return 1.0 / math.sqrt(1.0 + t / timescale)


def cosine(t: float, T: float, *, final: float) -> float:
    """Fall along half a cosine wave."""
    return final + (1.0 - final) * (1.0 + math.cos(math.pi * min(t / T, 1.0))) / 2.0


def cosine_restarts(
    t: float, T: float, *, period: float, multiplier: float, peak_decay: float, final: float, rise: float
) -> float:
    """Fall along half a cosine wave, again and again, each time after a rise if there is one."""
    start, length, peak = 0.0, period, 1.0
    while start + length < T - TOLERANCE and start + length <= t + TOLERANCE:
        start, length, peak = start + length, length * multiplier, max(peak * peak_decay, final)
    u = min(max((t - start) / length, 0.0), 1.0)
    height = u / rise if u < rise else (1.0 + math.cos(math.pi * share(u, rise, 1.0))) / 2.0
    return final + (peak - final) * height


def cyclical_height(t: float, *, period: float, rise: float, mode: str, gamma: float) -> float:
    """Tell how far up the triangle."""
    cycle = math.floor(t / period + TOLERANCE)
    u = min(max(t / period - cycle, 0.0), 1.0)
    height = share(u, 0.0, rise) if u < rise else 1.0 - share(u, rise, 1.0)
    if mode == "triangular2":
        return height * 0.5**cycle
    return height * gamma**t if mode == "exp_range" else height


def cyclical(t: float, *, low: float, period: float, rise: float, mode: str, gamma: float) -> float:
    """Swing between low and the peak."""
    return low + (1.0 - low) * cyclical_height(t, period=period, rise=rise, mode=mode, gamma=gamma)


def one_cycle_height(t: float, T: float, *, rise: float, tail: float, shape: str) -> float:
    """Tell how far up the cycle: to 1, then back to 0 where the tail begins."""
    u = min(t / T, 1.0)
    turning = rise + (1.0 - rise) * (1.0 - tail)
    return 1.0 - fall(share(u, 0.0, rise), shape) if u < rise else fall(share(u, rise, turning), shape)


def one_cycle(t: float, T: float, *, initial: float, rise: float, tail: float, shape: str, final: float) -> float:
    """Rise to the peak once, then fall down to final."""
    u = min(t / T, 1.0)
    turning = rise + (1.0 - rise) * (1.0 - tail)
    end = final if tail == 0.0 else initial
    floor = initial if u < rise else end
    value = floor + (1.0 - floor) * one_cycle_height(t, T, rise=rise, tail=tail, shape=shape)
    last = final + (initial - final) * fall(share(u, turning, 1.0), shape)
    return last if u > turning else value


def wsd(t: float, T: float, *, cooldown: float, shape: str, final: float) -> float:
    """Stay at the peak until the cooldown."""
    return final + (1.0 - final) * fall(share(min(t / T, 1.0), 1.0 - cooldown, 1.0), shape)


def rex(t: float, T: float, *, final: float) -> float:
    """Fall slowly at first and fast at the end."""
    z = min(t / T, 1.0)
    return final + (1.0 - final) * (1.0 - z) / (1.0 - z / 2.0)


def flat_cosine(t: float, T: float, *, flat: float, final: float) -> float:
    """Stay at the peak, then fall along half a cosine wave."""
    return final + (1.0 - final) * fall(share(min(t / T, 1.0), flat, 1.0), "cosine")


def coslog4(t: float, T: float) -> float:
    """Rise and fall four times, each wave twice as long as the one before."""
    return (1.0 - math.cos(2.0 * math.pi * math.log2(1.0 + 15.0 * min(t / T, 1.0)))) / 2.0
