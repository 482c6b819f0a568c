"""Files for programs: the same bytes for the same study.

``trials.csv`` has one row for each trial: ``number``, ``state``, ``mean``, ``std``, ``fold_1`` to ``fold_K`` in the
metric's own sign, one column for each key of the configurations in the registry's order, and ``reason``. A cell is
empty where there is nothing to say (a factor of another optimizer, a fold that diverged); null is written ``null`` and
layer widths ``64-64``. It holds no times, so that the same study gives the same file whoever computed it, with however
many workers.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lrtune.reporting import tables
from lrtune.run import files
from lrtune.text.errors import StudyError

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.space.trial import Trial, Value


def write(path: Path, content: bytes | str) -> None:
    """Write a file that was asked for by name, whole or not at all; a link stays a link, a pipe gets the content.

    Files of a run's own folder are written by `lrtune.run.files`, which follows no links.

    Raises
    ------
    StudyError
        If the folder cannot be written or the disk is full; the old file is then still there.

    """
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            target.write_bytes(content.encode() if isinstance(content, str) else content)
            return
    except OSError as error:
        raise StudyError(f"{path}: cannot be written ({error.strerror or error})") from error
    files.write(target, content)


def json_text(value: Mapping[str, Any]) -> str:
    """Write JSON for people and programs: indented, one line end at the end, no NaN; no line is a command to a CI."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    return text.replace("##", "#\\u0023") + "\n"  # two of them stand in a text only, and mean the same


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Write rows as CSV with LF line ends; a row that looks like a command to a CI server is quoted."""
    buffer = io.StringIO()
    plain, quoted = (
        csv.writer(buffer, lineterminator="\n", quoting=each) for each in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)
    )
    for each in rows:
        (quoted if str(next(iter(each), "")).lstrip().startswith("::") else plain).writerow(each)
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
