"""What the finder says: a page, and the content of its files.

``finder.csv`` has one row for each optimizer and rate of the sweep: the median loss of the runs, the 10 and 90 %
quantiles, and the share of diverged runs; a cell is empty where the loss is infinite.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lrtune.reporting.blocks import Block, Facts, Grid, Headline, Lines
from lrtune.text import formats, written

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.finder import RateFinding
    from lrtune.finder.sweeps import RateCurve, ShortRuns

SCHEMA = 1
_RATES = ("recommended", "minimum", "valley", "edge")


def summary(finding: RateFinding, name: str) -> dict[str, Any]:
    """Write a finding down in JSON's types; null where there is no number."""
    return {
        "schema": SCHEMA,
        "name": name,
        "method": finding.method,
        "folds": finding.folds,
        "repetitions": finding.repetitions,
        "optimizers": [_entry(each) for each in finding.curves],
    }


def _entry(curve: RateCurve) -> dict[str, Any]:
    found = curve.suggestion
    low, high = curve.band
    return {
        "optimizer": curve.optimizer,
        "decay": curve.decay,
        "status": found.status,
        "reason": found.sentence,
        **{key: getattr(found, key) for key in _RATES},
        "interval": None if found.interval is None else list(found.interval),
        "search_range": None if found.search_range is None else list(found.search_range),
        "unstable": found.unstable,
        "updates": curve.updates,
        "curve": {
            "rates": [float(each) for each in curve.rates],
            "median": _finite(curve.median),
            "low": _finite(low),
            "high": _finite(high),
            "diverged": [float(each) for each in curve.diverged],
        },
        "short_runs": _short_runs(curve.short),
    }


def _short_runs(short: ShortRuns | None) -> dict[str, Any] | None:
    """Write down what the recommendation comes from."""
    if short is None:
        return None
    return {
        "updates": short.updates,
        "repetitions": len(short.losses),
        "rates": [float(each) for each in short.rates],
        "mean": [float(each) for each in short.mean],
    }


def _finite(values: Any) -> list[float | None]:
    return [float(each) if math.isfinite(each) else None for each in values]


def csv_text(found: Mapping[str, Any]) -> str:
    """Write the content of ``finder.csv`` from a `summary`."""
    return written.csv_text(_csv_rows(found))


def _csv_rows(found: Mapping[str, Any]) -> Iterator[list[str]]:
    yield ["optimizer", "rate", "median", "low", "high", "diverged"]
    for each in found["optimizers"]:
        for row in zip(*each["curve"].values(), strict=True):
            yield [each["optimizer"], *("" if cell is None else repr(cell) for cell in row)]


def page(finding: RateFinding, *, notes: Sequence[str] = (), folder: Path | None = None) -> list[Block]:
    """Say what was found, without the curve."""
    blocks: list[Block] = [Headline(_headline(finding)), _table(finding)]
    refused = [each for each in finding.curves if each.suggestion.recommended is None]
    if refused:
        blocks.append(Facts("no answer", [(each.optimizer, each.suggestion.sentence) for each in refused]))
    said = [*notes, *_doubts(finding)]
    if said:
        blocks.append(Lines("notes", said))
    if folder is not None:
        blocks.append(Lines("files", [f"{folder}: finder.json, finder.csv, finder.svg"]))
    return blocks


def _headline(finding: RateFinding) -> str:
    answers = [each for each in finding.curves if each.suggestion.recommended is not None]
    if not answers:
        return "no learning rate can be recommended"
    decays = " or ".join(dict.fromkeys(each.decay for each in answers))
    rates = (f"{formats.rate(each.suggestion.recommended or 0.0)} for {each.optimizer}" for each in answers)
    return f"learning rate: {', '.join(rates)}; decay {decays}"


def _doubts(finding: RateFinding) -> list[str]:
    return [
        f"{each.optimizer}: folds and repetitions disagree about the rate; --repetitions 10 would tell more"
        for each in finding.curves
        if each.suggestion.unstable
    ]


def _table(finding: RateFinding) -> Grid:
    header = ["recommended", "90 % interval", "minimum (edge)", "breaks away", "search range", "optimizer"]
    with_valley = any(each.suggestion.valley is not None for each in finding.curves)
    if with_valley:
        header.insert(2, "valley")
    rows = [_cells(each, with_valley=with_valley) for each in finding.curves]
    return Grid(_effort(finding), header, rows)


def _effort(finding: RateFinding) -> str:
    runs = f"{formats.plural(finding.folds, 'fold')} x {formats.plural(finding.repetitions, 'repetition')}"
    swept = f"{finding.method} of {_span([each.updates for each in finding.curves])} updates, {runs}"
    short = [each.short for each in finding.curves if each.short is not None]
    if not short:
        return swept
    rates = _span([len(each.rates) for each in short])
    return f"{swept}; then {rates} rates in short runs of {_span([each.updates for each in short])} updates"


def _span(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return formats.count(low) if low == high else f"{formats.count(low)} to {formats.count(high)}"


def _cells(curve: RateCurve, *, with_valley: bool) -> tuple[str, ...]:
    found = curve.suggestion
    return (
        _rate(found.recommended),
        _range(found.interval),
        *([_rate(found.valley)] if with_valley else []),
        _rate(found.minimum),
        _rate(found.edge),
        _range(found.search_range),
        curve.optimizer,
    )


def _rate(value: float | None) -> str:
    return formats.MISSING if value is None else formats.rate(value)


def _range(ends: tuple[float, float] | None) -> str:
    return formats.MISSING if ends is None else f"{formats.rate(ends[0])} .. {formats.rate(ends[1])}"
