"""The search strategies as a function of plain values, for other programs.

::

    core     suggest
    spaces   plain values -> a search space, and back
"""

from lrtune.tuning.suggestions.core import suggest

__all__ = ["suggest"]
