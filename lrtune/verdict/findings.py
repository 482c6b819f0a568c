"""What a look at a search found, and how to look without losing what was trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from lrtune.text.errors import LrtuneError
from lrtune.verdict.standing import own_ends, own_sign

WARNING, HINT = "warning", "hint"
"""A warning questions the result; a hint says how the next search could be better."""

_SCORES, _INTERVALS = ("test", "medians"), ("interval", "widened")
"""Numbers of findings that are scores, and intervals of scores."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something odd about a search.

    Attributes
    ----------
    name
        Of the rule that found it.
    severity
        `WARNING` or `HINT`.
    sentence
        What was found, with the number behind it.
    advice
        What to do next.
    numbers
        The numbers behind it, by name, in JSON's types.

    """

    name: str
    severity: str
    sentence: str
    advice: str
    numbers: Mapping[str, Any]


def in_own_sign(finding: Finding, metric: str) -> Finding:
    """Turn the scores among its numbers, which rules give oriented, into the metric's own sign."""
    return replace(finding, numbers={key: _turned(metric, key, each) for key, each in finding.numbers.items()})


def _turned(metric: str, key: str, value: Any) -> Any:
    if key in _INTERVALS:
        return list(own_ends(metric, *value))
    if key not in _SCORES:
        return value
    return [own_sign(metric, each) for each in value] if isinstance(value, list) else own_sign(metric, value)


T = TypeVar("T")


def attempted(what: str, judge: Callable[[], T]) -> tuple[T | None, list[Finding]]:
    """Judge a search, or find that this cannot be done: what was trained must not be lost to a defect of a judge.

    Errors that are the answer to something wrong (`LrtuneError`) pass.
    """
    try:
        return judge(), []
    except LrtuneError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it stands in the report and the result stands beside it
        reason = f"{type(error).__name__}: {error}"
        sentence = f"{what} could not be computed ({reason})"
        advice = "this is a defect of lrtune, please report it; everything else of this run is as it should be"
        return None, [Finding("defect", HINT, sentence, advice, {"what": what, "error": reason})]
