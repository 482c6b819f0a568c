"""The three rules of `space`, its branches, and a sentence for every mistake."""

import itertools
import math

import numpy as np
import pytest
from experiment_forms import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from lrtune.experiment import default_space, parse_space
from lrtune.text.errors import ExperimentError
from lrtune.training.registry import OPTIMIZERS, complete, problems


def mistakes(form, **options):
    with pytest.raises(ExperimentError) as caught:
        parse_space(form, **options)
    return [each.removeprefix("space: ") for each in caught.value.problems]


def points(space):
    return [space.at(number) for number in range(space.size)]


class TestRules:
    def test_a_scalar_is_fixed(self):
        space = parse_space({"learning_rate": 0.1, "optimizer": "sgd", "batch_size": 32})
        assert points(space) == [{"learning_rate": 0.1, "optimizer": "sgd", "batch_size": 32}]

    def test_a_list_means_pick_one(self):
        space = parse_space({"warmup": [0, 0.05], "activation": ["tanh", "relu"]})
        assert points(space) == [
            {"warmup": warmup, "activation": activation} for warmup in (0.0, 0.05) for activation in ("tanh", "relu")
        ]

    def test_low_and_high_are_a_range(self):
        space = parse_space({"learning_rate": {"low": 1e-3, "high": 1}, "epochs": {"low": 5, "high": 9}})
        assert space.size == math.inf
        assert space.contains({"learning_rate": 1e-3, "epochs": 5})
        assert space.contains({"learning_rate": 1.0, "epochs": 9})
        assert not space.contains({"learning_rate": 1.1, "epochs": 9})
        assert not space.contains({"learning_rate": 0.1, "epochs": 5.5})

    def test_points_make_a_range_finite(self):
        space = parse_space({"learning_rate": {"low": 1e-3, "high": 1, "points": 4}})
        assert points(space) == [{"learning_rate": each} for each in (0.001, 0.01, 0.1, 1.0)]
        linear = parse_space({"learning_rate": {"low": 1e-3, "high": 1, "points": 4, "scale": "linear"}})
        assert [each["learning_rate"] for each in points(linear)] == pytest.approx([0.001, 0.334, 0.667, 1.0])

    @pytest.mark.parametrize(
        ("key", "value", "more"),
        [
            ("learning_rate", 0.1, {}),
            ("learning_rate", 0.1, {"scale": "log"}),
            ("weight_decay", 0.0, {"scale": "log"}),  # a point needs no place on a scale
            ("warmup", 0.5, {"scale": "reversed_log", "points": 5}),
            ("epochs", 7, {}),
            ("batch_size", 32, {"scale": "log"}),
        ],
    )
    def test_a_range_of_one_point_is_a_scalar(self, key, value, more):
        space = parse_space({key: {"low": value, "high": value, **more}, "decay": "cosine"})
        assert points(space) == [{key: value, "decay": "cosine"}]
        assert space.canonical() == parse_space({key: value, "decay": "cosine"}).canonical()
        branch = parse_space({"optimizer": [{"momentum": {"momentum": {"low": 0.9, "high": 0.9}}}, "sgd"]})
        assert branch.canonical() == parse_space({"optimizer": [{"momentum": {"momentum": 0.9}}, "sgd"]}).canonical()

    def test_lists_of_lists_pick_layer_widths(self):
        space = parse_space({"hidden": [[32], [64, 64]]})
        assert points(space) == [{"hidden": (32,)}, {"hidden": (64, 64)}]

    def test_null_is_an_option_where_it_is_legal(self):
        space = parse_space({"clip_norm": [None, 1, 5], "class_weight": [None, "balanced"]})
        assert space.size == 6
        assert space.default() == {"clip_norm": None, "class_weight": None}

    def test_an_average_may_belong_to_some_optimizers(self):
        space = parse_space({"optimizer": [{"adam": {"ema": [0, 1]}}, "schedule_free_sgd"]})
        assert points(space) == [
            {"optimizer": "adam", "ema": 0.0},
            {"optimizer": "adam", "ema": 1.0},
            {"optimizer": "schedule_free_sgd"},
        ]

    def test_whole_numbers_become_floats_where_those_are_meant(self):
        point = parse_space({"learning_rate": [1], "decay": {"multistep": {"milestones": [[5, 10]]}}}).default()
        assert type(point["learning_rate"]) is float
        assert point["decay.milestones"] == (5.0, 10.0)

    def test_lists_of_numbers_are_sorted_and_the_order_of_keys_does_not_matter(self):
        one = parse_space({"batch_size": [64, 16, 32], "learning_rate": [0.1, 0.01]})
        other = parse_space({"learning_rate": [0.01, 0.1], "batch_size": [16, 32, 64]})
        assert one == other
        assert one.canonical() == other.canonical()


