import math

import numpy as np
import pytest

from lrtune.reporting import tables
from lrtune.training.registry import DATA_KEYS, METRICS, MODEL_KEYS, TRAINING_KEYS, complete
from lrtune.verdict.standing import canonical_keys, own_sign, standing

MOMENTUM = {
    "learning_rate": 0.032,
    "optimizer": "momentum",
    "optimizer.momentum": 0.9,
    "decay": "cosine",
    "decay.final": 0.01,
    "warmup": 0.05,
}


def test_a_configuration_reads_in_one_line():
    assert tables.configuration_line(MOMENTUM) == "momentum 0.9 · rate 3.2e-2 · cosine final=0.01 · warmup 0.05"


def test_what_is_not_used_takes_no_room():
    line = tables.configuration_line({**MOMENTUM, "warmup": 0.0, "dropout": 0.0, "clip_norm": None})
    assert line == "momentum 0.9 · rate 3.2e-2 · cosine final=0.01"


def test_layers_batches_and_activations_are_told_by_their_form():
    configuration = {"model": "mlp", "hidden": (64, 64), "activation": "tanh", "batch_size": 32, "learning_rate": 1e-3}
    assert tables.configuration_line(configuration) == "rate 1.0e-3 · batch 32 · mlp 64-64 tanh"
    assert tables.configuration_line(configuration, {"hidden", "learning_rate"}) == "rate 1.0e-3 · 64-64"
    assert tables.configuration_line({"decay": "linear", "model": "linear"}) == "linear · linear model"


def test_only_asked_keys_are_shown_and_a_factor_brings_its_choice():
    assert tables.configuration_line(MOMENTUM, {"learning_rate", "decay.final"}) == "rate 3.2e-2 · cosine final=0.01"


def test_keys_stand_in_the_order_of_the_registry_with_factors_behind_their_choice():
    keys = canonical_keys([{"hidden": (8,), "decay.every": 1, "decay": "step"}, {**MOMENTUM, "unheard": 1}])
    assert keys == [
        "learning_rate",
        "optimizer",
        "optimizer.momentum",
        "decay",
        "decay.every",
        "decay.final",
        "warmup",
        "hidden",
        "unheard",
    ]
    everything = canonical_keys([complete({})])
    assert [each for each in everything if "." not in each or each in TRAINING_KEYS] == [
        *TRAINING_KEYS,
        *MODEL_KEYS,
        *DATA_KEYS,
    ]


def test_keys_vary_when_values_differ_or_some_lack_them():
    same = {"learning_rate": 0.1, "optimizer": "adam"}
    assert tables.varying_keys([same, dict(same)]) == set()
    assert tables.varying_keys([same, {**same, "optimizer": "sgd", "warmup": 0.1}]) == {"optimizer", "warmup"}


@pytest.mark.parametrize("metric", METRICS)
def test_scores_come_back_in_the_metrics_own_sign(metric):
    factor = 1 if METRICS[metric].larger_is_better else -1
    assert own_sign(metric, factor * 0.25) == 0.25
    assert math.copysign(1, own_sign(metric, 0.0)) == 1
    assert own_sign(metric, None) is None


def test_standing_of_an_error_is_positive_and_its_spread_too(trial):
    shown = standing(trial([-2.0, -4.0], number=3), "mse")
    assert (shown.number, shown.mean, shown.fold_scores) == (3, 3.0, (2.0, 4.0))
    assert shown.std == pytest.approx(np.std([2.0, 4.0], ddof=1))


def test_top_rows_say_only_what_differs(trial):
    ranked = [
        trial([0.9, 0.9], number=4, learning_rate=0.1, optimizer="adam", warmup=0.05),
        trial([0.8, 0.9], number=2, learning_rate=0.1, optimizer="sgd", warmup=0.05),
        trial([0.8, 0.8], number=0, learning_rate=0.2, optimizer="sgd", warmup=0.05),
    ]
    assert tables.top_rows(ranked, "accuracy", limit=2) == [
        ("4", "0.9000", "0.0000", "adam"),
        ("2", "0.8500", "0.0707", "sgd"),
    ]
    assert tables.top_rows(ranked[:1], "accuracy") == [("4", "0.9000", "0.0000", "adam · rate 1.0e-1 · warmup 0.05")]


def test_facts_put_factors_beside_their_choice():
    assert tables.facts({**MOMENTUM, "clip_norm": None, "decoupled": True, "hidden": (64, 32)}) == [
        ("learning rate", "3.2e-2"),
        ("optimizer", "momentum 0.9"),
        ("decay", "cosine final=0.01"),
        ("warmup", "0.05"),
        ("decoupled", "yes"),
        ("clip norm", "none"),
        ("hidden", "64-32"),
    ]
