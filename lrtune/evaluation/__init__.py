"""Configurations in, fold scores out.

::

    core          blocks of configurations -> scores; the retraining of one
    stages        which part of a round's training comes first, and which trials go on after it
    horizons      the same configuration on a shorter horizon
    pace          what time allows
    calibration   the speed of the virtual clock, for decays that follow the time
"""

from lrtune.evaluation.core import (
    Evaluated,
    Numbered,
    Setting,
    Stage,
    Work,
    blocks,
    expected_seconds,
    retraining_seconds,
    run_block,
    scored,
)

__all__ = [
    "Evaluated",
    "Numbered",
    "Setting",
    "Stage",
    "Work",
    "blocks",
    "expected_seconds",
    "retraining_seconds",
    "run_block",
    "scored",
]
