"""Decay by training time: the virtual clock of the study and the real one, which a test can turn by hand."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrtune.training.batches import effective_batch_size
from lrtune.training.evaluate import evaluate, fit
from lrtune.training.population import plan, start, train
from lrtune.training.registry import complete, problems
from lrtune.training.schedules import multipliers, tabulate
from lrtune.training.steps import UNSHAPED, Stepper
from lrtune.training.tasks import Fold, Problem

SQUARED = Problem("squared", 1, 0)
EXACT = {"rtol": 1e-12, "atol": 1e-15}


def a_fold(rows=24, index=0):
    rng = np.random.default_rng(index)
    x = rng.normal(size=(rows, 3))
    return Fold(index, x, rng.normal(size=rows), np.ones(rows), x, x[:, 0])


def configuration(**given):
    keys = ("budget", "shape", "step_seconds")
    named = {f"decay.{key}" if key.partition(".")[0] in keys else key: value for key, value in given.items()}
    return complete({"decay": "wall_clock", "model": "linear", "optimizer": "sgd", "batch_size": 8, **named})


def rates_used(monkeypatch, chosen, fold, **keywords):
    """Every rate that reaches the optimizer, in order."""
    used, step = [], Stepper.step

    def spy(stepper, batch, rates, momenta=None, shapes=UNSHAPED):
        used.append(rates[..., 0].copy())
        step(stepper, batch, rates, momenta, shapes)

    monkeypatch.setattr(Stepper, "step", spy)
    fit(chosen, fold, SQUARED, seed=0, dtype="float64", **keywords)
    return np.array(used)[:, 0, 0]


# --- the virtual clock


def test_every_update_counts_the_same_seconds():
    chosen = configuration(budget=2.0, step_seconds=0.25)
    expected = [1 - u * 0.25 / 2 for u in range(8)] + [0.0] * 4
    np.testing.assert_allclose(multipliers(chosen, 3, 4), expected, **EXACT)


def test_a_budget_that_lasts_as_long_as_the_horizon_gives_the_shape_itself():
    for shape in ("linear", "cosine", "exponential", "step", "rex", "wsd", "cosine_restarts"):
        clock = configuration(budget=12 * 0.5, step_seconds=0.5, shape=shape)
        plain = complete({"decay": shape})
        np.testing.assert_allclose(multipliers(clock, 3, 4), multipliers(plain, 3, 4), **EXACT)


def test_a_budget_longer_than_the_run_is_never_spent():
    rates = multipliers(configuration(budget=100.0, step_seconds=1.0, shape="cosine"), 5, 2)
    np.testing.assert_allclose(rates, [0.5 * (1 + math.cos(math.pi * u / 100)) for u in range(10)], **EXACT)


@pytest.mark.parametrize("shape", ["linear", "cosine", "exponential", "inverse_time", "inverse_sqrt", "step", "wsd"])
def test_after_the_budget_the_rate_stays_at_final(shape):
    chosen = configuration(budget=3.0, step_seconds=1.0, shape=shape, **{"shape.final": 0.2})
    np.testing.assert_allclose(multipliers(chosen, 4, 3)[3:], 0.2, **EXACT)


def test_an_exponential_shape_does_not_go_on_falling():
    chosen = configuration(budget=3.0, step_seconds=1.0, shape="exponential", **{"shape.k": 0.5})
    expected = [math.exp(-0.5 * 4 * min(u / 3, 1)) for u in range(12)]  # 4 epochs, squeezed into 3 seconds
    np.testing.assert_allclose(multipliers(chosen, 3, 4), expected, **EXACT)


def test_the_warm_up_comes_first_and_is_paid_from_the_budget():
    chosen = configuration(budget=3.0, step_seconds=0.25, warmup=0.25)
    rates = multipliers(chosen, 4, 4)
    np.testing.assert_allclose(rates[:4], [0.25, 0.5, 0.75, 1.0], **EXACT)
    np.testing.assert_allclose(rates[4:], [max(1 - u * 0.25 / 2, 0.0) for u in range(12)], **EXACT)


def test_a_warm_up_that_takes_the_whole_budget_leaves_the_end():
    chosen = configuration(budget=1.0, step_seconds=0.25, warmup=0.25, **{"shape.final": 0.1})
    np.testing.assert_allclose(multipliers(chosen, 4, 4), [0.25, 0.5, 0.75, 1.0] + [0.1] * 12, **EXACT)


def test_each_fold_spends_the_seconds_of_its_own_updates():
    chosen = configuration(budget=10.0, step_seconds=1.0, learning_rate=0.5)
    table = tabulate([chosen], (4, 2), 2)
    np.testing.assert_allclose(table[:, 0, 0], [0.5 * (1 - u / 10) for u in range(8)], **EXACT)
    np.testing.assert_allclose(table[[0, 1, 4, 5], 0, 1], [0.5 * (1 - u / 10) for u in range(4)], **EXACT)


@settings(deadline=None, max_examples=60)
@given(
    budget=st.floats(1e-6, 1e6),
    seconds=st.floats(1e-9, 1e3),
    warmup=st.sampled_from([0.0, 0.3, 0.9]),
    shape=st.sampled_from(["linear", "cosine", "exponential", "step", "multistep", "polynomial", "cosine_restarts"]),
)
def test_any_budget_and_any_speed_give_rates_between_zero_and_the_peak(budget, seconds, warmup, shape):
    rates = multipliers(configuration(budget=budget, step_seconds=seconds, shape=shape, warmup=warmup), 3, 5)
    assert np.isfinite(rates).all()
    assert ((rates >= -1e-12) & (rates <= 1.0)).all()
    assert rates[0] == (1.0 if warmup == 0.0 else 1 / math.floor(warmup * 15 + 0.5))


def test_a_budget_is_positive_and_shapes_are_decays_that_end():
    assert problems({"decay": "wall_clock", "decay.budget": 0.0})[0].startswith(
        "decay.budget: expected a number above 0"
    )
    assert problems({"decay": "wall_clock", "decay.step_seconds": 0.0})[0].startswith("decay.step_seconds: expected")
    assert problems({"decay": "wall_clock", "decay.shape": "plateau"})[0].startswith("decay.shape: expected one of")
    assert problems({"decay": "wall_clock", "decay.shape": "exponential", "decay.shape.final": 0.0}) != []
    assert problems({"decay": "wall_clock", "decay.shape": "cosine", "decay.shape.final": 0.0}) == []


# --- the real clock


def test_rates_follow_the_clock_that_is_handed_over(monkeypatch):
    """Uneven seconds: the clock is asked once before each update, and time runs from the first one."""
    times = [100.0, 100.5, 100.6, 102.0, 103.9, 104.0, 104.1, 200.0, 200.0]
    chosen = configuration(budget=4.0, learning_rate=0.1, epochs=3, **{"shape.final": 0.25})
    rates = rates_used(monkeypatch, chosen, a_fold(), clock=iter(times).__next__)
    expected = [0.1 * (1 - 0.75 * min((now - 100.0) / 4.0, 1.0)) for now in times]
    np.testing.assert_allclose(rates, expected, **EXACT)


def test_an_even_clock_gives_the_rates_of_the_virtual_one(monkeypatch):
    for warmup, shape in itertools.product((0.0, 0.3), ("cosine", "exponential")):
        keys = {"budget": 5.0, "shape": shape, "warmup": warmup, "epochs": 4, "learning_rate": 0.1}
        clock = (7.0 + 0.5 * update for update in itertools.count())
        real = rates_used(monkeypatch, configuration(**keys), a_fold(), clock=clock.__next__)
        virtual = rates_used(monkeypatch, configuration(step_seconds=0.5, **keys), a_fold())
        np.testing.assert_allclose(real, virtual, rtol=1e-12, atol=1e-15)


def test_the_shape_begins_when_the_warm_up_has_ended(monkeypatch):
    times = [0.0, 1.0, 3.0, 4.0, 5.0, 6.5]
    chosen = configuration(budget=6.0, learning_rate=1e-3, epochs=2, warmup=0.33)
    rates = rates_used(monkeypatch, chosen, a_fold(), clock=iter(times).__next__)
    left = 6.0 - 3.0
    np.testing.assert_allclose(rates / 1e-3, [0.5, 1.0, 1.0, 1 - 1 / left, 1 - 2 / left, 0.0], **EXACT)


def test_a_budget_spent_in_the_warm_up_leaves_the_end(monkeypatch):
    chosen = configuration(budget=1.5, learning_rate=1e-3, epochs=2, warmup=0.33, **{"shape.final": 0.1})
    rates = rates_used(monkeypatch, chosen, a_fold(), clock=map(float, itertools.count()).__next__)
    np.testing.assert_allclose(rates / 1e-3, [0.5, 1.0, 0.1, 0.1, 0.1, 0.1], **EXACT)


def test_a_fixed_speed_is_not_overruled_by_a_clock_and_other_decays_never_ask(monkeypatch):
    def never():
        raise AssertionError("asked")

    fixed = configuration(budget=4.0, step_seconds=1.0, epochs=2)
    rates = rates_used(monkeypatch, fixed, a_fold(), clock=never)
    np.testing.assert_allclose(rates / fixed["learning_rate"], [1, 0.75, 0.5, 0.25, 0, 0], **EXACT)
    fit({"decay": "linear", "epochs": 1}, a_fold(), SQUARED, seed=0, dtype="float64", clock=never)


def test_with_neither_speed_nor_clock_the_budget_lasts_for_the_horizon(monkeypatch):
    rates = rates_used(monkeypatch, configuration(budget=0.001, epochs=2, learning_rate=1.0e-3), a_fold())
    np.testing.assert_allclose(rates / 1e-3, [1 - u / 6 for u in range(6)], **EXACT)


def test_every_epoch_is_trained_even_if_the_budget_ends_before_it(monkeypatch):
    chosen = configuration(budget=1.0, step_seconds=1.0, epochs=5)
    assert len(rates_used(monkeypatch, chosen, a_fold())) == 5 * 3


# --- the invariants of the engine


def test_lanes_with_a_virtual_clock_keep_their_bits_in_company_and_in_pieces():
    folds = [a_fold(rows, index) for index, rows in enumerate((40, 23))]
    keys = {"epochs": 6, "batch_size": 8, "model": "linear"}
    members = [
        configuration(budget=0.5, step_seconds=0.1, **keys),
        complete({"decay": "cosine", **keys}),
        configuration(budget=9.0, step_seconds=0.1, warmup=0.2, shape="cosine", **keys),
    ]
    together = evaluate(members, folds, SQUARED, "rmse", seed=0, dtype="float32")
    for chosen, outcome in zip(members, together, strict=True):
        for place, fold in enumerate(folds):
            (alone,) = evaluate([chosen], [fold], SQUARED, "rmse", seed=0, dtype="float32")
            assert alone.scores[0] == outcome.scores[place]
    size = effective_batch_size(8, 40)
    shared = plan(members[0], folds, SQUARED, batch_size=size, seed=0, dtype="float32")
    population = start(members, shared)
    for until in range(6):
        pieces = train(train(population, shared, until), shared)
        np.testing.assert_array_equal(pieces.parameters, train(population, shared).parameters)
