import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold, ShuffleSplit, StratifiedKFold, StratifiedShuffleSplit

from lrtune.data.drawing import shuffled_folds, shuffled_test, stratified_folds, stratified_test

SEEDS = st.integers(0, 2**31 - 2)


def numbered(splits, rows):
    """The fold of each row, as scikit-learn's splitters tell it."""
    found = np.full(rows, -1)
    for fold, (_, validation) in enumerate(splits):
        found[validation] = fold
    return found


def labels_of(counts, seed):
    """Labels of so many rows each, in some order; a class may have none."""
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))


@settings(deadline=None, max_examples=100)
@given(st.integers(2, 8), st.integers(0, 60), SEEDS)
def test_folds_are_those_of_scikit_learn(folds, more, seed):
    rows = folds + more
    theirs = KFold(folds, shuffle=True, random_state=seed).split(np.zeros(rows))
    np.testing.assert_array_equal(shuffled_folds(rows, folds, seed), numbered(theirs, rows))


@settings(deadline=None, max_examples=100)
@given(st.integers(2, 6), st.lists(st.integers(0, 20), min_size=2, max_size=5), SEEDS)
def test_stratified_folds_are_those_of_scikit_learn(folds, more, seed):
    counts = [0 if each == 1 else folds + each for each in (*more[:-1], 0)]  # one is there, and some may be missing
    labels = labels_of(counts, seed)
    for kind in (np.int64, np.int8):
        found = stratified_folds(labels.astype(kind), folds, seed)
        theirs = StratifiedKFold(folds, shuffle=True, random_state=seed).split(np.zeros(len(labels)), labels)
        np.testing.assert_array_equal(found, numbered(theirs, len(labels)))


@settings(deadline=None, max_examples=100)
@given(st.integers(2, 80), st.data(), SEEDS)
def test_test_rows_are_those_of_scikit_learn(rows, data, seed):
    wanted = data.draw(st.integers(1, rows - 1))
    ((_, theirs),) = ShuffleSplit(1, test_size=wanted, random_state=seed).split(np.zeros(rows))
    np.testing.assert_array_equal(shuffled_test(rows, wanted, seed), np.sort(theirs))


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(2, 15), min_size=2, max_size=6), st.data(), SEEDS)
def test_stratified_test_rows_are_those_of_scikit_learn(counts, data, seed):
    labels = labels_of(counts, seed)
    wanted = data.draw(st.integers(len(counts), len(labels) - len(counts)))
    split = StratifiedShuffleSplit(1, test_size=wanted, train_size=len(labels) - wanted, random_state=seed)
    ((_, theirs),) = split.split(np.zeros(len(labels)), labels)
    np.testing.assert_array_equal(stratified_test(labels, wanted, seed), np.sort(theirs))
