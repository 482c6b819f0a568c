from math import prod

import numpy as np
import pytest

from lrtune.training.losses import LOSSES
from lrtune.training.networks import (
    ROWS_AT_ONCE,
    Network,
    backward,
    forward,
    initial_parameters,
    outputs,
    split,
    with_ones,
    workspace,
)

FORMULAS = {
    "relu": lambda z: np.maximum(z, 0.0),
    "tanh": np.tanh,
    "gelu": lambda z: 0.5 * z * (1.0 + np.tanh(np.sqrt(2.0 / np.pi) * (z + 0.044715 * z**3))),
}


def embedded(places, flat, features):
    """What the first layer sees, and how many parameters that takes: three mixtures of 16 waves for each number."""
    waves = flat[: len(places) * 32].reshape(len(places), 16, 2)
    mixing = flat[len(places) * 32 : len(places) * 83].reshape(len(places), 3, 17)
    joined = [
        sum(each * np.cos(2 * np.pi * w * features[:, place] + b) for each, (w, b) in zip(mixture, own, strict=False))
        + mixture[-1]
        for place, own, mixtures in zip(places, waves, mixing, strict=True)
        for mixture in mixtures
    ]
    return np.column_stack([*joined, features]), len(places) * 83


def naive_outputs(net, flat, features):
    """One lane's outputs (N, O), row by row as in a textbook."""
    values, start = embedded(net.embedded, flat, features)
    for number, units in enumerate(net.widths[1:]):
        inputs = values.shape[1]
        layer = flat[start : start + units * (inputs + 1)].reshape(units, inputs + 1)
        start += layer.size
        values = values @ layer[:, :-1].T + layer[:, -1]
        if number < len(net.widths) - 2:
            values = FORMULAS[net.activation](values)
    return values


def lanes_of(net, shape, rng):
    return rng.normal(size=(*shape, net.size)) * 0.5


@pytest.mark.parametrize(
    ("hidden", "places"),
    [((), ()), ((5,), ()), ((4, 3), ()), ((3, 1, 4), ()), ((4,), (1,)), ((3, 2), (0, 1)), ((), (0,))],
)
@pytest.mark.parametrize("activation", FORMULAS)
@pytest.mark.parametrize(("loss", "width"), [("softmax", 3), ("logistic", 1), ("squared", 1)])
def test_gradients_are_those_of_central_differences(hidden, places, activation, loss, width):
    rng = np.random.default_rng([len(hidden), width])
    net, shape, batch = Network((2, *hidden, width), activation, loss, 3, places), (2, 3), 6
    flat = lanes_of(net, shape, rng)
    features = rng.normal(size=(shape[1], batch, 2))
    targets = rng.random((shape[1], width, batch))
    targets /= targets.sum(axis=1, keepdims=True) if loss == "softmax" else 1.0
    weights = rng.random((shape[1], 1, batch))
    weights[:, :, -1] = 0.0
    shares = weights / weights.sum(axis=-1, keepdims=True)

    gradient, space = np.empty_like(flat), workspace(net, shape, batch, flat.dtype)
    rows = np.concatenate([features, np.ones((shape[1], batch, 1))], axis=-1)
    found = forward(net, split(net, flat), rows.swapaxes(-1, -2), space)
    LOSSES[loss].gradient(found, targets * shares, shares)
    backward(net, split(net, flat), split(net, gradient), rows, space)

    def value(flat, fold):
        z = naive_outputs(net, flat, features[fold]).T
        return (LOSSES[loss].rows(z, targets[fold]) * shares[fold, 0]).sum()

    for lane in np.ndindex(shape):
        for place in range(net.size):
            up, down = flat[lane].copy(), flat[lane].copy()
            up[place] += 1e-6
            down[place] -= 1e-6
            expected = (value(up, lane[1]) - value(down, lane[1])) / 2e-6
            assert gradient[lane][place] == pytest.approx(expected, abs=2e-9)


