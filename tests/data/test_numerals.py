"""How numbers are written; the oracle is a writer that knows its own signs."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrtune.data.numerals import PLAIN, Form, SignEvidence, candidates, decide
from lrtune.data.options import NEVER, THOUSANDS, DataOptions
from lrtune.text.errors import DataError

FORMS = [Form(decimal, sign) for decimal in ".," for sign in (*THOUSANDS[:-1], "", None) if sign != decimal]


def written(value: float, digits: int, form: Form, parting: str) -> str:
    """Write a number as Python does, with other signs."""
    signs = {",": parting, ".": form.decimal}
    return "".join(signs.get(each, each) for each in f"{value:,.{digits}f}")


@pytest.mark.parametrize("form", FORMS)
@given(st.integers(-(10**12), 10**12), st.integers(0, 4))
def test_what_is_written_in_a_form_is_read_back(form, number, digits):
    value = number / 10**digits
    text = written(value, digits, form, form.thousands or "")
    assert form.number(text) == float(f"{value:.{digits}f}")
    assert re.match(form.pattern, text)


@pytest.mark.parametrize(
    ("form", "text", "value"),
    [
        (Form(",", "."), "0.123", None),  # no group follows a leading zero
        (Form(".", ","), "0,123", None),
        (Form(",", "."), "1.23", None),
        (Form(",", "."), "12345,6", 12345.6),
        (Form(",", "."), "1234.567", None),
        (Form(","), "1.234", None),  # a point that may just as well be a decimal one
        (Form(","), "1.234,5", 1234.5),
        (Form(","), "-1.234.567", -1234567.0),
        (Form(","), "1.5", None),
        (Form(",", ""), "1.234,5", None),
        (PLAIN, "1,234", None),
        (PLAIN, "1,234.5e2", 123450.0),
        (Form(".", "'"), "1\u2019234.5", 1234.5),
        (Form(",", " "), "1\u202f234,5", 1234.5),
        (PLAIN, "+.5", 0.5),
        (PLAIN, "-Infinity", float("-inf")),
        (PLAIN, "nan", None),
        (PLAIN, "1.5\n", 1.5),
        (PLAIN, "1 .5", None),
        (PLAIN, "٣", None),
    ],
)
def test_what_cannot_be_misread_is_a_number(form, text, value):
    assert form.number(text) == value


def test_a_form_says_how_numbers_are_written():
    assert str(Form(",", ".")) == "decimal comma and points between thousands"
    assert str(Form(".", "")) == str(PLAIN) == "decimal point"


def column(*cells, **options):
    """Look at cells as the reader does."""
    point, comma = (all(re.match(form.pattern, cell) for cell in cells) for form in candidates(DataOptions(**options)))
    return SignEvidence(point, comma, "".join(sign for sign in ",. '" if any(sign in cell for cell in cells)), cells[0])


POINT, COMMA = Form(".", None), Form(",", None)
POINTS, COMMAS = Form(",", "."), Form(".", ",")  # named after what parts thousands


@pytest.mark.parametrize(
    ("columns", "separator", "expected"),
    [
        # one way only
        ({"a": ["3,5", "1,2"], "b": ["1.5"]}, ",", {"a": COMMA, "b": POINT}),
        ({"a": ["1,234.5"], "b": ["1.234,5"]}, ";", {"a": COMMAS, "b": POINTS}),
        ({"a": ["1,234,567"], "b": ["1.234.567"]}, ";", {"a": COMMAS, "b": POINTS}),
        ({"a": ["0,123", "1,234"]}, ",", {"a": COMMA}),
        ({"a": ["-0.123", "1.234"], "b": ["2,5"]}, ";", {"a": POINT, "b": COMMA}),
        # two ways, and the separator decides
        ({"a": ["1,234"]}, ",", {"a": COMMAS}),
        ({"a": ["1,234"]}, ";", {"a": COMMA}),
        ({"a": ["1.234"]}, ",", {"a": POINT}),
        ({"a": ["1.234"]}, ";", {"a": POINT}),
        # two ways, and another column decides
        ({"a": ["1.234"], "b": ["2,5"]}, ";", {"a": POINTS, "b": COMMA}),
        ({"a": ["1.234"], "b": ["2,5"]}, ",", {"a": POINT, "b": COMMA}),
        ({"a": ["1.234"], "b": ["2,5"], "c": ["2.5"]}, ";", {"a": POINT, "b": COMMA, "c": POINT}),
        ({"a": ["1,234"], "b": ["2.5"]}, ";", {"a": COMMAS, "b": POINT}),
        ({"a": ["1,234"], "b": ["2,5"]}, ",", {"a": COMMA, "b": COMMA}),
        ({"a": ["1,234"], "b": ["9,999.5"]}, ";", {"a": COMMAS, "b": COMMAS}),
        ({"a": ["1.234"], "b": ["9.999,5"]}, ",", {"a": POINTS, "b": POINTS}),
        # nothing to see, and the others are followed
        ({"a": ["1"], "b": ["9.999,5"]}, ";", {"a": POINTS, "b": POINTS}),
        ({"a": ["1"], "b": ["2,5"]}, ";", {"a": COMMA, "b": COMMA}),
        ({"a": ["1"], "b": ["2,5"], "c": ["2.5"]}, ";", {"a": COMMA, "b": COMMA, "c": POINT}),
        ({"a": ["1"], "b": ["2,5"], "c": ["2.5"]}, ",", {"a": POINT, "b": COMMA, "c": POINT}),
        ({"a": ["1"]}, ";", {"a": POINT}),
    ],
)
def test_columns_are_decided_one_by_one(columns, separator, expected):
    found = {name: column(*cells) for name, cells in columns.items()}
    assert decide(found, separator, DataOptions()).forms == expected


def test_what_was_a_choice_is_said_with_the_setting():
    open_one = {"flaeche": column("8.654", "6.732"), "quote": column("1,6", "0,5")}
    notes = decide(open_one, ";", DataOptions()).notes
    assert notes == (
        "numbers are written with a decimal comma (1,5 is 1.5): 'quote'",
        (
            "numbers that can be read in two ways: 'flaeche'; 8.654 is taken for 8654 (a point between thousands) and "
            "not for 8.654 (a decimal point); set data.decimal: '.' if that is wrong"
        ),
    )
    forms, _, notes = decide(open_one, ";", DataOptions(decimal="."))
    assert (forms["flaeche"].decimal, forms["quote"].decimal) == (".", ",")
    assert not any("two ways" in note for note in notes)


def test_what_parts_thousands_can_be_said():
    french = {"a": column("1 234", "999", thousands=" "), "b": column("1 234,5", "2", thousands=" ")}
    forms, house, _ = decide(french, ";", DataOptions(thousands=" "))
    assert forms == {"a": Form(",", " "), "b": Form(",", " ")}
    assert house == Form(",", " ")
    none = {"a": column("1,234", thousands=NEVER), "b": column("1.234", thousands=NEVER)}
    assert decide(none, ",", DataOptions(thousands=NEVER)).forms == {"a": Form(",", ""), "b": Form(".", "")}
    for sign, separator, form in ((".", ",", POINTS), (",", ";", COMMAS)):
        said = {"a": column(f"1{sign}234", thousands=sign)}
        for decimal in (None, form.decimal):
            found = decide(said, separator, DataOptions(decimal=decimal, thousands=sign))
            assert (found.forms, "two ways" in str(found.notes)) == ({"a": form}, False)


@pytest.mark.parametrize("options", [{"decimal": ",", "thousands": ","}, {"thousands": "_"}])
def test_signs_that_contradict_each_other_are_refused(options):
    with pytest.raises(DataError, match="thousands"):
        DataOptions(**options)
