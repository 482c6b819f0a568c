"""What a model is worth on labelled rows, for programs and as a page, beside what its search expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune.reporting.blocks import Block, Facts, Grid, Headline, Remarks
from lrtune.text import formats
from lrtune.text.formats import Show
from lrtune.verdict.conditions import Gate
from lrtune.verdict.gates import kept_gate, score_gate
from lrtune.verdict.interval import Interval

if TYPE_CHECKING:
    from lrtune.verdict.evaluated import Evaluation, RowScore, Segment
    from lrtune.verdict.result import Result

SCHEMA = 1

MOST_CLASSES = 20
"""Classes on the page, those that are found least; the others stand in the JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedModel:
    """A model on labelled rows; what ``lrtune evaluate --json`` prints.

    Attributes
    ----------
    schema
        Version of this layout.
    run, table
        The model's run or folder, and the rows.
    evaluation
        What came of it.
    expected
        What the search expected of new rows, by the same metric; None where there is no result or no interval.
    test
        The score on the rows that the search had set apart; None without.
    gates
        What became of those that were asked for.
    known
        How many of the rows the model was trained on, at least; None where that is not known.

    """

    schema: int = SCHEMA
    run: str
    table: str
    evaluation: Evaluation
    expected: Interval | None
    test: float | None
    gates: tuple[Gate, ...] = ()
    known: int | None = None


def expected_by(result: Result | None) -> Interval | None:
    """Take from a result what its search expects of new rows."""
    if result is None or result.corrected is None:
        return None
    found = result.corrected
    return Interval(found.score, found.low, found.high)


def gates_of(
    evaluation: Evaluation, expected: Interval | None, limits: Sequence[float], *, keeps: bool
) -> tuple[Gate, ...]:
    """Judge an evaluation by limits, and by what was expected if that is asked for; what cannot be told fails."""
    metric, own = evaluation.metric, evaluation.own
    found = [score_gate(metric, own.score, each, judged="evaluated") for each in limits]
    return (*found, *([kept_gate(metric, own.interval, expected)] if keeps else []))


def page(found: EvaluatedModel) -> list[Block]:
    """Write the page."""
    evaluation, own = found.evaluation, found.evaluation.own
    rows = formats.plural(evaluation.rows, "row")
    if own.score is None:
        return [Headline(f"{evaluation.metric} has no score on the {rows} of {formats.printable(found.table)}")]
    show = formats.score_format([own.score, own.low, own.high])
    span = "too few for an interval" if own.low is None else f"95 % interval {show(own.low)} to {show(own.high)}"
    head = f"{evaluation.metric} {show(own.score)} on {rows} of {formats.printable(found.table)} ({span})"
    blocks: list[Block] = [Headline(head)]
    blocks += _beside(found, own)
    blocks.append(
        Grid(
            "all rows",
            ("score", "95 % interval", ""),
            _lines(_scored(evaluation.scores)),
            left=(1,),
        )
    )
    if evaluation.classes:
        blocks.append(_classes(evaluation.classes))
    if evaluation.column is not None:
        blocks.append(_groups(evaluation))
    return blocks


def _beside(found: EvaluatedModel, own: RowScore) -> list[Block]:
    """Set what the search expected beside the score."""
    expected, rows = found.expected, []
    metric = found.evaluation.metric
    if expected is not None:
        show = formats.score_format([expected.score, expected.low, expected.high])
        rows.append(
            ("expected", f"{show(expected.score)} ({show(expected.low)} to {show(expected.high)}), by the search")
        )
        if own.interval is not None:
            rows.append(("verdict", _verdict(kept_gate(metric, own.interval, expected), found.evaluation.rows)))
    if found.test is not None:
        rows.append(
            ("test", f"{formats.score_format([found.test])(found.test)} on the rows that the search had set apart")
        )
    return [Facts("", rows)] if rows else []


def _verdict(gate: Gate, rows: int) -> str:
    if gate.passed:
        return f"no worse than the search expected, as far as {formats.plural(rows, 'row')} can tell"
    return "worse than the search expected, by more than chance explains: these rows differ from the training rows"


def _scored(scores: Mapping[str, RowScore]) -> list[tuple[str, RowScore]]:
    return [(name, each) for name, each in scores.items() if each.score is not None]


def _lines(scored: Sequence[tuple[str, RowScore]]) -> list[tuple[str, str, str]]:
    """Write scores below each other, all with the same digits."""
    show = _shown([found for _, found in scored])
    return [(show(found.score), _interval(found, show), name) for name, found in scored]


def _shown(found: Sequence[RowScore]) -> Show:
    """Choose the digits for scores of a column, and for their intervals."""
    return formats.score_format([each for one in found for each in (one.score, one.low, one.high)])


def _interval(found: RowScore, show: Show) -> str:
    return f"{show(found.low)} to {show(found.high)}" if found.low is not None else formats.MISSING


def _classes(classes: Sequence[Segment]) -> Grid:
    """Show what is found of each class, the worst first."""
    order = sorted(classes, key=lambda each: each.scores["recall"].score or 0.0)[:MOST_CLASSES]
    left = len(classes) - len(order)
    title = "by class: of its rows, the share that is found; of the rows taken for it, the share that is"
    header = ("found", "95 % interval", "right", "rows", "class")
    lines = [
        (
            _share(each.scores["recall"].score),
            _interval(each.scores["recall"], _share),
            _share(each.scores["precision"].score),
            formats.count(each.rows),
            formats.printable(each.name),
        )
        for each in order
    ]
    more = f" (the {MOST_CLASSES} worst; {left} more with --json)" if left else ""
    return Grid(title + more, header, lines, left=(1,))


_share = formats.score_format([1.0])
"""Writes shares, all with the same digits."""


def _groups(evaluation: Evaluation) -> Block:
    """Show the score of the rows with each value of a column."""
    scored = [each for each in evaluation.groups if each.scores[evaluation.metric].score is not None]
    title = f"by {formats.printable(evaluation.column)}"
    if not scored:
        return Remarks(title, [f"{evaluation.metric} has no score on the rows of any value"])
    numbers = [each.scores[evaluation.metric] for each in scored]
    show = _shown(numbers)
    lines = [
        (show(found.score), _interval(found, show), formats.count(each.rows), formats.printable(each.name))
        for each, found in zip(scored, numbers, strict=True)
    ]
    return Grid(title, (evaluation.metric, "95 % interval", "rows", "value"), lines, left=(1,))
