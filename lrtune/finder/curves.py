"""What was seen with one optimizer: a sweep, short runs, and what they came to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lrtune.arrays import Doubles
from lrtune.finder.planned import PlannedRuns
from lrtune.finder.rules import Suggestion, band, is_gain, middle


@dataclass(frozen=True, eq=False)
class ShortRuns:
    """Runs from scratch with rates that fall along a line to zero, with a fraction of the planned updates.

    Attributes
    ----------
    rates
        Their peaks ``(m,)``.
    losses, start, constant
        ``(R, K, m)``, ``(R, K)`` and ``(K,)``: losses at the end, infinite where a run has diverged, before training,
        and of the best prediction without features.
    updates
        Of each.

    """

    rates: Doubles
    losses: Doubles
    start: Doubles
    constant: Doubles
    updates: int

    @property
    def mean(self) -> Doubles:
        """Mean loss ``(m,)``; a run that ends worse than it began counts as if it had not moved."""
        mean: Doubles = np.minimum(self.losses, self.start[..., None]).mean(axis=(0, 1))
        return mean

    @property
    def lowest(self) -> int:
        """The place of the best one."""
        return int(np.argmin(self.mean))

    @property
    def is_inside(self) -> bool:
        """Whether the best one is not at an end."""
        return 0 < self.lowest < len(self.rates) - 1

    @property
    def is_gain(self) -> bool:
        """Whether the best of them is clearly better than the best prediction without features."""
        return is_gain(self.losses[..., self.lowest], self.start, self.constant)

    @property
    def spent(self) -> int:
        """Updates of lanes that they took."""
        return self.updates * int(self.losses.size)


@dataclass(frozen=True, eq=False)
class RateCurve:
    """What was seen with one optimizer.

    Attributes
    ----------
    optimizer, decay
        Their names: what was swept, and what the recommended rate is for.
    rates
        ``(n,)``: those of the sweep.
    losses
        ``(R, K, n)``: validation loss of each repetition and fold, infinite where it has diverged.
    start, constant
        ``(R, K)`` and ``(K,)``: losses before training, and of the best prediction without features.
    updates
        Of the ramp, or of each rate of the ladder.
    short
        The short runs; None where there was no place for them.
    planned
        The planned training at a few rates; None where that was not done.
    suggestion
        The answer.
    spent
        Updates of lanes (one configuration on one fold) that all sweeps and short runs took.

    """

    optimizer: str
    decay: str
    rates: Doubles
    losses: Doubles
    start: Doubles
    constant: Doubles
    updates: int
    short: ShortRuns | None
    planned: PlannedRuns | None
    suggestion: Suggestion
    spent: int

    @property
    def median(self) -> Doubles:
        """Median loss of the runs ``(n,)``, infinite where half of them have diverged."""
        return middle(self.losses)

    @property
    def band(self) -> tuple[Doubles, Doubles]:
        """The 10 and 90 % quantiles of the runs."""
        return band(self.losses)

    @property
    def diverged(self) -> Doubles:
        """Share of diverged runs ``(n,)``."""
        share: Doubles = (~np.isfinite(self.losses)).mean(axis=(0, 1))
        return share
