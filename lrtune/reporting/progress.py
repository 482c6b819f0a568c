"""How far a search is, counted from its events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lrtune.reporting.in_words import metric_name
from lrtune.reporting.terminal_plots import sparkline
from lrtune.space.trial import TrialState, ranking
from lrtune.text import formats
from lrtune.verdict.standing import own_sign

if TYPE_CHECKING:
    from lrtune.run.bodies import Body
    from lrtune.run.study import StudyState
    from lrtune.space.trial import Trial

OTHER_ENDS = (TrialState.PRUNED, TrialState.DIVERGED, TrialState.FAILED)
"""Ends of a trial that are worth a word of their own."""

COLUMNS = 12
"""Width of the picture of the best score."""


class Tally:
    """Counts as events go by, so that an event of a long study costs no more than one of a short study.

    Parameters
    ----------
    metric
        What trials are scored with.
    total
        Number of trials planned.

    """

    def __init__(self, metric: str, total: int) -> None:
        self.metric = metric
        self.total = total
        self.best: Trial | None = None
        self.bests: list[float] = []
        self._states: dict[int, TrialState] = {}
        self._counts: Counter[TrialState] = Counter()
        self._seconds = 0.0
        self._proposed = 0
        self._begun: dict[int, int] = {}

    def see(self, body: Body, study: StudyState) -> None:
        """Take the body of an event into account; the study has already done so."""
        self._seconds, self._proposed = study.search_seconds, len(study.trials)
        self.total = max(self.total, study.asked)
        trial = study.trials.get(body.get("trial", -1))
        if trial is None:
            return
        if trial.state is not TrialState.PROPOSED:
            self._begun.pop(trial.number, None)
            self._end(trial)
        elif trial.fold_scores:
            self._begun[trial.number] = len(trial.fold_scores)

    def _end(self, trial: Trial) -> None:
        before = self._states.get(trial.number)
        if before is not None:
            self._counts[before] -= 1
        self._states[trial.number] = trial.state
        self._counts[trial.state] += 1
        if trial.mean is not None and (self.best is None or ranking([trial, self.best])[0] is trial):
            self.best = trial
        if self.best is not None and self.best.mean is not None and before is None:
            self.bests.append(self.best.mean)

    @property
    def ended(self) -> int:
        """Number of trials that are over."""
        return len(self._states)

    @property
    def running(self) -> int:
        """Number of trials that have been proposed and are not over."""
        return max(0, self._proposed - self.ended)

    def done(self, in_hand: float) -> float:
        """Count the trials' worth of training that is done, no more than there is to do.

        Parameters
        ----------
        in_hand
            What of it is in blocks that train right now (`lrtune.run.at_work.in_hand`).

        """
        folds = 0 if self.best is None else len(self.best.fold_scores)
        begun = sum(self._begun.values()) / folds if folds else 0.0
        return min(float(self._most()), self.ended + min(begun + in_hand, float(self.running)))

    @property
    def round_is_over(self) -> bool:
        """Whether everything that was proposed is over."""
        return 0 < self.ended == self._proposed

    def count(self, state: TrialState) -> int:
        """Count the trials that ended like this."""
        return self._counts[state]

    def seconds_left(self) -> float | None:
        """Estimate the search time left, in seconds, from the pace so far; None before the first trial has ended."""
        if not self._states:
            return None
        return self._seconds / self.ended * max(0, self.total - self.ended)

    def text(self) -> str:
        """Say it in one line.

        >>> Tally("accuracy", 50).text()
        '0 of 50 trials'
        """
        parts = (
            f"{formats.count(self.ended)} of {formats.plural(self._most(), 'trial')}",
            *self._others(),
            *self._best(),
        )
        return " · ".join(parts) + ("" if self.best is None else f" (trial {self.best.number})")

    def short(self) -> str:
        """Say it in half a line, beside a bar.

        >>> Tally("accuracy", 50).short()
        '0/50'
        """
        ended = f"{formats.count(self.ended)}/{formats.count(self._most())}"
        return " · ".join((ended, *self._best(), *self._others()))  # of a narrow line the end is cut off

    def _most(self) -> int:
        return max(self.total, self.ended)  # a finished study may be larger than what is asked for now

    def _others(self) -> Iterator[str]:
        if self.running:
            yield f"{formats.count(self.running)} running"
        yield from (f"{formats.count(self.count(each))} {each}" for each in OTHER_ENDS if self.count(each))

    def _best(self) -> Iterator[str]:
        if self.best is not None:
            mean = own_sign(self.metric, self.best.mean)
            yield f"best {metric_name(self.metric)} {formats.score_format([mean])(mean)}"


def climb(bests: Sequence[float], columns: int = COLUMNS) -> str:
    """Draw how the best score rose, from the first one at the bottom to the last one at the top.

    >>> climb([0.5, 0.5, 0.7, 0.9])
    '▁▁▄█'
    >>> climb([0.5]), climb([0.5, 0.5])
    ('', '')
    """
    if not bests or bests[0] == bests[-1]:
        return ""
    count = min(columns, len(bests))
    shown = [bests[place * (len(bests) - 1) // max(1, count - 1)] for place in range(count)]
    # The lowest bar rather than none: an empty place would look like a gap.
    return "".join(sparkline([max((each - bests[0]) / (bests[-1] - bests[0]), 0.07)], top=1.0) for each in shown)
