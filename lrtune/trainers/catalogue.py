"""What can train: one entry for each trainer, which everything else reads."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import NamedTuple

from lrtune.model import Model
from lrtune.model.fitting import fit_model
from lrtune.space.trial import Configuration
from lrtune.trainers.population import (
    Setting,
    Work,
    lanes_at_once,
    population_seconds,
    run_block,
)
from lrtune.training.evaluate import shape_key
from lrtune.training.registry import BUILT_IN
from lrtune.training.tasks import Outcome


class Trainer(NamedTuple):
    """What trains and scores configurations, on the folds of a search and at its end.

    A configuration is complete, and its rates are those that its decay tabulates. The loop, samplers, races, the
    journal and all judges know a trainer by this alone.

    Attributes
    ----------
    name
        As ``trainer`` names it in an experiment.
    summary
        What it is, in a few words.
    run
        Trains and scores a block; importable by name, because workers import it. It asks `time_is_up` now and then and
        raises `OverdueError` if so. An outcome must not depend on the other configurations of its block.
    alike
        Configurations for which this is equal can share a block.
    lanes
        How many lanes, folds times configurations, a block should have at most.
    seconds
        The time that a configuration takes on all folds of a setting on one core, in the company of so many lanes,
        itself included; None: of as many as ``lanes`` says. An estimate, for plans and for the order of blocks.
    fit
        Trains a configuration on given rows, as `lrtune.model.fitting.fit_model` does.

    """

    name: str
    summary: str
    run: Callable[[Setting, Work], list[Outcome]]
    alike: Callable[[Configuration], Hashable]
    lanes: Callable[[Configuration, Setting], int]
    seconds: Callable[[Configuration, Setting, int | None], float]
    fit: Callable[..., Model]


_ENTRIES = (
    Trainer(
        BUILT_IN,
        "lrtune's own networks, all in lockstep",
        run=run_block,
        alike=shape_key,
        lanes=lanes_at_once,
        seconds=population_seconds,
        fit=fit_model,
    ),
)

TRAINERS: dict[str, Trainer] = {entry.name: entry for entry in _ENTRIES}
"""The trainers by name."""


def expected_seconds(configuration: Configuration, setting: Setting, *, lanes: int | None = None) -> float:
    """Estimate the time that one configuration takes on all folds on one core (seconds); see `Trainer.seconds`."""
    return TRAINERS[setting.trainer].seconds(configuration, setting, lanes)


def retraining_seconds(configuration: Configuration, setting: Setting, rows: int) -> float:
    """Estimate the time that one configuration takes alone on so many rows, on one core (seconds)."""
    largest = max(setting.folds, key=lambda fold: len(fold.features))
    alone = expected_seconds(configuration, setting._replace(folds=(largest,)), lanes=1)
    return alone * rows / len(largest.features)
