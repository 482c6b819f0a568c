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
