"""Whole functions drawn from a fitted Gaussian process: they can be evaluated anywhere, at a price linear in points.

A draw from the prior is a sum of cosines whose frequencies have the kernel's spectral density (Rahimi and Recht 2007,
"Random features for large-scale kernel machines"); for Matern-5/2 that is a multivariate Student's t with 5 degrees of
freedom. What the observations say is added path by path (Wilson et al. 2020, "Efficiently sampling functions from
Gaussian process posteriors", eq. 7):

    f(x) = g(x) + k(x, X) (K + noise)^-1 (y - g(X) - e),    g ~ prior,  e ~ N(0, noise)
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lrtune.arrays import Array
from lrtune.sampling import gaussian_process as gp
from lrtune.sampling.surrogate import Surrogate

_FEATURES = 512
_FREEDOM = 5  # twice the smoothness of the kernel


class Functions(NamedTuple):
    """Functions drawn from the posterior distribution.

    Attributes
    ----------
    process
        Conditioned on the observations.
    weights
        What each function's corrections weigh the covariances with (N, S).
    frequencies, phases
        Of the cosines (columns, F) and (F,), in single precision.
    loads
        What each function weighs them with (F, S), in single precision.
    offsets
        Each function's constant (S,).

    """

    process: gp.Process
    weights: Array
    frequencies: Array
    phases: Array
    loads: Array
    offsets: Array

    def prior(self, x: Array) -> Array:
        """Evaluate the draws from the prior at x (M, columns): (M, S)."""
        waves = np.cos(x.astype(np.float32) @ self.frequencies + self.phases)  # in double precision ten times as slow
        return np.asarray((waves @ self.loads).astype(np.float64) + self.offsets)

    def __call__(self, x: Array) -> Array:
        """Evaluate the functions at x (M, columns): (M, S)."""
        cross = gp.covariance(x, self.process.x, self.process.groups, self.process.hyperparameters)
        return np.asarray(self.prior(x) + cross @ self.weights)


def drawn(surrogate: Surrogate, count: int, rng: np.random.Generator) -> Functions:
    """Draw `count` functions from what a surrogate believes."""
    groups, (lengths, signal, noise) = surrogate.encoding.scales, surrogate.hyperparameters
    process = gp.condition(surrogate.x, surrogate.spread, groups, surrogate.hyperparameters)
    normal = rng.standard_normal((len(groups), _FEATURES))
    stretch = np.sqrt(_FREEDOM / rng.chisquare(_FREEDOM, _FEATURES))
    functions = Functions(
        process,
        weights=np.zeros((len(surrogate.x), count)),
        frequencies=(normal * stretch / lengths[groups][:, None]).astype(np.float32),
        phases=rng.uniform(0.0, 2.0 * math.pi, _FEATURES).astype(np.float32),
        loads=(math.sqrt(2.0 * signal / _FEATURES) * rng.standard_normal((_FEATURES, count))).astype(np.float32),
        offsets=math.sqrt(gp.OFFSET) * rng.standard_normal(count),
    )
    errors = np.sqrt(noise * surrogate.spread)[:, None] * rng.standard_normal((len(surrogate.x), count))
    missing = surrogate.values[:, None] - functions.prior(surrogate.x) - errors
    return functions._replace(weights=process.weights(missing))


def explained(surrogate: Surrogate) -> float:
    """Share of the variance of the observed values that is predicted for each from all the others; at most 1.

    The residual of an observation that is left out is ``(K^-1 y)_i / (K^-1)_ii`` (Rasmussen and Williams 2006, eq.
    5.12), without fitting anything again.
    """
    process = gp.condition(surrogate.x, surrogate.spread, surrogate.encoding.scales, surrogate.hyperparameters)
    inverse = process.weights(np.eye(len(surrogate.x)))
    left_out = inverse @ surrogate.values / np.diag(inverse)
    return float(1.0 - np.mean(left_out**2) / np.var(surrogate.values))
