"""How numbers are written: the decimal sign and what parts thousands, decided column by column.

`1.5` and `0,123` can be read one way only, `1,234` in two: a group of thousands has three digits and never follows a
leading zero. A column is read the one way that all of its cells allow. Where they allow two, the other columns decide,
because a sign has one meaning in a table:

* a comma (point) that is surely a decimal sign in other columns is one here; if it surely parts thousands there, it
  does so here;
* a comma parts thousands where points are surely decimal signs, or where commas separate the fields as well, so that
  numbers with a comma stand in quotes; else it is a decimal comma;
* a point parts thousands where commas are surely decimal signs and do not separate the fields; else it is a decimal
  point.

Whatever was decided without being sure is said, unless the table has points only and looks like any other.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from lrtune.data.options import NEVER, DataOptions
from lrtune.text.errors import named

LARGEST_EXACT = 2**53
"""Whole numbers from here on are not exact in float64, so that a column that holds them stays text."""

_LEADING_ZERO = re.compile(r"\s*[+-]?0[0-9]+\s*")
SIGNS = {",": ",", ".": "[.]", " ": "[ \u00a0\u2009\u202f]", "'": "['\u2019]"}
"""Patterns of the signs in numbers, by the name that a setting has for them."""

_NAMES = {",": "comma", ".": "point", " ": "blank", "'": "apostrophe"}
_OTHER = {",": ".", ".": ","}
_INFINITE = "[iI][nN][fF](?:[iI][nN][iI][tT][yY])?"


class Form(NamedTuple):
    """How the numbers of a column are written.

    Parameters
    ----------
    decimal
        `"."` or `","`.
    thousands
        What parts thousands; empty if nothing may; None if nothing was seen to: then only what cannot be misread is a
        number with parted thousands (`1,234.5` and `1,234,567`, but not `1,234`).

    """

    decimal: str = "."
    thousands: str | None = None

    def __str__(self) -> str:
        """Say it, behind "numbers with a".

        >>> str(Form(",", "."))
        'decimal comma and points between thousands'
        """
        parted = f" and {_NAMES[self.thousands]}s between thousands" if self.thousands else ""
        return f"decimal {_NAMES[self.decimal]}{parted}"

    @property
    def parting(self) -> str:
        """Pattern of a sign between thousands; empty if there is none."""
        return SIGNS.get(_OTHER[self.decimal] if self.thousands is None else self.thousands, "")

    @property
    def pattern(self) -> str:
        """Pattern of a whole cell that is a number, in the regular expressions of Python and of Rust."""
        sign, parting = SIGNS[self.decimal], self.parting
        forms = [f"[0-9]+(?:{sign}[0-9]*)?", f"{sign}[0-9]+"]
        group = f"[1-9][0-9]{{0,2}}(?:{parting}[0-9]{{3}})"
        if self.thousands is None:
            forms += [f"{group}+{sign}[0-9]*", f"{group}{{2,}}"]
        elif parting:
            forms += [f"{group}+(?:{sign}[0-9]*)?"]
        return f"^[+-]?(?:(?:{'|'.join(forms)})(?:[eE][+-]?[0-9]+)?|{_INFINITE})$"

    def number(self, text: str) -> float | None:
        """Read the number that a text spells, or None; `007` is 7.

        >>> Form(",", ".").number("1.234,5"), Form(".").number("1,234"), Form(".").number("seven")
        (1234.5, None, None)
        """
        text = text.strip()
        if not _compiled(self).match(text):
            return None
        return float((re.sub(self.parting, "", text) if self.parting else text).replace(self.decimal, "."))


@functools.lru_cache(maxsize=64)
def _compiled(form: Form) -> re.Pattern[str]:
    return re.compile(form.pattern.removesuffix("$") + r"\Z")


PLAIN = Form()
"""With a decimal point, as programs write numbers."""


def number_or_none(text: str, form: Form = PLAIN) -> float | None:
    """Read the number that a text spells, or None; `007` is an identifier, not a number.

    >>> number_or_none("1.50"), number_or_none("007"), number_or_none("1_000")
    (1.5, None, None)
    """
    return None if _LEADING_ZERO.fullmatch(text) else form.number(text)


def number_text(value: float) -> str:
    """Spell a number the one way that the same number always has: `2007`, `1.5`, `1e+30`.

    >>> number_text(2007.0), number_text(1.50)
    ('2007', '1.5')
    """
    return str(int(value)) if value.is_integer() and abs(value) < LARGEST_EXACT else repr(float(value))


class SignEvidence(NamedTuple):
    """What the cells of a column of numbers allow.

    Parameters
    ----------
    point, comma
        Whether all of them can be read with that decimal sign (see `candidates`).
    signs
        Which signs between or behind thousands occur in them.
    example
        A cell with one of these signs.

    """

    point: bool
    comma: bool
    signs: str = ""
    example: str = ""

    @property
    def decimal(self) -> str | None:
        """The decimal sign, if there is one way only to read the column."""
        return None if self.point == self.comma else "." if self.point else ","

    @property
    def is_open(self) -> bool:
        """Whether two ways to read the column give two results."""
        return self.point and self.comma and ("," in self.signs or "." in self.signs)


class Decision(NamedTuple):
    """The form of each column of numbers, that of any other column, and what has to be said of them."""

    forms: dict[str, Form]
    house: Form
    notes: tuple[str, ...]


def candidates(options: DataOptions) -> tuple[Form, Form]:
    """Give the two ways in which a column may be written: with a decimal point, with a decimal comma."""

    def form(decimal: str) -> Form:
        thousands = _OTHER[decimal] if options.thousands is None else options.thousands
        return Form(decimal, "" if thousands in {NEVER, decimal} else thousands)

    return form("."), form(",")


def decide(columns: Mapping[str, SignEvidence], separator: str, options: DataOptions) -> Decision:
    """Decide how the numbers of each column are written.

    Parameters
    ----------
    columns
        The columns of which all cells are numbers.
    separator
        Of the fields.
    options
        Where `decimal` is set, or a comma or point as `thousands`, it decides what the cells of a column leave open.

    """
    by_decimal = dict(zip(".,", candidates(options), strict=True))
    said = options.decimal or _OTHER.get(options.thousands or "")
    roles = _roles(columns.values())
    decimals = {name: each.decimal for name, each in columns.items() if each.decimal}
    for name, each in columns.items():
        if each.is_open:
            decimals[name] = said or _decided(each.signs, roles, separator)
    usual = options.decimal or _usual(decimals.values(), separator)

    def is_parted(name: str, decimal: str) -> bool:
        return (by_decimal[decimal].thousands or NEVER) in columns[name].signs

    seen = any(is_parted(name, usual) for name, each in columns.items() if each.decimal == usual)
    house = by_decimal[usual] if seen or options.thousands else Form(usual)

    def form(name: str) -> Form:
        decimal = decimals.get(name, usual)
        if options.thousands or is_parted(name, decimal):
            return by_decimal[decimal]
        return house if decimal == usual else Form(decimal)

    forms = {name: form(name) for name in columns}
    return Decision(forms, house, tuple(_notes(columns, forms, said=said is not None)))


def _roles(columns: Iterable[SignEvidence]) -> set[tuple[str, str]]:
    """Collect the signs with the meaning that they surely have: as `(sign, "decimal")` or `(sign, "parting")`."""
    return {
        (sign, "decimal" if sign == each.decimal else "parting")
        for each in columns
        if each.decimal
        for sign in each.signs
    }


def _decided(signs: str, roles: set[tuple[str, str]], separator: str) -> str:
    """Choose the decimal sign of a column that leaves it open, by the roles that signs have in the others."""
    sign = "," if "," in signs else "."
    is_decimal, is_parting = (sign, "decimal") in roles, (sign, "parting") in roles
    other_is_decimal = (_OTHER[sign], "decimal") in roles
    if is_decimal != is_parting:
        decimal = is_decimal
    elif sign == ",":
        decimal = separator != "," and not other_is_decimal
    else:
        decimal = separator == "," or not other_is_decimal
    return sign if decimal else _OTHER[sign]


def _usual(decimals: Collection[str], separator: str) -> str:
    """Choose the decimal sign of columns that show none."""
    if "," not in decimals:
        return "."
    return "," if "." not in decimals or separator != "," else "."


def _notes(columns: Mapping[str, SignEvidence], forms: Mapping[str, Form], *, said: bool) -> Iterator[str]:
    """Say how numbers were read, and where that was a choice."""
    sure = {name: forms[name] for name, each in columns.items() if not each.is_open}
    commas = [name for name, form in sure.items() if form.decimal == "," and "," in columns[name].signs]
    if commas:
        yield f"numbers are written with a decimal comma (1,5 is 1.5): {named(commas)}"
    for sign, name in _NAMES.items():
        parted = [each for each, form in sure.items() if form.thousands == sign and sign in columns[each].signs]
        if parted:
            yield f"{name}s part thousands (1{sign}234 is 1234): {named(parted)}"
    for decimal, other in _OTHER.items():
        left = [name for name, each in columns.items() if each.is_open and forms[name].decimal == decimal]
        if left and not said:
            cell = columns[left[0]].example
            yield (
                f"numbers that can be read in two ways: {named(left)}; {cell} is taken for {_read(cell, decimal)} and "
                f"not for {_read(cell, other)}; set data.decimal: '{other}' if that is wrong"
            )


def _read(cell: str, decimal: str) -> str:
    """Say what a cell means with a decimal sign, and what its own sign is then."""
    value = Form(decimal, _OTHER[decimal]).number(cell)
    sign = "," if "," in cell else "."
    role = f"a decimal {_NAMES[sign]}" if sign == decimal else f"a {_NAMES[sign]} between thousands"
    return f"{cell if value is None else number_text(value)} ({role})"
