"""Schedules as values: rates against closed formulas and PyTorch's numbers, and in an optimizer of PyTorch."""

import importlib.util
import json
import math
import pickle
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import lrtune
from lrtune.text.errors import ConfigurationError, LrtuneError, StudyError
from lrtune.training.registry import DECAYS

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "torch_schedulers.json").read_text())
TORCH = {case["id"]: case for case in GOLDEN["cases"]}

EPOCHS, STEPS = 12, 5
T = EPOCHS
FORMULAS = {
    "constant": ({}, lambda _: 1.0),
    "linear": ({"final": 0.1}, lambda t: 1 - 0.9 * t / T),
    "polynomial": ({"power": 3, "final": 0.2}, lambda t: 0.2 + 0.8 * (1 - t / T) ** 3),
    "step": ({"every": 2.5, "factor": 0.5}, lambda t: 0.5 ** math.floor(t / 2.5 + 1e-9)),
    "multistep": ({"at": [0.25, 0.5]}, lambda t: 0.1 ** ((t >= 0.25 * T) + (t >= 0.5 * T))),
    "exponential": ({"k": 0.3}, lambda t: math.exp(-0.3 * t)),
    "inverse_time": ({"k": 0.3}, lambda t: 1 / (1 + 0.3 * t)),
    "inverse_sqrt": ({"timescale": 2}, lambda t: 1 / math.sqrt(1 + t / 2)),
    "cosine": ({"final": 0.01}, lambda t: 0.01 + 0.99 * (1 + math.cos(math.pi * t / T)) / 2),
    "cosine_restarts": (
        {"period": 3, "multiplier": 1},
        lambda t: (1 + math.cos(math.pi * (t % 3) / 3)) / 2,
    ),
    "cyclical": ({"low": 0.2, "cycles": 2}, lambda t: 0.2 + 0.8 * (1 - abs(1 - 2 * (t % 6) / 6))),
    "one_cycle": (
        {"initial": 0.1, "rise": 0.25, "shape": "linear", "final": 0},
        lambda t: 0.1 + 0.9 * t / 3 if t < 3 else 1 - (t - 3) / 9,
    ),
    "wsd": ({"cooldown": 0.5}, lambda t: 1 - math.sqrt(max(0, t - 6) / 6)),
    "rex": ({}, lambda t: (1 - t / T) / (1 - t / T / 2)),
    "flat_cosine": ({"flat": 0.25}, lambda t: 1 if t < 3 else (1 + math.cos(math.pi * (t - 3) / 9)) / 2),
    "coslog4": ({}, lambda t: (1 - math.cos(2 * math.pi * math.log2(1 + 15 * t / T))) / 2),
    "join": (
        {"first": {"exponential": {"k": 0.5}}, "second": "linear", "at": 0.25},
        lambda t: math.exp(-0.5 * t) if t < 3 else 1 - (t - 3) / 9,
    ),
    "wall_clock": (
        {"shape": "linear", "budget": 2, "step_seconds": 0.05},
        lambda t: max(0, 1 - t * STEPS * 0.05 / 2),
    ),
}


def test_every_decay_that_is_known_before_the_training_has_a_formula_here():
    assert set(FORMULAS) == set(DECAYS) - {"plateau"}


