"""Figures of schedules, as Vega-Lite: one, several in one frame, and every decay type."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lrtune.training.registry import DECAYS

if TYPE_CHECKING:
    from lrtune.reporting.figures import Figure

_POINTS = 2000
_WHOLE: dict[str, Any] = {
    "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
    "config": {"view": {"stroke": None}, "font": "sans-serif", "background": "white"},
}
_COLOUR = "#1f5fa8"

_COLUMNS, _SMALL = 4, (170, 90)
"""Panels beside each other of the overview, and their width and height."""

_NARROW = 34
"""Characters of a line above a panel."""


def schedules_figure(title: str, schedules: Mapping[str, Sequence[float]], steps: int) -> Figure:
    """Draw the rate of every update over the epochs, of one schedule or several; of very many, evenly chosen ones.

    Parameters
    ----------
    title
        Above the figure.
    schedules
        One rate for each update, by what the legend calls it.
    steps
        Updates in an epoch.

    """
    rows = [row for name, rates in schedules.items() for row in _rows(name, rates, steps)]
    names = list(schedules)
    several = {"legend": {"title": None, "orient": "right"}} if len(names) > 1 else {"legend": None}
    colours = {"scheme": "tableau10"} if len(names) > 1 else {"range": [_COLOUR]}
    said = [
        {"field": "schedule", "type": "nominal"},
        *({"field": key, "type": "quantitative"} for key in ("update", "epoch", "rate")),
    ]
    return {
        **_WHOLE,
        "title": {"text": textwrap.wrap(title, 110), "anchor": "start"},
        "width": 720,
        "height": 320,
        "data": {"values": rows},
        "mark": {"type": "line", "strokeWidth": 2},
        "encoding": {
            "x": {"field": "epoch", "type": "quantitative", "title": "epoch"},
            "y": {"field": "rate", "type": "quantitative", "title": "learning rate", "axis": {"format": "~g"}},
            "color": {"field": "schedule", "type": "nominal", "scale": {"domain": names, **colours}, **several},
            "tooltip": said,
        },
    }


def overview_figure(curves: Mapping[str, Sequence[float]], epochs: int) -> Figure:
    """Draw every decay type at its defaults, small and beside each other.

    Parameters
    ----------
    curves
        Rates relative to the peak, evenly over the epochs, by decay type.
    epochs
        The horizon.

    """
    return {
        **_WHOLE,
        "title": {
            "text": f"{len(curves)} decay types",
            "subtitle": f"learning rate over its peak, {epochs} epochs, every factor at its default",
            "anchor": "start",
            "offset": 16,
        },
        "columns": _COLUMNS,
        "spacing": {"row": 22, "column": 26},
        "concat": [_panel(name, values, epochs) for name, values in curves.items()],
    }


def _panel(name: str, values: Sequence[float], epochs: int) -> Figure:
    last = len(values) - 1
    summary = textwrap.wrap(DECAYS[name].summary, _NARROW)
    width, height = _SMALL
    return {
        "title": {"text": name, "subtitle": summary, "anchor": "start", "fontSize": 13, "subtitleColor": "#555555"},
        "width": width,
        "height": height,
        "data": {"values": [{"epoch": epochs * each / last, "share": value} for each, value in enumerate(values)]},
        "mark": {"type": "line", "strokeWidth": 2, "color": _COLOUR},
        "encoding": {
            "x": {"field": "epoch", "type": "quantitative", "title": None, "axis": {"values": [0, epochs / 2, epochs]}},
            "y": {
                "field": "share",
                "type": "quantitative",
                "title": None,
                "scale": {"domain": [0, max(1.0, *values)]},
                "axis": {"values": [0, 0.5, 1]},
            },
        },
    }


def _rows(name: str, rates: Sequence[float], steps: int) -> list[dict[str, Any]]:
    every = max(1, len(rates) // _POINTS)
    chosen = sorted({*range(0, len(rates), every), len(rates) - 1})
    return [{"schedule": name, "update": each, "epoch": each / steps, "rate": rates[each]} for each in chosen]
