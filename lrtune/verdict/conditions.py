"""What became of a condition that a result must meet (a *gate*); `lrtune.verdict.gates` decides it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

UNDER, OVER, BEHIND, BASELINE, KEPT, FAIL_IF = (
    "fail-under",
    "fail-over",
    "fail-behind",
    "baseline",
    "fail-worse",
    "fail-if",
)
"""The gates there are."""


class State(StrEnum):
    """What became of a gate."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "not comparable"


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition, whether it is met, and why.

    Attributes
    ----------
    name
        ``fail-under``, ``fail-over``, ``fail-behind``, ``baseline``, ``fail-worse`` or ``fail-if``.
    state
        Whether it is met.
    sentence
        Why, with the numbers.
    numbers
        The same for programs, scores in the metric's own sign.

    """

    name: str
    state: State
    sentence: str
    numbers: Mapping[str, float | int | str | None]

    @property
    def called(self) -> str:
        """Its name, and what it sets the result against where there can be several: no two gates are called the same.

        >>> Gate(BEHIND, State.PASSED, "", {"anchor": "linear"}).called
        'fail-behind linear'
        """
        against = self.numbers.get("anchor") or self.numbers.get("condition")
        return self.name if against is None else f"{self.name} {against}"

    @property
    def passed(self) -> bool:
        """Whether the condition is met."""
        return self.state is State.PASSED

    @property
    def is_worse(self) -> bool:
        """Whether it says that the result is worse than the baseline, or a model than its search expected."""
        return self.name in (BASELINE, KEPT) and self.state is State.FAILED
