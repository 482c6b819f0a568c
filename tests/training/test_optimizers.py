"""Trajectories against PyTorch's values and published formulas; the contract that every optimizer keeps."""

import json
import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrtune.training.registry import OPTIMIZERS, complete
from lrtune.training.updates import StepValues

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "torch_optimizers.json").read_text())
MATRIX, TARGET, START = (np.array(GOLDEN["problem"][key]) for key in ("A", "b", "x0"))
FIXED = np.array(GOLDEN["fixed_grads"])
TORCH_RATES = {"SGD": 1e-3, "Adagrad": 1e-2, "RMSprop": 1e-2, "NAdam": 2e-3, "Adadelta": 1.0}
NAMES = {"alpha": "rho", "eps": "epsilon", "initial_accumulator_value": "accumulator"}
FIRST_ORDER = [name for name, optimizer in OPTIMIZERS.items() if not optimizer.needs_curvature]


def layers(size):
    """Part so many parameters into two layers, about half of them in the first, which is as square as can be."""
    rows = max(math.isqrt(size // 2), 1)
    return ((rows, rows + 1), (1, size - rows * (rows + 1))) if size > rows * (rows + 1) else ((1, size),)


class Lanes:
    """The least that an engine does: arrays for some configurations and folds, and decay of weights."""

    def __init__(self, name, factors, start, *, weight_decay=0.0, decoupled=False):
        """``factors``: one mapping per configuration; ``start (C, K, P)``."""
        self.rule, self.parameters = OPTIMIZERS[name], start.copy()
        filled = [complete({"optimizer": name, **{f"optimizer.{key}": each[key] for key in each}}) for each in factors]
        self.factors = {
            factor.name: np.array([each[f"optimizer.{factor.name}"] for each in filled], start.dtype).reshape(-1, 1, 1)
            for factor in OPTIMIZERS[name].factors
        }
        self.weight_decay = np.full((len(factors), 1, 1), weight_decay, start.dtype)
        self.decoupled = decoupled or OPTIMIZERS[name].decoupled
        self.shapes = layers(start.shape[-1])
        self.state = self.rule.start(self.parameters, self.factors, self.shapes)
        self.scratch = np.empty_like(start), np.empty_like(start)

    def step(self, gradient, rate, momentum=None):
        gradient = gradient.copy()
        rate = np.broadcast_to(np.asarray(rate, gradient.dtype), (*gradient.shape[:2], 1))
        if not self.decoupled:
            gradient += self.weight_decay * self.parameters
        elif not self.rule.decays_itself:
            self.parameters *= 1.0 - rate * self.weight_decay
        values = StepValues(rate, self.factors, self.weight_decay, momentum, None, self.shapes)
        self.rule.update(self.parameters, gradient, self.state, values, self.scratch, None)

    def scored(self):
        return self.rule.evaluated(self.parameters, self.state)


def quadratic(parameters):
    """Gradient of ``(x - b)' A (x - b) / 2`` in every lane."""
    return np.stack([[MATRIX @ (lane - TARGET) for lane in fold] for fold in parameters])


def read(case):
    """Translate PyTorch's parameters: name, rates, factors, weight decay, whether it is decoupled."""
    given, kind = dict(case["params"]), case["optimizer"]
    name = kind.lower()
    if kind == "SGD":
        name = "nesterov" if given.pop("nesterov", False) else "momentum" if "momentum" in given else "sgd"
    if given.pop("amsgrad", False):
        name = "amsgrad"
    rates = case.get("lr_seq") or [given.get("lr", TORCH_RATES.get(kind, 1e-3))] * 20
    given.pop("lr", None)
    decoupled = given.pop("decoupled_weight_decay", False)
    weight_decay = given.pop("weight_decay", 0.01 if kind == "AdamW" else 0.0)
    if "betas" in given:
        given["beta1"], given["beta2"] = given.pop("betas")
    return name, rates, {NAMES.get(key, key): value for key, value in given.items()}, weight_decay, decoupled


CASES = [pytest.param(case, id=case["id"]) for case in GOLDEN["cases"]]


class TestTorch:
    @pytest.mark.parametrize("case", CASES)
    def test_trajectory(self, case):
        name, rates, factors, weight_decay, decoupled = read(case)
        lanes = Lanes(name, [factors], START[None, None], weight_decay=weight_decay, decoupled=decoupled)
        for step, expected in enumerate(case["x"]):
            gradient = quadratic(lanes.parameters) if case["grad_mode"] == "quadratic" else FIXED[step][None, None]
            lanes.step(gradient, rates[step])
            np.testing.assert_allclose(lanes.parameters[0, 0], expected, rtol=1e-10, atol=1e-10)

    @pytest.mark.parametrize("name", sorted({read(case)[0] for case in GOLDEN["cases"]}))
    def test_trajectories_of_many_lanes_at_once(self, name):
        """All cases of an optimizer side by side, each on both problems: six lanes or more with their own factors."""
        cases = [(case, read(case)) for case in GOLDEN["cases"] if read(case)[0] == name]
        cases = [(case, given) for case, given in cases if given[3] == 0.0 or name == "adamw"]
        pairs = [(case, given) for case, given in cases if case["grad_mode"] == "quadratic"]
        others = {case["id"].split("|")[0]: case for case, _ in cases if case["grad_mode"] != "quadratic"}
        start = np.tile(START, (len(pairs), 2, 1))
        lanes = Lanes(name, [given[2] for _, given in pairs], start)
        lanes.weight_decay[:, 0, 0] = [given[3] for _, given in pairs]
        for step in range(20):
            gradient = np.stack([quadratic(lanes.parameters)[:, 0], np.tile(FIXED[step], (len(pairs), 1))], axis=1)
            lanes.step(gradient, np.array([given[1][step] for _, given in pairs]).reshape(-1, 1, 1))
            for place, (case, _) in enumerate(pairs):
                fixed = others[case["id"].split("|")[0]]
                expected = [case["x"][step], fixed["x"][step]]
                np.testing.assert_allclose(lanes.parameters[place], expected, rtol=1e-10, atol=1e-10)


def trajectory(name, rates, *, weight_decay=0.0, momenta=None, **factors):
    """Points at which one lane is scored, on the quadratic."""
    lanes = Lanes(name, [factors], START[None, None], weight_decay=weight_decay)
    points = []
    for step, rate in enumerate(rates):
        momentum = None if momenta is None else np.full((1, 1, 1), momenta[step])
        lanes.step(quadratic(lanes.parameters), rate, momentum)
        points.append(lanes.scored()[0, 0].copy())
    return np.array(points)


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.8])
def test_rmsprop_as_the_documentation_of_pytorch_writes_it(momentum, centred):
    """Square average, mean, buffer: three recurrences, one lane beside another one that has neither."""
    chosen = {"momentum": momentum, "centred": centred, "rho": 0.9, "epsilon": 1e-3}
    lanes = Lanes("rmsprop", [chosen, {"rho": 0.9, "epsilon": 1e-3}], np.tile(START, (2, 1, 1)))
    point, plain = START.copy(), Lanes("rmsprop", [{"rho": 0.9, "epsilon": 1e-3}], START[None, None])
    square, mean, buffer = np.zeros((3, len(START)))
    for step in range(20):
        rate, gradient = 0.05 / (1 + step), FIXED[step % len(FIXED)]
        square = 0.9 * square + 0.1 * gradient**2
        mean = 0.9 * mean + 0.1 * gradient
        spread = square - mean**2 if centred else square
        buffer = momentum * buffer + gradient / (np.sqrt(np.maximum(spread, 0.0)) + 1e-3)
        point = point - rate * buffer
        lanes.step(np.tile(gradient, (2, 1, 1)), rate)
        plain.step(gradient[None, None], rate)
        np.testing.assert_allclose(lanes.parameters[0, 0], point, rtol=1e-10)
        np.testing.assert_array_equal(lanes.parameters[1], plain.parameters[0])


