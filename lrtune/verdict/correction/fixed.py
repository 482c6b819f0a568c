"""A mean of fixed configurations, or one alone, as what every resample's choice is compared with.

Nobody chose it on these rows, so that its scores on the rows that were not drawn are all there is to know of it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lrtune.arrays import Array, Doubles, Singles
from lrtune.training.metrics.scoring import kept, of_average, scorer, to_average
from lrtune.training.metrics.weighted import total
from lrtune.verdict.correction.evidence import Evidence, average


class Reigning(NamedTuple):
    """Numbers of the trials whose mean it is, and what they score together on the folds; oriented."""

    numbers: tuple[int, ...]
    score: float


class FixedMean:
    """The score of some configurations together on any rows."""

    def __init__(self, evidence: Evidence, reigning: Reigning) -> None:
        observed = evidence.observed
        assert observed is not None
        assert evidence.predictions is not None
        places = [evidence.place(each) for each in reigning.numbers]
        predicted = together(evidence.metric, evidence.predictions[places])
        folds = range(len(evidence.scores))
        bounds = [np.searchsorted(observed.folds, [fold, fold + 1]).tolist() for fold in folds]
        self.parts = [slice(start, end) for start, end in bounds]
        self.scorers = [
            scorer(evidence.metric, predicted[:, part], observed.targets[part], observed.classes)
            if part.start < part.stop
            else None
            for part in self.parts
        ]

    def __call__(self, weights: Singles) -> Doubles:
        """Score it with weighted rows (B, R): (B,), NaN where there is no score."""
        folds = np.full((len(weights), len(self.parts), 1), np.nan)
        sizes = np.zeros((len(weights), len(self.parts)))
        for fold, (part, score) in enumerate(zip(self.parts, self.scorers, strict=True)):
            if score is not None:
                own = weights[:, part]
                folds[:, fold], sizes[:, fold] = score(own), total(own)[:, 0] / np.float64(own.shape[1])
        return average(folds, sizes)[:, 0]


def together(metric: str, records: Array) -> Array:
    """Give what a metric keeps of the mean of some stored predictions (1, R, ...); of one as it was kept."""
    if len(records) == 1:
        return kept(metric, records)
    return of_average(metric, to_average(metric, records).mean(axis=0, keepdims=True))


def merged(evidence: Evidence, numbers: tuple[int, ...], scores: tuple[float, ...]) -> Evidence:
    """Make one candidate of some configurations, with what they score together on each fold: the first one's number."""
    predictions = evidence.predictions
    if predictions is not None:
        predictions = together(evidence.metric, predictions[[evidence.place(each) for each in numbers]])
    one = np.zeros(1, dtype=np.int64)
    return evidence._replace(
        numbers=one + numbers[0],
        scores=np.array(scores, dtype=np.float64)[:, None],
        order=one,
        predictions=predictions,
        ties=one,
    )
