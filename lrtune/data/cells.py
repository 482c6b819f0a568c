"""Columns as they were read, before anybody has decided what they mean.

A table is a mapping from names to *raw columns*, and there are only three kinds of them: `Numbers`, `Texts` and
`Dates`. All three are NumPy inside, so nothing behind the door of the file reader needs to know which library read
the file.

Texts are kept factorised, as codes into their sorted distinct levels: whatever has to be found out about a text column
(is it a boolean, a date, a number in disguise?) is found out once for each level instead of once for each row.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lrtune.arrays import Rows
from lrtune.data.numerals import PLAIN, Form, number_or_none

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

MISSING = -1
"""The code of a missing cell."""

_CLOCK = r"(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)? ?(Z|[+-]\d{2}:?\d{2})?)?"
_DATES = {
    "year-month-day": re.compile(r"(?P<y>\d{4})([-/.])(?P<m>\d{1,2})\2(?P<d>\d{1,2})" + _CLOCK, re.ASCII),
    "day.month.year": re.compile(r"(?P<d>\d{1,2})([-/.])(?P<m>\d{1,2})\2(?P<y>\d{4})" + _CLOCK, re.ASCII),
    "month/day/year": re.compile(r"(?P<m>\d{1,2})([-/])(?P<d>\d{1,2})\2(?P<y>\d{4})" + _CLOCK, re.ASCII),
}
READINGS = tuple(_DATES)
"""In which orders the parts of a date may be written."""

FIRST_DAY, LAST_DAY = -719_162, 2_932_896
"""Days of the years 1 to 9999, counted from 1970-01-01."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A column of numbers: `values (N,)`, NaN where a cell is missing; `whole` if all that are there are integers.

    `form` says how a text file writes them; None where they never were text.
    """

    values: Floats
    whole: bool
    form: Form | None = None

    @property
    def missing(self) -> Mask:
        """Which cells are missing, (N,)."""
        return np.isnan(self.values)


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """A column of texts: `codes (N,)` into `levels`, -1 where missing; levels in code point order, all used."""

    codes: Codes
    levels: tuple[str, ...]

    @property
    def missing(self) -> Mask:
        """Which cells are missing, (N,)."""
        return self.codes < 0

    @property
    def counts(self) -> Rows:
        """Rows of each level."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.levels)).astype(np.int64, copy=False)


@dataclass(frozen=True, slots=True, eq=False)
class Dates:
    """A column of dates: `days (N,)` since 1970-01-01 (UTC), NaN where missing; `clock` if any has a time of day.

    `reading` says in which order day, month and year were read, and is empty where the file's type left no choice.
    """

    days: Floats
    clock: bool
    reading: str = ""

    @property
    def missing(self) -> Mask:
        """Which cells are missing, (N,)."""
        return np.isnan(self.days)


Raw = Numbers | Texts | Dates


class TypedColumns(NamedTuple):
    """The columns of a file that has types of its own, by name.

    None stands for a column whose cells are neither numbers, nor texts, nor dates. `notes` say what had to be decided,
    and `target` is the column to predict where the file knows it. If they are `large`, each is read when it is looked
    at, and is not to be held beside all others.
    """

    raws: Mapping[str, Raw | None]
    notes: tuple[str, ...] = ()
    target: str | None = None
    large: bool = False


