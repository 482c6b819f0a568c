"""What is worth saying of folds: which classes are never scored, scored on few folds, or lacking where they count."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lrtune.arrays import Rows
from lrtune.data.columns import Columns
from lrtune.data.folds import Split
from lrtune.data.schema import Schema
from lrtune.data.targets import label_text
from lrtune.text.errors import counted, listed


def fold_notes(
    columns: Columns, schema: Schema, splits: Sequence[Split], numbers: Sequence[int] = ()
) -> tuple[str, ...]:
    """Say which classes are missing in which folds, one sentence for all that have the same reason.

    Parameters
    ----------
    columns, schema
        The data.
    splits
        Training and validation rows of the folds.
    numbers
        What the folds are called; by default 1, 2, 3, ...

    """
    if schema.task == "regression":
        return ()
    assert columns.target is not None
    trained, scored = (_counts(columns, schema, splits, part) for part in (0, 1))
    rows = np.bincount(columns.target[_rows(columns, splits)], minlength=len(schema.classes))
    names = numbers or range(1, len(splits) + 1)
    untrained, unscored = (trained == 0) & (rows > 0), (scored == 0) & (rows > 0)
    never = unscored.all(axis=0)
    seldom = unscored.any(axis=0) & ~never & ~untrained.any(axis=0) & (scored <= 1).all(axis=0)
    notes = []
    if never.any():
        are, their = ("is", "its") if never.sum() == 1 else ("are", "their")
        stay = f"{their} rows stay in the training rows of every fold"
        notes.append(f"{_named(schema, never, rows)} {are} never scored: {stay}{_advice(rows, never)}")
    if seldom.any():
        notes.append(f"scored on as many folds as there are rows: {_named(schema, seldom, rows)}")
    notes += _lacking(schema, untrained, "training", names)
    return (*notes, *_lacking(schema, unscored & ~never & ~seldom, "validation", names))


def _advice(rows: Rows, never: Rows) -> str:
    """Say how classes of one row can be spared that."""
    if (rows[never] > 1).any():
        return ""
    ways = ["merge"] * bool(never.sum() > 1) + ["drop"] * bool(np.count_nonzero(rows > 1) > 1)
    return f"; data.rare: {' or '.join(ways)} would change that" if ways else ""


def _rows(columns: Columns, splits: Sequence[Split]) -> Rows:
    """List the rows that are in any fold."""
    there = np.zeros(columns.rows, dtype=bool)
    for part in (part for split in splits for part in split):
        there[part] = True
    return np.flatnonzero(there)


def _counts(columns: Columns, schema: Schema, splits: Sequence[Split], part: int) -> Rows:
    assert columns.target is not None
    return np.stack([np.bincount(columns.target[split[part]], minlength=len(schema.classes)) for split in splits])


def _named(schema: Schema, which: Rows, rows: Rows) -> str:
    """Name classes with their rows."""
    found = np.flatnonzero(which).tolist()
    shown = [f"'{label_text(schema.classes[each])}' ({counted(int(rows[each]), 'row')})" for each in found]
    return f"{'class' if len(found) == 1 else 'classes'} {listed(shown)}"


def _lacking(schema: Schema, where: Rows, what: str, names: Sequence[int]) -> list[str]:
    """Say it of the classes that lack in the same folds together; where (K, classes)."""
    together: dict[tuple[int, ...], list[str]] = {}
    for label in np.flatnonzero(where.any(axis=0)).tolist():
        folds = tuple(names[fold] for fold in np.flatnonzero(where[:, label]).tolist())
        together.setdefault(folds, []).append(f"'{label_text(schema.classes[label])}'")
    return [f"{_subject(labels)} no {what} rows in {_numbered(folds)}" for folds, labels in together.items()]


def _subject(labels: Sequence[str]) -> str:
    if len(labels) == 1:
        return f"class {labels[0]} has"
    return f"classes {listed(labels)} have"


def _numbered(folds: Sequence[int]) -> str:
    return f"fold{'s' * (len(folds) > 1)} {', '.join(map(str, folds))}"