class TestBranches:
    FORM = {  # noqa: RUF012 - never changed
        "learning_rate": [0.01, 0.1],
        "optimizer": [{"momentum": {"momentum": [0.8, 0.9]}}, {"adam": {"learning_rate": [0.001]}}, "sgd"],
        "decay": ["constant", {"step": {"factor": [0.1, 0.3], "every": [5, 10]}}],
    }

    def test_factors_exist_only_where_they_are_chosen(self):
        optimizers = [
            *(
                {"optimizer": "momentum", "learning_rate": r, "optimizer.momentum": m}
                for r in (0.01, 0.1)
                for m in (0.8, 0.9)
            ),
            {"optimizer": "adam", "learning_rate": 0.001},
            *({"optimizer": "sgd", "learning_rate": r} for r in (0.01, 0.1)),
        ]
        decays = [
            {"decay": "constant"},
            *({"decay": "step", "decay.factor": f, "decay.every": e} for f in (0.1, 0.3) for e in (5.0, 10.0)),
        ]
        expected = [{**one, **other} for one, other in itertools.product(optimizers, decays)]
        found = points(parse_space(self.FORM))
        assert len(found) == len(expected) == 35
        assert all(each in found for each in expected)

    def test_a_rate_outside_is_the_same_as_the_rate_in_every_branch_without_one(self):
        inside = {
            "optimizer": [
                {"momentum": {"momentum": [0.8, 0.9], "learning_rate": [0.01, 0.1]}},
                {"adam": {"learning_rate": [0.001]}},
                {"sgd": {"learning_rate": [0.01, 0.1]}},
            ],
            "decay": self.FORM["decay"],
        }
        assert {frozenset(each.items()) for each in points(parse_space(self.FORM))} == {
            frozenset(each.items()) for each in points(parse_space(inside))
        }

    def test_a_rate_outside_of_branches_that_all_have_one_is_overridden(self):
        space = parse_space({"learning_rate": [0.5, 0.6], "optimizer": {"adam": {"learning_rate": [0.1, 0.2]}}})
        assert {each["learning_rate"] for each in points(space)} == {0.1, 0.2}

    def test_weight_decay_of_one_optimizer(self):
        space = parse_space({"optimizer": ["adam", {"adamw": {"weight_decay": [0.1, 1]}}]})
        assert points(space) == [
            {"optimizer": "adam"},
            {"optimizer": "adamw", "weight_decay": 0.1},
            {"optimizer": "adamw", "weight_decay": 1.0},
        ]

    def test_one_branch_needs_no_list(self):
        space = parse_space({"decay": {"cosine": {"final": [0, 0.1]}}})
        assert points(space) == [{"decay": "cosine", "decay.final": 0.0}, {"decay": "cosine", "decay.final": 0.1}]

    def test_a_branch_may_be_empty(self):
        assert parse_space({"decay": [{"cosine": None}, {"linear": {}}]}) == parse_space(
            {"decay": ["cosine", "linear"]}
        )

    def test_decays_nest(self):
        form = {"decay": {"join": {"first": "constant", "second": [{"cosine": {"final": [0, 0.1]}}, "linear"]}}}
        assert points(parse_space(form)) == [
            {"decay": "join", "decay.first": "constant", "decay.second": "cosine", "decay.second.final": 0.0},
            {"decay": "join", "decay.first": "constant", "decay.second": "cosine", "decay.second.final": 0.1},
            {"decay": "join", "decay.first": "constant", "decay.second": "linear"},
        ]

    def test_widths_belong_to_the_network_and_are_not_tried_on_a_linear_model(self):
        expected = [
            {"model": "linear"},
            {"model": "mlp", "hidden": (32,)},
            {"model": "mlp", "hidden": (64,)},
        ]
        assert points(parse_space({"model": ["linear", {"mlp": {"hidden": [[32], [64]]}}]})) == expected
        assert points(parse_space({"model": ["linear", "mlp"], "hidden": [[32], [64]]})) == expected

    def test_what_is_searched_may_be_said_inside_and_outside(self):
        space = parse_space({"model": ["linear", {"mlp": {"dropout": [0.5]}}], "dropout": [0, 0.1], "hidden": [[8]]})
        assert points(space) == [{"model": "linear"}, {"model": "mlp", "hidden": (8,), "dropout": 0.5}]


