"""Validation loss against rate in the terminal: characters on a logarithmic axis, without colours."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lrtune.reporting import formats

SIGNS = "●x+o#*"
"""What the median of each optimizer is drawn with."""

_BAND, _MARK, _MARGIN = "░", "┊", 9
_ABOVE = 0.15
"""How much of the fall there is room for above the start."""


def curve_lines(found: Mapping[str, Any], *, width: int = 100, height: int = 16) -> list[str]:
    """Draw a summary of `lrtune.reporting.rates`: medians, the band of a single optimizer, the recommendations.

    Parameters
    ----------
    found
        The summary.
    width, height
        In characters.

    """
    entries = found["optimizers"]
    bottom, top = _losses(entries)
    left = math.log10(min(each["curve"]["rates"][0] for each in entries))
    right = math.log10(max(each["curve"]["rates"][-1] for each in entries))
    columns = max(width - _MARGIN - 1, 20)
    cells = [[" "] * columns for _ in range(height)]

    def column(rate: float) -> int:
        return round((math.log10(rate) - left) / (right - left) * (columns - 1))

    def row(loss: float) -> int:
        return round((top - min(max(loss, bottom), top)) / (top - bottom) * (height - 1))

    for sign, each in zip(SIGNS, entries, strict=False):
        if each["recommended"] is not None and 0 <= column(each["recommended"]) < columns:
            for line in cells:
                line[column(each["recommended"])] = _MARK
        if len(entries) == 1:
            _fill(cells, [(column(rate), row(low), row(high)) for rate, low, high in _band(each, top)])
        _trace(cells, [(column(rate), row(loss)) for rate, loss in _median(each, top)], sign)
    return [*_framed(cells, bottom, top), _ticks(left, right, columns), *_legend(entries)]


def _losses(entries: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Find the lowest loss to show, and the highest: a little above the first ones."""
    medians = [loss for each in entries for loss in each["curve"]["median"] if loss is not None]
    firsts = [each["curve"]["high"][0] for each in entries if each["curve"]["high"][0] is not None]
    bottom = min(medians, default=0.0)
    top = max([*firsts, bottom])
    room = _ABOVE * (top - bottom) or 0.1 * abs(top) or 1.0
    return bottom, top + room


def _median(entry: Mapping[str, Any], top: float) -> Iterator[tuple[float, float]]:
    curve = entry["curve"]
    for rate, loss in zip(curve["rates"], curve["median"], strict=True):
        if loss is not None and loss <= top:
            yield rate, loss


def _band(entry: Mapping[str, Any], top: float) -> Iterator[tuple[float, float, float]]:
    curve = entry["curve"]
    for rate, low, high in zip(curve["rates"], curve["low"], curve["high"], strict=True):
        if low is not None and low <= top:
            yield rate, low, top if high is None else high


def _fill(cells: list[list[str]], band: Sequence[tuple[int, int, int]]) -> None:
    for column, low, high in band:
        for row in range(high, low + 1):
            cells[row][column] = _BAND


def _trace(cells: list[list[str]], places: Sequence[tuple[int, int]], sign: str) -> None:
    """Draw the points, and between neighbours in steep places what joins them."""
    before: tuple[int, int] | None = None
    for column, row in places:
        first = row if before is None else before[1]
        step = 1 if row > first else -1
        for between in range(first + step, row, step):
            cells[between][column] = sign
        cells[row][column] = sign
        before = column, row


def _framed(cells: list[list[str]], bottom: float, top: float) -> Iterator[str]:
    last = len(cells) - 1
    for number, line in enumerate(cells):
        marked = number % 5 == 0
        mark = f"{top - (top - bottom) * number / last:.3g}" if marked else ""
        yield f"{mark:>{_MARGIN - 1}} {'┤' if marked else '│'}{''.join(line)}".rstrip()
    yield f"{'':{_MARGIN}}└{'─' * len(cells[0])}"


def _ticks(left: float, right: float, columns: int) -> str:
    """Write the powers of ten below the axis."""
    text = [" "] * columns
    for power in range(math.ceil(left - 1e-9), math.floor(right + 1e-9) + 1):
        label = f"1e{power}"
        place = min(round((power - left) / (right - left) * (columns - 1)), columns - len(label))
        text[place : place + len(label)] = label
    return f"{'':{_MARGIN + 1}}{''.join(text)}".rstrip()


def _legend(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    names = "   ".join(f"{sign} {each['optimizer']}" for sign, each in zip(SIGNS, entries, strict=False))
    shown = f"{names}: median" + (f"   {_BAND} 10-90 % of the runs" if len(entries) == 1 else "s")
    if any(each["recommended"] is not None for each in entries):
        shown += f"   {_MARK} recommended"
    yield f"{'':{_MARGIN + 1}}{formats.printable(shown)}"
