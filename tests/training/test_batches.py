import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrtune.training.batches import effective_batch_size, epoch_batches, epoch_order, steps_per_epoch, table
from lrtune.training.tasks import Fold, Problem

PROBLEM = Problem("squared", 1, 0)


def numbered(index, rows, weights=None):
    """A fold whose only feature is the number of the row, from 1."""
    features = np.arange(1.0, rows + 1.0)[:, None]
    weights = np.ones(rows) if weights is None else weights
    return Fold(index, features, 10.0 * features[:, 0], weights, features, features[:, 0])


def tables(folds):
    made = [table(fold, PROBLEM, np.dtype("float64")) for fold in folds]
    return sorted(made, key=lambda each: -len(each.weights))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=4), st.integers(1, 12), st.integers(0, 3))
def test_every_row_of_every_fold_is_in_exactly_one_mini_batch(rows, batch_size, epoch):
    folds = tables([numbered(index, count) for index, count in enumerate(rows)])
    seen = [[] for _ in folds]
    for batch in epoch_batches(folds, 7, epoch, batch_size):
        assert batch.rows.shape == (len(batch.weights), batch_size, 2)
        for lane, (features, weights) in enumerate(zip(batch.rows, batch.weights, strict=True)):
            real = features[:, 1] == 1.0
            assert real.any()
            seen[lane].extend(features[real, 0])
            np.testing.assert_allclose(weights[0], real / real.sum())
    for lane, fold in enumerate(folds):
        assert sorted(seen[lane]) == list(range(1, len(fold.weights) + 1))


def test_columns_rows_and_targets_belong_together():
    (fold,) = tables([numbered(0, 11)])
    for batch in epoch_batches([fold], 1, 0, 4):
        np.testing.assert_array_equal(batch.columns, batch.rows.swapaxes(-1, -2))
        np.testing.assert_allclose(batch.targets, 10.0 * batch.columns[:, :1] * batch.weights)


def test_the_order_is_a_permutation_that_depends_on_seed_fold_and_epoch():
    address = {(seed, fold, epoch) for seed in (1, 2) for fold in (0, 1) for epoch in (0, 1)}
    orders = {tuple(epoch_order(*each, 50, 50).ravel()) for each in address}
    assert len(orders) == len(address)
    expected = np.random.default_rng([1, 2, 3, 4]).permutation(10)  # seed, purpose, fold, epoch
    np.testing.assert_array_equal(epoch_order(1, 3, 4, 10, 10), expected[None])


def test_row_weights_are_shared_out_within_each_mini_batch():
    weights = np.array([1.0, 2.0, 0.0, 5.0, 0.5, 1.5])
    (fold,) = tables([numbered(0, 6, weights)])
    for batch in epoch_batches([fold], 3, 0, 3):
        own = weights[batch.rows[0, :, 0].astype(int) - 1]
        np.testing.assert_allclose(batch.weights[0, 0], own / own.sum())


def test_a_mini_batch_of_weight_zero_has_shares_of_zero():
    (fold,) = tables([numbered(0, 6, np.zeros(6))])
    assert all((batch.weights == 0.0).all() for batch in epoch_batches([fold], 3, 0, 3))


def test_a_mini_batch_is_never_much_larger_than_the_fold():
    assert [effective_batch_size(64, rows) for rows in (1, 16, 17, 60, 64, 1000)] == [16, 16, 32, 64, 64, 64]
    assert effective_batch_size(10**9, 1437) == 1440


@pytest.mark.parametrize(("rows", "steps"), [(1, 1), (63, 1), (64, 1), (65, 2), (1437, 23)])
def test_an_epoch_has_as_many_steps_as_cover_the_rows(rows, steps):
    assert steps_per_epoch(64, rows) == steps


def test_chunks_of_gathered_steps_do_not_show(monkeypatch):
    folds = tables([numbered(index, rows) for index, rows in enumerate((37, 20, 9))])
    whole = list(epoch_batches(folds, 1, 0, 4))
    monkeypatch.setattr("lrtune.training.batches._CHUNK_BYTES", 1)
    for one, other in zip(whole, epoch_batches(folds, 1, 0, 4), strict=True):
        for left, right in zip(one, other, strict=True):
            np.testing.assert_array_equal(left, right)


def test_labels_become_indicators():
    fold = Fold(0, np.ones((3, 1)), np.array([2, 0, 1]), np.ones(3), np.ones((1, 1)), np.zeros(1))
    expected = [[0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 0]]
    made = table(fold, Problem("softmax", 3, 3), np.dtype("float32"))
    np.testing.assert_array_equal(made.wanted(np.arange(4)).T, expected)
