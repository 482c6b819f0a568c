"""The control chart: its formulas by another road, what breaks a chain, and its rates on simulated nights."""

import itertools

import numpy as np
import pytest

from lrtune.nights.control import APART, BACK, FARTHEST, KNOWN, LIMIT, OWN, WEIGHT, WINDOW, Link, chart


def plain_sigma(before, errors):
    levels, variance = np.array(before), np.median(errors[-WINDOW:]) ** 2 / 2
    for apart, seen in ((1, levels[-WINDOW - 1 :]), (APART, levels)):
        walked = seen[apart:] - seen[:-apart]
        if len(walked):
            scale = (1.4826 * np.median(np.abs(walked))) ** 2 / 2
            scale = scale if apart == 1 else max(scale, variance)
            variance = (KNOWN * variance + len(walked) * scale) / (KNOWN + len(walked))
    return max(np.sqrt(variance), errors[-1] / np.sqrt(2))


def plain_chart(drifts, errors):
    """The module's formulas for one unbroken chain, written down anew with arrays."""
    levels, heard, told, found = [0.0], [], 0, [None]
    for night, level in enumerate(np.cumsum(drifts), 1):
        if told and level > levels[-1] + BACK * plain_sigma(levels, errors[:night]):
            levels, heard = levels[:-told], []
        sigma, share = plain_sigma(levels, errors[:night]), np.pi / 2 / min(len(levels), WINDOW)
        share = {1: 1.0, 2: 0.5}.get(len(levels), share)
        distance = (level - np.median(levels[-WINDOW:])) / sigma / np.sqrt(1 + share)
        heard.append(np.clip(distance, -FARTHEST, FARTHEST))
        weights = WEIGHT * (1 - WEIGHT) ** np.arange(len(levels))[::-1]
        found.append((weights[-len(heard) :] @ heard) / np.sqrt((weights**2).sum()))
        is_out = found[-1] < -LIMIT and heard[-1] < -OWN
        told = told + 1 if is_out and len(heard) > 1 else int(is_out)
        levels.append(level)
    return found


def test_the_statistic_is_the_weighted_mean_of_the_distances_in_its_own_deviations():
    rng = np.random.default_rng(3)
    drifts, errors = rng.normal(size=45) * 0.02, rng.uniform(0.01, 0.03, size=45)
    found = chart([Link(None), *map(Link, drifts, errors)])
    assert found[0] is None
    assert [each.statistic for each in found[1:]] == pytest.approx(plain_chart(drifts, errors)[1:], rel=1e-9)


def test_the_limit_is_the_level_at_which_the_night_turns_bad():
    rng = np.random.default_rng(4)
    links = [Link(None), *(Link(each, 0.02) for each in rng.normal(size=12) * 0.02)]
    before = chart(links)[-1].level
    last = chart([*links, Link(0.0, 0.02)])[-1]
    for beside, is_out in ((1e-6, False), (-1e-6, True)):
        level = last.limit + beside
        assert chart([*links, Link(level - before, 0.02)])[-1].is_out == is_out


def test_a_burst_that_was_told_is_struck_off_on_the_night_that_comes_back():
    steady = [Link(None), *(Link(sign * 0.01, 0.014) for _, sign in itertools.product(range(6), (1, -1)))]
    bad = chart([*steady, Link(-0.05, 0.014)])[-1]
    assert bad.is_out
    deviation = chart([*steady, Link(-0.05, 0.014), Link(0.0, 0.014)])[-1].deviation
    for beside, is_forgotten in ((-1e-6, False), (1e-6, True)):
        night = chart([*steady, Link(-0.05, 0.014), Link(BACK * deviation + beside, 0.014)])[-1]
        if is_forgotten:  # as if the champion had gone down to here without the night between
            rest = chart([*steady, Link(night.level - bad.level - 0.05, 0.014)])[-1]
            distance = (night.level - rest.median) / rest.deviation / np.sqrt(1 + np.pi / 2 / 13)
            weights = WEIGHT / (2 - WEIGHT) * (1 - (1 - WEIGHT) ** 26)
            alone = WEIGHT * max(distance, -FARTHEST) / np.sqrt(weights)
            assert (night.median, night.statistic) == pytest.approx((rest.median, alone), rel=1e-6)
        else:
            assert night.statistic < bad.statistic


