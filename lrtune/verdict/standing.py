"""Scores as people see them: a metric's own sign instead of "larger is better".

Inside, a score is oriented: larger is better, so that an error is negative (`lrtune.training.metrics`). Here it is
turned back, and nowhere else; what was written down in its own sign is oriented again here as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import overload

from lrtune.space.trial import Configuration, Trial, mean_of
from lrtune.training.metrics.catalogue import SMALLER
from lrtune.training.registry import KEYS, METRICS


def larger_is_better(metric: str) -> bool:
    """Tell whether more of a metric is better.

    >>> larger_is_better("rmse"), larger_is_better("perplexity (smaller is better)")
    (False, False)
    """
    return METRICS[metric].larger_is_better if metric in METRICS else not metric.endswith(SMALLER)


@overload
def own_sign(metric: str, score: float) -> float: ...
@overload
def own_sign(metric: str, score: float | None) -> float | None: ...
def own_sign(metric: str, score: float | None) -> float | None:
    """Turn an oriented score into the metric's own sign.

    >>> own_sign("rmse", -0.25), own_sign("accuracy", 0.9), own_sign("rmse", None)
    (0.25, 0.9, None)
    """
    if score is None or larger_is_better(metric):
        return score
    return 0.0 - score  # not -score: a perfect error of 0 must not become -0.0


oriented = own_sign
"""Turn a score in the metric's own sign so that larger is better: the same turn once more."""


def own_ends(metric: str, low: float, high: float) -> tuple[float, float]:
    """Turn the ends of an oriented interval, the smaller one first.

    >>> own_ends("rmse", -0.3, -0.2)
    (0.2, 0.3)
    """
    ends = own_sign(metric, low), own_sign(metric, high)
    return min(ends), max(ends)


def canonical_keys(configurations: Iterable[Configuration]) -> list[str]:
    """List every key that occurs, in the order of the registry; factors stand behind the choice they belong to."""
    order = {key: place for place, key in enumerate(KEYS)}
    keys = {key for each in configurations for key in each}
    return sorted(keys, key=lambda key: (order.get(key, order.get(key.partition(".")[0], len(order))), key))


@dataclass(frozen=True, slots=True)
class Standing:
    """A trial with its scores in the metric's own sign.

    Attributes
    ----------
    number
        Of the trial; 0 is the default configuration.
    state
        ``complete``, ``proposed`` (not scored yet), ``pruned``, ``diverged`` or ``failed``.
    configuration
        Flat keys, factors behind a dot: the point of the space, or everything that trains it again.
    mean, std
        Over the folds (``ddof=1``); None where a fold has no score.
    fold_scores
        One for each fold, None where it diverged.
    beside
        Means over the folds by other metrics, each in its own sign; None where a fold has no score.

    """

    number: int
    state: str
    configuration: Configuration
    mean: float | None
    std: float | None
    fold_scores: tuple[float | None, ...]
    beside: Mapping[str, float | None] = field(default_factory=dict)


def means_beside(beside: Mapping[str, Sequence[float | None]]) -> dict[str, float | None]:
    """Average the oriented scores by other metrics over the folds, each in its own sign; None where one is missing.

    >>> means_beside({"accuracy": [0.75, 1.0], "log_loss": [-0.5, -0.3], "roc_auc": [0.9, None]})
    {'accuracy': 0.875, 'log_loss': 0.4, 'roc_auc': None}
    """
    return {name: own_sign(name, mean_of(scores)) for name, scores in beside.items()}


def standing(trial: Trial, metric: str, configuration: Configuration | None = None) -> Standing:
    """Look at a trial as people do, with its complete configuration if that is given."""
    shown = trial.configuration if configuration is None else configuration
    return Standing(
        number=trial.number,
        state=str(trial.state),
        configuration={key: shown[key] for key in canonical_keys([shown])} if configuration is not None else shown,
        mean=own_sign(metric, trial.mean),
        std=trial.std,
        fold_scores=tuple(own_sign(metric, each) for each in trial.fold_scores),
        beside=means_beside(trial.beside),
    )
