import numpy as np
import pytest
from scipy.special import erf

from lrtune.training.activations import ACTIVATIONS

Z = np.linspace(-6.0, 6.0, 241)

FORMULAS = {
    "relu": lambda z: np.where(z > 0.0, z, 0.0),
    "tanh": lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)),
    "gelu": lambda z: 0.5 * z * (1.0 + np.tanh(np.sqrt(2.0 / np.pi) * (z + 0.044715 * z**3))),
}


def applied(name, z, dtype=np.float64):
    value = z.astype(dtype)
    slope = np.empty_like(value)
    ACTIVATIONS[name].apply(value, slope, np.empty_like(value))
    return value, slope


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_are_those_of_the_formula(name):
    np.testing.assert_allclose(applied(name, Z)[0], FORMULAS[name](Z), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_are_those_of_central_differences(name):
    z = Z[np.abs(Z) > 1e-3]
    step = 1e-6
    expected = (FORMULAS[name](z + step) - FORMULAS[name](z - step)) / (2.0 * step)
    np.testing.assert_allclose(applied(name, z)[1], expected, atol=1e-9)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_single_precision_is_close_to_double(name):
    for single, double in zip(applied(name, Z, np.float32), applied(name, Z), strict=True):
        assert single.dtype == np.float32
        np.testing.assert_allclose(single, double, atol=2e-6)


def test_gelu_is_close_to_the_exact_one():
    assert np.abs(applied("gelu", Z)[0] - 0.5 * Z * (1.0 + erf(Z / np.sqrt(2.0)))).max() < 5e-4


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_what_is_not_a_number_stays_visible(name):
    assert np.isnan(applied(name, np.array([np.nan]))[0]).all()
