"""From what a fit predicts to what metrics take, and what is no prediction."""

import numpy as np
import pytest

from lrtune.engines.contract import FailedError
from lrtune.trainers.contract import Foreign
from lrtune.trainers.foreign.ending import Ending
from lrtune.trainers.foreign.predictions import predicted, told_score


def foreign(task="multiclass", classes=("ash", "birch", "cedar")):
    return Foreign({}, "train", ".", "", None, task, classes, np.empty(0), ())


def read(found, about=None, metric="log_loss", kind="outputs", rows=None):
    found = np.asarray(found)
    return predicted(Ending({}, (), found, kind), len(found) if rows is None else rows, about or foreign(), metric)


def test_probabilities_have_a_column_for_each_class():
    found = read([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    assert found.outputs.shape == (1, 3, 2)
    assert found.outputs[0, :, 0].tolist() == [0.2, 0.3, 0.5]
    assert not found.is_bare


def test_of_two_classes_metrics_take_the_second():
    found = read([[0.25, 0.75]], foreign("binary", ("no", "yes")))
    assert found.outputs.tolist() == [[[0.75]]]


def test_labels_are_bare_whatever_they_are_written_as():
    for labels, classes in ((["birch", "ash"], ("ash", "birch")), ([1, 0], (0, 1)), ([1.0, 0.0], (0, 1))):
        found = read(
            labels, foreign("binary", classes), "accuracy", "labels" if isinstance(labels[0], str) else "outputs"
        )
        assert found.outputs.tolist() == [[[1.0, 0.0]]]
        assert found.is_bare


def test_values_are_taken_as_they_are():
    for values in ([1.5, -2.0], [[1.5], [-2.0]]):
        assert read(values, foreign("regression", ()), "rmse").outputs.tolist() == [[[1.5, -2.0]]]


def test_float32_probabilities_are_near_enough_to_one():
    shares = np.full((4, 3), 1 / 3, dtype=np.float32)
    assert np.allclose(read(shares).outputs.sum(axis=1), 1.0, atol=1e-12)


@pytest.mark.parametrize(
    ("found", "about", "metric", "expected"),
    [
        ([[0.5, 0.5]], foreign(), "log_loss", "predicts 2 columns; there are 3 classes"),
        ([[0.5, 0.5, 0.5]], foreign(), "log_loss", "probabilities that add up to 1.5 in validation row 1"),
        ([[1.5, -0.5, 0.0]], foreign(), "log_loss", "probabilities that add up to 1"),
        ([[np.nan, 0.5, 0.5]], foreign(), "log_loss", "predicts .*nan.* for validation row 1"),
        (["ash"], foreign(), "log_loss", "log_loss needs probabilities \\(n, 3\\)"),
        (["oak"], foreign(), "accuracy", "predicts 'oak', which is no class; "),
        ([[1.0, 2.0]], foreign("regression", ()), "rmse", "expected a number for each row"),
        ([np.inf], foreign("regression", ()), "rmse", "predicts inf for validation row 1"),
    ],
)
def test_what_is_no_prediction_fails_the_fit_in_a_sentence(found, about, metric, expected):
    with pytest.raises(FailedError, match=expected):
        read(found, about, metric)


def test_as_many_rows_are_predicted_as_there_are():
    with pytest.raises(FailedError, match="predicts 2 rows; the validation rows are 3"):
        read(["ash", "ash"], metric="accuracy", rows=3)


def test_no_predictions_are_no_mistake():
    assert predicted(Ending({"loss": 1.0}), 3, foreign(), "log_loss") is None


@pytest.mark.parametrize(
    ("values", "metric", "score"),
    [
        ({"accuracy": 0.75, "loss": 3.0}, "accuracy", 0.75),
        ({"rmse": 2.0}, "rmse", -2.0),
        ({"loss": 0.5}, "log_loss", -0.5),
        ({"log_loss": 0.25, "loss": 0.5}, "log_loss", -0.25),
        ({"value": 0.5, "accuracy": 0.1}, "accuracy", 0.5),
    ],
)
def test_a_told_score_is_the_metric_in_its_own_sign(values, metric, score):
    assert told_score(values, metric) == score


def test_a_score_that_is_not_told_is_named():
    with pytest.raises(FailedError, match="its last report says loss and not 'accuracy', and there are no predictions"):
        told_score({"loss": 0.5}, "accuracy")
