"""Rate factors: a parameter with one is trained as at a rate so many times as high, and the others as before."""

import dataclasses

import numpy as np
import pytest

from lrtune.training.networks import Network, network, parted, split
from lrtune.training.population import plan, start, train
from lrtune.training.rate_factors import rate_factors
from lrtune.training.registry import OPTIMIZERS, RATE_GROUPS, complete
from lrtune.training.tasks import Fold, Problem
from lrtune.training.updates import StepValues

FACTORS = {"first": 3.0, "hidden": 0.5, "last": 2.0, "bias": 0.1, "embedding": 0.25}
KEYS = {RATE_GROUPS[group]: each for group, each in FACTORS.items()}
COUPLED = ("natural_gradient", "prodigy")
"""What their step is in one parameter depends on the others."""


def values_of(name, rate, factors=None, weight_decay=0.0):
    filled = complete({"optimizer": name})
    given = {each.name: np.full((1, 1, 1), filled[f"optimizer.{each.name}"]) for each in OPTIMIZERS[name].factors}
    return StepValues(np.full((1, 1, 1), rate), given, np.full((1, 1, 1), weight_decay), None, factors)


def walk(name, gradients, rate, factors=None):
    """Follow gradients that are given, not those of where it gets to."""
    rule, point = OPTIMIZERS[name], np.linspace(-1.0, 1.0, gradients.shape[-1])[None, None].copy()
    state = rule.start(point, values_of(name, rate).factors)
    scratch = np.empty_like(point), np.empty_like(point)
    for number, gradient in enumerate(gradients):
        decay = 0.2 if rule.decays_itself else 0.0
        values = values_of(name, rate / (1.0 + number), factors, decay)
        rule.update(point, gradient[None, None].copy(), state, values, scratch, None)
    return rule.evaluated(point, state)[0, 0]


@pytest.mark.parametrize("name", [each for each in OPTIMIZERS if each not in COUPLED])
def test_a_parameter_with_a_factor_goes_the_way_of_that_rate(name):
    gradients = np.random.default_rng(0).normal(size=(12, 6))
    factors = np.array([0.5, 1.0, 4.0, 0.0, 1.0, 0.1])
    found = walk(name, gradients, 0.03, factors[None, None])
    for place, factor in enumerate(factors):
        alone = walk(name, gradients, 0.03 * factor)[place] if factor else np.linspace(-1.0, 1.0, 6)[place]
        assert found[place] == pytest.approx(alone, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_factor_of_nothing_keeps_a_parameter_where_it_is(name):
    """In a whole training, coupled optimizers included; and a factor of 1 changes no bit of the others' first step."""
    rng = np.random.default_rng(3)
    fold = Fold(0, rng.normal(size=(40, 3)), rng.integers(0, 3, 40), np.ones(40), np.zeros((2, 3)), np.zeros(2, int))
    shape = {"hidden": (5, 4), "epochs": 2, "batch_size": 8, "optimizer": name, "weight_decay": 0.1, "decoupled": True}
    frozen = shape | {RATE_GROUPS["first"]: 0.0, RATE_GROUPS["bias"]: 0.0}
    problem = Problem("softmax", 3, 3)
    shared = plan(complete(frozen), [fold], problem, batch_size=8, seed=0, dtype="float64")
    before = start([frozen], shared)
    after = train(before, shared)
    for old, new, moves in zip(
        split(shared.network, before.parameters[0, 0]),
        split(shared.network, after.parameters[0, 0]),
        (False, True, True),
        strict=True,
    ):
        np.testing.assert_array_equal(old[:, -1], new[:, -1])
        assert (old[:, :-1] != new[:, :-1]).all() if moves else (old[:, :-1] == new[:, :-1]).all()


def test_every_parameter_is_in_its_group():
    shape = Network((4, 5, 6, 3), "relu", "softmax", 3, (1, 3))
    (row,) = rate_factors([complete(KEYS)], shape, np.dtype(float))
    stack, layers = parted(shape, split(shape, row[0]))
    assert [set(each.ravel()) for each in stack] == [{0.25}, {0.25}]
    assert [set(each[:, :-1].ravel()) for each in layers] == [{3.0}, {0.5}, {2.0}]
    assert [set(each[:, -1]) for each in layers] == [{0.1}] * 3


def test_the_matrix_of_a_linear_model_is_the_last():
    shape = network(complete({"model": "linear"}), Problem("softmax", 3, 3), 4)
    (row,) = rate_factors([complete(KEYS)], shape, np.dtype(float))
    assert row.reshape(3, 5).tolist() == [[2.0, 2.0, 2.0, 2.0, 0.1]] * 3


def test_without_factors_there_is_no_array():
    shape = network(complete({}), Problem("softmax", 3, 3), 4)
    assert rate_factors([complete({}), complete({"rate_factors.first": 1.0})], shape, np.dtype(float)) is None


def test_decoupled_weight_decay_follows_the_rate_of_its_group():
    """Rows of weight zero have no gradient, so that nothing else moves the parameters."""
    rng = np.random.default_rng(19)
    fold = Fold(0, rng.normal(size=(20, 3)), rng.normal(size=20), np.zeros(20), np.zeros((2, 3)), np.zeros(2))
    shape = {"hidden": (4, 4), "optimizer": "sgd", "batch_size": 5, "epochs": 2, "decay": "linear"}
    chosen = shape | {"learning_rate": 0.1, "weight_decay": 0.5, "decoupled": True} | KEYS
    shared = plan(complete(chosen), [fold], Problem("squared", 1, 0), batch_size=5, seed=0, dtype="float64")
    population = start([chosen], shared)
    trained = train(population, shared)
    layers = zip(*(split(shared.network, each.parameters[0, 0]) for each in (population, trained)), strict=True)
    for (old, new), group in zip(layers, ("first", "hidden", "last"), strict=True):
        shrunk = np.prod([1.0 - 0.5 * 0.1 * FACTORS[group] * (1.0 - step / 8) for step in range(8)])
        np.testing.assert_allclose(new[:, :-1], shrunk * old[:, :-1], rtol=1e-12)


def test_coupled_weight_decay_is_part_of_the_gradient():
    rng = np.random.default_rng(5)
    fold = Fold(0, rng.normal(size=(16, 3)), rng.normal(size=16), np.ones(16), np.zeros((2, 3)), np.zeros(2))
    fold = dataclasses.replace(fold, weights=np.zeros(16))
    chosen = {"model": "linear", "optimizer": "sgd", "batch_size": 16, "epochs": 1, "decay": "constant"}
    chosen |= {"learning_rate": 0.1, "weight_decay": 0.5, RATE_GROUPS["last"]: 3.0}
    shared = plan(complete(chosen), [fold], Problem("squared", 1, 0), batch_size=16, seed=0, dtype="float64")
    population = start([chosen], shared)
    population.parameters[...] = [1.0, -2.0, 3.0, 4.0]
    expected = [1.0 - 0.15, -2.0 + 0.30, 3.0 - 0.45, 4.0 - 0.2]
    np.testing.assert_allclose(train(population, shared).parameters[0, 0], expected, rtol=1e-12)
