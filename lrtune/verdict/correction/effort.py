"""How much a correction may do beside the training that it judges."""

from __future__ import annotations

from typing import NamedTuple

from lrtune.training.metrics.catalogue import METRICS

MOST, LEAST = 2000, 500
"""Resamples: as many as there is time for (`effort`)."""

LEAST_ROWS = 10_000
"""So many rows stand for all of them if there is little time."""

SHARE, FREE = 0.1, 0.5
"""A correction may take this share of what training is expected to take, but always so many seconds."""

_DRAWN, _CELL, _PICKED = 5e-8, 1e-10, 5e-7
"""Seconds of one core for each resample: of a row, of a product of its weight with a score, and of a configuration.

Like those of `lrtune.training.costs` they were found once and only say how much is done.
"""

_RACED = 8
"""Products in single precision that a row takes in each look of a race for each configuration: see `Replay`."""


class Effort(NamedTuple):
    """How much a correction does."""

    resamples: int
    rows: int


def effort(rows: int, configurations: int, products: float, *, training: float, more: float = 0.0) -> Effort:
    """Say how much a correction may do beside a training that is expected to take so many seconds.

    Resamples are saved on first, down to `LEAST`: the standard errors of the corrected score and of the interval's ends
    are then a thirtieth and a sixteenth of its half width. Next come rows, down to `LEAST_ROWS`: ten thousand tell well
    how much scores vary, and how that shrinks with the number of rows is known.

    Parameters
    ----------
    rows, configurations
        What could be looked at.
    products
        How many products of a row's weight with a score each score takes: see `cells`.
    training
        Expected seconds of one core.
    more
        Seconds that each row of each resample takes beside.

    """
    seconds = max(SHARE * training, FREE)
    each, fixed = _DRAWN + more + _CELL * products * configurations, _PICKED * configurations
    resamples = min(MOST, max(LEAST, int(seconds / (fixed + rows * each))))
    affordable = int((seconds / resamples - fixed) / each)
    return Effort(resamples, min(rows, max(LEAST_ROWS, affordable)) if resamples == LEAST else rows)


def cells(metric: str, classes: int, *, folds: int, raced: int) -> float:
    """Count the products that a score of one configuration on a resampled row takes; races look at so many folds."""
    entry = METRICS[metric]
    return entry.products(classes) + (_RACED * raced / folds if entry.is_by_rows else 0.0)
