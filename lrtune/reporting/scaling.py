"""How the best rate goes with a size, as numbers for programs and as sentences: the content of ``scaling.json``."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lrtune.finder.scaling import SCALING_STATUSES
from lrtune.finder.sizes import SIZE_KINDS
from lrtune.finder.trends import FALLS, RISES, STAYS, UNTOLD

if TYPE_CHECKING:
    from lrtune.finder import ScalingFinding
    from lrtune.finder.scaling import ScalingCurve
    from lrtune.finder.trends import SizeRuns, Trend

SCALING_SCHEMA = 1
FAR = 4.0
"""A size so many times beyond those that were measured comes with a remark."""


@dataclass(frozen=True, slots=True)
class MeasuredSize:
    """One size: its best rate, and the rates that were trained in full, with their mean losses; updates of a run."""

    size: int
    best: float
    updates: int
    rates: tuple[float, ...]
    mean: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SaidOfSize:
    """What is said of a size: a rate, and the ends of the 90 % interval if there is one."""

    size: int
    rate: float
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class RuleBeside:
    """A rule on offer: its exponent, whether what was measured agrees, and what it says of the sizes asked about."""

    name: str
    source: str
    exponent: float
    agrees: bool
    predicted: tuple[SaidOfSize, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerScaling:
    """What was found for one optimizer.

    Attributes
    ----------
    optimizer, decay, status, reason
        Names, and what can be said (`lrtune.finder.scaling.SCALING_STATUSES`).
    verdict, exponent, interval
        Whether the best rate ``falls``, ``rises``, ``stays`` or whether that is ``untold``; its power of the size. None
        without a trend.
    centre, rate
        The line goes through this rate at this size.
    half_at_centre, half
        Half of the 90 % intervals of the logarithm of that rate, and of the exponent.
    sizes, predicted, rules
        What was trained, what is predicted, and the rules on offer.

    """

    optimizer: str
    decay: str
    status: str
    reason: str
    verdict: str | None = None
    exponent: float | None = None
    interval: tuple[float, float] | None = None
    centre: float | None = None
    rate: float | None = None
    half_at_centre: float | None = None
    half: float | None = None
    sizes: tuple[MeasuredSize, ...]
    predicted: tuple[SaidOfSize, ...] = ()
    rules: tuple[RuleBeside, ...] = ()

    def between(self, size: float) -> tuple[float, float]:
        """Give the ends of the 90 % interval of a size's best rate; there must be a trend."""
        away = math.log(size / (self.centre or 1.0))
        place = math.log(self.rate or 1.0) + (self.exponent or 0.0) * away
        half = math.hypot(self.half_at_centre or 0.0, (self.half or 0.0) * away)
        return math.exp(place - half), math.exp(place + half)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingSummary:
    """What was found, without the single runs; the content of ``scaling.json``.

    Attributes
    ----------
    schema
        Version of this layout.
    name
        Of the experiment.
    kind, counted
        What grows, and what is counted.
    folds, measured
        How many folds each rate was trained on, and what the losses are.
    optimizers
        What was found for each.

    """

    schema: int = SCALING_SCHEMA
    name: str
    kind: str
    counted: str
    folds: int
    measured: str
    optimizers: tuple[OptimizerScaling, ...]


def scaling_summary(finding: ScalingFinding, name: str) -> ScalingSummary:
    """Sum a finding up."""
    return ScalingSummary(
        name=name,
        kind=finding.kind,
        counted=SIZE_KINDS[finding.kind].noun,
        folds=finding.folds,
        measured=finding.measured,
        optimizers=tuple(_optimizer(finding.kind, each) for each in finding.curves),
    )


def _optimizer(kind: str, curve: ScalingCurve) -> OptimizerScaling:
    plain = OptimizerScaling(
        optimizer=curve.optimizer,
        decay=curve.decay,
        status=curve.status,
        reason=SCALING_STATUSES[curve.status],
        sizes=tuple(map(_size, curve.sizes)),
    )
    line = curve.trend
    if line is None:
        return plain
    asked = [each.size for each in curve.predicted]
    return replace(
        plain,
        verdict=line.verdict,
        exponent=line.exponent,
        interval=line.interval,
        centre=line.centre,
        rate=line.rate,
        half_at_centre=line.half_at_centre,
        half=line.half,
        predicted=tuple(SaidOfSize(*each) for each in curve.predicted),
        rules=tuple(
            RuleBeside(
                rule.name, rule.source, rule.exponent, line.agrees(rule.exponent), _by_rule(line, rule.exponent, asked)
            )
            for rule in SIZE_KINDS[kind].rules
        ),
    )


def _by_rule(line: Trend, exponent: float, sizes: list[int]) -> tuple[SaidOfSize, ...]:
    return tuple(SaidOfSize(each, line.rate * (each / line.centre) ** exponent, None) for each in sizes)


def _size(found: SizeRuns) -> MeasuredSize:
    runs = found.runs
    means = runs.bounded.mean(axis=0)
    return MeasuredSize(found.size, found.best, runs.updates, tuple(runs.rates.tolist()), tuple(means.tolist()))


def said(found: OptimizerScaling, counted: str) -> str:
    """Say in a sentence how the best rate goes.

    >>> said(OptimizerScaling(optimizer="adam", decay="linear", status="ok", reason="", verdict="falls", exponent=-0.5,
    ...                       interval=(-0.75, -0.25), sizes=()), "epochs")
    'adam: the best rate falls; twice the epochs take 0.71 times the rate (90 %: 0.59 to 0.84)'
    """
    if found.exponent is None or found.interval is None:
        return f"{found.optimizer}: no trend, because {found.reason}"
    times, low, high = (f"{2.0**each:.2f}" for each in (found.exponent, *found.interval))
    if found.verdict == UNTOLD:
        return (
            f"{found.optimizer}: no trend can be told; twice the {counted} take {low} to {high} times the rate (90 %)"
        )
    so = f"twice the {counted} take {times} times the rate (90 %: {low} to {high})"
    begin = {FALLS: "the best rate falls", RISES: "the best rate rises", STAYS: "the best rate stays nearly the same"}
    return f"{found.optimizer}: {begin[found.verdict or STAYS]}; {so}"


def beside_rules(found: OptimizerScaling) -> str:
    """Say which rules on offer agree with what was measured; empty without a trend."""
    if found.exponent is None:
        return ""
    agree = [each.name for each in found.rules if each.agrees]
    differ = [each.name for each in found.rules if not each.agrees]
    parts = []
    if agree:
        parts.append(f"{_and(agree)} {'agrees' if len(agree) == 1 else 'agree'} with it")
    if differ:
        parts.append(f"{_and(differ)} {'does' if len(differ) == 1 else 'do'} not")
    return f"{found.optimizer}: of the rules on offer, {'; '.join(parts)}"


def _and(names: list[str]) -> str:
    """List a few names.

    >>> _and(["a"]), _and(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def remarks(found: ScalingSummary) -> list[str]:
    """Say what to mind."""
    return [*filter(None, map(beside_rules, found.optimizers)), *_far(found)]


def _far(found: ScalingSummary) -> list[str]:
    """Say so where a prediction is far from what was measured."""
    known = [each for each in found.optimizers if each.predicted]
    if not known:
        return []
    largest, smallest = known[0].sizes[-1].size, known[0].sizes[0].size
    away = max((max(each.size / largest, smallest / each.size) for each in known[0].predicted), default=1.0)
    if away <= FAR:
        return []
    said_of_it = "the interval trusts a straight line, which the trained sizes cannot vouch for"
    return [f"the farthest size is {away:.3g} times beyond those that were trained: {said_of_it}"]
