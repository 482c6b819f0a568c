"""Gaussian process regression: Matern-5/2 with a length scale per dimension, fitted by maximum a posteriori.

::

    y = f(x) + e      e ~ N(0, noise * spread)      f ~ GP(0, offset + signal * k(r))
    k(r) = (1 + sqrt(5) r + 5/3 r^2) exp(-sqrt(5) r)      r^2 = sum_j (x_j - x'_j)^2 / l_j^2

Rasmussen & Williams 2006, "Gaussian processes for machine learning", eq. 4.17 (kernel), 2.25-2.26 (posterior), 5.8-5.9
(evidence and its gradient).

Notation: ``N`` observations, ``M`` other points, ``G`` length scales, columns as `lrtune.sampling.encoding` makes them;
``x (N, columns)``, ``y (N,)``, ``spread (N,)`` the relative noise variance of each observation.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize

from lrtune.arrays import Doubles

Groups = npt.NDArray[np.intp]

_ROOT5 = math.sqrt(5.0)
_JITTER = 1e-8  # of the signal's variance: what double precision needs when two points nearly coincide


class Hyperparameters(NamedTuple):
    """What the kernel and the noise depend on.

    Attributes
    ----------
    lengths
        Length scale of each group of columns (G,).
    signal, noise
        Variances of the function and of an observation with a spread of 1.

    """

    lengths: Doubles
    signal: float
    noise: float


class Prior(NamedTuple):
    """Independent normal distributions of the hyperparameters' logarithms: means and standard deviations.

    The length scales' mean grows with the square root of their number, so that more dimensions make no function wilder
    (Hvarfner et al. 2024, "Vanilla Bayesian optimization performs great in high dimensions").
    """

    length: float = math.log(0.5)
    length_deviation: float = 1.0
    signal: float = 0.0
    signal_deviation: float = 1.0
    noise: float = math.log(1e-2)
    noise_deviation: float = 1.5


OFFSET = 1.0
"""Variance of the constant that the function may be shifted by; scores are standardised, so 1 is generous."""


LEAST = 1e-12
"""Variance of the function below which none is told: rounding may leave less than nothing."""


class Process(NamedTuple):
    """A Gaussian process that has seen `x`.

    Attributes
    ----------
    x
        Observed points (N, columns).
    groups
        Length scale of each column.
    hyperparameters
        As fitted.
    factor
        Lower Cholesky factor of the observations' covariance (N, N).

    """

    x: Doubles
    groups: Groups
    hyperparameters: Hyperparameters
    factor: Doubles

    def weights(self, y: Doubles) -> Doubles:
        """Solve for what the posterior mean weighs the covariances with; y (N,) or (N, samples)."""
        return np.asarray(cho_solve((self.factor, True), y, check_finite=False))

    def whitened(self, y: Doubles) -> Doubles:
        """Free numbers of the correlations that the process expects: solve ``factor z = y``; (N,) or (N, samples)."""
        return np.asarray(solve_triangular(self.factor, y, lower=True, check_finite=False))


def squared_distances(x: Doubles, other: Doubles, groups: Groups) -> Doubles:
    """Sum the squared differences of the columns of each group: (G, N, M)."""
    count = int(groups.max()) + 1 if len(groups) else 0
    parts = np.zeros((count, len(x), len(other)))
    for column, group in enumerate(groups):
        parts[group] += (x[:, column, None] - other[None, :, column]) ** 2
    return parts


def covariance(x: Doubles, other: Doubles, groups: Groups, hyperparameters: Hyperparameters) -> Doubles:
    """Covariances of f between points (N, columns) and (M, columns): (N, M)."""
    scaled = x / hyperparameters.lengths[groups]
    other_scaled = other / hyperparameters.lengths[groups]
    square = (scaled**2).sum(1)[:, None] + (other_scaled**2).sum(1)[None, :] - 2.0 * scaled @ other_scaled.T
    return OFFSET + hyperparameters.signal * matern(np.sqrt(np.maximum(square, 0.0)))


def matern(r: Doubles) -> Doubles:
    """Evaluate the Matern kernel with smoothness 5/2 at scaled distances r."""
    scaled = _ROOT5 * r
    return np.asarray((1.0 + scaled + scaled**2 / 3.0) * np.exp(-scaled))


def condition(x: Doubles, spread: Doubles, groups: Groups, hyperparameters: Hyperparameters) -> Process:
    """Let a process with known hyperparameters see observations (only their places: the values come in `predict`)."""
    matrix = covariance(x, x, groups, hyperparameters)
    matrix[np.diag_indices_from(matrix)] += hyperparameters.noise * spread + _jitter(hyperparameters)
    return Process(x, groups, hyperparameters, cholesky(matrix, lower=True, check_finite=False))


def joined(process: Process, row: Doubles) -> Process:
    """Let a process see one more place (columns,), without noise: `condition`, without what it has done before.

    The factor gets a row more: what it whitens the place's covariances to, and the deviation that they leave there.
    """
    x, groups, hyperparameters, before = process
    count, jitter = len(x), _jitter(hyperparameters)
    factor = np.zeros((count + 1, count + 1))
    factor[:count, :count] = before
    cross = process.whitened(covariance(x, row[None], groups, hyperparameters))[:, 0]
    factor[count, :count] = cross
    factor[count, count] = math.sqrt(max(OFFSET + hyperparameters.signal + jitter - float(cross @ cross), jitter))
    return Process(np.vstack([x, row]), groups, hyperparameters, factor)


def _jitter(hyperparameters: Hyperparameters) -> float:
    return _JITTER * (hyperparameters.signal + OFFSET)


def predict(process: Process, x: Doubles, y: Doubles) -> tuple[Doubles, Doubles]:
    """Posterior means (M,) or (M, samples), one for each column of y, and variances (M,) of f at x (M, columns)."""
    cross = covariance(process.x, x, process.groups, process.hyperparameters)
    half = solve_triangular(process.factor, cross, lower=True, check_finite=False)
    variance = OFFSET + process.hyperparameters.signal - (half**2).sum(0)
    return cross.T @ process.weights(y), np.maximum(variance, LEAST)


def fit(
    x: Doubles,
    y: Doubles,
    spread: Doubles,
    groups: Groups,
    *,
    prior: Prior,
    warm: Hyperparameters | None,
    rng: np.random.Generator | None,
) -> Hyperparameters:
    """Maximise the hyperparameters' posterior density.

    It may have several maxima, so it is climbed twice: from the prior's mode, and from `warm`, which fitted fewer
    observations, or from a draw around the mode where there is none; without a source of draws from the mode alone.
    """
    parts = squared_distances(x, x, groups)
    mean, deviation = _moments(prior, len(parts))
    bounds = list(zip(mean - 4 * deviation, mean + 4 * deviation, strict=True))
    begin = [mean]
    if warm is not None:
        begin.append(pack(warm))
    elif rng is not None:
        begin.append(rng.normal(mean, 0.5 * deviation))

    def loss(logarithms: Doubles) -> tuple[float, Doubles]:
        """Negative log posterior density of the hyperparameters (without constants), and its gradient."""
        value, gradient = evidence(logarithms, parts, y, spread)
        standard = (logarithms - mean) / deviation
        return 0.5 * float(standard @ standard) - value, standard / deviation - gradient

    results = [minimize(loss, each, method="L-BFGS-B", jac=True, bounds=bounds, options=_OPTIONS) for each in begin]
    return unpack(min(results, key=lambda each: each.fun).x)


_OPTIONS = {"maxiter": 60, "maxcor": 20, "ftol": 1e-7, "gtol": 1e-4}


def unpack(logarithms: Doubles) -> Hyperparameters:
    """Read the vector that is optimised: logarithms of the length scales, the signal and the noise."""
    values = np.exp(logarithms)
    return Hyperparameters(values[:-2], float(values[-2]), float(values[-1]))


def pack(hyperparameters: Hyperparameters) -> Doubles:
    """Turn `unpack` round."""
    lengths, signal, noise = hyperparameters
    return np.log([*lengths, signal, noise])


def _moments(prior: Prior, count: int) -> tuple[Doubles, Doubles]:
    length = prior.length + 0.5 * math.log(max(count, 1))
    mean = np.array([length] * count + [prior.signal, prior.noise])
    return mean, np.array([prior.length_deviation] * count + [prior.signal_deviation, prior.noise_deviation])


def evidence(logarithms: Doubles, parts: Doubles, y: Doubles, spread: Doubles) -> tuple[float, Doubles]:
    """Log marginal likelihood of y, and its gradient with respect to the hyperparameters' logarithms.

    Parameters
    ----------
    logarithms
        Of the length scales, the signal and the noise (G + 2,).
    parts
        Squared distances of each group of columns (G, N, N).
    y, spread
        Observations and their relative noise variances (N,).

    """
    lengths, signal, noise = unpack(logarithms)
    inverse_squares = lengths**-2.0
    flat = parts.reshape(len(parts), -1)
    scaled = _ROOT5 * np.sqrt(inverse_squares @ flat).reshape(parts.shape[1:])
    decay = np.exp(-scaled)
    matrix = signal * (1.0 + scaled + scaled**2 / 3.0) * decay
    kernel = matrix.copy()
    matrix += OFFSET
    matrix[np.diag_indices_from(matrix)] += noise * spread + _JITTER * (signal + OFFSET)
    factor = cholesky(matrix, lower=True, check_finite=False)
    weights = cho_solve((factor, True), y, check_finite=False)
    value = -0.5 * y @ weights - np.log(np.diag(factor)).sum() - 0.5 * len(y) * math.log(2 * math.pi)
    outer = np.outer(weights, weights) - cho_solve((factor, True), np.eye(len(y)), check_finite=False)
    slope = outer * decay * (1.0 + scaled) * (signal * 5.0 / 3.0)  # of r^2/2 per length: k'(r)/r, without the sign
    gradient = np.empty(len(logarithms))
    gradient[:-2] = 0.5 * inverse_squares * (flat @ slope.ravel())
    gradient[-2] = 0.5 * (np.vdot(outer, kernel) + _JITTER * signal * np.trace(outer))
    gradient[-1] = 0.5 * noise * (np.diag(outer) @ spread)
    return float(value), gradient
