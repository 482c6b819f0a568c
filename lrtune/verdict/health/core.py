"""The words of the health report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lrtune.space import SearchSpace
from lrtune.space.trial import Trial, TrialState, ranking
from lrtune.training.registry import BUILT_IN
from lrtune.verdict.comparison import Gain
from lrtune.verdict.result import Anchor, ClassCounts, Unscored, model_called


class Case(NamedTuple):
    """What the rules look at; scores are oriented, larger is better.

    Attributes
    ----------
    trials
        All trials by number; trial 0 is the default configuration.
    best
        The trial that was chosen.
    space
        What was searched.
    rows_ratio
        Validation rows over training rows of a fold; None: as in k-fold cross-validation.
    rows, test_rows
        Training rows of the search, and rows that it never saw.
    test
        Score on the latter; None if there are none.
    interval
        95 % interval of the score of what is delivered, corrected where that was possible; None if unknown.
    share
        Share of the bootstraps in which the best trial is chosen again; None without bootstraps, or where a mean is
        delivered.
    classes
        How often each occurs, and how often the best predicts it, or the mean that is delivered
        (``classes_of_mean``); empty for regression.
    unscored
        The folds without a score; None if all have one.
    anchors
        What was not tuned, on the same folds.
    optimism
        How much better the score of what is delivered is than it should be, because it was picked.
    gain
        What that gains over the default without that luck; None if unknown.
    how
        By what it was chosen, where another trial has the best mean.
    averaged
        Of how many trials the mean is delivered.
    reigns
        Whether it is that of a champion, whose trials another night has chosen.
    delivered
        Scores of what is delivered, on each fold; those of the best where none are given.
    units
        How many rows, groups or stretches of time the resamples draw from; None without resamples.
    no_model
        Why there is no model; None if there is one.
    trained_by
        What trained: lrtune's own networks, or a kind of code of somebody else (`lrtune.run.folder.trained_by`).
    scheduled
        Whether that takes the rate of every update from lrtune.
    settled
        Which of ``data.order`` and ``data.group`` are given.
    metric
        What was tuned; empty if unknown.
    is_linear
        Whether all that is delivered are linear models of lrtune's own.

    """

    trials: Sequence[Trial]
    best: Trial
    space: SearchSpace
    rows_ratio: float | None = None
    rows: int = 0
    test_rows: int = 0
    test: float | None = None
    interval: tuple[float, float] | None = None
    share: float | None = None
    classes: Sequence[ClassCounts] = ()
    classes_of_mean: bool = False
    unscored: Unscored | None = None
    anchors: Sequence[Anchor] = ()
    optimism: float = 0.0
    gain: Gain | None = None
    how: str = "a rule"
    averaged: int = 1
    reigns: bool = False
    delivered: Sequence[float | None] = ()
    units: int | None = None
    no_model: str | None = None
    trained_by: str = BUILT_IN
    scheduled: bool = True
    settled: frozenset[str] = frozenset()
    metric: str = ""
    is_linear: bool = False

    @property
    def is_own(self) -> bool:
        """Whether lrtune's own networks were trained."""
        return self.trained_by == BUILT_IN

    @property
    def complete(self) -> list[Trial]:
        """The trials with a score on every fold."""
        return [each for each in self.trials if each.mean is not None]

    @property
    def first(self) -> Trial:
        """The trial with the best mean, which a rule may have passed over."""
        return ranking(self.trials)[0]

    @property
    def called(self) -> str:
        """What a sentence calls the chosen trial: the best, if it has the best mean."""
        if self.averaged > 1:
            return "the best trial alone"
        return "the best" if self.first.number == self.best.number else f"trial {self.best.number}"

    @property
    def handed_over(self) -> str:
        """What a sentence calls what is delivered."""
        if self.averaged == 1:
            return self.called
        return model_called(range(self.averaged), champion=self.reigns)

    @property
    def handed_over_scores(self) -> Sequence[float | None]:
        """The scores of what is delivered, on each fold."""
        return self.delivered or self.best.fold_scores

    @property
    def ratio(self) -> float:
        """Validation rows over training rows of a fold; needs two folds."""
        return 1.0 / (len(self.best.fold_scores) - 1) if self.rows_ratio is None else self.rows_ratio

    @property
    def fold_numbers(self) -> list[int]:
        """The numbers of the folds that have a score."""
        found = self.unscored or Unscored(len(self.best.fold_scores), ())
        without = {number for number, _ in found.folds}
        return [number for number in range(1, found.of + 1) if number not in without]

    def count(self, state: TrialState) -> int:
        """Count the trials in this state."""
        return sum(each.state is state for each in self.trials)


_CAUSES = {"data.order": "time", "data.group": "groups"}
"""What makes rows differ in kind, by the setting that says so."""


def other_kind(case: Case, rows: str) -> str:
    """Advise what to look for where some rows seem to be of another kind: nothing that is settled already."""
    open_causes = {key: cause for key, cause in _CAUSES.items() if key not in case.settled}
    keys = f" ({', '.join(open_causes)})" if open_causes else ""
    later = ", and what was true may have changed with time" if "data.order" in case.settled else ""
    *others, last = [*open_causes.values(), "duplicates"]
    looked = f"{', '.join(others)} or {last}" if others else last
    return f"{rows} may be of another kind{later}: look for {looked}{keys}"


def percent(share: float) -> str:
    """Write a share.

    >>> percent(0.071)
    '7 %'
    """
    return f"{100 * share:.0f} %"


def scores(trial: Trial) -> list[float]:
    """List the scores of a complete trial's folds."""
    return [each for each in trial.fold_scores if each is not None]


def gaps(better: Trial, other: Trial) -> list[float]:
    """List the differences of two complete trials, fold by fold."""
    return [one - two for one, two in zip(scores(better), scores(other), strict=True)]


def means(trials: Sequence[Trial]) -> list[float]:
    """List the mean scores of complete trials."""
    return [each.mean for each in trials if each.mean is not None]
