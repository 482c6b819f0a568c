import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.metrics import log_loss, mean_squared_error

from lrtune.training.losses import LOSSES

RNG = np.random.default_rng(5)
OUTPUTS = RNG.normal(size=(4, 7)) * 3.0
LABELS = np.array([0, 3, 2, 1, 1, 0, 3])
ONE_HOT = np.eye(4)[LABELS].T


def test_softmax_rows_are_the_log_loss():
    rows = LOSSES["softmax"].rows(OUTPUTS, ONE_HOT)
    assert rows.mean() == pytest.approx(log_loss(LABELS, softmax(OUTPUTS, axis=0).T), rel=1e-12)


def test_logistic_rows_are_the_log_loss():
    labels, outputs = LABELS % 2, OUTPUTS[:1]
    rows = LOSSES["logistic"].rows(outputs, labels[None].astype(float))
    assert rows.mean() == pytest.approx(log_loss(labels, expit(outputs[0])), rel=1e-12)


def test_squared_rows_are_half_the_squared_error():
    rows = LOSSES["squared"].rows(OUTPUTS[:1], OUTPUTS[1:2])
    assert 2.0 * rows.mean() == pytest.approx(mean_squared_error(OUTPUTS[0], OUTPUTS[1]), rel=1e-12)


@pytest.mark.parametrize(("loss", "outputs"), [("softmax", 4), ("logistic", 1), ("squared", 1)])
def test_gradients_are_those_of_central_differences_of_the_weighted_mean(loss, outputs):
    z, targets = OUTPUTS[:outputs].copy(), ONE_HOT[:outputs]
    weights = np.array([[1.0, 0.0, 2.0, 1.0, 0.5, 3.0, 1.0]])
    shares = weights / weights.sum()

    def value(z):
        return (LOSSES[loss].rows(z, targets) * shares[0]).sum()

    expected = np.empty_like(z)
    for place in np.ndindex(z.shape):
        up, down = z.copy(), z.copy()
        up[place] += 1e-6
        down[place] -= 1e-6
        expected[place] = (value(up) - value(down)) / 2e-6
    gradient = z.copy()
    LOSSES[loss].gradient(gradient, targets * shares, shares)
    np.testing.assert_allclose(gradient, expected, atol=1e-9)


def test_predictions_are_probabilities_in_double_precision():
    single = OUTPUTS.astype(np.float32)
    for found, expected in (
        (LOSSES["softmax"].prediction(single), softmax(single.astype(float), axis=0)),
        (LOSSES["logistic"].prediction(single[:1]), expit(single[:1].astype(float))),
        (LOSSES["squared"].prediction(single[:1]), single[:1].astype(float)),
    ):
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize("loss", ["softmax", "logistic"])
def test_extreme_outputs_have_finite_gradients(loss):
    z = np.array([[-2e3, 2e3, 0.0], [2e3, -2e3, 0.0]])[: 2 if loss == "softmax" else 1]
    targets = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]])[: len(z)]
    gradient = z.copy()
    with np.errstate(over="ignore"):
        LOSSES[loss].gradient(gradient, targets, np.ones((1, 3)))
    expected = np.array([[-1.0, 1.0, 0.5], [1.0, -1.0, -0.5]])[: len(z)]
    np.testing.assert_allclose(gradient, expected, atol=1e-12)


def test_outputs_far_out_are_certain_and_warn_nobody():
    outputs = np.array([[[-2000.0, 0.0, 2000.0]]])
    assert LOSSES["logistic"].prediction(outputs).tolist() == [[[0.0, 0.5, 1.0]]]


def test_losses_far_out_are_the_distance_from_the_right_side_and_warn_nobody():
    outputs, labels = np.array([[-2000.0, -2000.0, 2000.0, 2000.0]]), np.array([[0.0, 1.0, 0.0, 1.0]])
    assert LOSSES["logistic"].rows(outputs, labels).tolist() == [0.0, 2000.0, 2000.0, 0.0]
    both, targets = np.concatenate([np.zeros((1, 4)), outputs]), np.concatenate([1.0 - labels, labels])
    assert LOSSES["softmax"].rows(both, targets).tolist() == [0.0, 2000.0, 2000.0, 0.0]
