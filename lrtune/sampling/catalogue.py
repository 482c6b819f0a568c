"""Every search strategy: one entry says what it does, by which function, and how many it proposes at a time.

A strategy is a module with one function ``propose(space, history, n, seed)``, without any state of its own. It returns
the configurations of the next `n` trials, fewer only if there is nothing left to try. Trial 0 is always the default
configuration. The first proposals do not depend on how many are asked for.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lrtune.space import SearchSpace
from lrtune.space.trial import Configuration, Trial

if TYPE_CHECKING:
    from lrtune.sampling.prior import Prior  # it loads NumPy

FREE_ROUND = 256
"""How many configurations are proposed at a time if nothing depends on it: large populations train faster."""


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


class ProposeWarm(Protocol):
    """The function of a strategy whose model earlier studies can shape."""

    def __call__(
        self, space: SearchSpace, history: Sequence[Trial], n: int, seed: int, prior: Prior = ()
    ) -> list[Configuration]:
        """Propose as `Propose` says; `prior` is what earlier studies know, and an empty one changes nothing."""


class Strategy(NamedTuple):
    """How configurations are proposed.

    Attributes
    ----------
    name
        In the experiment file.
    summary
        What it does, without a full stop.
    suits
        When it is the one to take.
    load
        Imports what the strategy needs and gives its function.
    follows_scores
        Whether its proposals depend on the scores before them.
    round
        How many it proposes at a time unless the experiment says otherwise; None: however many suit the training.
    walks
        Whether it goes through every point of a finite space, so that by default there are as many trials as points.
    warm
        Imports the same, and gives the function that earlier studies shape; None: they give it first trials only.

    """

    name: str
    summary: str
    suits: str
    load: Callable[[], Propose]
    follows_scores: bool
    round: int | None = None
    walks: bool = False
    warm: Callable[[], ProposeWarm] | None = None

    def __call__(
        self, space: SearchSpace, history: Sequence[Trial], n: int, seed: int, prior: Prior = ()
    ) -> list[Configuration]:
        """Propose the next `n` configurations, as `Propose` says, on one thread: two round differently."""
        propose = self.load() if self.warm is None else functools.partial(self.warm(), prior=prior)
        from lrtune.arrays import one_blas_thread  # it holds back the libraries that are loaded by now

        with one_blas_thread():
            return propose(space, history, n, seed)


def _grid() -> Propose:
    from lrtune.sampling import grid

    return grid.propose


def _random() -> Propose:
    from lrtune.sampling import random_search

    return random_search.propose


def _quasirandom() -> Propose:
    from lrtune.sampling import quasirandom

    return quasirandom.propose


def _bayesian() -> ProposeWarm:
    from lrtune.sampling import bayesian

    return bayesian.propose


def _tpe() -> ProposeWarm:
    from lrtune.sampling import tpe

    return tpe.propose


_ENTRIES = (
    Strategy(
        "grid",
        "every configuration once",
        "few, finite dimensions",
        load=_grid,
        follows_scores=False,
        walks=True,
    ),
    Strategy(
        "random",
        "independent draws",
        "a baseline that nothing can mislead",
        load=_random,
        follows_scores=False,
    ),
    Strategy(
        "quasirandom",
        "a scrambled Sobol sequence",
        "as random, spread more evenly",
        load=_quasirandom,
        follows_scores=False,
    ),
    Strategy(
        "bayesian",
        "a Gaussian process and log noisy expected improvement",
        "tens to hundreds of trials",
        load=_bayesian,
        follows_scores=True,
        round=8,
        warm=_bayesian,
    ),
    Strategy(
        "tpe",
        "draws where good trials are dense",
        "thousands of trials, very large spaces",
        load=_tpe,
        follows_scores=True,
        round=8,
        warm=_tpe,
    ),
)

STRATEGIES: dict[str, Strategy] = {entry.name: entry for entry in _ENTRIES}
