"""What earlier studies of the same space know: noisy prior knowledge for what is searched now, and never its scores.

The rows are others, so that a whole study may score higher or lower. That is taken away as the effect of a fold is: by
the median difference to what is known already at the points that both have tried. What is left differs from point to
point, and is noise on top of that of the folds (`EXTRA`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from lrtune.arrays import Doubles
from lrtune.space.trial import Configuration, Value

EXTRA = 0.1
"""Variance that a score of an earlier study has on top of the noise of its folds, of the better half's variance.

A third of a deviation: on tables that grew by a fifth, ranks of good configurations move by about so much.
"""

Point: TypeAlias = frozenset[tuple[str, Value]]


class PriorStudy(NamedTuple):
    """What one earlier study knows.

    Attributes
    ----------
    points
        Of the space that is searched now (N).
    scores
        Their oriented means over the folds of that study (N); None for what came to nothing.

    """

    points: tuple[Configuration, ...]
    scores: tuple[float | None, ...]


Prior: TypeAlias = Sequence[PriorStudy]
"""Earlier studies, the most telling first."""


def point_of(configuration: Configuration) -> Point:
    """Name a point so that equal ones have equal names."""
    return frozenset(configuration.items())


def aligned(prior: Prior, points: Sequence[Configuration], means: Doubles) -> list[Doubles]:
    """Put the scores of earlier studies on the scale of what is known now, one study after the other.

    Where no point is common, the medians are put upon each other; where nothing is known, the first study has the say.

    Parameters
    ----------
    prior
        The earlier studies.
    points, means
        What is known now (M): scores that are not finite say nothing here.

    Returns
    -------
    list[Doubles]
        Of each study its scores (N,), ``-inf`` for what came to nothing.

    >>> before = PriorStudy(({"k": 1}, {"k": 2}, {"k": 3}), (0.5, 0.7, None))
    >>> aligned([before], [{"k": 2}], np.array([0.8]))
    [array([ 0.6,  0.8, -inf])]
    """
    pairs = zip(points, means.tolist(), strict=True)
    known = {point_of(point): mean for point, mean in pairs if np.isfinite(mean)}
    shifted = []
    for study in prior:
        scores = np.array([-np.inf if each is None else each for each in study.scores], dtype=np.float64)
        names = [point_of(each) for each in study.points]
        finite = np.isfinite(scores)
        common = [known[name] - score for name, score in zip(names, scores, strict=True) if name in known]
        common = [each for each in common if np.isfinite(each)]
        if common:
            scores = scores + np.median(common)
        elif known and finite.any():
            scores = scores + (np.median(list(known.values())) - np.median(scores[finite]))
        shifted.append(scores)
        for name, score in zip(names, scores.tolist(), strict=True):
            if np.isfinite(score):
                known.setdefault(name, score)
    return shifted
