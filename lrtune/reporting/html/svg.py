"""A figure drawn as SVG: two axes, and series upon them. Colours are those of the page, by classes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import NamedTuple

from lrtune.reporting.html.figures import (
    BAND,
    BARS,
    CELLS,
    DASHED,
    LINE,
    LOG,
    NAMES,
    POINTS,
    SPANS,
    WHOLE,
    Figure,
    FigureAxis,
    Series,
)
from lrtune.text import formats

WIDTH = 640
_TOP, _RIGHT, _BOTTOM, _CHARACTER = 12, 14, 44, 6.6
_NARROWEST, _WIDEST = 52, 190
_TICKS = 5
_TONES = 6


class _Scale(NamedTuple):
    """From values to places on the paper."""

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


def written(value: object) -> str:
    """Write a text that may come from a table or an experiment: control characters and markup mean nothing."""
    return escape(formats.printable(value))


def drawn(figure: Figure) -> str:
    """Draw a figure; its title and sentence are its text alternative."""
    left = _left(figure)
    x = _scale(figure.x, _values(figure, "x"), left, WIDTH - _RIGHT)
    y = _scale(figure.y, _values(figure, "y"), figure.height - _BOTTOM, _TOP)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {figure.height}" role="img" aria-labelledby="{figure.name}-t {figure.name}-d">',
        f'<title id="{figure.name}-t">{written(figure.title)}</title>',
        f'<desc id="{figure.name}-d">{written(figure.sentence)}</desc>',
        *_axes(figure, x, y),
        *(part for each in figure.series for part in _series(each, x, y)),
        "</svg>",
    ]
    return "".join(parts)


def legend(figure: Figure) -> str:
    """Name the series of a figure that have a name."""
    shown = [each for each in figure.series if each.label]
    marks = [f'<span class="key k{each.tone % _TONES} {each.kind}"></span>{written(each.label)}' for each in shown]
    return f'<p class="legend">{" ".join(marks)}</p>' if len(shown) > 1 else ""


def _left(figure: Figure) -> float:
    if figure.y.scale == NAMES:
        longest = max((len(each) for each in figure.y.names), default=0)
        return min(max(_NARROWEST, longest * _CHARACTER + 12), _WIDEST)
    return _NARROWEST + 8


def _values(figure: Figure, axis: str) -> list[float]:
    found = [value for each in figure.series for value in getattr(each, axis)]
    if axis == "y":
        found += [value for each in figure.series if each.kind == BAND for value in (*each.low, *each.high)]
        found += [0.0] if any(each.kind == BARS for each in figure.series) and figure.x.scale == NAMES else []
    else:
        found += [value for each in figure.series if each.kind == SPANS for value in (*each.low, *each.high)]
        found += [0.0] if any(each.kind == BARS for each in figure.series) and figure.y.scale == NAMES else []
    return [each for each in found if math.isfinite(each)]


def _scale(axis: FigureAxis, values: Sequence[float], start: float, end: float) -> _Scale:
    if axis.scale == NAMES:
        return _Scale(-0.5, max(len(axis.names), 1) - 0.5, start, end, is_log=False)
    if axis.scale == LOG:
        positive = [each for each in values if each > 0] or [1.0]
        low, high = min(positive), max(positive)
        return _Scale(low / 1.3, high * 1.3, start, end, is_log=True)
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    room = 0.04 * (high - low) or 0.5 * abs(high) or 0.5
    return _Scale(low - room, high + room, start, end, is_log=False)


def ticks(low: float, high: float, *, is_log: bool = False) -> list[float]:
    """Choose round values between two ends.

    >>> ticks(0.03, 0.97), ticks(0.004, 3.0, is_log=True)
    ([0.2, 0.4, 0.6, 0.8], [0.01, 0.1, 1.0])
    """
    if is_log:
        first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
        if last > first:
            every = -(-(last - first) // _TICKS)
            return [10.0**power for power in range(first, last + 1, max(every, 1))]
    raw = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    count = math.floor((high / step) - first + 1e-9)
    return [round((first + number) * step, 12) for number in range(count + 1)]


def _axes(figure: Figure, x: _Scale, y: _Scale) -> Iterator[str]:
    bottom, left, right = y.start, x.start, x.end
    for place, text in _marks(figure.x, x):
        if figure.x.scale != NAMES:
            yield f'<line class="grid" x1="{place:.1f}" x2="{place:.1f}" y1="{y.end}" y2="{bottom}"/>'
        yield f'<text class="tick" text-anchor="middle" x="{place:.1f}" y="{bottom + 15}">{written(text)}</text>'
    for place, text in _marks(figure.y, y):
        yield f'<line class="grid" x1="{left:.1f}" x2="{right}" y1="{place:.1f}" y2="{place:.1f}"/>'
        yield f'<text class="tick" text-anchor="end" x="{left - 6:.1f}" y="{place + 4:.1f}">{written(text)}</text>'
    yield f'<line class="axis" x1="{left:.1f}" x2="{right}" y1="{bottom}" y2="{bottom}"/>'
    middle = (left + right) / 2
    yield f'<text class="name" text-anchor="middle" x="{middle:.1f}" y="{bottom + 34}">{written(figure.x.label)}</text>'
    if figure.y.label:
        height = (bottom + y.end) / 2
        yield (
            f'<text class="name" text-anchor="middle" transform="translate(12 {height:.1f}) rotate(-90)">'
            f"{written(figure.y.label)}</text>"
        )


def _marks(axis: FigureAxis, scale: _Scale) -> list[tuple[float, str]]:
    if axis.scale == NAMES:
        return [(scale(place), each if len(each) <= 28 else f"{each[:27]}…") for place, each in enumerate(axis.names)]
    found = ticks(scale.low, scale.high, is_log=scale.is_log)
    found = [each for each in found if axis.scale != WHOLE or each.is_integer()]
    write = formats.number if scale.is_log else _plain
    return [(scale(each), write(each)) for each in found if scale.low <= each <= scale.high]


def _plain(value: float) -> str:
    return f"{value:.6g}"


def _series(series: Series, x: _Scale, y: _Scale) -> Iterable[str]:
    tone = f"s{series.tone % _TONES}"
    if series.kind in (LINE, DASHED):
        return _line(series, x, y, tone)
    if series.kind == BAND:
        ends = [*zip(series.x, series.high, strict=True), *reversed(list(zip(series.x, series.low, strict=True)))]
        points = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in ends)
        return [f'<polygon class="band {tone}" points="{points}"/>']
    if series.kind == BARS:
        return _bars(series, x, y, tone)
    if series.kind == SPANS:
        return _spans(series, x, y, tone)
    if series.kind == CELLS:
        return _cells(series, x, y)
    assert series.kind == POINTS
    return [
        f'<circle class="{tone}" cx="{x(a):.1f}" cy="{y(b):.1f}" r="3.4">{_title(series, place)}</circle>'
        for place, (a, b) in enumerate(zip(series.x, series.y, strict=True))
    ]


def _title(series: Series, place: int) -> str:
    return f"<title>{written(series.titles[place])}</title>" if series.titles else ""


def _line(series: Series, x: _Scale, y: _Scale, tone: str) -> list[str]:
    points = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in zip(series.x, series.y, strict=True))
    dashed = " dashed" if series.kind == DASHED else ""
    return [f'<polyline class="{tone}{dashed}" points="{points}"/>']


def _bars(series: Series, x: _Scale, y: _Scale, tone: str) -> Iterator[str]:
    half = 0.32 * abs(y(1) - y(0))
    for place, (length, row) in enumerate(zip(series.x, series.y, strict=True)):
        start, end = sorted((x(0.0), x(length)))
        yield (
            f'<rect class="{tone}" x="{start:.1f}" y="{y(row) - half:.1f}" width="{max(end - start, 0.5):.1f}" '
            f'height="{2 * half:.1f}">{_title(series, place)}</rect>'
        )


def _spans(series: Series, x: _Scale, y: _Scale, tone: str) -> Iterator[str]:
    for place, (value, row) in enumerate(zip(series.x, series.y, strict=True)):
        low, high, height = series.low[place], series.high[place], y(row)
        if low < high:
            yield f'<line class="{tone}" x1="{x(low):.1f}" x2="{x(high):.1f}" y1="{height:.1f}" y2="{height:.1f}"/>'
        yield f'<circle class="{tone}" cx="{x(value):.1f}" cy="{height:.1f}" r="4">{_title(series, place)}</circle>'


def _cells(series: Series, x: _Scale, y: _Scale) -> Iterator[str]:
    width, height = abs(x(1) - x(0)) * 0.94, abs(y(1) - y(0)) * 0.94
    for place, (column, row) in enumerate(zip(series.x, series.y, strict=True)):
        left, top, dark = x(column) - width / 2, y(row) - height / 2, series.low[place]
        yield (
            f'<rect class="cell" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'fill-opacity="{dark:.2f}">{_title(series, place)}</rect>'
        )
        if width > 22 and series.titles:
            shade = "on" if dark > 0.5 else "off"
            text, at = written(series.titles[place].rpartition(" ")[2]), f'x="{x(column):.1f}" y="{y(row) + 4:.1f}"'
            yield f'<text class="in {shade}" text-anchor="middle" {at}>{text}</text>'
