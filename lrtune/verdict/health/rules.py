"""Every rule of the health report, one entry each, and all of them together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from lrtune.verdict.findings import WARNING, Finding, attempted
from lrtune.verdict.health.classes import silent_classes
from lrtune.verdict.health.core import Case
from lrtune.verdict.health.dimensions import edges, no_effect
from lrtune.verdict.health.fits import NO_MODEL, many_failed, overfitting, underfitting, without_model
from lrtune.verdict.health.intervals import few_units, surprising_test
from lrtune.verdict.health.rivals import anchors_win, default_wins, mean_loses
from lrtune.verdict.health.scores import (
    few_trials,
    fold_apart,
    folds_disagree,
    many_diverged,
    noise,
    uncertain_winner,
    unscored_folds,
)
from lrtune.verdict.standing import own_ends, own_sign


class HealthRule(NamedTuple):
    """A rule.

    Attributes
    ----------
    name
        Of its findings.
    judge
        Looks at a search, and yields what is odd.
    scores, intervals
        Which of the findings' numbers are oriented scores, or lists of them, and intervals of scores: they are reported
        in the metric's own sign.

    """

    name: str
    judge: Callable[[Case], Iterator[Finding]]
    scores: tuple[str, ...] = ()
    intervals: tuple[str, ...] = ()


_ENTRIES = (
    HealthRule(NO_MODEL, without_model),
    HealthRule("anchors", anchors_win),
    HealthRule("default", default_wins),
    HealthRule("ensemble", mean_loses, scores=("mean", "best")),
    HealthRule("test", surprising_test, scores=("test",), intervals=("interval", "widened")),
    HealthRule("interval", few_units),
    HealthRule("unscored", unscored_folds),
    HealthRule("classes", silent_classes),
    HealthRule("failed", many_failed),
    HealthRule("diverged", many_diverged),
    HealthRule("edge", edges),
    HealthRule("folds", fold_apart, scores=("medians",)),
    HealthRule("folds_disagree", folds_disagree),
    HealthRule("overfitting", overfitting),
    HealthRule("underfitting", underfitting),
    HealthRule("noise", noise),
    HealthRule("winner", uncertain_winner),
    HealthRule("trials", few_trials),
    HealthRule("no_effect", no_effect),
)

HEALTH_RULES: dict[str, HealthRule] = {entry.name: entry for entry in _ENTRIES}
"""In the order of what they mean for the result."""


def findings(case: Case) -> list[Finding]:
    """List what is odd: warnings first, then hints, each in the order of the rules.

    A rule that raises becomes a finding that says so.
    """
    found = [finding for rule in HEALTH_RULES.values() for finding in _applied(rule, case)]
    return sorted(found, key=lambda each: each.severity != WARNING)


def _applied(rule: HealthRule, case: Case) -> list[Finding]:
    found, defects = attempted(f"the rule '{rule.name}'", lambda: list(rule.judge(case)))
    return defects if found is None else found


def in_own_sign(finding: Finding, metric: str) -> Finding:
    """Turn the scores among its numbers, which rules give oriented, into the metric's own sign."""
    rule = HEALTH_RULES.get(finding.name)
    if rule is None:
        return finding
    return replace(finding, numbers={key: _turned(rule, metric, key, each) for key, each in finding.numbers.items()})


def _turned(rule: HealthRule, metric: str, key: str, value: Any) -> Any:
    if key in rule.intervals:
        return list(own_ends(metric, *value))
    if key not in rule.scores:
        return value
    return [own_sign(metric, each) for each in value] if isinstance(value, list) else own_sign(metric, value)
