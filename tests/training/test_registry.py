"""The tables agree with the functions, and say about legal values what they should."""

import inspect
import subprocess
import sys

import pytest

from lrtune.training.decays import functions as decays
from lrtune.training.declarations import Factor, Range, check_value, describe_range
from lrtune.training.feedback import Rules
from lrtune.training.registry import (
    DECAYS,
    METRICS,
    MODEL_KEYS,
    OPTIMIZERS,
    TRAINING_KEYS,
    complete,
    problems,
    usual_metric,
)

ENTRIES = [("decay", entry) for entry in DECAYS.values()] + [("optimizer", entry) for entry in OPTIMIZERS.values()]
FACTORS = [
    *(pytest.param(factor, id=factor.name) for factor in (MODEL_KEYS | TRAINING_KEYS).values()),
    *(pytest.param(entry.rate, id=f"{entry.name}-rate") for entry in OPTIMIZERS.values()),
    *(pytest.param(factor, id=f"{entry.name}-{factor.name}") for _, entry in ENTRIES for factor in entry.factors),
]
KINDS = [pytest.param(kind, entry, id=f"{kind}-{entry.name}") for kind, entry in ENTRIES]


def keyword_only(function):
    kinds = inspect.signature(function).parameters.values()
    return {each.name for each in kinds if each.kind is each.KEYWORD_ONLY}


class TestAgreement:
    @pytest.mark.parametrize("name", DECAYS)
    def test_decays_and_functions_have_the_same_factors(self, name):
        entry = DECAYS[name]
        taken = keyword_only(getattr(decays, entry.function.__name__))
        if entry.momentum is not None and entry.momentum.height is not None:
            taken |= keyword_only(getattr(decays, entry.momentum.function.__name__)) | {"cycle_momentum"}
        taken |= {"plateau": set(Rules._fields), "wall_clock": {"budget", "step_seconds"}}.get(name, set())
        assert {factor.name for factor in entry.factors} == taken

    @pytest.mark.parametrize("entry", [each for each in DECAYS.values() if each.plain is not None])
    def test_plain_functions_take_what_the_factors_come_to(self, entry):
        given = {each.name: each.default for each in entry.factors if not each.replaces}
        assert set(entry.resolve(given, 10.0)) == keyword_only(entry.plain)

    def test_choices_are_the_tables(self):
        assert TRAINING_KEYS["decay"].choices == DECAYS.keys()
        assert TRAINING_KEYS["optimizer"].choices == OPTIMIZERS.keys()

    def test_what_is_added_to_a_table_can_be_chosen(self, monkeypatch):
        monkeypatch.setitem(DECAYS, "toy", DECAYS["cosine"]._replace(name="toy"))
        first, second = (each for each in DECAYS["join"].factors if each.kind == "decay")
        (shape,) = (each for each in DECAYS["wall_clock"].factors if each.name == "shape")
        for factor in (TRAINING_KEYS["decay"], first, second, shape):
            assert check_value(factor, "toy") is None
            assert check_value(factor, "toi") is not None
            assert len(factor.choices) == len(list(factor.choices))

    def test_importing_the_tables_does_not_import_numpy(self):
        script = "import sys, lrtune.training.registry; sys.exit('numpy' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


class TestDeclarations:
    @pytest.mark.parametrize("factor", FACTORS)
    def test_defaults_and_searches_are_legal(self, factor):
        assert check_value(factor, factor.default) is None
        if isinstance(factor.search, Range):
            assert factor.search.low < factor.search.high
            assert check_value(factor, factor.search.low) is None
            assert check_value(factor, factor.search.high) is None
        for value in () if isinstance(factor.search, Range) else factor.search or ():
            assert check_value(factor, value) is None

    @pytest.mark.parametrize("factor", FACTORS)
    def test_are_complete(self, factor):
        assert factor.name
        assert factor.meaning
        assert not factor.meaning.endswith(".")
        assert factor.scale in ("linear", "log", "reversed_log")
        assert not (factor.scale == "log" and isinstance(factor.search, Range) and factor.search.low <= 0)
        assert bool(factor.choices) == (factor.kind in ("choice", "decay"))

    @pytest.mark.parametrize("entry", [entry for _, entry in ENTRIES])
    def test_entries_are_complete(self, entry):
        names = [factor.name for factor in entry.factors]
        assert len(set(names)) == len(names)
        assert entry.summary
        assert entry.formula
        assert entry.source
        for factor in entry.factors:
            assert not factor.replaces or factor.replaces in names

    @pytest.mark.parametrize("entry", [entry for _, entry in ENTRIES])
    def test_at_most_one_of_two_rivals_is_searched(self, entry):
        searched = {factor.name for factor in entry.factors if factor.search is not None}
        for factor in entry.factors:
            assert not (factor.replaces in searched and factor.name in searched)

    def test_metrics(self):
        assert list(METRICS) == [
            *("accuracy", "balanced_accuracy", "f1_macro", "f1", "log_loss", "roc_auc"),
            *("mse", "rmse", "mae", "r2"),
        ]
        assert {metric.keeps for metric in METRICS.values()} == {"label", "loss", "score", "value"}

    @pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
    def test_a_task_has_one_usual_metric_which_fits_it(self, task):
        usual = [metric for metric in METRICS.values() if task in metric.usual_for]
        assert [metric.name for metric in usual] == [usual_metric(task)]
        assert task in usual[0].tasks


