"""Folds and test rows against scikit-learn's own splitters, and what each kind promises."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from row_tables import data
from sklearn.model_selection import KFold, StratifiedGroupKFold, StratifiedKFold, TimeSeriesSplit

from lrtune.data.fold_notes import fold_notes
from lrtune.data.folds import default_kind, make_folds
from lrtune.text.errors import DataError

RNG = np.random.default_rng(11)


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
    with pytest.raises(
        DataError, match="'t' has 3 times, and the first can only be trained on, too few for 4 folds; use 2 or fewer"
    ):
        make_folds(*data(VALUES, order=np.arange(100) // 34), np.arange(100), folds=4)


@pytest.mark.parametrize(
    ("problem", "options", "message"),
    [
        (data([0, 1] * 5), {"kind": "startified"}, "unknown kind of folds 'startified'; did you mean 'stratified'"),
        (data([0, 1] * 5), {"folds": 1}, "at least 2 folds"),
        (data([0, 1] * 5), {"repeats": 0}, "1 repeat"),
        (data([0, 1] * 5), {"folds": 11, "kind": "kfold"}, "10 training rows cannot be put into 11 folds; use 10 or"),
        (
            data([0.5, 1.5] * 5),
            {"folds": 10, "kind": "time_series"},
            "there are 10 rows, .* too few for 10 folds; use 9 or",
        ),
        (data([0.5, 1.5] * 5), {"kind": "stratified"}, "'y' is a regression target: use kfold"),
        (data([0, 1] * 5), {"kind": "group"}, "set data.group"),
        (data([0, 1] * 5, groups=[0, 1] * 5), {"folds": 3}, "'g' has 2 groups, too few for 3 folds$"),
        (
            data(np.arange(10)),
            {"folds": 2},
            "^every class has one training row only, which cannot be trained on and val",
        ),
        (data([0, 1] * 5, groups=[0, 1] * 5), {"kind": "kfold"}, "kfold folds would divide the groups of 'g'"),
        (data([0.5, 1.5] * 5), {"kind": "time_series", "repeats": 2}, "only one past"),
        (data([1] * 10), {}, "all 10 training rows are of class 'c1': there is nothing to learn"),
        (
            data(np.arange(8).repeat([3, 1, 1, 1, 1, 1, 1, 1])),
            {"folds": 4},
            "only 3 of 10 .*, too few for 4 folds; use 3 .*, or data.rare: .* 'c1', .*'c7' have one row each",
        ),
        (
            data([0] * 6 + [1] * 4),
            {"kind": "time_series", "folds": 4},
            "the first 6 rows are all of class 'c0', and 3 times can be validated, too few for 4 folds; use 3 or fewer",
        ),
        (
            data([0] * 5 + [1] * 5, groups=[0] * 5 + [1] * 5),
            {"folds": 2},
            "one group has to stay in the training rows .* that leaves 1 group, too few for 2 folds$",
        ),
        (
            data([0] * 4 + [1] * 4 + [2] * 2, groups=[0] * 4 + [1] * 4 + [2] * 2),
            {"folds": 2},
            "three groups of one class each cannot be put into 2 folds",
        ),
    ],
)
def test_messages(problem, options, message):
    with pytest.raises(DataError, match=message):
        make_folds(*problem, np.arange(10), **options)


@pytest.mark.parametrize(
    ("groups", "rows", "message"),
    [
        ([0, 1] * 5, [0, 2, 4], "^'g' has 2 groups, of which 1 is left, since the other one was set apart before"),
        ([0, 1, 2, 3, 4] * 2, [0, 1, 5, 6], "^'g' has 5 groups, of which 2 are left, since the others were set apart"),
    ],
)
def test_groups_that_were_set_apart_are_told(groups, rows, message):
    columns, schema = data([0.5, 1.5] * 5, groups=groups)
    with pytest.raises(DataError, match=message):
        make_folds(columns, schema, np.array(rows), folds=3)


def test_missing_classes_are_noted():
    labels = np.array([0, 1] * 10 + [2] * 10)
    columns, schema = data(labels)
    splits = make_folds(columns, schema, np.arange(30), folds=2, kind="time_series")
    assert fold_notes(columns, schema, splits) == (
        "class 'c2' has no training rows in folds 1, 2",
        "classes 'c0', 'c1' have no validation rows in fold 2",
        "class 'c2' has no validation rows in fold 1",
    )
    assert fold_notes(columns, schema, splits, [7, 9])[-1] == "class 'c2' has no validation rows in fold 7"
    assert fold_notes(*data(VALUES), splits) == ()


def test_rare_classes_are_noted_together():
    columns, schema = data(np.repeat(np.arange(6), [20, 3, 20, 2, 1, 1]))
    splits = make_folds(columns, schema, np.arange(47), folds=5, repeats=2)
    stay = "their rows stay in the training rows of every fold; data.rare: merge or drop would change that"
    assert fold_notes(columns, schema, splits) == (
        f"classes 'c4' (1 row), 'c5' (1 row) are never scored: {stay}",
        "scored on as many folds as there are rows: classes 'c1' (3 rows), 'c3' (2 rows)",
    )
    many, wide = data(np.repeat(np.arange(17), [20] + [1] * 16))
    (note,) = fold_notes(many, wide, make_folds(many, wide, np.arange(36)))
    assert "'c12' (1 row) and 4 more are never scored" in note


def test_as_many_folds_as_the_table_bears():
    """5, or the rows of the rarest class with two or more, but at least 3; of fewer units, as many as there are."""
    rows = {5: [30, 7], 4: [30, 4, 20], 3: [30, 3, 1]}
    for expected, counts in rows.items():
        columns, schema = data(np.repeat(np.arange(len(counts)), counts))
        assert len(make_folds(columns, schema, np.arange(sum(counts)))) == expected
    assert len(make_folds(*data(np.repeat([0, 1], [30, 2])), np.arange(32))) == 3
    assert len(make_folds(*data(np.repeat([0, 1], [30, 2])), np.arange(32), folds=5)) == 5
    assert len(make_folds(*data(np.repeat([0, 1], [30, 1])), np.arange(31))) == 5
    assert len(make_folds(*data([0, 0, 1, 1]), np.arange(4))) == 3
    assert len(make_folds(*data(VALUES[:4]), np.arange(4))) == 4
    assert len(make_folds(*data(VALUES, groups=np.arange(100) % 3), np.arange(100))) == 3
    assert len(make_folds(*data(VALUES, order=np.arange(100) // 34), np.arange(100))) == 2


def test_the_rows_of_a_rare_class_are_in_as_many_folds():
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(5), [40, 30, 3, 2, 1]))
    columns, schema = data(labels)
    for seed in range(5):
        splits = make_folds(columns, schema, np.arange(76), folds=5, seed=seed)
        counts = np.stack([np.bincount(labels[valid], minlength=5) for _, valid in splits])
        assert counts[:, :2].tolist() == [[8, 6]] * 5
        assert sorted(counts[:, 2]) == [0, 0, 1, 1, 1]
        assert sorted(counts[:, 3]) == [0, 0, 0, 1, 1]
        assert counts[:, 4].sum() == 0
        assert all(np.bincount(labels[train], minlength=5).all() for train, _ in splits)
        assert max(map(len, (valid for _, valid in splits))) - min(map(len, (valid for _, valid in splits))) <= 1


def test_the_first_fold_in_time_waits_for_a_second_class():
    splits = make_folds(*data([0] * 6 + [1] * 4), np.arange(10), folds=3, kind="time_series")
    assert [valid.tolist() for _, valid in splits] == [[7], [8], [9]]


# --- against all that could be: small tables, every assignment


def assignments(units, folds):
    """List every way of putting units into folds of which none is empty."""
    return (each for each in itertools.product(range(folds), repeat=units) if len(set(each)) == folds)


def is_sound(labels, units, assignment, folds):
    """Whether each fold has two classes to train on; `assignment` says which fold each unit is validated in, or -1."""
    where = np.asarray(assignment)[units]
    return all(len(set(labels[where != fold])) > 1 for fold in range(folds))


def whole(splits, rows):
    """Which fold validates each row, -1 for none; every fold must be sorted, and rows be on one side only."""
    where = np.full(rows.max() + 1, -1)
    for fold, (train, valid) in enumerate(splits):
        assert len(valid)
        assert (where[valid] == -1).all()
        where[valid] = fold
        assert sorted([*train, *valid]) == rows.tolist()
        assert train.tolist() == sorted(train)
        assert valid.tolist() == sorted(valid)
    return where[rows]


tiny = st.tuples(
    st.lists(st.integers(0, 3), min_size=2, max_size=8), st.lists(st.integers(0, 5), min_size=8, max_size=8)
)


@settings(deadline=None, max_examples=300)
@given(tiny, st.integers(2, 5), st.integers(0, 50), st.booleans())
def test_whole_units_are_split_if_they_can_be(table, folds, seed, grouped):
    """A sound assignment of all rows or groups, if there is one; else one is pinned; else there is a sentence."""
    labels, groups = np.array(table[0]), np.array(table[1][: len(table[0])])
    units = np.unique(groups, return_inverse=True)[1] if grouped else np.arange(len(labels))
    problem = data(labels, groups=groups if grouped else None, classes=4)
    possible = any(is_sound(labels, units, each, folds) for each in assignments(units.max() + 1, folds))
    try:
        splits = make_folds(
            *problem, np.arange(len(labels)), folds=folds, kind="group" if grouped else "kfold", seed=seed
        )
    except DataError:
        assert not possible
        return
    where = whole(splits, np.arange(len(labels)))
    place = {unit: set(where[units == unit].tolist()) for unit in units}
    assert all(len(each) == 1 for each in place.values())
    assert is_sound(labels, units, [place[unit].pop() for unit in range(units.max() + 1)], folds)
    assert ((where >= 0).all()) == possible
    assert len(np.unique(units[where < 0])) <= 1


@settings(deadline=None, max_examples=300)
@given(st.lists(st.integers(0, 4), min_size=2, max_size=12), st.integers(2, 5), st.integers(0, 50))
def test_stratified_folds_score_all_but_single_rows(labels, folds, seed):
    labels = np.array(labels)
    counts = np.bincount(labels, minlength=5)
    free = counts[labels] > 1
    try:
        splits = make_folds(*data(labels, classes=5), np.arange(len(labels)), folds=folds, kind="stratified", seed=seed)
    except DataError:
        assert free.sum() < folds or np.count_nonzero(counts) < 2
        return
    where = whole(splits, np.arange(len(labels)))
    assert ((where >= 0) == free).all()
    assert is_sound(labels, np.arange(len(labels)), where, folds)
    for label in np.flatnonzero(counts > 1):
        shares = np.bincount(where[labels == label], minlength=folds)
        assert shares.max() - shares.min() <= 1


@settings(deadline=None, max_examples=300)
@given(tiny, st.integers(2, 5), st.booleans())
def test_times_are_split_if_they_can_be(table, folds, classification):
    labels, times = np.array(table[0]), np.array(table[1][: len(table[0])])
    target = labels if classification else labels + 0.5
    starts = [
        time
        for time in sorted(set(times.tolist()))[1:]
        if not classification or len(set(labels[times < time].tolist())) > 1
    ]
    try:
        splits = make_folds(*data(target, order=times, classes=4), np.arange(len(times)), folds=folds)
    except DataError:
        assert len(starts) < folds or (classification and len(set(table[0])) < 2)
        return
    assert len(splits) == folds
    chosen = [min(times[valid]) for _, valid in splits]
    assert chosen == sorted(set(chosen))
    assert set(chosen) <= set(starts)
    for (train, valid), start, end in zip(splits, chosen, [*chosen[1:], np.inf], strict=True):
        assert train.tolist() == np.flatnonzero(times < start).tolist()
        assert valid.tolist() == np.flatnonzero((times >= start) & (times < end)).tolist()


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 10**6), st.integers(2, 5), st.sampled_from(["kfold", "stratified", "group"]))
def test_what_scikit_learn_splits_soundly_stays_as_it_is(seed, folds, kind):
    rng = np.random.default_rng(seed)
    labels, groups = rng.integers(0, 3, 40), rng.integers(0, 9, 40)
    number = int(np.random.default_rng([seed, 21]).integers(2**31 - 1, size=1)[0])
    splitter = {"kfold": KFold, "stratified": StratifiedKFold, "group": StratifiedGroupKFold}[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        theirs = list(splitter(folds, shuffle=True, random_state=number).split(labels, labels, groups))
    assume(kind != "stratified" or np.bincount(labels).min() >= folds)
    assume(all(len(valid) and len(set(labels[train])) > 1 for train, valid in theirs))
    problem = data(labels, groups=groups if kind == "group" else None)
    ours = make_folds(*problem, np.arange(40), folds=folds, kind=kind, seed=seed)
    for (train, valid), (expected_train, expected_valid) in zip(ours, theirs, strict=True):
        assert (train.tolist(), valid.tolist()) == (expected_train.tolist(), expected_valid.tolist())
