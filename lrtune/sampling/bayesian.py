"""Bayesian search: a Gaussian process over the whole conditional space, and log noisy expected improvement.

Each round starts from the history alone: the scores become observations (`scores`), the points rows (`encoding`), a
Gaussian process is fitted to them (`gaussian_process`), and samples of the function are drawn at the observed points
(`surrogate`). Then point after point is picked where the expected improvement over the samples' best is largest. A
picked point joins the observed ones with a sampled value: joint expected improvement, maximised greedily.

That alone does not keep the picks of a round apart. When the process is sure of where the best is, any other place
promises nothing (the logarithm tells ``exp(-20)`` from ``exp(-160)``), and the largest value is that of the last digits
beside a point that has been picked: the deviation there is 1e-4, which only stands for what makes matrices positive
definite. So a point that is closer to a picked one than scores could tell is not picked as long as there are others
(`lrtune.sampling.candidates.apart`).

Nor does it spread them over what they have in common. Where little is known, a branch without trials promises the same
at every rate but for a trace more at the ends, and then each branch of a round would get the rate of an end. So of
points that promise alike (`_ALIKE`) the one is picked whose numbers are farthest from those of the picked ones,
whatever their branches.

Letham et al. 2019, "Constrained Bayesian optimization with noisy experiments" (noisy expected improvement); Balandat et
al. 2020, "BoTorch" (greedy joint maximisation); Ament et al. 2023, "Unexpected improvements to expected improvement"
(its logarithm).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lrtune.arrays import SAMPLING, Doubles, stream
from lrtune.sampling import quasirandom, random_search
from lrtune.sampling.candidates import apart, neighbour
from lrtune.sampling.encoding import crowded, lonely
from lrtune.sampling.prior import Prior
from lrtune.sampling.surrogate import Outlook, Samples, Surrogate, extended, learn, sampled
from lrtune.space import SearchSpace
from lrtune.space.tree import key_of
from lrtune.space.trial import Configuration, Trial, TrialState

FIRST = 8
"""Trials before the first fit: the default, then a Sobol design."""

_SAMPLES = 32
_WHOLE = 2000  # a space of at most so many points is looked through completely
_POOL = 1000  # draws from a larger one,
_NEAR, _BROOD = 6, 30  # and so many neighbours of each of the best trials
_ELITE, _YOUNG = 8, 12  # the most promising climb, each with so many attempts a step
_STEPS = (0.2, 0.1, 0.05, 0.025, 0.0125)

_ALIKE = 0.3
"""Points whose log expected improvement differs by less promise alike: the loneliest of them is picked."""


def propose(space: SearchSpace, history: Sequence[Trial], n: int, seed: int, prior: Prior = ()) -> list[Configuration]:
    """Propose points of the largest joint expected improvement; see `lrtune.sampling.catalogue.ProposeWarm`."""
    rng = stream(seed, SAMPLING, len(history))
    scored = sum(each.state is not TrialState.PROPOSED for each in history)
    known = scored + sum(len(each.points) for each in prior) if history else 0
    surrogate = learn(space, history, rng, prior) if known >= FIRST else None
    if surrogate is None:
        return quasirandom.propose(space, history, n, seed)
    picked = _Round(space, history, surrogate, rng).picks(n)
    return picked + random_search.leftovers(space, history, picked, n, seed)


class _Round:
    """The picks of one round: each changes the samples, and so what the next promises."""

    def __init__(
        self, space: SearchSpace, history: Sequence[Trial], surrogate: Surrogate, rng: np.random.Generator
    ) -> None:
        self.space = space
        self.encoding = surrogate.encoding
        self.rng = rng
        self.tried = {space.key(each.configuration) for each in history}
        self.samples: Samples = sampled(surrogate, _SAMPLES, rng)
        earlier = [each for each, is_own in zip(surrogate.points, surrogate.is_own, strict=True) if not is_own]
        self.pool = self.untried([*self.everywhere(), *self.near(surrogate), *earlier])
        self.numbers = {key_of(each): number for number, each in enumerate(self.pool)}
        self.rows = self.encoding.rows(self.pool)
        self.is_left = np.ones(len(self.pool), dtype=bool)
        self.outlook = Outlook(self.samples, self.rows)
        self.taken = self.encoding.rows([])
        self.unknown: list[Configuration] = []
        for each in history:
            point = space.point(each.configuration) if each.state is TrialState.PROPOSED else None
            if point is not None:
                self.learn_of(point)

    def everywhere(self) -> list[Configuration]:
        """List the whole space if it is small, else draw from it."""
        if self.space.size <= _WHOLE:
            return [self.space.at(number) for number in range(int(self.space.size))]
        return [self.space.sample(self.rng) for _ in range(_POOL)]

    def near(self, surrogate: Surrogate) -> list[Configuration]:
        """Draw around the trials that the process thinks best."""
        if self.space.size <= _WHOLE:
            return []
        best = np.argsort(-surrogate.mean, kind="stable")[:_NEAR]
        return [
            neighbour(self.space, surrogate.points[number], _STEPS[number_of_try % len(_STEPS)], self.rng)
            for number in best
            for number_of_try in range(_BROOD)
        ]

    def untried(self, points: Sequence[Configuration]) -> list[Configuration]:
        """Leave out what has been tried, and repetitions."""
        named = {key_of(each): each for each in points}
        return [each for key, each in named.items() if key not in self.tried]

    def learn_of(self, point: Configuration) -> None:
        """Take a point into account whose score is not known yet."""
        key = key_of(point)
        self.tried.add(key)
        if key in self.numbers:
            self.is_left[self.numbers[key]] = False
        row = self.encoding.rows([point])
        self.unknown.append(point)
        self.taken = np.vstack([self.taken, row])
        self.samples = extended(self.samples, row[0], self.rng)
        self.outlook.learn(self.samples)

    def apart(self, rows: Doubles, gains: Doubles) -> Doubles:
        """Leave the gains of points (M,) that are far enough from what has been picked; of the others ``-inf``."""
        return np.where(crowded(rows, self.taken, apart(len(self.taken))), -np.inf, gains)

    def picks(self, n: int) -> list[Configuration]:
        """Pick up to `n` points, fewer if nothing is left of the pool."""
        picked: list[Configuration] = []
        while len(picked) < n and self.is_left.any():
            best = self.pick()
            picked.append(best)
            self.learn_of(best)
        return picked

    def pick(self) -> Configuration:
        """Find the most promising point, in the pool or climbing from it; of those that are alike the loneliest."""
        there = np.where(self.is_left, self.outlook.gains, -np.inf)
        gains = self.apart(self.rows, there)
        if not np.isfinite(gains).any():  # only what lies beside the picked ones is left
            gains = there
        best = [number for number in np.argsort(-gains, kind="stable")[:_ELITE] if self.is_left[number]]
        elite: list[tuple[float, Configuration]] = [(float(gains[number]), self.pool[number]) for number in best]
        for width in _STEPS if self.space.size > _WHOLE else ():
            elite = self.climbed(elite, width)
        top, chosen = max(elite, key=lambda each: each[0])
        alike = [chosen, *(self.pool[number] for number in np.flatnonzero(gains >= top - _ALIKE))]
        return alike[int(self.loneliness(alike).argmax())]

    def loneliness(self, points: Sequence[Configuration]) -> Doubles:
        """Tell how far the numbers of each point are from those of the nearest picked one (M,)."""
        return lonely(self.encoding.places(points), self.encoding.places(self.unknown))

    def climbed(self, elite: list[tuple[float, Configuration]], width: float) -> list[tuple[float, Configuration]]:
        """Replace each of the elite by its best neighbour, where that promises more."""
        better = list(elite)
        parents, young = [], []
        for number, (_, point) in enumerate(elite):
            fresh = self.untried([neighbour(self.space, point, width, self.rng) for _ in range(_YOUNG)])
            parents += [number] * len(fresh)
            young += fresh
        rows = self.encoding.rows(young)
        gains = self.apart(rows, Outlook(self.samples, rows).gains) if young else np.empty(0)
        for parent, point, gain in zip(parents, young, gains.tolist(), strict=True):
            if gain > better[parent][0]:
                better[parent] = (gain, point)
        return better