def numbers(values: npt.ArrayLike, form: Form | None = None) -> Numbers:
    """Numbers from anything that NumPy can make floats of; infinite ones are kept for the time being."""
    floats = np.asarray(values, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        whole = bool(np.all(np.isnan(floats) | (np.isfinite(floats) & (np.floor(floats) == floats))))
    return Numbers(floats, whole, form)


def texts(values: Sequence[str | None]) -> Texts:
    """Factorise: None is missing, everything else is a level as it stands."""
    levels = sorted({value for value in values if value is not None})
    index: dict[str | None, int] = {level: code for code, level in enumerate(levels)}
    index[None] = MISSING
    codes = np.fromiter((index[value] for value in values), dtype=np.int32, count=len(values))
    return Texts(codes, tuple(levels))


def sliced(raw: Raw, start: int, stop: int) -> Raw:
    """Take some rows of a column that stand one below the other; what is said of its numbers stays what it is."""
    if isinstance(raw, Numbers):
        return replace(raw, values=raw.values[start:stop])
    if isinstance(raw, Dates):
        return replace(raw, days=raw.days[start:stop])
    return with_used_levels(raw.codes[start:stop], raw.levels)


def with_used_levels(codes: Codes, levels: Sequence[str]) -> Texts:
    """Make texts of some codes, and of those levels that are among them."""
    used = np.unique(codes[codes >= 0])
    translation = np.full(len(levels) + 1, MISSING, dtype=np.int32)  # the last is that of a missing cell
    translation[used] = np.arange(len(used))
    return Texts(translation[codes], tuple(levels[code] for code in used.tolist()))


def blanked(raw: Raw, missing: Collection[str], form: Form = PLAIN) -> Raw:
    """Make missing what is said to mean missing: the texts themselves, and the numbers that they spell in a form."""
    if isinstance(raw, Dates):
        return raw
    if isinstance(raw, Numbers):
        gone = _spelled_numbers(tuple(missing), form)
        gaps = np.isin(raw.values, gone) if gone else np.zeros(1, dtype=bool)
        return numbers(np.where(gaps, np.nan, raw.values), raw.form) if gaps.any() else raw
    spelled = {"", *missing}
    kept = tuple(level for level in raw.levels if level.strip() not in spelled)
    if len(kept) == len(raw.levels):
        return raw
    new = {level: code for code, level in enumerate(kept)}
    translation = np.array([*(new.get(level, MISSING) for level in raw.levels), MISSING], dtype=np.int32)
    return Texts(translation[raw.codes], kept)


@functools.lru_cache(maxsize=64)
def _spelled_numbers(missing: tuple[str, ...], form: Form) -> list[float]:
    return [number for text in missing if (number := number_or_none(text, form)) is not None]


def parse_dates(levels: Iterable[str], reading: str = "") -> tuple[Floats, bool, str] | None:
    """Read texts as dates: days since 1970-01-01, whether any has a time of day, and the order they were read in.

    Year first (ISO 8601), then day first, then month first; the first order in which *all* texts are dates is taken,
    hence 03/04/2020 alone is the third of April. `reading` names the one order that is allowed. None if there is no
    such order, or no text at all.
    """
    levels = list(levels)
    if not levels:
        return None
    for each in [reading] if reading else READINGS:
        days = _days(levels, _DATES[each])
        if days is not None:
            return np.array(days), any(":" in level for level in levels), each
    return None


def _days(levels: Sequence[str], pattern: re.Pattern[str]) -> list[float] | None:
    days = []
    for level in levels:
        match = pattern.fullmatch(level)
        day = None if match is None else _day(match)
        if day is None:
            return None
        days.append(day)
    return days


def _day(match: re.Match[str]) -> float | None:
    hour, minute, second, fraction, zone = match.groups()[4:]
    try:
        day = datetime(int(match["y"]), int(match["m"]), int(match["d"]), tzinfo=UTC)
        clock = day.replace(hour=int(hour or 0), minute=int(minute or 0), second=int(second or 0))
    except ValueError:
        return None
    return (clock - _EPOCH) / _DAY + float(f"0.{fraction or 0}") / 86_400 - _zone_days(zone)


def _zone_days(zone: str | None) -> float:
    """Days by which a zone is ahead of UTC: 'Z', '+02:00' or '-0530'."""
    if zone is None or zone == "Z":
        return 0.0
    sign = -1 if zone[0] == "-" else 1
    return sign * (int(zone[1:3]) * 60 + int(zone[-2:])) / 1440


def naive(moment: datetime) -> datetime:
    """Give a moment in UTC without its zone, as NumPy wants it."""
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
