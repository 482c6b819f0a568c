"""Large tables: kept once and narrow, encoded when they are looked at; and the same results as if they were not."""

from __future__ import annotations

import copy
import errno
import gc
import os
import pickle
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import worker_functions
from hypothesis import given, settings
from hypothesis import strategies as st

from lrtune.arrays import by_file
from lrtune.data import compact, mapped
from lrtune.data.columns import arrays, arrays_for, concatenate, data_hash
from lrtune.data.dataset import open_dataset
from lrtune.data.encoding import problem_of
from lrtune.data.marks import row_marks
from lrtune.data.raw_frames import frame_shape
from lrtune.data.tables import from_frame
from lrtune.engines import packing
from lrtune.engines.local import Loky
from lrtune.model import fitting
from lrtune.model.fitting import encoded
from lrtune.text.errors import DataError
from lrtune.training.batches import table
from lrtune.training.encoded import EncodedRows, MixedNumbers, part_of
from lrtune.training.evaluate import evaluate, fit
from lrtune.training.numbers.catalogue import NUMBERS
from lrtune.training.tasks import Fold

RNG = np.random.default_rng(5)


@pytest.fixture
def compactly(monkeypatch, tmp_path):
    """Take every table for a large one."""
    monkeypatch.setattr(compact, "LARGE", 0)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def frame(rows=60, *, target="classes"):
    """Whole and short numbers, seconds since 1970, gaps, truths and categories."""
    numbers = RNG.normal(size=rows)
    gaps = np.where(RNG.random(rows) < 0.2, np.nan, RNG.normal(size=rows))
    signal = numbers + RNG.normal(size=rows)
    return {
        "whole": RNG.integers(-50, 50, rows).astype(float),
        "long": numbers,
        "seconds": 1.7e9 + RNG.random(rows) * 100,
        "gaps": gaps,
        "truth": RNG.choice(["yes", "no"], rows),
        "kind": RNG.choice(["a", "b", "c", ""], rows),
        "y": signal if target == "values" else np.array(["low", "mid", "high"])[np.digitize(signal, [-0.5, 0.5])],
    }


@pytest.mark.usefixtures("compactly")
def test_columns_are_as_narrow_as_they_may_be():
    data = frame()
    columns = open_dataset(from_frame(data), target="y").columns
    assert isinstance(columns.numeric, MixedNumbers)
    assert (columns.numeric.singles.dtype, columns.numeric.doubles.dtype) == (np.float32, np.float64)
    assert columns.codes.dtype == np.int8
    assert columns.numeric.shape == (60, 5)
    assert columns.numeric.doubles.shape == (60, 1)  # seconds: float32 moves in steps of 128
    for place, name in enumerate(("whole", "long", "seconds", "gaps")):
        low, high = np.nanquantile(data[name], (0.25, 0.75))
        moved = np.abs(columns.numeric.column(place) - data[name])
        assert np.nanmax(moved) <= 1e-6 * (high - low)
        np.testing.assert_array_equal(columns.numeric[:][:, place], columns.numeric.column(place))
        np.testing.assert_array_equal(np.isnan(columns.numeric.column(place)), np.isnan(data[name]))


@pytest.mark.parametrize(
    ("values", "narrow"),
    [
        ([1.0, 2.0, 3.0, 4.0], True),
        ([0.1, 0.2, 0.3, 0.4], True),
        ([1e9, 1e9 + 1, 1e9 + 2, 1e9 + 3], False),
        ([0.1, 0.1, 0.1, 0.1, 5.0], False),  # no range: nothing may move
        ([0.5, 0.5, 0.5, 0.5, 5.0], True),
        ([1e300, 2.0, 3.0, 4.0], False),
        ([np.nan, np.nan], True),
    ],
)
def test_what_float32_keeps(values, narrow):
    assert compact.narrow([np.array(values)]) == [narrow]


