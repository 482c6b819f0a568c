"""What a study has learned about its space: a fitted Gaussian process, and samples of the function it stands for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.linalg import cholesky

from lrtune.arrays import Doubles
from lrtune.sampling import gaussian_process as gp
from lrtune.sampling.acquisition import log_noisy_improvement
from lrtune.sampling.encoding import Encoding
from lrtune.sampling.prior import Prior
from lrtune.sampling.scores import Observations, observe
from lrtune.space import SearchSpace
from lrtune.space.trial import Configuration, Trial

FITTED, KEPT = 250, 500
"""How many trials the hyperparameters are fitted to, and how many the process sees: see `_kept`."""

SETTLED = 512
"""Of more trials the hyperparameters are those that fit the last power of two, which no round has to find again."""

_FIRST = 8  # trials of the first fit, see `_before`
_CAUTION = 1e-7  # added to covariances that samples are drawn from, relative to the prior's
_LEAST_NOISE = 1e-4  # of the better half's variance


class Surrogate(NamedTuple):
    """A Gaussian process fitted to a history.

    Attributes
    ----------
    encoding
        From points to rows.
    points
        What has been observed (N).
    x
        The same as rows (N, columns).
    values, spread
        Standardised scores and their relative noise variances (N,).
    hyperparameters
        As fitted.
    is_own
        Which of the points were tried in this study (N,); the others are known from earlier ones.

    """

    encoding: Encoding
    points: tuple[Configuration, ...]
    x: Doubles
    values: Doubles
    spread: Doubles
    hyperparameters: gp.Hyperparameters
    is_own: np.ndarray

    @property
    def mean(self) -> Doubles:
        """Posterior mean of the function at the observed points (N,)."""
        process = gp.condition(self.x, self.spread, self.encoding.scales, self.hyperparameters)
        return gp.predict(process, self.x, self.values)[0]


def learn(
    space: SearchSpace,
    history: Sequence[Trial],
    rng: np.random.Generator | None,
    prior: Prior = (),
    *,
    most: int | None = None,
    anew: bool = False,
) -> Surrogate | None:
    """Fit a process to what the trials tell; None if they tell nothing, because there are no two different scores.

    What earlier studies know is told, too, with the noise that it has.

    The hyperparameters are sought from the prior's mode, and from what fitted the first 8, 16, 32, ... trials, each of
    these fits started from the one before: a search that gets more trials goes on where it was, though everything
    follows from the history alone; beyond `SETTLED` the last of these fits is taken as it is, unless a fit is asked for
    (``anew``). The process sees at most so many trials (`_kept`), by default `KEPT`.
    """
    seen = observe(history, prior)
    points = [space.point(each.configuration) for each in seen.trials]
    usable = np.array([each is not None for each in points], dtype=bool)
    values, spread = seen.values[usable], seen.spread[usable]
    if len(np.unique(values)) < 2:
        return None
    kept = _kept(values, KEPT if most is None else most)
    known = [each for each in points if each is not None]
    chosen = tuple(known[number] for number in kept)
    values, spread, own = values[kept], spread[kept], seen.is_own[usable][kept]
    encoding = Encoding(space)
    x = encoding.rows(chosen)
    before = history[: _before(len(history))]
    settled = _settled(space, before, prior, most) if len(history) > SETTLED and not anew else None
    if settled is not None:
        return Surrogate(encoding, chosen, x, values, spread, settled, own)
    few = _kept(values, FITTED)
    earlier = learn(space, before, rng, prior, most=most) if before else None
    warm = None if earlier is None else earlier.hyperparameters
    hyperparameters = gp.fit(
        x[few], values[few], spread[few], encoding.scales, prior=_expected(seen), warm=warm, rng=rng
    )
    return Surrogate(encoding, chosen, x, values, spread, hyperparameters, own)


class _Fit(NamedTuple):
    """What fits some trials of a space, and which these are."""

    space: SearchSpace
    trials: Sequence[Trial]
    prior: Prior
    most: int | None
    hyperparameters: gp.Hyperparameters | None


_last: list[_Fit] = []  # the one that was asked for last: the next rounds ask for it again


def _settled(space: SearchSpace, trials: Sequence[Trial], prior: Prior, most: int | None) -> gp.Hyperparameters | None:
    """Fit a power of two of trials, from what fitted half of them, without any draw; None if they tell nothing."""
    for known in _last:
        same = known.space is space and known.most == most and list(known.trials) == list(trials)
        if same and list(map(id, known.prior)) == list(map(id, prior)):
            return known.hyperparameters
    found = learn(space, trials, None, prior, most=most, anew=True)
    hyperparameters = None if found is None else found.hyperparameters
    _last[:] = [_Fit(space, trials, prior, most, hyperparameters)]
    return hyperparameters


def _before(count: int) -> int:
    """Choose how many trials the fit before saw: a power of two; 0 if there was none.

    >>> [_before(each) for each in (8, 9, 16, 17, 200)]
    [0, 8, 8, 16, 128]
    """
    return 1 << (count - 1).bit_length() - 1 if count > _FIRST else 0


def _kept(values: Doubles, most: int) -> np.ndarray:
    """Choose `most` trials, if there are more: half are the best ones, half the others at even steps of their ranks."""
    if len(values) <= most:
        return np.arange(len(values))
    order = np.argsort(-values, kind="stable")
    best, rest = order[: most // 2], order[most // 2 :]
    even = rest[np.linspace(0, len(rest) - 1, most - len(best)).round().astype(int)]
    return np.sort(np.concatenate([best, even]))


def _expected(seen: Observations) -> gp.Prior:
    """Expect as much noise as the folds disagree by, where they tell."""
    prior = gp.Prior()
    if seen.noise is None:
        return prior
    return prior._replace(noise=math.log(min(max(seen.noise, _LEAST_NOISE), 1.0)))


class Samples(NamedTuple):
    """Samples of the function at some points, and the process that has seen it there without noise.

    Attributes
    ----------
    process
        Conditioned on all points.
    values
        Each sample's values at these points (N, S).
    white
        The same, whitened by the process (N, S).
    is_own
        Which of the points are of this study (N,).

    """

    process: gp.Process
    values: Doubles
    white: Doubles
    is_own: np.ndarray

    @property
    def best(self) -> Doubles:
        """The largest value of each sample at what is of this study (S,): the rest has not been tried on its rows."""
        return np.asarray(self.values[self.is_own].max(axis=0))


class Outlook:
    """What samples say of points that stay the same, while the samples get to know one point after the other.

    Parameters
    ----------
    samples
        As they are now.
    rows
        The points (M, columns).

    """

    def __init__(self, samples: Samples, rows: Doubles) -> None:
        process = samples.process
        self._rows = rows
        self._cross = process.whitened(gp.covariance(process.x, rows, process.groups, process.hyperparameters))
        self._means = self._cross.T @ samples.white
        self._known = (self._cross**2).sum(axis=0)
        self._samples = samples

    def learn(self, samples: Samples) -> None:
        """Take into account that the samples know one more point; the cost is that of looking at this one only."""
        process = self._samples.process
        row = samples.process.x[-1:]
        *_, weights = samples.process.factor
        cross = gp.covariance(row, self._rows, process.groups, process.hyperparameters)[0]
        new = (cross - weights[:-1] @ self._cross) / weights[-1]
        self._cross = np.concatenate([self._cross, new[None]])
        self._means += np.outer(new, samples.white[-1])
        self._known += new**2
        self._samples = samples

    @property
    def gains(self) -> Doubles:
        """Log expected improvement of the points (M,)."""
        variance = np.maximum(gp.OFFSET + self._samples.process.hyperparameters.signal - self._known, gp.LEAST)
        return log_noisy_improvement(self._means, variance, self._samples.best)


def sampled(surrogate: Surrogate, count: int, rng: np.random.Generator) -> Samples:
    """Draw the function at the observed points, `count` (even) times, from its joint posterior distribution."""
    x, groups, hyperparameters = surrogate.x, surrogate.encoding.scales, surrogate.hyperparameters
    noisy = gp.condition(x, surrogate.spread, groups, hyperparameters)
    prior = gp.covariance(x, x, groups, hyperparameters)
    posterior = prior - prior @ noisy.weights(prior)
    posterior[np.diag_indices_from(posterior)] += _CAUTION * prior[0, 0]
    mean = prior @ noisy.weights(surrogate.values)
    factor = cholesky(posterior, lower=True, check_finite=False)
    values = mean[:, None] + factor @ _normal(len(mean), count, rng)
    process = gp.condition(x, np.zeros(len(x)), groups, hyperparameters)
    return Samples(process, values, process.whitened(values), surrogate.is_own)


def extended(samples: Samples, row: Doubles, rng: np.random.Generator) -> Samples:
    """Draw the function at one more point (columns,), given each sample's values at the others."""
    process = gp.joined(samples.process, row)
    *_, weights = process.factor
    cross, deviation = weights[:-1], weights[-1]
    white = _normal(1, samples.values.shape[1], rng)
    return Samples(
        process,
        np.vstack([samples.values, cross @ samples.white + deviation * white]),
        np.vstack([samples.white, white]),
        np.append(samples.is_own, True),
    )


def _normal(rows: int, count: int, rng: np.random.Generator) -> Doubles:
    """Draw standard normal numbers (rows, count) in pairs of opposite sign."""
    half = rng.standard_normal((rows, count // 2))
    return np.hstack([half, -half])
