"""What the finder says: its numbers for programs, and a page."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from lrtune.reporting.blocks import Block, Facts, Grid, Headline, Remarks, Words
from lrtune.run import files
from lrtune.text import formats
from lrtune.text.errors import StudyError

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.finder import RateFinding
    from lrtune.finder.planned import PlannedRuns
    from lrtune.finder.rules import Suggestion
    from lrtune.finder.sweeps import RateCurve, ShortRuns
    from lrtune.text.written import Json

SCHEMA = 1

_IN_FULL = ("folds", "rates", "mean")


class SweptPoint(NamedTuple):
    """One rate of a sweep: median loss of the runs, their 10 and 90 % quantiles, and the share that diverged.

    A loss that is infinite is None.
    """

    rate: float
    median: float | None
    low: float | None
    high: float | None
    diverged: float


@dataclass(frozen=True, slots=True)
class SweptLosses:
    """The points of a sweep, column by column; all are of one length."""

    rates: tuple[float, ...]
    median: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    diverged: tuple[float, ...]

    @property
    def points(self) -> list[SweptPoint]:
        """The same, point by point."""
        columns = zip(self.rates, self.median, self.low, self.high, self.diverged, strict=True)
        return [SweptPoint(*each) for each in columns]

    def loss_at(self, rate: float) -> float:
        """Give the median loss at a rate, along lines over log rates; infinite beside an infinite one."""
        for left, right in itertools.pairwise(self.points):
            if left.rate <= rate <= right.rate and left.median is not None and right.median is not None:
                share = math.log(rate / left.rate) / math.log(right.rate / left.rate)
                return left.median + share * (right.median - left.median)
        return math.inf


@dataclass(frozen=True, slots=True)
class ShortLosses:
    """What a recommendation comes from: rates and mean losses of short runs, their updates, and repetitions."""

    updates: int
    repetitions: int
    rates: tuple[float, ...]
    mean: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class FullLosses:
    """Rates and mean losses of the planned training, and on how many folds each was trained; updates of a run."""

    updates: int
    folds: tuple[int, ...]
    rates: tuple[float, ...]
    mean: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class OptimizerRates:
    """The answer for one optimizer, and what it was read off.

    Attributes
    ----------
    optimizer, decay
        Their names: what was swept, and what the recommended rate is for.
    status, reason, recommended, minimum, valley, edge, interval, search_range, unstable, rises_from
        The answer (`lrtune.finder.rules.Suggestion`); ``reason`` is what the status means.
    updates
        Of the ramp, or of each rate of the ladder.
    curve, short_runs, in_full
        What was seen: short runs where the sweep has an answer, the planned training unless the finder was to be quick.

    """

    optimizer: str
    decay: str
    status: str
    reason: str
    recommended: float | None
    minimum: float | None
    valley: float | None
    edge: float | None
    interval: tuple[float, float] | None
    search_range: tuple[float, float] | None
    unstable: bool
    updates: int
    curve: SweptLosses
    short_runs: ShortLosses | None
    in_full: FullLosses | None = None
    rises_from: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSummary:
    """What the finder found, without the single runs; the content of ``finder.json``.

    Attributes
    ----------
    schema
        Version of this layout.
    name
        Of the experiment.
    method, folds, repetitions
        How it was swept.
    measured
        What the losses are; of another trainer than lrtune's networks they come from the metric.
    optimizers
        What was found for each.

    """

    schema: int = SCHEMA
    name: str
    method: str
    folds: int
    repetitions: int
    measured: str = "validation loss"
    optimizers: tuple[OptimizerRates, ...]


def summary(finding: RateFinding, name: str) -> RateSummary:
    """Sum a finding up."""
    return RateSummary(
        name=name,
        method=finding.method,
        folds=finding.folds,
        repetitions=finding.repetitions,
        measured=finding.measured,
        optimizers=tuple(_optimizer(each) for each in finding.curves),
    )


def _optimizer(curve: RateCurve) -> OptimizerRates:
    found = curve.suggestion
    low, high = curve.band
    return OptimizerRates(
        optimizer=curve.optimizer,
        decay=curve.decay,
        status=found.status,
        reason=found.sentence,
        recommended=found.recommended,
        minimum=found.minimum,
        valley=found.valley,
        edge=found.edge,
        interval=found.interval,
        search_range=found.search_range,
        unstable=found.unstable,
        updates=curve.updates,
        curve=SweptLosses(
            rates=_floats(curve.rates),
            median=_finite(curve.median),
            low=_finite(low),
            high=_finite(high),
            diverged=_floats(curve.diverged),
        ),
        short_runs=None if curve.short is None else _short_losses(curve.short),
        in_full=None if curve.planned is None else _full_losses(curve.planned),
        rises_from=found.rises_from,
    )


def _full_losses(planned: PlannedRuns) -> FullLosses:
    return FullLosses(planned.updates, planned.trained, _floats(planned.rates), _floats(planned.means))


def _short_losses(short: ShortRuns) -> ShortLosses:
    return ShortLosses(short.updates, len(short.losses), _floats(short.rates), _floats(short.mean))


def _floats(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(float(each) for each in values)


def _finite(values: Iterable[float]) -> tuple[float | None, ...]:
    return tuple(float(each) if math.isfinite(each) else None for each in values)


def read(path: Path) -> RateSummary:
    """Read ``finder.json``.

    Raises
    ------
    StudyError
        If it is no such file, or it is damaged.

    """
    try:
        found = files.read_json(path)
        found["optimizers"] = tuple(map(_stored, found["optimizers"]))
        return RateSummary(**found)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise StudyError(f"{path.name}: is damaged; `lrtune finder` or the search writes it anew") from error


def _stored(found: Json) -> OptimizerRates:
    short, curve = found["short_runs"], found["curve"]
    pairs = {
        key: None if found[key] is None else (found[key][0], found[key][1]) for key in ("interval", "search_range")
    }
    losses = SweptLosses(**{key: tuple(each) for key, each in curve.items()})
    runs = None if short is None else ShortLosses(**{**short, **{key: tuple(short[key]) for key in ("rates", "mean")}})
    full = found["in_full"]
    in_full = None if full is None else FullLosses(**{**full, **{key: tuple(full[key]) for key in _IN_FULL}})
    return OptimizerRates(**{**found, **pairs, "curve": losses, "short_runs": runs, "in_full": in_full})


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
    said = (
        "these rates are of short runs, which say how fast the loss falls at first, and not what a whole training makes"
    )
    return [f"{said} of a rate; without --quick a few rates are trained in full"]


def _unstable(finding: RateFinding) -> list[str]:
    return [
        f"{each.optimizer}: the folds cannot tell the rates of this interval apart; its middle is the safer choice"
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
    full = [each.planned for each in finding.curves if each.planned is not None]
    if short:
        rates, updates = _span([len(each.rates) for each in short]), _span([each.updates for each in short])
        swept = f"{swept}; then {rates} rates in short runs of {updates} updates"
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
