"""What a search would do: its plan, made before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lrtune.data.schema import Label
from lrtune.engines.local import workers_worth
from lrtune.engines.machine import memory_bytes
from lrtune.experiment import Experiment
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.space.trial import Configuration
from lrtune.text import formats
from lrtune.text.braces import named_in
from lrtune.text.errors import ExperimentError
from lrtune.trainers.anchors import anchor_seconds
from lrtune.trainers.catalogue import TRAINERS, expected_seconds, retraining_seconds
from lrtune.trainers.contract import Setting
from lrtune.trainers.partition import fresh_folds, outer_folds
from lrtune.trainers.preparation import Prepared
from lrtune.training.registry import COMMAND, ESTIMATOR, FUNCTION
from lrtune.tuning.controlled import controlled_seconds
from lrtune.tuning.footprint import search_bytes
from lrtune.tuning.warmups import warmup_seconds
from lrtune.verdict.pruning import PRUNINGS
from lrtune.verdict.stages import trainings

SCHEMA = 1

_LOOKED_AT = 256
"""Random configurations that are looked at for shapes that are too large."""


@dataclass(frozen=True, slots=True)
class PlannedRows:
    """How many rows the search may use, and how many are kept for the test."""

    train: int
    test: int


@dataclass(frozen=True, slots=True)
class PlannedData:
    """The table: where it is, what is predicted, its rows, and how many features there are after encoding.

    ``classes`` is empty for regression; ``positive`` is None unless there are two.
    """

    path: str
    target: str
    task: str
    classes: tuple[Label, ...]
    positive: Label | None
    rows: PlannedRows
    features: int


@dataclass(frozen=True, slots=True)
class PlannedColumn:
    """A column of the table: its name, its kind and its role (`lrtune.data.schema`)."""

    name: str
    kind: str
    role: str


@dataclass(frozen=True, slots=True)
class PlannedSearch:
    """What would be tried.

    Attributes
    ----------
    trainer
        What trains, where that is not lrtune itself; None: its own networks.
    metric, strategy, pruning
        Their names.
    space_size
        Points of the space; None if they are infinitely many.
    trials, folds
        How many.
    confirm
        Trials that are scored again on fresh splits.
    nested
        Outer folds; 0 without nested cross-validation.
    control
        Whether the best is trained with a constant rate, too, as the controlled pair.
    warmup_control
        Whether it is trained with and without warm-up, too.
    fits
        How many there are in all, the retraining of the best included; without what the best is compared with.
    populations
        Groups of equal shapes in the first round, which train as one.
    default
        The point of the space that is tried first.

    """

    trainer: str | None
    metric: str
    strategy: str
    pruning: str
    space_size: int | None
    trials: int
    folds: int
    confirm: int
    nested: int
    control: bool
    warmup_control: bool
    fits: int
    populations: int
    default: Configuration


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a search takes: seconds, with so many processes, and the bytes of all of them."""

    seconds: float
    workers: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlan:
    """What a search of an experiment would do.

    Attributes
    ----------
    schema
        Version of the layout of its JSON (`lrtune.reporting.plans.plan_json`).
    name
        Of the experiment.
    data, columns, search, estimate
        On what, how, and what it takes.
    notes, warnings
        What was decided about the data, and what is odd about them, a sentence each.

    """

    schema: int = SCHEMA
    name: str
    data: PlannedData
    columns: tuple[PlannedColumn, ...]
    search: PlannedSearch
    estimate: Estimate
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def refuse_missing_code(experiment: Experiment) -> None:
    """Look whether the file of a function is there; it is not imported.

    Raises
    ------
    ExperimentError
        If it is not.

    """
    said = experiment.trainer.said
    place = (experiment.base / str(said.get("folder", "."))).resolve()
    for key, spec in (("trainer", said.get(FUNCTION)), ("data.loader", experiment.loader)):
        file = str(spec or "").rpartition(":")[0]
        if file.endswith(".py") and not (place / file).is_file():
            raise ExperimentError([f"{key}: {place / file}: there is no such file"])


def unplanned(experiment: Experiment) -> str | None:
    """Say why there is no plan where only running code would tell the rows; None where there is one."""
    if experiment.loader is None:
        return None
    return (
        f"nothing is wrong with the file; its rows come from {experiment.loader}, which `lrtune search` runs and "
        "`lrtune check` does not, so that there is no plan"
    )


def plan(experiment: Experiment, prepared: Prepared) -> SearchPlan:
    """Say what a search of this experiment would do; nothing is trained.

    Raises
    ------
    ExperimentError
        If some of its configurations take more memory than this machine has.

    """
    first = _first_round(experiment)
    _refuse_what_does_not_fit(experiment, prepared.setting, first)
    return SearchPlan(
        name=experiment.name,
        data=_data(experiment, prepared),
        columns=tuple(PlannedColumn(each.name, each.kind, each.role) for each in prepared.schema.columns),
        search=_search(experiment, prepared, first),
        estimate=_estimate(experiment, prepared, first),
        notes=(*prepared.notes, *_left_open(experiment)),
        warnings=prepared.warnings,
    )


def _data(experiment: Experiment, prepared: Prepared) -> PlannedData:
    schema = prepared.schema
    return PlannedData(
        path=experiment.data.path,
        target=schema.target,
        task=schema.task,
        classes=schema.classes,
        positive=schema.positive,
        rows=PlannedRows(prepared.rows, prepared.test_rows),
        features=prepared.features,
    )


