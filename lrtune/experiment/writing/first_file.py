"""A file to start from, written after looking at a table: what suits its task, its rows and its columns, and why.

It is what a search without a file does, too (`lrtune.experiment.suited`). The rules are rough on purpose: they save the
first hour, and every line of the file says what it goes by. What cannot be known from the table (whether rows belong
together, whether time matters) is asked for in comments.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from lrtune.data.schema import RARE_ROWS
from lrtune.experiment.reading.document import Values
from lrtune.experiment.reading.sections import AUTO
from lrtune.experiment.writing.seen import Seen
from lrtune.experiment.writing.sizes import MORE_FOLDS, PRUNING, ROUND, STRATEGY, Sizes, features, hidden, sizes, space
from lrtune.experiment.writing.yaml_text import quoted, yaml_text
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.verdict.terms import ENOUGH

_COLUMN = 30  # where comments begin


def metric(found: Seen) -> tuple[str, str]:
    """Suggest a metric, and say why."""
    if found.counts:
        return "log_loss", "probabilities; accuracy, balanced accuracy and AUC are shown beside it"
    if found.is_skewed:
        return "rmse", "in the units of the target; a few very large values rule it, and mae less so"
    return "rmse", "in the units of the target; or mae, r2"


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
    large = sizes(found)
    parts = (
        *(_head(), _data(found, path, said), _training(found, large), _search(found, large)),
        *(_retrain(found), _space(found)),
    )
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


def _training(found: Seen, large: Sizes) -> Iterator[str]:
    yield "model:"
    if "model" not in features(found):
        decided = found.is_skewed and not found.is_large
        why = "; not tried, since a few very large values would decide about it" if decided else ""
        yield _line("type", "mlp", f"or linear{why}")
    yield _line("hidden", [hidden(found)], "units of each hidden layer")
    yield ""
    yield "training:"
    updates = large.steps * large.epochs
    yield _line("epochs", large.epochs, f"with this batch size about {updates} updates in each fold")
    yield _line("batch_size", large.batch_size, "it may be searched as well: move it to space, as in [32, 128]")
    yield ""


def _search(found: Seen, large: Sizes) -> Iterator[str]:
    name, why = metric(found)
    yield "search:"
    others = ", ".join(each for each in STRATEGIES if each != STRATEGY)
    yield _line("strategy", STRATEGY, f"learns from its trials; or {others}")
    yield _line("trials", large.trials, "a larger number goes on with the same study")
    if found.is_large:
        yield _line("pruning", PRUNING, "most trials are judged by a shorter training; or race, none")
        yield _line("round", ROUND, "trials that are proposed together; the next ones learn from them")
    yield _line("metric", name, why)
    if large.folds == MORE_FOLDS:
        yield _line("folds", large.folds, "models of nine tenths of the rows are nearest to the one that is delivered")
    else:
        yield _line("folds", large.folds, (large.why if large.repeats == 1 else "") or "parts of the cross-validation")
    if large.repeats > 1:
        yield _line("repeats", large.repeats, large.why)
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
    yield yaml_text({"space": space(found)}).rstrip("\n")
