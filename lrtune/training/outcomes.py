"""What becomes of a lane, from its predictions on the validation rows; and of a configuration, from its lanes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from lrtune.arrays import Array, Doubles
from lrtune.training.metrics.scoring import beside, keep, predicted, recorded, score, whole
from lrtune.training.tasks import Fold, LaneCurves, Outcome


class Cell(NamedTuple):
    """What became of one lane.

    Attributes
    ----------
    score
        Oriented; None where it diverged.
    diverged
        The epoch at whose end it was found to be non-finite; else None.
    kept
        What is stored of its predictions (`lrtune.training.metrics.scoring.recorded`).
    beside
        Scores by other metrics; None where there is none.
    predicted
        How often it predicts each class; empty for regression.
    probabilities
        Of all classes, where what is stored does not tell them (`lrtune.training.metrics.scoring.whole`).

    """

    score: float | None = None
    diverged: int | None = None
    kept: Array | None = None
    beside: Mapping[str, float | None] = MappingProxyType({})
    predicted: tuple[int, ...] = ()
    probabilities: Array | None = None


def cells(metric: str, prediction: Doubles, fold: Fold, classes: int, *, bare: bool = False) -> list[Cell]:
    """Score predictions ``(C, O, M)`` for the validation rows of a fold, which may be in original units.

    Where they are ``bare`` labels, no metric that needs probabilities stands beside.
    """
    if not len(prediction):  # every lane diverged
        return []
    targets = fold.validation_targets
    scores = score(metric, keep(metric, prediction, targets), targets, classes)
    others = beside(prediction, targets, classes, bare=bare)
    counts = predicted(prediction, targets, classes).tolist() if classes else [()] * len(prediction)
    stored = recorded(metric, prediction, targets)
    shares = whole(metric, prediction)
    shown = [None] * len(prediction) if shares is None else shares
    return [
        Cell(float(scores[lane]), None, stored[lane], _of_lane(others, lane), tuple(counts[lane]), shown[lane])
        for lane in range(len(prediction))
    ]


def _of_lane(scores: Mapping[str, Doubles], lane: int) -> dict[str, float | None]:
    return {name: float(each[lane]) if np.isfinite(each[lane]) else None for name, each in scores.items()}


def outcome_of(
    folds: Sequence[Cell], scales: tuple[tuple[float, ...], ...] = (), curves: LaneCurves | None = None
) -> Outcome:
    """Put together what became of one configuration on each fold."""
    is_whole = all(each.diverged is None for each in folds)
    return Outcome(
        tuple(each.score for each in folds),
        tuple(each.diverged for each in folds),
        tuple(each.kept for each in folds),
        scales,
        curves,
        {name: tuple(each.beside[name] for each in folds) for name in folds[0].beside} if is_whole else {},
        tuple(map(sum, zip(*(each.predicted for each in folds), strict=True))) if is_whole else (),
        tuple(each.probabilities for each in folds),
    )
