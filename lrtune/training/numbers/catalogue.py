"""Every encoder of numbers: one entry holds what it is, what it fits on training rows, and what it makes of a number.

``x`` is a number, ``z`` the feature. Missing cells are imputed before, booleans stay as they are; see
`lrtune.data.encoding`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from lrtune.training.deferred import Deferred
from lrtune.training.numbers import BINS

if TYPE_CHECKING:
    from lrtune.arrays import Floats
    from lrtune.training.numbers import functions
    from lrtune.training.numbers.functions import Parts
else:
    functions = Deferred("lrtune.training.numbers.functions")


class NumberEncoder(NamedTuple):
    """An encoder and its declaration.

    Parameters
    ----------
    name
        In the experiment file.
    summary, formula, source
        What it is, without a full stop; what a number becomes; who published it.
    fit
        ``values (N, n) -> parts``, from the training rows of a fold, without missing cells.
    apply
        ``(values (M, n), parts) -> (M, n)``: the features of any rows, always finite.
    components
        How many further features ``expand`` adds for each number at most.
    expand
        ``(values (M, n), parts) -> (M, n, components)``: these, finite as well.

    """

    name: str
    summary: str
    formula: str
    source: str
    fit: Callable[[Floats], Parts]
    apply: Callable[[Floats, Parts], Floats]
    components: int = 0
    expand: Callable[[Floats, Parts], Floats] = functions.nothing_more

    def added(self, distinct: int) -> int:
        """Count the further features of a number that has so many different values in the training rows.

        Of two values, or of one, there is no more to know than the number itself says.
        """
        return min(self.components, distinct - 1) if distinct > 2 else 0


USUAL = "standard"
"""What is taken where nothing is said."""

_ENTRIES = (
    NumberEncoder(
        "standard",
        "distance from the mean in standard deviations",
        "z = (x - mean) / deviation",
        "the usual one, as scikit-learn's `StandardScaler`",
        fit=functions.standard,
        apply=functions.scaled,
    ),
    NumberEncoder(
        "robust",
        "distance from the median in interquartile ranges, far ones pulled in smoothly, never beyond 3",
        "z = s / sqrt(1 + (s / 3) ^ 2), s = (x - median) / (q75 - q25)",
        "Holzmüller et al. 2024, arXiv 2407.04491",
        fit=functions.robust,
        apply=functions.pulled_in,
    ),
    NumberEncoder(
        "piecewise",
        f"standard, joined by how far it has come through each of {BINS} bins between quantiles",
        "z, and t_i = (x - b_(i-1)) / (b_i - b_(i-1)) from 0 to 1",
        "Gorishniy et al. 2022, arXiv 2203.05556",
        fit=functions.piecewise,
        apply=functions.scaled,
        components=BINS,
        expand=functions.progress,
    ),
)

NUMBERS: dict[str, NumberEncoder] = {entry.name: entry for entry in _ENTRIES}
"""The encoders by name."""
