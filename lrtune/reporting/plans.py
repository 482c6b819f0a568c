"""What `lrtune check` says: the plan of a search before anything is trained."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from lrtune.reporting import tables
from lrtune.reporting.blocks import Block, Facts, Headline, Remarks, Words
from lrtune.text import formats
from lrtune.text.written import to_json
from lrtune.training.metrics.catalogue import METRICS

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.experiment import Experiment
    from lrtune.experiment.writing.seen import Seen
    from lrtune.tuning.planning import Estimate, PlannedData, PlannedSearch, SearchPlan

MAX_NAMES = 8


def plan_json(plan: SearchPlan) -> Mapping[str, object]:
    """Write a plan in JSON's types; the default configuration in one line."""
    made = to_json(plan)
    return {**made, "search": {**made["search"], "default": tables.configuration_line(plan.search.default)}}


def plan_page(plan: SearchPlan) -> list[Block]:
    """Show a plan."""
    page: list[Block] = [
        Headline(f"{plan.name}: nothing is wrong with it"),
        Facts("data", _data_rows(plan.data)),
        Facts("columns", _column_rows((each.name, each.kind, each.role) for each in plan.columns)),
        Facts("search", _search_rows(plan.search)),
        Facts("estimate", _estimate_rows(plan.estimate, plan.search.trainer)),
    ]
    said = [Remarks("notes", plan.notes), Remarks("warnings", plan.warnings)]
    return page + [each for each in said if each.sentences]


def _data_rows(data: PlannedData) -> list[tuple[str, str]]:
    test = f"{formats.plural(data.rows.test, 'row')} kept for the test" if data.rows.test else "no rows kept for a test"
    rows = [
        ("table", data.path),
        ("task", f"{data.task} of '{data.target}'"),
        ("rows", f"{formats.count(data.rows.train)} to search on, {test}"),
        ("features", f"{formats.count(data.features)} after encoding"),
    ]
    if data.classes:
        positive = "" if data.positive is None else f"; '{data.positive}' is the positive one"
        classes = listed([str(each) for each in data.classes])
        rows.insert(2, ("classes", f"{formats.count(len(data.classes))}: {classes}{positive}"))
    return rows


def _column_rows(columns: Iterable[tuple[str, str, str]]) -> list[tuple[str, str]]:
    """Gather columns by what becomes of them: features by kind, then other roles, then what is left out and why.

    Of each column its name, its kind and its role.
    """
    groups: dict[str, list[str]] = {}
    for name, kind, role in columns:
        shown = f"{name} ({kind})" if role == "left out" else name
        groups.setdefault(kind if role == "feature" else role, []).append(shown)
    last = ("target", "group", "order", "left out")
    ordered = sorted(groups, key=lambda group: (last.index(group) + 1 if group in last else 0, group))
    return [(group, f"{formats.count(len(groups[group]))}: {listed(groups[group])}") for group in ordered]


def listed(names: Sequence[str]) -> str:
    """List names, the middle of many left out.

    >>> listed(["a", "b"]), listed([f"p{number}" for number in range(64)])
    ('a, b', 'p0, p1, p2, p3, p4, p5, p6, ... p63')
    """
    if len(names) <= MAX_NAMES:
        return ", ".join(names)
    return ", ".join(names[: MAX_NAMES - 1]) + f", ... {names[-1]}"


def _compared(search: PlannedSearch) -> str:
    pairs = ("a constant rate", search.control), ("and without warm-up", search.warmup_control)
    tuned = [f"the best with {each}" for each, is_wanted in pairs if is_wanted]
    *others, last = [*([] if METRICS[search.metric].is_told else ["a linear model"]), *tuned] or ["nothing"]
    return f"{', '.join(others)}, and {last}" if others else last


def _search_rows(search: PlannedSearch) -> list[tuple[str, str]]:
    pruned = search.pruning != "none"
    size = "infinitely many" if search.space_size is None else formats.count(search.space_size)
    rows = [("trainer", f"{search.trainer}: a search runs it, and nothing has run it here")] if search.trainer else []
    populations = (
        "populations",
        f"{formats.count(search.populations)}, of configurations with equal shapes that train as one",
    )
    return [
        *rows,
        ("metric", search.metric),
        ("strategy", search.strategy),
        *([("pruning", f"{search.pruning}: what is below is the most it can be")] if pruned else []),
        ("configurations", f"{formats.count(search.trials)} of {size}"),
        ("fits", f"{formats.count(search.fits)}: {_fits(search)}"),
        ("compared with", _compared(search)),
        *([] if search.trainer else [populations]),
        ("default", tables.configuration_line(search.default)),
    ]


def _fits(search: PlannedSearch) -> str:
    """Say what the fits are made of."""
    words = f"{formats.plural(search.folds, 'fold')} each, "
    if search.confirm:
        words += f"{formats.plural(search.confirm, 'trial')} on fresh splits, "
    words += "and the best once more"
    if search.nested:
        words += f"; the same again in each of {search.nested} outer folds"
    return words


def _estimate_rows(estimate: Estimate, trainer: str | None) -> list[tuple[str, str]]:
    processes = formats.plural(estimate.workers, "process", "processes")
    if trainer is not None:
        return [("time", f"as long as fits of {trainer} take, which nobody knows yet; with {processes}")]
    return [
        ("time", f"{formats.duration(estimate.seconds)} of training with {processes}; the rest takes some seconds"),
        ("memory", formats.memory(estimate.bytes)),
    ]


def started_page(found: Seen, experiment: Experiment, path: Path) -> list[Block]:
    """Say what was seen in a table and written into a file to start from."""
    schema, search = found.schema, experiment.search
    columns = _column_rows((each.name, each.kind, each.role) for each in schema.columns)
    repeats = f", {search.repeats} times" if search.repeats > 1 else ""
    classes = f", {formats.plural(len(schema.classes), 'class', 'classes')}" if schema.classes else ""
    epochs = formats.plural(experiment.training.epochs, "epoch")
    suggested = [
        ("metric", search.metric),
        ("folds", f"{search.folds}{repeats}"),
        (
            "training",
            f"{epochs} of mini-batches of {experiment.training.batch_size} rows",
        ),
    ]
    page: list[Block] = [
        Headline(f"{path}: written"),
        Facts("seen", [("task", f"{schema.task} of '{schema.target}'{classes}"), *columns]),
        Facts("suggested", suggested),
    ]
    if schema.warnings:
        page.append(Remarks("warnings", schema.warnings))
    return [*page, Words("next", [("", f"lrtune {word} {shlex.quote(str(path))}") for word in ("check", "search")])]
