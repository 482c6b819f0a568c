import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrtune.text import durations
from lrtune.text.durations import seconds
from lrtune.text.formats import duration


@given(st.integers(1, 10**8))
def test_what_is_shown_can_be_read_back_as_far_as_it_was_shown(number):
    shown = seconds(duration(number))
    assert duration(shown) == duration(number)
    assert abs(shown - number) < 0.1 if number < 10 else abs(shown - number) <= 3600


NONE = ["", "soon", "10 minutes", "30m1h", "1h1h", "m", "1h30", "-5s", "1e3", "5s!", "٣s", "1" * 60 + "!"]


@pytest.mark.parametrize("wrong", [*NONE, None, True, [1], math.nan])
def test_what_is_no_duration_is_refused_with_examples(wrong):
    with pytest.raises(ValueError, match=r"expected a duration such as 90s, 10m or 1h30m, or a number of seconds, got"):
        seconds(wrong)


@pytest.mark.parametrize("wrong", [0, -1, "0s", "0", math.inf, 1e10, "99999999999999d"])
def test_durations_are_above_nothing_and_below_a_life(wrong):
    with pytest.raises(ValueError, match="above 0 and up to"):
        seconds(wrong)


@given(st.text(max_size=300) | st.from_regex(r"[0-9dhms. ]{0,60}[!]?"))
def test_any_text_is_a_duration_or_a_sentence(text):
    with contextlib.suppress(ValueError):
        assert 0 < seconds(text) <= durations.LONGEST