class TestDefaults:
    @pytest.mark.parametrize("name", sorted(OPTIMIZERS))
    def test_every_optimizer_starts_at_its_own_rate(self, name):
        form = {"learning_rate": {"low": 1e-9, "high": 1e6}, "optimizer": name}
        assert parse_space(form).default()["learning_rate"] == OPTIMIZERS[name].rate.default

    def test_the_rate_follows_the_optimizer_that_is_the_default(self):
        wide = {"low": 1e-9, "high": 1e6}
        assert parse_space({"learning_rate": wide}).default() == {"learning_rate": OPTIMIZERS["adam"].rate.default}
        form = {"learning_rate": wide, "optimizer": ["sgd", {"rmsprop": {"learning_rate": wide}}]}
        assert parse_space(form).default() == {"optimizer": "sgd", "learning_rate": OPTIMIZERS["sgd"].rate.default}

    def test_documented_defaults_win_where_they_are_offered(self):
        form = {
            "optimizer": ["sgd", "adam"],
            "decay": ["constant", "cosine"],
            "hidden": [[8], [64]],
            "batch_size": [100, 20],
        }
        assert parse_space(form).default() == {
            "optimizer": "adam",  # documented
            "decay": "constant",  # linear is not offered: the first
            "batch_size": 100,  # 64 is 36 from it and 44 from 20
            "hidden": (64,),
        }

    def test_null_defaults_prefer_the_middle_of_numbers(self):
        assert parse_space({"clip_norm": {"low": 0.1, "high": 10}}).default()["clip_norm"] == pytest.approx(1.0)

    def test_the_space_of_an_experiment_without_one(self):
        space = parse_space(default_space())
        assert space.size == math.inf
        assert space.default() == {
            "optimizer": "adam",
            "learning_rate": OPTIMIZERS["adam"].rate.default,
            "decay": "linear",
            "decay.final": 0.0,
        }


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"lerning_rate": 1}, "lerning_rate: unknown key; did you mean 'learning_rate'?"),
        ({"type": "mlp"}, "type: unknown key; in a space, the type of the model is called 'model'"),
        ({"rho": 0.9}, "rho: unknown key; it is a factor of rmsprop"),
        ({"optimizer": "adm"}, "optimizer: unknown optimizer 'adm'; did you mean 'adam'?"),
        ({"optimizer": ["adam", "adam"]}, "optimizer: 'adam' is listed twice"),
        ({"optimizer": []}, "optimizer: an empty list offers nothing to pick"),
        (
            {"optimizer": None},
            "optimizer: expected the name of the optimizer, alone or with a mapping of its factors, got null",
        ),
        (
            {"optimizer": [3]},
            "optimizer: expected the name of the optimizer, alone or with a mapping of its factors, got 3",
        ),
        ({"optimizer": {"adam": {}, "sgd": {}}}, "optimizer: a branch is one optimizer with its factors, got 2 keys"),
        ({"optimizer": {"low": 1, "high": 2}}, "optimizer: a branch is one optimizer with its factors, got 2 keys"),
        ({"optimizer": {"adam": 0.9}}, "optimizer.adam: expected a mapping of its factors, got 0.9"),
        ({"optimizer": {"adam": {"btea1": 0.9}}}, "optimizer.adam.btea1: unknown factor; did you mean 'beta1'?"),
        ({"optimizer": {"sgd": {"rho": 1}}}, "optimizer.sgd.rho: unknown factor of sgd; it belongs to rmsprop"),
        (
            {"optimizer": {"sgd": {"learning_rate": -1}}},
            "optimizer.sgd.learning_rate: expected a number above 0, got -1.0",
        ),
        ({"decay": [{"step": {"evry": 3}}]}, "decay.step.evry: unknown factor; did you mean 'every'?"),
        ({"decay": {"constant": {"x": 3}}}, "decay.constant.x: unknown factor; constant has none"),
        ({"decay": {"step": {"every": 3, "drops": 2}}}, "decay.step.every: determines 'drops', which is given as well"),
        ({"decay": {"join": {"first": "cosin"}}}, "decay.join.first: unknown decay 'cosin'; did you mean 'cosine'?"),
        ({"decay": True}, "decay: expected the name of the decay, alone or with a mapping of its factors, got true"),
        ({"learning_rate": "fast"}, "learning_rate: expected a number above 0, got 'fast'"),
        ({"learning_rate": True}, "learning_rate: expected a number above 0, got true"),
        ({"learning_rate": None}, "learning_rate: expected a number above 0, got null"),
        ({"learning_rate": math.inf}, "learning_rate: expected a number above 0, got inf"),
        ({"learning_rate": math.nan}, "learning_rate: expected a number above 0, got nan"),
        ({"learning_rate": []}, "learning_rate: an empty list offers nothing to pick"),
        ({"learning_rate": [0.1, 0]}, "learning_rate: expected a number above 0, got 0.0"),
        ({"learning_rate": [1, 1.0]}, "learning_rate: 1.0 is listed twice"),
        ({"learning_rate": [{"low": 1, "high": 2}]}, "learning_rate: expected a number above 0, got {low: 1, high: 2}"),
        ({"learning_rate": {}}, "learning_rate: a range needs 'low' and 'high'; missing: low, high"),
        ({"learning_rate": {"low": 1}}, "learning_rate: a range needs 'low' and 'high'; missing: high"),
        ({"learning_rate": {"low": 1, "high": 0.1}}, "learning_rate: low must be below high, got 1.0 and 0.1"),
        ({"learning_rate": {"low": 0, "high": 1}}, "learning_rate.low: expected a number above 0, got 0.0"),
        ({"learning_rate": {"low": 1, "high": None}}, "learning_rate.high: expected a number above 0, got null"),
        (
            {"learning_rate": {"low": 0.1, "high": 1, "scael": "log"}},
            "learning_rate.scael: unknown key of a range; did you mean 'scale'?",
        ),
        (
            {"learning_rate": {"low": 0.1, "high": 1, "scale": "lgo"}},
            "learning_rate.scale: unknown scale 'lgo'; did you mean 'log'?",
        ),
        ({"learning_rate": {"low": 0.1, "high": 1, "scale": []}}, "learning_rate.scale: unknown scale []; allowed:"),
        (
            {"learning_rate": {"low": 0.1, "high": 1, "points": 1}},
            "learning_rate.points: expected a whole number of at least 2",
        ),
        ({"learning_rate": {"low": 0.1, "high": 1, "points": None}}, "learning_rate.points: expected a whole number"),
        (
            {"weight_decay": {"low": 0, "high": 1}},
            "weight_decay: low must be above 0 on a log scale, got 0.0; `scale: linear` allows it",
        ),
        ({"dropout": {"low": 0, "high": 1}}, "dropout.high: expected a number of at least 0 and below 1, got 1.0"),
        (
            {"warmup": {"low": 0.1, "high": 0.2, "scale": "reversed_log", "points": 3.5}},
            "warmup.points: expected a whole number",
        ),
        ({"epochs": {"low": 1, "high": 2.5}}, "epochs.high: expected a whole number of at least 1, got 2.5"),
        (
            {"epochs": {"low": 1, "high": 9, "scale": "reversed_log"}},
            "epochs: high must be below 1 on a reversed_log scale, got 9",
        ),
        (
            {"dropout": {"low": 0, "high": 1e-200, "scale": "reversed_log"}},
            "dropout: low and high are the same on a reversed_log scale",
        ),
        ({"epochs": 10.0}, "epochs: expected a whole number of at least 1, got 10.0"),
        ({"epochs": 10**12}, "epochs: expected at most 1,000,000,000, got 1000000000000"),
        ({"hidden": [32, 64]}, "hidden: a list means pick one, so a single value is a list in a list: [[32, 64]]"),
        ({"hidden": 32}, "hidden: expected a list of whole numbers of at least 1, got 32"),
        ({"hidden": [[]]}, "hidden: expected a list of whole numbers of at least 1, got []"),
        (
            {"hidden": {"low": 1, "high": 2}},
            "hidden: expected a list of whole numbers of at least 1, or a list of them, got {low: 1",
        ),
        ({"activation": ["relu", "tahn"]}, "activation: expected "),
        ({"batch_size": None}, "batch_size: expected a whole number of at least 1, got null"),
        ({"clip_norm": {"low": None, "high": 1}}, "clip_norm.low: expected a number above 0, got null"),
        ({"decoupled": ["yes", True]}, "decoupled: expected true or false, got 'yes'"),
        ({"model": ["linear"], "hidden": [[32]]}, "hidden: has no effect on a linear model"),
        ({"model": {"linear": {"hidden": [[3]]}}}, "model.linear.hidden: unknown factor of linear; it belongs to mlp"),
        (
            {"optimizer": {"adamw": {"decoupled": False}}},
            "optimizer.adamw.decoupled: unknown factor of adamw; it belongs to ",
        ),
    ],
)
def test_a_mistake_is_one_sentence_with_what_where_got_allowed(form, expected):
    found = mistakes(form)
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_the_type_of_the_model_may_be_fixed_elsewhere():
    assert mistakes({"hidden": [[32]]}, model="linear") == ["hidden: has no effect on a linear model"]
    assert parse_space({"hidden": [[32]]}, model="mlp").size == 1


def test_all_mistakes_are_found_at_once():
    form = {
        "epochs": 0,
        "optimizer": ["adm", {"sgd": {"x": 1}}],
        "decay": {"step": {"factor": [], "every": "a"}},
        "z": 1,
    }
    assert len(mistakes(form)) == 6


def test_tuples_are_lists():
    assert parse_space({"hidden": ((32,), (64, 64))}) == parse_space({"hidden": [[32], [64, 64]]})


@settings(deadline=None, max_examples=120)
@given(spaces(), st.integers(0, 2**32 - 1))
def test_whatever_is_drawn_from_a_legal_space_is_legal_for_the_engine(form, seed):
    space = parse_space(form)
    rng = np.random.default_rng(seed)
    for point in [space.default(), *(space.sample(rng) for _ in range(3))]:
        assert space.point(point) == point
        assert problems(complete(point)) == []


@settings(deadline=None, max_examples=60)
@given(spaces(finite=True))
def test_a_grid_has_no_two_equal_configurations(form):
    space = parse_space(form)
    some = [space.at(number) for number in range(min(space.size, 500))]
    assert len({frozenset(each.items()) for each in some}) == len(some)
    assert all(problems(complete(each)) == [] for each in some[:20])
