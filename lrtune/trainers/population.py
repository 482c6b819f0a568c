"""The built-in trainer as a function that workers run: configurations of one shape in, fold scores out; its cost.

It neither knows where it runs nor what becomes of the scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lrtune.arrays import Array
from lrtune.engines.contract import OverdueError, time_is_up
from lrtune.space.trial import Configuration
from lrtune.training.evaluate import (
    Fold,
    Outcome,
    Problem,
    StoppedError,
    block_lanes,
    cost_seconds,
    evaluate,
)
from lrtune.training.registry import BUILT_IN


class Setting(NamedTuple):
    """What every configuration of a study is trained and scored on; shipped to each worker once."""

    folds: tuple[Fold, ...]
    problem: Problem
    metric: str
    seed: int
    dtype: str
    trainer: str = BUILT_IN


class Work(NamedTuple):
    """What a worker gets at a time: configurations of one shape, and the folds to train them on."""

    configurations: Sequence[Configuration]
    first: int = 0
    end: int | None = None


class Evaluated(NamedTuple):
    """The end of one configuration's stage: an outcome, or the reason why there is none."""

    number: int
    outcome: Outcome | None
    failure: str | None = None

    @property
    def predictions(self) -> list[Array] | None:
        """What the metric keeps of each fold's validation rows; None unless every fold of the stage has them."""
        if self.outcome is None:
            return None
        kept = [each for each in self.outcome.predictions if each is not None]
        return kept if len(kept) == len(self.outcome.predictions) else None


Numbered = tuple[int, Configuration]
"""A trial's number and its complete configuration."""


def run_block(setting: Setting, work: Work) -> list[Outcome]:
    """Train and score configurations of one shape together; this is what workers run.

    Raises
    ------
    OverdueError
        At the end of the first epoch after the block's time is up.

    """
    try:
        return evaluate(
            work.configurations,
            setting.folds[work.first : work.end],
            setting.problem,
            setting.metric,
            seed=setting.seed,
            dtype=setting.dtype,
            should_stop=time_is_up,
        )
    except StoppedError as error:
        raise OverdueError from error


def lanes_at_once(configuration: Configuration, setting: Setting) -> int:
    """Say how many lanes of a configuration's shape train fast together."""
    return block_lanes(configuration, setting.folds, setting.problem, setting.dtype)


def population_seconds(configuration: Configuration, setting: Setting, lanes: int | None) -> float:
    """Estimate the time that one configuration takes on all folds on one core (seconds).

    In the company of so many ``lanes``, itself included; None: of as many as train fast together.
    """
    return cost_seconds(configuration, setting.folds, setting.problem, setting.dtype, lanes=lanes)
