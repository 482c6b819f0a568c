"""What earlier studies of the same space know: noisy prior knowledge for what is searched now, and never its scores.

The rows are others, so that a whole study may score higher or lower. That is taken away as the effect of a fold is: by
the median difference to what is known already at the points that both have tried. How much the differences scatter
around it is the doubt in every score of that study, on top of the noise of the folds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from lrtune.arrays import Doubles
from lrtune.space.trial import Configuration, Value

DOUBT = 0.1
"""Variance of that doubt where too few points are common to tell, of the better half's variance."""

_ENOUGH = 5
"""Points in common that tell it."""

_NORMAL = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""

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


class Aligned(NamedTuple):
    """An earlier study on the scale of what is known now.

    Attributes
    ----------
    scores
        Of its points (N,); ``-inf`` for what came to nothing.
    doubt
        Variance of what they differ by from the scores that the points would have now; None if too little is common.

    """

    scores: Doubles
    doubt: float | None


def aligned(prior: Prior, points: Sequence[Configuration], means: Doubles) -> list[Aligned]:
    """Put the scores of earlier studies on the scale of what is known now, one study after the other.

    Where no point is common, the medians are put upon each other; where nothing is known, the first study has the say.

    Parameters
    ----------
    prior
        The earlier studies.
    points, means
        What is known now (M): scores that are not finite say nothing here.

    >>> before = PriorStudy(({"k": 1}, {"k": 2}, {"k": 3}), (0.5, 0.7, None))
    >>> aligned([before], [{"k": 2}], np.array([0.8]))
    [Aligned(scores=array([ 0.6,  0.8, -inf]), doubt=None)]
    """
    pairs = zip(points, means.tolist(), strict=True)
    known = {point_of(point): mean for point, mean in pairs if np.isfinite(mean)}
    found = []
    for study in prior:
        scores = np.array([-np.inf if each is None else each for each in study.scores], dtype=np.float64)
        names = [point_of(each) for each in study.points]
        scored = [place for place, score in enumerate(scores) if np.isfinite(score)]
        differences = np.array([known[names[place]] - scores[place] for place in scored if names[place] in known])
        if len(differences):
            shift = float(np.median(differences))
        else:
            shift = float(np.median([*known.values()]) - np.median(scores[scored])) if known and scored else 0.0
        scores = scores + shift
        enough = len(differences) >= _ENOUGH
        doubt = float(_NORMAL * np.median(np.abs(differences - shift))) ** 2 if enough else None
        found.append(Aligned(scores, doubt))
        for place in scored:
            known.setdefault(names[place], float(scores[place]))
    return found
