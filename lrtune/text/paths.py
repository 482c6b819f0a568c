"""Names of files and folders as people write them."""

from __future__ import annotations

from pathlib import Path


def expanded(path: str | Path) -> Path:
    """Replace a leading `~` or `~user` by that home folder, as a shell does; one that nobody owns is a name like any.

    >>> expanded("~nobody of that name/table.csv").as_posix()
    '~nobody of that name/table.csv'
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def is_same(one: Path, other: Path) -> bool:
    """Tell whether two paths lead to one file that is there, through links and whatever they are spelled like.

    >>> is_same(Path("no/such/file"), Path("no/such/file"))
    False
    """
    try:
        return one.samefile(other)
    except OSError:
        return False
