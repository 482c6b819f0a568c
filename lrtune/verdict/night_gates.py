"""Gates on what a night came to: conditions such as ``drift < -0.02``, which fail where they hold.

A condition is a number of the night, a comparison and a limit; nothing in it is evaluated as code. What the night does
not tell fails with its reason, but for the first night of a folder of champions, which has nothing to be compared with,
and for drift on the table of the night before.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from lrtune.text import formats
from lrtune.text.errors import LrtuneError, nearest
from lrtune.verdict.conditions import FAIL_IF, Gate, State
from lrtune.verdict.nightly import Nightly


class NightNumber(NamedTuple):
    """A number of a night.

    Attributes
    ----------
    name
        In a condition.
    about
        What it is, without a full stop.
    place
        Where a `Nightly` has it: attributes, one inside of the other.
    why
        The attribute that says why there is none, or that itself.

    """

    name: str
    about: str
    place: tuple[str, ...]
    why: str

    def read(self, night: Nightly) -> float | None:
        """Find it; truths are 1 and 0, and None is what the night does not tell."""
        value: Any = night
        for each in self.place:
            value = None if value is None else getattr(value, each)
        return None if value is None else float(value)

    def reason(self, night: Nightly) -> str:
        """Say why there is none."""
        return str(getattr(night, self.why, self.why))


_NO_DRIFT = "no_drift"
_NO_SCORE = "the champion has no score tonight"
_NO_CHART = "the chart has no night before this one to compare it with"

_ENTRIES = (
    NightNumber("drift", "the champion since the night before", ("drift", "mean"), _NO_DRIFT),
    NightNumber("drift_low", "lower end of the drift's 95 % interval", ("drift", "low"), _NO_DRIFT),
    NightNumber("drift_high", "upper end of the drift's 95 % interval", ("drift", "high"), _NO_DRIFT),
    NightNumber("gain", "tonight's best over the champion", ("gain", "mean"), "no_gain"),
    NightNumber("gain_low", "lower end of the gain's 95 % interval", ("gain", "low"), "no_gain"),
    NightNumber("gain_high", "upper end of the gain's 95 % interval", ("gain", "high"), "no_gain"),
    NightNumber("champion", "score of the champion tonight", ("standing", "score"), _NO_SCORE),
    NightNumber("level", "sum of all drifts", ("chart", "level"), _NO_CHART),
    NightNumber("out_of_control", "1 if the chart is out of control, else 0", ("chart", "is_out"), _NO_CHART),
    NightNumber("promoted", "1 if another configuration is delivered, else 0", ("promoted",), ""),
    NightNumber("trained", "how many trials the session has trained", ("trained",), ""),
)

NIGHT_NUMBERS: dict[str, NightNumber] = {entry.name: entry for entry in _ENTRIES}

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}

_AT_REST = {
    "first": "the first night has nothing to be compared with",
    "unchanged": "nothing has changed: the table is that of the night before, and nothing was trained",
}
"""Nights in which a number need not be known, by their outcome: nothing can have become worse."""

_CONDITION = re.compile(r"\s*(?P<name>\w+)\s*(?P<sign><=|>=|==|!=|<|>)\s*(?P<limit>\S+)\s*")


class NightCondition(NamedTuple):
    """A condition under which a night fails."""

    name: str
    sign: str
    limit: float

    @property
    def text(self) -> str:
        """As it would be typed."""
        return f"{self.name} {self.sign} {self.limit:g}"


def read_condition(text: str) -> NightCondition:
    """Read a condition.

    Raises
    ------
    LrtuneError
        If it is none, or there is no such number.

    >>> read_condition("drift < -0.02"), read_condition("trained==0").text
    (NightCondition(name='drift', sign='<', limit=-0.02), 'trained == 0')
    """
    found = _CONDITION.fullmatch(text)
    if found is None:
        signs = ", ".join(COMPARISONS)
        raise LrtuneError(f"--fail-if '{text}': expected a name, one of {signs}, and a number, as in 'drift < -0.02'")
    if found["name"] not in NIGHT_NUMBERS:
        hint = nearest(found["name"], NIGHT_NUMBERS)
        raise LrtuneError(f"--fail-if '{text}': unknown number '{found['name']}'; {hint}")
    try:
        limit = float(found["limit"])
    except ValueError:
        raise LrtuneError(f"--fail-if '{text}': expected a number, got '{found['limit']}'") from None
    if not math.isfinite(limit):
        raise LrtuneError(f"--fail-if '{text}': expected a finite number, got '{found['limit']}'")
    return NightCondition(found["name"], found["sign"], limit)


def night_gate(night: Nightly | None, condition: NightCondition) -> Gate:
    """Say whether a night fails under a condition."""
    entry = NIGHT_NUMBERS[condition.name]
    value = None if night is None else entry.read(night)
    numbers = {"condition": condition.text, "value": value, "limit": condition.limit}
    if night is None:
        return _untold("the search is no night: it has no champion", numbers)
    if value is None and night.outcome in _AT_REST:
        return Gate(FAIL_IF, State.PASSED, _AT_REST[night.outcome], numbers)
    if value is None and night.repeats and entry.why == _NO_DRIFT:
        return Gate(FAIL_IF, State.PASSED, "there is no drift: the table is that of the night before", numbers)
    if value is None:
        return _untold(f"{condition.name} is not known: {entry.reason(night)}", numbers)
    holds = COMPARISONS[condition.sign](value, condition.limit)
    shown = formats.significant(value, 4)
    sentence = f"{condition.name} is {shown}: {condition.text} {'holds' if holds else 'does not hold'}"
    return Gate(FAIL_IF, State.FAILED if holds else State.PASSED, sentence, numbers)


def _untold(reason: str, numbers: dict[str, float | str | None]) -> Gate:
    sentence = f"this counts as a failure: {reason}"
    return Gate(FAIL_IF, State.UNKNOWN, sentence, {**numbers, "reason": reason})
