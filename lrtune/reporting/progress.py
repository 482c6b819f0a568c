"""How far a search is, counted from its events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lrtune.reporting import formats, tables
from lrtune.trial import TrialState

if TYPE_CHECKING:
    from lrtune.study import Study
    from lrtune.trial import Trial


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
        self._states: dict[int, TrialState] = {}
        self._counts: Counter[TrialState] = Counter()
        self._seconds = 0.0

    def see(self, body: Mapping[str, Any], study: Study) -> None:
        """Take the body of an event into account; the study has already done so."""
        trial = study.trials.get(body.get("trial", -1))
        self._seconds = study.search_seconds
        if trial is None or trial.state is TrialState.PROPOSED:
            return
        before = self._states.get(trial.number)
        if before is not None:
            self._counts[before] -= 1
        self._states[trial.number] = trial.state
        self._counts[trial.state] += 1
        if trial.mean is not None and (self.best is None or _is_better(trial, self.best)):
            self.best = trial

    @property
    def ended(self) -> int:
        """Number of trials that are over."""
        return len(self._states)

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
        total = max(self.total, self.ended)  # a finished study may be larger than what is asked for now
        parts = [f"{formats.count(self.ended)} of {formats.plural(total, 'trial')}"]
        if self.best is not None:
            mean = tables.own_sign(self.metric, self.best.mean)
            parts.append(f"best {self.metric} {formats.score_format([mean])(mean)} (trial {self.best.number})")
        others = {state: self.count(state) for state in (TrialState.PRUNED, TrialState.DIVERGED, TrialState.FAILED)}
        return " · ".join([*parts, *(f"{formats.count(number)} {state}" for state, number in others.items() if number)])


def _is_better(trial: Trial, other: Trial) -> bool:
    assert trial.mean is not None
    assert other.mean is not None
    return (trial.mean, -trial.number) > (other.mean, -other.number)
