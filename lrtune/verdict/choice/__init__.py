"""Which trial is chosen: arithmetic on scores, no I/O.

::

    candidates   what the rules pick from (how they pick is in `lrtune.verdict.picking`)
    core         the choice among the trials of a study
    rules        the rules by which one of several configurations is chosen, one entry each
"""

from lrtune.verdict.choice.core import (
    ChosenTrial,
    best,
    choose,
    chosen,
    complete,
    in_order_of_simplicity,
    in_order_of_ties,
)

__all__ = [
    "ChosenTrial",
    "best",
    "choose",
    "chosen",
    "complete",
    "in_order_of_simplicity",
    "in_order_of_ties",
]
