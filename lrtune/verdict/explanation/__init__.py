"""What a study says about its space: which dimensions mattered, and what to expect of their values.

::

    core         trials -> shares and slices
    importance   how predicted scores vary over the space, and what that variation comes from
    slices       predicted scores along one dimension
    points       points of the space, drawn many at a time
    functions    whole functions drawn from a fitted Gaussian process
"""

from lrtune.verdict.explanation.core import FEWEST, Explanation, explain

__all__ = ["FEWEST", "Explanation", "explain"]
