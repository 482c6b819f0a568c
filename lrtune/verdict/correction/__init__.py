"""Scores corrected for having been chosen: arithmetic on fold scores and out-of-fold predictions, nothing else."""

from lrtune.verdict.correction.core import (
    BOOTSTRAP,
    FOLDS,
    Choosing,
    Correction,
    Effort,
    cells,
    corrected,
    effort,
)
from lrtune.verdict.correction.evidence import Evidence
from lrtune.verdict.correction.race import Race

__all__ = [
    "BOOTSTRAP",
    "FOLDS",
    "Choosing",
    "Correction",
    "Effort",
    "Evidence",
    "Race",
    "cells",
    "corrected",
    "effort",
]
