"""Values as bytes that nobody has to trust: JSON and arrays in one file of NumPy's (npz), and never a pickle.

The bytes say no types. Who reads them says which type is expected, and gets that or a `ValueError`: named tuples,
dataclasses, tuples, lists, mappings, arrays, and the types of JSON. Equal values give equal bytes.

Arrays lie in the file as they are, at addresses that suit their types, so that processes of one machine that read the
same file may share a large one: it is mapped and not copied.
"""

from __future__ import annotations

import io
import json
import struct
import types
import typing
import zipfile
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np

from lrtune.arrays import Array

MAPPED_FROM = 2**20
"""Bytes from which on an array of a file is mapped (1 MB)."""

_SAID, _ARRAY, _PAIRS = "said", "array", "pairs"

_ALIGNED = 64
_LENGTHS, _LENGTHS_AT = struct.Struct("<HH"), 26  # of the name and the extra field of a member, and where they stand
_FILLED, _FILLING = struct.Struct("<HH"), 0xD935  # an extra field that only fills: its number, and its length
_HEADER = 30 + 20 + _FILLED.size  # bytes before a member's content: its header, with large sizes and the filling
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def write(file: IO[bytes], value: object) -> None:
    """Write a value.

    Raises
    ------
    TypeError
        If a part of it is of no type that can be written.

    """
    arrays: list[Array] = []
    said = json.dumps(_said(value, arrays, {}), separators=(",", ":"))
    named: dict[str, Array] = {f"{_ARRAY}_{number}": each for number, each in enumerate(arrays)}
    with zipfile.ZipFile(file, "w") as archive:
        for name, each in {_SAID: np.frombuffer(said.encode(), dtype=np.uint8), **named}.items():
            info = zipfile.ZipInfo(f"{name}.npy")
            begin = file.tell() + _HEADER + len(info.filename)
            info.extra = _FILLED.pack(_FILLING, -begin % _ALIGNED) + bytes(-begin % _ALIGNED)
            with archive.open(info, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, each, allow_pickle=False)


def to_bytes(value: object) -> bytes:
    """Give what `write` writes."""
    file = io.BytesIO()
    write(file, value)
    return file.getvalue()


def read(form: Any, source: Path | bytes) -> Any:
    """Read a value of a type; large arrays of a file are mapped, and whether they are damaged is not looked at.

    Raises
    ------
    ValueError
        If it is damaged, or of another type.
    OSError
        If it cannot be read.

    """
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        with np.load(file, allow_pickle=False) as found:
            mapped = {} if isinstance(source, bytes) else _mapped(source)
            names = [f"{_ARRAY}_{number}" for number in range(len(found.files) - 1)]
            arrays = [mapped[each] if each in mapped else found[each] for each in names]
            return _value(form, json.loads(found[_SAID].tobytes()), arrays)
    except (zipfile.BadZipFile, LookupError, EOFError, TypeError, struct.error) as error:
        raise ValueError(f"damaged: {error}") from error


def _mapped(path: Path) -> dict[str, Array]:
    """Map the large arrays of a file that lie in it as they are."""
    found: dict[str, Array] = {}
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        for each in archive.infolist():
            if each.compress_type != zipfile.ZIP_STORED or each.file_size < MAPPED_FROM:
                continue
            file.seek(each.header_offset + _LENGTHS_AT)
            name, extra = _LENGTHS.unpack(file.read(_LENGTHS.size))
            file.seek(name + extra, io.SEEK_CUR)
            header = _HEADERS[np.lib.format.read_magic(file)]
            shape, fortran, dtype = header(file)
            start = file.tell()
            if not dtype.hasobject and not fortran and start % dtype.alignment == 0:
                found[each.filename.removesuffix(".npy")] = np.asarray(np.memmap(path, dtype, "r", start, shape))
    return found