@pytest.mark.usefixtures("compactly")
def test_a_compact_table_says_the_same(monkeypatch):
    data = {key: each for key, each in frame().items() if key != "long"}
    data["gaps"] = np.round(data["gaps"], 0)
    large = open_dataset(from_frame(data), target="y")
    monkeypatch.setattr(compact, "LARGE", 2**40)
    small = open_dataset(from_frame(data), target="y")
    assert isinstance(large.columns.numeric, MixedNumbers)
    assert not isinstance(small.columns.numeric, MixedNumbers)
    np.testing.assert_array_equal(large.columns.numeric[:], small.columns.numeric)
    np.testing.assert_array_equal(large.columns.codes, small.columns.codes)
    np.testing.assert_array_equal(row_marks(large.columns, large.schema), row_marks(small.columns, small.schema))
    one, other = (frame_shape(each.schema).transform(each.columns, np.arange(7)) for each in (large, small))
    np.testing.assert_array_equal(one.numeric, other.numeric)
    assert data_hash(large.schema, large.columns) == large.hash != small.hash


@pytest.mark.usefixtures("compactly")
def test_rows_of_a_test_table_join_a_compact_one():
    data = frame()
    dataset = open_dataset(from_frame(data), target="y")
    more = arrays_for(from_frame({key: each[:9] for key, each in data.items()}), dataset.schema, with_target=True)
    both = concatenate(dataset.columns, more)
    assert isinstance(both.numeric, MixedNumbers)
    np.testing.assert_array_equal(both.numeric.places, dataset.columns.numeric.places)
    np.testing.assert_array_equal(both.numeric[:][60:], dataset.columns.numeric[:9])
    np.testing.assert_array_equal(both.codes[60:], dataset.columns.codes[:9])
    assert both.codes.dtype == np.int8


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(NUMBERS)))
def test_features_are_the_same_whenever_they_are_encoded(seed, numbers):
    rng = np.random.default_rng(seed)
    dataset = open_dataset(from_frame(frame(40)), target="y")
    train = np.sort(rng.permutation(40)[:25])
    encoder, fold = encoded(
        dataset.columns, dataset.schema, train, train[:0], index=0, dtype="float32", numbers=numbers
    )
    rows = encoder.features(dataset.columns, train, "float32")
    assert isinstance(rows, EncodedRows)
    assert rows.shape == fold.features.shape
    np.testing.assert_array_equal(rows[:], fold.features)
    some = rng.integers(0, 25, 9)
    np.testing.assert_array_equal(rows[some], fold.features[some])
    np.testing.assert_array_equal(part_of(rows, some)[2:5], fold.features[some][2:5])
    np.testing.assert_array_equal(np.vstack([rows[place : place + 1] for place in range(25)]), fold.features)


def folds_of(dataset, **how):
    rows = np.arange(dataset.columns.rows)
    splits = [(rows[rows % 3 != place], rows[rows % 3 == place]) for place in range(2)]
    splits.append((rows[10:50], rows[:10]))
    return [encoded(dataset.columns, dataset.schema, *each, index=k, **how)[1] for k, each in enumerate(splits)]


CONFIGURATIONS = [
    {"learning_rate": 0.1, "hidden": (5,), "decay": "exponential"},
    {"learning_rate": 0.05, "hidden": (5,), "decay": "plateau", "decay.patience": 0},
    {"learning_rate": 0.02, "hidden": (5,), "optimizer": "adam", "class_weight": "balanced"},
    {"learning_rate": 0.02, "hidden": (5,), "optimizer": "adam", "embedding": "periodic"},
    {"learning_rate": 0.02, "model": "linear", "optimizer": "natural_gradient"},
]


