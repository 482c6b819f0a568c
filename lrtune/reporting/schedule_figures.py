"""Figures of schedules, as Vega-Lite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lrtune.errors import LrtuneError, nearest

if TYPE_CHECKING:
    from pathlib import Path

KINDS = (".png", ".svg", ".html")
_POINTS = 2000


def schedule_figure(title: str, rates: Sequence[float], steps: int) -> dict[str, Any]:
    """Draw the rate of every update over the epochs; of very many, evenly chosen ones."""
    every = max(1, len(rates) // _POINTS)
    chosen = sorted({*range(0, len(rates), every), len(rates) - 1})
    tooltip = [{"field": key, "type": "quantitative"} for key in ("update", "epoch", "rate")]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "title": {"text": title, "anchor": "start"},
        "width": 720,
        "height": 320,
        "config": {"view": {"stroke": None}, "font": "sans-serif", "background": "white"},
        "data": {"values": [{"update": each, "epoch": each / steps, "rate": rates[each]} for each in chosen]},
        "mark": {"type": "line", "strokeWidth": 2, "color": "#1f5fa8"},
        "encoding": {
            "x": {"field": "epoch", "type": "quantitative", "title": "epoch"},
            "y": {"field": "rate", "type": "quantitative", "title": "learning rate", "axis": {"format": "~g"}},
            "tooltip": tooltip,
        },
    }


def save(figure: dict[str, Any], path: Path) -> None:
    """Write a figure as PNG, SVG or interactive HTML that needs no network, as the file's ending says.

    Raises
    ------
    LrtuneError
        If the ending is none of these, or the file cannot be written.

    """
    import vl_convert

    kind = path.suffix.lower()
    if kind not in KINDS:
        raise LrtuneError(f"{path}: unknown kind of figure '{kind}'; {nearest(kind, KINDS)}")
    if kind == ".png":
        content = vl_convert.vegalite_to_png(figure, scale=2)
    elif kind == ".svg":
        content = vl_convert.vegalite_to_svg(figure).encode()
    else:
        content = vl_convert.vegalite_to_html(figure, bundle=True).encode()
    try:
        path.write_bytes(content)
    except OSError as error:
        raise LrtuneError(f"{path}: cannot be written ({error.strerror or error})") from error
