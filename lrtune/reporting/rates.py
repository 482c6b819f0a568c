"""What the finder found, as numbers for programs and figures: the content of ``finder.json``."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from lrtune.run import files
from lrtune.text.errors import StudyError

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.finder import RateFinding
    from lrtune.finder.curves import RateCurve, ShortRuns
    from lrtune.finder.planned import PlannedRuns
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
