"""Many fits of somebody else's code at once, outside of a search: their losses on the first folds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from lrtune.arrays import Doubles
from lrtune.engines.contract import Executor, completed
from lrtune.engines.local import start
from lrtune.engines.machine import available_cores
from lrtune.space.trial import Configuration
from lrtune.trainers.contract import Setting, Work
from lrtune.trainers.foreign.blocks import run
from lrtune.trainers.foreign.fits import KEEPER
from lrtune.training.metrics.catalogue import METRICS
from lrtune.training.tasks import Outcome


class Sweeping:
    """Runs fits, and remembers how many there were, and why one failed."""

    def __init__(self, setting: Setting, executor: Executor) -> None:
        self.setting = setting
        self.executor = executor
        self.count = 0
        self.failure = ""

    def losses(self, configurations: Sequence[Configuration], folds: int) -> Doubles:
        """Compute the loss of each configuration on the first folds ``(K, n)``; infinite where one did not end well."""
        places = [(number, place) for number in range(len(configurations)) for place in range(folds)]
        works = [Work([configurations[n]], place, place + 1, [self.count + n]) for n, place in places]
        self.count += len(configurations)
        losses = np.full((folds, len(configurations)), math.inf)
        for done in completed(self.executor, works):
            number, place = places[done.key]
            if done.failure is not None:
                self.failure = done.failure
                continue
            outcome: Outcome = done.value[0]
            score = outcome.scores[0]
            if score is not None and math.isfinite(score):
                losses[place, number] = self.loss(score)
        return losses

    def loss(self, score: float) -> float:
        """Turn an oriented score into a loss: of a metric that is no error, one minus it."""
        return 1.0 - score if METRICS[self.setting.metric].larger_is_better else -score


@contextmanager
def sweeping(setting: Setting, workers: int | None) -> Iterator[Sweeping]:
    """Start workers for the fits of a setting, as many as there are cores unless that is said; end them afterwards.

    They run on this machine, wherever the search does: what is searched is not known before they have ended.
    """
    executor = start(run, setting, workers or available_cores())
    try:
        yield Sweeping(setting, executor)
    finally:
        executor.close()
        KEEPER.close()
