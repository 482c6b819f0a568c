"""The health report: findings for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lrtune.reporting import tables
from lrtune.reporting.blocks import Block, Facts, Headline, Remarks
from lrtune.text import formats

if TYPE_CHECKING:
    from lrtune.verdict.health import Finding

AT_THE_END = 3
"""Findings at the end of a search; the others stand in the report."""

_SCORES = ("test", "interval", "widened", "medians")
"""Numbers that are scores, and are turned to the metric's own sign."""


def entries(findings: Sequence[Finding], metric: str) -> list[dict[str, Any]]:
    """Write findings down for ``result.json``, with scores in the metric's own sign.

    Each has the ``name`` of its rule, its ``severity`` (``warning`` or ``hint``), a ``sentence``, an ``advice`` and the
    ``numbers`` behind it; warnings come first.
    """
    found = []
    for each in findings:
        entry = each.entry()
        numbers = {key: _turned(metric, value) if key in _SCORES else value for key, value in entry["numbers"].items()}
        found.append({**entry, "numbers": numbers})
    return found


def _turned(metric: str, value: Any) -> Any:
    if isinstance(value, list):
        turned = [tables.own_sign(metric, each) for each in value]
        return sorted(turned) if len(turned) == 2 else turned
    return tables.own_sign(metric, value)


def block(result: Mapping[str, Any], run: str, most: int = AT_THE_END) -> list[Block]:
    """Say the most important findings in a line each, and where the others and the advice are."""
    found = result.get("health") or []
    if not found:
        return []
    left, noun = len(found) - most, "more finding" if most else "finding"
    others = f"{formats.plural(left, noun)}, and what to do" if left > 0 else "what to do"
    return [Remarks("health", [*(each["sentence"] for each in found[:most]), f"{others}: lrtune health {run}"])]


def page(name: str, found: Sequence[Mapping[str, Any]]) -> list[Block]:
    """Say all findings of a run, one after the other: the finding, what to do, the numbers."""
    if not found:
        return [Headline(f"{name}: nothing to remark; every rule of the health report is content")]
    warnings = sum(each["severity"] == "warning" for each in found)
    counts = [
        formats.plural(count, noun) for count, noun in ((warnings, "warning"), (len(found) - warnings, "hint")) if count
    ]
    return [Headline(f"{name}: {' and '.join(counts)}"), *(_finding(each) for each in found)]


def _finding(entry: Mapping[str, Any]) -> Facts:
    rows = [("found", entry["sentence"]), ("next", entry["advice"])]
    return Facts(f"{entry['severity']}: {entry['name'].replace('_', ' ')}", rows)
