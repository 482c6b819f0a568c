"""Predicted values end half a range beyond the training targets: in folds, beside them, and in the model."""

import json
from dataclasses import replace

import numpy as np
import pytest

import lrtune
from lrtune.data.columns import Columns
from lrtune.data.schema import ColumnSpec, Schema
from lrtune.model.fitting import encoded
from lrtune.trainers.anchors import anchors
from lrtune.trainers.contract import Setting
from lrtune.training.evaluate import evaluate, fit, predict_outputs
from lrtune.training.tasks import UNLIMITED, Problem

SQUARED = Problem("squared", 1, 0)
SCHEMA = Schema("regression", "y", (), (ColumnSpec("x", "numeric", "feature", distinct=(100,)),))
TRAIN, VALIDATION = np.arange(40), np.arange(40, 50)


@pytest.fixture
def fold():
    """A line through -3 and 5, and among the validation rows one a thousand times as far."""
    x = np.concatenate([np.linspace(-1, 1, 40), np.linspace(-0.9, 0.9, 9), [1000.0]])
    columns = Columns(x[:, None], np.empty((50, 0), np.int32), np.where(np.abs(x) > 1, 0.0, 4 * x + 1))
    return encoded(columns, SCHEMA, TRAIN, VALIDATION, index=0, dtype="float64")[1]


def test_limits_come_from_the_training_rows(fold):
    assert fold.limits == (-3 - 4, 5 + 4)
    assert fold.in_units(np.array([-1e9, 0.0, 1e9, np.nan])).tolist() == [
        -7,
        pytest.approx(1),
        9,
        pytest.approx(np.nan, nan_ok=True),
    ]


def test_a_fold_is_scored_within_them(fold):
    chosen = {
        "model": "linear",
        "optimizer": "sgd",
        "decay": "constant",
        "learning_rate": 0.1,
        "epochs": 60,
        "batch_size": 16,
    }
    (outcome,) = evaluate([chosen], [fold], SQUARED, "rmse", seed=0, dtype="float64")
    layers = fit(chosen, fold, SQUARED, seed=0, dtype="float64")
    raw = predict_outputs(layers, fold.validation_features, activation="relu", loss="squared")[:, 0]
    values = raw * fold.scale + fold.shift
    assert values[-1] > 1000
    values[-1] = 9
    expected = np.sqrt(np.mean((values - fold.validation_targets) ** 2))
    assert -outcome.scores[0] == pytest.approx(expected, rel=1e-12)
    assert outcome.predictions[0][-1] == 9
    without = replace(fold, limits=UNLIMITED)
    (far,) = evaluate([chosen], [without], SQUARED, "rmse", seed=0, dtype="float64")
    assert -far.scores[0] > 100 * expected


def test_the_linear_anchor_has_the_same_limits(fold):
    found, free = (
        anchors(Setting((each,), SQUARED, "rmse", 0, "float64"))["linear"].scores[0]
        for each in (fold, replace(fold, limits=UNLIMITED))
    )
    others, last = fold.validation_targets[:-1], fold.validation_targets[-1]
    assert -found == pytest.approx(np.sqrt(np.mean([*np.zeros(len(others)), (9 - last) ** 2])), abs=0.05)
    assert -free > 10 * -found


def test_a_model_keeps_its_limits(tmp_path):
    x = np.linspace(-1, 1, 60)[:, None]
    model = lrtune.Regressor(model="linear", epochs=40, learning_rate=0.05).fit(x, 4 * x[:, 0] + 1)
    model.save(tmp_path)
    again = lrtune.load(tmp_path)
    assert again.model_.members[0].limits == model.model_.members[0].limits == (-7, 9)
    assert again.predict([[1e6], [-1e6]]).tolist() == [9, -7]
    assert again.predict([[1.4]])[0] > 5.5  # a trend goes on


def test_classes_have_no_limits(tmp_path):
    x = np.linspace(-1, 1, 60)[:, None]
    model = lrtune.Classifier(epochs=2).fit(x, x[:, 0] > 0)
    model.save(tmp_path)
    assert json.loads((tmp_path / "model.json").read_text())["members"][0]["limits"] is None
    assert lrtune.load(tmp_path).model_.members[0].limits == UNLIMITED
