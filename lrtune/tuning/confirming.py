"""How the first trials of the ranking are scored again: on what, and what is written down of it."""

from __future__ import annotations

from lrtune.arrays import CONFIRMATION
from lrtune.experiment import Experiment
from lrtune.run.bodies import Body
from lrtune.trainers.contract import Evaluated, Setting
from lrtune.trainers.partition import fresh_folds, fresh_seed
from lrtune.trainers.preparation import Prepared, encoded_folds


def fresh_setting(
    experiment: Experiment, prepared: Prepared, purpose: int = CONFIRMATION, *, folds: int | None = None
) -> Setting:
    """Split and encode the training rows anew, once, with a seed of its own.

    Parameters
    ----------
    experiment, prepared
        What is searched, and on what.
    purpose
        Of the stream that the seed comes from.
    folds
        How many of the folds, the first ones, or of those in the order of time the last; default: all.

    """
    part = fresh_folds(experiment, prepared.dataset, prepared.metric, purpose=purpose)
    kept = slice(-(folds or 0), None) if prepared.is_in_order else slice(folds)  # of time, those with the longest past
    part = part._replace(splits=part.splits[kept], numbers=part.numbers[kept])
    encoded = encoded_folds(experiment, prepared.dataset, part)
    setting = prepared.setting._replace(folds=encoded, seed=fresh_seed(experiment, purpose))
    if setting.foreign is None:
        return setting
    return setting._replace(foreign=setting.foreign._replace(rows=part.splits))


def body(evaluated: Evaluated) -> Body:
    """Write down what fresh splits and seeds say of a trial."""
    if evaluated.outcome is None:
        return {"trial": evaluated.number, "scores": [], "diverged": [], "reason": evaluated.failure}
    outcome = evaluated.outcome
    return {"trial": evaluated.number, "scores": list(outcome.scores), "diverged": list(outcome.diverged)}
