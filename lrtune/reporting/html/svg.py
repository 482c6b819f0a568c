"""A panel drawn as SVG: two axes, and series upon them. Colours are those of the page, by classes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape

from lrtune.reporting.html.figures import BARS, NAMES, SPANS, FigureAxis, Panel
from lrtune.reporting.html.marks import Frame, drawn_series
from lrtune.reporting.html.scales import PlotScale, extent, marks, scale, shortened, width_of
from lrtune.text import formats

WIDE, HALF, NARROW = 680, 330, 340
"""Widths of a drawing: across the page, one of several beside each other, and on a phone."""

_LINE = 18
"""Height of a line of words."""

_ROW = 40
"""Height of a row below its name."""

_MOST_NAME, _LEANING = 236, 34
"""The widest name beside a row, and the width from which names of columns lean when they are wider than that."""


def written(value: object) -> str:
    """Write a text that may come from a table or an experiment: control characters and markup mean nothing."""
    return escape(formats.printable(value))


def drawn(panel: Panel, name: str, *, width: int, title: str, sentence: str, only: str = "") -> str:
    """Draw a panel, or what only narrow or wide screens show; its title and sentence are its text alternative."""
    place, inside = plot(panel, width)
    shown = f' class="{only}"' if only else ""
    head = f'<svg{shown} viewBox="0 0 {width} {place.height:g}" role="img" aria-labelledby="{name}-t {name}-d">'
    alternative = f'<title id="{name}-t">{written(title)}</title><desc id="{name}-d">{written(sentence)}</desc>'
    return f"{head}{alternative}{inside}</svg>"


def plot(panel: Panel, width: int) -> tuple[Frame, str]:
    """Draw what is inside of a panel, and say where."""
    place = _frame(panel, width)
    x = scale(panel.x, extent(panel.series, "x", panel.y), place.left, place.right)
    y = scale(panel.y, extent(panel.series, "y", panel.x), place.bottom, place.top)
    parts = [*_axes(panel, place, x, y)]
    for each in panel.series:
        parts += drawn_series(each, x, y, place)
    return place, "".join(parts)


def _frame(panel: Panel, width: int) -> Frame:
    rows = len(panel.y.names) if panel.y.scale == NAMES else 0
    is_narrow = width < WIDE and rows > 0 and panel.x.scale != NAMES
    top = 8 + _LINE * (bool(panel.title) + bool(panel.y.label))
    bottom = 14 + _LINE * (bool(panel.x.label) + 0.4) + _below(panel.x, width)
    height = top + bottom + _ROW * rows if is_narrow else float(panel.height)
    right = width - 12.0
    beside = [text for each in panel.series if each.kind in (BARS, SPANS) for text in each.texts]
    if beside and not is_narrow:
        right -= max(map(width_of, beside)) + 8
    left = 10.0 if is_narrow else _left(panel, height - top - bottom)
    if _leans(panel.x, width):  # the first name leans to the left of its column, half a step from the edge of the plot
        left = max(left, 0.75 * min(width_of(panel.x.names[0]), 96) - (width - 60) / len(panel.x.names) / 2 + 4)
    return Frame(left, right, top, height - bottom, width, height, is_narrow)


def _left(panel: Panel, height: float) -> float:
    if panel.y.scale == NAMES:
        return min(max((width_of(each) for each in panel.y.names), default=0.0), _MOST_NAME) + 14
    values = extent(panel.series, "y", panel.x)
    shown = marks(panel.y, scale(panel.y, values, height, 0.0), _ticks(height, 36))
    return max((width_of(text) for _, text in shown), default=0.0) + 14


def _below(axis: FigureAxis, width: float) -> float:
    """Say how much room names below the columns take beside a line."""
    return min(max(map(width_of, axis.names)), 96) * 0.7 if _leans(axis, width) else 0.0


def _leans(axis: FigureAxis, width: float) -> bool:
    if axis.scale != NAMES or not axis.names:
        return False
    step = (width - 60) / len(axis.names)
    return max(map(width_of, axis.names)) > max(step - 4, _LEANING) and step < 2.2 * _LEANING


def _ticks(length: float, each: float) -> int:
    return max(2, min(6, int(length // each)))


def _axes(panel: Panel, place: Frame, x: PlotScale, y: PlotScale) -> Iterator[str]:
    baseline = _LINE - 4
    if panel.title:
        yield f'<text class="head" x="2" y="{baseline}">{written(shortened(panel.title, place.width - 4))}</text>'
        baseline += _LINE
    if panel.y.label:
        yield f'<text class="name" x="2" y="{baseline}">{written(panel.y.label)}</text>'
    yield from _columns(panel, place, x)
    yield from _rows(panel, place, y)
    if panel.x.label:
        label, middle = written(panel.x.label), (place.left + place.right) / 2
        yield f'<text class="name" text-anchor="middle" x="{middle:.1f}" y="{place.height - 6:.1f}">{label}</text>'


def _columns(panel: Panel, place: Frame, x: PlotScale) -> Iterator[str]:
    """Draw what the horizontal axis names."""
    bottom = place.bottom
    if panel.x.scale == NAMES:
        step, leans = abs(x(1) - x(0)), _leans(panel.x, place.width)
        widest = _LINE if leans else min(max(map(width_of, panel.x.names), default=0.0), max(step - 4, 20)) + 3
        for number, each in enumerate(panel.x.names):
            if number % math.ceil(widest / step):  # so many names have no room
                continue
            text, spot = written(shortened(each, 96 if leans else max(step - 4, 20))), f"{x(number):.1f}"
            if leans:
                turned = f'text-anchor="end" transform="translate({spot} {bottom + 12:.1f}) rotate(-42)"'
                yield f'<text class="tick" {turned}>{text}</text>'
            else:
                yield f'<text class="tick" text-anchor="middle" x="{spot}" y="{bottom + 16:.1f}">{text}</text>'
        return
    for at, text in marks(panel.x, x, _ticks(place.right - place.left, 70)):
        yield f'<path class="grid" d="M{at:.1f} {place.top:.1f}V{bottom:.1f}"/>'
        half = width_of(text) / 2
        middle = max(min(at, place.width - half), half)
        yield f'<text class="tick" text-anchor="middle" x="{middle:.1f}" y="{bottom + 16:.1f}">{text}</text>'


def _rows(panel: Panel, place: Frame, y: PlotScale) -> Iterator[str]:
    """Draw what the vertical axis names."""
    if panel.y.scale == NAMES:
        for number, each in enumerate(panel.y.names):
            at = y(number)
            if place.is_narrow:
                text = written(shortened(each, 0.72 * place.width))
                yield f'<text class="tick" x="{place.left:.1f}" y="{at - 11:.1f}">{text}</text>'
            else:
                text, spot = written(shortened(each, _MOST_NAME)), f'x="{place.left - 8:.1f}" y="{at + 4:.1f}"'
                yield f'<text class="tick" text-anchor="end" {spot}>{text}</text>'
        return
    for at, text in marks(panel.y, y, _ticks(place.bottom - place.top, 36)):
        yield f'<path class="grid" d="M{place.left:.1f} {at:.1f}H{place.right:.1f}"/>'
        yield f'<text class="tick" text-anchor="end" x="{place.left - 6:.1f}" y="{at + 4:.1f}">{text}</text>'
