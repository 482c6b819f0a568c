"""Two trials beside each other, of two runs or of one: scores on the same folds, and all that differs.

A run may deliver the mean of several trials, or of several seeds: where whole runs are compared, that is said too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from lrtune.reporting import tables
from lrtune.space import Choice
from lrtune.space.dimensions import LINEAR, Integer, Ordinal, Real
from lrtune.text.written import to_json
from lrtune.verdict import comparison
from lrtune.verdict.result import Delivered, model_called
from lrtune.verdict.standing import canonical_keys, larger_is_better, oriented, own_sign, standing

if TYPE_CHECKING:
    from lrtune.run.folder import Run
    from lrtune.space import SearchSpace
    from lrtune.space.dimensions import Dimension
    from lrtune.space.trial import Trial
    from lrtune.verdict.comparison import Difference

SCHEMA = 1
Flat = Mapping[str, Any]
"""A complete configuration, or what was asked of a run: flat keys, values as there or in JSON's types."""

Pairs = Mapping[str, tuple[Any, Any]]
"""What differs, by key: the values of the first and of the second."""


class Side(NamedTuple):
    """A trial to compare: its run, what to call it, the trial, and what the run delivers if it is asked for as one."""

    run: Run
    called: str
    trial: Trial
    delivered: Delivered | None = None


@dataclass(frozen=True, slots=True)
class ComparedTrial:
    """One of the two trials.

    Attributes
    ----------
    name, folder
        How commands call its run, and where that is.
    number
        Of the trial.
    trials
        How many the run has tried.
    mean, std, fold_scores
        In the metric's own sign; None where a fold has no score.
    delivered
        What the run delivers; None where one of its trials was asked for, or the search goes on.
    test, test_has
        Score on rows that no search saw, of the run's own model (None for another trial); and what these rows have
        that leaves them without a score.
    test_of
        What this model is made of, in words: the trial, or a mean that it is the first of.

    """

    name: str
    folder: str
    number: int
    trials: int
    mean: float | None
    std: float | None
    fold_scores: tuple[float | None, ...]
    delivered: Delivered | None
    test: float | None
    test_has: str | None
    test_of: str | None


@dataclass(frozen=True, slots=True)
class ComparedDifference:
    """The paired difference of two trials.

    Attributes
    ----------
    mean
        Positive where the first is better.
    error, low, high
        Standard error and 95 % interval (Nadeau and Bengio 2003); None for one fold.
    p, probability
        Of the corrected resampled t-test, two-sided, and that the first is better; None for one fold.
    wins, folds
        On how many folds it is, of how many.

    """

    mean: float
    error: float | None
    low: float | None
    high: float | None
    p: float | None
    probability: float | None
    wins: int
    folds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialComparison:
    """Two trials beside each other.

    Attributes
    ----------
    schema
        Version of this layout.
    metric, larger_is_better
        What both are scored with, and whether more of it is better; None if the two have other ones.
    first, second
        The trials.
    paired, reason
        Whether the scores are of the same folds, and why not.
    difference
        None where it is not paired.
    delivered
        The difference of what both runs deliver; None unless one of them delivers a mean of several trials.
    configuration, experiment
        What differs in the complete configurations, and in what was asked.

    """

    schema: int = SCHEMA
    metric: str | None
    larger_is_better: bool | None
    first: ComparedTrial
    second: ComparedTrial
    paired: bool
    reason: str | None
    difference: ComparedDifference | None
    delivered: ComparedDifference | None
    configuration: Pairs
    experiment: Pairs


