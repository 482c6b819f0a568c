"""Exported code against lrtune's own rates, at every update; with the real libraries where they are installed."""

import importlib.util
import math
import sys
import types
from fractions import Fraction

import numpy as np
import pytest

from lrtune.handover.program import TARGETS, export
from lrtune.text.errors import ConfigurationError
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
    {"decay": "cosine_restarts", "decay.cycles": 2, "decay.rise": 0.3, "decay.final": 0.1, "decay.peak_decay": 0.5},
    {"decay": "cyclical", "decay.mode": "triangular2", "decay.rise": 1.0, "decay.cycle_momentum": True},
    {"decay": "cyclical", "decay.mode": "exp_range", "decay.rise": 0.0, "decay.period": 2.5},
    {"decay": "one_cycle", "decay.tail": 0.3, "decay.shape": "linear", "decay.cycle_momentum": True},
    {"decay": "one_cycle", "decay.rise": 0.0},
    {"decay": "one_cycle", "decay.rise": 1.0},
    {"decay": "wsd", "decay.shape": "cosine"},
    {"decay": "wsd", "decay.shape": "linear", "decay.final": 0.1, "decay.cooldown": 1.0},
    {"decay": "join", "decay.first": "one_cycle", "decay.first.cycle_momentum": True, "decay.second": "step"},
    {"decay": "wall_clock", "decay.shape": "cosine", "decay.step_seconds": 0.1},
    {"decay": "exponential", "decay.k": 0.5, "decay.floor": 0.1},
    {"decay": "exponential", "decay.k": 0.5, "decay.floor": 0.1, "decay.staircase": True},
    {"decay": "inverse_time", "decay.k": 2.0, "decay.floor": 0.2},
    {"decay": "join", "decay.first": "linear", "decay.second": "constant", "decay.scale": 0.1, "decay.at": 0.6},
    {"decay": "join", "decay.first": "one_cycle", "decay.first.cycle_momentum": True, "decay.scale": 0.3},
    {"decay": "join", "decay.first": "linear", "decay.second": "join", "decay.scale": 0.5, "decay.at": 0.4}
    | {"decay.second.first": "step", "decay.second.second": "exponential", "decay.second.scale": 0.3},
    {"decay": "join", "decay.second": "join", "decay.second.second": "one_cycle"}
    | {"decay.second.second.cycle_momentum": True, "decay.second.scale": 0.3},
    {"decay": "flat_cosine", "decay.flat": 0.3, "decay.final": 0.05},
    {"decay": "cosine", "warmup": 0.2, "warmup_shape": "exponential", "warmup_start": 0.01},
    {"decay": "linear", "warmup": 0.1, "warmup_start": 0.0},
]
PLAIN = [{"decay": name} for name in DECAYS if name not in ("plateau", "wall_clock")]
CASES = [{"learning_rate": 0.3, **each, **more} for each in PLAIN + VARIANTS for more in ({}, {"warmup": 0.13})]


def label(case):
    return "-".join(f"{key.removeprefix('decay.')}={value}" for key, value in case.items() if key != "learning_rate")


def take(table, places, mode=None):
    """What arrays of single precision have at some places."""
    assert mode in (None, "clip")
    return np.asarray(table, dtype=np.float32)[np.clip(places, 0, len(table) - 1)]


OPS = {"take": take, "clip": np.clip, "cast": np.asarray, "convert_to_numpy": np.asarray}


def module(name, **contents):
    made = types.ModuleType(name)
    made.__dict__.update(contents)
    return made


def anything(*_args, **_kwargs):
    return lambda each: each


def stand_ins():
    """Modules with just enough in them for exported code to be defined."""
    spaces = types.SimpleNamespace
    ops = module("keras.ops", **OPS)
    keras = module("keras", ops=ops)
    keras.saving = spaces(register_keras_serializable=anything)
    keras.optimizers = spaces(schedules=spaces(LearningRateSchedule=object))
    keras.callbacks = spaces(Callback=object)
    jnp = module("jax.numpy", take=take, asarray=np.asarray, maximum=np.maximum)
    return {
        "torch": module("torch"),
        "keras": keras,
        "keras.ops": ops,
        "jax": module("jax", numpy=jnp),
        "jax.numpy": jnp,
        "optax": module("optax", sgd=None, incremental_update=incremental_update),
    }


@pytest.fixture
def define(monkeypatch):
    """Run exported code with stand-ins for the libraries; give what it defines."""

    def run(case, target, steps=STEPS, epochs=EPOCHS, change=("", "")):
        for name, each in stand_ins().items():
            monkeypatch.setitem(sys.modules, name, each)
        text = export(case, steps, epochs, target).replace(*change)
        assert change[1] in text
        assert "lrtune." not in text
        assert "import lrtune" not in text
        defined = {"__name__": "exported"}
        exec(compile(text, "exported.py", "exec"), defined)
        return defined

    return run


