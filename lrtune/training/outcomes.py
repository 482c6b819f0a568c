"""What becomes of a lane, from its predictions on the validation rows; and of a configuration, from its lanes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from lrtune.arrays import Array, Doubles
from lrtune.training.metrics.catalogue import METRICS, Kept
from lrtune.training.metrics.scoring import counted, keep_as, recorded, score, shown_beside, whole
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
    return cells_of(metric, [prediction], fold, classes, bare=bare) if len(prediction) else []


def cells_of(
    metric: str, predictions: Iterable[Doubles], fold: Fold, classes: int, *, bare: bool = False
) -> list[Cell]:
    """Score predictions that come some rows at a time, each ``(C, O, m)``; what `cells` gives of all rows at once."""
    targets, start = fold.validation_targets, 0
    others = shown_beside(classes, bare=bare)
    needed: set[Kept] = {METRICS[each].keeps for each in (metric, *others)}
    if classes:
        needed.add("label")
    parts: dict[Kept, list[Array]] = {each: [] for each in needed}
    stored, shares = [], []
    for prediction in predictions:
        own = targets[start : start + prediction.shape[-1]]
        start += len(own)
        for each, found in parts.items():
            found.append(keep_as(each, prediction, own))
        stored.append(recorded(metric, prediction, own, len(targets)))
        shares.append(whole(metric, prediction, len(targets)))
    kept = {each: _joined(parts.pop(each)) for each in needed}  # one by one, and nothing stays twice
    scores = score(metric, kept[METRICS[metric].keeps], targets, classes)
    beside = {name: score(name, kept[METRICS[name].keeps], targets, classes) for name in others}
    counts = counted(kept["label"], classes).tolist() if classes else [()] * len(scores)
    records = _joined(stored)
    known = [each for each in shares if each is not None]
    probabilities = _joined(known) if known else [None] * len(scores)
    return [
        Cell(float(score), None, records[lane], _of_lane(beside, lane), tuple(counts[lane]), probabilities[lane])
        for lane, score in enumerate(scores)
    ]


def _joined(parts: Sequence[Array]) -> Array:
    """Put pieces of rows together, which are the second axis."""
    return np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]


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
