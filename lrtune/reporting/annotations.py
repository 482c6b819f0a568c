"""Gates as annotations of GitHub Actions: lines of the log that also stand above the workflow's run."""

from __future__ import annotations

from collections.abc import Iterable

from lrtune.text import formats
from lrtune.verdict.conditions import Gate

ERROR, NOTICE = "error", "notice"


def annotation(level: str, title: str, message: str) -> str:
    """Write a workflow command; what would end it, or one of its properties, is escaped.

    >>> annotation("error", "lrtune: fail-under", "50 % is under 60 %")
    '::error title=lrtune%3A fail-under::50 %25 is under 60 %25'
    """
    return f"::{level} title={_escaped(title).replace(':', '%3A').replace(',', '%2C')}::{_escaped(message)}"


def gate_annotations(name: str, gates: Iterable[Gate]) -> list[str]:
    """Write one line for each gate: an error if it failed, else a notice."""
    return [
        annotation(NOTICE if each.passed else ERROR, f"lrtune: {name}: {each.called}", each.sentence) for each in gates
    ]


def _escaped(text: str) -> str:
    lines = (formats.printable(each) for each in text.splitlines())
    return "%0A".join(each.replace("%", "%25") for each in lines)
