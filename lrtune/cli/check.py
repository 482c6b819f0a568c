"""``lrtune check``."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

from lrtune.cli.choices import chosen
from lrtune.cli.options import ConfigArgument, DataOption, JsonOption, SetOption, TargetOption

if TYPE_CHECKING:
    from lrtune.experiment import Experiment
    from lrtune.space.trial import Configuration
    from lrtune.trainers.preparation import Prepared

SCHEMA = 1

_LIBRARIES_BYTES = 180e6
"""What a process holds before it holds any data: Python, NumPy, polars, scikit-learn."""

_WORKER_BYTES = 70e6
"""The same for a worker process, which needs NumPy only."""

_LONE_FACTOR = 3.0
"""How much slower a lane trains alone, at the final retraining, than in company."""


def check(
    config: ConfigArgument = None,
    *,
    data: DataOption = None,
    target: TargetOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Validate an experiment and print its plan; nothing is trained.

    Every mistake in the file is reported at once, with its line. Without mistakes: the task that was found, the rows,
    the columns by type, the number of configurations and fits, and an estimate of time and memory.

    Example: lrtune check configs/penguins.yaml
    """
    from lrtune.reporting import console, plans
    from lrtune.text import written
    from lrtune.trainers.preparation import prepare

    experiment = chosen(config, data, target, overrides)
    made = plan(experiment, prepare(experiment))
    if as_json:
        sys.stdout.write(written.json_text(made))
    else:
        console.show(plans.plan_page(made))


def plan(experiment: Experiment, prepared: Prepared) -> dict[str, Any]:
    """Write down what a search of this experiment would do, in JSON's types."""
    schema, search, folds = prepared.schema, experiment.search, len(prepared.setting.folds)
    first, trials = _first_round(experiment), experiment.planned
    again, fresh, outer = min(search.confirm, trials), *_further_folds(experiment, prepared)
    return {
        "schema": SCHEMA,
        "name": experiment.name,
        "data": {
            "path": experiment.data.path,
            "target": schema.target,
            "task": schema.task,
            "classes": list(schema.classes),
            "positive": schema.positive,
            "rows": {"train": prepared.rows, "test": prepared.test_rows},
            "features": schema.width,
        },
        "columns": [{"name": each.name, "kind": each.kind, "role": each.role} for each in schema.columns],
        "search": {
            "metric": prepared.metric,
            "strategy": search.strategy,
            "pruning": search.pruning,
            "space_size": None if math.isinf(experiment.space.size) else int(experiment.space.size),
            "trials": trials,
            "folds": folds,
            "confirm": again,
            "nested": outer,
            "fits": (trials * folds + again * fresh + 1) * (1 + outer),
            "populations": _populations(first),
            "default": _default(experiment),
        },
        "estimate": _estimate(experiment, prepared, first),
        "notes": [*prepared.notes, *_left_open(experiment)],
        "warnings": list(prepared.warnings),
    }


def _left_open(experiment: Experiment) -> list[str]:
    """Say which ranges a search will set itself (``learning_rate: auto``)."""
    if not experiment.automatic:
        return []
    names = ", ".join(experiment.automatic)
    return [
        f"learning_rate of {names} is auto: a search begins with `lrtune finder`, which replaces the range meant here"
    ]


def _further_folds(experiment: Experiment, prepared: Prepared) -> tuple[int, int]:
    """Count the folds of the fresh splits, and the outer ones."""
    from lrtune.trainers.partition import fresh_folds, outer_folds

    search, table = experiment.search, (experiment, prepared.dataset, prepared.metric)
    fresh = len(fresh_folds(*table).splits) if search.confirm else 0
    return fresh, len(outer_folds(*table).splits) if search.nested else 0


def _first_round(experiment: Experiment) -> list[Configuration]:
    """Propose what a search would try first; the plan is estimated from it."""
    from lrtune.sampling.catalogue import STRATEGIES

    search = experiment.search
    points = STRATEGIES[search.strategy](experiment.space, [], min(search.trials, search.round), search.seed)
    return [experiment.configuration(each) for each in points]


def _populations(configurations: list[Configuration]) -> int:
    from lrtune.training.evaluate import shape_key

    return len({shape_key(each) for each in configurations})


def _default(experiment: Experiment) -> str:
    from lrtune.reporting import tables

    return tables.configuration_line(experiment.space.default())


def _estimate(experiment: Experiment, prepared: Prepared, configurations: list[Configuration]) -> dict[str, Any]:
    """Estimate seconds and bytes of a whole search from its first round."""
    from lrtune.engines.local import workers_worth
    from lrtune.trainers.catalogue import expected_seconds
    from lrtune.training.evaluate import block_lanes, lane_bytes

    setting = prepared.setting
    each = sum(expected_seconds(one, setting) for one in configurations) / len(configurations)
    trials, search = experiment.planned, experiment.search
    total = each * (trials + min(search.confirm, trials) / search.repeats)
    workers = experiment.workers or workers_worth(total)
    arrays = sum(part.nbytes for fold in setting.folds for part in (fold.features, fold.validation_features))
    block = max(
        block_lanes(one, setting.folds, setting.problem, setting.dtype)
        * lane_bytes(one, setting.problem, prepared.schema.width, setting.dtype)
        for one in configurations
    )
    others = workers * (_WORKER_BYTES + arrays + block) if workers > 1 else block
    whole = total / workers + each / len(setting.folds) * _LONE_FACTOR
    # Each of the `nested` searches inside has all rows but one outer fold.
    return {
        "seconds": round(whole * max(1, search.nested), 3),
        "workers": workers,
        "bytes": int(_LIBRARIES_BYTES + arrays + others),
    }