def rates_of(defined, target, updates):
    """Ask exported code for the rates of the first updates, as its library does."""
    if target == "keras":
        return defined["Schedule"]()(np.arange(updates))
    if target == "optax":
        return defined["schedule"](np.arange(updates))
    return np.array([defined["PEAK"] * defined["multiplier"](update) for update in range(updates)])


PRECISION = {"pytorch": 1e-9, "keras": 1e-7, "optax": 1e-7}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("case", CASES, ids=label)
def test_every_rate_is_the_tabulated_one(define, case, target):
    defined = define(case, target)
    expected = tabulate([case], [STEPS], EPOCHS)[:, 0, 0]
    found = rates_of(defined, target, STEPS * EPOCHS)
    np.testing.assert_allclose(found, expected, rtol=PRECISION[target], atol=1e-14)
    for update, rate in defined["EXPECTED"]:
        assert rate == expected[update]
    momenta = tabulate_momentum([case], [STEPS], EPOCHS)
    if momenta is not None:
        found = [defined["momentum"](update) for update in range(STEPS * EPOCHS)]
        np.testing.assert_allclose(found, momenta[:, 0, 0], rtol=1e-9)
        for update, momentum in defined["EXPECTED_MOMENTA"]:
            assert momentum == momenta[update, 0, 0]
        if target == "optax":
            found = defined["momentum_schedule"](np.arange(STEPS * EPOCHS))
            np.testing.assert_allclose(found, momenta[:, 0, 0], rtol=1e-7)


def exact(number):
    """Take a factor for what its digits say."""
    return Fraction(str(number))


def updates_at(times, steps, epochs, warm=0):
    """List the first updates at or after some times in epochs, in whole numbers."""
    updates = (warm + math.ceil(time * steps) for time in times)
    return sorted({each for each in updates if 0 < each < steps * epochs})


def multiples(length, epochs):
    return [index * length for index in range(1, math.ceil(epochs / length))]


def jumps(case, steps, epochs):
    """Work out at which updates the rates of some schedules jump; exactly, and without a formula of lrtune."""
    total = steps * epochs
    warm = math.floor(exact(case.get("warmup", 0)) * total + Fraction(1, 2))
    horizon = Fraction(total - warm, steps)
    length = horizon / exact(case.get("decay.cycles", 1))
    if "decay.every" in case:
        length = exact(case["decay.every"])
    elif "decay.drops" in case:
        length = horizon / (case["decay.drops"] + 1)
    elif case.get("decay.staircase"):
        length = Fraction(1)
    times = multiples(length, epochs)
    if case["decay"] == "multistep":
        times = [exact(each) * horizon for each in case["decay.at"]]
    elif case["decay"] == "cosine_restarts":
        ratio = exact(case["decay.multiplier"])
        first = horizon / sum(ratio**index for index in range(case["decay.cycles"]))
        times = [first * sum(ratio**index for index in range(some)) for some in range(1, case["decay.cycles"])]
    elif case["decay"] == "join":
        boundary = exact(case["decay.at"]) * horizon
        times = [boundary, *(boundary + each * (horizon - boundary) / 3 for each in (1, 2))]
    return updates_at(times, steps, epochs, warm)


def seen_jumps(case, rates, warm):
    """List the updates from the end of the warm-up on at which rates change the other way than between two jumps."""
    change = np.diff(rates)
    swings = case["decay"] == "cosine_restarts" or case.get("decay.rise") == 0.0
    jumped = change > 0 if swings else change < 0
    return [each for each in (np.flatnonzero(jumped) + 1).tolist() if each > warm]


JUMPING = [
    {"decay": "step", "decay.drops": 2},
    {"decay": "step", "decay.drops": 10, "decay.factor": 0.7},
    {"decay": "step", "decay.every": 1.0, "decay.factor": 0.8},
    {"decay": "step", "decay.every": 0.7, "decay.factor": 0.9},
    {"decay": "multistep", "decay.at": (0.3, 0.6, 0.7)},
    {"decay": "exponential", "decay.staircase": True, "decay.k": 0.2},
    {"decay": "cosine_restarts", "decay.cycles": 3, "decay.multiplier": 1.5, "decay.final": 0.01},
    {"decay": "cyclical", "decay.cycles": 7, "decay.rise": 1.0},
    {"decay": "cyclical", "decay.cycles": 5, "decay.rise": 0.0},
    {"decay": "join", "decay.at": 0.3, "decay.first": "step", "decay.first.factor": 1.5, "decay.first.drops": 1}
    | {"decay.second": "step", "decay.second.factor": 0.1, "decay.second.drops": 2},
]
LENGTHS = [(1001, 13), (5004, 3), (391, 17), (97, 31), (1009, 5), (7, 40)]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("warmup", [0.0, 0.1])
@pytest.mark.parametrize("case", JUMPING, ids=label)
def test_jumps_come_at_the_very_update_and_the_file_checks_each_of_them(define, case, warmup, target):
    case = {"learning_rate": 0.3, "warmup": warmup, **case}
    for steps, epochs in LENGTHS:
        defined, expected = define(case, target, steps, epochs), jumps(case, steps, epochs)
        warm = defined.get("WARMUP_STEPS", 0)
        rates = rates_of(defined, target, steps * epochs)
        assert seen_jumps(case, rates, warm) == expected
        assert seen_jumps(case, tabulate([case], [steps], epochs)[:, 0, 0], warm) == expected
        neighbours = {each + offset for each in (*expected, warm) for offset in (-1, 0, 1)}
        assert neighbours & set(range(steps * epochs)) <= {update for update, _ in defined["EXPECTED"]}


