"""Figures as PNG, SVG or HTML: the one door of altair. Nothing is fetched: the HTML carries its scripts in itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrtune.reporting import export
from lrtune.text import formats
from lrtune.text.errors import LrtuneError, nearest

if TYPE_CHECKING:
    from lrtune.reporting.rates import OptimizerRates, RateSummary

Figure = dict[str, Any]
"""A figure as a Vega-Lite specification, in JSON's types."""

Row = dict[str, float | str | None]
"""A row of a figure's data."""

FORMATS = (".png", ".svg", ".html")

_WIDTH, _HEIGHT = 640, 360
_DIVERGED_HEIGHT = 50
_PIXELS = 2.0
"""Pixels of a PNG for each unit of the figure."""


def check_path(path: Path) -> None:
    """Refuse a file whose ending is no format that can be drawn.

    Raises
    ------
    LrtuneError
        If so.

    """
    kind = path.suffix.lower()
    if kind not in FORMATS:
        raise LrtuneError(f"{path}: unknown kind of figure '{kind}'; {nearest(kind, FORMATS)}")


def write(figure: Figure, path: Path) -> None:
    """Write a figure in Vega-Lite in the format that the file's ending names; HTML is interactive.

    Raises
    ------
    LrtuneError
        If the ending is none of `FORMATS`, or the file cannot be written.

    """
    check_path(path)
    export.write(path, drawn(figure, path.suffix.lower()))


def drawn(figure: Figure, kind: str) -> bytes:
    """Draw a figure in Vega-Lite in one of `FORMATS`."""
    import vl_convert

    # Control characters in names from outside become escapes: no figure can hold them, and drawing one aborts.
    figure = _changed(figure, formats.printable)
    if kind == ".png":
        return bytes(vl_convert.vegalite_to_png(figure, scale=_PIXELS))
    if kind == ".svg":
        return str(vl_convert.vegalite_to_svg(figure)).encode()
    # A name with a closing tag in it would end the script that the page keeps the figure in, and could begin another.
    opened = _changed(figure, lambda text: text.replace("<", _STAND_IN))
    return str(vl_convert.vegalite_to_html(opened, bundle=True)).replace(_STAND_IN, "\\u003c").encode()


_STAND_IN = "\ue000"
"""A character without a meaning, which no printable text has."""


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    """Change every text in a value in JSON's types."""
    if isinstance(value, dict):
        return {key: _changed(each, change) for key, each in value.items()}
    if isinstance(value, list):
        return [_changed(each, change) for each in value]
    return change(value) if isinstance(value, str) else value


