"""The learning-rate finder: sweeps over all rates, short runs where they lead, and an answer or the reason for none.

::

    core     an experiment -> curves and an answer for each optimizer
    foreign  the same for trainers that are not lrtune's own: short runs, then a few rates in full
    planned  the planned training at a few rates, in full
    sweeps   one optimizer: a sweep over all rates, then short runs where it leads, then the planned training
    rules    losses against rates -> an answer; arithmetic only
"""

from lrtune.finder.core import RateFinding, find, find_learning_rate, offered, resolved

__all__ = ["RateFinding", "find", "find_learning_rate", "offered", "resolved"]
