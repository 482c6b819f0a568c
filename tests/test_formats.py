import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrtune.text import formats


@settings(deadline=None, max_examples=200)
@given(st.floats(1e-12, 1e6))
def test_a_rate_keeps_two_digits_and_has_the_short_exponent(value):
    text = formats.rate(value)
    assert math.isclose(float(text), value, rel_tol=0.051)
    assert "e-0" not in text
    assert "e+" not in text


@settings(deadline=None, max_examples=200)
@given(st.floats(0, 1e7))
def test_a_duration_is_right_to_its_second_unit(seconds):
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    finer = {86400: 3600, 3600: 60, 60: 1, 1: 1}
    text = formats.duration(seconds)
    if text == "under 0.1 s":
        assert seconds < 0.05
        return
    words = text.split()
    amounts = [(float(amount), units[unit]) for amount, unit in zip(words[::2], words[1::2], strict=True)]
    assert abs(sum(amount * unit for amount, unit in amounts) - seconds) <= finer[amounts[0][1]]
    assert all(amount < 60 for amount, unit in amounts if unit < 3600)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(59.6, "1 m"), (119.7, "2 m"), (3599.9, "1 h"), (86399.9, "1 d"), (3661, "1 h 1 m"), (0, "under 0.1 s")],
)
def test_rounding_never_gives_sixty_of_anything(seconds, text):
    assert formats.duration(seconds) == text


@settings(deadline=None, max_examples=200)
@given(st.text())
def test_nothing_printable_can_steer_a_terminal(text):
    assert formats.printable(text).isprintable()


def test_printable_leaves_names_in_any_script_alone():
    assert formats.printable("Größe 長さ naïve 👍 [red]") == "Größe 長さ naïve 👍 [red]"
    assert formats.printable("a\u202eb\r\n") == "a\\u202eb\\x0d\\x0a"


def test_scores_that_stand_together_have_the_same_number_of_decimals():
    show = formats.score_format([0.98765, 0.5, None])
    assert [show(0.98765), show(0.5), show(1.0), show(None)] == ["0.9877", "0.5000", "1.0000", "-"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.0000"),
        (0.0, "0.0000"),
        (0.012346, "0.01235"),
        (4.1237, "4.124"),
        (41.237, "41.24"),
        (412.37, "412.4"),
        (4123.7, "4,124"),
        (-0.3, "-0.3000"),
        (5e12, "5.000e12"),
    ],
)
def test_the_size_of_a_score_decides_its_digits(value, text):
    assert formats.score_format([value])(value) == text
