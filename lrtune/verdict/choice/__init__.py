"""Which trial is chosen, and whether it is better than another or good enough: arithmetic on scores, no I/O.

::

    core         the choice among the trials of a study
    rules        the rules by which one of several configurations is chosen
    comparison   the paired comparison of two configurations on the same folds
    student      Student's t in plain Python
    gates        a result against a limit or a baseline
"""

from lrtune.verdict.choice.core import Choice, best, choose, chosen, complete, in_order_of_simplicity

__all__ = ["Choice", "best", "choose", "chosen", "complete", "in_order_of_simplicity"]
