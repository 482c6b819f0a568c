"""The rate of every update of a fit, beside the schedules of lrtune itself and PyTorch's rule for plateaus."""

import numpy as np
import pytest

import lrtune
from lrtune.trainers.foreign.rates import Rates
from lrtune.training.registry import complete_schedule

STEPS, EPOCHS = 4, 6


@pytest.mark.parametrize(
    "shape",
    [
        {"decay": "constant"},
        {"decay": "cosine", "decay.final": 0.1},
        {"decay": "exponential", "decay.k": 0.3},
        {"decay": "step", "decay.drops": 2, "decay.factor": 0.5},
        {"decay": "linear", "warmup": 0.25},
    ],
)
def test_rates_are_those_of_the_schedule(shape):
    rates = Rates(complete_schedule({"learning_rate": 0.4, **shape}), EPOCHS, STEPS)
    expected = lrtune.Schedule.of({"learning_rate": 0.4, **shape}, steps_per_epoch=STEPS, epochs=EPOCHS).rates
    assert [rates.at(update) for update in range(STEPS * EPOCHS)] == expected.tolist()
    assert rates.at(STEPS * EPOCHS + 3) == expected[-1]
    assert rates.all().tolist() == expected.tolist()


def test_a_plateau_cuts_after_more_than_patience_bad_epochs():
    chosen = complete_schedule({"learning_rate": 1.0, "decay": "plateau", "decay.patience": 1, "decay.factor": 0.5})
    rates = Rates(chosen, EPOCHS, STEPS)
    assert rates.watches
    seen = []
    for epoch, loss in enumerate([1.0, 0.5, 0.5, 0.5, 0.5, 0.5]):  # good, good, bad, bad: cut; bad, bad: cut
        seen.append(rates.at(epoch * STEPS))
        rates.watch(loss, epoch)
    assert seen == [1.0, 1.0, 1.0, 1.0, 0.5, 0.5]
    assert rates.scales == (1.0, 1.0, 1.0, 1.0, 0.5, 0.5)


def test_known_scales_are_replayed_and_nothing_is_watched():
    chosen = complete_schedule({"learning_rate": 2.0, "decay": "plateau"})
    rates = Rates(chosen, 3, STEPS, scales=(1.0, 0.5, 0.25))
    assert not rates.watches
    assert [rates.at(epoch * STEPS) for epoch in range(3)] == [2.0, 1.0, 0.5]


def test_a_decay_by_time_asks_the_clock_once_before_every_update():
    ticks = iter(np.arange(0.0, 100.0, 1.0).tolist())
    chosen = complete_schedule({"learning_rate": 1.0, "decay": "wall_clock", "decay.budget": 12.0})
    rates = Rates(chosen, EPOCHS, STEPS, clock=lambda: next(ticks))
    first = rates.at(0)
    assert rates.at(0) == first  # asked again within an update, the clock is not
    seen = [rates.at(update) for update in range(1, 20)]
    assert next(ticks) == 20.0
    assert all(later <= earlier for earlier, later in zip([first, *seen], seen, strict=False))
    assert seen[-1] == rates.at(19)
    assert seen[12] == seen[-1]  # the budget is spent, and the rate stays


def test_the_momentum_is_told_where_the_decay_moves_it():
    cycled = complete_schedule({"learning_rate": 1.0, "decay": "one_cycle", "decay.cycle_momentum": True})
    assert Rates(cycled, EPOCHS, STEPS).momentum(0) is not None
    assert Rates(complete_schedule({"learning_rate": 1.0, "decay": "linear"}), EPOCHS, STEPS).momentum(0) is None
