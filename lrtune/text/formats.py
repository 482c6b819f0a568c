"""Numbers, times and names as people read them. Files for programs hold the exact values; this is for the screen."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from lrtune.text.errors import counted

MISSING = "-"
"""Stands where there is no number."""

Show: TypeAlias = Callable[[float | None], str]
"""Writes a score with the digits that belong to its place, `MISSING` where there is none."""


def printable(text: object) -> str:
    r"""Show a text from outside in one line: control characters, which could steer a terminal, become escapes.

    >>> printable("a\tb\x1b[31m")
    'a\\x09b\\x1b[31m'
    """
    plain = str(text)
    return plain if plain.isprintable() else "".join(each if each.isprintable() else _escaped(each) for each in plain)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


_COMMAND = re.compile(r"^(\s*):(?=:)|#(?=#\[|#vso\[|#teamcity\[)", re.MULTILINE)
"""What GitHub Actions, Azure Pipelines and TeamCity take for a command, in a line of a log."""


def defused(text: str) -> str:
    r"""Keep a line from being a command to the CI server that reads it, because a name from outside looks like one.

    >>> print(defused("  ::error title=x::y\n##[error]z\na::b"))
      \x3a:error title=x::y
    \x23#[error]z
    a::b
    """
    return _COMMAND.sub(lambda found: f"{found[1]}\\x3a" if found[1] is not None else "\\x23", text)


def is_command(text: str) -> bool:
    r"""Tell whether a line of a text is a command to the CI server that reads it.

    >>> is_command("a\n ::error::b"), is_command("a ::error::b")
    (True, False)
    """
    return _COMMAND.search(text) is not None


def count(number: int) -> str:
    """Write a whole number with separators.

    >>> count(12345)
    '12,345'
    """
    return f"{number:,}"


def plural(number: int, noun: str, several: str | None = None) -> str:
    """Count things.

    >>> plural(1, "trial"), plural(2000, "trial"), plural(2, "category", "categories")
    ('1 trial', '2,000 trials', '2 categories')
    """
    return counted(number, noun, several)


def having(folds: Iterable[tuple[int, str]]) -> str:
    """Say what folds have, those that have the same together.

    >>> having([(1, "only one row"), (2, "only class 'p'"), (4, "only one row")])
    "folds 1, 4 have only one row, fold 2 has only class 'p'"
    """
    together: dict[str, list[str]] = {}
    for number, what in folds:
        together.setdefault(what, []).append(str(number))
    return ", ".join(
        f"folds {', '.join(numbers)} have {what}" if len(numbers) > 1 else f"fold {numbers[0]} has {what}"
        for what, numbers in together.items()
    )


def judged_on(made: int, left_out: Sequence[tuple[int, str]]) -> str:
    """Say that some folds have no score.

    >>> judged_on(5, [(2, "only class 'p'")])
    "judged on 4 of 5 folds; fold 2 has only class 'p'"
    """
    return f"judged on {made - len(left_out)} of {made} folds; {having(left_out)}"


def duration(seconds: float) -> str:
    """Write a time with the two units that matter.

    >>> [duration(each) for each in (0.02, 0.44, 9.96, 72, 3600, 7380, 90000)]
    ['under 0.1 s', '0.4 s', '10 s', '1 m 12 s', '1 h', '2 h 3 m', '1 d 1 h']
    """
    if seconds < 0.05:
        return "under 0.1 s"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    days, rest = divmod(whole, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "m"), (left, "s")]
    first = next(index for index, (amount, _) in enumerate(parts) if amount)
    return " ".join(f"{amount} {unit}" for amount, unit in parts[first : first + 2] if amount)


def age(seconds: float) -> str:
    """Write how long something is ago, with the one unit that matters.

    >>> [age(each) for each in (-3, 0.4, 59, 72, 3600, 90000, 86400 * 20)]
    ['0 s', '0 s', '59 s', '1 m', '1 h', '1 d', '20 d']
    """
    for length, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{max(0, int(seconds))} s"


def p_value(p: float) -> str:
    """Write the p-value of a test.

    >>> p_value(0.0312), p_value(0.4), p_value(2e-5)
    ('p = 0.031', 'p = 0.40', 'p < 0.001')
    """
    if p < 1e-3:
        return "p < 0.001"
    return f"p = {p:.3f}" if p < 0.0995 else f"p = {p:.2f}"


def share(part: float) -> str:
    """Write a probability or a part of a whole.

    >>> [share(each) for each in (0.9123, 0.5, 0.9991, 0.0001)]
    ['91 %', '50 %', 'over 99 %', 'under 1 %']
    """
    if 0.99 < part < 1.0:
        return "over 99 %"
    return "under 1 %" if 0.0 < part < 0.01 else f"{100 * part:.0f} %"


def memory(size: float) -> str:
    """Write a number of bytes.

    >>> [memory(each) for each in (900, 212_000_000, 3_200_000_000)]
    ['under 1 MB', '212 MB', '3.2 GB']
    >>> memory(4.1e15)
    '4,100.0 TB'
    """
    if size < 1e6:
        return "under 1 MB"
    if size < 1e9:
        return f"{size / 1e6:.0f} MB"
    return f"{size / 1e9:.1f} GB" if size < 1e12 else f"{size / 1e12:,.1f} TB"


def rate(value: float) -> str:
    """Write a learning rate with two digits, or three where these are the whole truth.

    >>> rate(0.0032), rate(0.05), rate(1.25e-4), rate(0.0316227766), rate(12.0)
    ('3.2e-3', '5.0e-2', '1.25e-4', '3.2e-2', '1.2e1')
    """
    short, long = f"{value:.1e}", f"{value:.2e}"
    return _tidy(long if float(long) == value != float(short) else short)


def _tidy(text: str) -> str:
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else text


def number(value: float) -> str:
    """Write a hyperparameter with three digits, in the shortest form.

    >>> [number(each) for each in (0.9, 1.0, 0.123456, 1e-6, 250000.0, 0.9990, 0.99876)]
    ['0.9', '1', '0.123', '1e-6', '250000', '0.999', '0.99876']
    """
    # Shares close to one (momentum, beta) differ in what is missing to one: 0.9988 is not 0.999.
    digits = 5 if 0.99 < abs(value) < 1 else 3
    if value == round(value) and abs(value) < 1e7:
        return f"{value:.0f}"
    return _tidy(f"{value:.{digits}g}")


def score_format(values: Iterable[float | None], unit: float = 0.0) -> Show:
    """Choose the digits for scores that stand together: they align, and none is behind the fourth of the largest.

    Nor is any smaller than ``unit``, where a finer number would say more than is known.

    >>> [score_format([0.97, 0.5])(each) for each in (0.97, 0.5, None)]
    ['0.9700', '0.5000', '-']
    >>> score_format([41.237])(41.237), score_format([123456.7])(123456.7), score_format([3e-7])(3e-7)
    ('41.24', '123,500', '3.000e-7')
    >>> score_format([0.9793], unit=0.0019)(0.9793), score_format([41.237], unit=0.8)(41.237)
    ('0.979', '41.2')
    """
    largest = max((abs(each) for each in values if each is not None), default=0.0)
    if largest and not 1e-4 <= largest < 1e9:
        return lambda value: MISSING if value is None else _tidy(format(value, ".3e"))
    exponent = math.floor(math.log10(largest)) if largest else 0
    digits = 4 if largest <= 1 and exponent >= -1 else 3 - exponent
    if unit > 0.0:
        digits = min(digits, math.ceil(-math.log10(unit)))

    def show(value: float | None) -> str:
        return MISSING if value is None else format(round(value, digits), f",.{max(0, digits)}f")

    return show


def sentence(text: str) -> str:
    """Make a sentence of words that begin small and have no full stop.

    >>> sentence("the best is at an end"), sentence("is it so?")
    ('The best is at an end.', 'Is it so?')
    """
    return text[:1].upper() + text[1:] + ("" if text[-1:] in ".!?" else ".")


def significant(value: float, digits: int) -> str:
    """Write a number with so many digits and no more zeros than it takes.

    >>> significant(0.97345, 4), significant(0.5, 4), significant(117750.2, 4), significant(3e12, 4)
    ('0.9735', '0.5', '117,800', '3e12')
    """
    if value and not 1e-4 <= abs(value) < 1e9:
        return _tidy(f"{value:.{digits}g}")
    rounded = float(f"{value:.{digits}g}")
    return f"{rounded:,.0f}" if rounded == round(rounded) else f"{rounded:,}"


NOTHING = 1e-12
"""A smaller difference of two scores is that of sums in another order."""


def is_nothing(difference: float) -> bool:
    """Tell whether two scores are the same."""
    return abs(difference) < NOTHING


def rough_gap(difference: float, show: Show) -> str:
    """Write how far two scores are apart as they are written, or that it is less than can be written so.

    >>> show = score_format([0.97])
    >>> rough_gap(-0.01, show), rough_gap(3e-5, show)
    ('0.0100', 'less than 0.0001')
    """
    text, nothing = show(abs(difference)), show(0.0)
    return f"less than {nothing[:-1]}1" if text == nothing else text


def gap(difference: float, show: Show) -> str:
    """Write how far two scores are apart, as they are written or with the digits that it takes to be more than zero.

    >>> show = score_format([0.97])
    >>> gap(-0.01, show), gap(3e-6, show), gap(0.0, show)
    ('0.0100', '3.0e-6', '0.0000')
    """
    text = show(abs(difference))
    return (
        text if is_nothing(difference) or any(each in "123456789" for each in text) else _tidy(f"{abs(difference):.1e}")
    )


def signed(difference: float, show: Show) -> str:
    """Write a `gap` with its sign.

    >>> signed(-0.01, score_format([0.97]))
    '-0.0100'
    """
    return f"{'-' if difference < 0 else '+'}{gap(difference, show)}"
