"""The search: one process proposes, has evaluated, records, and at the end retrains the best.

::

    core       the loop
    session    what one process knows of a study, and how it records more
    records    what is kept of predictions, stage by stage
    stopping   when a search is content, or has nothing to gain
    nested     nested cross-validation: a search inside of each outer fold
"""

from lrtune.tuning.core import DATABASE, tune

__all__ = ["DATABASE", "tune"]
