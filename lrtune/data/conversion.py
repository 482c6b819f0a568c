"""From one raw column to one array, as its `ColumnSpec` wants it; an error names the first cell that does not fit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lrtune.arrays import Floats, Rows
from lrtune.data.cells import MISSING, READINGS, Codes, Dates, Numbers, Raw, Texts, parse_dates
from lrtune.data.numerals import PLAIN, Form, number_or_none, number_text
from lrtune.data.schema import FALSE_TEXTS, TRUE_TEXTS, ColumnSpec
from lrtune.text.errors import DataError, LrtuneError, ModelError, counted

OTHER = -2
"""The code of a category without a feature of its own: rare in the training rows, or never seen there."""

Marks = npt.NDArray[np.uint64]

_GAP = np.uint64(2**64 - 1)  # the mark of a missing cell: the bits of no number that a table holds


def to_numbers(raw: Raw, column: ColumnSpec, error: type[LrtuneError]) -> Floats:
    """Make numbers of any raw column, (N,); dates are days, booleans 0 and 1; the texts in it are read by its spec."""
    if column.kind == "date":
        return _days(raw, column, error)
    if isinstance(raw, Dates):
        raise error(f"column '{column.name}' holds dates where {_expected(column, error)}")
    if isinstance(raw, Numbers):
        values: Floats = raw.values
    else:
        read = _truth if column.kind == "boolean" else column.form.number
        values = _each(raw, column, [read(level) for level in raw.levels], error)
    if column.kind == "boolean" and not np.isin(values[~np.isnan(values)], (0.0, 1.0)).all():
        row = int(np.flatnonzero(~np.isnan(values) & (values != 0) & (values != 1))[0])
        raise error(f"column '{column.name}' is {number_text(float(values[row]))} in row {row + 1}, not true or false")
    infinite = np.isinf(values)
    return np.where(infinite, np.nan, values) if infinite.any() else values


def _expected(column: ColumnSpec, error: type[LrtuneError]) -> str:
    """Say what a column should hold, and how the training table writes it where this is another one."""
    kind = {"boolean": "true and false", "date": "dates"}.get(column.kind, "numbers")
    written = {"numbers": f"with a {column.form}", "dates": _reading(column)}.get(kind)
    foreign = written is not None and error is ModelError
    return f"{kind} are expected" + (f"; the training table writes them {written}" if foreign else "")


def _truth(level: str) -> float | None:
    folded = level.strip().casefold()
    if folded in TRUE_TEXTS:
        return 1.0
    return 0.0 if folded in FALSE_TEXTS else PLAIN.number(level)


def _each(raw: Texts, column: ColumnSpec, values: list[float | None], error: type[LrtuneError]) -> Floats:
    """Spread the levels' values over the rows; None is an error."""
    unread = [i for i, value in enumerate(values) if value is None]
    if unread:
        row = int(np.flatnonzero(np.isin(raw.codes, unread))[0])
        level = raw.levels[raw.codes[row]]
        raise error(f"column '{column.name}' is {level!r} in row {row + 1}, where {_expected(column, error)}")
    return np.array([*(np.nan if value is None else value for value in values), np.nan])[raw.codes]


def _days(raw: Raw, column: ColumnSpec, error: type[LrtuneError]) -> Floats:
    if isinstance(raw, Dates):
        return raw.days
    if isinstance(raw, Numbers):
        if raw.missing.all():
            return raw.values
        raise error(f"column '{column.name}' holds numbers where dates are expected")
    days = [parse_dates([level], _reading(column)) for level in raw.levels]
    return _each(raw, column, [None if day is None else float(day[0][0]) for day in days], error)


def _reading(column: ColumnSpec) -> str:
    """Name the order of a date's parts in text; where the training table held no text, the one that is a standard."""
    return column.reading or READINGS[0]


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


def to_codes(raw: Texts, levels: tuple[str, ...], form: Form = PLAIN) -> Codes:
    """Translate a column's own codes to those of the schema's levels, (N,).

    A level is found as it is written, else without the blanks around it, else by its number (`1.50` and the number 1.5
    are one category), else by its truth (`True` and what other formats have for it).
    """
    known = {level: code for code, level in enumerate(levels)}
    stripped = {level.strip(): code for level, code in reversed(known.items())}
    by_number = {number: code for level, code in known.items() if (number := number_or_none(level)) is not None}
    by_truth = {level.casefold(): code for level, code in known.items() if level.casefold() in {"true", "false"}}

    def code(level: str) -> int:
        if level in known:
            return known[level]
        number, text = number_or_none(level, form), level.strip()
        found = None if number is None else by_number.get(number)
        found = by_truth.get(text.casefold()) if found is None else found
        return stripped.get(text, OTHER if found is None else found)

    translation = np.array([*map(code, raw.levels), MISSING], dtype=np.int32)
    return translation[raw.codes]


def to_marks(raw: Raw, column: ColumnSpec) -> Marks:
    """Mark cells so that those with the same meaning have the same mark, in whatever table and format, (N,).

    Numbers, days and truths have the bits of a float64, other texts the hash that Python has for them.
    """
    if not isinstance(raw, Texts):
        return _bits(raw.values if isinstance(raw, Numbers) else raw.days)
    values = [_value(level, column) for level in raw.levels]
    unread = (hash(level.strip()) for level, value in zip(raw.levels, values, strict=True) if value is None)
    marks = _bits(np.array([np.nan if value is None else value for value in (*values, None)]))
    marks[[value is None for value in values] + [False]] = np.fromiter(unread, dtype=np.int64).view(np.uint64)
    return marks[raw.codes]


def _bits(values: Floats) -> Marks:
    marks = (values + 0.0).view(np.uint64)  # -0.0 is 0.0
    return np.where(np.isnan(values), _GAP, marks)


def _value(level: str, column: ColumnSpec) -> float | None:
    """Read a text as the number, day or truth that it spells in a column."""
    if column.kind == "date":
        day = parse_dates([level], _reading(column))
        return None if day is None else float(day[0][0])
    if column.kind == "boolean":
        return _truth(level)
    return column.form.number(level) if column.kind == "numeric" else number_or_none(level, column.form)


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
