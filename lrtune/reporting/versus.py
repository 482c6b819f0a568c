"""Two trials beside each other, of two runs or of one: scores on the same folds, and all that differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from lrtune.reporting import tables
from lrtune.reporting.blocks import Block, Facts, Grid, Headline, Remarks
from lrtune.space import Choice
from lrtune.space.dimensions import LINEAR, Integer, Ordinal, Real
from lrtune.text import formats
from lrtune.text.written import to_json
from lrtune.verdict import comparison
from lrtune.verdict.result import HeldOut
from lrtune.verdict.standing import canonical_keys, larger_is_better, own_sign, standing

if TYPE_CHECKING:
    from lrtune.reporting.judgements import Show
    from lrtune.run.folder import Run
    from lrtune.space import SearchSpace
    from lrtune.space.dimensions import Dimension
    from lrtune.space.trial import Trial
    from lrtune.verdict.comparison import Difference

SCHEMA = 1
ALPHA = 0.05
"""A difference that chance alone would show this rarely is called one."""

MAX_ROWS = 10
"""Differences on a page; the others are in the JSON."""

Flat = Mapping[str, Any]
"""A complete configuration, or what was asked of a run: flat keys, values as there or in JSON's types."""

Pairs = Mapping[str, tuple[Any, Any]]
"""What differs, by key: the values of the first and of the second."""


class Side(NamedTuple):
    """A trial to compare: its run, what to call it, and the trial."""

    run: Run
    called: str
    trial: Trial


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
    test, test_has
        Score on rows that no search saw, of the run's own model (None for another trial); and what these rows have
        that leaves them without a score.

    """

    name: str
    folder: str
    number: int
    trials: int
    mean: float | None
    std: float | None
    fold_scores: tuple[float | None, ...]
    test: float | None
    test_has: str | None


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
        configuration=_pairs(*(each.run.configuration(each.trial.configuration) for each in (one, other))),
        experiment=_pairs(*(asked(each.run) for each in (one, other))),
    )


def _side(side: Side) -> ComparedTrial:
    shown = standing(side.trial, side.run.metric)
    refit = side.run.study.refit
    own = refit.test if refit and refit.trial == side.trial.number and refit.test and refit.test.rows else None
    return ComparedTrial(
        name=side.called,
        folder=str(side.run.folder),
        number=shown.number,
        trials=len(side.run.trials),
        mean=shown.mean,
        std=shown.std,
        fold_scores=shown.fold_scores,
        test=own_sign(side.run.metric, own.score) if own else None,
        test_has=own.has if own else None,
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
        "table": (header.data or "")[:8],
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


def page(found: TrialComparison) -> list[Block]:
    """Show a comparison."""
    scores = formats.score_format([found.first.mean, found.second.mean])
    blocks: list[Block] = [Headline(_headline(found, scores)), Facts("", list(_facts(found, scores)))]
    names = [_called(each) for each in (found.first, found.second)]
    for title, pairs in (
        ("configurations differ in", found.configuration),
        ("experiments differ in", found.experiment),
    ):
        if pairs:
            blocks.append(_table(title, names, pairs))
    blocks.append(Remarks("notes", list(_notes(found))))
    return [each for each in blocks if not isinstance(each, Remarks) or each.sentences]


def _called(trial: ComparedTrial) -> str:
    return f"{trial.name}:{trial.number}"


def _headline(found: TrialComparison, scores: Show) -> str:
    first, second, gap = found.first, found.second, found.difference
    names = _called(first), _called(second)
    if found.metric is None:
        return f"{names[0]} and {names[1]} cannot be compared: {found.reason}"
    numbers = f"{found.metric} {scores(first.mean)} and {scores(second.mean)}"
    if gap is None:
        return f"{names[0]} and {names[1]}: {numbers}, not of the same folds"
    if gap.p is None or gap.p >= ALPHA:
        return f"the folds cannot tell {names[0]} and {names[1]} apart: {numbers}"
    if gap.mean > 0:
        return f"{names[0]} is better than {names[1]}: {numbers}"
    return f"{names[0]} is worse than {names[1]}: {numbers}"


def _facts(found: TrialComparison, scores: Show) -> Iterator[tuple[str, str]]:
    for trial in (found.first, found.second):
        more = len(trial.fold_scores) - MAX_ROWS
        folds = "  ".join(scores(each) for each in trial.fold_scores[:MAX_ROWS]) or "no score"
        folds += f"  and {more} more" if more > 0 else ""
        std = "" if trial.std is None else f" ± {scores(trial.std)}"
        yield _called(trial), f"{scores(trial.mean)}{std}   by fold  {folds}"
    if found.difference is not None:
        yield from _gap_facts(found.difference, scores)
    tests = [HeldOut(each.test, 0, each.test_has) for each in (found.first, found.second)]
    if found.metric is not None and all(each != HeldOut(None, 0) for each in tests):
        yield "test", " and ".join(tables.tested_text(each, scores) for each in tests)


def _gap_facts(gap: ComparedDifference, scores: Show) -> Iterator[tuple[str, str]]:
    if formats.is_nothing(gap.mean) and formats.is_nothing(gap.error or 0.0):
        yield "difference", "none: the scores are equal on every fold"
        return
    ahead = "better" if gap.mean >= 0 else "worse"
    wins = f"on {gap.wins} of {formats.plural(gap.folds, 'fold')} the first is better"
    if gap.error is None:
        yield (
            "difference",
            f"the first is {ahead} by {formats.gap(gap.mean, scores)}; one fold cannot say how sure that is",
        )
        return
    assert gap.low is not None
    assert gap.high is not None
    assert gap.p is not None
    assert gap.probability is not None
    error = f"{formats.gap(gap.mean, scores)} ± {formats.gap(gap.error, scores)} (standard error)"
    yield "difference", f"the first is {ahead} by {error}; {wins}"
    yield "95 % interval", f"{formats.signed(gap.low, scores)} to {formats.signed(gap.high, scores)}"
    yield "corrected t-test", f"{formats.p_value(gap.p)}, two-sided"
    yield "probability", f"{formats.share(gap.probability)} that the first is better"


def _table(title: str, names: Sequence[str], pairs: Pairs) -> Grid:
    rows = [(key, *(_cell(key, each) for each in pair)) for key, pair in pairs.items()]
    more = [("...", f"{len(rows) - MAX_ROWS} more", "with --json")] if len(rows) > MAX_ROWS else []
    return Grid(title, ("", *names), [*rows[:MAX_ROWS], *more], left=(0, 1))


def _cell(key: str, value: Any) -> str:
    text = formats.MISSING if value is None else _value_text(key, value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _value_text(key: str, value: Any) -> str:
    if isinstance(value, list | tuple) and not all(isinstance(each, int | float) for each in value):
        return ", ".join(map(str, value))
    return tables.value_text(key, value) or "nothing"


def _notes(found: TrialComparison) -> Iterator[str]:
    first, second = found.first, found.second
    if found.reason is not None and found.metric is not None:
        yield f"no test and no interval, because {found.reason}"
    if first.trials != second.trials:
        numbers = f"{formats.count(first.trials)} and {formats.count(second.trials)}"
        yield f"the best of many trials looks better than it is, the more so the more trials: here {numbers}"
