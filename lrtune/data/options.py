"""How to read a table where looking at it is not enough: what an experiment says, and a saved model repeats."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import NamedTuple

from lrtune.text.errors import DataError
from lrtune.text.written import Json

MISSING_TEXTS = (
    *("NA", "N/A", "n/a", "na", "#N/A", "<NA>", "NaN", "nan", "-nan", "NaT"),
    *("null", "NULL", "Null", "None", "?", "-", "."),
)
"""Cells that say "there is nothing here" in the files people have, as an empty one always does."""

SEPARATORS = (",", ";", "\t", "|")
"""Looked for in this order; the first of the equally good ones is taken."""

NEVER = "none"
"""As `thousands`: no number has its thousands parted."""

THOUSANDS = (",", ".", " ", "'", NEVER)


class Skip(NamedTuple):
    """Lines of a text file, as an editor counts them, that are no part of the table."""

    head: int = 0
    tail: int = 0


_NONE = Skip()


@dataclass(frozen=True, slots=True)
class DataOptions:
    """What is said about reading a table; all but `missing` is about text files.

    Parameters
    ----------
    separator
        One character, or `tab`; None finds it among comma, semicolon, tab and bar.
    decimal
        `"."` or `","`, where a column can be read both ways; None decides by the other columns.
    thousands
        What parts thousands: one of `THOUSANDS`; None finds commas and points.
    encoding
        Any encoding Python knows; None takes a byte order mark, else UTF-8, else Latin-1 (as Windows writes it).
    missing
        The texts that mean "missing", in the place of the usual ones; an empty cell always does.
    comment
        What begins a line that is no row, such as `"#"`; None: no line is a comment.
    skip
        Lines above the header and below the last row.
    header
        Whether the first line names the columns; None: yes, unless it holds numbers, which is refused.

    """

    separator: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    encoding: str | None = None
    missing: tuple[str, ...] | None = None
    comment: str | None = None
    skip: Skip = _NONE
    header: bool | None = None

    def __post_init__(self) -> None:
        if self.separator is not None and len(sign(self.separator)) != 1:
            raise DataError(f"the separator is one character or 'tab', not {self.separator!r}")
        if self.separator is not None and sign(self.separator) in '"\n\r':
            raise DataError("the separator is neither a quote nor the end of a line")
        if self.decimal not in (None, ".", ","):
            raise DataError(f"the decimal sign is '.' or ',', not {self.decimal!r}")
        if self.thousands not in (None, *THOUSANDS):
            raise DataError(
                f"thousands are parted by one of , . ' and a blank, or by {NEVER!r}, not {self.thousands!r}"
            )
        if self.decimal is not None and self.decimal == self.thousands:
            raise DataError(f"{self.decimal!r} cannot be the decimal sign and part thousands as well")
        if self.comment is not None and (not self.comment or set(self.comment) & {"\n", "\r"}):
            raise DataError(f"a comment begins with characters of one line, not {self.comment!r}")
        if min(self.skip) < 0:
            raise DataError(f"data.skip counts lines, and there are not {min(self.skip)} of them")
        if self.encoding is not None:
            _check_encoding(self.encoding)

    @classmethod
    def from_dict(cls, values: Json) -> DataOptions:
        """Rebuild what `dataclasses.asdict` gave, also after a detour over JSON."""
        missing = values["missing"]
        return cls(**{**values, "skip": Skip(*values["skip"]), "missing": None if missing is None else tuple(missing)})


def sign(separator: str) -> str:
    r"""Give the character that a separator's name stands for.

    >>> sign("tab"), sign(";")
    ('\t', ';')
    """
    return "\t" if separator in {"tab", "\\t"} else separator


def _check_encoding(name: str) -> None:
    try:
        codecs.lookup(name)
    except (LookupError, ValueError):
        raise DataError(f"unknown encoding {name!r}; usual ones are 'utf-8', 'latin-1', 'utf-16'") from None
