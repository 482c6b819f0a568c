"""Random streams: every draw has an address, so that no draw depends on which others were made.

A stream is ``default_rng([seed, PURPOSE, ...])``. The engine's purposes are below; sampling of configurations uses
numbers from 11, the handling of data numbers from 21.
"""

from __future__ import annotations

import numpy as np

INITIAL = 1
"""Initial parameters: ``[seed, INITIAL, fold]``."""

ORDER = 2
"""Order of the rows, which makes the mini-batches: ``[seed, ORDER, fold, epoch]``."""

DROPOUT = 3
"""Uniforms that switch units off: ``[seed, DROPOUT, fold, epoch]``, step after step."""

VALIDATION = 4
"""Which validation rows the range test looks at, where a fold has many: ``[seed, VALIDATION, fold]``."""

HOLDOUT = 5
"""Training rows that a plateau decay watches: ``[seed, HOLDOUT, fold]``."""

CURVES = 6
"""Rows that learning curves look at, of training (0) and validation (1): ``[seed, CURVES, fold, kind]``."""


def stream(seed: int, purpose: int, *address: int) -> np.random.Generator:
    """Open the stream at an address; all numbers must be non-negative."""
    return np.random.default_rng([seed, purpose, *address])
