"""What a finished search says about itself: rules that look at a study and name what is odd, and what to do next.

Arithmetic only: a `Case` in, findings out. Every threshold is a documented constant beside its rule.
"""

from lrtune.verdict.health.core import HINT, WARNING, Case, Finding, Labels, attempted
from lrtune.verdict.health.rules import findings

__all__ = ["HINT", "WARNING", "Case", "Finding", "Labels", "attempted", "findings"]
