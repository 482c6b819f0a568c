"""Tables of many: the trials of a run, and the runs of a folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrtune.reporting import tables
from lrtune.reporting.blocks import Block, Grid, Headline, Remarks, Words
from lrtune.reporting.listed import ListedRun, RunList, UnreadableRun
from lrtune.reporting.status import go_on, lacks_result
from lrtune.space.trial import Trial, TrialState
from lrtune.text import formats
from lrtune.text.errors import StudyError, nearest
from lrtune.verdict.standing import canonical_keys, standing

if TYPE_CHECKING:
    from lrtune.run.folder import Run

NUMBER, SCORE, STD, STATE = "number", "score", "std", "state"

MOST_LEFT = 5
"""Commands that complete a run, below a list of runs."""


def sort_keys(trials: Sequence[Trial]) -> list[str]:
    """List what trials can be sorted by: number, score, std, state, the folds, and every key of a configuration."""
    folds = max((len(each.fold_scores) for each in trials), default=0)
    keys = canonical_keys(each.configuration for each in trials)
    return [NUMBER, SCORE, STD, STATE, *(f"fold_{index + 1}" for index in range(folds)), *keys]


def chosen(
    trials: Sequence[Trial],
    *,
    states: Collection[str] = (),
    sort: str = SCORE,
    reverse: bool = False,
    limit: int | None = None,
) -> list[Trial]:
    """Choose and order trials.

    Parameters
    ----------
    trials
        By number.
    states
        Keep these only; empty keeps all.
    sort
        One of `sort_keys`; scores from the best down, all else upwards, equal ones by number. What has no such value
        comes last.
    reverse
        Turn the order round; what has no such value still comes last.
    limit
        Keep so many; None keeps all.

    Raises
    ------
    StudyError
        If there is no such key or state.

    """
    for each in states:
        if each not in list(TrialState):
            raise StudyError(f"unknown state '{each}'; {nearest(each, list(TrialState))}")
    known = sort_keys(trials)
    if sort not in known:
        raise StudyError(f"trials cannot be sorted by '{sort}'; {nearest(sort, known)}")
    kept = [each for each in trials if not states or each.state in states]
    value = _value_of(sort)
    having = [each for each in kept if value(each) is not None]
    lacking = [each for each in kept if value(each) is None]
    having.sort(key=lambda each: _comparable(value(each)), reverse=reverse)
    return [*having, *lacking][:limit]


def _value_of(sort: str) -> Callable[[Trial], Any]:
    """Say how to read the value of a trial that it is sorted by; of scores the smallest is the best here."""
    if sort == SCORE:
        return lambda each: None if each.mean is None else -each.mean
    if sort.startswith("fold_"):
        index = int(sort.removeprefix("fold_")) - 1
        return lambda each: None if _fold(each, index) is None else -_fold(each, index)  # type: ignore[operator]
    if sort in (NUMBER, STD, STATE):
        return lambda each: getattr(each, sort)
    return lambda each: each.configuration.get(sort)


def _fold(trial: Trial, index: int) -> float | None:
    return trial.fold_scores[index] if index < len(trial.fold_scores) else None


def _comparable(value: Any) -> tuple[int, Any]:
    """Make values of different types comparable: numbers, then texts, then lists."""
    if isinstance(value, tuple | list):
        return 2, tuple(value)
    return (1, str(value)) if isinstance(value, str) else (0, value)


def trials_page(run: Run, trials: Sequence[Trial], *, called: str, matching: int) -> list[Block]:
    """Tabulate trials: their states and scores, and where their configurations differ.

    Parameters
    ----------
    run
        The run.
    trials
        Those to show, in this order.
    called
        How commands call the run.
    matching
        How many there are without the limit.

    """
    shown = [standing(each, run.metric) for each in trials]
    keys = tables.varying_keys([each.configuration for each in trials]) if len(trials) > 1 else None
    scores = formats.score_format(each.mean for each in shown)
    rows = [
        (str(each.number), str(trial.state), scores(each.mean), scores(each.std), _what(trial, keys))
        for each, trial in zip(shown, trials, strict=True)
    ]
    total = f"of {formats.plural(len(run.trials), 'trial')}"
    title = f"{called}: {formats.count(len(trials))} {total}"
    page: list[Block] = [Grid(title, ("trial", "state", run.metric, "std", "where they differ"), rows, left=(1,))]
    if matching > len(trials):
        page.append(Remarks("", [f"{formats.count(matching - len(trials))} more with --limit 0"]))
    return page


def _what(trial: Trial, keys: Collection[str] | None) -> str:
    line = tables.configuration_line(trial.configuration, keys)
    return f"{line} ({formats.printable(trial.reason)})" if trial.reason else line


def runs_page(found: RunList) -> list[Block]:
    """Tabulate the runs of a folder."""
    if not found.runs:
        return [Headline(f"{found.folder} has no runs; `lrtune search` makes one")]
    now = time.time()
    title = f"{formats.plural(len(found.runs), 'run')} in {found.folder}"
    header = ("run", "metric", "best", "trials", "state", "last written")
    page: list[Block] = [Grid(title, header, [_run_row(each, now) for each in found.runs], left=(0, 1, 4))]
    left = [each.folder for each in found.runs if isinstance(each, ListedRun) and _lacks_result(each) and each.best]
    if left:
        page.append(Words("to complete what has no result", [("", go_on(Path(each))) for each in left[:MOST_LEFT]]))
    problems = [each.problem for each in found.runs if each.problem]
    return [*page, Remarks("cannot be read", problems)] if problems else page


def _lacks_result(run: ListedRun | UnreadableRun) -> bool:
    return isinstance(run, ListedRun) and lacks_result(run.state, run.trials)


def _run_row(run: ListedRun | UnreadableRun, now: float) -> tuple[str, ...]:
    name = formats.printable(run.folder.rpartition("/")[2])
    if isinstance(run, UnreadableRun):
        return (name, formats.MISSING, formats.MISSING, formats.MISSING, run.state, formats.MISSING)
    best = None if run.best is None else run.best.mean
    done = formats.count(run.trials.done)
    shown = done if run.state == "finished" else f"{done}/{formats.count(run.trials.planned)}"
    age = f"{formats.age(now - run.changed)} ago"
    state = "no result" if _lacks_result(run) else run.state
    return (name, run.metric, formats.score_format([best])(best), shown, state, age)
