"""What a finished search says about itself: rules that look at a study and name what is odd, and what to do next.

Arithmetic only: a `Case` in, findings out. Every threshold is a documented constant beside its rule.

::

    classes      classes that are never predicted
    core         what the rules look at
    dimensions   rules about the search space
    fits         rules about learning curves
    intervals    rules about the interval of the score
    rivals       rules about what the best has to beat
    rules        every rule, one entry each, and all of them together
    scores       rules about scores
"""

from lrtune.verdict.health.core import Case
from lrtune.verdict.health.rules import findings, in_own_sign

__all__ = ["Case", "findings", "in_own_sign"]
