"""What two trainings that differ in one thing say, in a line: with and without decay, with and without warm-up."""

from __future__ import annotations

from lrtune.text import formats
from lrtune.verdict.result import Control, WarmupControl

_DIGITS = (2, 3, 4, 6)
"""Of numbers that would else look the same."""


def pair_sentence(found: Control | WarmupControl, one: str, other: str, short: str) -> str:
    """Say whether something helps, all else equal, and how large an effect could have been seen.

    Parameters
    ----------
    found
        The pair; its gain is positive where ``one`` is better.
    one
        What is compared, as in ``linear decay is ``; empty where that is the trial that is delivered.
    other
        What it is compared with.
    short
        The same in few words, where there is more to say.

    """
    count = len(found.fold_scores)
    folds = formats.plural(count, "fresh fold") if found.fresh else f"the last {formats.plural(count, 'fold')}"
    if found.gain is None:
        return f"not known: one of the two diverged on {folds}."
    if found.low is None or found.high is None:
        return f"not known: {one}{_apart(found.gain)} {other} on {folds}, which cannot say how sure that is."
    if found.low > 0.0:
        return f"helps: {one}{_apart(found.gain)} {other}, all else equal, on {folds}."
    if found.high < 0.0:
        return f"hurts: {one}{_apart(found.gain)} {other}, all else equal, on {folds}."
    by, least = unlike(found.gain, (found.high - found.low) / 2)
    way = "as good as" if formats.is_nothing(found.gain) else f"{by} {_way(found.gain)}"
    return f"no clear difference: {one}{way} {short}, and up to {least} may be chance."


def _apart(gain: float) -> str:
    return "as good as" if formats.is_nothing(gain) else f"{formats.significant(abs(gain), _DIGITS[0])} {_way(gain)}"


def _way(gain: float) -> str:
    return "better than" if gain > 0.0 else "worse than"


def unlike(gain: float, least: float) -> tuple[str, str]:
    """Write two numbers with as many digits as it takes to see which is the smaller one.

    >>> unlike(0.0003, 0.0036), unlike(-0.00297, 0.00302)
    (('0.0003', '0.0036'), ('0.00297', '0.00302'))
    """
    pairs = [tuple(formats.significant(abs(each), digits) for each in (gain, least)) for digits in _DIGITS]
    first, second = next((each for each in pairs if each[0] != each[1]), pairs[0])
    return first, second