@pytest.mark.parametrize("name", FORMULAS)
def test_rates_follow_the_formula(name):
    factors, formula = FORMULAS[name]
    schedule = lrtune.Schedule(name, learning_rate=0.3, epochs=EPOCHS, steps_per_epoch=STEPS, **factors)
    expected = [formula(update / STEPS) for update in range(EPOCHS * STEPS)]
    assert schedule.rates.dtype == np.float64
    np.testing.assert_allclose(schedule.multipliers, expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(schedule.rates, 0.3 * np.array(expected), rtol=1e-12, atol=1e-15)
    nested = lrtune.Schedule({name: factors}, learning_rate=0.3, epochs=EPOCHS, steps_per_epoch=STEPS)
    assert schedule == nested


@pytest.mark.parametrize(
    ("case", "steps", "peak", "given"),
    [
        ("mult_0.95", 40, 0.1, {"decay": "exponential", "k": -math.log(0.95)}),
        ("lambda_timebased", 40, 0.1, {"decay": "inverse_time", "k": 0.05}),
    ],
)
def test_rates_are_those_that_pytorch_documents(case, steps, peak, given):
    schedule = lrtune.Schedule(**given, learning_rate=peak, epochs=steps, steps_per_epoch=1)
    np.testing.assert_allclose(schedule.rates, TORCH[case]["lr"][:steps], rtol=1e-12)


def falls(case):
    return case["schedule"] == "CosineAnnealingLR" and case["params"]["eta_min"] < case["base_lr"]


@pytest.mark.parametrize("case", [*filter(falls, GOLDEN["cases"])], ids=lambda case: case["id"])
def test_a_cosine_is_that_of_pytorch(case):
    horizon, peak = case["params"]["T_max"], case["base_lr"]
    schedule = lrtune.Schedule(
        "cosine", final=case["params"]["eta_min"] / peak, learning_rate=peak, epochs=horizon, steps_per_epoch=1
    )
    np.testing.assert_allclose(schedule.rates, case["lr"][:horizon], rtol=1e-12, atol=1e-15)


def test_an_average_changes_no_rate_and_goes_with_the_code():
    given = {"learning_rate": 0.3, "epochs": EPOCHS, "steps_per_epoch": STEPS}
    plain, averaged = lrtune.Schedule("linear", **given), lrtune.Schedule("linear", ema=2, **given)
    np.testing.assert_array_equal(plain.rates, averaged.rates)
    assert plain != averaged
    assert eval(repr(averaged), {"Schedule": lrtune.Schedule}) == averaged
    assert lrtune.Schedule.of({**averaged.configuration, "depth": 3}, steps_per_epoch=STEPS) == averaged
    assert [("HALF_LIFE = 2.0" in each.code("optax")) for each in (plain, averaged)] == [False, True]
    with pytest.raises(ConfigurationError, match="ema: expected a number of at least 0, got -1"):
        lrtune.Schedule("linear", ema=-1, **given)


@pytest.mark.parametrize(
    ("shape", "start", "rising"),
    [
        ("linear", None, [0.25, 0.5, 0.75, 1.0]),
        ("linear", 0.2, [0.2, 0.4, 0.6, 0.8]),
        ("exponential", 0.0625, [0.0625, 0.125, 0.25, 0.5]),
    ],
)
def test_a_warmup_comes_before_the_decay(shape, start, rising):
    schedule = lrtune.Schedule(
        "linear", learning_rate=2.0, epochs=4, steps_per_epoch=5, warmup=0.2, warmup_shape=shape, warmup_start=start
    )
    falling = 1 - np.arange(16) / 16
    np.testing.assert_allclose(schedule.rates, 2.0 * np.r_[rising, falling], rtol=1e-12)


def test_it_is_a_sequence_of_rates():
    schedule = lrtune.Schedule("linear", learning_rate=1, epochs=4, steps_per_epoch=1)
    assert len(schedule) == 4
    assert list(schedule) == [1.0, 0.75, 0.5, 0.25]
    assert (schedule[1], schedule[-1]) == (0.75, 0.25)
    assert type(schedule[1]) is float
    assert schedule[1:3].tolist() == [0.75, 0.5]
    assert np.asarray(schedule).tolist() == list(schedule)
    with pytest.raises(IndexError):
        schedule[4]
    with pytest.raises(ValueError, match="read-only"):
        schedule.rates[0] = 7.0


def test_equal_schedules_are_equal_and_survive_a_pickle():
    given = {"learning_rate": 0.1, "epochs": 4, "steps_per_epoch": 2, "warmup": 0.25}
    one = lrtune.Schedule("cosine", **given)
    assert one == pickle.loads(pickle.dumps(one)) == eval(repr(one), {"Schedule": lrtune.Schedule})
    assert len({one, lrtune.Schedule("cosine", **given), lrtune.Schedule("cosine", **given, final=0.1)}) == 2
    assert (one.learning_rate, one.epochs, one.steps_per_epoch) == (0.1, 4, 2)


def test_a_schedule_without_a_peak_has_multiples_of_one():
    schedule = lrtune.Schedule("linear", epochs=2, steps_per_epoch=2)
    assert schedule.learning_rate is None
    assert schedule.rates.tolist() == schedule.multipliers.tolist() == [1.0, 0.75, 0.5, 0.25]


def test_the_momentum_moves_against_the_rate():
    given = {"epochs": 8, "steps_per_epoch": 1, "cycle_momentum": True, "rise": 0.5, "shape": "linear"}
    schedule = lrtune.Schedule("one_cycle", **given, low_momentum=0.8, high_momentum=0.9, initial=0, final=0)
    expected = 0.9 - 0.1 * np.r_[0:1:5j, 0.75, 0.5, 0.25]
    np.testing.assert_allclose(schedule.momentum, expected, rtol=1e-12)
    np.testing.assert_allclose(schedule.rates, (0.9 - expected) / 0.1, atol=1e-12)
    assert lrtune.Schedule("one_cycle", epochs=8, steps_per_epoch=1).momentum is None


def test_a_join_has_the_fixed_momentum_where_no_part_moves_it():
    first = {"one_cycle": {"cycle_momentum": True}}
    schedule = lrtune.Schedule("join", first=first, second="cosine", epochs=4, steps_per_epoch=1, fixed_momentum=0.7)
    assert schedule.momentum[2:].tolist() == [0.7, 0.7]
    assert schedule.momentum[0] == pytest.approx(0.95)


def test_the_schedule_of_a_trial():
    configuration = {
        "learning_rate": np.float64(0.2),
        "decay": "multistep",
        "decay.at": [0.5],
        "depth": 7,
        "warmup_steps": "no",
        "optimizer": "lion_from_elsewhere",
        "optimizer.beta": 3,
    }
    schedule = lrtune.Schedule.of(configuration, epochs=2, steps_per_epoch=2)
    np.testing.assert_allclose(schedule.rates, [0.2, 0.2, 0.02, 0.02])
    assert lrtune.Schedule.of({**configuration, "epochs": 2}, steps_per_epoch=2) == schedule
    assert lrtune.Schedule.of(schedule.configuration, steps_per_epoch=2) == schedule


def test_the_schedule_of_a_run(tmp_path):
    result = {"best": {"configuration": {"decay": "linear", "decay.final": 0.5, "learning_rate": 0.4, "epochs": 2}}}
    (tmp_path / "result.json").write_text(json.dumps(result))
    assert lrtune.Schedule.of_run(tmp_path, steps_per_epoch=2).rates == pytest.approx([0.4, 0.35, 0.3, 0.25])
    with pytest.raises(StudyError, match="a run has one when it is finished"):
        lrtune.Schedule.of_run(tmp_path / "elsewhere")


GIVEN = {"epochs": 3, "steps_per_epoch": 2}
WHOLE = "expected a whole number of at least 1, got"


@pytest.mark.parametrize(
    ("decay", "given", "sentence"),
    [
        ("cosin", GIVEN, "decay: unknown decay 'cosin'; did you mean 'cosine'?"),
        (3, GIVEN, "decay: unknown decay 3; allowed: "),
        ("cosine", {**GIVEN, "finl": 1}, "decay.cosine.finl: unknown factor; did you mean 'final'?"),
        (
            "cosine",
            {**GIVEN, "k": 1},
            "decay.cosine.k: unknown factor of cosine; it belongs to exponential and inverse_time",
        ),
        ("cosine", {**GIVEN, "learing_rate": 1}, "learing_rate: unknown keyword; did you mean 'learning_rate'?"),
        ("cosine", {**GIVEN, "learning_rate": 0}, "learning_rate: expected a number above 0, got 0.0"),
        ("cosine", {**GIVEN, "warmup": 1.5}, "warmup: expected a number of at least 0 and below 1, got 1.5"),
        ("cosine", {**GIVEN, "warmup_shape": "up"}, "warmup_shape: expected 'linear' or 'exponential', got 'up'"),
        ("cosine", {**GIVEN, "epochs": 0}, f"epochs: {WHOLE} 0"),
        ("cosine", {**GIVEN, "steps_per_epoch": 2.5}, f"steps_per_epoch: {WHOLE} 2.5"),
        ("cosine", {**GIVEN, "fixed_momentum": 2}, "fixed_momentum: expected a number"),
        (
            "cosine",
            {"epochs": 10**6, "steps_per_epoch": 10**6},
            "epochs, steps_per_epoch: 1,000,000,000,000 updates are",
        ),
        ({"cosine": {}}, {**GIVEN, "final": 0.1}, "final: a decay with a mapping has all of its factors there"),
        ("step", {**GIVEN, "every": 3, "drops": 2}, "decay.every: give either 'every' or 'drops', not both"),
        ("join", {**GIVEN, "first": "cosin"}, "decay.first: unknown decay 'cosin'; did you mean 'cosine'?"),
        (
            "plateau",
            GIVEN,
            "decay: 'plateau' cuts the rate when a loss has stopped falling, so its rates are not known",
        ),
        ("wall_clock", GIVEN, "decay: 'wall_clock' follows the seconds of the training, so its rates are not known"),
    ],
)
def test_what_is_wrong_is_one_sentence(decay, given, sentence):
    with pytest.raises(ConfigurationError) as caught:
        lrtune.Schedule(decay, **given)
    assert str(caught.value).startswith(sentence)


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(ConfigurationError) as caught:
        lrtune.Schedule("cosine", learnin_rate=1, finl=2, epochs=0, steps_per_epoch="x")
    parts = [part.partition(":")[0] for part in str(caught.value).split("; ") if ": " in part]
    assert parts == ["learnin_rate", "decay.cosine.finl", "epochs", "steps_per_epoch"]
    with pytest.raises(ConfigurationError) as caught:
        lrtune.Schedule.of({"decay.final": 3.0}, steps_per_epoch=0)
    parts = [part.partition(":")[0] for part in str(caught.value).split("; ")]
    assert parts == ["decay.final", "epochs", "steps_per_epoch"]


def test_code_is_that_of_the_command():
    schedule = lrtune.Schedule("rex", learning_rate=0.3, epochs=3, steps_per_epoch=2)
    assert "PEAK = 0.3 " in schedule.code("pytorch")
    assert "STEPS_PER_EPOCH = 2 " in schedule.code("keras")
    with pytest.raises(LrtuneError, match=r"unknown library 'pytroch'; did you mean 'pytorch'\?"):
        schedule.code("pytroch")
    with pytest.raises(LrtuneError, match="code needs the peak; make the schedule with learning_rate"):
        lrtune.Schedule("rex", **GIVEN).code("pytorch")


class StandIn:
    """An optimizer of PyTorch, as far as schedulers know it."""

    def __init__(self, *rates, lr, **factors):
        self.defaults = {"lr": lr, **factors}
        self.param_groups = [{**self.defaults, **({} if rate is None else {"lr": rate})} for rate in rates]


class StandInLR:
    """What ``LambdaLR`` is documented to do: initial rates, times the function of the number of steps so far."""

    def __init__(self, optimizer, multiplier):
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.optimizer, self.multiplier, self.last_epoch = optimizer, multiplier, -1
        self.step()

    def get_lr(self):
        return [rate * self.multiplier(self.last_epoch) for rate in self.base_lrs]

    def step(self):
        self.last_epoch += 1
        for group, rate in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = rate


@pytest.fixture
def stand_in(monkeypatch):
    module = types.ModuleType("torch.optim.lr_scheduler")
    module.LambdaLR = StandInLR
    for name in ("torch", "torch.optim"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "torch.optim.lr_scheduler", module)


def seen(optimizer, scheduler, updates, key="lr"):
    """The values (updates, groups) that each update finds."""
    values = []
    for _ in range(updates):
        values.append([group[key] for group in optimizer.param_groups])
        scheduler.step()
    return np.array(values, dtype=float)


SCHEDULE = lrtune.Schedule("cosine", learning_rate=0.3, final=0.1, epochs=4, steps_per_epoch=5, warmup=0.2)


@pytest.mark.usefixtures("stand_in")
class TestStandIn:
    def test_the_rate_that_the_optimizer_was_made_with_becomes_the_peak_and_groups_keep_their_ratio(self):
        optimizer = StandIn(None, 0.001, 0.05, lr=0.01)
        rates = seen(optimizer, SCHEDULE.torch(optimizer), 20)
        assert rates[:, 0].tolist() == SCHEDULE.rates.tolist()  # to the last bit
        np.testing.assert_allclose(rates[:, 1:], SCHEDULE.rates[:, None] * [0.1, 5.0], rtol=1e-12)

    @pytest.mark.parametrize(
        ("rates", "shares"), [((0.3, 0.6), (1, 2)), ((0.2, 0.4), (0.5, 1)), ((None, None), (1, 1))]
    )
    def test_without_a_group_of_that_rate_one_of_the_peak_or_the_largest_has_the_peak(self, rates, shares):
        optimizer = StandIn(*rates, lr=7.0)
        found = seen(optimizer, SCHEDULE.torch(optimizer), 20)
        np.testing.assert_allclose(found, SCHEDULE.rates[:, None] * shares, rtol=1e-12)

    def test_without_a_peak_every_group_keeps_its_own(self):
        optimizer = StandIn(None, 0.001, lr=0.01)
        schedule = lrtune.Schedule("linear", epochs=4, steps_per_epoch=5)
        rates = seen(optimizer, schedule.torch(optimizer), 20)
        np.testing.assert_allclose(rates, np.outer(1 - np.arange(20) / 20, [0.01, 0.001]), rtol=1e-12)

    def test_after_the_end_the_rate_stays_where_the_decay_ends(self):
        optimizer = StandIn(None, lr=0.01)
        assert seen(optimizer, SCHEDULE.torch(optimizer), 25)[20:, 0] == pytest.approx([0.03] * 5)

    def test_a_second_schedule_starts_from_the_first_rates(self):
        optimizer = StandIn(None, 0.001, lr=0.01)
        seen(optimizer, SCHEDULE.torch(optimizer), 13)
        rates = seen(optimizer, SCHEDULE.torch(optimizer), 20)
        np.testing.assert_allclose(rates, SCHEDULE.rates[:, None] * [1.0, 0.1], rtol=1e-12)

    @pytest.mark.parametrize(("factors", "key"), [({"momentum": 0.5}, "momentum"), ({"betas": (0.5, 0.9)}, "betas")])
    def test_a_moving_momentum_is_that_of_all_groups(self, factors, key):
        schedule = lrtune.Schedule("one_cycle", learning_rate=1.0, cycle_momentum=True, epochs=4, steps_per_epoch=5)
        optimizer = StandIn(None, 0.001, lr=0.01, **factors)
        found = seen(optimizer, schedule.torch(optimizer), 20, key)
        first = found if key == "momentum" else found[:, :, 0]
        assert first.tolist() == np.repeat(schedule.momentum[:, None], 2, axis=1).tolist()
        assert key == "momentum" or (found[:, :, 1] == 0.9).all()

    @pytest.mark.parametrize(
        ("optimizer", "given", "sentence"),
        [
            (object(), {}, "expected an optimizer of PyTorch, got a value of type object"),
            (
                StandIn(None, lr=0.0),
                {"learning_rate": 1.0},
                "the optimizer has a rate of 0, which has no ratio to others",
            ),
            (StandIn(None, lr=0.1), {"cycle_momentum": True}, "this schedule moves the momentum, and StandIn has none"),
        ],
    )
    def test_what_cannot_follow_is_refused_in_a_sentence(self, optimizer, given, sentence):
        with pytest.raises(LrtuneError) as caught:
            lrtune.Schedule("one_cycle", **GIVEN, **given).torch(optimizer)
        assert str(caught.value).startswith(sentence)


def test_without_pytorch_a_sentence_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "torch.optim", None)
    monkeypatch.setitem(sys.modules, "torch.optim.lr_scheduler", None)
    with pytest.raises(LrtuneError, match="needs PyTorch, which is not installed here: pip install torch"):
        SCHEDULE.torch(StandIn(None, lr=0.1))


