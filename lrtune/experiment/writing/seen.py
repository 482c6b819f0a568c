"""What is seen in a table before a file is written for it: the columns and the task, rows, classes, what looks odd."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lrtune.data.cells import Texts
from lrtune.data.dataset import Dataset
from lrtune.data.folds import default_kind, most_folds
from lrtune.data.schema import RARE_ROWS, Schema
from lrtune.data.tables import Table
from lrtune.experiment.writing.qualities import GOOD, QUALITIES, Quality

FEW_NUMBERS = 12
"""Of so many, an embedding costs no more than the rest of a small network."""

SKEWED = 2.0
"""Beyond this skewness, a few very large values rule the mean of squares."""

_GROUP_NAME = re.compile(r"(?i)(^|_)(id|group|patient|subject|person|user|customer|session|site|family|batch)s?$")


@dataclass(frozen=True)
class Seen:
    """What was seen in a table.

    Attributes
    ----------
    schema
        The columns and the task.
    rows
        How many the search may use, after a test share is set apart.
    counts
        Rows of each class among them; empty for regression.
    rare
        Whether one of more than two classes has few rows in the table.
    kind, most
        How rows get into folds, and how many folds they bear (`lrtune.data.folds`).
    skewness
        Of the target's values, for regression: third standardised moment.
    missing
        Share of missing cells of each feature column that has any.
    groups
        Columns that look as if rows with equal values belong together.
    quality
        What is asked for.

    """

    schema: Schema
    rows: int
    counts: tuple[int, ...]
    rare: bool
    kind: str
    most: int
    skewness: float
    missing: Mapping[str, float]
    groups: tuple[str, ...]
    quality: Quality = QUALITIES[GOOD]

    @property
    def is_large(self) -> bool:
        """Whether rows are enough to choose more by them than the rate and what belongs to it."""
        return self.rows >= self.quality.rows[not self.counts]

    @property
    def is_skewed(self) -> bool:
        """Whether a few very large values of the target rule its mean of squares."""
        return abs(self.skewness) > SKEWED

    @property
    def numbers(self) -> int:
        """How many features are numbers, and not only yes and no."""
        return sum(each.role == "feature" and each.kind == "numeric" for each in self.schema.columns)

    @property
    def is_embedded(self) -> bool:
        """Whether an embedding of the numbers is tried."""
        return self.is_large and 0 < self.numbers <= FEW_NUMBERS


def seen(table: Table, dataset: Dataset, splitter: str = "auto", quality: Quality = QUALITIES[GOOD]) -> Seen:
    """Look at a table and at the dataset made of it; the splitter is ``search.splitter``."""
    schema = dataset.schema
    kind = default_kind(schema) if splitter == "auto" else splitter
    features = {each.name for each in schema.columns if each.role == "feature"}
    shares = {name: float(raw.missing.mean()) for name, raw in table.columns.items() if name in features}
    assert dataset.columns.target is not None
    target = dataset.columns.target[dataset.train_rows]
    classes = schema.task == "classification"
    return Seen(
        schema=schema,
        rows=len(dataset.train_rows),
        counts=tuple(np.bincount(target, minlength=len(schema.classes)).tolist()) if classes else (),
        rare=classes and _has_rare(dataset.columns.target.astype(np.int64)),
        kind=kind,
        most=most_folds(dataset.columns, schema, dataset.train_rows, kind=kind),
        skewness=0.0 if classes else _skewness(target),
        missing={name: share for name, share in shares.items() if share},
        groups=tuple(name for name in table.names if name != schema.target and _belongs_together(table, name)),
        quality=quality,
    )


def _has_rare(labels: np.ndarray) -> bool:
    counts = np.bincount(labels)
    return len(counts) > 2 and int(np.count_nonzero(counts < RARE_ROWS)) > 0


def _skewness(values: np.ndarray) -> float:
    deviation = values - values.mean()
    variance = float((deviation**2).mean())
    return float((deviation**3).mean()) / variance**1.5 if variance else 0.0


def _belongs_together(table: Table, name: str) -> bool:
    """Whether a column is called like a group and its values repeat, but in small numbers."""
    if not _GROUP_NAME.search(name):
        return False
    raw = table.columns[name]
    values = raw.codes if isinstance(raw, Texts) else getattr(raw, "values", None)
    if values is None:
        return False
    distinct = len(np.unique(values))
    return 10 <= distinct <= table.rows / 2
