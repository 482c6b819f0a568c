"""What time allows, by a clock that the test turns."""

import math

import pytest

from lrtune.engines import contract
from lrtune.engines import local as workers
from lrtune.tuning import pace
from lrtune.tuning.pace import BLOCK_SECONDS, ENDING, MARGIN, UNKNOWN, Pace


class Clock:
    now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    turned = Clock()
    monkeypatch.setattr(pace, "time", turned)
    for module in (contract, workers):
        monkeypatch.setattr(module, "time", turned)
    return turned


def test_without_a_limit_everything_is_allowed(clock):
    free = Pace()
    clock.now += 1e9
    assert free.allows(1e12)
    assert not free.is_over
    assert free.limit().left() == math.inf
    assert free.largest_block() == BLOCK_SECONDS


def test_a_block_may_start_if_it_ends_in_time_at_the_pace_that_was_seen(clock):
    short = Pace(seconds=100.0)
    assert short.allows(100.0 / (MARGIN * UNKNOWN) - 0.1)
    assert not short.allows(100.0 / (MARGIN * UNKNOWN) + 0.1)
    short.saw(expected=1.0, seconds=1.0)
    short.saw(expected=3.0, seconds=7.0)
    assert short.ratio == 2.0
    clock.now += 40.0
    assert short.allows(60.0 / (MARGIN * 2.0) - 0.1)
    assert not short.allows(60.0 / (MARGIN * 2.0) + 0.1)
    assert short.limit().left() == pytest.approx(60.0)


def test_retraining_has_its_time_reserved_at_the_same_pace(clock):
    short = Pace(seconds=100.0)
    short.saw(expected=1.0, seconds=4.0)
    short.reserve(expected=5.0, overhead=2.0)
    assert short.reserved == MARGIN * (4.0 * 5.0 + 2.0) + ENDING
    short.reserve(expected=5.0, overhead=2.0, optional=3.0)
    assert short.reserved == MARGIN * (4.0 * 5.0 + 2.0) + 4.0 * 3.0 + ENDING
    clock.now += 100.0 - short.reserved - 0.01
    assert not short.is_over
    clock.now += 0.02
    assert short.is_over
    assert not short.allows(0.0)


def test_blocks_are_small_beside_what_is_left_and_beside_their_limit():
    assert Pace(seconds=24.0).largest_block() == pytest.approx(24.0 / 8 / UNKNOWN, rel=1e-3)
    assert Pace(block_seconds=12.0).largest_block() == pytest.approx(12.0 / 4 / UNKNOWN)
    assert Pace(seconds=1e6).largest_block() == BLOCK_SECONDS


def test_old_blocks_are_forgotten(clock):
    del clock
    changing = Pace()
    for _ in range(100):
        changing.saw(1.0, 50.0)
    for _ in range(16):
        changing.saw(1.0, 1.0)
    assert changing.ratio == 1.0


def test_what_comes_first_gets_a_share_of_the_time_and_what_it_takes_is_learned(clock):
    short = Pace(seconds=100.0, block_seconds=70.0)
    short.reserve(expected=1e6, overhead=0.0)
    first = short.first(0.75)
    assert first.limit() == (70.0, clock.now + 0.75 * (100.0 - ENDING))
    first.saw(expected=1.0, seconds=9.0)
    assert short.ratio == first.ratio == 9.0