@pytest.mark.extra
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
class TestPyTorch:
    @pytest.mark.parametrize("tensor", [False, True])
    @pytest.mark.parametrize(("kind", "key"), [("SGD", "momentum"), ("AdamW", "betas")])
    def test_an_optimizer_gets_the_rates_and_the_momentum(self, kind, key, tensor):
        import torch

        schedule = lrtune.Schedule("one_cycle", learning_rate=0.5, cycle_momentum=True, epochs=4, steps_per_epoch=5)
        weights = [torch.nn.Parameter(torch.ones(2)) for _ in range(2)]
        groups = [{"params": weights[:1]}, {"params": weights[1:], "lr": 0.001}]
        made_with = torch.tensor(0.01, dtype=torch.float64) if tensor else 0.01
        optimizer = getattr(torch.optim, kind)(groups, lr=made_with, **({"momentum": 0.9} if kind == "SGD" else {}))
        scheduler = schedule.torch(optimizer)
        assert isinstance(scheduler, torch.optim.lr_scheduler.LambdaLR)
        rates, momenta = [], []
        for _ in range(20):
            rates.append([float(group["lr"]) for group in optimizer.param_groups])
            momenta.append([group[key] if kind == "SGD" else group[key][0] for group in optimizer.param_groups])
            sum(each.sum() for each in weights).backward()
            optimizer.step()
            scheduler.step()
        np.testing.assert_allclose(rates, schedule.rates[:, None] * [1.0, 0.1], rtol=1e-12)
        assert np.array_equal(momenta, np.repeat(schedule.momentum[:, None], 2, axis=1))

    def test_a_checkpoint_goes_on_where_it_was(self):
        import torch

        def made():
            optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.01)
            return optimizer, SCHEDULE.torch(optimizer)

        optimizer, scheduler = made()
        for _ in range(7):
            optimizer.step()
            scheduler.step()
        again, other = made()
        again.load_state_dict(optimizer.state_dict())
        other.load_state_dict(scheduler.state_dict())
        found = []
        for _ in range(13):
            found.append(again.param_groups[0]["lr"])
            again.step()
            other.step()
        assert found == SCHEDULE.rates[7:].tolist()

    def test_pytorchs_own_cosine_has_the_same_rates(self):
        import torch

        optimizers = [torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.2) for _ in range(2)]
        own = torch.optim.lr_scheduler.CosineAnnealingLR(optimizers[0], T_max=20, eta_min=0.02)
        ours = lrtune.Schedule("cosine", final=0.1, learning_rate=0.2, epochs=4, steps_per_epoch=5).torch(optimizers[1])
        for _ in range(20):
            theirs, mine = (each.param_groups[0]["lr"] for each in optimizers)
            assert mine == pytest.approx(theirs, rel=1e-12)
            for optimizer, scheduler in zip(optimizers, (own, ours), strict=True):
                optimizer.step()
                scheduler.step()
