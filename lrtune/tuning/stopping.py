"""When a search is content, or has nothing to gain: rules over the trials of whole rounds. Scores are oriented."""

from __future__ import annotations

from collections.abc import Sequence

from lrtune.arrays import one_blas_thread
from lrtune.space import SearchSpace
from lrtune.space.trial import Trial, ranking

TARGET, NO_GAIN = "target", "no_gain"


def is_reached(trials: Sequence[Trial], target: float) -> bool:
    """Tell whether the best complete trial is as good as an oriented score."""
    ranked = ranking(trials)
    return bool(ranked) and ranked[0].mean is not None and ranked[0].mean >= target


def has_no_gain(space: SearchSpace, trials: Sequence[Trial], *, min_trials: int, rows_ratio: float, seed: int) -> bool:
    """Tell whether the search can stop because nothing is left to gain (`lrtune.sampling.regret`).

    Parameters
    ----------
    space, trials, seed
        Of the study.
    min_trials
        With fewer the question is not asked.
    rows_ratio
        Validation rows over training rows of a fold.

    """
    if len(trials) < min_trials or not ranking(trials):
        return False
    from lrtune.sampling.regret import is_below_noise

    with one_blas_thread():  # two threads round differently: another decision
        return is_below_noise(space, trials, rows_ratio=rows_ratio, seed=seed)
