"""Values as bytes that nobody has to trust."""

import io
import math
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrtune.engines import packing

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner), max_leaves=20
)


class Pair(NamedTuple):
    left: Mapping[str, "int | float | tuple[int, ...] | None"]
    right: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    array: np.ndarray
    pairs: tuple[Pair, ...] = ()
    more: Mapping[str, np.ndarray] = field(default_factory=dict)


@given(values)
def test_what_is_written_is_read(value):
    content = packing.to_bytes(value)
    assert packing.read(Any, content) == value
    assert packing.to_bytes(packing.read(Any, content)) == content


def test_types_come_back_as_the_reader_expects_them(tmp_path):
    one = np.asfortranarray(np.arange(6.0, dtype=np.float32).reshape(2, 3))
    said = Part(
        one, (Pair({"a": 1, "b": (2, 3), "c": None}, (math.inf, 0.1)),), {"same": one, "empty": np.empty((0, 2))}
    )
    (tmp_path / "file.npz").write_bytes(packing.to_bytes(said))
    for source in (tmp_path / "file.npz", packing.to_bytes(said)):
        found = packing.read(Part, source)
        assert found.pairs == said.pairs
        assert isinstance(found.pairs[0], Pair)
        assert isinstance(found.pairs[0].left["b"], tuple)
        assert (found.array.dtype, found.array.flags.f_contiguous) == (np.float32, True)
        np.testing.assert_array_equal(found.array, one)
        assert found.more["same"] is found.array  # written once
        assert found.more["empty"].shape == (0, 2)


def test_a_number_of_numpy_stays_one():
    """A float64 of NumPy makes a sum with float32 wider, and a float of Python does not."""
    found = packing.read(tuple[float, float], packing.to_bytes((np.float64(0.1), 0.1)))
    assert [type(each) for each in found] == [np.float64, float]


def test_paths_are_texts_in_between():
    assert packing.read(tuple[Path, Path | None, Path | None], packing.to_bytes((Path("a"), Path("b"), None))) == (
        Path("a"),
        Path("b"),
        None,
    )


def test_lists_and_single_items_by_their_types():
    assert packing.read(list[int], packing.to_bytes((1, 2))) == [1, 2]
    assert packing.read(Mapping[int, str], packing.to_bytes({3: "x"})) == {3: "x"}


@pytest.mark.parametrize("value", [object(), np.array([object()]), {"a": {1, "b"}.__iter__()}])
def test_what_cannot_be_written_is_refused(value):
    with pytest.raises((TypeError, ValueError)):
        packing.to_bytes(value)


@pytest.mark.parametrize(
    ("form", "value"),
    [(int, None), (Pair, (1, 2, 3)), (Part, {"a": 1}), (Pair, "text"), (int | None, {"a": 1}), (tuple[int, int], (1,))],
)
def test_what_is_of_another_type_is_refused(form, value):
    content = packing.to_bytes(value)
    with pytest.raises(ValueError):  # noqa: PT011 - each has words of its own
        packing.read(form, content)


def test_damage_is_told_and_nothing_of_a_file_is_run(tmp_path):
    content = packing.to_bytes((1, np.arange(3)))
    for damaged in (b"", content[: len(content) // 2], b"no archive"):
        with pytest.raises(ValueError):  # noqa: PT011
            packing.read(Any, damaged)
    evil = io.BytesIO()
    np.savez(
        evil, said=np.frombuffer(b'{"array":0}', np.uint8), array_0=np.array([Evil(tmp_path / "ran")], dtype=object)
    )
    with pytest.raises(ValueError, match="pickle"):
        packing.read(Any, evil.getvalue())
    assert not (tmp_path / "ran").exists()
    pickle.loads(pickle.dumps(Evil(tmp_path / "ran")))
    assert (tmp_path / "ran").exists()


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_large_arrays_of_a_file_are_mapped_where_they_lie(tmp_path):
    path, value = tmp_path / "large.npz", (np.arange(packing.MAPPED_FROM, dtype=np.float64), np.arange(3), np.ones(5))
    with path.open("wb") as file:
        packing.write(file, value)
    large, *small = packing.read(tuple[np.ndarray, np.ndarray, np.ndarray], path)
    np.testing.assert_array_equal(large, value[0])
    for found, expected in zip(small, value[1:], strict=True):
        np.testing.assert_array_equal(found, expected)
    with path.open("r+b") as file:  # whoever has it sees what is written to the file
        place = path.read_bytes().index(value[0].tobytes())
        assert place % value[0].itemsize == 0
        file.seek(place)
        file.write(np.float64(7.0).tobytes())
    assert large[0] == 7.0
    assert not large.flags.writeable
    with np.load(path) as plain:  # and NumPy reads it as any other
        np.testing.assert_array_equal(plain["array_1"], value[1])
