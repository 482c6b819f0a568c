"""What is to be predicted: the task, the classes and their order, the positive class."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from lrtune.data.cells import Dates, Numbers, Raw, Texts
from lrtune.data.numerals import LARGEST_EXACT, number_or_none, number_text
from lrtune.data.schema import DROP, FALSE_TEXTS, KEEP, MERGE, RARE_ROWS, TRUE_TEXTS, Label
from lrtune.text.errors import DataError, counted, listed, named, nearest

TASKS = ("classification", "regression")

FEW = 20
"""Whole numbers with at most this many distinct values are classes ..."""

ROWS_PER_VALUE = 5
"""... if there are at least this many rows for each value on average; two distinct values are always classes."""


SMALLEST, LARGEST = 1e-30, 1e30
"""Between these is the spread, and below the latter the size of numbers that errors are computed of.

Predictions are kept as float32, and even bad ones must find room in it.
"""


class Target(NamedTuple):
    """The task, its classes in order (none for regression), what was decided without being told, and rare classes."""

    task: str
    classes: tuple[Label, ...]
    notes: tuple[str, ...]
    dropped: tuple[Label, ...] = ()
    merged: tuple[Label, ...] = ()
    other: str = ""


def describe_target(
    raw: Raw,
    name: str,
    task: str | None = None,
    positive: object = None,
    rare: str = KEEP,
    *,
    spelled: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Target:
    """Decide the task and the classes.

    Text is classification; numbers with fractions are regression; whole numbers are classification if they are few (see
    `FEW` and `ROWS_PER_VALUE`), else regression. A given task overrides.

    Parameters
    ----------
    raw, name
        The column and its name.
    task
        `"classification"`, `"regression"`, or None.
    positive
        The positive one of two classes: `yes` and `1` find a class of that text or number. None takes the last class.
    rare
        What becomes of classes with fewer than `RARE_ROWS` rows: `"keep"`, `"drop"` or `"merge"`.
    spelled
        The texts that were taken for missing cells, by column.

    Raises
    ------
    DataError
        The target has missing or infinite cells, is a date, has one class only, does not fit the task, or is of a size
        that errors cannot be computed of.

    """
    if task is not None and task not in TASKS:
        raise DataError(f"unknown task {task!r}; {nearest(task, TASKS)}")
    _check_cells(raw, name, spelled)
    notes = []
    if task is None:
        task, reason = _inferred(raw, name)
        notes.append(reason)
    if task == "regression":
        if rare != KEEP:
            raise DataError(f"data.rare is {rare!r}, but the task is regression and has no classes")
        _check_regression(raw, name, positive)
        return Target(task, (), tuple(notes))
    found = Target(task, _classes(raw, name), tuple(notes))
    if rare != KEEP:
        found = _settled(found, _rare(found.classes, _counts(raw), rare, name), rare)
    classes, order = _ordered(found.classes, name, positive)
    return found._replace(classes=classes, notes=(*found.notes, *order))


def label_text(label: Label) -> str:
    """Spell a label as a table would.

    >>> label_text("yes"), label_text(1)
    ('yes', '1')
    """
    return label if isinstance(label, str) else number_text(float(label))


def _check_cells(raw: Raw, name: str, spelled: Mapping[str, Sequence[str]]) -> None:
    if isinstance(raw, Dates):
        raise DataError(f"the target '{name}' is a date, which can neither be classified nor fitted")
    gaps = np.flatnonzero(raw.missing)
    if gaps.size == raw.missing.size:
        raise DataError(f"the target '{name}' is empty" + "; " * (name in spelled) + _kept(name, spelled))
    if gaps.size:
        raise DataError(
            f"the target '{name}' is missing in {gaps.size} of {raw.missing.size} rows, first in row {gaps[0] + 1}; "
            f"{_advice(name, spelled)}"
        )
    if isinstance(raw, Numbers) and np.isinf(raw.values).any():
        row = int(np.flatnonzero(np.isinf(raw.values))[0]) + 1
        raise DataError(f"the target '{name}' is infinite in row {row}")


def _advice(name: str, spelled: Mapping[str, Sequence[str]]) -> str:
    """Say what can be done about missing targets: a text that usually means missing may be a class of this table."""
    remove = "remove these rows, nothing can be learnt from them"
    return f"{_kept(name, spelled)}, else {remove}" if spelled.get(name) else remove


def _kept(name: str, spelled: Mapping[str, Sequence[str]]) -> str:
    """Propose the setting by which the texts that were taken for missing targets are classes."""
    texts = spelled.get(name)
    if not texts:
        return ""
    others = {text: column for column, each in spelled.items() for text in each if column != name}
    is_class = "means missing: if it is a class" if len(texts) == 1 else "mean missing: if they are classes"
    sentence = (
        f"{named(texts)} {is_class}, set data.missing: {yaml_list([text for text in others if text not in texts])}"
    )
    shared = next((text for text in texts if text in others), None)
    return sentence if shared is None else f"{sentence} ('{shared}' is then a text in column '{others[shared]}' too)"


def yaml_list(texts: Iterable[str]) -> str:
    """Write texts as a list that YAML reads.

    >>> yaml_list(["NA", "-"])
    '["NA", "-"]'
    """
    return json.dumps(list(texts), ensure_ascii=False)


def _inferred(raw: Raw, name: str) -> tuple[str, str]:
    if isinstance(raw, Texts):
        return "classification", f"task: classification, since the target '{name}' is text"
    assert isinstance(raw, Numbers)
    distinct = int(np.unique(raw.values).size)
    if not raw.whole:
        return "regression", f"task: regression, since the target '{name}' has numbers with fractions"
    if distinct == 2 or (distinct <= FEW and raw.values.size >= ROWS_PER_VALUE * distinct):
        return "classification", (
            f"task: classification, since the target '{name}' has only {distinct} distinct whole numbers; "
            "say data.task: regression if they are quantities"
        )
    return "regression", (
        f"task: regression, since the target '{name}' has {distinct} distinct whole numbers; "
        "say data.task: classification if they are classes"
    )


def _check_regression(raw: Raw, name: str, positive: object) -> None:
    if positive is not None:
        raise DataError(f"data.positive is {positive!r}, but the task is regression and has no classes")
    if isinstance(raw, Texts):
        code = next((code for code, level in enumerate(raw.levels) if number_or_none(level) is None), 0)
        row = int(np.flatnonzero(raw.codes == code)[0]) + 1
        raise DataError(f"task: regression needs numbers, but the target '{name}' is {raw.levels[code]!r} in row {row}")
    assert isinstance(raw, Numbers)
    if np.ptp(raw.values) == 0:
        raise DataError(f"the target '{name}' is {number_text(float(raw.values[0]))} in every row: nothing to learn")
    largest, spread = float(np.abs(raw.values).max()), float(np.ptp(raw.values))
    if largest > LARGEST or spread < SMALLEST:
        what = f"is as large as {largest:.2g}" if largest > LARGEST else f"spreads over {spread:.2g} only"
        raise DataError(
            f"the target '{name}' {what}; errors are computed of numbers up to {LARGEST:g} with a spread of "
            f"{SMALLEST:g} or more: write it in another unit"
        )


def _classes(raw: Raw, name: str) -> tuple[Label, ...]:
    classes: tuple[Label, ...]
    if isinstance(raw, Texts):
        classes = raw.levels
    else:
        assert isinstance(raw, Numbers)
        values = np.unique(raw.values).tolist()
        classes = tuple(int(value) for value in values) if raw.whole and _exact(values) else tuple(values)
    if len(classes) == 1:
        raise DataError(f"the target '{name}' has only one class, {label_text(classes[0])!r}: nothing to learn")
    rows = raw.missing.size
    if len(classes) > max(rows / 2, 2):
        raise DataError(
            f"the target '{name}' has {len(classes)} distinct values in {counted(rows, 'row')}: these are no classes; "
            "choose another target, or data.task: regression for numbers"
        )
    return classes


def _counts(raw: Raw) -> list[int]:
    """Count the rows of each class, in the order of `_classes`."""
    if isinstance(raw, Texts):
        return [int(each) for each in raw.counts]
    assert isinstance(raw, Numbers)
    return [int(each) for each in np.unique(raw.values, return_counts=True)[1]]


def _rare(classes: tuple[Label, ...], counts: list[int], rare: str, name: str) -> dict[Label, int]:
    """List the classes with few rows, and how many these are."""
    few = {label: rows for label, rows in zip(classes, counts, strict=True) if rows < RARE_ROWS}
    left = len(classes) - len(few) + (rare == MERGE and bool(few))
    if left < 2:
        raise DataError(
            f"data.rare: {rare} leaves the target '{name}' {counted(left, 'class', 'classes')}, because fewer than "
            f"{RARE_ROWS} rows have {_listed(few)}; use data.rare: keep"
        )
    return few


def _settled(found: Target, few: Mapping[Label, int], rare: str) -> Target:
    """Drop or merge rare classes, and say so."""
    if not few:
        return found
    kept = tuple(each for each in found.classes if each not in few)
    rows = f"data.rare: {rare}: {counted(sum(few.values()), 'row')} of classes with fewer than {RARE_ROWS} rows are"
    if rare == DROP:
        note = f"{rows} left out: {_listed(few)}"
        return found._replace(classes=kept, notes=(*found.notes, note), dropped=tuple(few))
    texts, other = tuple(map(label_text, kept)), "other"
    while other in texts:
        other += " classes"
    note = f"{rows} class '{other}' together: {_listed(few)}"
    return found._replace(classes=(*texts, other), notes=(*found.notes, note), merged=tuple(few), other=other)


def _listed(few: Mapping[Label, int]) -> str:
    return listed([f"'{label_text(label)}' ({rows})" for label, rows in few.items()])


def _exact(values: list[float]) -> bool:
    return all(abs(value) < LARGEST_EXACT for value in values)


def _ordered(classes: tuple[Label, ...], name: str, positive: object) -> tuple[tuple[Label, ...], tuple[str, ...]]:
    """Put the positive class last, and say so if nobody has chosen it."""
    shown = [label_text(label) for label in classes]
    if len(classes) > 2:
        if positive is not None:
            raise DataError(
                f"data.positive is {positive!r}, but the target '{name}' has {len(classes)} classes; "
                "a positive class needs exactly two"
            )
        return classes, ()
    if positive is None:
        note = f"positive class of '{name}': '{shown[1]}', the last of '{shown[0]}' and '{shown[1]}'"
        return classes, (f"{note}; set data.positive to choose",)
    chosen = _matching(positive, shown)
    if chosen is None:
        raise DataError(
            f"data.positive: the target '{name}' has no class {positive!r}; {nearest(str(positive), shown)}"
        )
    return (classes[1 - chosen], classes[chosen]), ()


def _matching(positive: object, shown: list[str]) -> int | None:
    """Find a class by its text, by its number (`1.0` finds `1`), or by its truth (`true` finds `yes`)."""
    if isinstance(positive, bool):
        words = TRUE_TEXTS | {"1"} if positive else FALSE_TEXTS | {"0"}
        matches = [index for index, text in enumerate(shown) if text.casefold() in words]
        return matches[0] if len(matches) == 1 else None
    if str(positive) in shown:
        return shown.index(str(positive))
    number = number_or_none(str(positive))
    return next((i for i, text in enumerate(shown) if number is not None and number_or_none(text) == number), None)
