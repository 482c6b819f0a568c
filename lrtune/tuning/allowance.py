"""What one session may do, said by who starts it: no part of the experiment, and no part of what is studied."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from lrtune.text import durations
from lrtune.text.errors import LrtuneError


class Allowance(NamedTuple):
    """What one session may do.

    Attributes
    ----------
    timeout
        Seconds that it may take, retraining included, whatever earlier sessions have spent; ``search.timeout`` counts
        these. Whichever ends first ends it.
    more_trials
        How many trials a finished study searches on by.

    """

    timeout: float = math.inf
    more_trials: int = 0


UNLIMITED = Allowance()
"""Of a session that goes on to the end of what was asked for."""


class TimeLimit(NamedTuple):
    """The limit of time that ends a session first.

    Attributes
    ----------
    called
        How it is set.
    whole, spent
        Seconds that are allowed, and those that earlier sessions have taken of them.

    """

    called: str
    whole: float
    spent: float = 0.0

    @property
    def left(self) -> float:
        """Seconds from the beginning of the session; infinite without a limit."""
        return self.whole - self.spent

    @property
    def is_set(self) -> bool:
        """Whether there is a limit at all."""
        return self.whole < math.inf


def first_limit(allowance: Allowance, in_sum: float | None, spent: float) -> TimeLimit:
    """Choose the limit that ends a session first.

    Parameters
    ----------
    allowance
        Of the session.
    in_sum
        Seconds that all sessions of a study may take together (``search.timeout``); None: without end.
    spent
        Seconds that earlier ones have taken.

    """
    whole = TimeLimit("search.timeout", math.inf if in_sum is None else in_sum, spent)
    return min(TimeLimit("--timeout", allowance.timeout), whole, key=lambda each: each.left)


Called: TypeAlias = Callable[[str, object], str]


def as_keyword(name: str, value: object) -> str:
    """Call a setting as a program writes it."""
    return f"{name}={value!r}"


def as_option(name: str, value: object) -> str:
    """Call a setting as it is typed.

    >>> as_option("more_trials", 0)
    '--more-trials 0'
    """
    return f"--{name.replace('_', '-')} {value}"


def read_allowance(timeout: Any = None, more_trials: Any = None, *, called: Called = as_keyword) -> Allowance:
    """Read what was typed; None stands for "not given".

    Parameters
    ----------
    timeout
        A duration such as ``10m``, or a number of seconds.
    more_trials
        A whole number of at least 1.
    called
        What an error calls that which was typed, of its name and its value.

    Raises
    ------
    LrtuneError
        If one is something else.

    """
    seconds, more = math.inf, 0
    if timeout is not None:
        try:
            seconds = durations.seconds(timeout)
        except ValueError as error:
            raise LrtuneError(f"{called('timeout', timeout)}: {error}") from error
    if more_trials is not None:
        if type(more_trials) is not int or more_trials < 1:
            wrong = called("more_trials", more_trials)
            raise LrtuneError(f"{wrong}: expected a whole number of at least 1, got {more_trials!r}")
        more = more_trials
    return Allowance(seconds, more)