def test_a_pass_leaves_the_inputs_and_deltas_of_every_layer():
    rng = np.random.default_rng(0)
    net = Network((3, 5, 4, 2), "tanh", "softmax", 2)
    flat = lanes_of(net, (1, 1), rng)
    rows = with_ones(rng.normal(size=(6, 3)), flat.dtype)[None]
    gradient, space = np.empty_like(flat), workspace(net, (1, 1), 6, flat.dtype)
    found = forward(net, split(net, flat), rows.swapaxes(-1, -2), space)
    LOSSES["softmax"].gradient(found, np.full((1, 2, 6), 1 / 12), np.full((1, 1, 6), 1 / 6))
    backward(net, split(net, flat), split(net, gradient), rows, space)
    inputs = [rows[None].swapaxes(-1, -2), *space.inputs]
    for each, delta, layer in zip(inputs, space.deltas, split(net, gradient), strict=True):
        np.testing.assert_allclose(delta[0, 0] @ each[0, 0].T, layer[0, 0], rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("places", [(), (2,), (0, 1, 3)])
@pytest.mark.parametrize("widths", [(4, 1), (4, 7, 3), (4, 5, 6, 2)])
def test_outputs_are_those_of_a_naive_network(widths, places, dtype):
    rng = np.random.default_rng(1)
    net = Network(widths, "gelu", "softmax", widths[-1], places)
    flat = lanes_of(net, (3,), rng).astype(dtype)
    features = rng.normal(size=(ROWS_AT_ONCE + 17, 4))
    found = outputs(net, split(net, flat), features)
    assert found.dtype == dtype
    for lane, values in zip(flat, found, strict=True):
        expected = naive_outputs(net, lane.astype(float), features).T
        np.testing.assert_allclose(values, expected, atol=1e-12 if dtype == "float64" else 2e-5)


def test_layers_are_views_of_the_flat_row():
    net = Network((3, 4, 2), "relu", "softmax", 2)
    flat = np.zeros((2, 3, net.size))
    for layer in split(net, flat[:, :2]):
        layer[...] = 1.0
    assert net.size == 4 * 4 + 2 * 5
    assert (flat[:, :2] == 1.0).all()
    assert (flat[:, 2] == 0.0).all()


@pytest.mark.parametrize(
    ("activation", "hidden_variance", "last_variance"),
    [("relu", 2 / 300, 2 / 402), ("gelu", 2 / 300, 2 / 402), ("tanh", 2 / 700, 2 / 402)],
)
def test_initial_weights_have_the_variance_that_suits_the_activation(activation, hidden_variance, last_variance):
    net = Network((300, 400, 2), activation, "softmax", 2)
    first, last = split(net, initial_parameters(net, np.random.default_rng(3)))
    assert first[:, :-1].var() == pytest.approx(hidden_variance, rel=0.03)
    assert last[:, :-1].var() == pytest.approx(last_variance, rel=0.15)
    assert (first[:, -1] == 0.0).all()
    assert (last[:, -1] == 0.0).all()


def test_embeddings_start_with_slow_waves_in_all_phases():
    """As published but for the spread of the waves: N(0, 0.3^2), a whole turn, and a linear layer's uniform weights."""
    net = Network((500, 4, 2), "relu", "softmax", 2, tuple(range(0, 500, 2)))
    waves, mixing, first, _ = split(net, initial_parameters(net, np.random.default_rng(3)))
    assert waves.shape == (250, 16, 2)
    assert mixing.shape == (250, 3, 17)
    assert first.shape == (4, 3 * 250 + 500 + 1)
    assert waves[..., 0].std() == pytest.approx(0.3, rel=0.05)
    assert waves[..., 0].mean() == pytest.approx(0.0, abs=0.03)
    for values, bound in ((waves[..., 1], np.pi), (mixing, 0.25)):
        assert values.min() == pytest.approx(-bound, rel=0.01)
        assert values.max() == pytest.approx(bound, rel=0.01)
        assert values.std() == pytest.approx(bound / np.sqrt(3), rel=0.05)
    assert first[:, :-1].var() == pytest.approx(2 / 1250, rel=0.1)


def test_a_linear_model_starts_at_zero():
    assert not initial_parameters(Network((5, 3), "relu", "softmax", 3), np.random.default_rng(0)).any()


def test_the_size_counts_weights_and_biases():
    net = Network((64, 64, 10), "relu", "softmax", 10)
    assert net.size == sum(prod(shape) for shape in net.shapes) == 65 * 64 + 65 * 10
