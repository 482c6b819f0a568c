"""What to try next: functions of the space and the history, without any state of their own.

::

    catalogue          every strategy, one entry each
    grid               every configuration once
    random_search      independent draws
    quasirandom        a scrambled Sobol sequence
    bayesian           a Gaussian process: scores, encoding, gaussian_process, surrogate, acquisition, candidates
    tpe                draws where good trials are dense
    posterior, regret  what the Gaussian process makes of finished trials
"""

from __future__ import annotations

SAMPLING = 11
"""Purpose of the streams ``[seed, SAMPLING, trial number, ...]``, which only this package draws from."""
