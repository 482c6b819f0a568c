"""Means of the best configurations as candidates of a choice that is repeated on resamples.

A resample ranks the configurations anew and averages the first of its own ranking, so that the luck of the members, of
their number and of there being a mean at all is repeated. With the signs of `lrtune.verdict.correction.core`, and ``M``
for the mean of the first ``n`` in resample ``b``::

    s(M)  = score of the averaged predictions on all rows, moved by what recorded scores differ from those of kept rows
    in(M), out(M)                  the same on the rows that were drawn, and on the others
    s(M) + r * (in_b(M) - in(M))   what the choice goes by
    out_b(M) - mean of out(M)      what is left of it: the mean is taken to lie beside ``in(M)`` as those of its members
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lrtune.arrays import Array, Doubles, Integers, Singles
from lrtune.training.metrics.scoring import of_average, scorer, to_average
from lrtune.training.metrics.weighted import total
from lrtune.verdict.correction.evidence import Evidence, average

MOST_MEMBERS = 64
"""How many of the best complete configurations a resample can take its members from."""

_TOGETHER = 8  # resamples whose means are scored by one product: it is wasteful, and still faster than a loop

_SECONDS = 2.5e-8
"""Of one core, for each number of each row of each resample; like those of `effort` found once."""


class Averages(NamedTuple):
    """Of how many configurations a mean may be chosen, and whether a configuration may be chosen alone."""

    sizes: tuple[int, ...]
    alone: bool = True

    def seconds(self, predictions: Array) -> float:
        """Say what a row of a resample takes on one core, where so many numbers are kept of each (C, R, ...)."""
        return _SECONDS * math.prod(predictions.shape[2:])


class DeliveredMean(NamedTuple):
    """The mean that was delivered: of how many configurations, and its score on the folds."""

    size: int
    score: float


class Resampled(NamedTuple):
    """The means of each resample: members by rank (B, N), and scores (B, S) on all, drawn and other rows."""

    members: Integers
    whole: Doubles
    inside: Doubles
    outside: Doubles


def over_members(values: Doubles, members: Integers, sizes: tuple[int, ...]) -> Doubles:
    """Average a number of each configuration (C,) over the first members of each mean (B, S)."""
    found = values[members]
    return np.stack([found[:, :size].mean(axis=1) for size in sizes], axis=1)


class Averaging:
    """The means of a ranking, scored on any rows."""

    def __init__(self, evidence: Evidence, averages: Averages) -> None:
        assert evidence.predictions is not None
        self.evidence, self.sizes = evidence, averages.sizes
        self.columns = _members(evidence)
        parts = [to_average(evidence.metric, evidence.predictions[each]) for each in self.columns]
        self.tables = np.stack([each.astype(np.float32) for each in parts])

    def __call__(self, values: Doubles, drawn: Singles) -> Resampled:
        """Average the first by their values (B, C), and score the means; ``drawn`` (B, R) counts the rows.

        Where fewer than a size are left (the others are ``-inf``), that mean has no score.
        """
        own = values[:, self.columns]
        order = np.argsort(-own, axis=1, kind="stable")[:, : self.sizes[-1]]
        parts = [
            self._scored(order[start : start + _TOGETHER], drawn[start : start + _TOGETHER])
            for start in range(0, len(values), _TOGETHER)
        ]
        whole, inside, outside = (np.concatenate(each) for each in zip(*parts, strict=True))
        too_few = np.isfinite(own).sum(axis=1)[:, None] < np.array(self.sizes)
        return Resampled(self.columns[order], whole, np.where(too_few, -np.inf, inside), outside)

    def _scored(self, order: Integers, drawn: Singles) -> tuple[Doubles, Doubles, Doubles]:
        observed, metric, count = self.evidence.observed, self.evidence.metric, len(order)
        assert observed is not None
        means = np.stack([self.tables[order[:, :size]].mean(axis=1) for size in self.sizes], axis=1)
        predicted = of_average(metric, means.reshape(count * len(self.sizes), *means.shape[2:]))
        weights = np.concatenate([np.ones((1, drawn.shape[1]), np.float32), drawn, (drawn == 0).astype(np.float32)])
        folds = np.full((len(weights), len(self.evidence.scores), len(predicted)), np.nan)
        shares = np.zeros(folds.shape[:2])
        for fold in range(folds.shape[1]):
            start, end = np.searchsorted(observed.folds, [fold, fold + 1])
            if start < end:
                part = weights[:, start:end]
                score = scorer(metric, predicted[:, start:end], observed.targets[start:end], observed.classes)
                folds[:, fold], shares[:, fold] = score(part), total(part)[:, 0] / (end - start)
        scores = average(folds, shares).reshape(len(weights), count, len(self.sizes))
        own = np.arange(count)
        return scores[0], scores[1 + own, own], scores[1 + count + own, own]


def _members(evidence: Evidence) -> Array:
    """Find the configurations that a mean can have, in the order in which equal ones are ranked."""
    means = np.where(evidence.complete, evidence.means, -np.inf)
    ties = np.arange(len(means)) if evidence.ties is None else evidence.ties
    best = np.lexsort((ties, -means))[:MOST_MEMBERS]
    best = best[np.isfinite(means[best])]
    return np.asarray(best[np.argsort(ties[best], kind="stable")])
