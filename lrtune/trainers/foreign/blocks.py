"""What workers run: the fits of a block, one after the other, and what comes of each configuration."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lrtune.engines.contract import FailedError
from lrtune.space.trial import Configuration
from lrtune.text.errors import encodable
from lrtune.trainers.at_work import Teller, telling
from lrtune.trainers.contract import Setting, Work
from lrtune.trainers.foreign.ending import Ending
from lrtune.trainers.foreign.fits import Asked, arrays_of, fitted
from lrtune.trainers.foreign.predictions import predicted, told_score
from lrtune.training.curves import over_folds, recorded_epochs
from lrtune.training.outcomes import Cell, cells, outcome_of
from lrtune.training.registry import ESTIMATOR
from lrtune.training.tasks import LaneCurves, Outcome

LOSS, TRAIN_LOSS = "loss", "train_loss"
"""Keys of reports that are learning curves: on the validation rows, and on those of training."""

_FIT = 1.0
_CALL, _CELLS_PER_SECOND = 0.01, 2e6
"""What a fit is taken for before one has been seen: seconds of a program, and of an estimator by cells of its table."""


def run(setting: Setting, work: Work) -> list[Outcome]:
    """Train and score configurations, one fit after the other.

    Raises
    ------
    FailedError
        With the reason, if a fit has no ending.
    OverdueError
        If the block's time is up.

    """
    numbers = work.numbers or range(len(work.configurations))
    folds = range(len(setting.folds))[work.first : work.end]
    with telling(setting, work) as teller:
        return [
            _outcome(setting, number, configuration, folds, teller)
            for number, configuration in zip(numbers, work.configurations, strict=True)
        ]


def _outcome(
    setting: Setting, number: int, configuration: Configuration, folds: Sequence[int], teller: Teller
) -> Outcome:
    found, endings = [], []
    for place in folds:
        fold = setting.folds[place]
        asked = Asked(place, configuration, number, fold.index + 1, fold.index)
        assert setting.foreign is not None
        ending = fitted(setting, asked, arrays_of(fold, setting.foreign, place)).ending
        try:
            found.append(_cell(setting, place, ending))
        except FailedError as error:
            raise FailedError(encodable(f"fold {asked.fold}: {error}")) from error
        endings.append(ending)
        teller.step(1.0 / len(folds))
    scales = tuple(each.scales for each in endings) if any(each.scales for each in endings) else ()
    return outcome_of(found, scales, _curves(endings))


def _cell(setting: Setting, place: int, ending: Ending) -> Cell:
    """Score what came of a fit; a loss that is no number is a training that diverged."""
    for each in ending.curve:
        if not math.isfinite(each.values.get(LOSS, 0.0)):
            return Cell(diverged=each.epoch)
    foreign, fold = setting.foreign, setting.folds[place]
    assert foreign is not None
    prediction = predicted(ending, len(fold.validation_targets), foreign, setting.metric)
    if prediction is not None:
        classes = setting.problem.classes
        (cell,) = cells(setting.metric, prediction.outputs, fold, classes, bare=prediction.is_bare)
        return cell
    found = told_score(ending.values, setting.metric)
    if not math.isfinite(found):
        return Cell(diverged=ending.curve[-1].epoch if ending.curve else 1)
    return Cell(found)


def _curves(endings: Sequence[Ending]) -> LaneCurves | None:
    """Sum up the learning curves of the folds, where all of them have one."""
    folds = [{each.epoch: each.values for each in ending.curve if LOSS in each.values} for ending in endings]
    common = sorted(set.intersection(*(set(each) for each in folds)))
    if not common:
        return None
    wanted = set(recorded_epochs(common[-1]))
    epochs = [each for each in common if each in wanted] or common[-1:]
    losses = [[[fold[each].get(key, math.nan) for each in epochs] for key in (TRAIN_LOSS, LOSS)] for fold in folds]
    return over_folds(epochs, np.array(losses))


def alone(configuration: Configuration) -> tuple[tuple[str, object], ...]:
    """Let every configuration be a block of its own."""
    return tuple(sorted(configuration.items(), key=lambda item: item[0]))


def lanes(_configuration: Configuration, _setting: Setting) -> int:
    """Train one configuration at a time."""
    return 1


def seconds(configuration: Configuration, setting: Setting, lanes: int | None) -> float:
    """Take a fit for about as long as such fits take; blocks that have been seen correct it."""
    del configuration, lanes
    if setting.trainer != ESTIMATOR:
        return _FIT * len(setting.folds)
    return sum(_CALL + each.features.size / _CELLS_PER_SECOND for each in setting.folds)
