from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrtune.data.cells import (
    Dates,
    Numbers,
    Texts,
    blanked,
    naive,
    numbers,
    parse_dates,
    texts,
)
from lrtune.data.numerals import PLAIN, number_or_none, number_text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0.0),
        ("-0.5", -0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-4", 1e-4),
        ("+3E2", 300.0),
        ("Infinity", np.inf),
        ("-inf", -np.inf),
        ("0.10", 0.1),
    ],
)
def test_texts_that_spell_numbers(text, number):
    assert number_or_none(text) == number


@pytest.mark.parametrize(
    "text", ["", "007", "-01", "1_000", "0x10", "1e", "1.2.3", "1,5", "nan", "\u0663", "1 2", "e5", "."]
)
def test_texts_that_are_no_numbers(text):
    assert number_or_none(text) is None


def test_a_leading_zero_is_read_where_a_number_is_expected():
    assert PLAIN.number("007") == 7.0
    assert PLAIN.number(" 1.5 ") == 1.5
    assert PLAIN.number("1_000") is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_spelled_is_the_same_number(value):
    assert float(number_text(value)) == value


def test_whole_numbers_are_spelled_without_a_point():
    assert [number_text(value) for value in (2007.0, -3.0, 1.5, 1e30)] == ["2007", "-3", "1.5", "1e+30"]


@pytest.mark.parametrize(
    ("values", "whole"),
    [([1, 2, np.nan], True), ([1.5, 2], False), ([1, np.inf], False), ([], True), ([np.nan], True)],
)
def test_whole_says_whether_all_present_numbers_are_integers(values, whole):
    assert numbers(values).whole is whole


def test_levels_are_in_code_point_order_and_missing_is_minus_one():
    column = texts(["b", None, "a", "Z", "é", "a"])
    assert column.levels == ("Z", "a", "b", "é")
    assert column.codes.tolist() == [2, -1, 1, 0, 3, 1]
    assert column.counts.tolist() == [1, 2, 1, 1]
    assert column.missing.tolist() == [False, True, False, False, False, False]


def test_the_users_own_missing_texts_apply_to_numbers_and_texts():
    assert np.isnan(blanked(Numbers(np.array([1.0, -999.0]), whole=True), ["-999", "unknown"]).values).tolist() == [
        0,
        1,
    ]
    column = blanked(texts(["unknown", "x", "a"]), ["-999", "unknown"])
    assert isinstance(column, Texts)
    assert column.levels == ("a", "x")
    assert column.codes.tolist() == [-1, 1, 0]
    days = Dates(np.array([1.0]), clock=False)
    assert blanked(days, ["1"]) is days


def days_of(*moments: str) -> list[float]:
    """Days since 1970 as Python counts them."""
    start = datetime(1970, 1, 1, tzinfo=UTC)
    return [
        ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - start) / timedelta(days=1)
        for moment in map(datetime.fromisoformat, moments)
    ]


@pytest.mark.parametrize(
    ("spelled", "iso", "reading"),
    [
        (["1990-03-02", "2024-02-29"], ["1990-03-02", "2024-02-29"], "year-month-day"),
        (["1990/3/2"], ["1990-03-02"], "year-month-day"),
        (["31.12.1999", "1.2.2000"], ["1999-12-31", "2000-02-01"], "day.month.year"),
        (["03/04/2020"], ["2020-04-03"], "day.month.year"),
        (["03/04/2020", "12/31/2020"], ["2020-03-04", "2020-12-31"], "month/day/year"),
        (["2020-01-01T12:30:15.5Z"], ["2020-01-01T12:30:15.5Z"], "year-month-day"),
        (["2020-01-01 00:30+02:00"], ["2020-01-01T00:30:00+02:00"], "year-month-day"),
        (["2020-01-01 00:30-0530"], ["2020-01-01T00:30:00-05:30"], "year-month-day"),
        (["31.12.1999 23:59"], ["1999-12-31T23:59"], "day.month.year"),
        (["1800-01-01"], ["1800-01-01"], "year-month-day"),
    ],
)
def test_dates_are_read_in_the_first_order_that_fits_all(spelled, iso, reading):
    parsed = parse_dates(spelled)
    assert parsed is not None
    np.testing.assert_allclose(parsed[0], days_of(*iso), rtol=0, atol=1e-9)
    assert parsed[1] is any(":" in text for text in spelled)
    assert parsed[2] == reading


@pytest.mark.parametrize(
    "levels", [[], ["2023-02-29"], ["12.2020"], ["13/13/2020"], ["2020-01-01", "x"], ["1-2/2020"], ["2020-01-01 25:00"]]
)
def test_no_dates(levels):
    assert parse_dates(levels) is None


def test_an_order_can_be_preferred():
    assert parse_dates(["03/04/2020"], "month/day/year")[0].tolist() == days_of("2020-03-04")
    assert parse_dates(["25/12/2020"], "month/day/year") is None  # although day first would do


@settings(deadline=None, max_examples=50)
@given(st.lists(st.datetimes(), min_size=1, max_size=5))
def test_iso_datetimes_are_read_as_numpy_reads_them(moments):
    spelled = sorted({moment.isoformat(sep=" ") for moment in moments})
    parsed = parse_dates(spelled)
    assert parsed is not None
    expected = np.array(spelled, dtype="datetime64[us]").astype(float) / 86_400e6
    np.testing.assert_allclose(parsed[0], expected, rtol=0, atol=1e-9)


def test_moments_lose_their_zone_after_going_to_utc():
    noon = datetime(2020, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert naive(noon).isoformat() == "2020-01-01T10:00:00"
    assert naive(naive(noon)) == naive(noon)
