"""Student's t beside SciPy's."""

import math

import numpy as np
import pytest
from scipy import stats

from lrtune.verdict.student import cdf, quantile


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 9, 14, 49, 299, 9999])
def test_the_distribution_is_that_of_scipy(freedom):
    for t in [0.0, 1e-9, 1e-3, 0.1, 0.7, 1.0, 2.3, 5.0, 17.0, 200.0, 1e6]:
        for each in (t, -t):
            assert cdf(each, freedom) == pytest.approx(stats.t.cdf(each, freedom), rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("freedom", [1, 2, 4, 9, 99, 9999])
@pytest.mark.parametrize("share", [0.001, 0.025, 0.3, 0.5, 0.8, 0.95, 0.975, 0.995, 0.99999])
def test_quantiles_are_those_of_scipy(freedom, share):
    assert quantile(share, freedom) == pytest.approx(stats.t.ppf(share, freedom), rel=1e-8, abs=1e-12)


def test_one_degree_of_freedom_is_cauchys_distribution():
    for t in np.linspace(-30, 30, 101):
        assert cdf(t, 1) == pytest.approx(0.5 + math.atan(t) / math.pi, abs=1e-13)


def test_the_ends():
    assert (cdf(math.inf, 3), cdf(-math.inf, 3)) == (1.0, 0.0)


def test_a_quantile_is_sought_once(monkeypatch):
    first = quantile(0.9123, 7)
    monkeypatch.setattr("lrtune.verdict.student.cdf", None)
    assert quantile(0.9123, 7) == first
