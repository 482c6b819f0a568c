"""Arrays in: npz archives, scikit-learn's bundled sets, and any NumPy array as a raw column.

An npz archive holds named arrays of equal length: every one-dimensional array is a column of that name, every
two-dimensional one is as many columns, `X_0`, `X_1`, ... The array `feature_names`, if it is there, names the columns
of `X`, and `y` is the target unless another one is asked for. Pickled objects can run code and are never loaded.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from numbers import Real
from typing import IO, Any, NamedTuple

import numpy as np

from lrtune.arrays import Array
from lrtune.data.cells import Dates, Raw, TypedColumns, naive, numbers, texts
from lrtune.data.compressed import check_archive, head
from lrtune.data.delimited import repair_names
from lrtune.data.numerals import LARGEST_EXACT
from lrtune.data.scratch import PIECES_FROM
from lrtune.text.errors import DataError, named, nearest, reason

SKLEARN_SETS = ("breast_cancer", "diabetes", "digits", "iris", "wine")
"""The sets that come with scikit-learn, so that no network is needed."""

_UNITS = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns")
_YEARS = np.array(["0001", "9999"], dtype="datetime64[Y]")


class Named(NamedTuple):
    """Arrays with names: the columns of a table, its target if that is known, and what was left out."""

    names: list[str]
    arrays: list[Array]
    target: str | None = None
    notes: tuple[str, ...] = ()


def sklearn_set(source: str) -> Named:
    """Load `sklearn:NAME`: names, columns, and the target's name, which is `target`.

    Classes with names (iris, wine, breast_cancer) get them; the digits are whole numbers, diabetes is a regression.
    """
    name = source.removeprefix("sklearn:")
    if name not in SKLEARN_SETS:
        raise DataError(f"scikit-learn comes with no set called '{name}'; {nearest(name, SKLEARN_SETS)}")
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")()
    target = np.asarray(bunch.target)
    if name in {"iris", "wine", "breast_cancer"}:
        target = np.asarray(bunch.target_names)[target]
    names = [*map(str, bunch.feature_names), "target"]
    return Named(names, [*np.asarray(bunch.data).T, target], "target")


def is_npz(file: IO[bytes], where: str) -> bool:
    """Whether a file is a zip archive of NumPy arrays, or was meant to be one."""
    if not head(file).startswith(b"PK"):
        return False
    try:
        with zipfile.ZipFile(file) as archive:
            return where.endswith(".npz") or any(name.endswith(".npy") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return where.endswith(".npz")


def read_npz(file: IO[bytes], where: str) -> TypedColumns:
    """Read an archive of arrays, with `y` as the target if there is such a column; what is no array is left out.

    Raises
    ------
    DataError
        The archive is damaged, holds pickled objects, or arrays that are neither columns nor tables.

    """
    try:
        check_archive(file, where)
        with np.load(file, allow_pickle=False) as archive:
            members = {name: archive[name] for name in archive.files}
    except DataError:
        raise
    except Exception as error:  # noqa: BLE001 - NumPy and zipfile raise whatever the damaged bytes lead them to
        why = "pickled objects are never loaded; save numbers or texts" if "pickle" in str(error) else reason(error)
        raise DataError(f"{where} cannot be read as an npz archive: {why}") from None
    arrays = {name: member for name, member in members.items() if isinstance(member, np.ndarray)}
    others = [name for name in members if name not in arrays]
    notes = [f"left out because they are no arrays: {named(others)}"] if others else []
    if sum(array.nbytes for array in arrays.values()) > PIECES_FROM:
        why = "since its arrays hold several; a parquet file would be"
        notes.append(f"{where} is read whole and not column by column, {why}")
    feature_names = arrays.pop("feature_names", None) if "X" in arrays else None
    names: list[str] = []
    columns: list[Array] = []
    for name, array in arrays.items():
        if array.ndim not in {1, 2}:
            hint = "; reshape it to (rows, -1)" if array.ndim > 2 else ""
            raise DataError(
                f"{where}: array '{name}' has shape {array.shape}, but a table needs 1 or 2 dimensions{hint}"
            )
        table = array.ndim == 2
        names += _names_of(name, array, feature_names if name == "X" else None, where) if table else [name]
        columns += list(array.T) if table else [array]
    if not names:
        raise DataError(f"{where} holds no arrays")
    return typed(where, Named(names, columns, "y" if "y" in names else None, tuple(notes)))


def _names_of(name: str, array: Array, given: Array | None, where: str) -> list[str]:
    if given is None:
        return [f"{name}_{i}" for i in range(array.shape[1])]
    if given.shape != (array.shape[1],):
        raise DataError(f"{where}: {given.size} feature_names for the {array.shape[1]} columns of {name}")
    return [str(each) for each in given]


def typed(source: str, named: Named) -> TypedColumns:
    """Make raw columns of arrays, each with a name of its own.

    Raises
    ------
    DataError
        They differ in length.

    """
    lengths = {len(array) for array in named.arrays}
    if len(lengths) > 1:
        described = ", ".join(f"{name} {len(array)}" for name, array in zip(named.names, named.arrays, strict=True))
        raise DataError(f"{source}: columns differ in length: {described}")
    unique, notes = repair_names(named.names)
    raws = {name: raw(array) for name, array in zip(unique, named.arrays, strict=True)}
    return TypedColumns(raws, (*named.notes, *notes), named.target)


def as_array(values: Any) -> Array:
    """Make an array of a column or a sequence; nullable numbers become floats, other types with gaps objects."""
    dtype = getattr(values, "dtype", None)
    if dtype is None or isinstance(dtype, np.dtype) or not hasattr(values, "isna"):
        return np.asarray(values)
    if getattr(dtype, "kind", "O") in "iuf":
        if dtype.kind in "iu" and not values.isna().any():
            return np.asarray(values.to_numpy(dtype=dtype.kind + "8"))
        return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
    return np.asarray(values.to_numpy(dtype=object))


def raw(array: Array) -> Raw | None:
    """Make a raw column of an array (N,); None if its cells are neither numbers, nor texts, nor dates."""
    kind = array.dtype.kind
    if kind in "iu":
        return _whole(array)
    if kind == "f":
        return numbers(array)
    if kind == "M":
        return _dates(array)
    if kind in "bUS":
        return texts([_text(value) for value in array.tolist()])
    return _objects(array.tolist()) if kind == "O" else None


def _whole(array: Array) -> Raw:
    if array.size and max(abs(int(array.max())), abs(int(array.min()))) >= LARGEST_EXACT:
        return texts([str(value) for value in array.tolist()])
    return numbers(array)


def _dates(array: Array) -> Dates | None:
    """Make days of NumPy's dates; infinitely far away are those that its microseconds cannot reach."""
    if np.datetime_data(array.dtype)[0] not in _UNITS:
        return None
    years, moments = array.astype("datetime64[Y]"), array.copy()
    far = ~np.isnat(array) & ((years < _YEARS[0]) | (years > _YEARS[1]))
    moments[far] = np.array("NaT", array.dtype)
    moments = moments.astype("datetime64[us]")
    days = moments.astype(np.int64) / 86_400_000_000
    days[np.isnat(moments)] = np.nan
    clock = bool(np.any(days % 1 > 0))
    days[far] = np.inf
    return Dates(days, clock)


def _text(value: Any) -> str | None:
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    text = value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)
    return text if text.strip() else None


def _is_missing(value: Any) -> bool:
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, (float, np.floating, Decimal)) and math.isnan(value)


def _objects(values: Sequence[Any]) -> Raw | None:
    """Find the one type that all cells of an object column have; mixed ones are text."""
    values = [None if _is_missing(value) else value for value in values]
    present = [value for value in values if value is not None]
    if all(isinstance(value, (Real, Decimal)) and not isinstance(value, bool) for value in present):
        if any(isinstance(value, int) and abs(value) >= LARGEST_EXACT for value in present):
            return texts([None if value is None else str(value) for value in values])
        return numbers([np.nan if value is None else float(value) for value in values])
    if all(isinstance(value, date) for value in present):
        moments = [naive(value) if isinstance(value, datetime) else value for value in values]
        return _dates(np.array(moments, dtype="datetime64[us]"))
    if any(isinstance(value, (list, dict, tuple, set, np.ndarray)) for value in present):
        return None
    return texts([None if value is None else _text(value) for value in values])
