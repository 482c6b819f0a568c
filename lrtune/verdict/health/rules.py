"""All rules together."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lrtune.verdict.findings import WARNING, Finding, attempted
from lrtune.verdict.health.core import Case
from lrtune.verdict.health.dimensions import edges, no_effect
from lrtune.verdict.health.fits import overfitting, underfitting
from lrtune.verdict.health.scores import (
    default_wins,
    few_trials,
    folds_apart,
    many_diverged,
    noise,
    silent_classes,
    surprising_test,
    uncertain_winner,
    unscored_folds,
)

RULES: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    default_wins,
    surprising_test,
    unscored_folds,
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
    """List what is odd: warnings first, then hints, each in the order of the rules.

    A rule that raises becomes a finding that says so.
    """
    found = [finding for rule in RULES for finding in _applied(rule, case)]
    return sorted(found, key=lambda each: each.severity != WARNING)


def _applied(rule: Callable[[Case], Iterator[Finding]], case: Case) -> list[Finding]:
    found, defects = attempted(f"the rule '{rule.__name__}'", lambda: list(rule(case)))
    return defects if found is None else found
