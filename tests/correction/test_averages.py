"""Means of the best as candidates of a repeated choice: against loops, and where the truth is known."""

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    log_loss,
    roc_auc_score,
    root_mean_squared_error,
)

from lrtune.run.observed import Observed
from lrtune.training.metrics.scoring import keep, kept, of_average, recorded, score, to_average
from lrtune.verdict.correction import Averages, Choosing, DeliveredMean, Evidence, corrected
from lrtune.verdict.correction.averages import MOST_MEMBERS, Averaging, _members
from lrtune.verdict.correction.core import _counts, _draws

ROWS, FOLDS = 60, 3


def probabilities(configurations=7, rows=ROWS, seed=0, noise=1.0):
    """Draw the probabilities of class 1 (C, n) of some configurations, and the truth (n,)."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=rows)
    logits = 1.5 * (2 * truth - 1) + rng.normal(size=rows) + noise * rng.normal(size=(configurations, rows))
    return 1 / (1 + np.exp(-logits)), truth


def evidence(metric, predictions, targets, classes=2, complete=None):
    folds = np.arange(len(targets)) * FOLDS // len(targets)
    record = recorded(metric, predictions[:, None, :] if predictions.ndim == 2 else predictions, targets)
    predicted = kept(metric, record)
    scores = np.array([score(metric, predicted[:, folds == k], targets[folds == k], classes) for k in range(FOLDS)])
    if complete is not None:
        scores[1:, ~complete] = np.nan
    numbers = np.arange(len(record))
    observed = Observed(targets, folds, np.arange(len(targets)), np.bincount(folds), classes)
    return Evidence(metric, numbers, scores, numbers, record, observed, 1 / (FOLDS - 1))


METRICS = {
    "log_loss": lambda targets, mean, weights: -log_loss(targets, mean, sample_weight=weights, labels=[0, 1]),
    "rmse": lambda targets, mean, weights: -root_mean_squared_error(targets, mean, sample_weight=weights),
}


LABELS = {
    "accuracy": lambda targets, mean, weights: accuracy_score(targets, mean > 0.5, sample_weight=weights),
    "f1": lambda targets, mean, weights: f1_score(targets, mean > 0.5, sample_weight=weights),
}
METRICS.update(LABELS)
OF_CLASSES = "accuracy of classes"


def accuracy_of_classes(targets, mean, weights):
    return accuracy_score(targets, mean.argmax(axis=1), sample_weight=weights)


def mean_score(metric, given, mean, weights):
    """DeliveredMean a metric over the folds that have rows, by their share of the fold."""
    parts, sizes = [], []
    for fold in range(FOLDS):
        rows = given.observed.folds == fold
        needed = given.observed.targets == 1 if metric == "f1" else True  # no positives, no score
        if weights[rows & needed].sum():
            parts.append(
                {**METRICS, OF_CLASSES: accuracy_of_classes}[metric](
                    given.observed.targets[rows], mean[rows], weights[rows]
                )
            )
            sizes.append(weights[rows].sum() / rows.sum())
    return round(np.average(parts, weights=sizes), 12)  # ties are ties in whatever order sums were taken


def literal(metric, given, predictions, counts, sizes, *, alone):
    """Repeat the choice in loops; the score of each resample on the rows that it did not draw."""
    ones = np.ones(len(predictions[0]))
    single = np.array([mean_score(metric, given, each, ones) for each in predictions])
    out = np.array([[mean_score(metric, given, each, (line == 0) * 1.0) for each in predictions] for line in counts])
    values, sizes_chosen = [], []
    for line, others in zip(counts, out, strict=True):
        inside = np.array([mean_score(metric, given, each, line) for each in predictions])
        order = np.argsort(-inside, kind="stable")
        best = order[0]
        rivals = [(inside[best], 1, single[best] + others[best] - out.mean(axis=0)[best])] if alone else []
        for size in sizes:
            members = order[:size]
            mean = predictions[members].mean(axis=0)
            whole = mean_score(metric, given, mean, ones)
            expected = whole + (out.mean(axis=0) - single)[members].mean()
            left = mean_score(metric, given, mean, (line == 0) * 1.0)
            rivals.append((mean_score(metric, given, mean, line), size, whole + left - expected))
        chosen = max(rivals, key=lambda each: (each[0], -each[1]))
        values.append(chosen[2])
        sizes_chosen.append(chosen[1])
    return np.array(values), sizes_chosen


@pytest.mark.parametrize("metric", list(METRICS))
@pytest.mark.parametrize(("sizes", "alone"), [((2, 4), True), ((3,), False)])
def test_it_is_the_repeated_choice_in_loops(metric, sizes, alone, monkeypatch):
    monkeypatch.setattr("lrtune.verdict.correction.core.LEAST", 30)
    predictions, targets = probabilities()
    given = evidence(metric, predictions, targets, 0 if metric == "rmse" else 2)
    if metric in LABELS:
        predictions = given.predictions.astype(float)  # rounded to half precision
    choosing = Choosing(seed=5, resamples=30, averages=Averages(sizes, alone))
    counts = _counts(ROWS, 30, np.random.default_rng([5, 41]))
    expected, chosen = literal(metric, given, predictions, counts, sizes, alone=alone)
    draws = _draws(given, choosing)
    np.testing.assert_allclose(draws.levels + draws.chosen, expected, atol=1e-5)
    found = corrected(given, int(given.means.argmax()), choosing, DeliveredMean(sizes[0], -0.25))
    assert found.score == pytest.approx(expected.mean(), abs=1e-5)
    assert (found.naive, found.optimism) == pytest.approx((-0.25, -0.25 - expected.mean()), abs=1e-5)
    shares = {size: chosen.count(size) / 30 for size in set(chosen) - {1}}
    assert dict(found.averages) == pytest.approx(shares)
    assert sum(share for _, share in found.shares) == pytest.approx(chosen.count(1) / 30)
    assert set(chosen) >= set(sizes[-1:])  # means are chosen at all


@pytest.mark.parametrize("metric", ["log_loss", "roc_auc", "rmse", "mae"])
def test_a_mean_of_what_is_kept_is_what_is_kept_of_the_mean(metric):
    predictions, targets = probabilities()
    kept = keep(metric, predictions[:, None, :], targets)
    mean = of_average(metric, to_average(metric, kept).mean(axis=0))
    np.testing.assert_allclose(mean, keep(metric, predictions.mean(axis=0)[None, None], targets)[0], rtol=1e-12)


def test_labels_of_many_classes_are_those_of_the_mean():
    rng = np.random.default_rng(3)
    predictions, targets = rng.dirichlet(np.ones(4), size=(5, 80)).swapaxes(1, 2), rng.integers(4, size=80)
    record = recorded("accuracy", predictions, targets)
    labels = of_average("accuracy", to_average("accuracy", record).mean(axis=0, keepdims=True))[0]
    expected = record.astype(float).mean(axis=0).argmax(axis=1)
    np.testing.assert_array_equal(labels, expected)
    assert (labels != kept("accuracy", record)).any()
    given = evidence("accuracy", predictions, targets, classes=4)
    drawn = _counts(80, 6, rng)
    values = rng.normal(size=(6, 5))
    found = Averaging(given, Averages((2, 3)))(values, drawn)
    for line, weights in enumerate(drawn):
        order = np.argsort(-values[line])
        for place, size in enumerate((2, 3)):
            mean = record[order[:size]].astype(float).mean(axis=0)
            for scores, counted in (
                (found.whole, weights * 0 + 1),
                (found.inside, weights),
                (found.outside, weights == 0),
            ):
                expected = mean_score(OF_CLASSES, given, mean, counted * 1.0)
                assert scores[line, place] == pytest.approx(expected)


def test_probabilities_of_many_classes_have_one():
    rng = np.random.default_rng(2)
    predictions, targets = rng.dirichlet(np.ones(4), size=(5, 80)).swapaxes(1, 2), rng.integers(4, size=80)
    kept = keep("roc_auc", predictions, targets)
    mean = of_average("roc_auc", to_average("roc_auc", kept).mean(axis=0))
    expected = roc_auc_score(targets, predictions.mean(axis=0).T, multi_class="ovr")
    assert score("roc_auc", mean[None], targets, 4)[0] == pytest.approx(expected)


def test_members_are_complete_and_at_most_so_many():
    predictions, targets = probabilities(configurations=MOST_MEMBERS + 20)
    complete = np.ones(len(predictions), bool)
    complete[::7] = False
    given = evidence("log_loss", predictions, targets, complete=complete)
    members = _members(given)
    assert len(members) == MOST_MEMBERS
    assert complete[members].all()
    outside = np.setdiff1d(np.flatnonzero(complete), members)
    assert given.means[outside].max() <= given.means[members].min()


def test_a_mean_of_more_than_there_are_has_no_score():
    predictions, targets = probabilities()
    given = evidence("log_loss", predictions, targets)
    values = np.full((2, 7), -np.inf)
    values[0, :3], values[1, :6] = -0.5, -0.5
    found = Averaging(given, Averages((2, 5)))(values, np.ones((2, ROWS), np.float32))
    assert np.isfinite(found.inside).tolist() == [[True, False], [True, True]]


@pytest.mark.slow
@pytest.mark.parametrize("averages", [Averages((3, 5, 10)), Averages((5,), alone=False)])
def test_the_score_of_a_mean_is_true_where_the_truth_is_known(averages):
    """Configurations of equal worth: what the chosen mean is worth on other rows is what the correction says."""
    errors = []
    for seed in range(60):
        everything, truth = probabilities(configurations=24, rows=4000, seed=seed)
        predictions, targets = everything[:, :150], truth[:150]
        given = evidence("log_loss", predictions, targets)
        order = np.argsort(-given.means)
        means = {size: predictions[order[:size]].mean(axis=0) for size in averages.sizes}
        if averages.alone:
            means[1] = predictions[order[0]]
        size = min(means, key=lambda each: log_loss(targets, means[each]))
        naive = -log_loss(targets, means[size])
        found = corrected(given, int(order[0]), Choosing(seed=seed, averages=averages), DeliveredMean(size, naive))
        errors.append(found.score + log_loss(truth[150:], everything[order[:size], 150:].mean(axis=0)))
    assert abs(np.mean(errors)) < 3 * np.std(errors) / np.sqrt(len(errors)) + 0.002
