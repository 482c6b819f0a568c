"""Rules about the interval of the score: on how little it rests, and test rows that lie outside."""

from __future__ import annotations

import math
from collections.abc import Iterator

from lrtune.text.errors import counted
from lrtune.verdict.findings import HINT, WARNING, Finding
from lrtune.verdict.health.core import Case, other_kind

FEW_ROWS = 1500
"""With fewer rows, what a fold takes away shows in the score."""

LEAST_TEST = 10
"""The score on fewer test rows says nothing: one of them may be all of it."""

FEW_UNITS = 10
"""An interval that rests on fewer rows, groups or stretches of time says little: so few do not stand for the others."""


def surprising_test(case: Case) -> Iterator[Finding]:
    """Notice a test score outside the interval, which is widened for the luck of the test rows themselves.

    An interval from ``n`` rows is taken to be ``sqrt(n / m)`` times as wide for a score on ``m`` others, and the two
    errors are independent.
    """
    if case.test is None or case.interval is None or case.test_rows < LEAST_TEST or not math.isfinite(case.test):
        return
    low, high = case.interval
    factor = math.sqrt(1.0 + case.rows / case.test_rows)
    middle = (low + high) / 2.0
    wide = middle - (middle - low) * factor, middle + (high - middle) * factor
    if wide[0] <= case.test <= wide[1]:
        return
    worse = case.test < wide[0]
    side, rows = "worse" if worse else "better", counted(case.test_rows, "test row")
    yield Finding(
        "test",
        WARNING if worse else HINT,
        f"the score on the {rows} is {side} than the interval of the cross-validation allows",
        other_kind(case, "the test rows") if worse or case.rows >= FEW_ROWS else _more_rows(case),
        {"test": case.test, "interval": list(case.interval), "widened": list(wide)},
    )


def _more_rows(case: Case) -> str:
    """Say why a model may be better on few rows than those on the folds were."""
    seen, folds = counted(case.rows, "row"), round(case.rows / (1.0 + case.ratio))
    return f"the model has seen {seen}, those on the folds about {folds}: of few rows that may be all; more folds tell"


def few_units(case: Case) -> Iterator[Finding]:
    """Notice an interval that rests on a few rows or groups, which is all that a resample can draw."""
    if case.units is None or case.units >= FEW_UNITS:
        return
    noun = "row"
    if "data.group" in case.settled:
        noun = "group"
    elif "data.order" in case.settled:
        noun = "stretch of time"
    several = "stretches of time" if noun == "stretch of time" else f"{noun}s"
    yield Finding(
        "interval",
        WARNING,
        f"the 95 % interval rests on {counted(case.units, noun, several)}: it is wide for that, and says little",
        f"more {several} would make sure; of those that are there, no number of trials or repeats makes more",
        {"units": case.units},
    )
