"""Weighted scores of folds, against scikit-learn with sample weights; placement values, against double loops."""

import itertools
import math

import numpy as np
import pytest
from sklearn import metrics as peer

from lrtune.training.metrics.scoring import is_defined, score, scorer
from lrtune.training.metrics.weighted import placements
from lrtune.training.registry import METRICS

CASES = [(metric, 0) for metric in ("mse", "rmse", "mae", "r2")]
CASES += [(metric, 2) for metric in ("accuracy", "balanced_accuracy", "f1", "f1_macro", "roc_auc", "log_loss")]
CASES += [(metric, 4) for metric in ("accuracy", "balanced_accuracy", "f1_macro", "roc_auc", "log_loss")]


def fold(metric, classes, rows=60, configurations=4, seed=0):
    """Draw kept predictions (C, n) or (C, n, classes), and targets (n,)."""
    rng = np.random.default_rng(seed)
    if not classes:
        targets = rng.normal(50.0, 3.0, rows)
        return (targets + rng.normal(0, 2.0, (configurations, rows))).astype(np.float32), targets
    targets = np.concatenate([np.arange(classes), rng.integers(classes, size=rows - classes)])
    keeps = METRICS[metric].keeps
    if keeps == "label":
        right = rng.random((configurations, rows)) < 0.6
        return np.where(right, targets, rng.integers(classes, size=right.shape)).astype(np.uint8), targets
    if keeps == "loss":
        return rng.exponential(size=(configurations, rows)).astype(np.float32), targets
    size = (configurations, rows, classes)
    noisy = rng.normal(size=size) + 1.5 * (targets[:, None] == np.arange(classes))
    scores = np.round(noisy[..., 1] if classes == 2 else noisy, 1)  # rounded, so that there are ties
    return scores.astype(np.float32), targets


def weighted_peer(metric, kept, targets, weights):
    """Score one configuration with scikit-learn; oriented."""
    args = {"sample_weight": weights}
    present = np.unique(targets[weights > 0])
    if metric == "log_loss":
        return -np.average(kept, weights=weights)
    if metric == "balanced_accuracy":
        return peer.recall_score(targets, kept, labels=present, average="macro", zero_division=0, **args)
    if metric in ("f1", "f1_macro"):
        labels = [1] if metric == "f1" else np.union1d(present, np.unique(kept[weights > 0]))
        return peer.f1_score(targets, kept, labels=labels, average="macro", zero_division=0, **args)
    if metric == "accuracy":
        return peer.accuracy_score(targets, kept, **args)
    if metric == "r2":
        return peer.r2_score(targets, kept, **args)
    losses = {
        "mse": peer.mean_squared_error,
        "rmse": peer.root_mean_squared_error,
        "mae": peer.mean_absolute_error,
    }
    return -losses[metric](targets, kept, **args)


@pytest.mark.parametrize(("metric", "classes"), CASES)
def test_with_equal_weights_a_score_is_the_metric(metric, classes):
    kept, targets = fold(metric, classes)
    found = scorer(metric, kept, targets, classes)(np.full((1, len(targets)), 3.0, np.float32))[0]
    assert found == pytest.approx(score(metric, kept, targets, classes), rel=1e-5)


@pytest.mark.parametrize(("metric", "classes"), [each for each in CASES if each[0] != "roc_auc"])
def test_weights_are_those_of_scikit_learn(metric, classes):
    kept, targets = fold(metric, classes)
    weights = np.random.default_rng(1).poisson(0.8, size=(20, len(targets))).astype(np.float32)
    found = scorer(metric, kept, targets, classes)(weights)
    wanted = [[weighted_peer(metric, each, targets, line) for each in kept] for line in weights]
    assert found == pytest.approx(np.array(wanted), rel=2e-5, abs=1e-6)


@pytest.mark.parametrize("classes", [2, 4])
def test_a_resampled_area_is_first_order_right(classes):
    kept, targets = fold("roc_auc", classes, rows=400)
    weights = np.random.default_rng(1).multinomial(400, np.full(400, 1 / 400), size=20).astype(np.float32)
    found = scorer("roc_auc", kept, targets, classes)(weights)

    def area(scores, members, line):
        return peer.roc_auc_score(members, scores, sample_weight=line)

    labels = [1] if classes == 2 else range(classes)
    columns = kept[..., None] if classes == 2 else kept
    wanted = np.array(
        [
            [np.mean([area(each[:, k if classes > 2 else 0], targets == k, line) for k in labels]) for each in columns]
            for line in weights[:20]
        ]
    )
    second_order = np.sqrt(np.square(found[:20] - wanted).mean())
    assert second_order < 0.15 * wanted.std(axis=0).min()  # of size 1 / n, where the first is 1 / sqrt(n)
    assert np.corrcoef(found[:20, 0], wanted[:, 0])[0, 1] > 0.99


