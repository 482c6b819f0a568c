"""Muon against a plain reading of its publication: one lane, one matrix, one step at a time, in double precision."""

import math

import numpy as np
import pytest

from lrtune.training.optimizers.muon import orthogonal, parts, products
from lrtune.training.registry import OPTIMIZERS, complete
from lrtune.training.updates import StepValues

RULE = OPTIMIZERS["muon"]
STACKS = ((2, 3, 2), (2, 2, 4))
SHAPES = {
    "one hidden layer": ((5, 4), (3, 6)),
    "two hidden layers": ((5, 9), (5, 6), (3, 6)),
    "an embedding": (*STACKS, (6, 5), (4, 7), (1, 5)),
    "a single unit and a single feature": ((4, 2), (1, 5), (2, 2)),
    "linear": ((3, 5),),
}
USUAL = {each.name: each.default for each in RULE.factors}


def published(parameters, gradients, shapes, rates, *, weight_decay, given):
    """Step as Jordan et al. and Liu et al. print it; ``gradients (T, P)``; the biases are a matrix's last column."""
    layers, start = [], sum(math.prod(each) for each in shapes if len(each) == 3)
    for rows, columns in [each for each in shapes if len(each) == 2]:
        layers.append((start, rows, columns))
        start += rows * columns
    orthogonalised = {}
    for first, rows, columns in layers[:-1]:
        if rows > 1 and columns > 2:
            places = np.arange(first, first + rows * columns).reshape(rows, columns)[:, :-1]
            orthogonalised[first] = places, np.zeros(places.shape)
    taken = [places.ravel() for places, _ in orthogonalised.values()]
    others = np.setdiff1d(np.arange(len(parameters)), np.concatenate([[-1], *taken]))
    point, mean, square = parameters.copy(), np.zeros(len(others)), np.zeros(len(others))
    for step, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        for places, momentum in orthogonalised.values():
            share = given["momentum"]
            momentum[...] = share * momentum + (1.0 - share) * gradient[places]
            update = newton_schulz((1.0 - share) * gradient[places] + share * momentum)
            fan_out, fan_in = places.shape
            if given["match_rms"]:
                update *= 0.2 * max(fan_out, fan_in) ** 0.5
            else:
                update *= max(1.0, fan_out / fan_in) ** 0.5
            point[places] = point[places] * (1.0 - rate * weight_decay) - rate * update
        slow = rate * given["adam_factor"]
        mean = given["beta1"] * mean + (1.0 - given["beta1"]) * gradient[others]
        square = given["beta2"] * square + (1.0 - given["beta2"]) * gradient[others] ** 2
        corrected = mean / (1.0 - given["beta1"] ** step), square / (1.0 - given["beta2"] ** step)
        point[others] *= 1.0 - slow * weight_decay
        point[others] -= slow * corrected[0] / (np.sqrt(corrected[1]) + given["epsilon"])
    return point


def newton_schulz(matrix):
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / (np.linalg.norm(x) + 1e-7)
    for _ in range(5):
        a = x @ x.T
        b = -4.7750 * a + 2.0315 * a @ a
        x = 3.4445 * x + b @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


def trained(parameters, gradients, shapes, rates, *, weight_decay, given, factors=None, momentum=None):
    point = parameters[None, None].copy()
    columns = {key: np.full((1, 1, 1), float(each)) for key, each in given.items()}
    state = RULE.start(point, columns, shapes)
    scratch = np.empty_like(point), np.empty_like(point)
    for gradient, rate in zip(gradients, rates, strict=True):
        decay = np.full((1, 1, 1), weight_decay)
        values = StepValues(np.full((1, 1, 1), rate), columns, decay, momentum, factors, shapes)
        RULE.update(point, gradient[None, None].copy(), state, values, scratch, None)
    return point[0, 0]


@pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("changed", [{}, {"match_rms": False, "adam_factor": 0.3, "momentum": 0.8, "beta2": 0.9}])
def test_it_is_what_was_published(shapes, changed):
    rng = np.random.default_rng(4)
    size = sum(map(math.prod, shapes))
    parameters, gradients, rates = rng.normal(size=size), rng.normal(size=(9, size)), np.linspace(0.1, 0.01, 9)
    rest = {"weight_decay": 0.3, "given": USUAL | changed}
    expected = published(parameters, gradients, shapes, rates, **rest)
    np.testing.assert_allclose(trained(parameters, gradients, shapes, rates, **rest), expected, rtol=1e-11, atol=1e-12)


