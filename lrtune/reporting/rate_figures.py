"""The figure of the learning-rate finder, as Vega-Lite: the one door of altair."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lrtune.reporting.figures import Figure, Row
from lrtune.reporting.rate_page import why_lower
from lrtune.text import formats

if TYPE_CHECKING:
    from lrtune.reporting.rates import OptimizerRates, RateSummary

_WIDTH, _HEIGHT = 640, 360
_ROW, _DIVERGED_HEIGHT = 46, 50
_LINE = 110
"""Characters of a line below the title."""

MEDIAN, BAND, SHORT = "median of the runs", "10 to 90 % of the runs", "short runs, rate falling to zero"
FULL = "trained in full"
RECOMMENDED, INTERVAL, MINIMUM, EDGE, RANGE = "recommended", "90 % interval", "minimum", "breaks away", "search range"

_SYMBOLS = {
    MEDIAN: "stroke",
    BAND: "square",
    SHORT: "diamond",
    FULL: "triangle-up",
    RECOMMENDED: "circle",
    INTERVAL: "M-1,-0.4H1V0.4H-1Z",
    MINIMUM: "triangle-down",
    EDGE: "cross",
    RANGE: "M-1,-0.1H1V0.1H-1Z",
}
"""What is drawn of a finding, and how it looks in the legend: names of Vega's shapes, or paths from -1 to 1."""


def rate_figure(found: RateSummary) -> Figure:
    """Draw validation loss against rate for each optimizer; below it the answers, with their numbers."""
    import altair as alt

    x = alt.X("rate:Q", scale=alt.Scale(type="log", domain=_ends(found.optimizers), nice=False), title=None)
    x = x.axis(format="~e")
    key = alt.Legend(orient="top", symbolOpacity=1.0, symbolType="circle")
    base = alt.Chart().encode(color=alt.Color("optimizer:N", title=None, legend=key))
    has_answers = any(_read_off(each) for each in found.optimizers)
    has_diverged = any(any(each.curve.diverged) for each in found.optimizers)
    rows = [_curves, *([_answers] if has_answers else []), *([_diverged] if has_diverged else [])]
    parts = [row(found, base.encode(x=x)) for row in rows[:-1]]
    parts.append(rows[-1](found, base.encode(x=x.title("learning rate"))))
    runs = f"{formats.plural(found.folds, 'fold')} x {formats.plural(found.repetitions, 'repetition')}"
    said = textwrap.wrap(why_lower(found.optimizers), _LINE)
    title = {"text": [f"{found.name}: {found.method}, {runs}"], "subtitle": said, "anchor": "middle"}
    figure: Figure = alt.vconcat(*parts, spacing=8).properties(title=title).to_dict()
    return figure


def _ends(entries: Sequence[OptimizerRates]) -> tuple[float, float]:
    """Find the lowest rate to show, and the highest."""
    shown = [rate for each in entries for rate in (*each.curve.rates, *(each.search_range or ()))]
    return min(shown), max(shown)


def _legend(found: RateSummary) -> Any:
    """Name everything that is drawn; what there is none of is not named."""
    import altair as alt

    entries = found.optimizers
    missing = {
        SHORT: all(each.short_runs is None for each in entries),
        FULL: all(each.in_full is None for each in entries),
        RECOMMENDED: all(each.recommended is None for each in entries),
        INTERVAL: all(each.interval is None for each in entries),
        MINIMUM: all(each.minimum is None for each in entries),
        EDGE: all(each.edge is None for each in entries),
        RANGE: all(each.search_range is None for each in entries),
    }
    named = {name: symbol for name, symbol in _SYMBOLS.items() if not missing.get(name, False)}
    scale = alt.Scale(domain=list(named), range=list(named.values()))
    key = alt.Legend(orient="top", columns=4, symbolFillColor="gray", symbolStrokeColor="gray", symbolSize=90)
    return alt.Shape("mark:N", title=None, scale=scale, legend=key)


