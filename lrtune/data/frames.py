"""Data frames of polars, and Parquet files by way of them: columns that have a type already."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from lrtune.data.cells import Dates, Raw, TypedColumns, numbers
from lrtune.data.inference import factorised
from lrtune.data.numerals import LARGEST_EXACT
from lrtune.data.scratch import PIECES_FROM, size_of
from lrtune.data.stored import LazyColumns
from lrtune.text.errors import DataError, reason

if TYPE_CHECKING:
    import polars as pl

_SMALL, _PER_CELL = 1 << 20, 8  # bytes of a file that is read at once, and of a cell in memory
_PER_DAY = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


LEAST_ADDRESSES = 1.5e9
"""Bytes of address space without which polars, whose threads reserve some each, stops the process or hangs."""


def require_address_space() -> None:
    """Refuse to read tables where polars could not say that it has no room.

    Raises
    ------
    DataError
        The process has a limit of address space that is too small.

    """
    try:
        import resource
    except ImportError:  # a system without such limits
        return
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if 0 < limit < LEAST_ADDRESSES:
        raise DataError(
            f"this process may have {limit / 1e9:.1f} GB of address space, and reading tables needs "
            f"{LEAST_ADDRESSES / 1e9:.1f} GB: raise the limit (ulimit -v)"
        )


def read_parquet(file: IO[bytes], where: str) -> TypedColumns:
    """Read a Parquet file; of a large one each column by itself, when it is looked at.

    Raises
    ------
    DataError
        The file is damaged.

    """
    import polars as pl

    sentence = f"{where} is a damaged parquet file"
    name = getattr(file, "name", None)
    path = os.fspath(name) if isinstance(name, str | os.PathLike) else None
    if path is not None and size_of(file) > _SMALL:
        with damage(sentence):
            table = pl.scan_parquet(path)
            places = {name: place for place, name in enumerate(table.collect_schema())}
            rows = table.select(pl.len()).collect().item()
        if rows * len(places) * _PER_CELL > PIECES_FROM:

            def column(name: str) -> Raw | None:
                with damage(sentence):
                    return _raw(pl.read_parquet(path, columns=[places[name]]).to_series())

            return TypedColumns(LazyColumns(places, column), large=True)
    with damage(sentence):
        frame = pl.read_parquet(file)
        columns = raw_columns(frame)
    if path is not None or frame.estimated_size() <= PIECES_FROM:
        return columns
    note = f"{where} is read whole and not column by column, since it is no file by itself; unpacked it would be"
    return columns._replace(notes=(note,))


def from_arrow(table: Any) -> pl.DataFrame:
    """Make a frame of a table that hands out its columns by Arrow's protocol, as those of pyarrow and DuckDB do."""
    import polars as pl

    return pl.DataFrame(table)


def raw_columns(frame: pl.DataFrame) -> TypedColumns:
    """Convert the columns of a frame."""
    return TypedColumns({series.name: _raw(series) for series in frame.get_columns()})


@contextlib.contextmanager
def damage(sentence: str) -> Iterator[None]:
    """Turn whatever polars says of a damaged file into a sentence, also where it panics.

    A panic is no `Exception`, and Rust prints it to the standard error before Python knows of it.
    """
    import polars as pl

    try:
        with _silenced():
            yield
    except DataError:
        raise
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError, OverflowError) as error:
        panicked = isinstance(error, pl.exceptions.PanicException)
        raise DataError(f"{sentence}: {'its parts contradict each other' if panicked else reason(error)}") from None


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Send what is written to the standard error by anything but Python nowhere."""
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # there is none
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _raw(series: pl.Series) -> Raw | None:
    import polars as pl

    dtype = series.dtype
    if dtype == pl.Boolean or isinstance(dtype, (pl.Categorical, pl.Enum)):
        series, dtype = series.cast(pl.String), pl.String()
    if dtype == pl.String:
        return factorised(series.set(series.str.strip_chars() == "", None))
    if dtype.is_integer() and any(abs(int(end)) >= LARGEST_EXACT for end in _ends(series)):
        return factorised(series.cast(pl.String))
    if dtype.is_numeric() or dtype == pl.Null:
        return numbers(series.cast(pl.Float64).to_numpy())
    if isinstance(dtype, (pl.Date, pl.Datetime)):
        # By the number inside: the calendar of polars panics outside of its years.
        days = series.to_physical().cast(pl.Float64).to_numpy() / _PER_DAY.get(getattr(dtype, "time_unit", ""), 1)
        return Dates(days, bool(np.any(days % 1 > 0)))
    return None


def _ends(series: pl.Series) -> list[Any]:
    """Give the smallest and the largest value, as Python's numbers: a narrow type cannot be compared with 2^53."""
    return [end for end in (series.min(), series.max()) if end is not None]


def parquet(pieces: Iterable[Mapping[str, Sequence[str | int | float | None]]]) -> bytes:
    """Write columns as a Parquet file; their rows come in pieces."""
    import polars as pl

    content = io.BytesIO()
    frames = [
        pl.DataFrame([pl.Series(name, list(values), strict=False) for name, values in columns.items()])
        for columns in pieces
    ]
    pl.concat(frames, how="vertical_relaxed", rechunk=True).write_parquet(content)
    return content.getvalue()


def frame_of(text: str, library: str) -> Any:
    """Read lrtune's own CSV into a data frame of ``polars`` or ``pandas``."""
    if library == "pandas":
        import pandas as pd

        return pd.read_csv(io.StringIO(text))
    import polars as pl

    return pl.read_csv(io.StringIO(text), infer_schema_length=None)
