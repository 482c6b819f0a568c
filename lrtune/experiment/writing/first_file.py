"""A file to start from, written after looking at a table: what suits its task, its rows and its columns, and why.

It is what a search without a file does, too (`lrtune.experiment.suited`). The rules are rough on purpose: they save the
first hour, and every line of the file says what it goes by. What cannot be known from the table (whether rows belong
together, whether time matters) is asked for in comments.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from lrtune.data.cells import Texts
from lrtune.data.dataset import Dataset
from lrtune.data.folds import default_kind, most_folds, usual_folds
from lrtune.data.schema import RARE_ROWS, USUAL_FOLDS, Schema
from lrtune.data.tables import Table
from lrtune.experiment.reading.document import Values
from lrtune.experiment.reading.sections import AUTO
from lrtune.experiment.writing.default_space import default_space
from lrtune.experiment.writing.qualities import GOOD, QUALITIES, Quality
from lrtune.experiment.writing.yaml_text import quoted, yaml_text
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.verdict.terms import ENOUGH

FEWEST_ROWS, FEW_ROWS, SOME_ROWS, MANY_ROWS = 150, 500, 1_500, 20_000
"""Below the first, ten folds are drawn twice; below the second, fewer than ten several times; below the third there are
ten if there can be, and above the last, three say enough."""

MORE_FOLDS = 10

STRATEGY, PRUNING = "bayesian", "halving"
"""Halving pays for longer trainings where there are many rows to learn from."""

FEW_NUMBERS = 12
"""Of so many, an embedding costs no more than the rest of a small network."""

RATE = {"low": 3e-4, "high": 5e-2, "scale": "log"}
"""Searched for Adam alone where features are searched as well: other rates and optimizers are hardly ever among the
best there, and a trial is dear."""

NUMBERS, EMBEDDING, HIDDEN = ["standard", "piecewise"], ["none", "periodic"], [[64], [128, 64]]
"""What is searched there: how numbers become features, and where these are too many to be embedded, a second layer."""

FEWEST_EPOCHS, MOST_EPOCHS = 10, 200
FEWEST_ROWS_AT_ONCE, MOST_ROWS_AT_ONCE = 16, 256

SKEWED = 2.0
"""Beyond this skewness, a few very large values rule the mean of squares."""

_GROUP_NAME = re.compile(r"(?i)(^|_)(id|group|patient|subject|person|user|customer|session|site|family|batch)s?$")
_COLUMN = 30  # where comments begin


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
        return self.rows >= self.quality.many[not self.counts]

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


def metric(found: Seen) -> tuple[str, str]:
    """Suggest a metric, and say why."""
    if found.counts:
        return "log_loss", "probabilities; accuracy, balanced accuracy and AUC are shown beside it"
    if abs(found.skewness) > SKEWED:
        return "rmse", "in the units of the target; a few very large values rule it, and mae less so"
    return "rmse", "in the units of the target; or mae, r2"


def folds(found: Seen) -> tuple[int, int, str]:
    """Suggest folds and repeats, and say why."""
    if found.kind == "time_series":
        return _borne(found, _usual(found)), 1, "each is predicted by what came before it"
    counts = [each for each in found.counts if each > 1]
    rare = f"the rarest class has {min(counts, default=0)} training rows"
    fewer = usual_folds(np.array(found.counts, dtype=np.int64)) if found.kind == "stratified" else USUAL_FOLDS
    if fewer < _usual(found):
        return fewer, 3, rare
    has_rare = min(counts, default=MORE_FOLDS) < MORE_FOLDS
    if found.rows < SOME_ROWS and found.most >= 2 * MORE_FOLDS and not has_rare:
        if found.rows < FEWEST_ROWS:
            return MORE_FOLDS, 2, "few rows: two rounds of folds lessen the luck of the draw"
        return MORE_FOLDS, 1, ""
    parts = _borne(found, _usual(found))
    if found.rows < FEW_ROWS:
        return parts, 3, rare if has_rare else "few rows: three rounds of folds lessen the luck of the draw"
    return parts, 1, "many rows: three parts say enough" if found.rows > MANY_ROWS else _PARTS


_PARTS = "parts of the cross-validation"


def _usual(found: Seen) -> int:
    return 3 if found.rows > MANY_ROWS else USUAL_FOLDS


def _borne(found: Seen, wanted: int) -> int:
    return max(2, min(wanted, found.most))


def batch_size(found: Seen) -> int:
    """Suggest the rows of a mini-batch: a power of two that gives about thirty updates in an epoch, or fifteen.

    So many are enough for values, where more epochs are worth more; classes would be overfitted.
    """
    wanted = 15 if found.is_large and not found.counts else 30
    return int(np.clip(2 ** np.round(np.log2(max(found.rows, 1) / wanted)), FEWEST_ROWS_AT_ONCE, MOST_ROWS_AT_ONCE))


def steps(found: Seen) -> int:
    """Count the updates of an epoch in a fold's training."""
    parts, _, _ = folds(found)
    return max(1, -(-(found.rows * (parts - 1) // parts) // batch_size(found)))


def epochs(found: Seen) -> int:
    """Suggest epochs: about as many updates in each fold as the quality says or a few more, in fives."""
    updates = found.quality.updates[found.is_large]
    if found.is_large and not found.counts and batch_size(found) < MOST_ROWS_AT_ONCE:
        updates = updates * 3 // 2  # of small mini-batches
    return int(np.clip(5 * np.ceil(updates / steps(found) / 5), FEWEST_EPOCHS, MOST_EPOCHS))


def hidden(found: Seen) -> int:
    """Suggest the units of the one hidden layer by how much there is to learn from."""
    return 128 if found.rows > MANY_ROWS else 64


def text(found: Seen, path: str, said: Values = MappingProxyType({})) -> str:
    """Write the file.

    Parameters
    ----------
    found
        What was seen.
    path
        Of the table, as it is to stand in the file.
    said
        Settings of `data` that somebody gave, in JSON's types.

    """
    parts = (_head(), _data(found, path, said), _training(found), _search(found), _retrain(found), _space(found))
    return "\n".join(line for part in parts for line in part) + "\n"


def _line(key: str, value: object, why: str = "") -> str:
    shown = f"  {key}: {value}"
    return f"{shown:{_COLUMN - 2}}  # {why}" if why else shown


def _head() -> Iterator[str]:
    yield "# An experiment of lrtune. What stands under `space` is searched, everything else is fixed."
    yield "# `lrtune check` with this file tells what a search would do; `lrtune search` does it."
    yield ""


def _data(found: Seen, path: str, said: Values) -> Iterator[str]:
    schema = found.schema
    yield "data:"
    yield _line("path", quoted(path), "relative to this file")
    yield _line("target", quoted(schema.target), _target_text(found))
    if len(schema.classes) == 2:
        yield _line("positive", quoted_label(schema.classes[1]), "the class that f1 and the like are about")
    for key, value in said.items():
        if key not in {"positive", "dates"}:
            yield _line(key, json.dumps(value, ensure_ascii=False))
    if found.rare:
        yield _line("# rare", "merge", f"makes one class of those with fewer than {RARE_ROWS} rows; or drop")
    yield _line("test_size", 0.2, "rows that the search never sees; the winner is scored on them once")
    by_kind: dict[str, list[str]] = {}
    for each in schema.columns:
        by_kind.setdefault(each.kind if each.role != "target" else "", []).append(each.name)
    if by_kind.get("date"):
        yield _line(
            "dates", said.get("dates", "encode"), f"{_names(by_kind['date'])}: as day, month, weekday; or ignore"
        )
    if by_kind.get("date") and "order" not in said:
        yield _line("# order", quoted(by_kind["date"][0]), "if new rows will be later than those of this table")
    for name in found.groups[: "group" not in said]:
        yield _line("# group", quoted(name), f"if rows with the same {_plain(name)} belong together")
    left_out = [name for kind in ("identifier", "text", "constant", "empty") for name in by_kind.get(kind, ())]
    if left_out:
        yield f"  # left out, since nothing can be learnt from them: {_names(left_out)}"
    if found.missing:
        yield f"  # missing cells are filled and marked inside each fold: {_missing_text(found.missing)}"
    yield ""


def quoted_label(label: object) -> str:
    """Write a class as YAML that is read as the same class."""
    return quoted(label) if isinstance(label, str) else str(label)


def _target_text(found: Seen) -> str:
    schema = found.schema
    if not found.counts:
        return "numbers, so this is regression"
    if len(found.counts) > 4:
        return f"{len(found.counts)} classes of {min(found.counts)} to {max(found.counts)} training rows"
    shown = (f"{_plain(name)} {count}" for name, count in zip(schema.classes, found.counts, strict=True))
    return f"training rows by class: {', '.join(shown)}"


def _missing_text(missing: Mapping[str, float]) -> str:
    worst = sorted(missing.items(), key=lambda each: -each[1])
    shown = [
        f"{_plain(name)} {100 * share:.0f} %" if share >= 0.01 else f"{_plain(name)} under 1 %" for name, share in worst
    ]
    return ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")


def _names(names: list[str]) -> str:
    return ", ".join(map(_plain, names[:5])) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _plain(name: object) -> str:
    """Show a name in a comment, which ends with the line."""
    shown = "".join(each if each.isprintable() else "?" for each in str(name))
    return shown if len(shown) <= 30 else f"{shown[:27]}..."


def _training(found: Seen) -> Iterator[str]:
    yield "model:"
    yield _line("type", "mlp", "or linear")
    if "hidden" not in _features(found):
        yield _line("hidden", [hidden(found)], "units of each hidden layer")
    yield ""
    yield "training:"
    updates = steps(found) * epochs(found)
    yield _line("epochs", epochs(found), f"with this batch size about {updates} updates in each fold")
    yield _line("batch_size", batch_size(found), "it may be searched as well: move it to space, as in [32, 128]")
    yield ""


def _search(found: Seen) -> Iterator[str]:
    name, why = metric(found)
    parts, repeats, reason = folds(found)
    yield "search:"
    others = ", ".join(each for each in STRATEGIES if each != STRATEGY)
    yield _line("strategy", STRATEGY, f"learns from its trials; or {others}")
    yield _line("trials", found.quality.trials[found.is_large], "a larger number goes on with the same study")
    if found.is_large:
        yield _line("pruning", PRUNING, "most trials are judged by a shorter training; or race, none")
    yield _line("metric", name, why)
    if parts == MORE_FOLDS:
        yield _line("folds", parts, "models of nine tenths of the rows are nearest to the one that is delivered")
    else:
        yield _line("folds", parts, _PARTS if repeats > 1 else reason)
    if repeats > 1:
        yield _line("repeats", repeats, reason)
    yield _line("seed", 0, "of everything random")
    yield ""


def _retrain(found: Seen) -> Iterator[str]:
    yield "retrain:"
    yield _line("rows", "all", "once they have judged a model without them, the test rows train as well; or search")
    yield _line("ensemble", AUTO, "the mean of the best trials, where that is better on the folds; 1: the best alone")
    if found.quality.members is None:
        yield _line("members", AUTO, f"seeds of each, so that the model has at least {ENOUGH} networks; 1: one each")
    else:
        yield _line("members", found.quality.members, f"seeds of each; auto: the model has at least {ENOUGH} networks")
    yield ""


def _space(found: Seen) -> Iterator[str]:
    yield "# A scalar is fixed, a list means pick one, {low, high} is a range. An item with a colon is a branch with"
    yield "# factors of its own. `learning_rate: auto` has the range found first, as `lrtune finder` does."
    yield yaml_text({"space": {**default_space(), **_features(found)}}).rstrip("\n")


def _features(found: Seen) -> Values:
    """Say what is searched of the network, where there are rows enough to choose by."""
    if not found.is_large:
        return {}
    features: dict[str, object] = {"optimizer": "adam", "learning_rate": RATE}
    if found.numbers:
        features["numbers"] = NUMBERS
    if found.is_embedded:
        features["embedding"] = EMBEDDING
    if not found.is_embedded or found.quality.is_deep:
        features["hidden"] = HIDDEN
    return features
