"""What a look at a search found, and how to look without losing what was trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from lrtune.text.errors import LrtuneError
from lrtune.text.written import Json

WARNING, HINT = "warning", "hint"
"""A warning questions the result; a hint says how the next search could be better."""

DEFECT = "defect"
"""Name of the finding that something could not be computed."""


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
    numbers: Json


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
        return None, [Finding(DEFECT, HINT, sentence, advice, {"what": what, "error": reason})]