def test_placement_values_are_those_of_double_loops():
    rng = np.random.default_rng(0)
    scores, members = np.round(rng.normal(size=40), 1), rng.random(40) < 0.4
    area, values = placements(scores, members)
    for place in range(40):
        others = [each for each in range(40) if members[each] != members[place]]
        signs = [np.sign(scores[place] - scores[each]) * (1 if members[place] else -1) for each in others]
        assert values[place] == pytest.approx(np.mean([0.5 + sign / 2 for sign in signs]))
    assert area == pytest.approx(peer.roc_auc_score(members, scores))
    assert area == pytest.approx(values[~members].mean())


def test_the_variance_of_resampled_areas_is_delongs():
    kept, targets = fold("roc_auc", 2, rows=300, configurations=1)
    members, scores = targets == 1, kept[0]
    inside, outside = scores[members], scores[~members]
    wins = np.array([[float(a > b) + 0.5 * float(a == b) for b in outside] for a in inside])
    delong = wins.mean(axis=1).var(ddof=1) / len(inside) + wins.mean(axis=0).var(ddof=1) / len(outside)
    rng = np.random.default_rng(2)
    weights = rng.multinomial(300, np.full(300, 1 / 300), size=4000).astype(np.float32)
    found = scorer("roc_auc", kept, targets, 2)(weights)
    assert found.var() == pytest.approx(delong, rel=0.1)


@pytest.mark.parametrize(("metric", "classes"), CASES)
def test_a_resample_without_rows_has_no_score(metric, classes):
    kept, targets = fold(metric, classes)
    assert np.isnan(scorer(metric, kept, targets, classes)(np.zeros((1, len(targets)), np.float32))).all()


@pytest.mark.parametrize(
    ("metric", "classes", "targets"),
    [
        ("roc_auc", 2, [0, 0, 1, 1, 1]),
        ("roc_auc", 3, [0, 0, 2, 1, 2]),
        ("f1", 2, [0, 0, 1, 0, 1]),
        ("r2", 0, [2.0, 2.0, 3.0, 1.0, 3.0]),
    ],
)
def test_a_resample_has_a_score_if_its_targets_have_one(metric, classes, targets):
    """For every set of drawn rows; the metrics themselves say which have one."""
    targets = np.array(targets)
    kept = np.random.default_rng(0).random((2, 5, classes) if classes > 2 else (2, 5)).astype(np.float32)
    weights = np.array(list(itertools.product([0, 1, 2], repeat=5)), np.float32)
    found = scorer(metric, np.round(kept) if metric == "f1" else kept, targets, classes)(weights)
    expected = [is_defined(metric, np.repeat(targets, line.astype(int))) for line in weights]
    assert np.isfinite(found).tolist() == [[each] * 2 for each in expected]
    assert 0 < sum(expected) < len(expected)


def test_drawn_rows_that_are_nearly_equal_have_no_r2():
    targets = np.array([0.0, 1.0, 2.0, 3.0, 1.5, 1.5001])
    kept = np.array([[0.1, 1.1, 1.9, 3.0, 1.4, 1.6]])
    weights = np.array([[0, 0, 0, 0, 1, 1], [1, 1, 1, 1, 0, 0], [0, 1, 1, 0, 1, 1]], np.float32)
    nearly, whole, some = scorer("r2", kept, targets, 0)(weights)[:, 0]
    assert np.isnan(nearly)  # scikit-learn has -4,000,000
    assert whole == pytest.approx(peer.r2_score(targets[:4], kept[0, :4]), abs=1e-5)
    assert some == pytest.approx(peer.r2_score(targets[[1, 2, 4, 5]], kept[0, [1, 2, 4, 5]]), abs=1e-5)


def test_errors_beyond_all_measure_do_not_spoil_the_others():
    targets = np.arange(10.0)
    kept = np.stack([targets + 0.5, targets + 0.25, np.full(10, 1e30)]).astype(np.float32)
    found = scorer("rmse", kept, targets, 0)(np.ones((1, 10), np.float32))[0]
    assert found[:2] == pytest.approx([-0.5, -0.25])
    assert found[2] < -1e3
    assert math.isfinite(found[2])


def test_what_a_score_costs_is_known():
    assert [METRICS[name].products(classes) for name, classes in (("accuracy", 3), ("f1", 2), ("f1_macro", 10))] == [
        1,
        2,
        11,
    ]
