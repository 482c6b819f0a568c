"""A configuration, and what is known about it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

Value = bool | int | float | str | tuple[int | float, ...] | None
"""What a hyperparameter can be; layer widths and milestones are tuples, so that values can be compared and hashed."""

Configuration = Mapping[str, Value]
"""One point of the search space: flat keys such as ``"optimizer"``, ``"optimizer.momentum"``, ``"learning_rate"``."""


def frozen(value: Any) -> Value:
    """Make a tuple of a list: JSON and YAML have no tuples, and layer widths come back as lists."""
    return tuple(value) if isinstance(value, list) else value


DEFAULT = 0
"""Number of the default configuration's trial: never pruned, because results are compared with it."""


LOGGED = "; see "
"""In a reason why a trial failed, what stands before the log that tells more."""

TIES = "log_loss"
"""The metric that decides between trials of equal means."""


class TrialState(StrEnum):
    """What has become of a trial."""

    PROPOSED = "proposed"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"
    DIVERGED = "diverged"


class Stage(NamedTuple):
    """The part of an evaluation between two pruning decisions.

    Attributes
    ----------
    first, end
        Which folds are trained: those from `first` on, before `end`.
    shorter
        What the horizon is divided by.

    """

    first: int
    end: int
    shorter: int = 1


class Curves(NamedTuple):
    """Learning curves of a trial: losses after some ``epochs``, counted from 1, over the folds that have been scored.

    Attributes
    ----------
    epochs
        After which a loss is known.
    train, validation
        Means over the folds; None from where one of them diverged.
    low, high
        The validation losses of the folds where they are lowest and highest; empty where that is not recorded.

    """

    epochs: tuple[int, ...]
    train: tuple[float | None, ...]
    validation: tuple[float | None, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """A configuration with what is known about it.

    Attributes
    ----------
    number
        Place in the order of proposals, from 0; trial 0 is the default configuration.
    configuration
        The point of the search space.
    state
        ``proposed`` until every fold is scored, or there is a reason why not.
    fold_scores
        Oriented score of each fold (larger is better); None where the lane diverged. Fewer than there are folds, always
        the first ones, if the trial was pruned, or was over, before it came to the others.
    horizon_scores
        The same for shorter horizons, each behind the number that the epochs were divided by. They do not compare with
        those of the whole horizon.
    stage
        The last stage that has been scored; None before the first.
    reason
        Why the trial was pruned, failed or diverged.
    scales
        What the rates of each epoch were multiplied by, on each fold, where the decay watches a loss.
    curves
        Training and validation loss by epoch, of the whole horizon; None before there are any.
    beside
        Oriented scores of each fold by other metrics than the one that is tuned; None where there is none.
    predicted
        How often each class is predicted, on all folds so far together; empty for regression.
    champion
        Which of the champions it is, or a member of, that the run takes over (`lrtune.run.taken`), from 0; None: none.

    """

    number: int
    configuration: Configuration
    state: TrialState = TrialState.PROPOSED
    fold_scores: tuple[float | None, ...] = ()
    horizon_scores: tuple[tuple[int, tuple[float | None, ...]], ...] = ()
    stage: int | None = None
    reason: str | None = None
    scales: tuple[tuple[float, ...], ...] = ()
    curves: Curves | None = None
    beside: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    predicted: tuple[int, ...] = ()
    champion: int | None = None
    mean: float | None = field(init=False, repr=False, compare=False)
    """Mean score over the folds; None unless the trial is complete with a finite score on every fold."""

    def __post_init__(self) -> None:
        """Take the mean: whoever ranks or draws ten thousand trials asks for it a hundred times each."""
        scores = self._comparable()
        object.__setattr__(self, "mean", math.fsum(scores) / len(scores) if scores else None)

    @property
    def is_spared(self) -> bool:
        """Whether no pruning ends it, because results are compared with it: the default, and champions."""
        return self.number == DEFAULT or self.champion is not None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be trained of it."""
        return self.state is not TrialState.PROPOSED

    @property
    def std(self) -> float | None:
        """Standard deviation over the folds (``ddof=1``); None where `mean` is, and for a single fold."""
        scores, mean = self._comparable(), self.mean
        if mean is None or len(scores) < 2:
            return None
        return math.sqrt(math.fsum((each - mean) ** 2 for each in scores) / (len(scores) - 1))

    def mean_beside(self, metric: str) -> float | None:
        """Mean score over the folds by another metric; None without one on every fold."""
        scores = self.beside.get(metric, ())
        return mean_of(scores) if self.mean is not None and len(scores) == len(self.fold_scores) else None

    @property
    def tie_breaker(self) -> float:
        """What decides between equal means, the larger one first: the oriented log loss, where there is one.

        Metrics that count labels have many ties, at the share of the largest class above all.
        """
        found = self.mean_beside(TIES)
        return -math.inf if found is None else found

    def _comparable(self) -> list[float]:
        """List the scores if they can stand beside those of other complete trials, else nothing."""
        if self.state is not TrialState.COMPLETE:
            return []
        finite = [each for each in self.fold_scores if each is not None and math.isfinite(each)]
        return finite if len(finite) == len(self.fold_scores) else []


def mean_of(scores: Sequence[float | None]) -> float | None:
    """Average the scores of all folds; None where one is missing, or there are none.

    >>> mean_of([0.25, 0.75]), mean_of([0.25, None]), mean_of([])
    (0.5, None, None)
    """
    known = [each for each in scores if each is not None]
    return math.fsum(known) / len(known) if known and len(known) == len(scores) else None


def ranking(trials: Iterable[Trial]) -> list[Trial]:
    """Order the complete trials from the best mean fold score down.

    Of equal means the one with the better log loss comes first (`Trial.tie_breaker`), then the earlier one.
    """
    complete = [each for each in trials if each.state is TrialState.COMPLETE]
    return sorted(complete, key=_rank)


def _rank(trial: Trial) -> tuple[float, float, int]:
    mean = trial.mean
    assert mean is not None
    return -mean, -trial.tie_breaker, trial.number


@dataclass(frozen=True, slots=True)
class FinalScore:
    """A model's score on the test rows.

    Attributes
    ----------
    score
        Oriented: larger is better; None if there is none.
    rows
        How many there are.
    has
        What leaves them without a score, where there are rows and no score.

    """

    score: float | None
    rows: int
    has: str | None = None
