"""The learning-rate finder: sweeps over all rates, short runs where they lead, and an answer or the reason for none.

::

    core           an experiment -> curves and an answer for each optimizer
    answers        one optimizer: from a sweep and short runs to an answer
    curves         what was seen with one optimizer
    effort         how long a training is, and what of it may be spent; arithmetic only
    foreign        the same for trainers that are not lrtune's own: short runs, then a few rates in full
    in_full        does the planned training at a few rates
    planned        which rates that takes, and what it says; arithmetic only
    sweeps         one optimizer: a sweep over all rates, then short runs where it leads
    rules          losses against rates -> an answer; arithmetic only
    scaling        how the best rate goes with a size: the planned training at a few sizes
    scaling_plan   what that takes
    sizes          what may grow, and the rules on offer
    trends         best rates against sizes -> an exponent and predictions; arithmetic only
"""

from lrtune.finder.core import RateFinding, find, find_learning_rate, offered, resolved
from lrtune.finder.scaling import ScalingFinding, find_scaling, measured
from lrtune.finder.scaling_plan import ScalingPlan, plan_scaling

__all__ = [
    "RateFinding",
    "ScalingFinding",
    "ScalingPlan",
    "find",
    "find_learning_rate",
    "find_scaling",
    "measured",
    "offered",
    "plan_scaling",
    "resolved",
]
