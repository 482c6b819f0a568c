"""What can be tried: a tree of dimensions, its points, and what is known about each."""

from lrtune.space.tree import Choice, Option, Place, SearchSpace, Where

__all__ = ["Choice", "Option", "Place", "SearchSpace", "Where"]