def compared(one: Side, other: Side, reason: str | None) -> TrialComparison:
    """Compare two trials.

    Parameters
    ----------
    one, other
        The trials.
    reason
        Why the two are not of the same folds; None if they are.

    """
    gap = None if reason else comparison.between(one.trial, other.trial, one.run.rows_ratio)
    if gap is None and reason is None:
        reason = "one of them has no score on every fold"
    same_metric = one.run.metric == other.run.metric
    return TrialComparison(
        metric=one.run.metric if same_metric else None,
        larger_is_better=larger_is_better(one.run.metric) if same_metric else None,
        first=_side(one),
        second=_side(other),
        paired=gap is not None,
        reason=reason,
        difference=None if gap is None else _difference(gap),
        delivered=None if gap is None else _of_delivered(one, other),
        configuration=_pairs(*(each.run.configuration(each.trial.configuration) for each in (one, other))),
        experiment=_pairs(*(asked(each.run) for each in (one, other))),
    )


def _of_delivered(one: Side, other: Side) -> ComparedDifference | None:
    """Compare what two runs deliver, where that is more than the trials which are compared anyway."""
    both = one.delivered, other.delivered
    if both[0] is None or both[1] is None or not (both[0].is_mean or both[1].is_mean):
        return None
    first, second = ([oriented(one.run.metric, each) for each in found.fold_scores] for found in both if found)
    gap = comparison.difference(first, second, one.run.rows_ratio)
    return None if gap is None else _difference(gap)


def _side(side: Side) -> ComparedTrial:
    shown = standing(side.trial, side.run.metric)
    refit = side.run.study.refit
    made = refit if refit and refit.trial == side.trial.number and refit.test and refit.test.rows else None
    own = made.test if made else None
    return ComparedTrial(
        name=side.called,
        folder=str(side.run.folder),
        number=shown.number,
        trials=len(side.run.trials),
        mean=shown.mean,
        std=shown.std,
        fold_scores=shown.fold_scores,
        delivered=side.delivered,
        test=own_sign(side.run.metric, own.score) if own else None,
        test_has=own.has if own else None,
        test_of=model_called(*made.made_of[:2]) if made else None,
    )


def _difference(gap: Difference) -> ComparedDifference:
    low, high = gap.interval or (None, None)
    return ComparedDifference(gap.mean, gap.error, low, high, gap.p, gap.probability, gap.wins, gap.folds)


def _pairs(first: Flat, second: Flat) -> Pairs:
    """List the keys in which two flat mappings differ, with both values; a missing one is None."""
    keys = dict.fromkeys([*canonical_keys([first]), *canonical_keys([second])])
    return {key: (first.get(key), second.get(key)) for key in keys if first.get(key) != second.get(key)}


def asked(run: Run) -> Flat:
    """Describe what a run was asked for as flat keys: settings, dimensions of the space, data, versions."""
    header = run.study.header
    experiment = header.asked
    sections = {each: experiment.get(each, {}) for each in ("data", "search")}
    return {
        **{f"{name}.{key}": value for name, section in sections.items() for key, value in section.items()},
        "training.dtype": experiment.get("dtype"),
        **dict(_dimensions(run.space, "space")),
        "trials": len(run.trials),
        **{f"rows.{key}": value for key, value in (to_json(header.rows) or {}).items()},
        "training rows": (header.data or "")[:8],
        "engine": header.engine,
        **{f"versions.{key}": value for key, value in (header.versions or {}).items()},
    }


def _dimensions(space: SearchSpace, where: str) -> Iterator[tuple[str, str]]:
    """Describe each dimension of a space in a few words, those of branches under the branch's name."""
    for each in space.dimensions:
        yield f"{where}.{each.name}", _dimension_text(each)
        for option in each.options if isinstance(each, Choice) else ():
            yield from _dimensions(option.space, f"{where}.{tables.branch_text(option.value)}")


def _dimension_text(dimension: Dimension) -> str:
    if isinstance(dimension, Choice):
        return ", ".join(tables.value_text(dimension.name, each.value) for each in dimension.options)
    if isinstance(dimension, Ordinal):
        return ", ".join(tables.value_text(dimension.name, each) for each in dimension.values)
    assert isinstance(dimension, Integer | Real)
    ends = [tables.value_text(dimension.name, each) for each in (dimension.low, dimension.high)]
    scale = "" if dimension.scale == LINEAR else f" ({dimension.scale})"
    return " to ".join(ends) + scale