def test_what_is_in_no_matrix_is_trained_as_by_adamw():
    """A linear model has no other parameters, so that both are the same there."""
    rng = np.random.default_rng(5)
    parameters, gradients = rng.normal(size=12), rng.normal(size=(5, 12))
    found = trained(parameters, gradients, ((3, 4),), [0.1] * 5, weight_decay=0.0, given=USUAL)
    adam, point = OPTIMIZERS["adamw"], parameters[None, None].copy()
    given = {each.name: np.full((1, 1, 1), each.default) for each in adam.factors}
    state = adam.start(point, given)
    for gradient in gradients:
        values = StepValues(np.full((1, 1, 1), 0.1), given, np.zeros((1, 1, 1)))
        adam.update(
            point, gradient[None, None].copy(), state, values, (np.empty_like(point), np.empty_like(point)), None
        )
    np.testing.assert_allclose(found, point[0, 0], rtol=1e-12)


@pytest.mark.parametrize("shape", [(5, 5), (3, 8), (8, 3), (2, 40)])
def test_singular_values_come_near_one_and_the_directions_stay(shape):
    rng = np.random.default_rng(6)
    matrix = rng.normal(size=(2, 3, *shape)) * 10.0 ** rng.uniform(-3.0, 3.0, size=(2, 3, 1, 1))
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    inside = left.swapaxes(-1, -2) @ orthogonal(matrix.copy()) @ right.swapaxes(-1, -2)
    lifted = values / np.linalg.norm(values, axis=-1, keepdims=True) > 0.02
    found = np.diagonal(inside, axis1=-2, axis2=-1)
    assert ((found > 0.6) & (found < 1.3))[lifted].all()
    assert np.abs(inside - found[..., None] * np.eye(min(shape))).max() < 1e-8


def test_a_gradient_of_nothing_moves_nothing():
    shapes = SHAPES["two hidden layers"]
    parameters = np.random.default_rng(7).normal(size=sum(map(math.prod, shapes)))
    nothing = np.zeros((3, len(parameters)))
    found = trained(parameters, nothing, shapes, [0.1] * 3, weight_decay=0.0, given=USUAL)
    np.testing.assert_array_equal(found, parameters)


def test_rate_factors_are_those_of_each_parameter():
    """Of a matrix as a whole: its rate is so many times as high."""
    shapes = SHAPES["two hidden layers"]
    rng = np.random.default_rng(8)
    size = sum(map(math.prod, shapes))
    parameters, gradients, rates = rng.normal(size=size), rng.normal(size=(6, size)), [0.05] * 6
    matrices, _ = parts(shapes, size)
    factors = np.full((1, 1, size), 0.5)
    matrices[0].of(factors)[...] = 3.0
    matrices[1].of(factors)[...] = 1.0
    rest = factors[0, 0] == 0.5
    options = {"weight_decay": 0.2, "given": USUAL}
    found = trained(parameters, gradients, shapes, rates, factors=factors, **options)
    faster = trained(parameters, gradients, shapes, [0.15] * 6, **options)
    slower = trained(parameters, gradients, shapes, [0.025] * 6, **options)
    same = trained(parameters, gradients, shapes, rates, **options)
    np.testing.assert_allclose(matrices[0].of(found), matrices[0].of(faster), rtol=1e-12)
    np.testing.assert_allclose(matrices[1].of(found), matrices[1].of(same), rtol=1e-12)
    np.testing.assert_allclose(found[rest], slower[rest], rtol=1e-12)


def test_a_momentum_that_a_schedule_moves_is_that_of_the_matrices_alone():
    shapes = SHAPES["two hidden layers"]
    rng = np.random.default_rng(9)
    size = sum(map(math.prod, shapes))
    start = rng.normal(size=size), rng.normal(size=(6, size)), shapes, [0.05] * 6
    moved = trained(*start, weight_decay=0.2, given=USUAL, momentum=np.full((1, 1, 1), 0.8))
    fixed = trained(*start, weight_decay=0.2, given=USUAL | {"momentum": 0.8})
    np.testing.assert_array_equal(moved, fixed)


def test_the_products_are_counted():
    assert products(((64, 31), (10, 65))) == 5 * (2 * 30 * 30 * 64 + 30**3)
    assert products(((10, 65),)) == 0


def test_its_own_range_and_both_rates_are_searched():
    assert RULE.rate.search.low < RULE.rate.default < RULE.rate.search.high
    (factor,) = (each for each in RULE.factors if each.name == "adam_factor")
    assert factor.search.low < factor.default < factor.search.high
    assert complete({"optimizer": "muon"})["optimizer.adam_factor"] == factor.default
