"""Several schedules beside each other: as a page, as JSON and as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune.reporting.blocks import Block, Facts, Grid, Headline, Lines, Remarks
from lrtune.reporting.schedules import SCHEMA, ScheduleRates, follows, length
from lrtune.reporting.terminal_plots import SIGNS, curves
from lrtune.text import formats
from lrtune.training.registry import DECAYS

if TYPE_CHECKING:
    from lrtune.space.trial import Configuration

_TIMES = 7
"""Moments whose rates are written."""


def comparison_page(plans: Sequence[tuple[Configuration, Sequence[float]]], steps: int, *, width: int) -> list[Block]:
    """Show several schedules in one picture, and some of their rates.

    Parameters
    ----------
    plans
        Complete configurations, and one rate for each update; all of one length.
    steps
        Updates in an epoch.
    width
        Of the picture, in characters.

    """
    names = [str(configuration["decay"]) for configuration, _ in plans]
    first, rates = plans[0]
    times = [each / steps for each in range(len(rates))]
    legend = [(sign, f"{name}: {DECAYS[name].formula}") for sign, name in zip(SIGNS, names, strict=False)]
    notes = [f"{name}: {note}" for name, (each, _) in zip(names, plans, strict=True) if (note := follows(each))]
    last = len(rates) - 1
    chosen = sorted({min(round(each * len(rates) / (_TIMES - 1)), last) for each in range(_TIMES)})
    rows = [(name, *(f"{each[update]:.3g}" for update in chosen)) for name, (_, each) in zip(names, plans, strict=True)]
    return [
        Headline(f"{', '.join(names)}: {length(first, steps, formats.plural(len(rates), 'update'))}"),
        Facts("", legend),
        Lines("learning rate", curves(times, [each for _, each in plans], label="epoch", width=width)),
        Grid("rates", ("epoch", *(f"{update / steps:.3g}" for update in chosen)), rows, left=(0,)),
        *([Remarks("notes", notes)] if notes else []),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeveralRates:
    """Several schedules over the same updates."""

    schema: int = SCHEMA
    schedules: tuple[ScheduleRates, ...]


def several_rows(plans: Sequence[tuple[Configuration, Sequence[float]]], steps: int) -> Iterator[Sequence[object]]:
    """Write the rates of several schedules as rows of CSV: an update, and a column for each."""
    yield "update", "epoch", *(str(configuration["decay"]) for configuration, _ in plans)
    for update, rates in enumerate(zip(*(each for _, each in plans), strict=True)):
        yield update, repr(update / steps), *map(repr, rates)
