"""The first look: a few large numbers, and the facts of the answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lrtune.reporting import delivered
from lrtune.reporting.answer import expected_format
from lrtune.reporting.html.svg import written
from lrtune.reporting.in_words import decimal_rate, metric_name
from lrtune.space.trial import TrialState
from lrtune.text import formats

if TYPE_CHECKING:
    from lrtune.reporting.html.subject import Subject
    from lrtune.verdict.result import Result

_KINDS = ("optimizer", "decay")


def facts(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Write the facts of the answer, each with its label."""
    yield '<dl class="facts">'
    for label, sentence in rows:
        yield f"<dt>{written(label)}</dt><dd>{written(sentence)}</dd>"
    yield "</dl>"


def tiles(about: Subject) -> Iterator[str]:
    """Write what to remember: the score, the test, the rate, the trials."""
    yield '<dl class="tiles">'
    for label, number, words in _tiles(about):
        yield (
            f'<div class="tile"><dt>{written(label)}</dt><dd class="big">{written(number)}</dd>'
            f'<dd class="small">{written(words)}</dd></div>'
        )
    yield "</dl>"


def _tiles(about: Subject) -> Iterator[tuple[str, str, str]]:
    result, run = about.result, about.run
    if result is not None:
        yield from _scores(result)
        rate = result.best.configuration.get("learning_rate")
        kind = [
            str(result.best.configuration[key]) for key in ("optimizer", "decay") if key in result.best.configuration
        ]
        if isinstance(rate, int | float):
            yield "learning rate of the best", decimal_rate(float(rate)), ", ".join(kind)
    elif about.scored:
        best = run.ranked[0]
        yield f"best {metric_name(about.metric)}", about.show(about.own(best)), f"trial {best.number}"
    lost = {str(state): run.study.count(state) for state in TrialState if state is not TrialState.PROPOSED}
    ends = ", ".join(f"{formats.count(number)} {state}" for state, number in lost.items() if number)
    yield "trials", formats.count(len(run.trials)), ends or "none is over yet"


def _scores(result: Result) -> Iterator[tuple[str, str, str]]:
    show, found, metric = expected_format(result), result.corrected, metric_name(result.metric)
    if found is None:
        yield f"{metric}, mean of folds", show(result.mean), f"trial {result.best.number}"
    else:
        yield f"expect: {metric}", show(found.score), f"95 % interval {show(found.low)} to {show(found.high)}"
    if result.test is not None and result.test.score is not None:
        rows = formats.plural(result.test.rows, "row")
        yield (
            f"on test rows: {metric}",
            show(result.test.score),
            f"{rows} that the search never saw{delivered.tested(result)}",
        )
