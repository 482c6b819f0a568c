"""Series as parts of an SVG, one function for each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from lrtune.reporting.html.figures import (
    BAND,
    BARS,
    CELLS,
    DASHED,
    HOLLOW,
    LINE,
    POINTS,
    RINGS,
    SPANS,
    TEXTS,
    THIN,
    TONES,
    Series,
)
from lrtune.text import formats

if TYPE_CHECKING:
    from lrtune.reporting.html.scales import PlotScale

_SMALLEST_CELL = 20
"""Width from which a cell has a number in it."""

_DARKEST = 0.62
"""Of a cell, so that a number in it can be read in both themes."""

Drawing: TypeAlias = "Callable[[Series, PlotScale, PlotScale, Frame], Iterable[str]]"


class Frame(NamedTuple):
    """Where the plot of a panel is: its edges and the ends of the paper; and whether names stand above their rows."""

    left: float
    right: float
    top: float
    bottom: float
    width: float
    height: float
    is_narrow: bool


def drawn_series(series: Series, x: PlotScale, y: PlotScale, place: Frame) -> Iterable[str]:
    """Draw a series on two axes."""
    return _DRAWINGS[series.kind](series, x, y, place)


def tone(series: Series) -> str:
    """Name the class of a series' colour."""
    return f"s{series.tone % TONES}"


def _title(series: Series, place: int) -> str:
    return f"<title>{escape(formats.printable(series.titles[place]))}</title>" if series.titles else ""


def _points(series: Series, x: PlotScale, y: PlotScale, _place: Frame) -> Iterator[str]:
    places = zip(series.x, series.y, strict=True)
    if not series.titles:
        yield f'<path class="dots {tone(series)}" d="{_dots(sorted((x(a), y(b)) for a, b in places))}"/>'
        return
    for number, (a, b) in enumerate(places):
        spot = f'cx="{x(a):.1f}" cy="{y(b):.1f}" r="3.6"'
        yield f'<circle class="{tone(series)}" {spot}>{_title(series, number)}</circle>'


def _dots(places: Iterable[tuple[float, float]]) -> str:
    """Write dots as one path, each by its distance from the one before: ten thousand of them are half as long so.

    >>> _dots([(12.25, 7.0), (12.5, 6.9), (14.0, 6.9)])
    'm12.2 7h0m.3-.1h0m1.5 0h0'
    """
    found, before = [], (0, 0)
    for each in dict.fromkeys((round(10 * a), round(10 * b)) for a, b in places):
        across, down = (_tenths(now - then) for now, then in zip(each, before, strict=True))
        found.append(f"m{across}{'' if down.startswith('-') else ' '}{down}h0")
        before = each
    return "".join(found)


def _tenths(count: int) -> str:
    """Write a number of tenths in as few characters as SVG needs."""
    whole, rest = divmod(abs(count), 10)
    sign = "-" if count < 0 else ""
    return f"{sign}{whole or ('' if rest else 0)}{f'.{rest}' if rest else ''}"


def _hollow(series: Series, x: PlotScale, y: PlotScale, _place: Frame) -> Iterator[str]:
    for number, (a, b) in enumerate(zip(series.x, series.y, strict=True)):
        spot = f'cx="{x(a):.1f}" cy="{y(b):.1f}" r="3.2"'
        yield f'<circle class="hollow {tone(series)}" {spot}>{_title(series, number)}</circle>'


def _rings(series: Series, x: PlotScale, y: PlotScale, _place: Frame) -> Iterator[str]:
    for number, (a, b) in enumerate(zip(series.x, series.y, strict=True)):
        yield f'<circle class="ring" cx="{x(a):.1f}" cy="{y(b):.1f}" r="7">{_title(series, number)}</circle>'


def _line(series: Series, x: PlotScale, y: PlotScale, _place: Frame) -> Iterator[str]:
    points = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in zip(series.x, series.y, strict=True))
    yield f'<polyline class="{series.kind} {tone(series)}" points="{points}"/>'


def _band(series: Series, x: PlotScale, y: PlotScale, _place: Frame) -> Iterator[str]:
    ends = [*zip(series.x, series.high, strict=True), *reversed(list(zip(series.x, series.low, strict=True)))]
    points = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in ends)
    yield f'<polygon class="band {tone(series)}" points="{points}"/>'


def _behind(series: Series, number: int, y: PlotScale, row: float, place: Frame) -> str:
    """Write what stands behind a row: at the edge of the paper."""
    if not series.texts:
        return ""
    height = y(row) + (-11 if place.is_narrow else 4)
    text = escape(formats.printable(series.texts[number]))
    return f'<text class="value" text-anchor="end" x="{place.width - 6:.1f}" y="{height:.1f}">{text}</text>'


def _bars(series: Series, x: PlotScale, y: PlotScale, place: Frame) -> Iterator[str]:
    half = 5.0 if place.is_narrow else min(0.32 * abs(y(1) - y(0)), 9.0)
    for number, (length, row) in enumerate(zip(series.x, series.y, strict=True)):
        start, end = sorted((x(0.0), x(length)))
        spot = f'x="{start:.1f}" y="{y(row) - half:.1f}" width="{max(end - start, 0.5):.1f}" height="{2 * half:.1f}"'
        yield f'<rect class="{tone(series)}" rx="2" {spot}>{_title(series, number)}</rect>'
        yield _behind(series, number, y, row, place)


def _spans(series: Series, x: PlotScale, y: PlotScale, place: Frame) -> Iterator[str]:
    for number, (value, row) in enumerate(zip(series.x, series.y, strict=True)):
        low, high, height = series.low[number], series.high[number], y(row)
        if low < high:
            yield f'<path class="span {tone(series)}" d="M{x(low):.1f} {height:.1f}H{x(high):.1f}"/>'
        spot = f'cx="{x(value):.1f}" cy="{height:.1f}" r="5"'
        yield f'<circle class="{tone(series)}" {spot}>{_title(series, number)}</circle>'
        yield _behind(series, number, y, row, place)


def _cells(series: Series, x: PlotScale, y: PlotScale, _place: Frame) -> Iterator[str]:
    width, height = abs(x(1) - x(0)) - 2, abs(y(1) - y(0)) - 2
    for number, (column, row) in enumerate(zip(series.x, series.y, strict=True)):
        left, top, dark = x(column) - width / 2, y(row) - height / 2, series.low[number]
        spot = f'x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"'
        shade = f'fill-opacity="{_DARKEST * dark:.2f}"'
        yield f'<rect class="paper" {spot}/><rect class="cell" rx="2" {spot} {shade}>{_title(series, number)}</rect>'
        if width > _SMALLEST_CELL and series.texts:
            at = f'x="{x(column):.1f}" y="{y(row) + 4:.1f}"'
            yield f'<text class="in" text-anchor="middle" {at}>{escape(series.texts[number])}</text>'


def _texts(series: Series, x: PlotScale, y: PlotScale, _place: Frame) -> Iterator[str]:
    for words, a, b in zip(series.texts, series.x, series.y, strict=True):
        at = f'x="{x(a):.1f}" y="{y(b) + 4:.1f}"'
        yield f'<text class="mark" text-anchor="{series.anchor}" {at}>{escape(formats.printable(words))}</text>'


_DRAWINGS: dict[str, Drawing] = {
    POINTS: _points,
    HOLLOW: _hollow,
    RINGS: _rings,
    LINE: _line,
    DASHED: _line,
    THIN: _line,
    BAND: _band,
    BARS: _bars,
    SPANS: _spans,
    CELLS: _cells,
    TEXTS: _texts,
}
