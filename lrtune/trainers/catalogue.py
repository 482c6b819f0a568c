"""What can train: one entry for each trainer, which everything else reads."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import NamedTuple

from lrtune.model import Model
from lrtune.space.trial import Configuration, Value
from lrtune.trainers.contract import Retraining, Setting, Work
from lrtune.trainers.foreign import blocks, retraining
from lrtune.trainers.foreign.fits import KEEPER
from lrtune.trainers.population import block_bytes, fit, lanes_at_once, population_seconds, run_block
from lrtune.training.evaluate import shape_key
from lrtune.training.registry import BUILT_IN, COMMAND, ESTIMATOR, FUNCTION
from lrtune.training.tasks import Outcome


class Described(NamedTuple):
    """What a trainer says before anything is trained.

    Attributes
    ----------
    defaults
        Values of its default configuration, as far as the experiment does not say them.
    wrong
        What is wrong, each with the parameter that it is about, or an empty text.

    """

    defaults: Mapping[str, Value] = {}
    wrong: Sequence[tuple[str, str]] = ()


def _nothing(_setting: Setting, _names: Sequence[str], _default: Configuration) -> Described:
    return Described()


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
        Trains a configuration on given rows.
    describe
        Looks at what is trained, which may run code of the experiment, before anything is: ``(setting, names of
        parameters, default configuration)``.
    close
        Ends what still runs in this process.
    memory
        Bytes of a block of such configurations beside the arrays of the folds; what code of somebody else takes, nobody
        knows.
    is_foreign
        Whether it is code of somebody else: it has no virtual clock, a fit may fail for reasons of its own, and fits
        run one after the other.

    """

    name: str
    summary: str
    run: Callable[[Setting, Work], list[Outcome]]
    alike: Callable[[Configuration], Hashable]
    lanes: Callable[[Configuration, Setting], int]
    seconds: Callable[[Configuration, Setting, int | None], float]
    fit: Callable[[Retraining], Model]
    describe: Callable[[Setting, Sequence[str], Configuration], Described] = _nothing
    close: Callable[[], None] = lambda: None
    memory: Callable[[Configuration, Setting], float] = lambda _configuration, _setting: 0.0
    is_foreign: bool = False


def _describe(setting: Setting, names: Sequence[str], default: Configuration) -> Described:
    return Described(*retraining.described(setting, names, default))


def _foreign(name: str, summary: str) -> Trainer:
    return Trainer(
        name,
        summary,
        run=blocks.run,
        alike=blocks.alone,
        lanes=blocks.lanes,
        seconds=blocks.seconds,
        fit=retraining.fit,
        describe=_describe,
        close=KEEPER.close,
        is_foreign=True,
    )


_ENTRIES = (
    Trainer(
        BUILT_IN,
        "lrtune's own networks, all in lockstep",
        run=run_block,
        alike=shape_key,
        lanes=lanes_at_once,
        seconds=population_seconds,
        fit=fit,
        memory=block_bytes,
    ),
    _foreign(
        ESTIMATOR, "an estimator of scikit-learn or a relative of one, or a pipeline: {estimator: sklearn.svm.SVC}"
    ),
    _foreign(FUNCTION, "a Python function: train.py:train"),
    _foreign(COMMAND, 'any program: {command: "python train.py --rate {learning_rate}"}'),
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
