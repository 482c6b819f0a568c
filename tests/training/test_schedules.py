"""Rates against PyTorch's values, and against the formulas of other libraries, written here by hand."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrtune.training.decays import functions as decays
from lrtune.training.declarations import Range
from lrtune.training.registry import DECAYS, TRAINING_KEYS, complete
from lrtune.training.schedules import decay_of, fixed_momentum, multipliers, tabulate, tabulate_momentum

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "torch_schedulers.json").read_text())
TORCH = {case["id"]: case for case in GOLDEN["cases"]}
EXACT = {"rtol": 1e-12, "atol": 1e-15}


def curve(name, steps, horizon, **factors):
    return getattr(decays, name)(np.arange(steps, dtype=float), horizon, **factors)


def lane(epochs, **configuration):
    """Rates of one step per epoch, relative to the peak."""
    return multipliers(complete(configuration), 1, epochs)


def torch_cases(kind):
    return [pytest.param(case, id=case["id"]) for case in GOLDEN["cases"] if case["schedule"] == kind]


def check_torch(case, rates, peak=None, steps=None):
    peak = case["base_lr"] if peak is None else peak
    expected = case["lr"][:steps]
    np.testing.assert_allclose(peak * np.asarray(rates)[: len(expected)], expected, **EXACT)


class TestTorch:
    @pytest.mark.parametrize("case", torch_cases("StepLR"))
    def test_step(self, case):
        given = case["params"]
        check_torch(case, curve("step", 40, 40.0, factor=given["gamma"], every=given["step_size"]))

    @pytest.mark.parametrize("case", torch_cases("MultiStepLR"))
    def test_multistep(self, case):
        given = case["params"]
        check_torch(case, curve("multistep", 40, 40.0, factor=given["gamma"], milestones=given["milestones"]))

    @pytest.mark.parametrize("case", torch_cases("ExponentialLR"))
    def test_exponential(self, case):
        check_torch(case, curve("exponential", 40, 40.0, k=-math.log(case["params"]["gamma"])))

    @pytest.mark.parametrize("case", torch_cases("PolynomialLR"))
    def test_polynomial(self, case):
        given = case["params"]
        check_torch(case, curve("polynomial", 30, given["total_iters"], power=given["power"], final=0.0))

    @pytest.mark.parametrize("case", torch_cases("LinearLR"))
    def test_linear(self, case):
        """A rising LinearLR is a warm-up with a start, any other one is a linear decay from its own peak."""
        first, last, total = (case["params"][key] for key in ("start_factor", "end_factor", "total_iters"))
        if first < last:
            rising = lane(30, decay="constant", warmup=total / 30, warmup_start=first)
            check_torch(case, rising)
        else:
            check_torch(case, first * curve("linear", 30, total, final=last / first), steps=None)

    @pytest.mark.parametrize("case", torch_cases("ConstantLR"))
    def test_constant_for_a_while_is_a_join(self, case):
        factor, total = case["params"]["factor"], case["params"]["total_iters"]
        low = curve("constant", 12, 12.0)
        rates = decays.join(
            np.arange(12.0),
            12.0,
            first=lambda epoch, _: np.full_like(epoch, factor),
            second=decays.constant,
            at=total / 12,
        )
        check_torch(case, rates * low)

    @pytest.mark.parametrize("case", torch_cases("CosineAnnealingLR"))
    def test_cosine(self, case):
        """PyTorch climbs again after T_max; here the rate stays."""
        horizon, final = case["params"]["T_max"], case["params"]["eta_min"] / case["base_lr"]
        rates = curve("cosine", 45, horizon, final=final)
        check_torch(case, rates, steps=horizon + 1)
        np.testing.assert_allclose(rates[horizon:], final, **EXACT)

    @pytest.mark.parametrize("case", torch_cases("CosineAnnealingWarmRestarts"))
    def test_cosine_restarts(self, case):
        given = case["params"]
        rates = curve(
            "cosine_restarts",
            80,
            80.0,
            period=given["T_0"],
            multiplier=given["T_mult"],
            peak_decay=1.0,
            final=given["eta_min"] / case["base_lr"],
        )
        check_torch(case, rates)

    @pytest.mark.parametrize("case", torch_cases("CyclicLR"))
    def test_cyclical(self, case):
        given = case["params"]
        period = given["step_size_up"] + (given["step_size_down"] or given["step_size_up"])
        swing = {
            "period": period,
            "rise": given["step_size_up"] / period,
            "mode": given["mode"],
            "gamma": given["gamma"],
        }
        rates = curve("cyclical", 40, 40.0, low=given["base_lr"] / given["max_lr"], **swing)
        check_torch(case, rates, peak=given["max_lr"])
        momentum = decays.cyclical_momentum(np.arange(40.0), 40.0, **swing, low_momentum=0.8, high_momentum=0.9)
        np.testing.assert_allclose(momentum, case["momentum"], **EXACT)

    @pytest.mark.parametrize("case", torch_cases("OneCycleLR"))
    def test_one_cycle(self, case):
        """PyTorch's phases end at ``pct_start * total_steps - 1`` and ``total_steps - 1``: its horizon is shorter."""
        given = case["params"]
        end = given["total_steps"] - 1
        peak_at = given.get("pct_start", 0.3) * given["total_steps"] - 1
        div, final_div = given.get("div_factor", 25.0), given.get("final_div_factor", 1e4)
        cycle = {
            "rise": peak_at / end,
            "tail": (end - 2 * peak_at) / (end - peak_at) if given.get("three_phase") else 0.0,
            "shape": "linear" if given.get("anneal_strategy") == "linear" else "cosine",
        }
        rates = curve("one_cycle", end + 1, end, initial=1 / div, final=1 / (div * final_div), **cycle)
        check_torch(case, rates, peak=given["max_lr"], steps=end + 1)
        momentum = decays.one_cycle_momentum(np.arange(end + 1.0), end, **cycle, low_momentum=0.85, high_momentum=0.95)
        np.testing.assert_allclose(momentum, case["momentum"][: end + 1], **EXACT)

    def test_lambdas(self):
        check_torch(TORCH["lambda_timebased"], curve("inverse_time", 40, 40.0, k=0.05))
        check_torch(TORCH["lambda_exp_seed"], curve("exponential", 40, 40.0, k=0.1))
        check_torch(TORCH["mult_0.95"], curve("exponential", 40, 40.0, k=-math.log(0.95)))

    def test_sequences(self):
        warm_cosine = lane(25, decay="cosine", warmup=5 / 25, warmup_start=0.1)
        check_torch(TORCH["seq_linwarm5_cos20"], warm_cosine, steps=25)
        stable = lane(
            40,
            decay="wsd",
            warmup=10 / 40,
            warmup_start=1e-3,
            **{"decay.shape": "linear", "decay.cooldown": 10 / 30},
        )
        check_torch(TORCH["seq_wsd_lin10_const_lin10"], stable, steps=40)
        joined = decays.join(
            np.arange(20.0),
            20.0,
            first=lambda epoch, _: np.full_like(epoch, 0.1),
            second=lambda epoch, horizon: decays.exponential(epoch, horizon, k=-math.log(0.9)),
            at=2 / 20,
        )
        check_torch(TORCH["seq_const2_exp"], joined)

    def test_averaging_schedules_are_short_decays(self):
        check_torch(TORCH["swalr_cos_10_0.01"], curve("cosine", 15, 10.0, final=0.1))
        check_torch(TORCH["swalr_linear_10_0.01"], curve("linear", 15, 10.0, final=0.1))


