"""The built-in trainer as a function that workers run: configurations of one shape in, fold scores out; its cost.

It neither knows where it runs nor what becomes of the scores.
"""

from __future__ import annotations

import math

from lrtune.engines.contract import FailedError, OverdueError, time_is_up
from lrtune.engines.machine import memory_bytes
from lrtune.model import Model
from lrtune.model.fitting import fit_model
from lrtune.space.trial import Configuration
from lrtune.text import formats
from lrtune.trainers.at_work import telling
from lrtune.trainers.contract import Retraining, Setting, Work
from lrtune.training.costs import features_seen, lane_bytes
from lrtune.training.evaluate import Outcome, StoppedError, block_lanes, cost_seconds, evaluate
from lrtune.training.registry import complete


def run_block(setting: Setting, work: Work) -> list[Outcome]:
    """Train and score configurations of one shape together; this is what workers run.

    Raises
    ------
    OverdueError
        At the end of the first epoch after the block's time is up.
    FailedError
        If they take more memory than this machine has; a system that gives out what it does not have would kill the
        process later.

    """
    folds = setting.folds[work.first : work.end]
    taken = len(folds) * len(work.configurations) * _lane_bytes(work.configurations[0], setting)
    if taken > (there := memory_bytes() or math.inf):
        raise FailedError(f"training it takes {formats.memory(taken)}, and this machine has {formats.memory(there)}")
    epoch = 1.0 / int(str(complete(work.configurations[0])["epochs"]))
    with telling(setting, work) as teller:

        def should_stop() -> bool:
            teller.step(epoch)
            return time_is_up()

        try:
            return evaluate(
                work.configurations,
                folds,
                setting.problem,
                setting.metric,
                seed=setting.seed,
                dtype=setting.dtype,
                should_stop=should_stop,
            )
        except StoppedError as error:
            raise OverdueError from error


def lanes_at_once(configuration: Configuration, setting: Setting) -> int:
    """Say how many lanes of a configuration's shape train fast together."""
    return block_lanes(configuration, setting.folds, setting.problem, setting.dtype)


def block_bytes(configuration: Configuration, setting: Setting) -> float:
    """Estimate what a block of such configurations takes beside the folds."""
    return lanes_at_once(configuration, setting) * _lane_bytes(configuration, setting)


def _lane_bytes(configuration: Configuration, setting: Setting) -> int:
    return lane_bytes(configuration, setting.problem, features_seen(configuration, setting.folds), setting.dtype)


def population_seconds(configuration: Configuration, setting: Setting, lanes: int | None) -> float:
    """Estimate the time that one configuration takes on all folds on one core (seconds).

    In the company of so many ``lanes``, itself included; None: of as many as train fast together.
    """
    return cost_seconds(configuration, setting.folds, setting.problem, setting.dtype, lanes=lanes)


def fit(task: Retraining) -> Model:
    """Train a network on given rows.

    Raises
    ------
    NoUsableResultError
        If it diverges there.

    """
    return fit_model(
        task.columns,
        task.schema,
        task.rows,
        task.configuration,
        seed=task.setting.seed,
        dtype=task.setting.dtype,
        scales=task.scales,
        clock=task.clock,
        copy=task.copy,
    )
