"""Files for programs: written whole or not at all, and the same bytes for the same study.

``trials.csv`` has one row for each trial: ``number``, ``state``, ``mean``, ``std``, ``fold_1`` to ``fold_K`` in the
metric's own sign, one column for each key of the configurations in the registry's order, and ``reason``. A cell is
empty where there is nothing to say (a factor of another optimizer, a fold that diverged); null is written ``null`` and
layer widths ``64-64``. It holds no times, so that the same study gives the same file whoever computed it, with however
many workers.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lrtune.errors import StudyError
from lrtune.reporting import tables

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.trial import Trial, Value


def write_text(path: Path, text: str) -> None:
    """Put a text into a file so that a reader, and a power cut, see the old file or the new one and nothing between.

    A file that already holds the text is left alone.

    Raises
    ------
    StudyError
        If the folder cannot be written or the disk is full; the old file is then still there.

    """
    content = text.encode("utf-8")
    try:
        target = path.resolve()  # a link stays a link
        if target.exists() and not target.is_file():
            target.write_bytes(content)  # a pipe or a device cannot be replaced
        elif not target.is_file() or target.read_bytes() != content:
            _replace(target, content)
    except OSError as error:
        raise StudyError(f"{path}: cannot be written ({error.strerror or error})") from error


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))  # who may read it stays as it was
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def json_text(value: Mapping[str, Any]) -> str:
    """Write JSON for people and programs: indented, one line end at the end, no NaN."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Write rows as CSV with LF line ends."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()


def trials_text(trials: Sequence[Trial], metric: str) -> str:
    """Write the content of ``trials.csv``."""
    keys = tables.canonical_keys(each.configuration for each in trials)
    folds = max((len(each.fold_scores) for each in trials), default=0)
    return csv_text(_trial_rows(trials, metric, keys, folds))


def _trial_rows(trials: Sequence[Trial], metric: str, keys: Sequence[str], folds: int) -> Iterator[list[str]]:
    yield ["number", "state", "mean", "std", *(f"fold_{index + 1}" for index in range(folds)), *keys, "reason"]
    for each in trials:
        shown = tables.standing(each, metric)
        scores = [*shown.folds, *[None] * (folds - len(shown.folds))]
        yield [
            str(each.number),
            str(each.state),
            *(_score_cell(score) for score in (shown.mean, shown.std, *scores)),
            *(cell(each.configuration[key]) if key in each.configuration else "" for key in keys),
            each.reason or "",
        ]


def _score_cell(score: float | None) -> str:
    return "" if score is None else repr(float(score))


def cell(value: Value) -> str:
    """Write a value of a configuration exactly: null as ``null``, layer widths as ``64-64``."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return "-".join(cell(each) for each in value)
    return value if isinstance(value, str) else repr(value)
