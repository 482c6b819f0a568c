"""The luck of training: variances of few degrees of freedom, pooled, and the intervals that come of them."""

import numpy as np
import pytest
from scipy import stats

from lrtune.nights.drift import NORMAL, NightEstimate, change
from lrtune.nights.luck import BEFORE, Luck, pooled


def test_nothing_seen_is_what_is_known_before_and_many_nights_are_taken_at_their_word():
    assert pooled([]) == BEFORE
    assert pooled([Luck(5.0, 2)] * 5000).ratio == pytest.approx(5.0, rel=0.01)
    assert pooled([Luck(-3.0, 2)] * 5000) == (1.0, BEFORE.freedom + 10_000)


@pytest.mark.parametrize("nights", [0, 1, 20])
def test_intervals_hold_the_truth_in_95_of_a_hundred_nights(nights):
    """Tables whose true ratios are spread as is known before; each night sees its own with two degrees of freedom."""
    rng, draws = np.random.default_rng(nights), 8000
    truths = BEFORE.ratio * BEFORE.freedom / rng.chisquare(BEFORE.freedom, draws)
    found = rng.normal(size=draws) * np.sqrt(truths)
    inside, by_rows = 0, 0
    for truth, each in zip(truths, found, strict=True):
        luck = pooled([Luck(truth * seen / 2, 2) for seen in rng.chisquare(2, nights)])
        width = stats.t.ppf(0.975, luck.freedom)
        night = change(NightEstimate(each, 1.0), NightEstimate(0.0, 0.0), ratio=luck.ratio, width=width)
        assert night.error == pytest.approx(np.sqrt(luck.ratio))
        inside += night.low < 0.0 < night.high
        by_rows += abs(each) < NORMAL
    bound = 4 * np.sqrt(0.95 * 0.05 / draws)
    assert abs(inside / draws - 0.95) < bound + 0.002  # a ratio below 1 counts as 1, which makes a few wider
    assert by_rows / draws < 0.85
