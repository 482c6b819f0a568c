"""Figures of schedules, as Vega-Lite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lrtune.reporting.figures import Figure

_POINTS = 2000


def schedule_figure(title: str, rates: Sequence[float], steps: int) -> Figure:
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
