"""The page of a comparison (`lrtune.reporting.versus`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lrtune.reporting import tables
from lrtune.reporting.blocks import Block, Facts, Grid, Headline, Remarks
from lrtune.text import formats
from lrtune.verdict.result import HeldOut, model_called

if TYPE_CHECKING:
    from lrtune.reporting.versus import ComparedDifference, ComparedTrial, Pairs, TrialComparison
    from lrtune.text.formats import Show

ALPHA = 0.05
"""A difference that chance alone would show this rarely is called one."""

MAX_ROWS = 10
"""Differences on a page; the others are in the JSON."""


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
    both = (found.first, found.second)
    if any(each.delivered is not None and each.delivered.is_mean for each in both):
        yield "delivered", " and ".join(_delivered_text(each, scores) for each in both) + _ahead(found, scores)
    if found.metric is not None and all(each.test_of is not None for each in both):
        yield "test", " and ".join(_tested_text(each, scores) for each in both)


def _delivered_text(trial: ComparedTrial, scores: Show) -> str:
    made = trial.delivered
    return "unknown" if made is None else f"{scores(made.mean)} ({made.scored})"


def _ahead(found: TrialComparison, scores: Show) -> str:
    gap = found.delivered
    if gap is None:
        return ""
    if formats.is_nothing(gap.mean):
        return ": no difference on average"
    words = f": the first is {'better' if gap.mean > 0 else 'worse'} by {formats.gap(gap.mean, scores)}"
    if gap.error is None or gap.p is None:
        return words
    return f"{words} ± {formats.gap(gap.error, scores)} (standard error; {formats.p_value(gap.p)})"


def _tested_text(trial: ComparedTrial, scores: Show) -> str:
    """Write a score on the test rows, and if it is not of the trial alone, of what."""
    text = tables.tested_text(HeldOut(trial.test, 0, trial.test_has), scores)
    return text if trial.test_of == model_called((trial.number,)) else f"{text} by {trial.test_of}"


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
