"""How much a point promises: log noisy expected improvement, safe in any numeric range."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import erfcx, logsumexp, ndtr

from lrtune.arrays import Doubles

_FAR = -1e6  # below this z, erfcx times z has lost all digits of what is left of 1
_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


def log_improvement(z: Doubles) -> Doubles:
    r"""Logarithm of the expected positive part of a normal variable with mean z and deviation 1.

    .. math:: \log h(z), \quad h(z) = \varphi(z) + z \Phi(z)

    Accurate in double precision from z = -1e100 on: three formulas for three ranges (Ament et al. 2023, "Unexpected
    improvements to expected improvement for Bayesian optimization", appendix A).
    """
    z = np.asarray(z, dtype=float)
    near, far = np.maximum(z, -1.0), np.minimum(z, -1.0)
    direct = np.log(np.exp(-0.5 * near**2 - _HALF_LOG_TAU) + near * ndtr(near))
    # h = phi (1 - sqrt(pi/2) |z| erfcx(|z|/sqrt(2)))
    middle = np.maximum(far, _FAR)
    left = np.log1p(-np.minimum(math.sqrt(math.pi / 2) * -middle * erfcx(-middle / math.sqrt(2)), 1 - 2**-53))
    tail = np.where(far < -1e3, -2.0 * np.log(-far), left)  # 1 - ... = z^-2 - 3 z^-4 + ...
    return np.asarray(np.where(z > -1.0, direct, -0.5 * far**2 - _HALF_LOG_TAU + tail))


def log_noisy_improvement(means: Doubles, variance: Doubles, best: Doubles) -> Doubles:
    """Logarithm of the expected improvement over the best, averaged over samples of what the best is.

    Parameters
    ----------
    means
        Posterior mean of each point given each sample of the function at the observed points (M, samples).
    variance
        Posterior variance of each point given the function there (M,).
    best
        The largest value of each sample (samples,).

    Returns
    -------
    Doubles
        One value for each point (M,).

    """
    deviation = np.sqrt(variance)[:, None]
    logs = log_improvement((means - best) / deviation) + np.log(deviation)
    return np.asarray(logsumexp(logs, axis=1) - math.log(means.shape[1]))
