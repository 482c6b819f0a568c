"""Which trial is chosen: arithmetic on scores, no I/O.

::

    core         the choice among the trials of a study
    rules        the rules by which one of several configurations is chosen, one entry each
    candidates   what they pick from (how they do is in `lrtune.verdict.picking`)
"""

from lrtune.verdict.choice.core import ChosenTrial, best, choose, chosen, complete, in_order_of_simplicity

__all__ = ["ChosenTrial", "best", "choose", "chosen", "complete", "in_order_of_simplicity"]
