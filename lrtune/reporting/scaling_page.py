"""How the best rate goes with a size, as a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lrtune.reporting.blocks import Block, Facts, Grid, Headline, Remarks, Words
from lrtune.reporting.scaling import remarks, said
from lrtune.text import formats

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.finder.scaling_plan import ScalingPlan
    from lrtune.reporting.scaling import OptimizerScaling, SaidOfSize, ScalingSummary


def beforehand(plan: ScalingPlan) -> str:
    """Say what is about to be trained, and how long that takes."""
    cost, folds = plan.cost, formats.plural(len(plan.prepared.setting.folds), "fold")
    each = ", ".join(f"{count} at {formats.count(size)}" for size, count in cost.trainings)
    total = sum(count for _, count in cost.trainings)
    time = "" if cost.seconds is None else f", about {formats.duration(cost.seconds)} on one core"
    return (
        f"about {formats.plural(total, 'training')} in full on {folds}, by {plan.kind.noun}: {each}{time}; how many it "
        "takes is decided by what they say"
    )


def scaling_page(found: ScalingSummary, *, notes: Sequence[str] = (), folder: Path | None = None) -> list[Block]:
    """Say what was found."""
    first, *others = (formats.sentence(said(each, found.counted)) for each in found.optimizers)
    blocks: list[Block] = [Headline(first)]
    if others:
        blocks.append(Remarks("others", others))
    known = [each for each in found.optimizers if each.predicted]
    if known:
        blocks.append(Facts(f"predicted, by {found.counted}", [row for each in known for row in _predicted(each)]))
    blocks.append(_sizes(found))
    blocks += [_rules(each) for each in known]
    told = [*(formats.sentence(each) for each in remarks(found)), *notes]
    if told:
        blocks.append(Remarks("notes", told))
    if folder is not None:
        blocks.append(Words("files", [("", f"{folder}: scaling.json, scaling.svg")]))
    return blocks


def _predicted(one: OptimizerScaling) -> list[tuple[str, str]]:
    return [(f"{one.optimizer} at {formats.count(each.size)}", _with_interval(each)) for each in one.predicted]


def _with_interval(one: SaidOfSize) -> str:
    ends = "" if one.interval is None else f" ({' .. '.join(map(formats.rate, one.interval))})"
    return formats.rate(one.rate) + ends


def _sizes(found: ScalingSummary) -> Grid:
    """List the best rate of each size."""
    header = ["size", *(f"{each.optimizer}" for each in found.optimizers), "rates tried"]
    rows = []
    for place, one in enumerate(found.optimizers[0].sizes):
        best = (formats.rate(each.sizes[place].best) for each in found.optimizers)
        tried = " and ".join(str(len(each.sizes[place].rates)) for each in found.optimizers)
        rows.append((formats.count(one.size), *best, tried))
    return Grid(
        f"the best rate by {found.counted}, trained in full on {formats.plural(found.folds, 'fold')}", header, rows
    )


def _rules(one: OptimizerScaling) -> Grid:
    """Set what was measured beside the rules on offer."""
    sizes = [each.size for each in one.predicted]
    assert one.exponent is not None
    assert one.interval is not None
    header = ["exponent", *(f"rate at {formats.count(each)}" for each in sizes), f"{one.optimizer}: rule"]
    span = " .. ".join(map(_power, one.interval))
    measured = (_power(one.exponent), *(formats.rate(each.rate) for each in one.predicted), f"measured ({span})")
    rules = [
        (
            _power(each.exponent),
            *(formats.rate(of.rate) for of in each.predicted),
            each.name if each.agrees else f"{each.name}: not what was measured",
        )
        for each in one.rules
    ]
    return Grid("", header, [measured, *rules])


def _power(exponent: float) -> str:
    """Write an exponent.

    >>> _power(-0.5), _power(0.0)
    ('-0.50', '0.00')
    """
    return f"{exponent:.2f}"