def test_the_check_in_the_file_notices_a_jump_that_comes_one_update_early(define, capsys):
    case = {"decay": "step", "decay.every": 1.0}
    defined = define(case, "keras", 1001, 30)
    defined["check"]()
    assert "all rates" in capsys.readouterr().out
    early = define(case, "keras", 1001, 30, change=("t / every + TOLERANCE", "t / every + 0.001"))
    with pytest.raises(AssertionError, match="1000, "):
        early["check"]()


@pytest.mark.parametrize(
    ("made_with", "rates", "expected"),
    [
        (0.01, [0.01], [0.3]),
        (0.3, [0.3], [0.3]),
        (1e-3, [1e-5, 1e-3], [0.003, 0.3]),
        (0.1, [0.1, 0.2], [0.3, 0.6]),  # twice the rate for biases
        (1e-3, [1e-5, 1e-4], [0.03, 0.3]),  # none has the optimizer's own
        (1e-3, [0.3, 0.6], [0.3, 0.6]),  # none has it, and one the peak
    ],
)
@pytest.mark.parametrize("decay", ["step", "plateau", "wall_clock"])
def test_parameter_groups_of_pytorch_keep_their_ratios(define, decay, made_with, rates, expected):
    defined = define({"decay": decay, "learning_rate": 0.3, "decay.minimum": 0.1}, "pytorch")
    groups = [{"lr": each} for each in rates]
    optimizer = types.SimpleNamespace(param_groups=groups, defaults={"lr": made_with})
    made = types.SimpleNamespace(LambdaLR=lambda _, factor: factor, ReduceLROnPlateau=lambda _, **factors: factors)
    defined["torch"].optim = types.SimpleNamespace(lr_scheduler=made)
    for _ in range(2):  # the second time from what the first has set
        scheduler = defined["scheduler"](optimizer)
        assert [each["lr"] for each in groups] == pytest.approx(expected, rel=1e-12)
        assert [each["initial_lr"] for each in groups] == pytest.approx(expected, rel=1e-12)
    if decay == "plateau":
        assert scheduler["min_lr"] == pytest.approx([0.1 * each for each in expected])
    else:
        assert scheduler is defined["multiplier"]


def test_after_the_planned_updates_the_rate_stays(define):
    for target in ("keras", "optax"):
        rates = rates_of(define({"decay": "linear", "decay.final": 0.1}, target), target, 2 * STEPS * EPOCHS)
        np.testing.assert_allclose(rates[STEPS * EPOCHS :], 0.001, rtol=1e-6)


def test_what_single_precision_and_the_velocity_of_keras_mean_is_said():
    texts = {target: export({"decay": "step"}, STEPS, EPOCHS, target) for target in TARGETS}
    assert [target for target, text in texts.items() if "single precision" in text] == ["keras", "optax"]
    assert [target for target, text in texts.items() if "v = m * v - rate * g" in text] == ["keras"]


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


# --- averages of the parameters

POINTS = np.random.default_rng(0).normal(size=(STEPS * EPOCHS, 3))
HALF_LIFE = 0.3
AVERAGED = {"decay": "cosine", "ema": HALF_LIFE}


def weighted_mean(points):
    """The mean that training takes, one point after another."""
    mean = points[0]
    for count, point in enumerate(points[1:], 2):
        share = max(1.0 - 0.5 ** (1.0 / (HALF_LIFE * STEPS)), 10.0 / (count + 9))
        mean = (1.0 - share) * mean + share * point
    return mean


class AveragedModel:
    """PyTorch's own, as its documentation has it: the first parameters are copied, further ones go to a function."""

    def __init__(self, _model, avg_fn):
        self.mean, self.count, self.avg_fn = None, 0, avg_fn

    def update_parameters(self, model):
        self.mean = model if self.count == 0 else self.avg_fn(self.mean, model, self.count)
        self.count += 1