def _search(experiment: Experiment, prepared: Prepared, first: Sequence[Configuration]) -> PlannedSearch:
    search, size, trials = experiment.search, experiment.space.size, experiment.planned
    folds, again = len(prepared.setting.folds), min(search.confirm, trials)
    fresh, outer = _further_folds(experiment, prepared)
    trainer = experiment.trainer
    return PlannedSearch(
        trainer=trainer.called if trainer.is_foreign else None,
        metric=prepared.metric,
        strategy=search.strategy,
        pruning=search.pruning,
        space_size=None if math.isinf(size) else int(size),
        trials=trials,
        folds=folds,
        confirm=again,
        nested=outer,
        control=search.control and "decay" in first[0],
        warmup_control=search.warmup_control and "decay" in first[0],
        fits=(trials * folds + again * fresh + 1) * (1 + outer),
        populations=len({TRAINERS[prepared.setting.trainer].alike(each) for each in first}),
        default=experiment.space.default(),
    )


def _left_open(experiment: Experiment) -> list[str]:
    """Say which ranges a search will set itself (``learning_rate: auto``), and which values only running code tells."""
    if experiment.trainer.name == ESTIMATOR:
        return ["trial 0 will have the estimator's own values where the space has them, which a search finds out"]
    if experiment.trainer.name == COMMAND:
        return _read_by_the_program(experiment)
    if not experiment.automatic:
        return []
    names = ", ".join(experiment.automatic)
    return [
        f"learning_rate of {names} is auto: a search begins with `lrtune finder`, which replaces the range meant here"
    ]


def _read_by_the_program(experiment: Experiment) -> list[str]:
    """Say which parameters a command does not name, so that the program has to look for them."""
    named = named_in(experiment.trainer.said[COMMAND])
    where = dict.fromkeys(sorted(experiment.own_names), "LRTUNE_CONFIG")
    if "learning_rate" in experiment.in_space:
        where["learning_rate"] = "LRTUNE_RATES"
    unnamed = [
        each for each in where if not {each, "config", *(["rates"] if each == "learning_rate" else [])} & {*named}
    ]
    if not unnamed:
        return []
    files = " and ".join(dict.fromkeys(where[each] for each in unnamed))
    return [f"the command does not name {' and '.join(unnamed)}: the program has to read {files}"]


def _further_folds(experiment: Experiment, prepared: Prepared) -> tuple[int, int]:
    """Count the folds of the fresh splits, and the outer ones."""
    search, table = experiment.search, (experiment, prepared.dataset, prepared.metric)
    fresh = len(fresh_folds(*table).splits) if search.confirm else 0
    return fresh, len(outer_folds(*table).splits) if search.nested else 0


def _first_round(experiment: Experiment) -> list[Configuration]:
    """Propose what a search would try first; the plan is estimated from it."""
    search = experiment.search
    points = STRATEGIES[search.strategy](experiment.space, [], min(search.trials, search.round), search.seed)
    return [experiment.configuration(each) for each in points]


def _refuse_what_does_not_fit(experiment: Experiment, setting: Setting, first: Sequence[Configuration]) -> None:
    """Look whether each shape that turns up among many configurations can be trained on this machine."""
    there = memory_bytes() or math.inf
    points = STRATEGIES["random"](experiment.space, [], _LOOKED_AT, experiment.search.seed)
    trainer = TRAINERS[setting.trainer]
    shapes = {trainer.alike(each): each for each in [*first, *map(experiment.configuration, points)]}
    sizes = ((each, trainer.memory(each, setting)) for each in shapes.values())
    if wrong := [_too_large(each, size, there) for each, size in sizes if size > there]:
        raise ExperimentError(wrong)


def _too_large(configuration: Configuration, taken: float, there: float) -> str:
    hidden = configuration["hidden"]
    assert isinstance(hidden, tuple)  # only networks are estimated
    sizes = f"hidden {list(hidden)}, batch_size {configuration['batch_size']}"
    return f"{sizes}: training it takes {formats.memory(taken)}, and this machine has {formats.memory(there)}"


def _estimate(experiment: Experiment, prepared: Prepared, first: Sequence[Configuration]) -> Estimate:
    """Estimate seconds and bytes of a whole search from its first round."""
    setting = prepared.setting
    each = sum(expected_seconds(one, setting) for one in first) / len(first)
    trials, search = experiment.planned, experiment.search
    count = _trainings(experiment, prepared, trials) + min(search.confirm, trials) / search.repeats
    workers = experiment.workers or workers_worth(each * count)
    alone = sum(retraining_seconds(one, setting, prepared.rows) for one in first) / len(first)
    whole = each * count / workers + experiment.networks * alone
    compared = anchor_seconds(setting) + (controlled_seconds(first[0], setting) if search.control else 0.0)
    compared += warmup_seconds(first[0], setting) if search.warmup_control else 0.0
    # Each of the `nested` searches inside has all rows but one outer fold.
    return Estimate(
        seconds=round(whole * max(1, search.nested) + compared, 3),
        workers=workers,
        bytes=search_bytes(prepared, first, workers, compared=search.control or search.confirm > 0),
    )


def _trainings(experiment: Experiment, prepared: Prepared, trials: int) -> float:
    """Count how many trainings on all folds the trials take; what a race will drop is not known."""
    search, pruning = experiment.search, PRUNINGS[experiment.search.pruning]
    stages = pruning.stages(prepared.metric, len(prepared.setting.folds), experiment.horizon)
    return trainings(stages, pruning.first, trials, search.round)