def rate_figure(found: RateSummary) -> Figure:
    """Draw validation loss against rate for each optimizer."""
    import altair as alt

    ceiling = _ceiling(found)
    curves = alt.Data(values=[row for each in found.optimizers for row in _rows(each, ceiling)])
    marks = alt.Data(values=[row for each in found.optimizers for row in _marks(each)])
    x = alt.X("rate:Q", scale=alt.Scale(type="log"), title="learning rate", axis=alt.Axis(format="~e"))
    y = alt.Y("median:Q", title=found.measured, scale=alt.Scale(domainMax=ceiling, clamp=True, zero=False))
    colour = alt.Color("optimizer:N", title=None, legend=alt.Legend(orient="top", symbolOpacity=1.0))
    hover = [
        alt.Tooltip("optimizer:N"),
        *(alt.Tooltip(f"{key}:Q", format=".3g") for key in ("rate", "median", "low", "high")),
        alt.Tooltip("diverged:Q", format=".0%", title="runs diverged"),
    ]
    base = alt.Chart(curves).encode(x=x, color=colour)
    band = base.mark_area(opacity=0.18, clip=True).encode(y=alt.Y("low:Q"), y2="high:Q")
    line = base.mark_line(clip=True).encode(y=y)
    points = base.mark_circle(size=50, opacity=0.01).encode(y=y, tooltip=hover)
    tried = alt.Data(values=[row for each in found.optimizers for row in _short_runs(each)])
    ends = (
        alt.Chart(tried)
        .mark_line(strokeDash=[2, 3], point=alt.OverlayMarkDef(shape="diamond", size=60), clip=True)
        .encode(
            x="rate:Q",
            y="median:Q",
            color="optimizer:N",
            tooltip=[
                alt.Tooltip("optimizer:N"),
                alt.Tooltip("rate:Q", format=".3g"),
                alt.Tooltip("median:Q", format=".3g", title="mean of the short runs"),
            ],
        )
    )
    rules = (
        alt.Chart(marks)
        .mark_rule(size=1.5)
        .encode(
            x="rate:Q",
            color="optimizer:N",
            strokeDash=alt.StrokeDash("mark:N", title=None, legend=alt.Legend(orient="top")),
            tooltip=["optimizer:N", "mark:N", alt.Tooltip("rate:Q", format=".2g")],
        )
    )
    runs = f"{formats.plural(found.folds, 'fold')} x {formats.plural(found.repetitions, 'repetition')}"
    title = f"{found.name}: {found.method}, {runs}"
    said = ["median of the runs and their 10-90 % band; diamonds: mean of short runs whose rate falls to zero"]
    chart: Any = alt.layer(band, line, points, ends, rules).properties(width=_WIDTH, height=_HEIGHT)
    if any(any(each.curve.diverged) for each in found.optimizers):
        chart.layer[1].encoding.x.title = None  # the axis below has it
        chart = alt.vconcat(chart, _diverged(found, x), spacing=6)
    chart = chart.properties(title={"text": [title], "subtitle": said, "anchor": "middle"})
    figure: Figure = chart.to_dict()
    return figure


def _diverged(found: RateSummary, x: Any) -> Any:
    """Draw the share of diverged runs against rate, for a place below the curves; it has the rates beyond them too."""
    import altair as alt

    rows = [
        {"optimizer": each.optimizer, "rate": rate, "diverged": share}
        for each in found.optimizers
        for rate, share in zip(each.curve.rates, each.curve.diverged, strict=True)
    ]
    share = alt.Y("diverged:Q", title="diverged", axis=alt.Axis(format="%", values=[0, 0.5, 1]))
    base = alt.Chart(alt.Data(values=rows)).encode(x=x, y=share.scale(domain=[0, 1]), color="optimizer:N")
    hover = [
        alt.Tooltip("optimizer:N"),
        alt.Tooltip("rate:Q", format=".3g"),
        alt.Tooltip("diverged:Q", format=".0%", title="runs diverged"),
    ]
    line, points = base.mark_line(interpolate="step-before"), base.mark_circle(size=50, opacity=0.01)
    return alt.layer(line, points.encode(tooltip=hover)).properties(width=_WIDTH, height=_DIVERGED_HEIGHT)


def _ceiling(found: RateSummary) -> float:
    firsts = [next((m for m in each.curve.high if m is not None), 1.0) for each in found.optimizers]
    return 1.25 * max(firsts)


def _rows(entry: OptimizerRates, ceiling: float) -> list[Row]:
    return [
        {
            "optimizer": entry.optimizer,
            "rate": point.rate,
            "median": point.median,
            "low": point.low,
            "high": ceiling if point.high is None else min(point.high, ceiling),
            "diverged": point.diverged,
        }
        for point in entry.curve.points
        if point.median is not None
    ]


def _short_runs(entry: OptimizerRates) -> list[Row]:
    short = entry.short_runs
    pairs = zip(short.rates, short.mean, strict=True) if short else ()
    return [{"optimizer": entry.optimizer, "rate": rate, "median": loss} for rate, loss in pairs]


def _marks(entry: OptimizerRates) -> list[Row]:
    rates = {"recommended": entry.recommended, "minimum (edge)": entry.minimum, "breaks away": entry.edge}
    return [
        {"optimizer": entry.optimizer, "mark": name, "rate": rate} for name, rate in rates.items() if rate is not None
    ]
