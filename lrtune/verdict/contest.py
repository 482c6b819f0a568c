"""Champion against challenger: whether tonight's best is better than what was delivered before, on the same folds.

The challenger was picked for being the best, which flatters it; the champion was picked on another night. So the gain
is corrected as the score is (`lrtune.verdict.correction`): the whole choice is repeated in each resample of the rows,
and what it chose is compared with the champion on the rows that were not drawn. Where only fold scores are known, the
optimism of the choice is taken off their mean difference.

The rows do not tell the luck of training: the model of a fold is one draw, and all rows of the fold share it. What
``J`` folds tell, ``s^2 / J`` of their differences, holds it, but with ``J - 1`` degrees of freedom; so it is pooled
with what is known before (`lrtune.nights.luck`), and the interval is stretched about its mean. On folds of other seeds
the same differences of real searches spread by ``s / sqrt(J)``; the factor for training rows that folds share
(`lrtune.verdict.comparison`) is about tables of other rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lrtune.nights.drift import NORMAL
from lrtune.nights.history import UNTRIED
from lrtune.nights.luck import Luck, pooled
from lrtune.nights.promotion import is_promoted
from lrtune.space.trial import ranking
from lrtune.text.errors import StudyError
from lrtune.verdict.comparison import Gain, difference, t_quantile
from lrtune.verdict.ensembles import Delivery, scores_inside
from lrtune.verdict.student import cdf

if TYPE_CHECKING:
    from lrtune.run.study import StudyState
    from lrtune.space.trial import Trial
    from lrtune.verdict.correction import Correction

PROMOTED, KEPT, SAME, WITHOUT_SCORE = "promoted", "kept", "same", "without_score"
"""What became of the champion: a challenger took its place, or is not better enough; it is tonight's best itself; it
has no score on every fold of tonight, so that whoever has one takes its place."""


class Contest(NamedTuple):
    """A champion and its challenger; oriented.

    Attributes
    ----------
    outcome
        One of `PROMOTED`, `KEPT`, `SAME`, `WITHOUT_SCORE` and `UNTRIED`.
    champion, challenger
        Numbers of the trials whose mean each is.
    standing
        The champion's score tonight, which did not elect it, and its interval; None where it has none.
    gain
        Of the challenger over the champion, without the luck of the choice, and with that of training in its interval;
        None where they are the same, or the champion has no score.
    rows
        Whether the gain is from the rows, or from the scores of the folds alone.

    """

    outcome: str
    champion: tuple[int, ...]
    challenger: tuple[int, ...]
    standing: Correction | None
    gain: Gain | None
    rows: bool = True

    @property
    def is_kept(self) -> bool:
        """Whether the champion stays, and is what is delivered."""
        return self.outcome in (KEPT, SAME)


def champion_of(study: StudyState, folder: Path) -> Delivery | None:
    """Find what the champion scores tonight; None where a trial of it has no score on every fold.

    Of a mean whose predictions are not kept, its best trial stands for it.
    """
    trials = [study.trials[each] for each in champion_trials(study)]
    members = tuple(each.number for each in ranking(trials))
    if not members or len(members) < len(trials):
        return None
    try:
        return Delivery(members, scores_inside(study, folder, members))
    except (StudyError, OSError):
        return Delivery(members[:1], scores_inside(study, folder, members[:1]))


def champion_trials(study: StudyState) -> tuple[int, ...]:
    """List the trials of the champion that drift and gain are about."""
    return tuple(each.number for each in study.in_order() if each.champion == 0)


def contested(
    champion: Delivery | None,
    trials: Sequence[Trial],
    challenger: Delivery,
    *,
    standing: Correction | None,
    correction: Correction,
    rows_ratio: float | None,
    least: float,
) -> Contest:
    """Decide who is delivered.

    Parameters
    ----------
    champion
        What it scores tonight.
    trials
        Those of the champion, also if it has no score: one that has not been trained in time keeps its place.
    challenger
        Tonight's best.
    standing
        Correction of the champion's score, among which nobody has chosen.
    correction
        Of the challenger's score, with its gain over the champion if the rows tell it.
    rows_ratio
        Validation rows over training rows of a fold.
    least
        What the gain must be above (``retrain.promote_if``).

    """
    if champion is None:
        outcome = WITHOUT_SCORE if all(each.is_over for each in trials) else UNTRIED
        return Contest(outcome, tuple(each.number for each in trials), challenger.numbers, None, None)
    if set(champion.numbers) == set(challenger.numbers):
        return Contest(SAME, champion.numbers, challenger.numbers, standing, None)
    by_rows = correction.over_champion
    if by_rows is None:
        gain = _by_folds(champion, challenger, correction, rows_ratio)
    else:
        gain = _widened(by_rows, champion, challenger)
    promoted = gain is not None and is_promoted(gain.low, least)
    outcome = PROMOTED if promoted else KEPT
    return Contest(outcome, champion.numbers, challenger.numbers, standing, gain, rows=by_rows is not None)


def _widened(gain: Gain, champion: Delivery, challenger: Delivery) -> Gain:
    """Stretch an interval that the rows gave by the luck of training, as far as the folds and earlier tables tell."""
    by_rows = ((gain.high - gain.low) / (2.0 * NORMAL)) ** 2
    if by_rows == 0.0:
        return gain
    found = difference(challenger.scores, champion.scores, rows_ratio=0.0)
    seen = [Luck(found.error**2 / by_rows, found.folds - 1)] if found and found.error is not None else []
    luck = pooled(seen)
    factor = math.sqrt(luck.ratio) * t_quantile(luck.freedom) / NORMAL
    probability = cdf(gain.mean / math.sqrt(by_rows * luck.ratio), luck.freedom)
    low, high = (gain.mean + factor * (end - gain.mean) for end in (gain.low, gain.high))
    return Gain(gain.mean, low, high, probability)


def _by_folds(
    champion: Delivery, challenger: Delivery, correction: Correction, rows_ratio: float | None
) -> Gain | None:
    """Take the optimism of the choice off the mean difference of the folds; None for a single fold."""
    found = difference(challenger.scores, champion.scores, rows_ratio)
    if found is None or found.error is None or found.probability is None:
        return None
    mean, half = found.mean - max(correction.optimism, 0.0), t_quantile(found.folds - 1) * found.error
    return Gain(mean, mean - half, mean + half, found.probability)