def test_a_schedule_moves_the_momentum_of_rmsprop_only_where_it_has_one():
    moved = [0.9 - 0.01 * step for step in range(20)]
    given = {"rates": [0.01] * 20, "rho": 0.9}
    np.testing.assert_array_equal(trajectory("rmsprop", momenta=moved, **given), trajectory("rmsprop", **given))
    fixed = trajectory("rmsprop", momentum=0.8, **given)
    assert (trajectory("rmsprop", momenta=moved, momentum=0.8, **given) != fixed).any()
    np.testing.assert_array_equal(trajectory("rmsprop", momenta=[0.8] * 20, momentum=0.5, **given), fixed)


FALLING = [0.05 * (1 - t / 40) for t in range(30)]


class TestFormulas:
    """Published update rules, written as they are printed."""

    def test_lion(self):
        x, m, points = START.copy(), np.zeros(3), []
        for rate in FALLING:
            x = x - rate * 0.1 * x
            g = MATRIX @ (x / (1 - rate * 0.1) - TARGET)
            x = x - rate * np.sign(0.8 * m + 0.2 * g)
            m = 0.95 * m + 0.05 * g
            points.append(x)
        actual = trajectory("lion", FALLING, weight_decay=0.1, beta1=0.8, beta2=0.95)
        np.testing.assert_allclose(actual, points, rtol=1e-10, atol=1e-10)

    def test_lion_leaves_parameters_without_gradients_alone(self):
        lanes = Lanes("lion", [{}], np.ones((1, 1, 4)))
        lanes.step(np.array([[[1.0, 0.0, -2.0, -0.0]]]), 0.1)
        np.testing.assert_array_equal(lanes.parameters, [[[0.9, 1.0, 1.1, 1.0]]])

    @pytest.mark.parametrize("weight_decay", [0.0, 0.1])
    def test_schedule_free_sgd(self, weight_decay):
        x = z = START.copy()
        total = largest = 0.0
        points = []
        for rate in FALLING:
            y = 0.1 * z + 0.9 * x
            g = MATRIX @ (y - TARGET) + weight_decay * y
            z = z - rate * g
            largest = max(largest, rate)
            total += largest**2
            x = (1 - largest**2 / total) * x + largest**2 / total * z
            points.append(x)
        actual = trajectory("schedule_free_sgd", FALLING, weight_decay=weight_decay)
        np.testing.assert_allclose(actual, points, rtol=1e-10, atol=1e-10)

    @pytest.mark.parametrize("weight_decay", [0.0, 0.1])
    def test_schedule_free_adamw(self, weight_decay):
        rates = [0.0, 0.01, *FALLING]
        x = z = START.copy()
        v, total, largest, points = np.zeros(3), 0.0, 0.0, []
        for k, rate in enumerate(rates):
            y = 0.2 * z + 0.8 * x
            g = MATRIX @ (y - TARGET)
            v = 0.9 * v + 0.1 * g**2
            z = z - rate * weight_decay * y - rate * g / (np.sqrt(v / (1 - 0.9 ** (k + 1))) + 1e-3)
            largest = max(largest, rate)
            total += largest**2
            c = largest**2 / total if total else 0.0
            x = (1 - c) * x + c * z
            points.append(x)
        given = {"beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3}
        actual = trajectory("schedule_free_adamw", rates, weight_decay=weight_decay, **given)
        np.testing.assert_allclose(actual, points, rtol=1e-10, atol=1e-10)

    @pytest.mark.parametrize("weight_decay", [0.0, 0.1])
    def test_prodigy(self, weight_decay):
        rates = [1 - t / 60 for t in range(60)]
        b1, b2, epsilon, d0, coefficient = 0.9, 0.99, 1e-6, 1e-3, 1.5
        x, m, v, s = START.copy(), np.zeros(3), np.zeros(3), np.zeros(3)
        d, numerator, points = d0, 0.0, []
        for rate in rates:
            g = MATRIX @ (x - TARGET)
            step = d * rate
            numerator = math.sqrt(b2) * numerator + d / d0 * step * g @ (START - x)
            m = b1 * m + (1 - b1) * d * g
            v = b2 * v + (1 - b2) * d**2 * g**2
            s = math.sqrt(b2) * s + d / d0 * step * g
            d = max(d, coefficient * numerator / np.abs(s).sum())
            x = x - weight_decay * step * x - step * m / (np.sqrt(v) + d * epsilon)
            points.append(x)
        assert d > 100 * d0
        given = {"beta1": b1, "beta2": b2, "epsilon": epsilon, "d0": d0, "d_coef": coefficient}
        actual = trajectory("prodigy", rates, weight_decay=weight_decay, **given)
        np.testing.assert_allclose(actual, points, rtol=1e-10, atol=1e-10)

    def test_prodigy_ignores_steps_without_a_rate(self):
        rates = [1 - t / 60 for t in range(30)]
        interrupted = trajectory("prodigy", [0.0, *rates[:10], 0.0, 0.0, *rates[10:]], d0=1e-3)
        np.testing.assert_allclose(interrupted[-1], trajectory("prodigy", rates, d0=1e-3)[-1], rtol=1e-12)

    @pytest.mark.parametrize("name", ["adam", "amsgrad"])
    def test_cycled_beta1_weighs_gradients_as_an_average_should(self, name):
        """With beta1 changing, ``m = beta1_t * m + (1 - beta1_t) * g``, corrected by the product of all beta1."""
        momenta = [0.95 - 0.1 * math.sin(t / 5) for t in range(30)]
        x, m, v, product, points = START.copy(), np.zeros(3), np.zeros(3), 1.0, []
        largest = np.zeros(3)
        for t, (rate, beta1) in enumerate(zip(FALLING, momenta, strict=True)):
            g = MATRIX @ (x - TARGET)
            m, v, product = beta1 * m + (1 - beta1) * g, 0.999 * v + 0.001 * g**2, product * beta1
            largest = np.maximum(largest, v) if name == "amsgrad" else v
            x = x - rate * m / (1 - product) / (np.sqrt(largest / (1 - 0.999 ** (t + 1))) + 1e-8)
            points.append(x)
        actual = trajectory(name, FALLING, momenta=momenta)
        np.testing.assert_allclose(actual, points, rtol=1e-10, atol=1e-10)

    @pytest.mark.parametrize("name", ["momentum", "nesterov"])
    def test_cycled_momentum(self, name):
        momenta = [0.95 - 0.1 * math.sin(t / 5) for t in range(30)]
        x, v, points = START.copy(), np.zeros(3), []
        for rate, mu in zip(FALLING, momenta, strict=True):
            g = MATRIX @ (x - TARGET)
            v = mu * v + g
            x = x - rate * (g + mu * v if name == "nesterov" else v)
            points.append(x)
        np.testing.assert_allclose(trajectory(name, FALLING, momenta=momenta), points, rtol=1e-10, atol=1e-10)


def varied(name, count):
    """Factors that differ between configurations and are legal."""
    return [
        {
            factor.name: factor.default * (1 - 0.05 * place) if factor.default else 0.01 * place
            for factor in OPTIMIZERS[name].factors
        }
        for place in range(count)
    ]


def population(name, shape, dtype, steps=6, *, seed=0):
    """Make lanes with factors of their own, and random gradients and rates for them."""
    configurations, folds, _ = shape
    generator = np.random.default_rng(seed)
    start = generator.standard_normal(shape).astype(dtype)
    gradients = generator.standard_normal((steps, *shape)).astype(dtype)
    gradients[:, :, :, 0] = 0.0
    rates = OPTIMIZERS[name].rate.default * generator.uniform(0.5, 1.5, (steps, configurations, folds, 1))
    lanes = Lanes(name, varied(name, configurations), start, weight_decay=0.01)
    return lanes, gradients, rates.astype(dtype)


def train(lanes, gradients, rates):
    for gradient, rate in zip(gradients, rates, strict=True):
        lanes.step(gradient, rate)
    return lanes


def alone(lanes, gradients, rates, c, k):
    """Cut one lane out of a population that has not been trained yet."""
    part = object.__new__(Lanes)
    part.__dict__.update(lanes.__dict__)
    part.parameters = lanes.parameters[c : c + 1, k : k + 1].copy()
    part.factors = {name: each[c : c + 1] for name, each in lanes.factors.items()}
    part.weight_decay = lanes.weight_decay[c : c + 1]
    part.state = part.rule.start(part.parameters, part.factors, part.shapes)
    part.scratch = np.empty_like(part.parameters), np.empty_like(part.parameters)
    return part, gradients[:, c : c + 1, k : k + 1], rates[:, c : c + 1, k : k + 1]


class TestContract:
    @pytest.mark.parametrize("name", FIRST_ORDER)
    def test_decreases_a_quadratic(self, name):
        """A bowl of condition number 10 in 20 dimensions, 1,000 steps at ten times the default rate."""
        curvature = np.linspace(0.1, 1.0, 20)
        start = np.full((2, 2, 20), 1.0)
        lanes = Lanes(name, [{}, {}], start)
        rate = min(10 * OPTIMIZERS[name].rate.default, 1.0)
        for step in range(1000):
            lanes.step(curvature * lanes.parameters, rate * (1 - step / 1000))
        loss = 0.5 * np.sum(curvature * lanes.scored() ** 2, axis=-1)
        assert (loss < 0.05 * 0.5 * curvature.sum()).all(), loss

    @pytest.mark.parametrize("name", FIRST_ORDER)
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("size", [1, 7, 9001])
    def test_lanes_are_bitwise_independent(self, name, dtype, size):
        lanes, gradients, rates = population(name, (4, 3, size), dtype)
        parts = [(c, k, alone(lanes, gradients, rates, c, k)) for c in range(4) for k in range(3)]
        together = train(lanes, gradients, rates).scored()
        assert np.isfinite(together).all()
        for c, k, part in parts:
            np.testing.assert_array_equal(train(*part).scored()[0, 0], together[c, k])

    @pytest.mark.parametrize("name", FIRST_ORDER)
    def test_a_diverged_lane_does_not_touch_the_others(self, name):
        lanes, gradients, rates = population(name, (3, 2, 50), "float32")
        clean = train(lanes, gradients, rates).scored().copy()
        lanes, gradients, rates = population(name, (3, 2, 50), "float32")
        gradients[1, 1, 0] = np.nan
        gradients[2, 0, 1] = np.inf
        with np.errstate(all="ignore"):
            dirty = train(lanes, gradients, rates).scored()
        healthy = np.ones((3, 2), bool)
        healthy[1, 0] = healthy[0, 1] = False
        np.testing.assert_array_equal(dirty[healthy], clean[healthy])

    @pytest.mark.parametrize("name", FIRST_ORDER)
    @settings(deadline=None, max_examples=10)
    @given(keep=st.lists(st.booleans(), min_size=4, max_size=4).filter(any), cut=st.integers(0, 6))
    def test_dropping_lanes_on_the_way_changes_nothing(self, name, keep, cut):
        lanes, gradients, rates = population(name, (4, 2, 33), "float32")
        whole = train(lanes, gradients, rates).scored()[keep]
        lanes, gradients, rates = population(name, (4, 2, 33), "float32")
        train(lanes, gradients[:cut], rates[:cut])
        lanes.parameters, lanes.weight_decay = lanes.parameters[keep], lanes.weight_decay[keep]
        lanes.state = tuple(each[keep] for each in lanes.state)
        lanes.factors = {key: each[keep] for key, each in lanes.factors.items()}
        lanes.scratch = tuple(each[keep] for each in lanes.scratch)
        train(lanes, gradients[cut:, keep], rates[cut:, keep])
        np.testing.assert_array_equal(lanes.scored(), whole)

    @pytest.mark.parametrize("name", FIRST_ORDER)
    def test_folds_that_have_ended_are_left_out(self, name):
        """The last two steps touch only the first of two folds: views that are not contiguous."""
        lanes, gradients, rates = population(name, (3, 2, 40), "float32")
        short = [alone(lanes, gradients, rates, c, 1) for c in range(3)]
        long = [alone(lanes, gradients, rates, c, 0) for c in range(3)]
        train(lanes, gradients[:4], rates[:4])
        parameters, state, scratch = lanes.parameters, lanes.state, lanes.scratch
        lanes.parameters = parameters[:, :1]
        lanes.state = tuple(each[:, :1] for each in state)
        lanes.scratch = tuple(each[:, :1] for each in scratch)
        train(lanes, gradients[4:, :, :1], rates[4:, :, :1])
        final = lanes.rule.evaluated(parameters, state)
        for c in range(3):
            part, *data = short[c]
            np.testing.assert_array_equal(final[c, 1], train(part, *(each[:4] for each in data)).scored()[0, 0])
            np.testing.assert_array_equal(final[c, 0], train(*long[c]).scored()[0, 0])

    @pytest.mark.parametrize("name", FIRST_ORDER)
    def test_a_rate_of_zero_moves_nothing(self, name):
        lanes, gradients, rates = population(name, (2, 2, 5), "float64")
        before = lanes.scored().copy()
        np.testing.assert_array_equal(train(lanes, gradients, 0.0 * rates).scored(), before)

    @pytest.mark.parametrize("name", FIRST_ORDER)
    def test_updates_allocate_nothing_of_the_size_of_a_buffer(self, name):
        """Of that of all lanes: work on some of them at a time may have arrays of its own."""
        lanes, gradients, rates = population(name, (16, 2, 50_000), "float32", steps=2)
        lanes.step(gradients[0], rates[0])
        values = StepValues(rates[1], lanes.factors, lanes.weight_decay, shapes=lanes.shapes)
        gradient = gradients[1].copy()
        tracemalloc.start()
        lanes.rule.update(lanes.parameters, gradient, lanes.state, values, lanes.scratch, None)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 0.2 * gradient.nbytes

    @pytest.mark.parametrize("name", FIRST_ORDER)
    def test_uses_every_declared_factor_and_no_other(self, name):
        asked = set()

        class Recorder(dict):
            def __getitem__(self, key):
                asked.add(key)
                return super().__getitem__(key)

        lanes, gradients, rates = population(name, (1, 1, 13), "float64", steps=1)
        lanes.factors = Recorder(lanes.factors)
        lanes.state = lanes.rule.start(lanes.parameters, lanes.factors, lanes.shapes)
        train(lanes, gradients, rates)
        assert asked == {factor.name for factor in OPTIMIZERS[name].factors}

    @pytest.mark.parametrize("name", FIRST_ORDER)
    def test_parameters_stay_in_the_dtype_of_the_lanes(self, name):
        lanes, gradients, rates = population(name, (2, 2, 5), "float32")
        assert train(lanes, gradients, rates).scored().dtype == np.float32
        assert all(each.dtype == np.float32 for each in lanes.state if each.shape[-1] == 5)
