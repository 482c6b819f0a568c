"""From one raw column to one array, as its `ColumnSpec` wants it; an error names the first cell that does not fit."""

from __future__ import annotations

import numpy as np

from lrtune.data.cells import (
    MISSING,
    MISSING_TEXTS,
    Codes,
    Dates,
    Floats,
    Numbers,
    Raw,
    Rows,
    Texts,
    lenient_number,
    number_or_none,
    number_text,
    parse_dates,
)
from lrtune.data.schema import FALSE_TEXTS, TRUE_TEXTS, ColumnSpec
from lrtune.errors import DataError, LrtuneError, counted

OTHER = -2
"""The code of a category without a feature of its own: rare in the training rows, or never seen there."""


def to_numbers(raw: Raw, column: ColumnSpec, error: type[LrtuneError]) -> Floats:
    """Make numbers of any raw column, (N,); dates are days, booleans 0 and 1."""
    if column.kind == "date":
        return _days(raw, column, error)
    if isinstance(raw, Dates):
        raise error(f"column '{column.name}' holds dates where {_expected(column)} are expected")
    if isinstance(raw, Numbers):
        values = raw.values
    else:
        read = _truth if column.kind == "boolean" else lenient_number
        values = _each(raw, column, [None if _blank(level) else read(level) for level in raw.levels], error)
    if column.kind == "boolean" and not np.isin(values[~np.isnan(values)], (0.0, 1.0)).all():
        row = int(np.flatnonzero(~np.isnan(values) & (values != 0) & (values != 1))[0])
        raise error(f"column '{column.name}' is {number_text(float(values[row]))} in row {row + 1}, not true or false")
    infinite = np.isinf(values)
    return np.where(infinite, np.nan, values) if infinite.any() else values


def _expected(column: ColumnSpec) -> str:
    return {"boolean": "true and false", "date": "dates"}.get(column.kind, "numbers")


def _truth(level: str) -> float | None:
    folded = level.strip().casefold()
    if folded in TRUE_TEXTS:
        return 1.0
    return 0.0 if folded in FALSE_TEXTS else lenient_number(level)


def _blank(level: str) -> bool:
    return level.strip() in MISSING_TEXTS


def _each(raw: Texts, column: ColumnSpec, values: list[float | None], error: type[LrtuneError]) -> Floats:
    """Spread the levels' values over the rows; None is an error unless the level spells "missing"."""
    unread = [i for i, value in enumerate(values) if value is None and not _blank(raw.levels[i])]
    if unread:
        row = int(np.flatnonzero(np.isin(raw.codes, unread))[0])
        level = raw.levels[raw.codes[row]]
        raise error(f"column '{column.name}' is {level!r} in row {row + 1}, where {_expected(column)} are expected")
    return np.array([*(np.nan if value is None else value for value in values), np.nan])[raw.codes]


def _days(raw: Raw, column: ColumnSpec, error: type[LrtuneError]) -> Floats:
    if isinstance(raw, Dates):
        return raw.days
    if isinstance(raw, Numbers):
        if raw.missing.all():
            return raw.values
        raise error(f"column '{column.name}' holds numbers where dates are expected")
    texts = [level for level in raw.levels if not _blank(level)]
    parsed = parse_dates(texts, column.reading)
    if parsed is not None:
        days = dict(zip(texts, parsed[0].tolist(), strict=True))
    else:
        days = {text: 0.0 for text in texts if parse_dates([text])}
        if len(days) == len(texts) > 0:
            raise error(f"column '{column.name}' holds dates of several forms, such as {texts[0]!r} and {texts[-1]!r}")
    return _each(raw, column, [days.get(level) for level in raw.levels], error)


def date_parts(days: Floats, column: ColumnSpec) -> list[Floats]:
    """Split days since 1970 into the numbers that `ColumnSpec.parts` names."""
    missing = np.isnan(days)
    whole = np.floor(np.where(missing, 0.0, days))
    months = whole.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    weekday = (whole + 3) % 7 + 1  # the first of January 1970 was a Thursday
    parts = [whole, months.astype(np.float64), weekday, (np.where(missing, 0.0, days) - whole) * 24]
    return [np.where(missing, np.nan, part) for part in parts[: len(column.parts)]]


def as_texts(raw: Raw) -> Texts:
    """Make categories of any raw column: numbers are spelled the short way, dates as ISO days or seconds."""
    if isinstance(raw, Texts):
        return raw
    values = raw.values if isinstance(raw, Numbers) else raw.days
    distinct, inverse = np.unique(values[~np.isnan(values)], return_inverse=True)
    if isinstance(raw, Numbers):
        levels = [number_text(value) for value in distinct.tolist()]
    else:
        moments = np.round(distinct * 86_400).astype("datetime64[s]")
        levels = [str(moment) for moment in (moments if raw.clock else moments.astype("datetime64[D]"))]
    by_text = np.argsort(np.array(levels, dtype=object), kind="stable")
    codes = np.full(values.size, MISSING, dtype=np.int32)
    codes[~np.isnan(values)] = np.argsort(by_text)[inverse]
    return Texts(codes, tuple(levels[i] for i in by_text))


def to_codes(raw: Texts, levels: tuple[str, ...]) -> Codes:
    """Translate a column's own codes to those of the schema's levels, (N,).

    A level is found as it is written, else by its number: `1.50` and the number 1.5 are one category.
    """
    known = {level: code for code, level in enumerate(levels)}
    by_number = {number: code for level, code in known.items() if (number := number_or_none(level)) is not None}

    def code(level: str) -> int:
        if level in known:
            return known[level]
        if _blank(level):
            return MISSING
        number = number_or_none(level)
        return OTHER if number is None else by_number.get(number, OTHER)

    translation = np.array([*map(code, raw.levels), MISSING], dtype=np.int32)
    return translation[raw.codes]


def to_groups(raw: Raw, name: str) -> Rows:
    """Give each group a number, (N,); every row needs one."""
    gaps = np.flatnonzero(raw.missing)
    if gaps.size:
        raise DataError(
            f"the group column '{name}' is missing in {counted(gaps.size, 'row')}, first in row {gaps[0] + 1}"
        )
    return as_texts(raw).codes.astype(np.int64)


def to_times(raw: Raw, name: str) -> Floats:
    """Make times of numbers or dates, (N,); every row needs one."""
    gaps = np.flatnonzero(raw.missing)
    if gaps.size:
        raise DataError(
            f"the time column '{name}' is missing in {counted(gaps.size, 'row')}, first in row {gaps[0] + 1}"
        )
    if isinstance(raw, Numbers):
        return raw.values
    if isinstance(raw, Dates):
        return raw.days
    parsed = parse_dates(raw.levels)
    if parsed is None:
        raise DataError(
            f"the time column '{name}' holds neither numbers nor dates (first: {raw.levels[raw.codes[0]]!r})"
        )
    return parsed[0][raw.codes]
