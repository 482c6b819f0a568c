"""A score and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """A score with the ends of its 95 % interval."""

    score: float
    low: float
    high: float
