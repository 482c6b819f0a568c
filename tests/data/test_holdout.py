"""Test rows: what they promise, on small tables against all that could be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from row_tables import data

from lrtune.data.folds import make_folds
from lrtune.data.holdout import holdout
from lrtune.text.errors import DataError

RNG = np.random.default_rng(11)
LABELS = RNG.permutation(np.repeat([0, 1, 2], [50, 30, 20]))
VALUES = RNG.normal(size=100)


def check_parts(train, test, rows):
    """Together all rows, each part sorted and not empty."""
    assert sorted([*train, *test]) == list(range(rows))
    for part in (train, test):
        assert len(part)
        assert part.tolist() == sorted(part)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.one_of(st.floats(0.1, 0.6), st.integers(10, 60)), st.booleans())
def test_the_holdout_divides_the_rows(seed, test_size, classification):
    columns, schema = data(LABELS if classification else VALUES)
    train, test = holdout(columns, schema, test_size=test_size, seed=seed)
    check_parts(train, test, 100)
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
        (data(LABELS), 100, "test_size 100 sets 100 of 100 rows apart for the test and leaves none to train on"),
        (
            data(LABELS),
            0.999,
            "test_size 0.999 sets 100 of 100 rows apart .*none to train on, where at most 99 can be;",
        ),
        (
            data(VALUES),
            0.996,
            "test_size 0.996 sets 100 of 100 rows apart .*; choose a smaller one, 0 for no test, or ",
        ),
        (data(LABELS), 98, "test_size 98 leaves no rows of every class to train on; choose a smaller one, 0 for no"),
        (data(VALUES, groups=np.zeros(100, dtype=int)), 0.2, "one group"),
        (data(VALUES, order=np.zeros(100)), 0.2, "leaves no rows to train on"),
        (data([0] * 99 + [1], order=np.arange(100)), 0.2, "leaves no rows of two classes to train on"),
        (data([0] * 90 + [1] * 10, groups=np.repeat([0, 1], [90, 10])), 0.2, "leaves no rows of two classes"),
    ],
)
def test_impossible_holdouts(problem, test_size, message):
    with pytest.raises(DataError, match=message):
        holdout(*problem, test_size=test_size)


def test_the_only_row_of_a_class_is_no_test_row():
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(8), [500, 300, 190, 5, 2, 1, 1, 1]))
    for seed in range(10):
        train, test = holdout(*data(labels), test_size=0.2, seed=seed)
        check_parts(train, test, 1000)
        counts = np.bincount(labels[test], minlength=8)
        assert len(test) == 200
        np.testing.assert_allclose(counts[:3], [100, 60, 38], atol=2)
        assert counts[5:].tolist() == [0, 0, 0]
        assert np.bincount(labels[train]).min() >= 1


def test_a_test_of_fewer_rows_than_classes_has_some_of_them():
    labels = np.repeat(np.arange(12), 3)
    chosen = set()
    for seed in range(20):
        train, test = holdout(*data(labels), test_size=0.2, seed=seed)
        assert len(test) == 7
        assert set(labels[train]) == set(range(12))
        assert len(set(labels[test])) == 7  # none twice
        chosen |= set(labels[test].tolist())
    assert chosen == set(range(12))


def test_the_last_time_is_the_test_where_it_has_more_rows_than_asked_for():
    train, test = holdout(*data(VALUES, order=np.repeat([3, 1, 2], [30, 30, 40])), test_size=0.2)
    assert (len(train), test.tolist()) == (70, list(range(30)))


def test_the_past_has_two_classes_and_two_times_that_can_be_validated():
    columns, schema = data([0] * 90 + [1] * 10, order=np.arange(100))
    train, test = holdout(columns, schema, test_size=0.2)
    assert (len(train), test.tolist()) == (93, list(range(93, 100)))
    assert [valid.tolist() for _, valid in make_folds(columns, schema, train)] == [[91], [92]]
    short = data([0] * 98 + [1] * 2, order=np.arange(100))
    assert holdout(*short, test_size=0.2)[1].tolist() == [99]


def test_a_small_group_is_taken_rather_than_none():
    groups = np.repeat([0, 1], [98, 2])
    assert holdout(*data(VALUES, groups=groups), test_size=0.01)[1].tolist() == [98, 99]


def test_a_group_is_taken_that_leaves_two_folds():
    """Of three groups only the last can be spared: the others have both classes."""
    columns, schema = data([0, 1] * 10 + [0, 1] * 10 + [0] * 20, groups=np.repeat([0, 1, 2], 20))
    for seed in range(10):
        train, test = holdout(columns, schema, test_size=0.2, seed=seed)
        assert set(columns.groups[test]) == {2}
        assert len(make_folds(columns, schema, train)) == 2
    assert {
        int(columns.groups[holdout(*data(VALUES[:60], groups=columns.groups), seed=seed)[1][0]]) for seed in range(9)
    } == {
        0,
        1,
        2,
    }


def test_a_group_without_which_nothing_can_be_learnt_is_not_taken():
    groups = np.repeat(np.arange(5), 20)
    for seed in range(10):
        train, test = holdout(*data([0] * 80 + [1] * 20, groups=groups), test_size=0.2, seed=seed)
        check_parts(train, test, 100)
        assert len(test) == 20
        assert 4 not in groups[test]


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.integers(0, 3), min_size=2, max_size=9),
    st.lists(st.integers(0, 3), min_size=9, max_size=9),
    st.integers(1, 8),
    st.sampled_from(["rows", "groups", "times"]),
    st.integers(0, 30),
)
def test_a_test_is_found_if_there_is_one(labels, parts, wanted, kind, seed):
    labels, parts = np.array(labels), np.array(parts[: len(labels)])
    classes = len(set(labels.tolist()))
    if kind == "groups":
        problem = data(labels, groups=parts)
        possible = any(len(set(labels[parts != each].tolist())) > 1 for each in set(parts.tolist()))
    elif kind == "times":
        problem = data(labels, order=parts)
        possible = len(set(labels[parts < parts.max()].tolist())) > 1
    else:
        problem = data(labels)
        possible = len(labels) - wanted >= classes > 1
    try:
        train, test = holdout(*problem, test_size=wanted, seed=seed)
    except DataError:
        assert not possible or wanted >= len(labels)
        return
    check_parts(train, test, len(labels))
    assert len(set(labels[train].tolist())) > 1
    if kind == "groups":
        assert not set(parts[train]) & set(parts[test])
    elif kind == "times":
        assert parts[train].max() < parts[test].min()
    else:
        assert len(test) == wanted
