"""Scores corrected for having been chosen: arithmetic on fold scores and out-of-fold predictions, nothing else.

::

    averages   means of the best configurations as candidates
    core       how good the chosen configuration is, once the luck that got it chosen is taken away
    effort     how much a correction may do
    evidence   what a correction starts from
    fixed      a mean of fixed configurations, as what every resample's choice is compared with
    intervals  how sure a corrected score is
    race       the races of a search, run again on resampled rows
"""

from lrtune.verdict.correction.averages import Averages, DeliveredMean
from lrtune.verdict.correction.core import BOOTSTRAP, FOLDS, Choosing, Correction, corrected
from lrtune.verdict.correction.effort import Effort, cells, effort
from lrtune.verdict.correction.evidence import Evidence
from lrtune.verdict.correction.fixed import Reigning, merged
from lrtune.verdict.correction.race import Race

__all__ = [
    "BOOTSTRAP",
    "FOLDS",
    "Averages",
    "Choosing",
    "Correction",
    "DeliveredMean",
    "Effort",
    "Evidence",
    "Race",
    "Reigning",
    "cells",
    "corrected",
    "effort",
    "merged",
]