T = 30
STEPS = range(T)


class TestOtherLibraries:
    """Each list is the library's documented formula, for 30 steps; base rate 1."""

    def test_optax_exponential(self):
        np.testing.assert_allclose(curve("exponential", T, T, k=-math.log(0.5) / 7), [0.5 ** (t / 7) for t in STEPS])
        np.testing.assert_allclose(curve("step", T, T, factor=0.5, every=7), [0.5 ** (t // 7) for t in STEPS])

    def test_staircase(self):
        time = np.arange(3 * T) / 3.0
        stairs = decays.exponential(time, T, k=0.1, staircase=True)
        np.testing.assert_allclose(stairs, [math.exp(-0.1 * (t // 3)) for t in range(3 * T)], **EXACT)

    def test_optax_and_keras_polynomial(self):
        """optax: ``(init - end) * (1 - t / steps) ^ power + end``."""
        expected = [(1.0 - 0.1) * (1 - min(t, 20) / 20) ** 1.5 + 0.1 for t in STEPS]
        np.testing.assert_allclose(curve("polynomial", T, 20.0, power=1.5, final=0.1), expected, **EXACT)

    def test_optax_and_keras_cosine(self):
        """Keras: ``(1 - alpha) * 0.5 * (1 + cos(pi * min(t, steps) / steps)) + alpha``."""
        expected = [(1 - 0.2) * 0.5 * (1 + math.cos(math.pi * min(t, 20) / 20)) + 0.2 for t in STEPS]
        np.testing.assert_allclose(curve("cosine", T, 20.0, final=0.2), expected, **EXACT)

    def test_keras_cosine_with_warmup(self):
        """Keras' ``decay_steps`` leave the warm-up out; its warm-up starts at ``initial_learning_rate``."""
        warm, rest, first = 6, 24, 0.25
        expected = [
            first + (1 - first) * t / warm if t < warm else 0.5 * (1 + math.cos(math.pi * (t - warm) / rest))
            for t in STEPS
        ]
        np.testing.assert_allclose(lane(T, decay="cosine", warmup=warm / T, warmup_start=first), expected, **EXACT)

    def test_optax_warmup_exponential(self):
        """optax: linear from ``init_value``, then ``rate ^ ((t - warmup) / transition_steps)``."""
        expected = [t / 5 if t < 5 else 0.8 ** ((t - 5) / 4) for t in STEPS]
        rates = lane(T, decay="exponential", warmup=5 / T, warmup_start=0.0, **{"decay.k": -math.log(0.8) / 4})
        np.testing.assert_allclose(rates, expected, **EXACT)

    def test_keras_restarts(self):
        """Keras: peaks are multiplied by ``m_mul``, lengths by ``t_mul``; alpha 0."""
        expected, length, peak, left = [], 4, 1.0, 0
        for _ in STEPS:
            if left == length:
                length, peak, left = 2 * length, 0.7 * peak, 0
            expected.append(0.5 * peak * (1 + math.cos(math.pi * left / length)))
            left += 1
        rates = curve("cosine_restarts", T, T, period=4.0, multiplier=2.0, peak_decay=0.7, final=0.0)
        np.testing.assert_allclose(rates, expected, **EXACT)

    def test_timm_restarts_with_a_floor(self):
        """timm: ``lr_min + 0.5 * (peak * cycle_decay ^ i - lr_min) * (1 + cos)``."""
        expected = []
        for t in STEPS:
            cycle, inside = divmod(t, 10)
            expected.append(0.1 + 0.5 * (0.5**cycle - 0.1) * (1 + math.cos(math.pi * inside / 10)))
        rates = curve("cosine_restarts", T, T, period=10.0, multiplier=1.0, peak_decay=0.5, final=0.1)
        np.testing.assert_allclose(rates, expected, **EXACT)

    def test_timm_warmup_prefix(self):
        """timm: ``warmup_lr_init + t * (base - warmup_lr_init) / warmup_t``, then its own clock."""
        expected = [0.01 + t * 0.99 / 3 if t < 3 else 0.1 ** ((t - 3) // 5) for t in STEPS]
        rates = lane(T, decay="step", warmup=3 / T, warmup_start=0.01, **{"decay.factor": 0.1, "decay.every": 5.0})
        np.testing.assert_allclose(rates, expected, **EXACT)

    def test_timm_and_keras_milestones(self):
        """timm switches one step before the milestone, Keras one step after the boundary."""
        timm = [0.3 ** sum(t + 1 >= m for m in (10, 20)) for t in STEPS]
        keras = [0.3 ** sum(t > m for m in (10, 20)) for t in STEPS]
        np.testing.assert_allclose(curve("multistep", T, T, factor=0.3, milestones=(9, 19)), timm, **EXACT)
        np.testing.assert_allclose(curve("multistep", T, T, factor=0.3, milestones=(11, 21)), keras, **EXACT)

    def test_keras_inverse_time(self):
        expected = [1 / (1 + 0.5 * t / 4) for t in STEPS]
        np.testing.assert_allclose(curve("inverse_time", T, T, k=0.5 / 4), expected, **EXACT)

    def test_hugging_face_linear(self):
        warm = 5
        expected = [t / warm if t < warm else max(0.0, (T - t) / (T - warm)) for t in STEPS]
        np.testing.assert_allclose(lane(T, decay="linear", warmup=warm / T, warmup_start=0.0), expected, **EXACT)

    def test_hugging_face_hard_restarts(self):
        expected = [0.5 * (1 + math.cos(math.pi * ((3 * t / T) % 1.0))) for t in STEPS]
        rates = curve("cosine_restarts", T, T, cycles=3, multiplier=1.0, peak_decay=1.0, final=0.0)
        np.testing.assert_allclose(rates, expected, rtol=1e-9, atol=1e-12)

    def test_hugging_face_inverse_sqrt(self):
        """``1 / sqrt((t + shift) / timescale)`` with ``shift = timescale - warmup``."""
        warm, timescale = 4, 9
        expected = [t / warm if t < warm else 1 / math.sqrt((t + timescale - warm) / timescale) for t in STEPS]
        rates = lane(
            T, decay="inverse_sqrt", warmup=warm / T, warmup_start=0.0, **{"decay.timescale": float(timescale)}
        )
        np.testing.assert_allclose(rates, expected, **EXACT)

    def test_noam(self):
        """Vaswani et al.: ``min(t^-0.5, t * w^-1.5)``, here divided by its peak ``w^-0.5``, and t counts from 1."""
        warm = 6
        expected = [min((t + 1) ** -0.5, (t + 1) * warm**-1.5) * warm**0.5 for t in STEPS]
        rates = lane(T, decay="inverse_sqrt", warmup=(warm - 1) / T, warmup_start=1 / warm, **{"decay.timescale": 6.0})
        np.testing.assert_allclose(rates, expected, **EXACT)

    @pytest.mark.parametrize("shape", ["linear", "cosine", "1-sqrt"])
    def test_hugging_face_wsd(self, shape):
        warm, stable, cooldown, floor = 5, 15, 10, 0.1

        def rate(t):
            if t < warm:
                value = t / warm
            elif t < warm + stable:
                value = 1.0
            else:
                u = (t - warm - stable) / cooldown
                value = {"linear": 1 - u, "cosine": 0.5 * (1 + math.cos(math.pi * u)), "1-sqrt": 1 - math.sqrt(u)}[
                    shape
                ]
            return value * (1 - floor) + floor

        factors = {"decay.shape": shape, "decay.cooldown": cooldown / (stable + cooldown), "decay.final": floor}
        rates = lane(T, decay="wsd", warmup=warm / T, warmup_start=floor, **factors)
        np.testing.assert_allclose(rates, [rate(t) for t in STEPS], rtol=1e-9)

    def test_fastai_one_cycle(self):
        """fastai: cosine from 1 / div to 1 in ``pct_start``, then to 1 / div_final."""

        def between(start, end, share):
            return start + (1 + math.cos(math.pi * (1 - share))) * (end - start) / 2

        expected = [
            between(1 / 25, 1, t / T / 0.25) if t / T < 0.25 else between(1, 1e-5, (t / T - 0.25) / 0.75) for t in STEPS
        ]
        rates = curve("one_cycle", T, T, initial=1 / 25, rise=0.25, tail=0.0, shape="cosine", final=1e-5)
        np.testing.assert_allclose(rates, expected, **EXACT)

    def test_fastai_flat_cosine(self):
        expected = [1.0 if t / T < 0.75 else 0.5 * (1 + math.cos(math.pi * (t / T - 0.75) / 0.25)) for t in STEPS]
        np.testing.assert_allclose(curve("wsd", T, T, cooldown=0.25, shape="cosine", final=0.0), expected, **EXACT)

    def test_optax_linear_one_cycle(self):
        """optax: straight lines from ``1 / div`` to 1 at 30 %, ``1 / div`` at 85 %, ``1 / div / final_div`` at T."""
        total = 40
        expected = np.interp(np.arange(total), [0, 12, 34, 40], [1 / 25, 1, 1 / 25, 1 / 25 / 1e4])
        tail = (1 - 0.85) / (1 - 0.3)
        rates = curve("one_cycle", total, total, initial=1 / 25, rise=0.3, tail=tail, shape="linear", final=1 / 25e4)
        np.testing.assert_allclose(rates, expected, rtol=1e-9)

    def test_rex(self):
        expected = [(1 - t / T) / (0.5 + 0.5 * (1 - t / T)) for t in STEPS]
        np.testing.assert_allclose(curve("rex", T, T, final=0.0), expected, **EXACT)

    def test_clr_of_its_author(self):
        """bckenstler/CLR: ``cycle = floor(1 + t / (2 * size)); x = abs(t / size - 2 * cycle + 1)``."""

        def rate(t, size=4, low=0.2):
            cycle = math.floor(1 + t / (2 * size))
            x = abs(t / size - 2 * cycle + 1)
            return low + (1 - low) * max(0, 1 - x) / 2 ** (cycle - 1)

        rates = curve("cyclical", T, T, low=0.2, period=8.0, rise=0.5, mode="triangular2", gamma=1.0)
        np.testing.assert_allclose(rates, [rate(t) for t in STEPS], **EXACT)


class TestWarmup:
    def test_default_starts_at_one_share_and_ends_full(self):
        rates = lane(20, decay="constant", warmup=0.25)
        np.testing.assert_allclose(rates, [0.2, 0.4, 0.6, 0.8] + [1.0] * 16, **EXACT)

    @pytest.mark.parametrize("name", sorted(DECAYS))
    def test_of_one_step_or_none_changes_nothing(self, name):
        plain = lane(40, decay=name)
        np.testing.assert_array_equal(plain, lane(40, decay=name, warmup=0.01))

    def test_exponential(self):
        rates = lane(20, decay="constant", warmup=0.25, warmup_shape="exponential", warmup_start=0.01)
        np.testing.assert_allclose(rates[:5], [0.01 ** (1 - t / 5) for t in range(5)], **EXACT)
        assert rates[5] == 1.0

    def test_exponential_default_has_the_ends_of_the_linear_one(self):
        rates = lane(20, decay="constant", warmup=0.25, warmup_shape="exponential")
        np.testing.assert_allclose(rates[:5], [5 ** -(1 - t / 4) for t in range(5)], **EXACT)

    def test_leaves_a_step_for_the_decay(self):
        rates = lane(4, decay="linear", warmup=0.99)
        np.testing.assert_allclose(rates, [1 / 3, 2 / 3, 1.0, 1.0], **EXACT)

    @pytest.mark.parametrize(("share", "epochs", "risen"), [(0.17, 10, 2), (0.12, 10, 1), (0.28, 25, 7), (0.04, 10, 0)])
    def test_is_the_nearest_number_of_steps(self, share, epochs, risen):
        rates = lane(epochs, decay="constant", warmup=share, warmup_start=0.0)
        assert np.sum(rates < 1.0) == risen

    def test_refuses_to_rise_exponentially_from_zero(self):
        with pytest.raises(ValueError, match="cannot start from 0"):
            lane(20, decay="constant", warmup=0.25, warmup_shape="exponential", warmup_start=0.0)

    @pytest.mark.parametrize("name", sorted(set(DECAYS) - {"cyclical", "one_cycle"}))
    def test_composes_with_every_decay(self, name):
        rates = lane(40, decay=name, warmup=0.25)
        decay = decay_of(complete({"decay": name}))
        np.testing.assert_allclose(rates[:10], (np.arange(10) + 1) / 10, **EXACT)
        np.testing.assert_array_equal(rates[10:], decay(np.arange(30.0), 30.0))


class TestFinal:
    @pytest.mark.parametrize("name", [n for n, e in DECAYS.items() if "final" in {f.name for f in e.factors}])
    @pytest.mark.parametrize("final", [0.01, 0.3])
    def test_is_the_rate_at_the_end(self, name, final):
        configuration = complete({"decay": name, "decay.final": final})
        rate = decay_of(configuration)(np.array([0.0, 23.9999, 24.0]), 24.0)
        assert rate[-1] == pytest.approx(final, rel=1e-9)
        assert rate[0] in (1.0, 0.04)

    def test_determines_the_factor(self):
        np.testing.assert_allclose(
            curve("exponential", T, T, final=0.05), curve("exponential", T, T, k=-math.log(0.05) / T), **EXACT
        )
        np.testing.assert_allclose(
            curve("step", T, T, drops=2, final=0.04), curve("step", T, T, every=10, factor=0.2), **EXACT
        )
        np.testing.assert_allclose(
            curve("multistep", T, T, at=(0.5, 0.5, 1.0), final=0.04),
            curve("multistep", T, T, milestones=(15, 15, 30), factor=0.2),
            **EXACT,
        )

    @pytest.mark.parametrize(
        ("name", "both"),
        [
            ("exponential", {"k": 0.1, "final": 0.1}),
            ("inverse_time", {"k": 0.1, "final": 0.1}),
            ("inverse_sqrt", {"timescale": 1.0, "final": 0.1}),
            ("step", {"factor": 0.1, "final": 0.1, "drops": 2}),
            ("step", {"factor": 0.1, "every": 3.0, "drops": 2}),
            ("multistep", {"factor": 0.1, "at": (0.5,), "milestones": (3,)}),
            ("exponential", {}),
        ],
    )
    def test_giving_both_or_neither_is_refused(self, name, both):
        with pytest.raises(ValueError, match=f"{name}: give one of"):
            curve(name, T, T, **both)

    def test_without_a_drop_within_the_horizon_leaves_the_rate_alone(self):
        np.testing.assert_array_equal(curve("step", T, T, every=T, final=0.1), 1.0)
        np.testing.assert_array_equal(curve("multistep", T, T, milestones=(T + 5,), final=0.1), 1.0)


class TestExactness:
    def test_restarts_of_multiplier_three(self):
        """A logarithm finds the wrong cycle at every fifth restart, t = 121 * period."""
        for period in (1, 2, 5, 7):
            rates = curve(
                "cosine_restarts", 123 * period, 400.0 * period, period=period, multiplier=3, peak_decay=0.9, final=0.1
            )
            for index in range(6):
                start = period * (3**index - 1) // 2
                if start < len(rates):
                    assert rates[start] == pytest.approx(0.9**index, rel=1e-15)
                    assert rates[start + period // 2 + 1] < rates[start]

    @settings(deadline=None, max_examples=60)
    @given(steps=st.integers(1, 200), every=st.sampled_from([0.1, 0.3, 0.7, 1.0, 1.1, 2.5]))
    def test_jumps_are_never_a_step_late(self, steps, every):
        """The drops of a lane with any number of steps, by exact fractions."""
        tenths = round(every * 10)
        configuration = complete({"decay": "step", "decay.factor": 0.5, "decay.every": every})
        rates = multipliers(configuration, steps, 8)
        expected = [0.5 ** ((10 * t) // (tenths * steps)) for t in range(8 * steps)]
        np.testing.assert_allclose(rates, expected, rtol=1e-12, atol=0.0)

    def test_peaks_of_restarts_that_would_be_below_the_end_are_the_end(self):
        rates = curve("cosine_restarts", 31, 30.0, period=10.0, multiplier=1.0, peak_decay=0.5, final=0.3)
        assert rates[10] == pytest.approx(0.5)
        np.testing.assert_allclose(rates[20:], 0.3, rtol=1e-15)

    @settings(deadline=None, max_examples=40)
    @given(steps=st.integers(1, 97), cycles=st.integers(1, 6), multiplier=st.sampled_from([1.0, 1.5, 2.0, 3.0]))
    def test_cycles_end_with_the_horizon(self, steps, cycles, multiplier):
        given = {"cycles": cycles, "multiplier": multiplier, "peak_decay": 1.0, "final": 0.0}
        rates = decays.cosine_restarts(np.arange(12 * steps + 1) / steps, 12.0, **given)
        assert rates[-1] == pytest.approx(0.0, abs=1e-12)
        assert np.sum(np.diff(rates) > 0) <= cycles - 1


def legal(factor):
    """A strategy for legal values of a factor, from its default search dimension or around its default."""
    if isinstance(factor.search, Range):
        return st.floats(factor.search.low, factor.search.high)
    return st.sampled_from(factor.search or (factor.default,))


@st.composite
def configurations(draw):
    name = draw(st.sampled_from(sorted(DECAYS)))
    chosen = {
        "decay": name,
        "warmup": draw(st.sampled_from([0.0, 0.1, 0.5])),
        "learning_rate": draw(st.floats(1e-4, 1.0)),
    }
    for factor in DECAYS[name].factors:
        if draw(st.booleans()) and (not factor.replaces or f"decay.{factor.replaces}" not in chosen):
            chosen[f"decay.{factor.name}"] = draw(legal(factor))
    chosen["warmup_shape"] = draw(legal(TRAINING_KEYS["warmup_shape"]))
    return chosen


class TestTable:
    @settings(deadline=None, max_examples=80)
    @given(
        members=st.lists(configurations(), min_size=1, max_size=4),
        steps=st.lists(st.integers(1, 7), min_size=1, max_size=3),
        cut=st.integers(0, 6),
    )
    def test_lanes_and_segments_are_bitwise_the_same(self, members, steps, cut):
        table = tabulate(members, steps, 6)
        assert table.shape == (6 * max(steps), len(members), len(steps))
        assert np.isfinite(table).all()
        assert (table >= 0).all()
        pieces = [tabulate(members, steps, 6, stop=cut), tabulate(members, steps, 6, start=cut)]
        np.testing.assert_array_equal(table, np.concatenate(pieces))
        for place, member in enumerate(members):
            for fold, count in enumerate(steps):
                alone = tabulate([member], [count], 6).reshape(6, count)
                together = table[:, place, fold].reshape(6, max(steps))
                np.testing.assert_array_equal(together[:, :count], alone)
                np.testing.assert_array_equal(together[:, count:], 0.0)

    def test_is_in_units_of_the_learning_rate(self):
        table = tabulate([{"decay": "linear", "learning_rate": 0.4}], [2], 3)
        np.testing.assert_allclose(table[:, 0, 0], 0.4 * (1 - np.arange(6) / 6), **EXACT)

    def test_a_fold_of_any_size_sees_the_same_curve(self):
        table = tabulate([{"decay": "cosine", "learning_rate": 1.0}], [3, 6], 5).reshape(5, 6, 1, 2)
        np.testing.assert_allclose(table[:, :3, 0, 0], table[:, ::2, 0, 1], **EXACT)

    def test_momentum_only_where_it_is_cycled(self):
        cycled = {"decay": "one_cycle", "decay.cycle_momentum": True, "decay.shape": "linear", "decay.rise": 0.5}
        others = [{"optimizer": "adam", "decay": "cyclical"}, {"optimizer": "sgd"}, {"optimizer": "momentum"}]
        assert tabulate_momentum(others, [3], 4) is None
        table = tabulate_momentum([*others, cycled], [3], 4)
        np.testing.assert_array_equal(table[:, 0, 0], 0.9)
        np.testing.assert_array_equal(table[:, 1, 0], 0.0)
        np.testing.assert_allclose(table[:, 3, 0], np.interp(np.arange(12), [0, 6, 12], [0.95, 0.85, 0.95]), **EXACT)

    @pytest.mark.parametrize("name", ["one_cycle", "cyclical"])
    def test_the_momentum_waits_for_the_end_of_the_warm_up(self, name):
        cycled = {"decay": name, "decay.cycle_momentum": True}
        later = tabulate_momentum([{**cycled, "warmup": 0.2}], [2], 10)[:, 0, 0]
        alone = tabulate_momentum([cycled], [2], 8)[:, 0, 0]
        np.testing.assert_array_equal(later[:4], alone[0])
        np.testing.assert_array_equal(later[4:], alone)

    def test_a_momentum_that_is_called_beta1_is_kept_as_well(self):
        cycled = {"decay": "one_cycle", "decay.cycle_momentum": True}
        table = tabulate_momentum([cycled, {"optimizer": "adam", "optimizer.beta1": 0.8}], [2], 3)
        np.testing.assert_array_equal(table[:, 1, 0], 0.8)

    def test_momentum_of_a_join(self):
        joined = {
            "decay": "join",
            "decay.first": "one_cycle",
            "decay.first.cycle_momentum": True,
            "decay.second": "constant",
            "optimizer": "momentum",
            "optimizer.momentum": 0.7,
        }
        table = tabulate_momentum([joined], [2], 4)
        assert table[0, 0, 0] == 0.95
        np.testing.assert_array_equal(table[4:, 0, 0], 0.7)
        assert fixed_momentum(complete(joined)) == 0.7
        assert tabulate_momentum([{**joined, "decay.first": "linear"}], [2], 4) is None


class TestJoin:
    @pytest.mark.parametrize("first", [name for name in DECAYS if name != "join"])
    @pytest.mark.parametrize("second", [name for name in DECAYS if name != "join"])
    def test_of_any_two(self, first, second):
        joined = lane(20, decay="join", **{"decay.first": first, "decay.second": second, "decay.at": 0.4})
        one, two = (decay_of(complete({"decay": name})) for name in (first, second))
        np.testing.assert_array_equal(joined[:8], one(np.arange(8.0), 8.0))
        np.testing.assert_array_equal(joined[8:], two(np.arange(12.0), 12.0))

    def test_with_factors_of_its_own(self):
        rates = lane(10, decay="join", **{"decay.second": "exponential", "decay.second.k": 0.5})
        np.testing.assert_allclose(rates, [1.0] * 5 + [math.exp(-0.5 * t) for t in range(5)], **EXACT)


def test_coslog4_touches_zero_between_its_waves_and_one_at_their_tops():
    """Four waves that are 1, 2, 4 and 8 fifteenths of the horizon long."""
    ends = np.array([0.0, 1.0, 3.0, 7.0, 15.0])
    tops = 2.0 ** np.arange(0.5, 4.0) - 1.0
    np.testing.assert_allclose(decays.coslog4(ends, 15.0), 0.0, atol=1e-12)
    np.testing.assert_allclose(decays.coslog4(tops, 15.0), 1.0, atol=1e-12)
    assert decays.coslog4(np.array([40.0]), 15.0) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("flat", [0.0, 0.25, 0.75])
def test_flat_cosine_is_a_constant_rate_joined_to_a_cosine(flat):
    rates = lane(20, decay="flat_cosine", **{"decay.flat": flat, "decay.final": 0.1})
    kept = int(20 * flat)
    np.testing.assert_array_equal(rates[:kept], 1.0)
    np.testing.assert_allclose(rates[kept:], curve("cosine", 20 - kept, 20.0 - kept, final=0.1), rtol=1e-12)


@pytest.mark.parametrize(("name", "without"), [("exponential", 0.7**10), ("inverse_time", 1.0 / (1.0 + 0.4 * 10))])
def test_a_floor_is_where_the_fall_ends(name, without):
    factors = {"decay.k": -math.log(0.7) if name == "exponential" else 0.4}
    free = lane(30, decay=name, **factors)
    assert free[10] == pytest.approx(without)
    held = lane(30, decay=name, **factors, **{"decay.floor": 0.15})
    np.testing.assert_array_equal(held, np.where(free > 0.15, free, 0.15))
    assert held[-1] == 0.15 > free[-1]


def test_a_join_may_go_on_from_another_peak():
    """A fall that ends before the training does, and a rate for each of two pieces."""
    held = lane(10, decay="join", **{"decay.first": "linear", "decay.second": "constant", "decay.scale": 0.2})
    np.testing.assert_allclose(held, [1.0, 0.8, 0.6, 0.4, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2])
    pieces = lane(4, decay="join", **{"decay.first": "constant", "decay.second": "constant", "decay.scale": 0.3})
    np.testing.assert_array_equal(pieces, [1.0, 1.0, 0.3, 0.3])


def test_a_join_has_as_many_parts_as_one_likes():
    """A rate for each of three pieces; and a fall in each of two, then a third."""
    inner = {"decay.second": "join", "decay.second.first": "constant", "decay.second.second": "constant"}
    shares = {"decay.at": 0.25, "decay.scale": 0.5, "decay.second.at": 1.0 / 3.0, "decay.second.scale": 0.1}
    pieces = lane(8, decay="join", **{"decay.first": "constant"}, **inner, **shares)
    np.testing.assert_allclose(pieces, [1.0, 1.0, 0.5, 0.5, 0.05, 0.05, 0.05, 0.05], rtol=1e-12)
    falling = {"decay.first": "linear", "decay.second": "join"}
    falling |= {"decay.second.first": "linear", "decay.second.second": "linear"}
    found = lane(8, decay="join", **falling, **{"decay.scale": 0.5})
    np.testing.assert_allclose(found, [1.0, 0.75, 0.5, 0.25, 0.5, 0.25, 0.5, 0.25], rtol=1e-12)


def test_the_peak_of_a_second_decay_does_not_scale_its_momentum():
    joined = {"decay": "join", "decay.second": "one_cycle", "decay.second.cycle_momentum": True, "decay.scale": 0.1}
    (one, two) = (tabulate_momentum([{**joined, **more}], [2], 4) for more in ({}, {"decay.scale": 1.0}))
    np.testing.assert_array_equal(one, two)


def test_each_cycle_of_restarts_may_begin_with_a_rise():
    """A straight line to the cycle's peak, then the cosine on what is left of the cycle: here 10 epochs, twice."""
    given = {"decay.cycles": 2, "decay.multiplier": 1.0, "decay.peak_decay": 0.5, "decay.final": 0.1}
    rates = lane(20, decay="cosine_restarts", **given, **{"decay.rise": 0.4})
    for start, peak in ((0, 1.0), (10, 0.5)):
        rising = 0.1 + (peak - 0.1) * np.arange(4) / 4
        falling = 0.1 + (peak - 0.1) * 0.5 * (1.0 + np.cos(np.pi * np.arange(6) / 6))
        np.testing.assert_allclose(rates[start : start + 10], [*rising, *falling], rtol=1e-12)
