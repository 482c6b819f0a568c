"""More seeds of what is delivered: what their mean is worth on the folds (``retrain.members``).

The first seed is that of the search, whose out-of-fold predictions are kept; the others are trained on the same folds.
It is a policy and no candidate: nothing is chosen by it, so that no score needs a correction for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import TypeAlias

import numpy as np

from lrtune.arrays import Array
from lrtune.run.bodies import Recipe, SeedScores
from lrtune.run.journal import Event
from lrtune.run.study import SEEDS
from lrtune.text.errors import StudyError
from lrtune.trainers.contract import Setting
from lrtune.training.metrics.scoring import has_labels, score_of_mean
from lrtune.tuning.session import Session
from lrtune.verdict.recorded import records

APART = 10**6
"""Between the numbers of the random streams of a fold in one copy and in the next."""


def seeded(session: Session, recipe: Recipe, workers: int | None) -> Iterator[Event]:
    """Score the mean of all seeds on the folds, unless that is known, there is one only, or the time is over."""
    known = session.study.seeds
    if recipe.seeds == 1 or (known is not None and known.recipe[:2] == recipe[:2]):
        return
    others = ((copied(session.setting, copy), copy) for copy in range(1, recipe.seeds))
    copies = [_recorded(session, recipe), *(_predictions(session, *each, recipe, workers) for each in others)]
    whole = [each for each in copies if each is not None]
    if len(whole) == len(copies):
        yield from session.record(
            [Event(SEEDS, SeedScores(recipe, mean_scores(session.setting, list(chain(*whole)))).body())]
        )


def copied(setting: Setting, copy: int) -> Setting:
    """Give the folds random streams of their own; those of copy 0 are those of the search."""
    return setting._replace(folds=tuple(replace(each, index=each.index + APART * copy) for each in setting.folds))


Kept: TypeAlias = list[list[Array]]


def _recorded(session: Session, recipe: Recipe) -> Kept | None:
    """Read what is kept of the trials themselves; None if that is not all, or lost."""
    seen = session.records.observed()
    if seen.share < 1.0:
        return None
    try:
        found = records(session.study, session.folder, [session.study.trials[each] for each in recipe.trials], seen)
    except (StudyError, OSError):
        return None
    if has_labels(found):
        return None
    ends = np.cumsum(seen.sizes)[:-1]
    return [np.split(each, ends) for each in found]


def _predictions(session: Session, setting: Setting, copy: int, recipe: Recipe, workers: int | None) -> Kept | None:
    """Train every trial of a recipe; what is kept of each, fold by fold. None if one is missing."""
    numbered = [(number, session.complete(session.study.trials[number])) for number in recipe.trials]
    blocks = session.trained(setting, numbered, workers, called=f"seed-{copy}")
    found = {each.number: each.predictions for block in blocks for each in block}
    kept = [each for number, _ in numbered if (each := found.get(number)) is not None]
    return kept if len(kept) == len(numbered) else None


def mean_scores(setting: Setting, members: Kept) -> tuple[float, ...]:
    """Score the mean of several predictions on each fold of a setting; what is kept of each, fold by fold."""
    metric, classes = setting.metric, setting.problem.classes
    return tuple(
        score_of_mean(metric, [each[place] for each in members], fold.validation_targets, classes)
        for place, fold in enumerate(setting.folds)
    )
