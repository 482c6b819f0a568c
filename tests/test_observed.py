"""The file of what was observed: what goes in comes out, whole or with a sentence."""

import numpy as np
import pytest

from lrtune.run.names import OBSERVED
from lrtune.run.observed import observe, read, write
from lrtune.text.errors import StudyError


@pytest.fixture
def observed():
    targets = [np.array([0, 1, 1]), np.array([1, 0]), np.array([1, 0, 1, 0, 1])]
    units = [np.array([70, 10, 30]), np.array([10, 20]), np.array([70, 20, 10, 30, 90])]
    rows = [np.array([7, 1, 3]), np.array([1, 2]), np.array([7, 2, 1, 3, 9])]  # some of two folds
    return observe(targets, units, rows=rows, kept=np.array([0, 1, 3, 5, 7, 9]), classes=2)


def test_kept_rows_have_their_targets_folds_and_units(observed):
    assert observed.targets.tolist() == [0, 1, 1, 1, 1, 1]
    assert observed.folds.tolist() == [0, 0, 1, 2, 2, 2]
    assert observed.units.tolist() == [1, 0, 0, 1, 0, 2]  # 70, 10, 10, 70, 10, 90 in order of size
    assert observed.sizes.tolist() == [3, 2, 5]
    assert observed.share == 0.6


def test_rows_of_each_class_are_counted_once_in_whatever_folds_they_stand():
    targets = [np.array([0, 1, 1]), np.array([2, 1]), np.array([1, 0, 2])]
    rows = [np.array([7, 1, 3]), np.array([4, 8]), np.array([1, 7, 4])]
    found = observe(targets, rows, rows=rows, kept=np.array([0]), classes=4)
    assert found.validated.tolist() == [1, 3, 1, 0]  # rows 7; 1, 3, 8; 4


def test_what_is_written_is_read_and_the_bytes_are_the_same_each_time(observed, tmp_path):
    path, again = tmp_path / OBSERVED, tmp_path / "again.npz"
    write(path, observed)
    write(again, observed)
    assert path.read_bytes() == again.read_bytes()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["again.npz", OBSERVED]
    found = read(path)
    for name in ("targets", "folds", "units", "sizes", "validated"):
        np.testing.assert_array_equal(getattr(found, name), getattr(observed, name))
    assert found.classes == 2


def test_values_keep_their_precision(tmp_path):
    values = np.array([0.1, 1e300, -3.0])
    write(tmp_path / OBSERVED, observe([values], [np.arange(3)], rows=[np.arange(3)], kept=np.arange(3), classes=0))
    np.testing.assert_array_equal(read(tmp_path / OBSERVED).targets, values)


def test_a_missing_or_damaged_file_is_refused(observed, tmp_path):
    path = tmp_path / OBSERVED
    with pytest.raises(StudyError, match="is not there"):
        read(path)
    write(path, observed)
    content = path.read_bytes()
    for damaged in (b"", b"PK\x03\x04", content[:100], content[:-30], b"nonsense"):
        path.write_bytes(damaged)
        with pytest.raises(StudyError, match="damaged"):
            read(path)


def test_columns_that_do_not_fit_are_refused(observed, tmp_path):
    path = tmp_path / OBSERVED
    others = {"folds": observed.folds, "units": observed.units, "sizes": [1], "classes": 2, "validated": [1, 1]}
    np.savez(path, targets=observed.targets[:2], **others)
    with pytest.raises(StudyError, match="length"):
        read(path)


def test_what_cannot_be_written_is_told(observed, tmp_path):
    with pytest.raises(StudyError, match="cannot be written"):
        write(tmp_path / "nowhere" / OBSERVED, observed)


@pytest.mark.parametrize("bit", [0, 3, 7])
def test_a_flipped_bit_is_found_wherever_it_is_or_changes_nothing(observed, tmp_path, bit):
    path = tmp_path / OBSERVED
    write(path, observed)
    content = path.read_bytes()
    refused = 0
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1 << bit
        path.write_bytes(changed)
        try:
            found = read(path)
        except StudyError:
            refused += 1
            continue
        for name in ("targets", "folds", "units", "sizes"):
            np.testing.assert_array_equal(getattr(found, name), getattr(observed, name))
    assert refused > 0.7 * len(content)
