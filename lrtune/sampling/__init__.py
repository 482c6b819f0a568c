"""What to try next: functions of the space and the history, without any state of their own.

Every strategy is a module with one function ``propose(space, history, n, seed)``. It returns the configurations of the
next `n` trials, fewer only if there is nothing left to try. Trial 0 is always the default configuration. The first
proposals do not depend on how many are asked for.

::

    acquisition        how much a point promises
    bayesian           bayesian search
    candidates         points near a given one, on continuous, ordered and unordered dimensions of a conditional space
    encoding           points of a conditional space as points of a Euclidean one, where distance is what a stationary
    gaussian_process   gaussian process regression
    grid               every configuration once
    posterior          what the Gaussian process thinks of the trials themselves, and how that depends on their scores
    quasirandom        a scrambled Sobol sequence over the whole conditional tree
    random_search      independent draws that never repeat a configuration while there is another one left
    regret             what a search may still gain, against what its folds can tell apart
    scores             what is known of the trials, one number each
    surrogate          what a study has learned about its space
    tpe                tree-structured Parzen estimator
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Protocol, cast

from lrtune.space import SearchSpace
from lrtune.space.trial import Configuration, Trial


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
        from threadpoolctl import threadpool_limits  # it holds back the libraries that are loaded by now

        with threadpool_limits(1, user_api="blas"):  # two threads round differently: other proposals
            return cast("Propose", strategy.propose)(space, history, n, seed)

    return propose


STRATEGIES: dict[str, Propose] = {
    "grid": _imported_when_called("grid"),
    "random": _imported_when_called("random_search"),
    "quasirandom": _imported_when_called("quasirandom"),
    "bayesian": _imported_when_called("bayesian"),
    "tpe": _imported_when_called("tpe"),
}
"""Every strategy by its name in the experiment file."""

ROUND = {"bayesian": 8, "tpe": 8}
"""How many proposals a strategy that learns from the scores makes at a time, unless the experiment says otherwise."""

FREE_ROUND = 256
"""The same for the others: their proposals do not depend on the scores, and large populations train faster."""
