"""Weight decay, dropout and label smoothing that change over the horizon."""

import math

import numpy as np
import pytest

from lrtune.training.batches import epoch_batches
from lrtune.training.population import plan, start, train
from lrtune.training.registry import SHAPED, SHAPES, complete
from lrtune.training.schedules import tabulate_shapes
from lrtune.training.steps import Stepper
from lrtune.training.tasks import Fold, Problem

SHAPE = {"hidden": (5, 4), "batch_size": 8, "epochs": 3, "optimizer": "momentum"}
AMOUNTS = {"weight_decay": 0.25, "dropout": 0.5, "label_smoothing": 0.25}
PROBLEM = Problem("softmax", 3, 3)


def a_fold(rows=24, weight=1.0):
    rng = np.random.default_rng(1)
    targets = rng.integers(0, 3, rows)
    return Fold(0, rng.normal(size=(rows, 3)), targets, np.full(rows, weight), np.zeros((2, 3)), targets[:2])


def prepared(configuration, fold):
    shared = plan(complete(configuration), [fold], PROBLEM, batch_size=8, seed=0, dtype="float64")
    return start([configuration], shared), shared


@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize("key", AMOUNTS)
def test_an_update_has_the_amount_of_its_time(key, decoupled):
    """That of half the amount is the same as one of the whole, halved by a shape."""
    given = SHAPE | {"decoupled": decoupled}
    found = []
    for whole, shape in ((AMOUNTS[key], 0.5), (0.5 * AMOUNTS[key], 1.0)):
        population, shared = prepared(given | {key: whole}, a_fold())
        stepper = Stepper(
            population.configurations,
            population.parameters,
            population.states,
            network=shared.network,
            batch_size=8,
            seed=0,
            folds=[0],
        )
        stepper.start_epoch(0)
        for batch in epoch_batches(shared.tables, 0, 0, 8):
            stepper.step(batch, np.full((1, 1, 1), 0.1), None, {key: np.full((1, 1, 1), shape)})
        found.append(population.parameters)
    np.testing.assert_array_equal(*found)


def test_decoupled_weight_decay_follows_its_shape_times_the_rate():
    """Rows of weight zero have no gradient; twelve updates, the shape falls in the second half of the horizon."""
    chosen = SHAPE | {"optimizer": "sgd", "epochs": 4, "decay": "linear", "warmup": 0.25, "learning_rate": 0.2}
    chosen |= {"weight_decay": 0.5, "decoupled": True, "over_time.weight_decay": "flat_cosine"}
    population, shared = prepared(chosen, a_fold(weight=0.0))
    shrunk = 1.0
    for update in range(12):
        rate = 0.2 * (update + 1) / 3 if update < 3 else 0.2 * (1.0 - (update - 3) / 9)
        shape = 1.0 if update < 6 else 0.5 * (1.0 + math.cos(math.pi * (update - 6) / 6))
        shrunk *= 1.0 - rate * 0.5 * shape
    np.testing.assert_allclose(train(population, shared).parameters, shrunk * population.parameters, rtol=1e-12)


def test_a_table_has_what_is_asked_for_and_ones_for_the_others():
    asking = [{}, {SHAPED["dropout"]: "linear"}]
    found = tabulate_shapes(asking, [2, 1], 2)
    assert list(found) == ["dropout"]
    np.testing.assert_array_equal(found["dropout"][:, 0], [[1, 1], [1, 0], [1, 1], [1, 0]])
    np.testing.assert_allclose(found["dropout"][:, 1], [[1.0, 1.0], [0.75, 0.0], [0.5, 0.5], [0.25, 0.0]])
    part = tabulate_shapes(asking, [2, 1], 2, start=1, stop=2)["dropout"]
    np.testing.assert_array_equal(part, found["dropout"][2:])
    assert tabulate_shapes([{}, {}], [2, 1], 2) == {}


def test_every_shape_is_a_function_of_time():
    assert {"constant", "cosine", "flat_cosine", "coslog4"} <= set(SHAPES)
    assert not {"plateau", "wall_clock", "join"} & set(SHAPES)
    for name in SHAPES:
        (table,) = tabulate_shapes([{SHAPED["dropout"]: name}], [4], 8).values() or [np.ones(32)]
        assert np.isfinite(table).all()


def test_the_shapes_of_dropout_change_the_training_and_only_with_dropout():
    fold = a_fold()
    plain, shaped = ({}, {SHAPED["dropout"]: "linear"})
    for amount, same in ((0.0, True), (0.5, False)):
        found = []
        for each in (plain, shaped):
            population, shared = prepared(SHAPE | {"dropout": amount} | each, fold)
            found.append(train(population, shared).parameters)
        assert np.array_equal(*found) == same
