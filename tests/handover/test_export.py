"""Exported code against lrtune's own rates, at every update; with the real libraries where they are installed."""

import importlib.util
import math
import sys
import types

import numpy as np
import pytest

from lrtune.errors import ConfigurationError
from lrtune.handover.program import TARGETS, export
from lrtune.training import feedback
from lrtune.training.registry import DECAYS, complete
from lrtune.training.schedules import tabulate, tabulate_momentum

STEPS, EPOCHS = 7, 12
VARIANTS = [
    {"decay": "step", "decay.every": 3.3, "decay.final": 0.02},
    {"decay": "multistep", "decay.milestones": (0.0, 2.0, 2.0, 7.5)},
    {"decay": "multistep", "decay.final": 0.01},
    {"decay": "exponential", "decay.final": 0.01, "decay.staircase": True},
    {"decay": "inverse_time", "decay.final": 0.1},
    {"decay": "inverse_sqrt", "decay.final": 1.0},
    {"decay": "inverse_sqrt", "decay.final": 0.1},
    {"decay": "cosine_restarts", "decay.period": 1.0, "decay.multiplier": 3.0, "decay.peak_decay": 0.5},
    {"decay": "cosine_restarts", "decay.peak_decay": 0.3, "decay.final": 0.2},
    {"decay": "cyclical", "decay.mode": "triangular2", "decay.rise": 1.0, "decay.cycle_momentum": True},
    {"decay": "cyclical", "decay.mode": "exp_range", "decay.rise": 0.0, "decay.period": 2.5},
    {"decay": "one_cycle", "decay.tail": 0.3, "decay.shape": "linear", "decay.cycle_momentum": True},
    {"decay": "one_cycle", "decay.rise": 0.0},
    {"decay": "one_cycle", "decay.rise": 1.0},
    {"decay": "wsd", "decay.shape": "cosine"},
    {"decay": "wsd", "decay.shape": "linear", "decay.final": 0.1, "decay.cooldown": 1.0},
    {"decay": "join", "decay.first": "one_cycle", "decay.first.cycle_momentum": True, "decay.second": "step"},
    {"decay": "wall_clock", "decay.shape": "cosine", "decay.step_seconds": 0.1},
    {"decay": "cosine", "warmup": 0.2, "warmup_shape": "exponential", "warmup_start": 0.01},
    {"decay": "linear", "warmup": 0.1, "warmup_start": 0.0},
]
PLAIN = [{"decay": name} for name in DECAYS if name not in ("plateau", "wall_clock")]
CASES = [{"learning_rate": 0.3, **each, **more} for each in PLAIN + VARIANTS for more in ({}, {"warmup": 0.13})]


def label(case):
    return "-".join(f"{key.removeprefix('decay.')}={value}" for key, value in case.items() if key != "learning_rate")


def arithmetic(name):
    plain = getattr(float, name)
    return lambda self, other: Array(plain(self, float(other)))


def comparison(name):
    plain = getattr(float, name)
    return lambda self, other: Condition(plain(self, float(other)))


class Array(float):
    """A number that refuses to be branched on: what a traced array would do."""

    __add__, __radd__, __sub__, __rsub__ = map(arithmetic, ("__add__", "__radd__", "__sub__", "__rsub__"))
    __mul__, __rmul__, __pow__, __rpow__ = map(arithmetic, ("__mul__", "__rmul__", "__pow__", "__rpow__"))
    __truediv__, __rtruediv__ = map(arithmetic, ("__truediv__", "__rtruediv__"))
    __lt__, __le__, __gt__, __ge__ = map(comparison, ("__lt__", "__le__", "__gt__", "__ge__"))


class Condition:
    def __init__(self, holds):
        self.holds = holds

    def __bool__(self):
        raise TypeError("a traced condition has no truth value")


def where(condition, yes, no):
    return Array(yes if condition.holds else no)


def on_arrays(function):
    return lambda *numbers: Array(function(*map(float, numbers)))


ARRAYS = {name: on_arrays(getattr(math, name)) for name in ("cos", "exp", "sqrt", "floor")}
ARRAYS |= {"minimum": on_arrays(min), "maximum": on_arrays(max), "where": where, "cast": lambda x, _: Array(x)}


def module(name, **contents):
    made = types.ModuleType(name)
    made.__dict__.update(contents)
    return made


def anything(*_args, **_kwargs):
    return lambda each: each


def stand_ins():
    """Modules with just enough in them for exported code to be defined."""
    spaces = types.SimpleNamespace
    ops = module("keras.ops", **ARRAYS)
    keras = module("keras", ops=ops)
    keras.saving = spaces(register_keras_serializable=anything)
    keras.optimizers = spaces(schedules=spaces(LearningRateSchedule=object))
    keras.callbacks = spaces(Callback=object)
    jnp = module("jax.numpy", **ARRAYS)
    return {
        "torch": module("torch"),
        "keras": keras,
        "keras.ops": ops,
        "jax": module("jax", numpy=jnp),
        "jax.numpy": jnp,
        "optax": module("optax", sgd=None),
    }