def _curves(found: RateSummary, chart: Any) -> Any:
    """Draw the curves, the short runs, and on each curve the rates that were read off it."""
    import altair as alt

    ceiling = _ceiling(found)
    curves = [row for each in found.optimizers for row in _rows(each, ceiling)]
    tried = [row for each in found.optimizers for row in _short_runs(each)]
    full = [row for each in found.optimizers for row in _in_full(each)]
    read = [row for each in found.optimizers for row in _marks(each, ceiling)]
    y = alt.Y("median:Q", title=found.measured, scale=alt.Scale(domainMax=ceiling, clamp=True, zero=False))
    hover = [
        alt.Tooltip("optimizer:N"),
        *(alt.Tooltip(f"{key}:Q", format=".3g") for key in ("rate", "median", "low", "high")),
        alt.Tooltip("diverged:Q", format=".0%", title="runs diverged"),
    ]
    base = _with(chart, curves)
    band = base.mark_area(opacity=0.18, clip=True).encode(y=alt.Y("low:Q"), y2="high:Q")
    line = base.mark_line(clip=True).encode(y=y)
    points = base.mark_circle(size=50, opacity=0.01).encode(y=y, tooltip=hover)
    short = _with(chart, tried).mark_line(strokeDash=[2, 3], clip=True).encode(y=y)
    planned = _with(chart, full).mark_line(strokeDash=[6, 2], clip=True).encode(y=y)
    said = ["optimizer:N", "mark:N", *(alt.Tooltip(f"{key}:Q", format=".3g") for key in ("rate", "median"))]
    symbols = _symbols(_with(chart, [*read, *tried, *full]), found).encode(y=y, tooltip=said)
    rule = _with(chart, [row for row in read if row["mark"] == RECOMMENDED]).mark_rule(size=1.2)
    return alt.layer(band, rule, line, points, short, planned, symbols).properties(width=_WIDTH, height=_HEIGHT)


def _with(chart: Any, rows: Sequence[Row]) -> Any:
    import altair as alt

    return chart.properties(data=alt.Data(values=rows))


def _symbols(chart: Any, found: RateSummary) -> Any:
    return chart.mark_point(filled=True, size=80, opacity=1.0).encode(shape=_legend(found))


def _answers(found: RateSummary, chart: Any) -> Any:
    """Draw a row for each optimizer: the rates that were found, with their numbers."""
    import altair as alt

    chart = chart.encode(y=alt.Y("optimizer:N", title=None, sort=[each.optimizer for each in found.optimizers]))
    spans = [row for each in found.optimizers for row in _spans(each)]
    wide, thin = (
        _with(chart, [row for row in spans if row["mark"] == name]).mark_rule(size=size, opacity=0.5).encode(x2="end:Q")
        for name, size in ((INTERVAL, 10), (RANGE, 2))
    )
    answers = [row for each in found.optimizers for row in _labels(each)]
    below, above = (
        _with(chart, [row for row in answers if (row["mark"] == MINIMUM) is lower])
        .mark_text(dy=shift, fontSize=11)
        .encode(text="label:N", color=alt.value("black"))
        for lower, shift in ((True, 14), (False, -14))
    )
    symbols = _symbols(_with(chart, answers), found)
    return alt.layer(thin, wide, symbols, above, below).properties(width=_WIDTH, height={"step": _ROW})


def _diverged(found: RateSummary, chart: Any) -> Any:
    """Draw the share of diverged runs against rate, for a place below the curves; it has the rates beyond them too."""
    import altair as alt

    rows: list[Row] = [
        {"optimizer": each.optimizer, "rate": rate, "diverged": share}
        for each in found.optimizers
        for rate, share in zip(each.curve.rates, each.curve.diverged, strict=True)
    ]
    share = alt.Y("diverged:Q", title="diverged", axis=alt.Axis(format="%", values=[0, 0.5, 1]))
    base = _with(chart, rows).encode(y=share.scale(domain=[0, 1]))
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
    return [{"optimizer": entry.optimizer, "mark": SHORT, "rate": rate, "median": loss} for rate, loss in pairs]


def _in_full(entry: OptimizerRates) -> list[Row]:
    full = entry.in_full
    pairs = zip(full.rates, full.mean, strict=True) if full else ()
    return [{"optimizer": entry.optimizer, "mark": FULL, "rate": rate, "median": loss} for rate, loss in pairs]


def _read_off(entry: OptimizerRates) -> dict[str, float]:
    found = {RECOMMENDED: entry.recommended, MINIMUM: entry.minimum, EDGE: entry.edge}
    return {name: rate for name, rate in found.items() if rate is not None}


def _marks(entry: OptimizerRates, ceiling: float) -> list[Row]:
    """Place what was read off a curve on it."""
    return [
        {"optimizer": entry.optimizer, "mark": name, "rate": rate, "median": min(entry.curve.loss_at(rate), ceiling)}
        for name, rate in _read_off(entry).items()
    ]


def _labels(entry: OptimizerRates) -> list[Row]:
    """Write what was found beside it: what is left or right above, and what may be near below."""
    labels = {name: formats.rate(rate) for name, rate in _read_off(entry).items()}
    if entry.interval is not None and RECOMMENDED in labels:
        low, high = map(formats.rate, entry.interval)
        labels[RECOMMENDED] += f" ({low} .. {high})"
    return [
        {"optimizer": entry.optimizer, "mark": name, "rate": rate, "label": labels[name]}
        for name, rate in _read_off(entry).items()
    ]


def _spans(entry: OptimizerRates) -> list[Row]:
    spans = {INTERVAL: entry.interval, RANGE: entry.search_range}
    return [
        {"optimizer": entry.optimizer, "mark": name, "rate": ends[0], "end": ends[1]}
        for name, ends in spans.items()
        if ends is not None
    ]
