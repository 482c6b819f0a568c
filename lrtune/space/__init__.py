"""What can be tried: a tree of dimensions, its points, and what is known about each.

::

    described    a search space from its description
    dimensions   the leaves of a search space
    tree         the search space
    trial        a configuration, and what is known about it
"""

from lrtune.space.tree import Choice, Option, Place, SearchSpace, Where

__all__ = ["Choice", "Option", "Place", "SearchSpace", "Where"]
