"""Tables in: csv, tsv, parquet, npz, scikit-learn's sets, data frames and arrays become a `Table`. The door of polars.

The type of a text column is decided from all of its rows: it is a column of numbers if every cell that is not
missing spells one, and text otherwise. Two kinds of numbers stay text, because reading them as numbers loses what
they say: those with leading zeros (`007`), and whole ones too long for a float (2^53 and above).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lrtune.data import archives, delimited
from lrtune.data.cells import LARGEST_EXACT, MISSING, MISSING_TEXTS, Numbers, Raw, Texts, blanked, numbers
from lrtune.data.delimited import DataOptions, repair_names
from lrtune.errors import DataError, nearest

if TYPE_CHECKING:
    import polars as pl

__all__ = ["DataOptions", "Table", "from_array", "from_frame", "load", "with_column"]

_COMMA = r"^[+-]?(\d{1,3}(\.\d{3})+|\d+)?(,\d*)?([eE][+-]?\d+)?$"
_THOUSANDS = r"^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$"
_THOUSANDS_OR_PLAIN = r"^[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d*)?$"
_LEADING_ZERO = r"^[+-]?0\d+$"
_WHOLE = r"^[+-]?\d+$"


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Named raw columns of equal length.

    Parameters
    ----------
    source
        Where the table came from, for messages.
    columns
        Names and raw columns, in the order of the file.
    notes
        What had to be decided while reading, one sentence each.
    missing
        The user's own texts for "missing".
    target
        The name of the target where the source knows it (an npz archive's `y`, scikit-learn's sets), else None.

    """

    source: str
    columns: Mapping[str, Raw]
    notes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    target: str | None = None

    @property
    def rows(self) -> int:
        """Number of rows."""
        return next(iter(self.columns.values())).missing.size

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns in the order of the file."""
        return tuple(self.columns)


ENDINGS = (".csv", ".tsv", ".txt", ".parquet", ".npz")
"""What tables are usually called; whatever a file is called, it is read by what it holds."""


def load(source: str | Path, *, base: Path | None = None, options: DataOptions | None = None) -> Table:
    """Read a table from a file, or one of scikit-learn's own as `sklearn:digits`.

    Parameters
    ----------
    source
        A path, or `sklearn:` and one of `iris`, `wine`, `breast_cancer`, `digits`, `diabetes`. The format is taken from
        the file's content: parquet, npz (see `lrtune.data.archives`), anything else is delimited text.
    base
        The folder that a relative path starts from (the experiment file's); None is the working folder.
    options
        How to read text files; ignored for the other formats, except `missing`.

    Raises
    ------
    DataError
        There is no such file (the nearest name is given), or it is no table.

    """
    options = options or DataOptions()
    if str(source).startswith("sklearn:"):
        return _from_arrays(str(source), *archives.sklearn_set(str(source)), missing=options.missing)
    path = _existing(Path(source).expanduser(), base)
    where = str(source)
    try:
        return _read(path, where, options)
    except OSError as error:
        raise DataError(f"{where} cannot be read: {error.strerror or error}") from None


def _read(path: Path, where: str, options: DataOptions) -> Table:
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == b"PAR1":
        return _from_polars(where, _read_parquet(path, where), missing=options.missing)
    if magic.startswith(b"PK") and (path.suffix == ".npz" or archives.is_npz(path)):
        return _from_arrays(where, *archives.read_npz(path, where), missing=options.missing)
    return _read_text(path, where, options)


def from_frame(frame: Any, source: str = "the data frame") -> Table:
    """Make a table of a polars or pandas data frame, or of a mapping from names to one-dimensional arrays.

    Text in a frame is taken as it stands, except that an empty text is missing: only files spell missing cells.
    """
    if hasattr(frame, "collect") and hasattr(frame, "lazy"):
        frame = frame.collect()
    if hasattr(frame, "get_columns"):
        return _from_polars(source, frame)
    names = [str(name) for name in (frame.columns if hasattr(frame, "columns") else frame)]
    values = [frame.iloc[:, i] for i in range(len(names))] if hasattr(frame, "iloc") else list(frame.values())
    return _from_arrays(source, names, [archives.as_array(each) for each in values])


def from_array(values: Any, names: Sequence[str] | None = None, source: str = "the array") -> Table:
    """Make a table of a two-dimensional array (N, D); without names the columns are `x0`, `x1`, ..."""
    array = np.asarray(values)
    if array.ndim != 2:
        raise DataError(f"{source} has {array.ndim} dimensions; a table has two, rows and columns")
    names = [f"x{i}" for i in range(array.shape[1])] if names is None else list(names)
    return _from_arrays(source, names, list(array.T))


def with_column(table: Table, name: str, values: Any) -> Table:
    """Add a column to a table, such as the target that comes apart from its features."""
    if name in table.columns:
        raise DataError(f"{table.source} has a column '{name}' already")
    column = _from_arrays(table.source, [name], [archives.as_array(values)]).columns[name]
    if column.missing.size != table.rows:
        raise DataError(f"{table.source} has {table.rows} rows, but '{name}' has {column.missing.size}")
    return replace(table, columns={**table.columns, name: column})


def _existing(path: Path, base: Path | None) -> Path:
    full = path if base is None else base / path
    if full.is_file():
        return full
    folder = full if full.is_dir() else full.parent
    what = "is a folder" if full.is_dir() else "does not exist"
    if not folder.is_dir():
        raise DataError(f"{path} {what}: there is no folder {folder}")
    tables = sorted(each.name for each in folder.iterdir() if each.suffix.lower() in ENDINGS and each.is_file())
    hint = nearest(full.name, tables, "the folder has") if tables else "the folder has no tables"
    raise DataError(f"{path} {what}; {hint}")


def _table(
    source: str, names: Sequence[str], columns: Sequence[Raw | None], notes: Sequence[str], **more: Any
) -> Table:
    """Put a table together; a column that cannot be read is None and left out with a note."""
    unreadable = [name for name, column in zip(names, columns, strict=True) if column is None]
    missing = more.get("missing", ())
    kept = {name: blanked(raw, missing) for name, raw in zip(names, columns, strict=True) if raw is not None}
    if not kept:
        raise DataError(f"{source} has no columns that can be read")
    if unreadable:
        notes = [*notes, f"left out because their cells are not numbers, texts or dates: {', '.join(unreadable)}"]
    table = Table(source, kept, tuple(notes), **more)
    if not table.rows:
        raise DataError(f"{source} has columns but no rows")
    return table


def _from_arrays(
    source: str, names: Sequence[str], arrays: Sequence[Any], target: str | None = None, missing: tuple[str, ...] = ()
) -> Table:
    lengths = {len(array) for array in arrays}
    if len(lengths) > 1:
        described = ", ".join(f"{name} {len(array)}" for name, array in zip(names, arrays, strict=True))
        raise DataError(f"{source}: columns differ in length: {described}")
    unique, notes = repair_names(names)
    return _table(source, unique, [archives.raw(array) for array in arrays], notes, target=target, missing=missing)


def _read_parquet(path: Path, where: str) -> pl.DataFrame:
    import polars as pl

    try:
        return pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{where} is a damaged parquet file: {str(error).splitlines()[0]}") from None


def _from_polars(source: str, frame: pl.DataFrame, missing: tuple[str, ...] = ()) -> Table:
    names, notes = repair_names(frame.columns)
    return _table(source, names, [_typed(series) for series in frame.get_columns()], notes, missing=missing)


def _typed(series: pl.Series) -> Raw | None:
    """Convert a column that has a type already."""
    import polars as pl

    dtype = series.dtype
    if dtype == pl.Boolean or isinstance(dtype, (pl.Categorical, pl.Enum)):
        series, dtype = series.cast(pl.String), pl.String()
    if dtype == pl.String:
        return _factorised(series.set(series.str.strip_chars() == "", None))
    if dtype.is_integer() and any(abs(int(end)) >= LARGEST_EXACT for end in _ends(series)):
        return _factorised(series.cast(pl.String))
    if dtype.is_numeric() or dtype == pl.Null:
        return numbers(series.cast(pl.Float64).to_numpy())
    if dtype in (pl.Date, pl.Datetime):
        moments = series.cast(pl.Datetime("us")).to_numpy().astype("datetime64[us]")
        return archives.raw(moments)
    return None


def _ends(series: pl.Series) -> list[Any]:
    """Give the smallest and the largest value, as Python's numbers: a narrow type cannot be compared with 2^53."""
    return [end for end in (series.min(), series.max()) if end is not None]


def _factorised(series: pl.Series) -> Texts:
    levels = series.drop_nulls().unique().sort()
    codes = series.rank("dense").cast(int).fill_null(0).to_numpy().astype(np.int32) - np.int32(1)
    assert MISSING == -1
    return Texts(codes, tuple(levels.to_list()))


def _read_text(path: Path, where: str, options: DataOptions) -> Table:
    """Read a delimited file: everything as text first, then each column as what all of its cells spell."""
    import polars as pl

    text = delimited.parse(path.read_bytes(), where, options)
    if not text.body:
        raise DataError(f"{where} has column names but no rows")
    frame = pl.read_csv(
        text.body,
        has_header=False,
        new_columns=list(text.names),
        separator=text.separator,
        quote_char='"' if text.quoted else None,
        infer_schema=False,
    )
    missing = sorted(MISSING_TEXTS.union(options.missing))
    cells = pl.all().str.strip_chars()
    columns = frame.select(pl.when(cells.is_in(missing)).then(None).otherwise(cells).name.keep()).get_columns()
    del frame
    decimal = options.decimal or _decimal(columns, text.separator)
    notes = list(text.notes)
    raw: list[Raw] = [_spelled(series, decimal, notes) for series in columns]
    if decimal == "," and not options.decimal:
        notes.append("numbers are written with a decimal comma; set data.decimal if that is wrong")
    return _table(where, text.names, raw, notes, missing=options.missing)


def _all(series: pl.Series, pattern: str) -> bool:
    return bool(series.str.contains(pattern).all())  # missing cells do not count


def _any(series: pl.Series, pattern: str) -> bool:
    return bool(series.str.contains(pattern).any())


def _decimal(columns: Sequence[pl.Series], separator: str) -> str:
    """Decide whether a comma inside of numbers is a decimal comma or parts thousands.

    `1,5` can only be a decimal comma. `1,234` can be both: it is taken for a decimal comma where the separator is
    not the comma and no number has a decimal point.
    """
    plain = [_plain(series) for series in columns]
    commas = [s for s, n in zip(columns, plain, strict=True) if n is None and _any(s, ",") and _all(s, _COMMA)]
    if any(not _all(series, _THOUSANDS_OR_PLAIN) for series in commas):
        return ","
    points = any(n is not None and not n.whole for n in plain)
    return "," if commas and separator != "," and not points else "."


def _plain(series: pl.Series) -> Numbers | None:
    """Read the column as numbers with a decimal point, or None if any cell is something else, such as 007."""
    import polars as pl

    values = series.cast(pl.Float64, strict=False)
    if values.null_count() > series.null_count() or _any(series, _LEADING_ZERO):
        return None
    found = numbers(values.to_numpy())
    with np.errstate(invalid="ignore"):
        long = bool((np.abs(found.values[np.isfinite(found.values)]) >= LARGEST_EXACT).any())
    return None if long and _all(series, _WHOLE) else found


def _spelled(series: pl.Series, decimal: str, notes: list[str]) -> Numbers | Texts:
    """Read a text column as what all of its cells spell: numbers, else texts."""
    found = None
    if decimal == "," and _any(series, r"[.,]") and _all(series, _COMMA):
        found = _plain(series.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True))
    if found is None:
        found = _plain(series)
    if found is None and _any(series, _THOUSANDS) and _all(series, _THOUSANDS_OR_PLAIN):
        found = _plain(series.str.replace_all(",", "", literal=True))
        notes.append(f"'{series.name}': commas part thousands (1,234 is 1234)")
    return _factorised(series) if found is None else found
