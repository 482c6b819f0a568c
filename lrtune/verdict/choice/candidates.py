"""What a rule chooses from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lrtune.arrays import Doubles, Integers


class Smoothing(NamedTuple):
    """What a regression over the space makes of the configurations' mean scores.

    Attributes
    ----------
    means
        The mean scores that it has seen (C,).
    values
        What it thinks of each configuration (C,), on a scale of its own.
    weights
        How its values change with the means (C, C): row `i` says on which means value `i` depends.

    """

    means: Doubles
    values: Doubles
    weights: Doubles

    def __call__(self, means: Doubles) -> Doubles:
        """Give the values for other means (..., C), to first order."""
        return self.values + (means - self.means) @ self.weights.T


class Candidates(NamedTuple):
    """Configurations to choose from, many times where there are leading axes.

    Attributes
    ----------
    means
        Mean scores (..., C), oriented: larger is better; ``-inf`` is never chosen.
    folds
        Scores of the folds (..., K, C), NaN where there is none.
    order
        Place of each configuration in the order of simplicity (C,), 0 for the simplest.
    ties
        Which of equal configurations comes first (C,): the smaller number; by default the earlier place.
    smoothing
        Only for rules that ask for it; None if there is nothing to learn from.

    """

    means: Doubles
    folds: Doubles
    order: Integers
    smoothing: Smoothing | None = None
    ties: Integers | None = None
