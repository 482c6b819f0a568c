"""Validation loss against rate in the terminal: characters on a logarithmic axis, without colours.

Below the curve there is a line for each optimizer with diverged runs: their share, from nothing to a full block.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from lrtune.reporting.terminal_plots import sparkline
from lrtune.text import formats

if TYPE_CHECKING:
    from lrtune.reporting.rates import OptimizerRates, RateSummary

SIGNS = "●x+o#%"
"""What the median of each optimizer is drawn with."""

_BAND, _MARK, _LOWEST, _SHORT, _MARGIN = "░", "┊", "▼", "*", 10
_ABOVE = 0.15
"""How much of the fall there is room for above the start."""


def curve_lines(found: RateSummary, *, width: int = 100, height: int = 16) -> list[str]:
    """Draw a summary of `lrtune.reporting.rates`: medians and their minima, the band of a single one, the answers.

    Parameters
    ----------
    found
        The summary.
    width, height
        In characters.

    """
    entries = found.optimizers
    bottom, top = _losses(entries)
    left = math.log10(min(each.curve.rates[0] for each in entries))
    right = math.log10(max(each.curve.rates[-1] for each in entries))
    columns = max(width - _MARGIN - 1, 20)
    cells = [[" "] * columns for _ in range(height)]

    def column(rate: float) -> int:
        return round((math.log10(rate) - left) / (right - left) * (columns - 1))

    def row(loss: float) -> int:
        return round((top - min(max(loss, bottom), top)) / (top - bottom) * (height - 1))

    for sign, each in zip(SIGNS, entries, strict=False):
        if each.recommended is not None and 0 <= column(each.recommended) < columns:
            for line in cells:
                line[column(each.recommended)] = _MARK
        if len(entries) == 1:
            _fill(cells, _joined([(column(rate), row(low), row(high)) for rate, low, high in _band(each, top)]))
            _scatter(
                cells,
                [(column(rate), row(loss)) for rate, loss in _ends(each) if left <= math.log10(rate) <= right],
                _SHORT,
            )
        _trace(cells, _joined([(column(rate), row(loss)) for rate, loss in _median(each, top)]), sign)
        if each.minimum is not None:
            _scatter(cells, [(column(each.minimum), row(each.curve.loss_at(each.minimum)))], _LOWEST)
    shares = [_diverged(sign, each, column, columns) for sign, each in zip(SIGNS, entries, strict=False)]
    lines = [*_framed(cells, bottom, top), _ticks(left, right, columns), *filter(None, shares)]
    return [*lines, *_legend(entries, columns, diverged=any(shares))]


def _diverged(sign: str, entry: OptimizerRates, column: Callable[[float], int], columns: int) -> str:
    """Draw the share of diverged runs against rate; nothing if there are none."""
    curve = entry.curve
    if not any(curve.diverged):
        return ""
    shares, before = [0.0] * columns, 0
    for rate, share in zip(curve.rates, curve.diverged, strict=True):
        place = min(max(column(rate), before - 1), columns - 1)  # some rates are beyond the picture
        shares[before : place + 1] = [share] * (place + 1 - before)
        before = place + 1
    return f"{f'diverged {sign}':>{_MARGIN}} {formats.printable(sparkline(shares, 1.0))}".rstrip()


def _losses(entries: Sequence[OptimizerRates]) -> tuple[float, float]:
    """Find the lowest loss to show, and the highest: a little above the first ones."""
    medians = [loss for each in entries for loss in each.curve.median if loss is not None]
    if len(entries) == 1:
        medians += [loss for _, loss in _ends(entries[0])]
    firsts = [each.curve.high[0] for each in entries if each.curve.high[0] is not None]
    bottom = min(medians, default=0.0)
    top = max([*firsts, bottom])
    room = _ABOVE * (top - bottom) or 0.1 * abs(top) or 1.0
    return bottom, top + room


def _joined(places: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Fill in the columns between points, each a column and its rows.

    >>> _joined([(0, 4), (2, 8)])
    [(0, 4), (1, 6), (2, 8)]
    """
    found = list(places[:1])
    for (left, *first), (right, *last) in itertools.pairwise(places):
        for place in range(left + 1, right + 1):
            share = (place - left) / (right - left)
            found.append((place, *(round(a + share * (b - a)) for a, b in zip(first, last, strict=True))))
    return found


def _median(entry: OptimizerRates, top: float) -> Iterator[tuple[float, float]]:
    curve = entry.curve
    for rate, loss in zip(curve.rates, curve.median, strict=True):
        if loss is not None and loss <= top:
            yield rate, loss


def _band(entry: OptimizerRates, top: float) -> Iterator[tuple[float, float, float]]:
    curve = entry.curve
    for rate, low, high in zip(curve.rates, curve.low, curve.high, strict=True):
        if low is not None and low <= top:
            yield rate, low, top if high is None else high


def _ends(entry: OptimizerRates) -> Iterator[tuple[float, float]]:
    """Give rates and losses of short runs."""
    short = entry.short_runs
    return zip(short.rates, short.mean, strict=True) if short else iter(())


def _scatter(cells: list[list[str]], places: Sequence[tuple[int, int]], sign: str) -> None:
    for column, row in places:
        cells[row][column] = sign


def _fill(cells: list[list[str]], band: Sequence[tuple[int, ...]]) -> None:
    for column, low, high in band:
        for row in range(high, low + 1):
            cells[row][column] = _BAND


def _trace(cells: list[list[str]], places: Sequence[tuple[int, ...]], sign: str) -> None:
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


def _rate(rate: float | None) -> str:
    return formats.MISSING if rate is None else formats.rate(rate)


def _legend(entries: Sequence[OptimizerRates], columns: int, *, diverged: bool) -> Iterator[str]:
    names = "   ".join(f"{sign} {each.optimizer}" for sign, each in zip(SIGNS, entries, strict=False))
    shown = [f"{names}: median" + ("" if len(entries) == 1 else "s")]
    if len(entries) == 1:
        shown += [f"{_BAND} 10-90 % of the runs"] + ([f"{_SHORT} short runs"] if entries[0].short_runs else [])
    for mark, name in ((_MARK, "recommended"), (_LOWEST, "minimum")):
        found = [getattr(each, name) for each in entries]
        if any(rate is not None for rate in found):
            shown.append(f"{mark} {name} {', '.join(map(_rate, found))}")
    if diverged:
        shown.append("█ all runs diverged")
    line = ""
    for each in map(formats.printable, shown):
        if line and len(line) + len(each) + 3 > columns:
            yield f"{'':{_MARGIN + 1}}{line}"
            line = ""
        line = f"{line}   {each}" if line else each
    yield f"{'':{_MARGIN + 1}}{line}"
