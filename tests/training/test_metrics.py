import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from lrtune.training.metrics.scoring import is_defined, keep, kept, labels_of, recorded, score
from lrtune.training.registry import METRICS

LABEL_SCORES = {
    "accuracy": reference.accuracy_score,
    "balanced_accuracy": reference.balanced_accuracy_score,
    "f1_macro": lambda truth, labels: reference.f1_score(truth, labels, average="macro", zero_division=0),
    "f1": lambda truth, labels: reference.f1_score(truth, labels, zero_division=0),
}
VALUE_SCORES = {
    "mse": lambda truth, values: -reference.mean_squared_error(truth, values),
    "rmse": lambda truth, values: -reference.root_mean_squared_error(truth, values),
    "mae": lambda truth, values: -reference.mean_absolute_error(truth, values),
    "r2": reference.r2_score,
}


def scored(metric, prediction, targets, classes):
    return score(metric, keep(metric, prediction, targets), targets, classes)


def quietly(function, *arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments)


def probabilities(rng, classes, rows, *, ties):
    """Probabilities (3, classes, rows); with ties, only a few different ones."""
    raw = rng.integers(1, 4, (3, classes, rows)) if ties else rng.random((3, classes, rows)) + 1e-3
    return raw / raw.sum(axis=1, keepdims=True)


problems = st.tuples(st.integers(0, 10**6), st.integers(2, 4), st.integers(1, 30), st.booleans())


@settings(deadline=None, max_examples=80)
@given(problems, st.sampled_from(sorted(LABEL_SCORES)))
def test_scores_of_labels_are_those_of_scikit_learn(problem, metric):
    seed, classes, rows, ties = problem
    classes = 2 if metric == "f1" else classes
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, classes, rows)
    assume(metric != "f1" or 1 in targets)
    prediction = probabilities(rng, classes, rows, ties=ties)
    found = scored(metric, prediction, targets, classes)
    for lane, value in zip(prediction, found, strict=True):
        expected = quietly(LABEL_SCORES[metric], targets, lane.argmax(axis=0))
        assert value == pytest.approx(expected, rel=1e-12, abs=1e-15)


@settings(deadline=None, max_examples=60)
@given(problems)
def test_log_loss_is_that_of_scikit_learn(problem):
    seed, classes, rows, ties = problem
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, classes, rows)
    prediction = probabilities(rng, classes, rows, ties=ties)
    found = scored("log_loss", prediction, targets, classes)
    for lane, value in zip(prediction, found, strict=True):
        assert value == pytest.approx(-reference.log_loss(targets, lane.T, labels=range(classes)), rel=1e-12)


@settings(deadline=None, max_examples=60)
@given(problems)
def test_one_output_stands_for_two_classes(problem):
    seed, _, rows, ties = problem
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, 2, rows)
    both = probabilities(rng, 2, rows, ties=ties)
    for metric in ("accuracy", "balanced_accuracy", "f1_macro", "f1", "log_loss", "roc_auc"):
        one = scored(metric, both[:, 1:], targets, 2)
        np.testing.assert_allclose(one, scored(metric, both, targets, 2), rtol=1e-12)


@settings(deadline=None, max_examples=60)
@given(problems)
def test_roc_auc_is_that_of_scikit_learn(problem):
    seed, classes, rows, ties = problem
    rng = np.random.default_rng(seed)
    targets = np.concatenate([np.arange(classes), rng.integers(0, classes, rows)])
    prediction = probabilities(rng, classes, len(targets), ties=ties)
    found = scored("roc_auc", prediction, targets, classes)
    for lane, value in zip(prediction, found, strict=True):
        expected = (
            reference.roc_auc_score(targets, lane[1])
            if classes == 2
            else reference.roc_auc_score(targets, lane.T, multi_class="ovr", average="macro")
        )
        assert value == pytest.approx(expected, rel=1e-12)


@settings(deadline=None, max_examples=60)
@given(problems, st.sampled_from(sorted(VALUE_SCORES)))
def test_scores_of_values_are_those_of_scikit_learn(problem, metric):
    seed, _, rows, constant = problem
    rng = np.random.default_rng(seed)
    targets = rng.normal(50.0, 10.0, rows + 1)
    prediction = np.full((3, 1, rows + 1), 50.0) if constant else rng.normal(50.0, 10.0, (3, 1, rows + 1))
    found = scored(metric, prediction, targets, 0)
    for lane, value in zip(prediction, found, strict=True):
        assert value == pytest.approx(VALUE_SCORES[metric](targets, lane[0]), rel=1e-10)


def test_certain_and_wrong_predictions_have_a_finite_log_loss():
    prediction = np.array([[[0.0, 1.0], [1.0, 0.0]]])
    targets = np.array([0, 0])
    expected = -reference.log_loss(targets, prediction[0].T, labels=[0, 1])
    assert scored("log_loss", prediction, targets, 2)[0] == pytest.approx(expected, rel=1e-12)
    assert np.isfinite(expected)


def test_constant_predictions_of_one_class():
    prediction = np.zeros((1, 3, 6))
    prediction[:, 1] = 1.0
    targets = np.array([0, 0, 1, 1, 1, 2])
    for metric in ("accuracy", "balanced_accuracy", "f1_macro"):
        expected = LABEL_SCORES[metric](targets, np.ones(6, int))
        assert scored(metric, prediction, targets, 3)[0] == pytest.approx(expected)
    assert scored("roc_auc", prediction, targets, 3)[0] == 0.5


