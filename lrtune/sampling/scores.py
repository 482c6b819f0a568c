"""What is known of the trials, one number each: fold effects removed, bad ones compressed, uncertainty attached."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from lrtune.arrays import Doubles
from lrtune.sampling.prior import DOUBT, Prior, aligned
from lrtune.space.trial import Trial, TrialState

_ENOUGH = 4  # trials known on two horizons that tell how much the gain of the longer one differs
_USUAL_NOISE = 1e-2  # of the better half's variance, where the folds do not tell


class Estimates(NamedTuple):
    """What is known of each trial, in the metric's own unit.

    Attributes
    ----------
    trials
        Those that say something (N): scored on some fold at least, if only on a shorter horizon, or known to fail.
    means
        Their scores without the effects of the folds (N,); ``-inf`` for what came to nothing.
    spread
        Noise variance of each, relative to that of a trial scored on all folds (N,).
    doubt
        Variance of what was guessed (N,).
    noise
        Noise variance of a trial scored on all folds, as its folds' disagreement suggests; None if it does not.

    """

    trials: tuple[Trial, ...]
    means: Doubles
    spread: Doubles
    doubt: Doubles
    noise: float | None


class Observations(NamedTuple):
    """Scores as a regression wants them.

    Attributes
    ----------
    trials
        Those that say something (N), as `Estimates` has them; then the points of earlier studies, with numbers below 0.
    values
        Their scores, standardised (N,); larger is better.
    spread
        Noise variance of each, relative to that of a trial scored on all folds (N,).
    noise
        Noise variance of a trial scored on all folds, as its folds' disagreement suggests; None if it does not.

    """

    trials: tuple[Trial, ...]
    values: Doubles
    spread: Doubles
    noise: float | None

    @property
    def is_own(self) -> np.ndarray:
        """Which of them are trials of this study (N,)."""
        return np.array([each.number >= 0 for each in self.trials], dtype=bool)


def observe(history: Sequence[Trial], prior: Prior = ()) -> Observations:
    """Make observations of the trials that are scored, the others are left out; and of what earlier studies know.

    What is known of both is put on one scale (`lrtune.sampling.prior`) and standardised together.
    """
    found = estimate(history)
    earlier = aligned(prior, [each.configuration for each in found.trials], found.means)
    values, scale = transformed(np.concatenate([found.means, *(each.scores for each in earlier)]))
    usual = _USUAL_NOISE * scale**2
    spread = found.spread + found.doubt / (found.noise or usual)
    spread[np.isneginf(found.means)] = 1.0
    doubts = [np.full(len(scores), DOUBT * scale**2 if doubt is None else doubt) for scores, doubt in earlier]
    vague = [1.0 + each / (found.noise or usual) for each in doubts]
    points = (point for study in prior for point in study.points)
    others = tuple(Trial(-number, point) for number, point in enumerate(points, 1))
    return Observations(
        (*found.trials, *others),
        values,
        np.concatenate([spread, *vague]),
        None if found.noise is None else found.noise / scale**2,
    )


def estimate(history: Sequence[Trial]) -> Estimates:
    """Say what is known of each trial that is scored, or came to nothing."""
    known = tuple(
        each for each in history if each.fold_scores or each.horizon_scores or each.state is TrialState.FAILED
    )
    table = _table(known)
    lost = np.array([_lost(each) for each in known], dtype=bool)
    means, noise, counts = _adjusted(table, lost)
    means, doubt = _lengthened(known, means, lost)
    lost |= np.isnan(means)
    spread = np.where(counts > 0, table.shape[1] / np.maximum(counts, 1), 1.0)
    whole = None if noise is None else noise / table.shape[1]
    return Estimates(known, np.where(lost, -np.inf, means), spread, doubt, whole)


def _lengthened(trials: Sequence[Trial], means: Doubles, lost: np.ndarray) -> tuple[Doubles, Doubles]:
    """Guess the scores of trials that are known on a shorter horizon only, and the variance of the guess (N,).

    The whole horizon adds what it added, in the middle, to the trials that are known on both; how much that differs
    among them is the doubt. As long as there are few of them, the scores on the short horizon differ by no more.
    """
    guessed, doubt = means.copy(), np.zeros(len(trials))
    short = [{shorter: _mean(scores) for shorter, scores in each.horizon_scores} for each in trials]
    for number, scores in enumerate(short):
        if not np.isnan(means[number]) or lost[number] or not scores:
            continue
        longest = min(scores)
        there = [other.get(longest, np.nan) for other in short]
        gains = np.array([mean - one for mean, one, bad in zip(means, there, lost, strict=True) if not bad])
        gains = gains[np.isfinite(gains)]
        guessed[number] = scores[longest] + (np.median(gains) if len(gains) else 0.0)
        doubt[number] = np.var(gains, ddof=1) if len(gains) >= _ENOUGH else np.nanvar(there)
    return guessed, doubt


def _mean(scores: Sequence[float | None]) -> float:
    return math.fsum(each for each in scores if each is not None) / len(scores) if all(map(_finite, scores)) else np.nan


def _lost(trial: Trial) -> bool:
    """Tell whether a trial came to nothing: failed, or not finite on a fold that it was run on."""
    if trial.state in (TrialState.FAILED, TrialState.DIVERGED):
        return True
    return trial.state is not TrialState.PRUNED and not all(map(_finite, trial.fold_scores))


def _finite(score: float | None) -> bool:
    return score is not None and math.isfinite(score)


def _table(trials: Sequence[Trial]) -> Doubles:
    """Write the finite scores into a table (N, K); NaN where there is none."""
    folds = max((len(each.fold_scores) for each in trials), default=0)
    table = np.full((len(trials), max(folds, 1)), np.nan)
    for row, trial in zip(table, trials, strict=True):
        for fold, score in enumerate(trial.fold_scores):
            if score is not None and math.isfinite(score):
                row[fold] = score
    return table


def _adjusted(table: Doubles, lost: np.ndarray) -> tuple[Doubles, float | None, Doubles]:
    """Estimate score = configuration + fold + noise by median polish (Tukey 1977), which bad trials cannot upset.

    Returns the configurations' scores (N,), the noise variance of one fold's score (None if unknown), and how many
    folds each has been scored on (N,).
    """
    counts = np.isfinite(table).sum(1)
    usable = (counts > 0) & ~lost
    folds = np.zeros(table.shape[1])
    scores = _means(table, folds)
    for _ in range(10):
        if not usable.any():
            break
        rest = table[usable] - scores[usable, None]
        folds = np.array([np.median(each[np.isfinite(each)]) if np.isfinite(each).any() else 0.0 for each in rest.T])
        folds -= folds.mean()
        scores = _means(table, folds)
    return scores, _noise(table - folds - scores[:, None], scores, usable & (counts > 1)), counts


def _means(table: Doubles, folds: Doubles) -> Doubles:
    finite = np.isfinite(table)
    total = np.where(finite, table - folds, 0.0).sum(1)
    return np.where(finite.any(1), total / np.maximum(finite.sum(1), 1), np.nan)


def _noise(residuals: Doubles, scores: Doubles, usable: np.ndarray) -> float | None:
    """Pool the variance that configurations show over folds, of the better half: the search takes place there."""
    if usable.sum() < 3:
        return None
    better = usable & (scores >= np.median(scores[usable]))
    kept = residuals[better]
    finite = np.isfinite(kept)
    freedom = (finite.sum(1) - 1).sum() - (kept.shape[1] - 1)
    return float((np.where(finite, kept, 0.0) ** 2).sum() / freedom) if freedom > 0 else None


def transformed(scores: Doubles) -> tuple[Doubles, float]:
    """Standardise scores so that the worse half cannot flatten the better one.

    Above the median of the finite ones, distances are kept; below it only ranks count, spread out as the lower half of
    a normal distribution (as in Song et al. 2024, "The Vizier Gaussian process bandit algorithm", section 3.1.1).
    ``-inf`` is a trial that came to nothing, and ranks below all others.

    Returns
    -------
    tuple[Doubles, float]
        The values (N,), and the number that distances in the better half were divided by.

    """
    finite = np.isfinite(scores)
    if not finite.any():
        return np.zeros(len(scores)), 1.0
    middle = float(np.median(scores[finite]))
    above = scores >= middle
    scale = float(np.sqrt(np.mean((scores[above] - middle) ** 2)))
    scale = scale if scale > 0 else 1.0
    values = np.where(above, (scores - middle) / scale, 0.0)
    ranks = ranks_of(scores) - 0.5
    values[~above] = ndtri(0.5 * ranks[~above] / max((~above).sum(), 1))
    return values, scale


def ranks_of(values: Doubles) -> Doubles:
    """Rank numbers (N,) from 1, equal ones by their mean rank; `scipy.stats.rankdata`, whose module takes long to load.

    >>> ranks_of(np.array([3.0, 1.0, 3.0, 2.0])).tolist()
    [3.5, 1.0, 3.5, 2.0]
    """
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    found: Doubles = (np.cumsum(counts) - 0.5 * (counts - 1))[places]
    return found
