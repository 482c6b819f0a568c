"""Which files an experiment names as what trains: when one of them changes, results are of something else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from lrtune.trainers.contract import Foreign
from lrtune.training.registry import COMMAND, FUNCTION


def code_hash(trainer: str, foreign: Foreign) -> str | None:
    """Hash the content of these files (SHA-256); None if the experiment names none that is there.

    A function that is named by its package, and what a file imports, are not looked at.
    """
    digest, found = hashlib.sha256(), False
    for path in _code(trainer, foreign):
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
            found = True
    return digest.hexdigest() if found else None


def files_of(trainer: str, foreign: Foreign) -> list[Path]:
    """List the files that whoever trains needs: what trains, and the table where that reads it itself."""
    table = [Path(foreign.table)] if trainer == COMMAND and Path(foreign.table).is_file() else []
    return [*(each for each in _code(trainer, foreign) if each.is_file()), *table]


def _code(trainer: str, foreign: Foreign) -> Iterator[Path]:
    folder = Path(foreign.base) / str(foreign.said.get("folder", "."))
    functions = [foreign.loader, *([str(foreign.said[FUNCTION])] if trainer == FUNCTION else [])]
    for where in (each.rpartition(":")[0] for each in functions):
        if where.endswith(".py"):
            yield folder / where
    if trainer == COMMAND:
        yield from (folder / word for word in foreign.said[COMMAND] if not word.startswith(("-", "/", "{")))