@pytest.mark.parametrize("burst", [-0.03, -0.05, -0.2])
def test_the_limit_after_a_bad_night_is_the_level_at_which_the_next_turns_bad_too(burst):
    steady = [Link(None), *(Link(sign * 0.01, 0.014) for _, sign in itertools.product(range(6), (1, -1)))]
    links = [*steady, Link(burst, 0.014)]
    before = chart(links)[-1]
    assert before.is_out
    limit = chart([*links, Link(0.0, 0.014)])[-1].limit
    for step in (*np.linspace(-0.1, 0.3, 81), limit - before.level - 1e-6, limit - before.level + 1e-6):
        night = chart([*links, Link(step, 0.014)])[-1]
        assert night.is_out == (before.level + step < limit)


def test_a_broken_chain_begins_anew_and_a_table_that_repeats_says_nothing_new():
    chain = [Link(None), Link(-0.01, 0.02), Link(0.01, 0.02)]
    fresh = chart(chain)
    assert chart([*chain, *chain])[3:] == fresh
    repeated = chart([*chain, Link(None, repeats=True), Link(0.02, 0.02)])
    assert repeated[3] == repeated[2]
    assert repeated[4] == chart([*chain, Link(0.02, 0.02)])[-1]


def test_nights_without_any_error_are_not_judged():
    assert chart([Link(None), Link(0.0, 0.0)]) == [None, None]
    assert chart([]) == []


def test_the_rates_that_the_issue_asks_for_hold_on_simulated_nights():
    rng, worlds, nights, event = np.random.default_rng(5), 200, 45, 25
    noise = rng.normal(size=(worlds, nights))
    error = np.sqrt(2.0)

    def alarms(size):
        scores = noise - size * error * (np.arange(nights) >= event)
        drifts = np.diff(scores, axis=1)
        charts = [chart([Link(None), *(Link(each, error) for each in world)]) for world in drifts]
        return np.array([[each is not None and each.is_out for each in world] for world in charts])

    def after_a_burst():
        scores = noise - 3.0 * error * (np.arange(nights) >= event) * (np.arange(nights) < event + 2)
        charts = [chart([Link(None), *(Link(each, error) for each in world)]) for world in np.diff(scores, axis=1)]
        return np.mean([[each.is_out for each in world[event + 2 : event + 7]] for world in charts])

    assert 0.03 < alarms(0.0)[:, 1:].mean() < 0.07
    assert after_a_burst() < 0.05
    assert alarms(3.0)[:, event : event + 3].any(axis=1).mean() >= 0.95
    assert alarms(1.0)[:, event : event + 10].any(axis=1).mean() >= 0.8


def test_a_night_that_is_not_sure_of_itself_is_no_alarm():
    steady = [Link(None), *(Link(sign * 0.01, 0.014) for _, sign in itertools.product(range(6), (1, -1)))]
    assert [chart([*steady, Link(-0.05, error)])[-1].is_out for error in (0.014, 0.1)] == [True, False]


def test_levels_that_wander_are_not_taken_for_a_drift_as_often_as_by_what_neighbours_differ_by():
    rng = np.random.default_rng(11)
    wandering = [[Link(None), *(Link(each, 1.0) for each in rng.normal(size=60))] for _ in range(60)]
    rate = np.mean([[each.is_out for each in chart(world) if each] for world in wandering])
    assert rate < 0.3  # 0.36 without it


def test_it_is_one_sided():
    steady = [Link(None), *(Link(sign * 0.01, 0.014) for sign, _ in itertools.product((1, -1), range(6)))]
    assert not chart([*steady, Link(1.0, 0.014)])[-1].is_out
    assert chart([*steady, Link(-1.0, 0.014)])[-1].is_out
    assert LIMIT > 0


def test_one_night_however_bad_is_not_heard_on_the_next_when_that_is_as_before():
    steady = [Link(None), *(Link(sign * 0.01, 0.014) for _, sign in itertools.product(range(6), (1, -1)))]
    found = chart([*steady, Link(-5.0, 0.014), Link(5.0, 0.014)])
    assert [each.is_out for each in found[-2:]] == [True, False]
