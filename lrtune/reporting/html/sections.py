"""Figures as parts of a page: the sentence, the legend, the drawing for wide and narrow screens, and the numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lrtune.reporting.html.figures import BAND, BARS, DASHED, HOLLOW, LINE, MOST_ROWS, THIN, Figure, Series
from lrtune.reporting.html.marks import tone
from lrtune.reporting.html.scales import shortened
from lrtune.reporting.html.svg import HALF, NARROW, WIDE, drawn, written

_LABEL = 250
"""Width of the longest label in a legend."""


def article(name: str, title: str, figure: Figure) -> str:
    """Write a figure as a part of a page, by the name that links have for it."""
    parts = (
        f'<article id="{name}"><h3>{written(title)}</h3><p>{written(figure.sentence)}</p>',
        legend(figure),
        f'<div class="drawn">{_drawings(name, title, figure)}</div>',
        f"<details><summary>The numbers{_cut(figure)}</summary>",
        table(f"{title}: the numbers", figure.header, figure.rows),
        "</details></article>",
    )
    return "".join(parts)


def _cut(figure: Figure) -> str:
    """Say that a table is not whole."""
    return f", the first {MOST_ROWS} rows" if len(figure.rows) == MOST_ROWS else ""


def _drawings(name: str, title: str, figure: Figure) -> str:
    if len(figure.panels) > 1:
        return f'<div class="several">{"".join(_several(name, title, figure))}</div>'
    (panel,) = figure.panels
    return "".join(
        drawn(panel, f"{name}-{only}", width=width, title=title, sentence=figure.sentence, only=only)
        for only, width in (("wide", WIDE), ("narrow", NARROW))
    )


def _several(name: str, title: str, figure: Figure) -> Iterator[str]:
    for number, panel in enumerate(figure.panels):
        yield drawn(panel, f"{name}-{number}", width=HALF, title=f"{title}: {panel.title}", sentence=figure.sentence)


def legend(figure: Figure) -> str:
    """Name the series of a figure that have a name."""
    shown = figure.legend
    if len(shown) < 2:
        return ""
    items = (f"<li>{swatch(each)}{written(shortened(each.label, _LABEL))}</li>" for each in shown)
    return f'<ul class="legend">{"".join(items)}</ul>'


def swatch(series: Series) -> str:
    """Draw what a series looks like, for a legend of a page."""
    return f'<svg viewBox="0 0 22 12" aria-hidden="true">{mark_of(series)}</svg>'


def mark_of(series: Series) -> str:
    """Draw what a series looks like, 22 wide and 12 high."""
    own = tone(series)
    if series.kind in (LINE, DASHED, THIN):
        return f'<polyline class="{series.kind} {own}" points="1,6 21,6"/>'
    if series.kind == BAND:
        return f'<polygon class="band {own}" points="1,1 21,1 21,11 1,11"/>'
    if series.kind == BARS:
        return f'<rect class="{own}" x="1" y="2" width="20" height="8" rx="2"/>'
    if series.kind == HOLLOW:
        return f'<circle class="hollow {own}" cx="11" cy="6" r="3.6"/>'
    return f'<circle class="{own}" cx="11" cy="6" r="4"/>'


def table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table that scrolls by itself; the first cell of each row is its heading."""
    head = "".join(f'<th scope="col">{written(each)}</th>' if each else "<td></td>" for each in header)
    body = "".join(
        f'<tr><th scope="row">{written(first)}</th>{"".join(f"<td>{written(cell)}</td>" for cell in others)}</tr>'
        for first, *others in rows
    )
    return (
        f'<div class="wide-table" tabindex="0" role="region" aria-label="{written(title)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
