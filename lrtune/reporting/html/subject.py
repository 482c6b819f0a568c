"""What a report is about: a run, what it came to so far, and what can be read beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from lrtune.reporting.html.predictions import OutOfFold, predicted
from lrtune.reporting.in_words import metric_name
from lrtune.run.folder import Run, open_run
from lrtune.text import formats
from lrtune.text.errors import LrtuneError
from lrtune.verdict.standing import larger_is_better, own_sign
from lrtune.verdict.stored import current

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.space.trial import Trial
    from lrtune.verdict.explanation import Explanation
    from lrtune.verdict.result import Result

FEWEST, MOST = 10, 300
"""Of fewer trials nothing can be told about dimensions, and of more it takes its time."""

WORTH = 2.0
"""Seconds of training beside which it is little to tell which dimensions mattered."""


@dataclass(frozen=True, eq=False)
class Subject:
    """What a report is about.

    Attributes
    ----------
    run
        The run as it is now.
    result
        What it came to so far; None while there is none, or where the trials are trained elsewhere.
    explanation
        Which dimensions mattered; None where that was not asked, or cannot be told.
    is_explained
        Whether it was asked.

    """

    run: Run
    result: Result | None
    explanation: Explanation | None = None
    is_explained: bool = False

    @property
    def state(self) -> str:
        """Of the run; it is finished once its result is written, also while the search that wrote it says so."""
        return self.run.state if self.run.written is None else "finished"

    @property
    def metric(self) -> str:
        """What trials are scored with."""
        return self.run.metric

    @property
    def larger_is_better(self) -> bool:
        """Whether more of it is better."""
        return larger_is_better(self.metric)

    @property
    def axis(self) -> str:
        """What an axis of scores is called."""
        return f"{metric_name(self.metric)} ({'higher' if self.larger_is_better else 'lower'} is better)"

    @cached_property
    def scored(self) -> list[Trial]:
        """The trials with a score on every fold, by number."""
        return [each for each in self.run.trials if each.mean is not None]

    @property
    def best(self) -> int:
        """The number of the best trial; needs one with a score."""
        return self.run.ranked[0].number if self.result is None else self.result.best.number

    @cached_property
    def predicted(self) -> OutOfFold | str:
        """What is predicted for rows that were not trained on, or why that is not known."""
        return predicted(self.run, self.result)

    @property
    def can_be_explained(self) -> bool:
        """Whether there are enough trials, and not too many, to tell which dimensions mattered."""
        return FEWEST <= len(self.run.ranked) <= MOST

    def why_unexplained(self) -> str:
        """Say why it is not known which dimensions mattered."""
        count = len(self.run.ranked)
        if count < FEWEST:
            return f"fewer than {FEWEST} trials are complete, of which nothing can be told."
        if not self.is_explained and self.can_be_explained:
            return "it takes a second or more to tell, which `lrtune report` takes, in the folder of the run with `.`."
        if count > MOST:
            return f"more than {MOST} trials are complete, for which `lrtune importance` takes its time."
        return "nothing was searched, or all trials have the same score."

    def own(self, trial: Trial) -> float:
        """Give the score of such a trial in the metric's own sign."""
        assert trial.mean is not None
        return own_sign(self.metric, trial.mean)

    def better(self, first: float, second: float) -> bool:
        """Tell whether a score is better than another one."""
        return first > second if self.larger_is_better else first < second

    @cached_property
    def show(self) -> Callable[[float | None], str]:
        """How scores are written: all of them alike."""
        found = self.result
        known = [] if found is None else [found.best.mean, found.default.mean, found.test.score if found.test else None]
        return formats.score_format(known or [self.own(each) for each in self.scored])

    @cached_property
    def edge(self) -> float:
        """The worst score that an axis shows: a few bad trials do not press all others into one line."""
        return edge([self.own(each) for each in self.scored], larger_is_better=self.larger_is_better)

    def until(self, values: Sequence[float]) -> list[float]:
        """Put scores that are worse than that at the edge."""
        return [max(each, self.edge) if self.larger_is_better else min(each, self.edge) for each in values]

    def beyond(self) -> str:
        """Say how many trials are at the edge."""
        count = sum(self.better(self.edge, self.own(each)) for each in self.scored)
        if not count:
            return ""
        if count == 1:
            return " One trial is worse than the axis goes: its mark is at the edge."
        return f" {formats.count(count)} trials are worse than the axis goes: their marks are at the edge."


def edge(values: Sequence[float], *, larger_is_better: bool) -> float:
    """Choose the worst score that an axis shows.

    >>> edge([0.0, 0.5, 0.75, 0.875, 1.0], larger_is_better=True)
    0.25
    """
    inner = np.quantile(values, 0.25 if larger_is_better else 0.75)
    best = max(values) if larger_is_better else min(values)
    found = float(inner + 0.5 * (inner - best))
    return max(found, min(values)) if larger_is_better else min(found, max(values))


def subject(folder: Path, *, explained: bool | None = None) -> Subject:
    """Read what a report is about from a folder; of a run that goes on, what there is so far.

    Parameters
    ----------
    folder
        Of the run.
    explained
        Whether to tell which dimensions mattered, which takes a second or more; None: if the trials took longer, by
        what they are expected to take, so that the answer is no matter of the clock.

    Raises
    ------
    StudyError
        If there is no study, it has not begun, or it is damaged.

    """
    run = open_run(folder)
    wanted = _is_worth(run) if explained is None else explained
    result = None if run.is_told or not run.ranked else current(run)
    return Subject(run, result, _explanation(run) if wanted else None, wanted)


def _is_worth(run: Run) -> bool:
    return run.written is not None and (run.study.header.trial_seconds or 0.0) * len(run.trials) >= WORTH


def _explanation(run: Run) -> Explanation | None:
    from lrtune.experiment.searched import searched
    from lrtune.verdict.explanation import explain

    if not FEWEST <= len(run.ranked) <= MOST:
        return None
    try:
        experiment = searched(run)
        return explain(experiment.space, run.trials, experiment.search.seed)
    except LrtuneError:  # the report has its other figures
        return None
