"""What to try next: functions of the space and the history, without any state of their own.

Every strategy is a module with one function ``propose(space, history, n, seed)``. It returns the configurations of the
next `n` trials, fewer only if there is nothing left to try. Trial 0 is always the default configuration.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Protocol, cast

from lrtune.space import SearchSpace
from lrtune.trial import Configuration, Trial

SAMPLING = 11
"""Purpose of the streams ``[seed, SAMPLING, trial number, ...]``, which only this package draws from."""


class Propose(Protocol):
    """The one function of a strategy."""

    def __call__(self, space: SearchSpace, history: Sequence[Trial], n: int, seed: int) -> list[Configuration]:
        """Propose the next `n` configurations; fewer if the space is exhausted.

        Parameters
        ----------
        space
            What may be tried.
        history
            All trials so far, in the order of their numbers, whatever their state.
        n
            How many trials come next.
        seed
            The study's seed.

        """


def _imported_when_called(module: str) -> Propose:
    def propose(space: SearchSpace, history: Sequence[Trial], n: int, seed: int) -> list[Configuration]:
        strategy = importlib.import_module(f"lrtune.sampling.{module}")
        return cast("Propose", strategy.propose)(space, history, n, seed)

    return propose


STRATEGIES: dict[str, Propose] = {
    "grid": _imported_when_called("grid"),
    "random": _imported_when_called("random_search"),
}
"""Every strategy by its name in the experiment file."""
