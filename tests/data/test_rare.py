"""Rare classes: kept, left out or merged, on the training table and on every other one, as if by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lrtune.data.columns import arrays_for
from lrtune.data.dataset import open_dataset
from lrtune.data.schema import Schema
from lrtune.data.tables import load
from lrtune.text.errors import DataError, ModelError

COUNTS = {"a": 40, "b": 30, "c": 10, "d": 9, "e": 2, "f": 1}
"""Of ten rows on a class is not rare."""

NUMBERS = {"a": 3, "b": 1, "c": 7, "d": 4, "e": 9, "f": 8}


def write(path, labels, *, skip=()):
    """A number that differs from row to row, a category, a number with a gap, and the label."""
    lines = [
        f"{i * 0.37 % 5:.3f},{'uvw'[i % 3]},{i % 4 or ''},{label}"
        for i, label in enumerate(labels)
        if label not in skip
    ]
    path.write_text("\n".join(["x,k,z,y", *lines]) + "\n")


@pytest.fixture
def labels():
    every = [label for label, count in COUNTS.items() for _ in range(count)]
    return [every[i] for i in np.random.default_rng(0).permutation(len(every))]


def opened(folder, rare, **more):
    return open_dataset("table.csv", base=folder, target="y", rare=rare, **more)


def test_dropped_classes_are_as_if_they_had_never_been_there(tmp_path, labels):
    write(tmp_path / "table.csv", labels)
    write(tmp_path / "without.csv", labels, skip="def")
    found = opened(tmp_path, "drop")
    by_hand = open_dataset("without.csv", base=tmp_path, target="y")
    assert found.schema.classes == ("a", "b", "c")
    assert found.hash == by_hand.hash
    assert found.train_rows.tolist() == by_hand.train_rows.tolist()
    np.testing.assert_array_equal(found.columns.target, by_hand.columns.target)
    assert found.schema.dropped == ("d", "e", "f")
    note = "data.rare: drop: 12 rows of classes with fewer than 10 rows are left out: 'd' (9), 'e' (2), 'f' (1)"
    assert note in found.schema.notes


def test_merged_classes_are_as_if_they_had_been_called_so(tmp_path, labels):
    write(tmp_path / "table.csv", labels)
    write(tmp_path / "renamed.csv", ["other" if each in "def" else each for each in labels])
    found = opened(tmp_path, "merge")
    by_hand = open_dataset("renamed.csv", base=tmp_path, target="y")
    assert found.schema.classes == ("a", "b", "c", "other")
    assert found.hash == by_hand.hash
    assert np.bincount(found.columns.target).tolist() == [40, 30, 10, 12]
    note = "data.rare: merge: 12 rows of classes with fewer than 10 rows are class 'other' together: 'd' (9), 'e' (2), "
    assert any(each.startswith(note) for each in found.schema.notes)


def test_kept_classes_stay(tmp_path, labels):
    write(tmp_path / "table.csv", labels)
    found = opened(tmp_path, "keep")
    assert found.hash == open_dataset("table.csv", base=tmp_path, target="y").hash
    assert np.bincount(found.columns.target).tolist() == list(COUNTS.values())
    assert not set(found.test_rows) & set(np.flatnonzero(found.columns.target == 5))  # 'f' has one row


@pytest.mark.parametrize("rare", ["drop", "merge"])
def test_without_rare_classes_nothing_changes(tmp_path, labels, rare):
    write(tmp_path / "table.csv", labels, skip="def")
    found, kept = opened(tmp_path, rare), opened(tmp_path, "keep")
    assert found.hash == kept.hash
    assert found.schema == kept.schema


@pytest.mark.parametrize("rare", ["drop", "merge"])
def test_a_test_table_is_treated_like_the_first(tmp_path, labels, rare):
    write(tmp_path / "table.csv", labels)
    write(tmp_path / "test.csv", ["a", "d", "c", "f", "b", "d"])
    found = opened(tmp_path, rare, test="test.csv")
    expected = [0, 2, 1] if rare == "drop" else [0, 3, 2, 3, 1, 3]
    assert found.columns.target[found.test_rows].tolist() == expected
    write(tmp_path / "test.csv", ["a", "q"])
    with pytest.raises(DataError, match="'q' in row 2, a class that the training table does not have"):
        opened(tmp_path, rare, test="test.csv")


@pytest.mark.parametrize("rare", ["drop", "merge"])
def test_a_saved_schema_remembers(tmp_path, labels, rare):
    write(tmp_path / "table.csv", labels)
    schema = opened(tmp_path, rare).schema
    again = Schema.from_dict(json.loads(json.dumps(schema.to_dict())))
    assert again == schema
    write(tmp_path / "new.csv", ["d", "a"])
    if rare == "merge":
        assert arrays_for(load(tmp_path / "new.csv"), again, with_target=True).target.tolist() == [3, 0]
        return
    with pytest.raises(ModelError, match="'d' in row 1"):
        arrays_for(load(tmp_path / "new.csv"), again, with_target=True)


def test_numbers_are_classes_too(tmp_path, labels):
    write(tmp_path / "table.csv", [NUMBERS[each] for each in labels])
    dropped, merged = opened(tmp_path, "drop"), opened(tmp_path, "merge")
    assert dropped.schema.classes == (1, 3, 7)
    assert dropped.schema.dropped == (4, 8, 9)
    assert merged.schema.classes == ("1", "3", "7", "other")
    assert np.bincount(merged.columns.target).tolist() == [30, 40, 10, 12]


def test_the_merged_class_has_a_name_of_its_own(tmp_path, labels):
    names = {"a": "other", "b": "other classes", "d": "rare"}
    write(tmp_path / "table.csv", [names.get(each, each) for each in labels])
    found = opened(tmp_path, "merge")
    assert found.schema.classes == ("c", "other", "other classes", "other classes classes")
    assert np.bincount(found.columns.target).tolist() == [10, 40, 30, 12]


def test_the_merged_class_can_be_the_negative_one(tmp_path, labels):
    write(tmp_path / "table.csv", labels, skip="bc")
    found = opened(tmp_path, "merge", positive="a")
    assert found.schema.classes == ("other", "a")
    assert np.bincount(found.columns.target).tolist() == [12, 40]


@pytest.mark.parametrize(
    ("skip", "rare", "message"),
    [
        ("bc", "drop", "drop leaves the target 'y' 1 class, because fewer than 10 rows have 'd' (9), 'e' (2), 'f' (1)"),
        ("abc", "drop", "drop leaves the target 'y' 0 classes"),
        ("abc", "merge", "merge leaves the target 'y' 1 class"),
    ],
)
def test_one_class_is_not_enough(tmp_path, labels, skip, rare, message):
    write(tmp_path / "table.csv", labels, skip=skip)
    with pytest.raises(DataError) as found:
        opened(tmp_path, rare)
    assert f"data.rare: {message}" in str(found.value)


def test_numbers_to_fit_have_no_classes(tmp_path, labels):
    write(tmp_path / "table.csv", [NUMBERS[each] for each in labels])
    with pytest.raises(DataError, match=r"data\.rare is 'drop', but the task is regression and has no classes"):
        opened(tmp_path, "drop", task="regression")