def incremental_update(new_tensors, old_tensors, step_size):
    """Optax' own, as its documentation has it."""
    return step_size * new_tensors + (1.0 - step_size) * old_tensors


class Variable:
    value = None

    def assign(self, value):
        self.value = value


def test_exported_code_averages_as_training_does(define):
    torch = define(AVERAGED, "pytorch")
    torch["torch"].optim = types.SimpleNamespace(swa_utils=types.SimpleNamespace(AveragedModel=AveragedModel))
    keras, variable = define(AVERAGED, "keras"), Variable()
    keras["ops"].convert_to_numpy = np.asarray
    callback, model = keras["Average"](), torch["averaged"](None)
    callback.model = types.SimpleNamespace(trainable_variables=[variable])
    rule, mean = define(AVERAGED, "optax")["averaged"], np.full(3, 7.0)
    callback.on_train_begin()
    for update, point in enumerate(POINTS):
        expected = weighted_mean(POINTS[: update + 1])
        model.update_parameters(point)
        mean = rule(mean, point, update)
        variable.value = point
        callback.on_train_batch_end(update)
        for found in (model.mean, mean, callback.means[0]):
            np.testing.assert_allclose(found, expected, rtol=1e-10)
    callback.on_train_end()
    np.testing.assert_allclose(variable.value, weighted_mean(POINTS), rtol=1e-10)


@pytest.mark.parametrize("decay", ["cosine", "plateau", "wall_clock"])
@pytest.mark.parametrize("target", TARGETS)
def test_code_speaks_of_an_average_where_there_is_one(define, decay, target):
    with_one, without = (export({"decay": decay, "ema": each}, STEPS, EPOCHS, target) for each in (2.0, 0.0))
    assert "HALF_LIFE = 2.0" in with_one
    assert "KEPT" not in without
    define({"decay": decay, "ema": 2.0}, target)["check"]


LIBRARIES = {"pytorch": "torch", "keras": "keras", "optax": "optax"}


@pytest.mark.extra
@pytest.mark.parametrize("target", [each for each, name in LIBRARIES.items() if importlib.util.find_spec(name)])
@pytest.mark.parametrize("case", [*CASES, {"decay": "plateau"}, {"decay": "wall_clock"}, AVERAGED], ids=label)
def test_the_check_in_the_file_passes_with_the_real_library(target, case, capsys):
    defined = {"__name__": "exported"}
    exec(compile(export(case, STEPS, EPOCHS, target), "exported.py", "exec"), defined)
    defined["check"]()
    assert "all rates" in capsys.readouterr().out


@pytest.mark.extra
@pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="PyTorch is not installed")
def test_the_average_with_pytorch():
    import torch

    defined = {"__name__": "exported"}
    exec(compile(export(AVERAGED, STEPS, EPOCHS, "pytorch"), "exported.py", "exec"), defined)
    model = torch.nn.Linear(3, 1, bias=False, dtype=torch.float64)
    average = defined["averaged"](model)
    for point in POINTS:
        with torch.no_grad():
            model.weight.copy_(torch.tensor(point)[None])
        average.update_parameters(model)
    np.testing.assert_allclose(average.module.weight.detach().numpy()[0], weighted_mean(POINTS), rtol=1e-6)


@pytest.mark.extra
@pytest.mark.skipif(not importlib.util.find_spec("optax"), reason="optax is not installed")
def test_the_average_with_optax():
    defined = {"__name__": "exported"}
    exec(compile(export(AVERAGED, STEPS, EPOCHS, "optax"), "exported.py", "exec"), defined)
    mean = np.zeros(3, np.float32)
    for count, point in enumerate(POINTS):
        mean = defined["averaged"](mean, np.float32(point), count)
    np.testing.assert_allclose(mean, weighted_mean(POINTS), rtol=1e-4, atol=1e-5)


@pytest.mark.extra
@pytest.mark.skipif(not importlib.util.find_spec("keras"), reason="Keras is not installed")
def test_the_average_with_keras():
    keras = pytest.importorskip("keras")

    defined = {"__name__": "exported"}
    exec(compile(export(AVERAGED, STEPS, EPOCHS, "keras"), "exported.py", "exec"), defined)
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1, use_bias=False)])
    callback, (weights,) = defined["Average"](), model.trainable_variables
    callback.set_model(model)
    callback.on_train_begin()
    for point in POINTS:
        weights.assign(point[:, None])
        callback.on_train_batch_end(0)
    callback.on_train_end()
    np.testing.assert_allclose(np.asarray(weights.value)[:, 0], weighted_mean(POINTS), rtol=1e-5, atol=1e-6)
