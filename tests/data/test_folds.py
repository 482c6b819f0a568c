"""Folds and test rows against scikit-learn's own splitters, and what each kind promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedKFold, TimeSeriesSplit

from lrtune.data.columns import Columns
from lrtune.data.folds import default_kind, fold_notes, holdout, make_folds
from lrtune.data.schema import Schema
from lrtune.errors import DataError

RNG = np.random.default_rng(11)


def data(target, *, groups=None, order=None):
    """Columns without features, and their schema."""
    target = np.asarray(target)
    classification = target.dtype.kind == "i"
    classes = tuple(f"c{i}" for i in range(target.max() + 1)) if classification else ()
    task = "classification" if classification else "regression"
    schema = Schema(task, "y", classes, (), group=None if groups is None else "g", order=None if order is None else "t")
    empty = np.empty((len(target), 0))
    times = None if order is None else np.asarray(order, dtype=float)
    return Columns(empty, empty.astype(np.int32), target, None if groups is None else np.asarray(groups), times), schema


LABELS = RNG.permutation(np.repeat([0, 1, 2], [50, 30, 20]))
VALUES = RNG.normal(size=100)


def check_partition(splits, rows, folds):
    """Each run of folds validates every row once; training is the rest; everything is sorted."""
    for start in range(0, len(splits), folds):
        valid = np.concatenate([valid for _, valid in splits[start : start + folds]])
        np.testing.assert_array_equal(np.sort(valid), rows)
    for train, valid in splits:
        np.testing.assert_array_equal(np.sort(np.concatenate([train, valid])), rows)
        assert train.dtype == valid.dtype == np.int64
        assert (np.diff(train) > 0).all()
        assert (np.diff(valid) > 0).all()


@pytest.mark.parametrize(
    ("target", "extra", "kind"),
    [
        (LABELS, {}, "stratified"),
        (VALUES, {}, "kfold"),
        (LABELS, {"groups": LABELS}, "group"),
        (VALUES, {"groups": LABELS}, "group"),
        (LABELS, {"order": VALUES}, "time_series"),
    ],
)
def test_the_default_kind_fits_the_data(target, extra, kind):
    assert default_kind(data(target, **extra)[1]) == kind


@settings(deadline=None, max_examples=40)
@given(
    st.integers(2, 7),
    st.integers(1, 3),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["kfold", "stratified", "group"]),
    st.booleans(),
)
def test_every_row_is_validated_once_per_repeat(folds, repeats, seed, kind, classification):
    groups = RNG.integers(0, 12, 100) if kind == "group" else None
    columns, schema = data(LABELS if classification or kind == "stratified" else VALUES, groups=groups)
    rows = np.setdiff1d(np.arange(100), np.arange(0, 100, 5))
    splits = make_folds(columns, schema, rows, folds=folds, kind=kind, repeats=repeats, seed=seed)
    assert len(splits) == folds * repeats
    check_partition(splits, rows, folds)


def test_stratified_folds_are_scikit_learns():
    columns, schema = data(LABELS)
    seed = int(np.random.default_rng([5, 21]).integers(2**31 - 1, size=1)[0])
    reference = StratifiedKFold(4, shuffle=True, random_state=seed).split(LABELS, LABELS)
    ours = make_folds(columns, schema, np.arange(100), folds=4, seed=5)
    for (train, valid), (expected_train, expected_valid) in zip(ours, reference, strict=True):
        np.testing.assert_array_equal(train, expected_train)
        np.testing.assert_array_equal(valid, expected_valid)
        assert np.abs(np.bincount(LABELS[valid]) - np.array([12.5, 7.5, 5])).max() <= 1


def test_folds_are_shuffled_and_seeded():
    columns, schema = data(VALUES)
    first, second = (make_folds(columns, schema, np.arange(100), seed=seed) for seed in (0, 1))
    again = make_folds(columns, schema, np.arange(100), seed=0)
    assert first[0][1].tolist() != list(range(20))
    assert first[0][1].tolist() != second[0][1].tolist()
    assert [valid.tolist() for _, valid in first] == [valid.tolist() for _, valid in again]


def test_more_repeats_keep_the_first_ones():
    columns, schema = data(LABELS)
    few, many = (make_folds(columns, schema, np.arange(100), repeats=repeats) for repeats in (1, 3))
    assert [valid.tolist() for _, valid in few] == [valid.tolist() for _, valid in many[:5]]
    assert len({tuple(valid) for _, valid in many}) == 15


@pytest.mark.parametrize("target", [LABELS, VALUES])
def test_groups_are_never_divided(target):
    groups = RNG.integers(0, 15, 100)
    splits = make_folds(*data(target, groups=groups), np.arange(100), folds=5)
    for train, valid in splits:
        assert not set(groups[train]) & set(groups[valid])


def test_groups_are_stratified_as_far_as_possible():
    groups = np.arange(100) // 2
    columns, schema = data(np.sort(LABELS), groups=groups)
    for _, valid in make_folds(columns, schema, np.arange(100), folds=5):
        assert np.abs(np.bincount(columns.target[valid], minlength=3) - np.array([10, 6, 4])).max() <= 2


def test_time_series_folds_are_scikit_learns_on_the_ordered_rows():
    times = RNG.permutation(103).astype(float)
    columns, schema = data(RNG.normal(size=103), order=times)
    rows = np.sort(np.argsort(times)[:90])
    ordered = np.argsort(times)[:90]
    ours = make_folds(columns, schema, rows, folds=5)
    for (train, valid), (expected_train, expected_valid) in zip(ours, TimeSeriesSplit(5).split(ordered), strict=True):
        np.testing.assert_array_equal(train, np.sort(ordered[expected_train]))
        np.testing.assert_array_equal(valid, np.sort(ordered[expected_valid]))
        assert times[train].max() < times[valid].min()


def test_time_series_without_a_column_follows_the_rows():
    splits = make_folds(*data(VALUES), np.arange(100), folds=4, kind="time_series")
    assert [(len(train), len(valid)) for train, valid in splits] == [(20, 20), (40, 20), (60, 20), (80, 20)]
    assert splits[0][0].tolist() == list(range(20))


def test_rows_of_the_same_time_stay_together():
    times = RNG.integers(0, 23, 100)
    splits = make_folds(*data(VALUES, order=times), np.arange(100), folds=4)
    for train, valid in splits:
        assert times[train].max() < times[valid].min()
    validated = np.concatenate([valid for _, valid in splits])
    assert len(np.unique(validated)) == len(validated)
    with pytest.raises(DataError, match="share the same time for 4 time series folds"):
        make_folds(*data(VALUES, order=np.arange(100) // 34), np.arange(100), folds=4)


@pytest.mark.parametrize(
    ("problem", "options", "message"),
    [
        (data([0, 1] * 5), {"kind": "startified"}, "unknown kind of folds 'startified'; did you mean 'stratified'"),
        (data([0, 1] * 5), {"folds": 1}, "at least 2 folds"),
        (data([0, 1] * 5), {"repeats": 0}, "1 repeat"),
        (data([0, 1] * 5), {"folds": 11, "kind": "kfold"}, "10 training rows cannot be put into 11 folds"),
        (data([0.5, 1.5] * 5), {"folds": 10, "kind": "time_series"}, "10 training rows cannot be put into 10 folds"),
        (data([0] * 6 + [1] * 3 + [2]), {"folds": 4}, "each of the 4 folds, but 'c1' has 3, 'c2' has 1"),
        (data([0.5, 1.5] * 5), {"kind": "stratified"}, "'y' is a regression target: use kfold"),
        (data([0, 1] * 5), {"kind": "group"}, "set data.group"),
        (data([0, 1] * 5, groups=[0, 1] * 5), {"folds": 3}, "'g' has 2 groups, too few for 3 folds"),
        (data([0, 1] * 5, groups=[0, 1] * 5), {"kind": "kfold"}, "kfold folds would divide the groups of 'g'"),
        (data([0.5, 1.5] * 5), {"kind": "time_series", "repeats": 2}, "only one past"),
        (data([0] * 6 + [1] * 4), {"kind": "time_series", "folds": 3}, "training rows of fold 1 are all of class 'c0'"),
        (data([0] * 5 + [1] * 5, groups=[0] * 5 + [1] * 5), {"folds": 2}, "all of class 'c[01]'"),
    ],
)
def test_messages(problem, options, message):
    with pytest.raises(DataError, match=message):
        make_folds(*problem, np.arange(10), **options)


def test_missing_classes_are_noted():
    labels = np.array([0, 1] * 10 + [2] * 10)
    columns, schema = data(labels)
    splits = make_folds(columns, schema, np.arange(30), folds=2, kind="time_series")
    assert fold_notes(columns, schema, splits) == (
        "class 'c2' has no training rows in folds 1, 2",
        "class 'c2' has no validation rows in fold 1",
        "class 'c0' has no validation rows in fold 2",
        "class 'c1' has no validation rows in fold 2",
    )
    assert fold_notes(*data(VALUES), splits) == ()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.one_of(st.floats(0.1, 0.6), st.integers(10, 60)), st.booleans())
def test_the_holdout_divides_the_rows(seed, test_size, classification):
    columns, schema = data(LABELS if classification else VALUES)
    train, test = holdout(columns, schema, test_size=test_size, seed=seed)
    check_partition([(train, test), (test, train)], np.arange(100), 2)
    assert len(test) == (test_size if test_size >= 1 else round(100 * test_size))
    if classification:
        np.testing.assert_allclose(np.bincount(LABELS[test]), len(test) * np.array([0.5, 0.3, 0.2]), atol=1)


def test_the_holdout_is_seeded():
    columns, schema = data(LABELS)
    tests = [tuple(holdout(columns, schema, seed=seed)[1]) for seed in (0, 0, 1)]
    assert tests[0] == tests[1] != tests[2]


def test_no_test_rows_on_request():
    train, test = holdout(*data(LABELS), test_size=0)
    assert len(train) == 100
    assert len(test) == 0


def test_the_holdout_takes_whole_groups():
    groups = np.repeat(np.arange(20), RNG.integers(1, 9, 20))
    columns, schema = data(RNG.normal(size=groups.size), groups=groups)
    for seed in range(5):
        train, test = holdout(columns, schema, test_size=0.25, seed=seed)
        assert not set(groups[train]) & set(groups[test])
        assert abs(len(test) - 0.25 * groups.size) <= 8


def test_the_holdout_takes_the_last_rows_in_time():
    times = RNG.permutation(100)
    train, test = holdout(*data(VALUES, order=times), test_size=0.2)
    assert times[train].max() < times[test].min()
    assert len(test) == 20
    tied = times // 7
    train, test = holdout(*data(VALUES, order=tied), test_size=0.2)
    assert tied[train].max() < tied[test].min()
    assert 13 <= len(test) <= 20


@pytest.mark.parametrize(
    ("problem", "test_size", "message"),
    [
        (data(LABELS), -0.1, "not -0.1"),
        (data(LABELS), 1.5, "not 1.5"),
        (data(LABELS), 100, "below the table's 100, not 100"),
        (data(LABELS), 2, "2 test rows of 100 cannot give both training and test all 3 classes"),
        (data([0] * 9 + [1]), 0.2, "class 'c1' of the target 'y' has 1 row"),
        (data(VALUES, groups=np.zeros(100, dtype=int)), 0.2, "one group"),
        (data(VALUES, groups=np.repeat([0, 1], [98, 2])), 0.01, "leaves 100 for training and 0 for the test"),
        (data(VALUES, order=np.zeros(100)), 0.2, "leaves 100 for training and 0 for the test"),
        (data([0] * 90 + [1] * 10, order=np.arange(100)), 0.2, "training rows of one class"),
    ],
)
def test_impossible_holdouts(problem, test_size, message):
    with pytest.raises(DataError, match=message):
        holdout(*problem, test_size=test_size)