@pytest.mark.parametrize("target", ["classes", "values"])
@pytest.mark.parametrize("numbers", sorted(NUMBERS))
def test_training_gives_the_same_bits_whenever_features_are_encoded(monkeypatch, target, numbers):
    dataset = open_dataset(from_frame(frame(target=target)), target="y")
    found = []
    for limit in (2**40, -1):
        monkeypatch.setattr(fitting, "IN_ADVANCE", limit)
        folds = folds_of(dataset, dtype="float32", numbers=numbers)
        assert isinstance(folds[0].features, EncodedRows) == (limit < 0)
        problem = problem_of(dataset.schema)
        for each in CONFIGURATIONS:
            configuration = {**each, "epochs": 3, "batch_size": 16, "numbers": numbers}
            metric = "rmse" if target == "values" else "log_loss"
            found.append(evaluate([configuration], folds, problem, metric, seed=1, dtype="float32")[0])
            found.append(fit(configuration, folds[0], problem, seed=1, dtype="float32"))
    for one, other in zip(found[: len(found) // 2], found[len(found) // 2 :], strict=True):
        assert pickle.dumps(one) == pickle.dumps(other)


def test_mini_batches_are_gathered_alike(monkeypatch):
    dataset = open_dataset(from_frame(frame()), target="y")
    order = np.array([[3, 0, 40], [40, 7, 40]])  # 40 is the row of zeros that fills a mini-batch
    found = []
    for limit in (2**40, -1):
        monkeypatch.setattr(fitting, "IN_ADVANCE", limit)
        part = table(folds_of(dataset, dtype="float32")[2], problem_of(dataset.schema), np.dtype("float32"))
        out = np.full((2, 3, part.width), np.nan, "float32")
        part.gather(order, out)
        found.append((out, part.rows(np.array([5, 40]))))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not found[0][0][0, 2].any()
    assert found[0][0][0, 0, -1] == 1.0


@pytest.mark.usefixtures("compactly")
def test_folds_are_written_once_and_read_back(monkeypatch):
    monkeypatch.setattr(fitting, "IN_ADVANCE", -1)
    dataset = open_dataset(from_frame(frame()), target="y")
    folds = tuple(folds_of(dataset, dtype="float32"))
    content = packing.to_bytes(folds)
    again = packing.read(tuple[Fold, ...], content)
    assert isinstance(again[0].features, EncodedRows)
    assert again[0].features.numeric.singles is again[2].features.numeric.singles
    for one, other in zip(folds, again, strict=True):
        np.testing.assert_array_equal(one.features[:], other.features[:])
        np.testing.assert_array_equal(one.validation_features[:], other.validation_features[:])


@pytest.mark.usefixtures("compactly")
def test_another_process_maps_the_file_of_an_array():
    array = mapped.allocated((1000, 5), "float32")
    array[:] = np.arange(5000).reshape(1000, 5)
    content = pickle.dumps(array, protocol=5)
    assert len(content) > array.nbytes  # another machine has no such file
    assert type(pickle.loads(content)) is np.ndarray
    opened, said = by_file(array)
    assert opened(*said).tolist() == array.tolist()
    executor = Loky(worker_functions.file_and_total, array, 1)
    executor.submit(0, 2)
    assert executor.next_done().value == (array.file, 2 * array.sum(dtype=float))
    executor.close()
    assert type(array[3:5]) is np.ndarray
    assert copy.deepcopy(array[3:5]).tolist() == array[3:5].tolist()


@pytest.mark.skipif(sys.platform != "linux", reason="counts open files")
def test_a_file_goes_with_its_array(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def is_open():
        found = [each.readlink() for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
        return any(each.is_relative_to(tmp_path) for each in found)

    array = mapped.allocated((10, 2), "float64")
    assert is_open()
    assert list(tmp_path.iterdir()) == []  # it has no name
    part = array[2:4]
    del array
    gc.collect()
    part[:] = 1.0
    assert part.tolist() == [[1.0, 1.0]] * 2
    del part
    gc.collect()
    assert not is_open()


@pytest.mark.usefixtures("compactly")
def test_a_full_disk_is_a_sentence(monkeypatch, tmp_path):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(DataError, match=r"No space left on device.*TMPDIR"):
        open_dataset(from_frame(frame()), target="y")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="No such file or directory"):
        open_dataset(from_frame(frame()), target="y")


@pytest.mark.usefixtures("compactly")
def test_a_table_of_no_numbers_or_no_categories_is_compact_as_well():
    data = frame()
    only = {"kind": data["kind"], "y": data["y"]}
    columns = open_dataset(from_frame(only), target="y").columns
    assert columns.numeric[:].shape == (60, 0)
    assert columns.rows == 60
    dataset = open_dataset(from_frame({"long": data["long"], "y": data["y"]}), target="y")
    assert dataset.columns.codes.shape == (60, 0)
    assert replace(dataset.columns, target=None).numeric[:].shape == (60, 1)
    assert arrays(from_frame({"long": data["long"], "y": data["y"]}), dataset.schema).rows == 60