@pytest.fixture
def define(monkeypatch):
    """Run exported code with stand-ins for the libraries; give what it defines."""

    def run(case, target, steps=STEPS, epochs=EPOCHS):
        for name, each in stand_ins().items():
            monkeypatch.setitem(sys.modules, name, each)
        text = export(case, steps, epochs, target)
        assert "lrtune." not in text
        assert "import lrtune" not in text
        defined = {"__name__": "exported"}
        exec(compile(text, "exported.py", "exec"), defined)
        return defined

    return run


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("case", CASES, ids=label)
def test_every_rate_is_the_tabulated_one(define, case, target):
    defined = define(case, target)
    number = float if target == "pytorch" else Array
    found = [float(defined["PEAK"] * defined["multiplier"](number(update))) for update in range(STEPS * EPOCHS)]
    expected = tabulate([case], [STEPS], EPOCHS)[:, 0, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    for update, rate in defined["EXPECTED"]:
        assert rate == expected[update]
    momenta = tabulate_momentum([case], [STEPS], EPOCHS)
    if momenta is not None:
        found = [float(defined["momentum"](number(update))) for update in range(STEPS * EPOCHS)]
        np.testing.assert_allclose(found, momenta[:, 0, 0], rtol=1e-9)


@pytest.mark.parametrize("case", [PLAIN[4], PLAIN[8]], ids=label)
@pytest.mark.parametrize(("steps", "epochs"), [(1, 1), (1, 30), (997, 3)])
def test_other_lengths(define, case, steps, epochs):
    defined = define({"warmup": 0.05, **case}, "pytorch", steps, epochs)
    found = [defined["PEAK"] * defined["multiplier"](update) for update in range(steps * epochs)]
    np.testing.assert_allclose(found, tabulate([{"warmup": 0.05, **case}], [steps], epochs)[:, 0, 0], rtol=1e-9)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("warmup", [0.0, 0.13])
@pytest.mark.parametrize("shape", ["step", "cosine"])
def test_the_real_clock_is_the_virtual_one_if_it_runs_evenly(define, target, warmup, shape):
    case = {"learning_rate": 0.3, "decay": "wall_clock", "decay.shape": shape, "decay.budget": 5.0, "warmup": warmup}
    defined, seconds = define(case, target), iter(0.1 * np.arange(STEPS * EPOCHS))
    clock = defined["WallClock"](lambda: float(next(seconds)))
    found = [defined["PEAK"] * clock(update) for update in range(STEPS * EPOCHS)]
    even = {**case, "decay.step_seconds": 0.1}
    np.testing.assert_allclose(found, tabulate([even], [STEPS], EPOCHS)[:, 0, 0], rtol=1e-9, atol=1e-12)


LOSSES = [
    1.0,
    0.8,
    0.79999,
    0.9,
    math.nan,
    0.7,
    0.71,
    0.72,
    0.73,
    0.69999,
    0.7,
    0.7,
    0.7,
    0.7,
    0.2,
    0.3,
    0.3,
    0.3,
    -1.0,
    -0.5,
]


@pytest.mark.parametrize("target", ["keras", "optax"])
@pytest.mark.parametrize("warmup", [0.0, 0.13])
@pytest.mark.parametrize("rules", [{"patience": 1}, {"patience": 0, "cooldown": 2}, {"minimum": 0.3, "threshold": 0.0}])
def test_the_plateau_rule_cuts_where_ours_does(define, target, warmup, rules):
    factors = {f"decay.{name}": value for name, value in rules.items()}
    case = complete({"decay": "plateau", "warmup": warmup, "decay.factor": 0.5, **factors})
    rule = define(case, target, 5, len(LOSSES))["Plateau"]()
    lanes = feedback.beginning((1, 1), len(LOSSES) + 1)
    first = feedback.first_epochs([case], [5], len(LOSSES))
    for epoch, loss in enumerate(LOSSES):
        feedback.update(lanes, np.array([[loss]]), epoch >= first, epoch, feedback.rules([case]))
        rule.see(loss)
        assert rule.scale == lanes.scales[0, 0, epoch + 1], epoch


def test_what_pytorch_cannot_follow_is_refused_in_a_sentence():
    with pytest.raises(ConfigurationError, match="has no warm-up"):
        export({"decay": "plateau", "warmup": 0.1}, STEPS, EPOCHS, "pytorch")


def test_formula_factors_and_source_are_in_the_file():
    text = export({"decay": "cosine", "decay.final": 0.01, "warmup": 0.1}, STEPS, EPOCHS, "pytorch")
    for piece in (DECAYS["cosine"].formula, "final = 0.01", "8 updates", "1608.03983", "PEAK = 0.01"):
        assert piece in text


LIBRARIES = {"pytorch": "torch", "keras": "keras", "optax": "optax"}


@pytest.mark.parametrize("target", [each for each, name in LIBRARIES.items() if importlib.util.find_spec(name)])
@pytest.mark.parametrize("case", [*CASES, {"decay": "plateau"}, {"decay": "wall_clock"}], ids=label)
def test_the_check_in_the_file_passes_with_the_real_library(target, case, capsys):
    defined = {"__name__": "exported"}
    exec(compile(export(case, STEPS, EPOCHS, target), "exported.py", "exec"), defined)
    defined["check"]()
    assert "all rates" in capsys.readouterr().out