class TestCheckValue:
    @pytest.mark.parametrize(
        ("factor", "good", "bad"),
        [
            (
                Factor("a", 0.5, "", low=0.0, high=1.0, open_high=True),
                [0, 0.0, 0.999],
                [1, 1.0, -0.1, "0.5", True, None],
            ),
            (Factor("a", 0.5, "", low=0.0, open_low=True), [1e-300, 5], [0, -1, float("nan"), float("inf")]),
            (Factor("a", 1, "", low=1, kind="int"), [1, 10**6], [0, 1.0, "1", True]),
            (Factor("a", default=False, meaning="", kind="bool"), [True, False], [0, 1, "yes", None]),
            (Factor("a", "x", "", kind="choice", choices=("x", "y")), ["x", "y"], ["z", None, 1]),
            (Factor("a", None, "", kind="choice", choices=("x",), optional=True), ["x", None], ["null"]),
            (Factor("a", (1,), "", low=1, kind="widths"), [(1,), [64, 32]], [(), (0,), (1.5,), 3, "3", (True,)]),
            (Factor("a", (0.5,), "", low=0, high=1, kind="numbers"), [(0.5, 0.5), (0, 1)], [(0.5, 0.4), (2,), ()]),
        ],
    )
    def test_tells_good_from_bad(self, factor, good, bad):
        assert [check_value(factor, value) for value in good] == [None] * len(good)
        assert all(check_value(factor, value) for value in bad)

    def test_says_what_was_got_and_what_is_allowed(self):
        warmup = TRAINING_KEYS["warmup"]
        assert check_value(warmup, 2) == "expected a number of at least 0 and below 1, got 2"
        assert check_value(MODEL_KEYS["hidden"], (0,)) == "expected a list of whole numbers of at least 1, got [0]"
        assert check_value(TRAINING_KEYS["clip_norm"], 0) == "expected a number above 0, or null, got 0"
        assert check_value(TRAINING_KEYS["class_weight"], "x") == "expected 'balanced' or null, got 'x'"
        assert check_value(MODEL_KEYS["model"], None) == "expected 'linear' or 'mlp', got null"
        assert describe_range(MODEL_KEYS["activation"]) == "one of 'relu', 'tanh', 'gelu'"
        assert describe_range(TRAINING_KEYS["decoupled"]) == "true or false"


class TestComplete:
    def test_of_nothing_is_the_default(self):
        filled = complete({})
        assert filled["optimizer"] == "adam"
        assert filled["decay"] == "linear"
        assert filled["learning_rate"] == OPTIMIZERS["adam"].rate.default
        assert filled["optimizer.beta2"] == 0.999
        assert filled["decay.final"] == 0.0
        assert set(MODEL_KEYS) | set(TRAINING_KEYS) <= set(filled)

    @pytest.mark.parametrize(("kind", "entry"), KINDS)
    def test_has_no_problems_and_changes_nothing_twice(self, kind, entry):
        filled = complete({kind: entry.name})
        assert problems(filled) == []
        assert complete(filled) == filled

    def test_rates_and_weight_decay_follow_the_optimizer(self):
        assert complete({"optimizer": "sgd"})["learning_rate"] == 0.1
        assert complete({"optimizer": "adamw"})["weight_decay"] == 0.01
        assert complete({"optimizer": "adamw", "weight_decay": 0.0})["weight_decay"] == 0.0

    def test_keeps_what_is_given(self):
        given = {"learning_rate": 7.0, "decay": "step", "decay.every": 3.0, "hidden": (5,), "note": "x"}
        assert given.items() <= complete(given).items()

    def test_leaves_out_what_is_replaced(self):
        assert "decay.k" not in complete({"decay": "exponential", "decay.final": 0.1})
        assert "decay.final" not in complete({"decay": "exponential"})
        step = complete({"decay": "step", "decay.every": 3.0})
        assert "decay.drops" not in step
        assert step["decay.factor"] == 0.1

    def test_fills_the_decays_of_a_join(self):
        filled = complete({"decay": "join", "decay.first": "exponential", "decay.first.final": 0.5})
        assert filled["decay.first.staircase"] is False
        assert filled["decay.second"] == "cosine"
        assert filled["decay.second.final"] == 0.0
        assert "decay.first.k" not in filled

    def test_of_an_unknown_optimizer_is_an_error(self):
        with pytest.raises(KeyError):
            complete({"optimizer": "adm"})


class TestProblems:
    def test_names_every_one(self):
        assert problems({"warmup": 2, "dropout": 1.0, "optimizer": "adm"}) == [
            "optimizer: expected one of " + ", ".join(f"'{name}'" for name in OPTIMIZERS) + ", got 'adm'",
            "warmup: expected a number of at least 0 and below 1, got 2",
            "dropout: expected a number of at least 0 and below 1, got 1.0",
        ]
        assert problems({"decay": "cosine", "decay.final": 2.0, "decay.evry": 1, "epoch": 3}) == [
            "decay.final: expected a number of at least 0 and at most 1, got 2.0",
            "decay.evry: unknown factor of cosine; allowed: final",
            "epoch: unknown key",
        ]

    def test_of_rivals(self):
        assert problems({"decay": "exponential", "decay.k": 0.1, "decay.final": 0.1}) == [
            "decay.final: give either 'final' or 'k', not both: one determines the other"
        ]

    def test_inside_of_a_join(self):
        given = {"decay": "join", "decay.second": "step", "decay.second.drops": 0, "decay.second.k": 1}
        assert problems(given) == [
            "decay.second.drops: expected a whole number of at least 1 and at most 1000, got 0",
            "decay.second.k: unknown factor of step; allowed: drops, every, factor, final",
        ]
        assert problems({"decay": "join", "decay.first": "join"})[0].startswith("decay.first: expected one of")

    def test_of_an_impossible_warmup(self):
        given = {"warmup_shape": "exponential", "warmup_start": 0.0}
        assert problems(given) == ["warmup_start: an exponential warm-up cannot start from 0"]
