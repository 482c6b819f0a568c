"""From values to places on the paper, and the round values that an axis names."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lrtune.reporting.html.figures import BAND, BARE, BARS, LOG, NAMES, SPANS, TEXTS, WHOLE, ZERO, FigureAxis, Series
from lrtune.text import formats

CHARACTER = 7.1
"""Width of a character of usual size."""


class PlotScale(NamedTuple):
    """From values to places."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool

    def __call__(self, value: float) -> float:
        """Give the place of a value."""
        low, high = (math.log10(self.low), math.log10(self.high)) if self.is_log else (self.low, self.high)
        part = ((math.log10(value) if self.is_log else value) - low) / (high - low)
        return self.start + part * (self.end - self.start)


def scale(axis: FigureAxis, values: Sequence[float], start: float, end: float) -> PlotScale:
    """Fit a scale to values, with some room at both ends."""
    if axis.scale == NAMES:
        return PlotScale(-0.5, max(len(axis.names), 1) - 0.5, start, end, is_log=False)
    if axis.scale == LOG:
        positive = [each for each in values if each > 0] or [1.0]
        low, high = min(positive), max(positive)
        room = max((high / low) ** 0.04, 1.05)
        return PlotScale(low / room, high * room, start, end, is_log=True)
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    low = min(low, 0.0) if axis.scale == ZERO else low
    room = (0.09 if axis.scale == BARE else 0.05) * (high - low) or 0.1 * abs(high) or 0.5
    if axis.scale == BARE:
        return PlotScale(low - room, high + room, start, end, is_log=False)
    floor = 0.0 if low == 0.0 else low - room
    return PlotScale(floor, high + room, start, end, is_log=False)


def extent(series: Iterable[Series], axis: str, other: FigureAxis) -> list[float]:
    """List all values that an axis, ``x`` or ``y``, must show."""
    found: list[float] = []
    for each in series:
        if each.kind == TEXTS:
            continue
        found += getattr(each, axis)
        if each.kind == (BAND if axis == "y" else SPANS):
            found += [*each.low, *each.high]
        if each.kind == BARS and other.scale == NAMES:
            found.append(0.0)
    return [each for each in found if math.isfinite(each)]


def ticks(low: float, high: float, *, most: int = 5, is_log: bool = False) -> list[float]:
    """Choose round values between two ends.

    >>> ticks(0.03, 0.97), ticks(0.0004, 3.0, is_log=True), ticks(0.004, 0.3, is_log=True)
    ([0.2, 0.4, 0.6, 0.8], [0.001, 0.01, 0.1, 1.0], [0.01, 0.1])
    >>> ticks(0.02, 0.3, is_log=True), ticks(0.021, 0.044, is_log=True)
    ([0.02, 0.05, 0.1, 0.2], [0.025, 0.03, 0.035, 0.04])
    """
    if is_log:
        found = _log_ticks(low, high, most)
        if len(found) > 1:
            return found
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    count = math.floor((high / step) - first + 1e-9)
    return [_rounded((first + number) * step) for number in range(count + 1)]


def _rounded(value: float) -> float:
    return float(f"{value:.10g}")


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    first, last = math.floor(math.log10(low)), math.floor(math.log10(high))
    powers = range(first, last + 1)
    whole = [10.0**each for each in powers if low * (1 - 1e-9) <= 10.0**each <= high * (1 + 1e-9)]
    if len(whole) > 1:
        return whole[:: -(-len(whole) // most)]
    steps = (_rounded(digit * 10.0**each) for each in powers for digit in (1, 2, 5))
    return [each for each in steps if low * (1 - 1e-9) <= each <= high * (1 + 1e-9)]


def marks(axis: FigureAxis, found: PlotScale, most: int) -> list[tuple[float, str]]:
    """List what an axis of numbers names: places and texts."""
    if axis.scale == BARE:
        return []
    values = ticks(found.low, found.high, most=most, is_log=found.is_log)
    values = [each for each in values if found.low <= each <= found.high]
    if axis.scale == WHOLE:
        values = [each for each in values if each.is_integer()]
    return [(found(each), text) for each, text in zip(values, texts(values), strict=True)]


def texts(values: Sequence[float]) -> list[str]:
    """Write numbers that stand at one axis, all with the digits that the finest of them takes.

    >>> texts([0.0, 0.5, 1.0]), texts([0.001, 0.01, 1.0]), texts([1e-7, 1e-6]), texts([20000.0, 40000.0])
    (['0.0', '0.5', '1.0'], ['0.001', '0.01', '1'], ['1e-7', '1e-6'], ['20,000', '40,000'])
    """
    known = [abs(each) for each in values if each]
    if not known or min(known) < 1e-4 or max(known) >= 1e7:
        return [formats.number(each) for each in values]
    if max(known) / min(known) > 50:
        return [f"{each:,.10g}" for each in values]
    digits = max(len(f"{each:.10f}".rstrip("0").partition(".")[2]) for each in values)
    return [f"{each:,.{digits}f}" for each in values]


def width_of(text: str) -> float:
    """Estimate how wide a text is; signs of East Asia and pictures count twice."""
    return CHARACTER * sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def shortened(text: str, width: float) -> str:
    """Cut a text so that it is at most so wide.

    >>> shortened("benign", 60), shortened("extraordinarily long", 60)
    ('benign', 'extraor…')
    """
    if width_of(text) <= width:
        return text
    while text and width_of(text) > width - CHARACTER:
        text = text[:-1]
    return f"{text.rstrip()}…"
