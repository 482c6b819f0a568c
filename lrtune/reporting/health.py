"""The health report: findings for people."""

from __future__ import annotations

from collections.abc import Sequence

from lrtune.reporting.blocks import Block, Facts, Headline, Remarks
from lrtune.text import formats
from lrtune.verdict.findings import WARNING, Finding
from lrtune.verdict.health.fits import NO_MODEL
from lrtune.verdict.result import Result

AT_THE_END = 3
"""Findings at the end of a search; the others stand in the report."""


def block(result: Result, run: str, most: int = AT_THE_END) -> list[Block]:
    """Say the most important findings in a line each, and where the others and the advice are."""
    found = [each for each in result.health if each.name != NO_MODEL]  # the page says that with the scores
    if not found:
        return []
    left, noun = len(found) - most, "more finding" if most else "finding"
    others = f"{formats.plural(left, noun)}, and what to do" if left > 0 else "what to do"
    return [Remarks("health", [*(each.sentence for each in found[:most]), f"{others}: lrtune health {run}"])]


def page(name: str, found: Sequence[Finding]) -> list[Block]:
    """Say all findings of a run, one after the other: the finding, what to do, the numbers."""
    if not found:
        return [Headline(f"{name}: nothing to remark; every rule of the health report is content")]
    warnings = sum(each.severity == WARNING for each in found)
    counts = [
        formats.plural(count, noun) for count, noun in ((warnings, "warning"), (len(found) - warnings, "hint")) if count
    ]
    return [Headline(f"{name}: {' and '.join(counts)}"), *(_finding(each) for each in found)]


def _finding(finding: Finding) -> Facts:
    rows = [("found", finding.sentence), ("next", finding.advice)]
    return Facts(f"{finding.severity}: {finding.name.replace('_', ' ')}", rows)
