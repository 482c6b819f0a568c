"""What a report is about: a run, what it came to so far, and what can be read beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from lrtune.reporting.html.predictions import OutOfFold, predicted
from lrtune.reporting.in_words import metric_name
from lrtune.run.folder import Run, open_run
from lrtune.text import formats
from lrtune.text.errors import LrtuneError
from lrtune.text.formats import Show
from lrtune.verdict.standing import larger_is_better, own_sign
from lrtune.verdict.stored import current

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.space.trial import Trial
    from lrtune.verdict.explanation import Explanation
    from lrtune.verdict.result import Result

UNFINISHED = "it is told when the search is finished."
"""Why it is not known which dimensions mattered: while trials come it would take a part of a second each time."""


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
        Which dimensions mattered, or why that is not known.

    """

    run: Run
    result: Result | None
    explanation: Explanation | str

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

    def own(self, trial: Trial) -> float:
        """Give the score of such a trial in the metric's own sign."""
        return self._own[trial.number]

    @cached_property
    def _own(self) -> dict[int, float]:
        """These scores by the number of the trial: each is asked for ten times, and every figure asks for all."""
        return {each.number: own_sign(self.metric, each.mean) for each in self.scored if each.mean is not None}

    def better(self, first: float, second: float) -> bool:
        """Tell whether a score is better than another one."""
        return first > second if self.larger_is_better else first < second

    @cached_property
    def show(self) -> Show:
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


def subject(
    folder: Path, *, explained: bool | None = None, run: Run | None = None, result: Result | None = None
) -> Subject:
    """Read what a report is about from a folder; of a run that goes on, what there is so far.

    Parameters
    ----------
    folder
        Of the run.
    explained
        Whether to tell which dimensions mattered; None: of a run that is finished.
    run, result
        What the folder says, and what it came to, if that is known already: reading it takes its time.

    Raises
    ------
    StudyError
        If there is no study, it has not begun, or it is damaged.

    """
    run = run or open_run(folder)
    wanted = run.written is not None if explained is None else explained
    if result is None and not run.is_told and run.ranked:
        result = current(run)
    return Subject(run, result, _explanation(run) if wanted else UNFINISHED)


def _explanation(run: Run) -> Explanation | str:
    from lrtune.experiment.searched import searched
    from lrtune.verdict.explanation import explain

    try:
        experiment = searched(run)
        return explain(experiment.space, run.trials, experiment.search.seed)
    except LrtuneError as error:  # the report has its other figures
        return f"{error}."
