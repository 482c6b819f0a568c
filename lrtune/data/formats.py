"""The formats of tables: one entry says by what a file is known and how it is read; what no entry knows is text.

A file is known by what it holds. Endings only tell what is probably a table, where one is looked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lrtune.data.cells import TypedColumns

TEXTS = {"csv": ".csv", "tsv": ".tsv"}
"""What delimited text is called, and the endings that only tables have."""

ANY_TEXT = ".txt"
"""An ending of tables and of much else."""

PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
"""Last endings of tables that are compressed."""


class Format(NamedTuple):
    """A kind of file that holds columns of types of its own.

    Attributes
    ----------
    name
        In sentences.
    summary
        What it is, without a full stop.
    endings
        Of its files, with the point.
    is_one
        ``(file, where) -> bool`` looks at a file from its beginning, and may leave it anywhere; ``where`` is what it is
        called.
    read
        ``(file, where) -> columns`` reads one from its beginning; a `DataError` says what is damaged.
    names_target
        Whether its files tell what is to be predicted.

    """

    name: str
    summary: str
    endings: tuple[str, ...]
    is_one: Callable[[IO[bytes], str], bool]
    read: Callable[[IO[bytes], str], TypedColumns]
    names_target: bool = False


def _is_parquet(file: IO[bytes], _where: str) -> bool:
    return file.read(4) == b"PAR1"


def _read_parquet(file: IO[bytes], where: str) -> TypedColumns:
    from lrtune.data import frames

    return frames.read_parquet(file, where)


def _is_npz(file: IO[bytes], where: str) -> bool:
    from lrtune.data import archives

    return archives.is_npz(file, where)


def _read_npz(file: IO[bytes], where: str) -> TypedColumns:
    from lrtune.data import archives

    return archives.read_npz(file, where)


_ENTRIES = (
    Format("parquet", "Apache Parquet", (".parquet",), _is_parquet, _read_parquet),
    Format("npz", "NumPy's arrays with names; `y` is the target", (".npz",), _is_npz, _read_npz, names_target=True),
)

FORMATS: dict[str, Format] = {entry.name: entry for entry in _ENTRIES}
"""The formats that are no text with separators; whoever looks at a file asks them in this order."""


def format_of(file: IO[bytes], where: str) -> Format | None:
    """Find the format of a file by its content, and go back to its beginning; None: whatever it is, it is none."""
    for each in FORMATS.values():
        found = each.is_one(file, where)
        file.seek(0)
        if found:
            return each
    return None


def listed(word: str) -> str:
    """List the names of all formats.

    >>> listed("or")
    'csv, tsv, parquet or npz'
    """
    *others, last = [*TEXTS, *FORMATS]
    return f"{', '.join(others)} {word} {last}"


def endings() -> tuple[str, ...]:
    """List the endings that only tables have."""
    return (*TEXTS.values(), *(ending for each in FORMATS.values() for ending in each.endings), *PACKED)


def names_its_target(path: str) -> bool:
    """Tell by its name whether a file says itself what is to be predicted."""
    return any(path.endswith(each.endings) for each in FORMATS.values() if each.names_target)