def test_a_class_absent_from_the_targets_does_not_count_in_recalls_and_areas():
    rng = np.random.default_rng(0)
    targets = np.array([0, 2, 2, 0, 2])
    prediction = probabilities(rng, 3, 5, ties=False)
    recalls = quietly(reference.balanced_accuracy_score, targets, prediction[0].argmax(axis=0))
    assert scored("balanced_accuracy", prediction, targets, 3)[0] == pytest.approx(recalls)
    areas = [reference.roc_auc_score(targets == label, prediction[0, label]) for label in (0, 2)]
    assert scored("roc_auc", prediction, targets, 3)[0] == pytest.approx(np.mean(areas))


DEFINED = {
    "roc_auc": lambda truth: len(set(truth)) > 1,
    "f1": lambda truth: 1 in truth,
    "r2": lambda truth: len(set(truth)) > 1,
}
"""Of every other metric a row is enough."""


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(sorted(METRICS)), st.lists(st.integers(0, 2), max_size=5), st.integers(0, 10**6))
def test_a_score_is_there_or_not_whatever_is_predicted(metric, truth, seed):
    """Also as scikit-learn has it, which warns or refuses where there is none."""
    classes = 0 if METRICS[metric].keeps == "value" else 2 if METRICS[metric].tasks == ("binary",) else 3
    truth = [min(each, classes - 1) if classes else each * 0.1 for each in truth]
    expected = bool(truth) and DEFINED.get(metric, lambda _: True)(truth)
    targets = np.array(truth, dtype=int if classes else float)
    raw = np.random.default_rng(seed).random((4, classes or 1, len(truth))) + 0.1
    found = scored(metric, raw / raw.sum(axis=1, keepdims=True) if classes else raw, targets, classes)
    assert np.isfinite(found).tolist() == [expected] * 4
    assert is_defined(metric, targets) == expected
    if metric == "r2" and expected:
        assert found == pytest.approx([reference.r2_score(targets, each) for each in raw[:, 0]], rel=1e-10)


def test_where_there_is_no_score_another_metric_has_one():
    for each in METRICS.values():
        assert bool(each.needs) == bool(each.instead)
        if each.needs:
            assert not METRICS[each.instead].needs
            assert set(each.tasks) <= set(METRICS[each.instead].tasks)


def test_a_constant_target_that_rounding_spreads_has_no_r2():
    targets = np.full(3, 0.1)
    assert targets.mean() != 0.1  # but a little more
    assert np.isnan(scored("r2", np.array([[[0.1, 0.1, 0.2]]]), targets, 0)).all()


@pytest.mark.parametrize("metric", METRICS)
def test_better_predictions_have_larger_scores(metric):
    rng = np.random.default_rng(4)
    if METRICS[metric].keeps == "value":
        targets = rng.normal(size=40)
        noise = rng.normal(size=40)
        prediction, classes = np.stack([targets + 0.1 * noise, targets + noise])[:, None], 0
    else:
        classes = 2 if METRICS[metric].tasks == ("binary",) else 3
        targets = rng.integers(0, classes, 40)
        truth, noise = np.eye(classes)[targets].T, rng.random((classes, 40))
        raw = np.stack([truth + 0.5 * noise, truth + 2.0 * noise]) + 0.01
        prediction = raw / raw.sum(axis=1, keepdims=True)
    better, worse = scored(metric, prediction, targets, classes)
    assert better > worse


def test_what_is_kept_is_small_and_scores_nearly_the_same():
    rng = np.random.default_rng(2)
    targets = rng.integers(0, 3, 50)
    prediction = probabilities(rng, 3, 50, ties=False)
    for metric, dtype, shape in (
        ("accuracy", np.float16, (3, 50, 3)),
        ("log_loss", np.float32, (3, 50)),
        ("roc_auc", np.float32, (3, 50, 3)),
    ):
        small = recorded(metric, prediction, targets)
        assert small.dtype == dtype
        assert small.shape == shape
        again = score(metric, kept(metric, small), targets, 3)
        np.testing.assert_allclose(again, scored(metric, prediction, targets, 3), rtol=1e-6)
    assert recorded("mae", np.array([[[1.5]]]), np.zeros(1)).dtype == np.float32


@pytest.mark.parametrize("gap", [0.0, 1e-9, 1e-5, 1e-4, 1e-3])
@pytest.mark.parametrize("outputs", [1, 3, 7])
def test_rounded_probabilities_have_the_labels_of_the_exact_ones(outputs, gap):
    """Half precision makes ties of what was none; two probabilities of each row are nearly equal and the largest."""
    rng = np.random.default_rng(outputs)
    if outputs == 1:
        prediction = 0.5 + gap * rng.uniform(-1, 1, (4, 1, 300))
        expected = (prediction[:, 0] > 0.5).astype(int)
    else:
        prediction = rng.uniform(0.1, 0.2, (4, outputs, 300))
        np.put_along_axis(prediction, rng.integers(0, outputs, (4, 2, 300)), 0.3, axis=1)
        prediction += gap * rng.uniform(-1, 1, prediction.shape)
        expected = prediction.argmax(axis=1)
    record = recorded("accuracy", prediction, np.zeros(300))
    assert record.dtype == np.float16
    np.testing.assert_array_equal(kept("accuracy", record), expected)
    np.testing.assert_array_equal(labels_of(record[0], "uint8"), expected[0])
    exact = prediction[:, 0] if outputs == 1 else prediction.swapaxes(1, 2)
    np.testing.assert_allclose(record, exact, rtol=2e-3)
    labels = expected.astype(np.uint8)
    assert kept("accuracy", labels) is labels


def test_many_classes_do_not_overflow_the_confusion_counts():
    targets = np.arange(300)
    labels = keep("accuracy", np.eye(300)[None], targets)
    assert score("f1_macro", labels.astype(np.uint16), targets, 300)[0] == 1.0
