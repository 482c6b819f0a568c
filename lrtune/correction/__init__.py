"""Scores corrected for having been chosen: arithmetic on fold scores and out-of-fold predictions, nothing else."""

from lrtune.correction.core import BOOTSTRAP, FOLDS, Choosing, Correction, Gain, corrected
from lrtune.correction.evidence import Evidence
from lrtune.correction.race import Race

__all__ = ["BOOTSTRAP", "FOLDS", "Choosing", "Correction", "Evidence", "Gain", "Race", "corrected"]
