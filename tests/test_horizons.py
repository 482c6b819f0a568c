"""A compressed schedule is the same schedule on a shorter horizon."""

import numpy as np
import pytest

from lrtune.training.registry import DECAYS, complete, problems
from lrtune.training.schedules import tabulate
from lrtune.tuning.horizons import compressed

EPOCHS, STEPS = 27, 4
GIVEN = {"milestones": (3.0, 11.5), "every": 4.0, "period": 6.0, "k": 0.2, "timescale": 2.0, "gamma": 0.9}


def timed(name):
    return [factor for factor in DECAYS[name].factors if factor.time]


def forms():
    """Yield every decay with its defaults, and once more for each factor that counts epochs."""
    for name in sorted(set(DECAYS) - {"plateau"}):
        yield {"decay": name}
        for factor in timed(name):
            if factor.name in GIVEN:
                yield {"decay": name, f"decay.{factor.name}": GIVEN[factor.name]}
    yield {"decay": "cyclical", "decay.mode": "exp_range", "decay.gamma": 0.8}
    yield {"decay": "join", "decay.first": "step", "decay.first.every": 3.0, "decay.second": "exponential"}
    yield {"decay": "wall_clock", "decay.budget": 0.6, "decay.shape": "exponential", "decay.shape.k": 0.3}


@pytest.mark.parametrize("form", list(forms()), ids=lambda form: " ".join(map(str, form.values())))
@pytest.mark.parametrize("shorter", [3, 9])
def test_the_rates_are_the_same_function_of_the_share_of_the_horizon(form, shorter):
    """So many times more steps an epoch make up for the epochs: the tables must agree, update by update."""
    clock = {"decay.step_seconds": 0.01} if form["decay"] == "wall_clock" else {}
    long = complete({"learning_rate": 0.3, "warmup": 0.1, "epochs": EPOCHS, **form, **clock})
    short = dict(compressed(long, shorter))
    assert short["epochs"] == EPOCHS // shorter
    assert problems(short) == []
    if clock:
        short["decay.step_seconds"] /= shorter  # the updates of the comparison are as many as before
    expected = tabulate([long], [STEPS], EPOCHS)[:, 0, 0]
    found = tabulate([short], [STEPS * shorter], EPOCHS // shorter)[:, 0, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_what_counts_bad_epochs_is_rounded():
    long = complete({"decay": "plateau", "decay.patience": 5, "decay.cooldown": 1, "epochs": 27})
    short = compressed(long, 3)
    assert (short["decay.patience"], short["decay.cooldown"], short["epochs"]) == (2, 0, 9)


def test_a_horizon_is_not_compressed_below_what_a_decay_can_be_judged_on():
    assert compressed(complete({"epochs": 10}), 9)["epochs"] == 3
    few = complete({"epochs": 2, "decay": "step", "decay.every": 1.0})
    assert compressed(few, 9) == few
    assert compressed(complete({"epochs": 27}), 1) == complete({"epochs": 27})


def test_a_factor_that_says_epochs_says_how_it_scales():
    """A new factor in epochs or seconds without that would be wrong on every short horizon."""
    for entry in DECAYS.values():
        for factor in entry.factors:
            words = set(factor.meaning.replace(",", "").replace(";", "").split())
            counts = words & {"epochs", "seconds"} or "epoch" in words
            assert not counts or factor.time or factor.kind == "bool" or factor.name in ("step_seconds", "threshold")
