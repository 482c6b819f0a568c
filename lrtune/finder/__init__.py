"""The learning-rate finder: sweeps over all rates, short runs where they lead, and an answer or the reason for none.

::

    core     an experiment -> curves and an answer for each optimizer
    curves   what was seen with one optimizer
    foreign  the same for trainers that are not lrtune's own: short runs, then a few rates in full
    in_full  does the planned training at a few rates
    planned  which rates that takes, and what it says; arithmetic only
    sweeps   one optimizer: a sweep over all rates, then short runs where it leads, then the planned training
    rules    losses against rates -> an answer; arithmetic only
"""

from lrtune.finder.core import RateFinding, find, find_learning_rate, offered, resolved

__all__ = ["RateFinding", "find", "find_learning_rate", "offered", "resolved"]
