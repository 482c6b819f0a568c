"""What the finder says, as a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lrtune.reporting.blocks import Block, Facts, Grid, Headline, Remarks, Words
from lrtune.text import formats

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.finder import RateFinding
    from lrtune.finder.curves import RateCurve
    from lrtune.finder.rules import Suggestion
    from lrtune.reporting.rates import OptimizerRates


def page(finding: RateFinding, *, notes: Sequence[str] = (), folder: Path | None = None) -> list[Block]:
    """Say what was found, without the curve."""
    blocks: list[Block] = [Headline(_headline(finding)), _table(finding)]
    refused = [each for each in finding.curves if each.suggestion.recommended is None]
    if refused:
        blocks.append(Facts("no answer", [(each.optimizer, each.suggestion.sentence) for each in refused]))
    why = why_lower([each.suggestion for each in finding.curves])
    said = [*([why] if why else []), *notes, *_doubts(finding)]
    if said:
        blocks.append(Remarks("notes", said))
    if folder is not None:
        blocks.append(Words("files", [("", f"{folder}: finder.json, finder.csv, finder.svg")]))
    return blocks


def why_lower(found: Sequence[Suggestion | OptimizerRates]) -> str:
    """Say why the recommended rate is lower than the minimum of the curve; empty where it is not."""
    if not any(each.recommended and each.minimum and each.recommended < each.minimum for each in found):
        return ""
    return (
        "the recommended rate is left of the minimum: the curve is of short runs, which do best with the highest rate "
        "that they survive; a whole training does best with a lower one, far enough from where runs break away"
    )


def _headline(finding: RateFinding) -> str:
    answers = [each for each in finding.curves if each.suggestion.recommended is not None]
    if not answers:
        return "no learning rate can be recommended"
    decays = " or ".join(dict.fromkeys(each.decay for each in answers))
    rates = (f"{formats.rate(each.suggestion.recommended or 0.0)} for {each.optimizer}" for each in answers)
    return f"learning rate: {', '.join(rates)}; decay {decays}"


def _doubts(finding: RateFinding) -> list[str]:
    return [
        *_rising(finding),
        *_quick(finding),
        *_unstable(finding),
    ]


def _rising(finding: RateFinding) -> list[str]:
    return [
        f"{each.optimizer}: from epoch {each.suggestion.rises_from} on the validation loss rises: fewer epochs, weight "
        "decay or dropout would help more than the rate"
        for each in finding.curves
        if each.suggestion.rises_from is not None
    ]


def _quick(finding: RateFinding) -> list[str]:
    """Say what short runs cannot."""
    if any(each.planned is not None for each in finding.curves) or all(each.short is None for each in finding.curves):
        return []
    if all(each.suggestion.recommended is None for each in finding.curves):
        return ["short runs are all that was done; without --quick a few rates are trained in full, which may tell"]
    said = (
        "these rates are of short runs, which say how fast the loss falls at first, and not what a whole training makes"
    )
    return [f"{said} of a rate: the intervals are as wide as that; without --quick a few rates are trained in full"]


def _unstable(finding: RateFinding) -> list[str]:
    return [
        f"{each.optimizer}: the folds cannot tell the rates of this interval apart: any of them may be the best"
        for each in finding.curves
        if each.planned is not None and each.suggestion.unstable
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
    full = [each.planned for each in finding.curves if each.planned is not None]
    if short:
        rates, updates = _span([len(each.rates) for each in short]), _span([each.updates for each in short])
        folds = [len(each.constant) for each in short]
        others = f", {_span(folds)} fold{'s' if max(folds) > 1 else ''}" if set(folds) != {finding.folds} else ""
        swept = f"{swept}; then {rates} rates in short runs of {updates} updates{others}"
    if full:
        rates, updates = _span([len(each.rates) for each in full]), _span([each.updates for each in full])
        swept = f"{swept}; then {rates} rates in full, {updates} updates"
    return swept


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
