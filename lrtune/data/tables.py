"""Tables in: files of all `formats`, scikit-learn's sets, data frames and arrays become a `Table`.

A file is known by what it holds, not by its name. A new table, to predict or to test on, is read by the schema of the
training table; only its encoding and its separator may be its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from lrtune.data import archives, compressed, delimited, formats, frames, inference
from lrtune.data.archives import Named
from lrtune.data.cells import FIRST_DAY, LAST_DAY, Dates, Numbers, Raw, Texts, TypedColumns, blanked
from lrtune.data.decoding import BinaryError
from lrtune.data.kept import Kept, KeptColumn, kept_names, values_of
from lrtune.data.numerals import PLAIN, Form, decide
from lrtune.data.options import DataOptions
from lrtune.data.schema import Schema
from lrtune.data.scratch import PIECE, PIECES_FROM, size_of, spooled
from lrtune.data.stored import arranged, part, room_for
from lrtune.data.text_cells import TextCells
from lrtune.text.errors import DataError, named, nearest
from lrtune.text.paths import expanded, is_same

__all__ = ["DataOptions", "Table", "from_array", "from_frame", "load", "load_stream", "with_column"]


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
    target
        The name of the target where the source knows it (an npz archive's `y`, scikit-learn's sets), else None.
    options
        What was said about reading it.
    missing
        The texts that mean "missing"; None if the format has missing cells of its own and nobody named texts.
    spelled
        Which of them occur, by column.
    form
        How numbers are written, where a column does not say it itself.
    numeric
        Columns that are numbers because their source says so: an array has no identifiers.
    kept
        Columns that were asked for as they are, beside what `columns` makes of them.

    """

    source: str
    columns: Mapping[str, Raw]
    notes: tuple[str, ...] = ()
    target: str | None = None
    options: DataOptions = field(default_factory=DataOptions)
    missing: tuple[str, ...] | None = None
    spelled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    form: Form = PLAIN
    numeric: tuple[str, ...] = ()
    kept: Kept = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return next(iter(self.columns.values())).missing.size

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns in the order of the file."""
        return tuple(self.columns)


def load(
    source: str | Path,
    *,
    base: Path | None = None,
    options: DataOptions | None = None,
    schema: Schema | None = None,
    keep: Sequence[str] = (),
) -> Table:
    """Read a table from a file, or one of scikit-learn's own as `sklearn:digits`.

    Parameters
    ----------
    source
        A path, or `sklearn:` and one of `iris`, `wine`, `breast_cancer`, `digits`, `diabetes`. The format is taken from
        the file's content: one of `lrtune.data.formats`, anything else is delimited text; each may be compressed.
    base
        The folder that a relative path starts from (the experiment file's); None is the working folder.
    options
        How to read text files; ignored for the other formats, except `missing`.
    schema
        Of the training table, if this is another one: then its columns are read as they were written there, with the
        options from there.
    keep
        Columns that are wanted as they are (`lrtune.data.kept.kept_names`).

    Raises
    ------
    DataError
        There is no such file or no such column (the nearest name is given), or it is no table.

    """
    where, asked = str(source), _Asked(options or DataOptions(), schema, tuple(keep))
    frames.require_address_space()
    if where.startswith("sklearn:"):
        found = _from_arrays(where, archives.sklearn_set(where), asked.options)
        return _keeping(found, asked)
    path = _existing(expanded(source), base)
    try:
        with path.open("rb") as file:
            return _read(file, where, asked)
    except OSError as error:
        raise DataError(f"{where} cannot be read: {error.strerror or error}") from None


def load_stream(stream: IO[bytes], where: str, *, schema: Schema, keep: Sequence[str] = ()) -> Table:
    """Read a table from a stream to its end, as `load` reads a file of the same content by a schema.

    Raises
    ------
    DataError
        It is no table, or has no such column.

    """
    frames.require_address_space()
    with spooled(iter(lambda: stream.read(PIECE), b"")) as content:
        return _read(content, where, _Asked(DataOptions(), schema, tuple(keep)))


class _Asked(NamedTuple):
    """How a table is to be read: what is said of it, the schema that goes before that, and what is wanted as it is."""

    said: DataOptions
    schema: Schema | None = None
    keep: tuple[str, ...] = ()

    @property
    def options(self) -> DataOptions:
        return self.said if self.schema is None else self.schema.options


def _read(file: IO[bytes], where: str, asked: _Asked, *, packed: bool = True) -> Table:
    """Read a file by what it holds; what has been unpacked is not unpacked again."""
    known = formats.format_of(file, where)
    if known is not None:
        return _keeping(_table(where, known.read(file, where), asked.options), asked)
    unpacked = compressed.unpacked(file, where) if packed else None
    if unpacked is not None:
        with unpacked.content:
            table = _read(unpacked.content, where, asked, packed=False)
            return replace(table, notes=(*unpacked.notes, *table.notes))
    return _read_text(file, where, asked)


def _keeping(table: Table, asked: _Asked) -> Table:
    """Keep the columns that are wanted, of a table that has types of its own."""
    names = kept_names(asked.keep, table.names, table.source)

    def kept(name: str) -> KeptColumn:
        return KeptColumn(table.rows, lambda start, stop: values_of(part(table.columns, name, start, stop)))

    return replace(table, kept={name: kept(name) for name in names}) if names else table


def is_same_source(one: str | Path, other: str | Path, base: Path | None = None) -> bool:
    """Tell whether `load` would read one table for both."""
    if str(one).startswith("sklearn:"):
        return str(one) == str(other)
    folder = base or Path()
    return is_same(folder / expanded(one), folder / expanded(other))


def from_frame(frame: Any, source: str = "the data frame") -> Table:
    """Make a table of a polars or pandas data frame, or of a mapping from names to one-dimensional arrays.

    Text in a frame is taken as it stands, except that an empty text is missing: only files spell missing cells.
    """
    if hasattr(frame, "collect") and hasattr(frame, "lazy"):
        frame = frame.collect()
    if hasattr(frame, "get_columns"):
        return _table(source, frames.raw_columns(frame), DataOptions())
    names = [str(name) for name in (frame.columns if hasattr(frame, "columns") else frame)]
    values = [frame.iloc[:, i] for i in range(len(names))] if hasattr(frame, "iloc") else list(frame.values())
    return _from_arrays(source, Named(names, [archives.as_array(each) for each in values]))


def from_array(values: Any, names: Sequence[str] | None = None, source: str = "the array") -> Table:
    """Make a table of a two-dimensional array (N, D); without names the columns are `x0`, `x1`, ..."""
    array = np.asarray(values)
    if array.ndim != 2:
        raise DataError(f"{source} has {array.ndim} dimensions; a table has two, rows and columns")
    names = [f"x{i}" for i in range(array.shape[1])] if names is None else list(names)
    table = _from_arrays(source, Named(names, list(array.T)))
    return replace(table, numeric=tuple(name for name, raw in table.columns.items() if isinstance(raw, Numbers)))


def with_column(table: Table, name: str, values: Any) -> Table:
    """Add a column to a table, such as the target that comes apart from its features."""
    if name in table.columns:
        raise DataError(f"{table.source} has a column '{name}' already")
    column = _from_arrays(table.source, Named([name], [archives.as_array(values)])).columns[name]
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
    usual = (*formats.endings(), formats.ANY_TEXT)
    tables = sorted(each.name for each in folder.iterdir() if each.suffix.lower() in usual and each.is_file())
    hint = nearest(full.name, tables, "the folder has") if tables else "the folder has no tables"
    raise DataError(f"{path} {what}; {hint}")


def _table(source: str, columns: TypedColumns, options: DataOptions) -> Table:
    """Put a table of typed columns together; one that cannot be read is left out with a note."""
    notes, target = columns.notes, columns.target
    form = decide({}, ",", options).house
    present, spelled, unreadable = room_for(large=columns.large), dict[str, tuple[str, ...]](), list[str]()
    for name, raw in columns.raws.items():
        if raw is None:
            unreadable.append(name)
            continue
        _check_dates(source, name, raw)
        present[name] = left = blanked(raw, options.missing or (), form)
        if gone := _gone(raw, left):
            spelled[name] = gone
    if unreadable:
        notes = (*notes, f"left out because their cells are not numbers, texts or dates: {named(unreadable)}")
    if not present:
        raise DataError(f"{source} has no columns that can be read")
    return _with_rows(Table(source, present, notes, target, options, options.missing, spelled, form))


def _with_rows(table: Table) -> Table:
    if not table.rows:
        raise DataError(f"{table.source} has columns but no rows")
    return table


def _check_dates(source: str, name: str, raw: Raw) -> None:
    """Refuse dates of years that no calendar has, which damaged files and some placeholders hold."""
    if isinstance(raw, Dates):
        outside = np.flatnonzero((raw.days < FIRST_DAY) | (raw.days >= LAST_DAY + 1))
        if outside.size:
            raise DataError(
                f"{source}: column '{name}' has a date outside of the years 1 to 9999 in row {outside[0] + 1}"
            )


def _gone(before: Raw, after: Raw) -> tuple[str, ...]:
    """List the texts that have become missing cells."""
    if not isinstance(before, Texts) or not isinstance(after, Texts):
        return ()
    return tuple(sorted(set(before.levels) - set(after.levels)))


def _from_arrays(source: str, named: Named, options: DataOptions | None = None) -> Table:
    return _table(source, archives.typed(source, named), options or DataOptions())


def _read_text(file: IO[bytes], where: str, asked: _Asked) -> Table:
    """Read a delimited file: everything as text first, then each column as what all of its cells spell."""
    options, schema = asked.options, asked.schema
    layouts, large = () if schema is None else schema.layouts, size_of(file) > PIECES_FROM
    try:
        text = delimited.parse(file, where, options, layouts, PIECE if large else -1)
    except BinaryError as error:
        raise DataError(f"{error}; {formats.listed('and')} can be read") from None
    if not text.rows:
        raise DataError(f"{where} has column names but no rows")
    with frames.damage(f"{where} cannot be read"):
        cells = TextCells(text, large=large)
    kept = {name: cells.kept(name) for name in kept_names(asked.keep, text.names, where)}
    room = room_for(large=large)
    if schema is not None:
        inference.read_by(cells, schema, room)
        columns = arranged(room, text.names)
        return Table(where, columns, text.notes, options=options, missing=schema.missing, kept=kept)
    found = inference.infer(cells, text.separator, options, room)
    columns, notes = arranged(room, text.names), (*text.notes, *found.notes)
    return Table(where, columns, notes, None, options, found.missing, found.spelled, found.form, kept=kept)
