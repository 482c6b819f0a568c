"""All rules together."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lrtune.health.core import WARNING, Case, Finding
from lrtune.health.dimensions import edges, no_effect
from lrtune.health.fits import overfitting, underfitting
from lrtune.health.scores import (
    default_wins,
    few_trials,
    folds_apart,
    many_diverged,
    noise,
    silent_classes,
    surprising_test,
    uncertain_winner,
)

RULES: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    default_wins,
    surprising_test,
    silent_classes,
    many_diverged,
    edges,
    folds_apart,
    overfitting,
    underfitting,
    noise,
    uncertain_winner,
    few_trials,
    no_effect,
)
"""In the order of what they mean for the result."""


def findings(case: Case) -> list[Finding]:
    """List what is odd: warnings first, then hints, each in the order of the rules."""
    found = [finding for rule in RULES for finding in rule(case)]
    return sorted(found, key=lambda each: each.severity != WARNING)
