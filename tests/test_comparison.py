"""Comparisons on the same folds, against SciPy, Student's t and a simulation in which the test is exact."""

import math

import numpy as np
import pytest
from scipy import stats

from lrtune.space.trial import Trial, TrialState
from lrtune.verdict.comparison import between, corrected_error, difference, t_quantile

FIRST, SECOND = [0.9, 0.8, 0.95, 0.9, 0.7], [0.8, 0.85, 0.9, 0.8, 0.65]


def test_a_difference_is_paired_and_corrected_for_shared_rows():
    found, gaps = difference(FIRST, SECOND), np.subtract(FIRST, SECOND)
    assert found.mean == pytest.approx(gaps.mean())
    assert found.error == pytest.approx(math.sqrt((1 / 5 + 1 / 4) * gaps.var(ddof=1)))
    assert (found.wins, found.folds) == (4, 5)
    repeated = difference(FIRST, SECOND, rows_ratio=1.0)
    assert repeated.error == pytest.approx(math.sqrt((1 / 5 + 1) * gaps.var(ddof=1)))


def test_without_shared_rows_it_is_the_paired_t_test():
    found, peer = difference(FIRST, SECOND, rows_ratio=0.0), stats.ttest_rel(FIRST, SECOND)
    assert found.p == pytest.approx(peer.pvalue)
    assert found.interval == pytest.approx(tuple(peer.confidence_interval(0.95)))
    assert found.probability == pytest.approx(1 - stats.ttest_rel(FIRST, SECOND, alternative="greater").pvalue)


def test_p_and_probability_are_those_of_students_t():
    found = difference(FIRST, SECOND)
    peer = stats.t(4, loc=found.mean, scale=found.error)
    assert found.probability == pytest.approx(peer.sf(0.0))
    assert found.p == pytest.approx(2 * peer.cdf(0.0))
    assert found.interval == pytest.approx(peer.interval(0.95))
    turned = difference(SECOND, FIRST)
    assert (turned.p, turned.probability) == (pytest.approx(found.p), pytest.approx(1 - found.probability))


def test_the_test_keeps_its_level_where_folds_correlate_as_it_assumes():
    # Differences that share a part with correlation rho = ratio / (1 + ratio) make the statistic exactly Student's t.
    rng, folds, ratio = np.random.default_rng(0), 5, 0.25
    rho = ratio / (1 + ratio)
    draws = math.sqrt(rho) * rng.normal(size=(4000, 1)) + math.sqrt(1 - rho) * rng.normal(size=(4000, folds))
    found = [difference(each, np.zeros(folds).tolist(), ratio).p for each in draws.tolist()]
    plain = [difference(each, np.zeros(folds).tolist(), 0.0).p for each in draws.tolist()]
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=3 * math.sqrt(0.05 * 0.95 / 4000))
    assert stats.kstest(found, "uniform").pvalue > 0.01
    assert np.mean(np.array(plain) < 0.05) > 0.1  # what the correction is for


@pytest.mark.parametrize("freedom", [1, 2, 4, 9, 10, 14, 29, 99])
def test_the_quantile_is_that_of_students_t(freedom):
    assert t_quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom))
    assert t_quantile(freedom, 0.8) == pytest.approx(stats.t.ppf(0.9, freedom))


def test_a_difference_is_clear_when_its_interval_leaves_out_zero():
    centred = [-0.02, -0.01, 0.0, 0.01, 0.02]
    half_width = float(math.sqrt((1 / 5 + 1 / 4) * np.var(centred, ddof=1)) * stats.t.ppf(0.975, 4))
    for share, clear in ((1.01, True), (0.99, False)):
        assert difference([each + share * half_width for each in centred], [0.0] * 5).is_clear is clear


def test_what_is_clear_by_eye_is_clear():
    assert difference([0.9, 0.91, 0.92], [0.8, 0.81, 0.83]).is_clear
    assert not difference([0.9, 0.91, 0.92], [0.8, 0.99, 0.9]).is_clear


def test_one_fold_says_nothing_about_chance():
    found = difference([0.9], [0.8])
    assert (found.error, found.p, found.probability, found.interval, found.is_clear) == (None, None, None, None, False)


@pytest.mark.parametrize(("gap", "p", "probability"), [(0.0, 1.0, 0.5), (0.25, 0.0, 1.0), (-0.25, 0.0, 0.0)])
def test_the_same_gap_on_every_fold_leaves_no_doubt(gap, p, probability):
    found = difference([0.5 + gap] * 3, [0.5] * 3)
    assert (found.mean, found.error, found.p, found.probability) == (gap, 0.0, p, probability)


def test_what_is_equal_is_neither_won_nor_clear():
    found = difference([0.5, 0.75, 0.25], [0.5, 0.75, 0.25])
    assert (found.wins, found.interval, found.is_clear, found.is_likely) == (0, (0.0, 0.0), False, False)
    assert difference([0.5, 0.8, 0.2], [0.5, 0.7, 0.3]).wins == 1


def test_the_error_of_one_series_is_corrected_alike():
    assert corrected_error(FIRST, 0.25) == pytest.approx(math.sqrt((1 / 5 + 1 / 4) * np.var(FIRST, ddof=1)))


@pytest.mark.parametrize("other", [[0.9], [0.9, None], []])
def test_configurations_scored_on_other_folds_are_not_compared(other):
    assert difference([0.9, 0.8], other) is None


def test_trials_are_compared_by_their_fold_scores():
    first, second = (Trial(n, {}, TrialState.COMPLETE, tuple(each)) for n, each in enumerate((FIRST, SECOND)))
    assert between(first, second, 0.5) == difference(FIRST, SECOND, 0.5)
