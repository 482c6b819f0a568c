"""All rules together."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lrtune.health import dimensions, fits, scores
from lrtune.health.core import WARNING, Case, Finding

RULES: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    scores.default_wins,
    scores.surprising_test,
    scores.silent_classes,
    scores.many_diverged,
    dimensions.edges,
    scores.folds_apart,
    fits.overfitting,
    fits.underfitting,
    scores.noise,
    scores.uncertain_winner,
    scores.few_trials,
    dimensions.no_effect,
)
"""In the order of what they mean for the result."""


def findings(case: Case) -> list[Finding]:
    """List what is odd: warnings first, then hints, each in the order of the rules."""
    found = [finding for rule in RULES for finding in rule(case)]
    return sorted(found, key=lambda each: each.severity != WARNING)
