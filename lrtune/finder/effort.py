"""How long a training is, and what of it the finder may spend: arithmetic only.

Everything is counted in updates of one lane: one configuration on one fold. A *quick* finder spends a tenth of what a
grid of seven rates costs, `QUICK` trainings on all folds, and no more, whatever the table. A sweep has a share of it
(`lrtune.finder.sweeps.METHODS`), and short runs have what is left. What is wished for and costs more gets cheaper in
one order (`afforded`): fewer folds first, because all rates are compared on the same folds and two of them rank rates
nearly as well as five; and only where a single fold is still too dear, shorter runs. Rates beyond the first five short
runs are tried as far as something is left for them.
"""

from __future__ import annotations

import math
from typing import NamedTuple, cast

from lrtune.space.trial import Configuration
from lrtune.trainers.contract import Setting
from lrtune.training.batches import effective_batch_size, steps_per_epoch
from lrtune.training.schedules import multipliers

QUICK = 0.7
"""Trainings on all folds that a quick finder may do: a tenth of a grid of seven rates."""


class LaneEffort(NamedTuple):
    """On how many folds runs are done, and how many updates each of them has."""

    folds: int
    updates: int


def afforded(purse: float, wish: LaneEffort, runs: int, least: int) -> LaneEffort:
    """Cut a wish down to what can be paid: first fewer folds, then shorter runs.

    Parameters
    ----------
    purse
        Updates of lanes that may be spent.
    wish
        What would be done with enough of them.
    runs
        Of each fold.
    least
        No run is shorter, whatever it costs.

    >>> afforded(math.inf, LaneEffort(5, 30), 1, 2), afforded(100.0, LaneEffort(5, 30), 1, 2)
    (LaneEffort(folds=5, updates=30), LaneEffort(folds=3, updates=30))
    >>> afforded(20.0, LaneEffort(5, 30), 1, 2)
    LaneEffort(folds=1, updates=20)
    """
    folds = int(min(wish.folds, purse / (wish.updates * runs)))
    return wish._replace(folds=folds) if folds else LaneEffort(1, max(least, int(purse / runs)))


def purse(configuration: Configuration, setting: Setting, *, is_quick: bool) -> float:
    """Count the updates of lanes that sweeps and short runs may spend; no limit where full trainings follow."""
    return QUICK * len(setting.folds) * horizon(configuration, setting) if is_quick else math.inf


def horizon(configuration: Configuration, setting: Setting) -> int:
    """Count the updates of a whole training run on the smallest fold."""
    return _steps(configuration, setting) * cast("int", configuration["epochs"])


def mean_multiplier(configuration: Configuration, setting: Setting) -> float:
    """Compute the mean of the rates of a whole training run, over their peak."""
    epochs = cast("int", configuration["epochs"])
    return float(multipliers(configuration, _steps(configuration, setting), epochs).mean())


def _steps(configuration: Configuration, setting: Setting) -> int:
    rows = min(len(fold.features) for fold in setting.folds)
    return steps_per_epoch(effective_batch_size(cast("int", configuration["batch_size"]), rows), rows)