def _said(value: object, arrays: list[Array], known: dict[int, int]) -> Any:
    """Say a value in JSON's types; arrays are put aside, each once, and named by their numbers."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.ndarray | np.generic):
        if id(value) not in known:
            known[id(value)] = len(arrays)
            arrays.append(np.asarray(value))
        return {_ARRAY: known[id(value)]}
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {_PAIRS: [[_said(each, arrays, known) for each in pair] for pair in value.items()]}
    if is_dataclass(value) and not isinstance(value, type):
        return [_said(getattr(value, each.name), arrays, known) for each in fields(value)]
    if isinstance(value, Sequence | AbstractSet) and not isinstance(value, str | bytes):
        return [_said(each, arrays, known) for each in value]
    if isinstance(value, str):
        return str(value)
    raise TypeError(f"a {type(value).__name__} cannot be sent to a worker")


def _value(form: Any, said: Any, arrays: Sequence[Array]) -> Any:
    if isinstance(said, dict) and _ARRAY in said:
        found = arrays[said[_ARRAY]]
        return found if found.ndim else found[()]
    if form is Any or form is object:
        return _loose(said, arrays)
    origin = typing.get_origin(form)
    if origin in (types.UnionType, typing.Union):
        return _one_of(typing.get_args(form), said, arrays)
    if said is None or isinstance(said, bool | int | float | str):
        return _scalar(form, said)
    if isinstance(said, dict):
        if not _is_mapping(form):
            raise ValueError(f"a mapping where {form} is expected")
        key, value = typing.get_args(form) or (Any, Any)
        return {_value(key, one, arrays): _value(value, other, arrays) for one, other in said[_PAIRS]}
    return _sequence(form, origin, said, arrays)


def _scalar(form: Any, said: Any) -> Any:
    if form is Path:
        return Path(said)
    if not _is_scalar(form) or (said is None and form not in (None, type(None))):
        raise ValueError(f"{said!r} where {form} is expected")
    return said


def _sequence(form: Any, origin: Any, said: list[Any], arrays: Sequence[Array]) -> Any:
    if origin is None and isinstance(form, type) and (is_dataclass(form) or hasattr(form, "_fields")):
        forms = _forms(form)
        if len(forms) != len(said):
            raise ValueError(f"{len(said)} values where {form.__name__} has {len(forms)}")
        return form(*(_value(each, one, arrays) for each, one in zip(forms, said, strict=True)))
    inner = typing.get_args(form)
    if origin is tuple and inner and inner[-1] is not Ellipsis:
        return tuple(_value(each, one, arrays) for each, one in zip(inner, said, strict=True))
    found = [_value(inner[0] if inner else Any, each, arrays) for each in said]
    return found if origin is list or form is list else tuple(found)


@cache
def _forms(form: type) -> tuple[Any, ...]:
    """List the types of the fields of a named tuple or a dataclass, in their order."""
    hints = typing.get_type_hints(form)
    names = [each.name for each in fields(form)] if is_dataclass(form) else form._fields  # type: ignore[attr-defined]
    return tuple(hints[each] for each in names)


def _one_of(forms: Sequence[Any], said: Any, arrays: Sequence[Array]) -> Any:
    """Take the first of several types that fits what is said."""
    if said is None or type(said) in forms:
        return said
    if isinstance(said, bool | int | float | str):
        return _scalar(Path if Path in forms else type(said), said)
    fitting = [each for each in forms if _is_mapping(each) == isinstance(said, dict) and not _is_scalar(each)]
    if not fitting:
        raise ValueError(f"none of {forms} is what was found")
    return _value(fitting[0], said, arrays)


def _is_scalar(form: Any) -> bool:
    return form in (None, type(None), bool, int, float, str, Path)


def _is_mapping(form: Any) -> bool:
    origin = typing.get_origin(form) or form
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _loose(said: Any, arrays: Sequence[Array]) -> Any:
    if isinstance(said, dict):
        return _value(Mapping[Any, Any], said, arrays)
    return tuple(_value(Any, each, arrays) for each in said) if isinstance(said, list) else said
